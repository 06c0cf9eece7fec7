"""The page cache against a bytearray, and its accounts against the RAM."""

from __future__ import annotations

from typing import Any

from fakes import FakeRam
from hypothesis import given, settings
from hypothesis import strategies as st

from syscalls.abi.arch import PAGE_SIZE
from syscalls.fs.pagecache import PageCache

LIMIT = 6 * PAGE_SIZE
OFFSETS = st.one_of(
    st.integers(0, LIMIT), st.sampled_from([page * PAGE_SIZE + d for page in range(6) for d in (0, 1, PAGE_SIZE - 1)])
)
LENGTHS = st.one_of(st.integers(0, 3 * PAGE_SIZE), st.sampled_from([1, PAGE_SIZE, PAGE_SIZE - 1, 2 * PAGE_SIZE]))
PAGES = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("write"), OFFSETS, LENGTHS),
    st.tuples(st.just("write"), OFFSETS, LENGTHS),
    st.tuples(st.just("truncate"), OFFSETS, st.just(0)),
    st.tuples(st.just("allocate"), OFFSETS, LENGTHS),
    st.tuples(st.just("punch"), OFFSETS, LENGTHS),
    st.tuples(st.just("collapse"), PAGES, PAGES),
    st.tuples(st.just("insert"), PAGES, PAGES),
    st.tuples(st.just("frame"), PAGES, st.just(0)),
)


def step(cache: PageCache, model: bytearray, operation: str, offset: int, length: int, fill: int) -> None:
    if operation == "write":
        data = bytes([fill]) * length
        assert cache.write(offset, data) == length
        if length:
            model.extend(bytes(max(0, offset + length - len(model))))
            model[offset : offset + length] = data
    elif operation == "truncate":
        cache.truncate(offset)
        del model[offset:]
        model.extend(bytes(offset - len(model)))
    elif operation == "punch":
        cache.punch(offset, length)
        end = min(offset + length, len(model))
        if end > offset:
            model[offset:end] = bytes(end - offset)
    elif operation == "collapse":
        first, end = offset * PAGE_SIZE, (offset + length) * PAGE_SIZE
        if end < len(model):
            cache.collapse(first, end - first)
            del model[first:end]
    elif operation == "insert":
        first = offset * PAGE_SIZE
        if first < len(model) < 16 * PAGE_SIZE:
            cache.insert(first, length * PAGE_SIZE)
            model[first:first] = bytes(length * PAGE_SIZE)
    elif operation == "frame":
        cache.frame(offset)
    else:
        cache.allocate(offset, length)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=20))
def test_reads_as_a_bytearray_would(steps: list[tuple[Any, ...]]) -> None:
    ram = FakeRam(256)
    cache = PageCache(ram)
    model = bytearray()
    for number, (operation, offset, length) in enumerate(steps):
        step(cache, model, operation, offset, length, number % 255 + 1)
        assert cache.size == len(model)
        assert cache.read(0, len(model) + 1) == bytes(model)
        assert cache.read(PAGE_SIZE - 1, 2) == bytes(model[PAGE_SIZE - 1 : PAGE_SIZE + 1])
        assert ram.used == cache.pages
    position = 0
    while position < cache.size:  # holes and data alternate, and holes are zeros
        data = cache.next_data(position)
        end = cache.size if data is None else data
        assert not any(model[position:end])
        position = end if end == cache.size else cache.next_hole(end)
        assert position > end or end == cache.size
    del cache
    assert ram.used == 0
