from __future__ import annotations

import pytest
from fakes import FakeMmu

from syscalls.abi.errno import EFAULT, ENAMETOOLONG, SysError
from syscalls.kernel.ports import EXECUTE, READ, WRITE
from syscalls.mm.space import BEYOND_END, NOT_ALLOWED, NOT_MAPPED
from syscalls.mm.vma import VM_GROWSDOWN, VM_MAYSHARE, VM_NORESERVE, VM_SHARED, SharedMemory

BASE = 0x10_0000
RW = READ | WRITE


def test_a_fault_brings_in_a_window_of_fresh_pages_with_one_call(space, mmu):
    space.map(BASE, 64 << 12, RW)
    assert space.rss() == 0
    assert space.fault(BASE + 5, READ) is None
    assert mmu.map_calls == 1
    assert space.rss() == 16
    assert space.fault(BASE + 0x10000, WRITE) is None  # beside it: dense use
    assert space.rss() == 64
    assert all(access == RW for _, access in mmu.pages.values())


def test_faults_that_cannot_be_repaired(space):
    space.map(BASE, 4096, READ)
    space.map(BASE + 4096, 4096, 0)
    assert space.fault(BASE - 1, READ) == NOT_MAPPED
    assert space.fault(BASE, WRITE) == NOT_ALLOWED
    assert space.fault(BASE, EXECUTE) == NOT_ALLOWED
    assert space.fault(BASE + 4096, READ) == NOT_ALLOWED
    assert space.fault(1 << 63, READ) == NOT_MAPPED


def test_read_and_write_across_pages(space):
    space.map(BASE, 4 << 12, RW)
    data = bytes(range(256)) * 40
    space.write(BASE + 100, data)
    assert space.read(BASE + 100, len(data)) == data
    assert space.read(BASE, 100) == bytes(100)
    assert space.read(0, 0) == b""


def test_read_stops_at_the_first_bad_page(space):
    space.map(BASE, 4096, RW)
    with pytest.raises(SysError) as caught:
        space.read(BASE + 4000, 100)
    assert caught.value.errno == EFAULT
    assert space.read_some(BASE + 4000, 100) == bytes(96)
    with pytest.raises(SysError):
        space.read_some(BASE + 4096, 1)


def test_write_stores_what_fits_before_efault(space):
    space.map(BASE, 4096, RW)
    space.map(BASE + 4096, 4096, READ)
    with pytest.raises(SysError):
        space.write(BASE + 4090, b"x" * 10)
    assert space.read(BASE + 4090, 6) == b"x" * 6
    assert space.read(BASE + 4096, 4) == bytes(4)


def test_strings(space):
    space.map(BASE, 2 << 12, RW)
    space.write(BASE + 4090, b"hello, world\0rest")
    assert space.cstr(BASE + 4090, 4096) == b"hello, world"
    assert space.cstr(BASE + 4090, 13) == b"hello, world"
    with pytest.raises(SysError) as caught:
        space.cstr(BASE + 4090, 12)
    assert caught.value.errno == ENAMETOOLONG
    space.write(BASE + 4096, b"y" * 4096)
    with pytest.raises(SysError) as caught:
        space.cstr(BASE + 4096, 5000)
    assert caught.value.errno == EFAULT


def test_long_strings_span_chunks_and_pages(space):
    space.map(BASE, 4 << 12, RW)
    space.write(BASE + 1000, b"z" * 7000)
    assert space.cstr(BASE + 1000, 8000) == b"z" * 7000


def test_views_join_contiguous_frames(space):
    space.map(BASE, 16 << 12, RW)
    views = space.views(BASE + 1, 60000, WRITE)
    assert [len(view) for view in views] == [60000]
    assert space.views(BASE + 15 * 4096, 8192, READ)[0].nbytes == 4096


def test_a_kernel_store_into_code_is_told_to_the_engine(space, ram):
    space.map(BASE, 4096, RW | EXECUTE)
    space.write(BASE, b"\xc3")
    space.write(BASE, b"\x90")
    assert ram.code_writes == [space.frames[BASE >> 12]] * 2


def test_huge_reservations_cost_nothing(space, ram, mmu):
    space.map(1 << 40, 1 << 45, 0)
    space.protect(1 << 40, 1 << 45, RW)
    space.write((1 << 40) + (1 << 44), b"x")
    space.unmap(1 << 40, 1 << 45)
    assert ram.used == 0
    assert not mmu.pages


def test_unmap_splits_and_map_merges(space):
    space.map(BASE, 4 << 12, RW)
    space.unmap(BASE + 4096, 4096)
    assert [(vma.start - BASE, vma.end - BASE) for vma in space.vmas] == [(0, 0x1000), (0x2000, 0x4000)]
    space.map(BASE + 4096, 4096, RW)
    assert [(vma.start - BASE, vma.end - BASE) for vma in space.vmas] == [(0, 0x4000)]
    assert space.vsize() == 4 << 12


def test_protect_hides_and_faults_show_again(space, mmu):
    space.map(BASE, 4 << 12, RW)
    space.write(BASE, b"keep")
    space.protect(BASE, 4096, READ)
    assert BASE >> 12 not in mmu.pages
    assert space.fault(BASE, WRITE) == NOT_ALLOWED
    assert space.read(BASE, 4) == b"keep"
    assert mmu.pages[BASE >> 12][1] == READ
    space.protect(BASE, 4096, RW)
    space.write(BASE, b"also")
    assert len(space.vmas) == 1


def test_fork_copies_only_what_is_written(space, ram):
    space.map(BASE, 2 << 12, RW)
    space.write(BASE, b"before")
    used = ram.used
    child = space.fork(FakeMmu())
    assert ram.used == used
    child.write(BASE, b"child!")
    assert ram.used == used + 1
    assert space.read(BASE, 6) == b"before"
    space.write(BASE, b"parent")
    assert ram.used == used + 1  # the last user writes without a copy
    assert child.read(BASE, 6) == b"child!"
    child.destroy()
    space.destroy()
    assert ram.used == 0


def test_shared_memory_is_shared_across_fork_and_freed_with_its_last_area(space, ram):
    flags = VM_SHARED | VM_MAYSHARE
    space.map(BASE, 2 << 12, RW, flags=flags, backing=SharedMemory(ram, 8192))
    child = space.fork(FakeMmu())
    child.write(BASE + 4096, b"seen")
    assert space.read(BASE + 4096, 4) == b"seen"
    space.write(BASE + 4096, b"both")
    assert child.read(BASE + 4096, 4) == b"both"
    space.unmap(BASE, 8192)
    assert child.read(BASE + 4096, 4) == b"both"
    child.destroy()
    assert ram.used == 0


def test_shared_memory_beyond_its_size_is_a_bus_error(space, ram):
    space.map(BASE, 2 << 12, RW, flags=VM_SHARED | VM_MAYSHARE, backing=SharedMemory(ram, 4096))
    assert space.fault(BASE + 4096, READ) == BEYOND_END


def test_the_stack_grows_down_to_its_limit_and_keeps_its_distance(space):
    top = BASE + (64 << 20)
    space.limits = {3: (8 << 20, 8 << 20)}
    space.map(top - 4096, 4096, RW, flags=VM_GROWSDOWN)
    assert space.fault(top - (4 << 20), WRITE) is None
    assert next(iter(space.vmas)).start == top - (4 << 20)
    assert space.fault(top - (8 << 20) - 1, WRITE) == NOT_MAPPED
    space.map(top - (6 << 20), 4096, RW)
    assert space.fault(top - (6 << 20) + 4096 + (255 << 12), WRITE) == NOT_MAPPED
    assert space.fault(top - (6 << 20) + 4096 + (256 << 12), WRITE) is None


def test_a_guest_that_uses_up_its_memory_is_killed_as_by_the_oom_killer(space):
    space.map(BASE, 4096 << 12, RW, flags=VM_NORESERVE)
    results = {space.fault(BASE + (page << 12), WRITE) for page in range(4096)}
    assert results == {None, (9, 0x80)}
