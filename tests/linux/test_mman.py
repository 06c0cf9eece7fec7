"""mmap and its relatives. The expected errors were answered by Linux 6.18, on x86_64 and by its i386 calls alike."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, call, make_task

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.errno import (
    EACCES,
    EAGAIN,
    EBADF,
    EBUSY,
    EEXIST,
    EFAULT,
    EINVAL,
    ENODEV,
    ENOMEM,
    EOPNOTSUPP,
    EPERM,
)
from syscalls.abi.fcntl import AT_FDCWD, O_CREAT, O_PATH, O_RDONLY, O_RDWR, O_WRONLY
from syscalls.abi.mman import (
    MADV_COLLAPSE,
    MADV_DONTNEED,
    MADV_DONTNEED_LOCKED,
    MADV_FREE,
    MADV_HWPOISON,
    MADV_NORMAL,
    MADV_POPULATE_READ,
    MADV_POPULATE_WRITE,
    MADV_REMOVE,
    MADV_WIPEONFORK,
    MAP_32BIT,
    MAP_ANONYMOUS,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_GROWSDOWN,
    MAP_HUGETLB,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_SYNC,
    MCL_CURRENT,
    MCL_FUTURE,
    MCL_ONFAULT,
    MLOCK_ONFAULT,
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    MS_ASYNC,
    MS_INVALIDATE,
    MS_SYNC,
    PROT_EXEC,
    PROT_GROWSDOWN,
    PROT_GROWSUP,
    PROT_READ,
    PROT_SEM,
    PROT_WRITE,
)
from syscalls.abi.resource import RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK
from syscalls.kernel.ports import WRITE

P = 4096
RW = PROT_READ | PROT_WRITE
ANON = MAP_PRIVATE | MAP_ANONYMOUS
#: An area of 16 pages whose page 8 is missing.
AREA = 0x200_0000
HOLE = AREA + 8 * P
#: A reservation where nothing else goes.
FREE = 0x300_0000


@pytest.fixture(params=[X86_64, I386, ARM64], ids=str)
def task(request):
    task = make_task(request.param, uid=1000)
    task.mm.map(AREA, 16 * P, RW)
    task.mm.unmap(HOLE, P)
    return task


def mmap(task, addr, length, prot, flags, fd=-1, pages=0):
    if task.arch is I386:
        return call(task, "mmap2", addr, length, prot, flags, fd, pages)
    return call(task, "mmap", addr, length, prot, flags, fd, pages * P)


def open_file(task, flags=O_RDWR, data=b"x" * 2 * P):
    fd = call(task, "openat", AT_FDCWD, b"/tmp/f", O_RDWR | O_CREAT, 0o644)
    task.mm.write(SCRATCH, data)
    assert call(task, "write", fd, SCRATCH, len(data)) == len(data)
    return call(task, "openat", AT_FDCWD, b"/tmp/f", flags, 0)


def areas(task, start, end):
    return [(vma.start - start, vma.end - start, vma.prot) for vma in task.mm.vmas.overlap(start, end)]


ANONYMOUS_ERRORS = [
    (0, 0, MAP_PRIVATE, EINVAL),
    (0, P, 0, EINVAL),
    (0, P, 4, EINVAL),
    (0, P, MAP_SHARED | MAP_GROWSDOWN, EINVAL),
    (0, P, MAP_SHARED_VALIDATE, EINVAL),
    (0, P, MAP_PRIVATE | MAP_FIXED_NOREPLACE, EPERM),
    (AREA, P, MAP_PRIVATE | MAP_FIXED_NOREPLACE, EEXIST),
    (AREA + 1, P, MAP_PRIVATE | MAP_FIXED, EINVAL),
    (-P, P, MAP_PRIVATE | MAP_FIXED, ENOMEM),
    (0, -P, MAP_PRIVATE, ENOMEM),
    (0, P, MAP_PRIVATE | MAP_HUGETLB, ENOMEM),
    (0, P, MAP_PRIVATE | MAP_HUGETLB | 17 << 26, EINVAL),
]


@pytest.mark.parametrize(("addr", "length", "flags", "errno"), ANONYMOUS_ERRORS)
def test_errors_of_anonymous_mappings(task, addr, length, flags, errno):
    assert mmap(task, addr, length, RW, flags | MAP_ANONYMOUS) == -errno


FILE_ERRORS = [
    (O_RDONLY, RW, MAP_SHARED, EACCES),
    (O_WRONLY, PROT_READ, MAP_SHARED, EACCES),
    (O_WRONLY, PROT_READ, MAP_PRIVATE, EACCES),
    (O_RDONLY | O_PATH, PROT_READ, MAP_PRIVATE, EBADF),
    (O_RDWR, RW, MAP_SHARED_VALIDATE | MAP_SYNC, EOPNOTSUPP),
    (O_RDWR, RW, MAP_SHARED_VALIDATE | 0x200, EOPNOTSUPP),
    (O_RDWR, RW, MAP_PRIVATE | MAP_GROWSDOWN, EINVAL),
    (O_RDWR, RW, MAP_PRIVATE | MAP_HUGETLB, EINVAL),
    (O_RDWR, RW, 0, EINVAL),
]


@pytest.mark.parametrize(("opened", "prot", "flags", "errno"), FILE_ERRORS)
def test_errors_of_file_mappings(task, opened, prot, flags, errno):
    assert mmap(task, 0, P, prot, flags, open_file(task, opened)) == -errno


def test_what_cannot_be_mapped(task):
    directory = call(task, "openat", AT_FDCWD, b"/tmp", O_RDONLY, 0)
    assert mmap(task, 0, P, PROT_READ, MAP_PRIVATE, directory) == -ENODEV
    assert mmap(task, 0, P, RW, MAP_SHARED, directory) == -EACCES
    assert mmap(task, 0, 0, PROT_READ, MAP_PRIVATE, 77) == -EBADF


def test_the_offset_of_mmap_must_be_whole_pages(task):
    if task.arch is not I386:
        assert call(task, "mmap", 0, P, RW, ANON, -1, 1) == -EINVAL
        return
    task.mm.write(SCRATCH, struct.pack("<6I", 0, P, RW, ANON, 0xFFFFFFFF, 1))
    assert call(task, "mmap", SCRATCH) == -EINVAL
    task.mm.write(SCRATCH, struct.pack("<6I", 0, P, RW, ANON, 0xFFFFFFFF, 0))
    assert call(task, "mmap", SCRATCH) == I386.mmap_base - P
    assert call(task, "mmap", NOWHERE) == -EFAULT


def test_placement_is_top_down_and_honours_free_hints(task):
    base = task.arch.mmap_base
    assert mmap(task, 0, P, RW, ANON) == base - P
    assert mmap(task, 0, 1, PROT_READ, ANON) == base - 2 * P
    assert mmap(task, FREE + 5, P, RW, ANON) == FREE
    assert mmap(task, FREE, P, RW, ANON) == base - 3 * P
    assert call(task, "munmap", base - P, P) == 0
    assert mmap(task, 0, P, RW, ANON) == base - P


def test_32bit_addresses():
    task = make_task(X86_64)
    assert mmap(task, 0, P, RW, ANON | MAP_32BIT) == 0x4000_0000
    assert mmap(task, 0, P, RW, ANON | MAP_32BIT) == 0x4000_1000


def test_only_the_privileged_map_the_first_pages(task):
    assert mmap(task, P, P, RW, ANON | MAP_FIXED) == -EPERM
    root = make_task(task.arch)
    assert mmap(root, 0, P, RW, ANON | MAP_FIXED) == 0


def test_shared_and_private_mappings_of_a_file(task):
    fd = open_file(task)
    shared, private = mmap(task, 0, 2 * P, RW, MAP_SHARED, fd), mmap(task, 0, 2 * P, RW, MAP_PRIVATE, fd)
    task.mm.write(private, b"private")
    task.mm.write(shared, b"shared!")
    assert task.mm.read(private, 7) == b"private"
    assert call(task, "lseek", fd, 0, 0) == 0
    assert call(task, "read", fd, SCRATCH, 7) == 7
    assert task.mm.read(SCRATCH, 7) == b"shared!"
    assert call(task, "ftruncate", fd, P) == 0
    assert call(task, "write", fd, shared + P, 1) == -EFAULT


def test_mprotect_cannot_exceed_what_the_file_was_opened_for(task):
    fd = open_file(task, O_RDONLY)
    shared, private = mmap(task, 0, P, PROT_READ, MAP_SHARED, fd), mmap(task, 0, P, PROT_READ, MAP_PRIVATE, fd)
    assert call(task, "mprotect", shared, P, RW) == -EACCES
    assert call(task, "mprotect", shared, P, PROT_READ | PROT_EXEC) == 0
    assert call(task, "mprotect", private, P, RW) == 0


CALLS = [
    # munmap
    ("munmap", (AREA + 1, P), -EINVAL),
    ("munmap", (AREA, 0), -EINVAL),
    ("munmap", (-P, P), -EINVAL),
    ("munmap", (NOWHERE, P), 0),
    # mprotect
    ("mprotect", (AREA + 1, P, 1), -EINVAL),
    ("mprotect", (AREA, 0, 0x100), 0),
    ("mprotect", (AREA, P, 0x100), -EINVAL),
    ("mprotect", (AREA, P, PROT_SEM | 1), 0),
    ("mprotect", (AREA, -P, 1), -ENOMEM),
    ("mprotect", (HOLE, 2 * P, 1), -ENOMEM),
    ("mprotect", (AREA, P, PROT_GROWSDOWN | 1), -EINVAL),
    ("mprotect", (AREA, P, PROT_GROWSUP | 1), -EINVAL),
    ("mprotect", (HOLE, P, PROT_GROWSDOWN | 1), -ENOMEM),
    ("mprotect", (HOLE, 2 * P, PROT_GROWSDOWN | 1), -EINVAL),
    # mremap
    ("mremap", (AREA, P, P, 8), -EINVAL),
    ("mremap", (AREA + 1, P, P, 0), -EINVAL),
    ("mremap", (AREA, P, 0, 0), -EINVAL),
    ("mremap", (AREA, P, P, MREMAP_FIXED, FREE), -EINVAL),
    ("mremap", (AREA, P, P, MREMAP_DONTUNMAP), -EINVAL),
    ("mremap", (AREA, P, 2 * P, MREMAP_MAYMOVE | MREMAP_DONTUNMAP), -EINVAL),
    ("mremap", (AREA, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, FREE + 1), -EINVAL),
    ("mremap", (AREA, 2 * P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, AREA + P), -EINVAL),
    ("mremap", (AREA, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, 0), -EPERM),
    ("mremap", (NOWHERE, P, P, MREMAP_MAYMOVE), -EFAULT),
    ("mremap", (NOWHERE, P, 0, 0), -EINVAL),
    ("mremap", (AREA, 0, P, MREMAP_MAYMOVE), -EINVAL),
    ("mremap", (AREA + 6 * P, 4 * P, 8 * P, MREMAP_MAYMOVE), -EFAULT),
    ("mremap", (AREA, P, 2 * P, 0), -ENOMEM),
    ("mremap", (AREA, P, P, 0), AREA),
    # madvise
    ("madvise", (AREA, P, -1), -EINVAL),
    ("madvise", (AREA, P, 5), -EINVAL),
    ("madvise", (AREA + 1, P, MADV_NORMAL), -EINVAL),
    ("madvise", (AREA, 0, MADV_NORMAL), 0),
    ("madvise", (AREA, 16 * P, MADV_DONTNEED), -ENOMEM),
    ("madvise", (AREA, P, MADV_REMOVE), -EINVAL),
    ("madvise", (AREA, P, MADV_FREE), 0),
    ("madvise", (AREA, P, MADV_COLLAPSE), -EINVAL),
    ("madvise", (AREA, P, MADV_HWPOISON), -EINVAL),
    ("madvise", (HOLE, P, MADV_POPULATE_READ), -ENOMEM),
    # msync
    ("msync", (AREA, P, 8), -EINVAL),
    ("msync", (AREA, P, MS_SYNC | MS_ASYNC), -EINVAL),
    ("msync", (AREA + 1, P, MS_SYNC), -EINVAL),
    ("msync", (HOLE - P, 2 * P, MS_SYNC), -ENOMEM),
    ("msync", (NOWHERE, 0, MS_SYNC), 0),
    # mlock
    ("mlock", (AREA, 0), 0),
    ("mlock", (AREA + 5, P), 0),
    ("mlock", (HOLE - P, 2 * P), -ENOMEM),
    ("munlock", (HOLE - P, 2 * P), -ENOMEM),
    ("mlock2", (AREA, P, 2), -EINVAL),
    ("mlock2", (AREA, P, MLOCK_ONFAULT), 0),
    ("mlockall", (0,), -EINVAL),
    ("mlockall", (8,), -EINVAL),
    ("mlockall", (MCL_ONFAULT,), -EINVAL),
    ("mlockall", (MCL_FUTURE | MCL_CURRENT,), 0),
    ("munlockall", (), 0),
    # mincore
    ("mincore", (AREA + 1, P, SCRATCH), -EINVAL),
    ("mincore", (-P, P, SCRATCH), -ENOMEM),
    ("mincore", (HOLE - P, 2 * P, SCRATCH), -ENOMEM),
    ("mincore", (AREA, P, NOWHERE), -EFAULT),
    ("mincore", (AREA, P, -1), -EFAULT),
    ("mincore", (AREA, 0, 0), 0),
    # the rest
    ("remap_file_pages", (AREA, P, 0, 0, 0), -EINVAL),
    ("mseal", (AREA + 1, P, 0), -EINVAL),
    ("mseal", (AREA, P, 1), -EINVAL),
    ("mseal", (AREA, 16 * P, 0), -ENOMEM),
    ("pkey_free", (3,), -EINVAL),
    ("pkey_alloc", (1, 0), -EINVAL),
    ("pkey_mprotect", (AREA, P, 1, -1), 0),
    ("pkey_mprotect", (AREA, P, 1, 0), -EINVAL),
]


@pytest.mark.parametrize(("name", "args", "result"), CALLS)
def test_checks(task, name, args, result):
    assert call(task, name, *args) == result


def test_mprotect_changes_what_comes_before_a_hole(task):
    assert call(task, "mprotect", AREA + 6 * P, 4 * P, PROT_READ) == -ENOMEM
    assert areas(task, AREA, AREA + 16 * P) == [
        (0, 6 * P, RW), (6 * P, 8 * P, PROT_READ), (9 * P, 16 * P, RW),
    ]  # fmt: skip


def test_mremap_takes_the_pages_along(task):
    task.mm.write(AREA, b"moving")
    assert call(task, "mremap", AREA, 2 * P, 4 * P, MREMAP_MAYMOVE | MREMAP_FIXED, FREE) == FREE
    assert task.mm.read(FREE, 6) == b"moving"
    assert areas(task, AREA, AREA + 2 * P) == []
    moved = call(task, "mremap", FREE, 4 * P, 4 * P, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0)
    assert task.mm.read(moved, 6) == b"moving"
    assert task.mm.read(FREE, 6) == bytes(6)


def test_mremap_doubles_a_shared_mapping(task):
    shared = mmap(task, 0, P, RW, MAP_SHARED | MAP_ANONYMOUS)
    other = call(task, "mremap", shared, 0, P, MREMAP_MAYMOVE)
    task.mm.write(other, b"same")
    assert task.mm.read(shared, 4) == b"same"


def test_madvise_of_locked_shared_and_protected_memory(task):
    assert call(task, "mlock", AREA, P) == 0
    assert call(task, "madvise", AREA, P, MADV_DONTNEED) == -EINVAL
    assert call(task, "madvise", AREA, P, MADV_DONTNEED_LOCKED) == 0
    shared = mmap(task, 0, P, RW, MAP_SHARED | MAP_ANONYMOUS)
    assert call(task, "madvise", shared, P, MADV_WIPEONFORK) == -EINVAL
    assert call(task, "madvise", shared, P, MADV_FREE) == -EINVAL
    task.mm.write(shared, b"gone")
    assert call(task, "madvise", shared, P, MADV_REMOVE) == 0
    assert task.mm.read(shared, 4) == bytes(4)
    assert call(task, "mprotect", AREA, P, PROT_READ) == 0
    assert call(task, "madvise", AREA, P, MADV_POPULATE_WRITE) == -EINVAL


def test_mincore_knows_what_was_touched(task):
    place = mmap(task, FREE, 8 * P, RW, ANON)
    vec = SCRATCH + 100
    assert call(task, "mincore", place, 8 * P, vec) == 0
    assert task.mm.read(vec, 8) == bytes(8)
    task.mm.read(place + 3 * P, 1)
    task.mm.write(place + 5 * P, b"x")
    assert call(task, "mincore", place, 8 * P - 1, vec) == 0
    assert task.mm.read(vec, 8) == bytes([0, 0, 0, 1, 0, 1, 0, 0])
    assert call(task, "mlock", place, 8 * P) == 0
    assert call(task, "mincore", place, 8 * P, vec) == 0
    assert task.mm.read(vec, 8) == bytes([1] * 8)


def test_msync_of_locked_memory(task):
    assert call(task, "mlock", AREA, P) == 0
    assert call(task, "msync", AREA, P, MS_INVALIDATE) == -EBUSY


def test_the_limit_of_locked_memory(task):
    task.group.limits[RLIMIT_MEMLOCK] = (2 * P, 2 * P)
    assert call(task, "mlock", AREA, 3 * P) == -ENOMEM
    assert call(task, "mlock", AREA, 2 * P) == 0
    assert call(task, "mlock", AREA, 2 * P) == 0
    assert call(task, "mlockall", MCL_FUTURE) == 0
    assert mmap(task, 0, P, RW, ANON) == -EAGAIN
    task.group.limits[RLIMIT_MEMLOCK] = (0, 0)
    assert call(task, "mlock", AREA, P) == -EPERM


def test_limits_of_data_and_address_space(task):
    used = task.mm.vsize()
    task.group.limits[RLIMIT_DATA] = (used, used)
    assert mmap(task, 0, P, RW, ANON) == -ENOMEM
    reserved = mmap(task, 0, P, 0, ANON)
    assert reserved > 0
    assert call(task, "mprotect", reserved, P, RW) == -ENOMEM
    task.group.limits[RLIMIT_AS] = (used + P, used + P)
    assert mmap(task, 0, P, 0, ANON) == -ENOMEM
    assert mmap(task, reserved, P, PROT_READ, ANON | MAP_FIXED) == reserved


def test_brk_moves_or_stays(task):
    start = FREE
    task.mm.brk_start = task.mm.brk = start
    assert call(task, "brk", 0) == start
    assert call(task, "brk", start + 3 * P) == start + 3 * P
    task.mm.write(start + 2 * P, b"x")
    assert call(task, "brk", start + 100) == start + 100
    assert call(task, "brk", start - 1) == start + 100
    task.mm.map(start + 4 * P, P, 0)
    assert call(task, "brk", start + 4 * P) == start + 100
    assert call(task, "brk", start + 3 * P) == start + 3 * P
    assert task.mm.read(start + 2 * P, 1) == b"\0"


def test_remap_file_pages_shows_another_page(task):
    fd = open_file(task, data=b"a" * P + b"b" * P)
    shared = mmap(task, 0, 2 * P, RW, MAP_SHARED, fd)
    assert call(task, "remap_file_pages", shared, P, 0, 1, 0) == 0
    assert task.mm.read(shared, 1) == b"b"
    assert call(task, "remap_file_pages", shared, P, PROT_READ, 1, 0) == -EINVAL


def test_sealed_memory_stays_as_it_is(task):
    assert call(task, "mseal", AREA + P, P, 0) == 0
    assert call(task, "munmap", AREA, 4 * P) == -EPERM
    assert call(task, "mprotect", AREA + P, P, PROT_READ) == -EPERM
    assert call(task, "mremap", AREA + P, P, 2 * P, MREMAP_MAYMOVE) == -EPERM
    assert mmap(task, AREA, 4 * P, RW, ANON | MAP_FIXED) == -EPERM
    assert call(task, "madvise", AREA + P, P, MADV_DONTNEED) == 0


def test_a_mapped_file_has_new_times():
    task = make_task()
    task.mm.write(SCRATCH, b"/tmp/file\0")
    fd = call(task, "openat", AT_FDCWD, SCRATCH, O_RDWR | O_CREAT, 0o600)
    assert call(task, "ftruncate", fd, P) == 0
    inode = task.file(fd).inode
    task.kernel.clock.now += 10**9
    address = call(task, "mmap", 0, P, RW, MAP_SHARED, fd, 0)
    assert inode.atime > inode.mtime
    task.kernel.clock.now += 10**9
    assert task.mm.fault(address, WRITE) is None
    assert inode.mtime == inode.ctime > inode.atime
