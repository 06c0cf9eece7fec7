"""Frames: contiguous, zeroed, counted, limited; and the page tables against a dictionary."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.engine.pagetables import ARM64_FORMAT, FRAME_MASK, X86_FORMAT, PageTables
from emu.memory import GuestRam
from syscalls.abi.errno import ENOMEM, SysError

SMALL = 1 << 23


def fill(ram, frame, count):
    ram.view[frame << 12 : (frame + count) << 12] = b"\xaa" * (count << 12)


def is_zero(ram, frame, count):
    return not any(ram.view[frame << 12 : (frame + count) << 12])


@pytest.mark.parametrize("count", [1, 3, 64, 200])
def test_reused_frames_are_zero(count):
    ram = GuestRam(SMALL)
    frame = ram.allocate(count)
    fill(ram, frame, count)
    ram.release(frame, count)
    assert ram.allocate(count) == frame
    assert is_zero(ram, frame, count)


def test_limit():
    ram = GuestRam(SMALL, limit=10)
    first = ram.allocate(10)
    with pytest.raises(SysError) as error:
        ram.allocate(1)
    assert error.value.errno == ENOMEM
    ram.release(first + 4)
    assert (ram.allocate(1), ram.used, ram.peak) == (first + 4, 10, 10)


def test_users():
    ram = GuestRam(SMALL)
    frame = ram.allocate(4)
    ram.share(frame + 1, 2)
    assert [ram.users(frame + i) for i in range(4)] == [1, 2, 2, 1]
    ram.release(frame, 4)
    assert [ram.users(frame + i) for i in range(4)] == [0, 1, 1, 0]
    assert ram.used == 2
    ram.release(frame + 1, 2)
    assert ram.used == 0


def test_scattered_frames_join_to_extents():
    ram = GuestRam(SMALL)
    everything = ram.frames - 1
    frames = [ram.allocate(1) for _ in range(everything)]
    fill(ram, 1, everything)
    for frame in frames:
        ram.release(frame)
    for count in (300, 700):
        assert is_zero(ram, ram.allocate(count), count)
    with pytest.raises(SysError):
        ram.allocate(everything - 999)
    assert is_zero(ram, ram.allocate(everything - 1000), everything - 1000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 90)), max_size=60), st.randoms())
def test_frames_never_overlap(steps, random):
    ram = GuestRam(1 << 20)
    held = []
    for take, count in steps:
        if take:
            try:
                frame = ram.allocate(count)
            except SysError:
                assert ram.used + count > ram.limit or held
                continue
            assert frame > 0
            assert is_zero(ram, frame, count)
            fill(ram, frame, count)
            held.append((frame, count))
        elif held:
            ram.release(*held.pop(random.randrange(len(held))))
        pages = [page for frame, length in held for page in range(frame, frame + length)]
        assert len(pages) == len(set(pages)) == ram.used


def test_code_is_forgotten_only_where_it_was():
    ram = GuestRam(SMALL)
    changes = []
    ram.on_code_change(lambda: changes.append(1))
    data, code = ram.allocate(1), ram.allocate(1)
    ram.mark_code(code, 1)
    ram.invalidate_code(data)
    assert not changes
    ram.invalidate_code(code)
    assert len(changes) == 1
    ram.release(code)
    assert len(changes) == 2
    ram.invalidate_code(ram.allocate(1))
    assert len(changes) == 2


PAGES = st.one_of(st.integers(0, 1100), st.integers(0x7FFFF000, 0x7FFFFF00))


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([X86_FORMAT, ARM64_FORMAT]),
    st.lists(st.tuples(PAGES, st.integers(1, 0x700), st.integers(0, 7), st.integers(1, 0x1000)), max_size=12),
)
def test_tables_against_a_dictionary(format, steps):
    ram = GuestRam(SMALL * 4)
    tables = PageTables(ram, format)
    expected = {}
    for page, count, access, frame in steps:
        tables.stale = False
        before = {p: expected[p] for p in range(page, page + count) if p in expected}
        tables.map(page, frame, count, access)
        for i in range(count):
            expected.pop(page + i, None)
            if access:
                expected[page + i] = (frame + i, access)
        # What may be written or executed may be read, too.
        lost = any(
            p not in expected or expected[p][0] != f or a & ~(expected[p][1] | 1) for p, (f, a) in before.items()
        )
        assert tables.stale or not lost
        for p in {page, page + count - 1, page + count, max(page - 1, 0), *expected}:
            entry = tables.lookup(p)
            shown = expected.get(p)
            frame_shown, bits = entry >> 12 & FRAME_MASK >> 12, entry & ~FRAME_MASK
            if shown and shown[1] & 6 == 2 and ram.is_code(shown[0], 1):
                bits |= format.no_execute  # executable so that writes are watched
            assert (frame_shown, bits) == ((shown[0], format.pages[shown[1]]) if shown else (0, 0))
    tables.destroy()
    assert ram.used == 0


def test_only_what_loses_something_needs_a_flush():
    ram = GuestRam(SMALL)
    tables = PageTables(ram, X86_FORMAT)
    tables.map(5, 100, 1, 1)
    tables.map(5, 100, 1, 3)
    tables.unmap(1000, 1 << 30)
    assert not tables.stale
    tables.faulting = 5
    tables.map(5, 101, 1, 3)  # copy on write: the access that follows replaces the translation
    assert not tables.stale
    tables.faulting = -1
    tables.map(5, 102, 1, 3)
    assert tables.stale
