"""Moving data between files of every kind, holes, and the corners of openat2(2) and statx(2)."""

from __future__ import annotations

import struct

import pytest
from fakes import SCRATCH, call, make_task

from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.errno import EAGAIN, EBADF, EINVAL, ENXIO, EOPNOTSUPP, EXDEV
from syscalls.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    FALLOC_FL_COLLAPSE_RANGE,
    O_APPEND,
    O_CREAT,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    RESOLVE_BENEATH,
    RESOLVE_CACHED,
    RESOLVE_IN_ROOT,
    SEEK_DATA,
    SEEK_HOLE,
    SPLICE_F_NONBLOCK,
)

AF_UNIX, SOCK_STREAM = 1, 1


@pytest.fixture
def task():
    return make_task()


def new_file(task, name=b"/tmp/f", size=100):
    fd = call(task, "openat", AT_FDCWD, name, O_CREAT | O_RDWR, 0o600)
    call(task, "pwrite64", fd, SCRATCH, size, 0)
    return fd


def new_pipe(task):
    call(task, "pipe2", SCRATCH + 1024, O_NONBLOCK)
    return struct.unpack("<2i", task.mm.read(SCRATCH + 1024, 8))


def test_sendfile_reads_a_socket_into_a_pipe_only(task):
    call(task, "socketpair", AF_UNIX, SOCK_STREAM | O_NONBLOCK, 0, SCRATCH)
    one, other = struct.unpack("<2i", task.mm.read(SCRATCH, 8))
    call(task, "write", other, SCRATCH, 6)
    reading, writing = new_pipe(task)
    file = new_file(task)
    assert call(task, "sendfile", file, one, 0, 10) == -EINVAL
    assert call(task, "sendfile", writing, one, 0, 4) == 4
    assert call(task, "sendfile", writing, one, 0, 4) == 2
    assert call(task, "sendfile", writing, one, 0, 4) == -EAGAIN
    assert call(task, "read", reading, SCRATCH, 100) == 6


def test_sendfile_of_nothing_looks_at_little(task):
    file = new_file(task)
    directory = call(task, "openat", AT_FDCWD, b"/tmp", O_RDONLY, 0)
    appending = call(task, "openat", AT_FDCWD, b"/tmp/f", O_RDWR | O_APPEND, 0)
    assert call(task, "sendfile", file, directory, 0, 0) == 0
    assert call(task, "sendfile", file, directory, 0, 1) == -EINVAL
    assert call(task, "sendfile", appending, file, 0, 0) == -EINVAL
    assert call(task, "sendfile", 99, file, 0, 0) == -EBADF


def test_copy_file_range_stays_on_one_file_system(task):
    file = new_file(task)
    memory = call(task, "memfd_create", b"m", 0)
    assert call(task, "copy_file_range", file, 0, memory, 0, 10, 0) == -EXDEV
    assert call(task, "copy_file_range", file, 0, new_file(task, b"/tmp/g"), 0, 10, 0) == 10


def test_nothing_is_spliced_into_an_eventfd(task):
    reading, _ = new_pipe(task)
    event = call(task, "eventfd2", 0, 0)
    assert call(task, "splice", reading, 0, event, 0, 8, SPLICE_F_NONBLOCK) == -EINVAL


def test_vmsplice_takes_a_slot_for_each_page(task):
    _, writing = new_pipe(task)
    task.mm.write(SCRATCH, struct.pack("<QQ", SCRATCH + PAGE_SIZE + 100, 20 * PAGE_SIZE))
    assert call(task, "vmsplice", writing, SCRATCH, 1, 0) == 16 * PAGE_SIZE - 100
    assert call(task, "vmsplice", writing, SCRATCH, 1, SPLICE_F_NONBLOCK) == -EAGAIN


def test_what_is_only_allocated_is_a_hole(task):
    file = new_file(task, size=1)
    assert call(task, "fallocate", file, 0, PAGE_SIZE, 3 * PAGE_SIZE) == 0
    assert call(task, "lseek", file, PAGE_SIZE, SEEK_DATA) == -ENXIO
    assert call(task, "lseek", file, 0, SEEK_HOLE) == PAGE_SIZE
    call(task, "pwrite64", file, SCRATCH, 1, 2 * PAGE_SIZE + 7)
    assert call(task, "lseek", file, PAGE_SIZE, SEEK_DATA) == 2 * PAGE_SIZE
    assert call(task, "lseek", file, 2 * PAGE_SIZE, SEEK_HOLE) == 3 * PAGE_SIZE
    assert call(task, "fallocate", file, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE_SIZE) == -EOPNOTSUPP  # as tmpfs says


def openat2(task, name, resolve, flags=0):
    task.mm.write(SCRATCH, struct.pack("<3Q", flags, 0, resolve))
    return call(task, "openat2", AT_FDCWD, name, SCRATCH, 24)


def test_openat2_from_the_cache(task):
    new_file(task)
    call(task, "symlinkat", b"f", AT_FDCWD, b"/tmp/l")
    assert openat2(task, b"/tmp/l", RESOLVE_CACHED) == 1
    assert openat2(task, b"/tmp/nothing", RESOLVE_CACHED) == -EAGAIN


def test_openat2_checks_its_flags_before_the_name(task):
    assert openat2(task, b"", RESOLVE_BENEATH | RESOLVE_IN_ROOT) == -EINVAL
    assert openat2(task, b"", 0x40) == -EINVAL


def test_statx_of_a_pipe_is_of_no_mount(task):
    reading, _ = new_pipe(task)
    assert call(task, "statx", reading, b"", AT_EMPTY_PATH, 0x7FF, SCRATCH) == 0
    attributes = struct.unpack("<Q", task.mm.read(SCRATCH + 8, 8))[0]
    mask = struct.unpack("<Q", task.mm.read(SCRATCH + 56, 8))[0]
    assert (attributes, mask) == (0, 0x203000)
