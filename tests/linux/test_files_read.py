"""read, write and their relatives."""

from __future__ import annotations

import pytest
from fakes import NOWHERE, SCRATCH, SCRATCH_SIZE, Asleep, begin, call, finish, make_task, new_thread

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.errno import EAGAIN, EBADF, EFAULT, EFBIG, EINVAL, EISDIR, ENXIO, EOPNOTSUPP, EOVERFLOW, EPIPE, ESPIPE
from syscalls.abi.fcntl import (
    AT_FDCWD,
    O_APPEND,
    O_CREAT,
    O_DIRECT,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    SEEK_CUR,
    SEEK_END,
    SEEK_SET,
)
from syscalls.abi.resource import RLIMIT_FSIZE
from syscalls.abi.signal import SIGPIPE, SIGXFSZ
from syscalls.abi.uio import RWF_APPEND, RWF_NOAPPEND

END = SCRATCH + SCRATCH_SIZE


@pytest.fixture(params=[X86_64, I386, ARM64], ids=str)
def task(request):
    return make_task(request.param)


def create(task, name=b"/tmp/f", data=b"", flags=O_RDWR):
    fd = call(task, "openat", AT_FDCWD, name, flags | O_CREAT, 0o644)
    assert fd >= 0
    if data:
        assert write(task, fd, data) == len(data)
        assert call(task, "lseek", fd, 0, SEEK_SET) == 0
    return fd


def write(task, fd, data):
    task.mm.write(SCRATCH, data)
    return call(task, "write", fd, SCRATCH, len(data))


def read(task, fd, count=4096):
    result = call(task, "read", fd, SCRATCH, count)
    return task.mm.read(SCRATCH, result) if result >= 0 else result


def split(task, value):
    """A 64-bit argument in registers."""
    return [value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF] if task.arch is I386 else [value]


def iovec(task, *pieces, at=SCRATCH + 0x1000):
    data = b"".join(n.to_bytes(task.arch.word, "little") for piece in pieces for n in piece)
    task.mm.write(at, data)
    return at


def pipe(task, flags=0):
    assert call(task, "pipe2", SCRATCH, flags) == 0
    data = task.mm.read(SCRATCH, 8)
    return int.from_bytes(data[:4], "little"), int.from_bytes(data[4:], "little")


def test_round_trip_and_position(task):
    fd = create(task, data=b"hello world")
    assert read(task, fd, 5) == b"hello"
    assert read(task, fd) == b" world"
    assert read(task, fd) == b""
    assert call(task, "lseek", fd, -5, SEEK_END) == 6
    assert read(task, fd) == b"world"
    assert call(task, "lseek", fd, 0, SEEK_CUR) == 11


def test_access_mode_and_bad_descriptors(task):
    fd = create(task, data=b"abc")
    write_only = call(task, "openat", AT_FDCWD, b"/tmp/f", O_WRONLY)
    read_only = call(task, "openat", AT_FDCWD, b"/tmp/f", O_RDONLY)
    assert read(task, write_only) == -EBADF
    assert write(task, read_only, b"x") == -EBADF
    assert call(task, "read", 99, SCRATCH, 1) == -EBADF
    assert call(task, "read", -1, SCRATCH, 1) == -EBADF
    assert call(task, "read", fd, NOWHERE, 3) == -EFAULT
    assert read(task, fd) == b"abc", "the failed read has left the position"
    assert call(task, "write", fd, NOWHERE, 3) == -EFAULT
    assert call(task, "read", fd, NOWHERE, 3) == 0, "at the end nothing is stored"
    assert call(task, "read", fd, NOWHERE, 0) == 0


def test_a_buffer_beyond_user_space_is_refused_even_at_the_end():
    task = make_task()
    fd = create(task)
    assert call(task, "read", fd, -1, 10) == -EFAULT
    assert call(task, "read", fd, SCRATCH, -1) == -EFAULT


def test_directory(task):
    fd = call(task, "openat", AT_FDCWD, b"/tmp", O_RDONLY)
    assert read(task, fd) == -EISDIR
    assert call(task, "pread64", fd, SCRATCH, 1, *split(task, 0)) == -EISDIR
    assert write(task, fd, b"x") == -EBADF


def test_partial_transfers_at_the_end_of_memory(task):
    fd = create(task, data=b"0123456789")
    assert call(task, "read", fd, END - 4, 10) == 4
    assert task.mm.read(END - 4, 4) == b"0123"
    assert read(task, fd) == b"456789"
    task.mm.write(END - 3, b"abc")
    assert call(task, "write", fd, END - 3, 10) == 3


def test_pread_pwrite(task):
    fd = create(task, data=b"0123456789")
    assert call(task, "pread64", fd, SCRATCH, 3, *split(task, 4)) == 3
    assert task.mm.read(SCRATCH, 3) == b"456"
    assert call(task, "pwrite64", fd, SCRATCH, 3, *split(task, 8)) == 3
    assert read(task, fd, 20) == b"01234567456"
    assert call(task, "pread64", fd, SCRATCH, 1, *split(task, -1)) == -EINVAL
    assert call(task, "pread64", 99, SCRATCH, 1, *split(task, -1)) == -EINVAL
    assert call(task, "pread64", 99, SCRATCH, 1, *split(task, 0)) == -EBADF
    reader, writer = pipe(task)
    assert call(task, "pread64", reader, SCRATCH, 1, *split(task, 0)) == -ESPIPE
    assert call(task, "pwrite64", reader, SCRATCH, 1, *split(task, 0)) == -ESPIPE
    assert call(task, "pwrite64", writer, SCRATCH, 1, *split(task, 0)) == -ESPIPE


def test_vectors(task):
    fd = create(task)
    task.mm.write(SCRATCH, b"abcdef")
    iov = iovec(task, (SCRATCH, 2), (NOWHERE, 0), (SCRATCH + 4, 2))
    assert call(task, "writev", fd, iov, 3) == 4
    assert call(task, "preadv", fd, iov, 3, 1, 0) == 3
    assert task.mm.read(SCRATCH, 6) == b"becdff"
    assert call(task, "writev", fd, iov, 1025) == -EINVAL
    assert call(task, "writev", fd, iov, -1) == -EINVAL
    assert call(task, "writev", fd, NOWHERE, 1) == -EFAULT
    assert call(task, "writev", fd, NOWHERE, 0) == 0
    bad = iovec(task, (SCRATCH, 1), (SCRATCH, 1 << task.arch.bits - 1), at=SCRATCH + 0x2000)
    assert call(task, "writev", fd, bad, 2) == -EINVAL
    assert call(task, "readv", fd, bad, 2) == -EINVAL
    broken = iovec(task, (SCRATCH, 2), (NOWHERE, 2), at=SCRATCH + 0x3000)
    assert call(task, "pwritev", fd, broken, 2, 0, 0) == 2
    assert call(task, "preadv", fd, broken, 2, 0, 0) == 2


def test_preadv2_pwritev2(task):
    fd = create(task, data=b"0123")
    iov = iovec(task, (SCRATCH, 2))
    task.mm.write(SCRATCH, b"xy")
    assert call(task, "pwritev2", fd, iov, 1, 0, 0, RWF_APPEND) == 2
    assert call(task, "pwritev2", fd, iov, 1, 0, 0, RWF_APPEND | RWF_NOAPPEND) == -EINVAL
    assert call(task, "pwritev2", fd, iov, 1, 0, 0, 0x8000) == -EOPNOTSUPP
    assert call(task, "preadv2", fd, iov, 1, -1, -1, 0) == 2
    assert task.mm.read(SCRATCH, 2) == b"01"
    assert read(task, fd) == b"23xy"


def test_append(task):
    fd = create(task, data=b"abc", flags=O_RDWR | O_APPEND)
    assert write(task, fd, b"def") == 3
    assert call(task, "pwrite64", fd, SCRATCH, 1, *split(task, 0)) == 1
    assert call(task, "lseek", fd, 0, SEEK_SET) == 0
    assert read(task, fd) == b"abcdefd"


def test_file_size_limit(task):
    fd = create(task, data=b"abc")
    task.group.limits[RLIMIT_FSIZE] = (8, 8)
    call(task, "lseek", fd, 6, SEEK_SET)
    assert write(task, fd, b"12345") == 2
    assert write(task, fd, b"3") == -EFBIG
    assert SIGXFSZ in task.signals.pending
    assert write(task, fd, b"") == 0


def test_large_file_needs_the_flag_on_i386():
    task = make_task(I386)
    fd = create(task)
    assert call(task, "pwrite64", fd, SCRATCH, 4, 0x7FFFFFFE, 0) == 1
    assert call(task, "pwrite64", fd, SCRATCH, 4, 0x7FFFFFFF, 0) == -EFBIG
    wide = call(task, "open", b"/tmp/f", O_RDWR | 0o100000)
    assert call(task, "pwrite64", wide, SCRATCH, 4, 0x7FFFFFFF, 0) == 4
    assert call(task, "open", b"/tmp/f", O_RDWR) == -EOVERFLOW
    assert call(task, "lseek", wide, 0, SEEK_END) == 0x80000003  # as a 64-bit kernel answers
    assert call(task, "_llseek", wide, 1, 5, SCRATCH, SEEK_SET) == 0
    assert task.mm.read(SCRATCH, 8) == (1 << 32 | 5).to_bytes(8, "little")


def test_seek_errors(task):
    fd = create(task, data=b"abc")
    assert call(task, "lseek", fd, -1, SEEK_SET) == -EINVAL
    assert call(task, "lseek", fd, 0, 9) == -EINVAL
    assert call(task, "lseek", 99, 0, 9) == -EBADF
    assert call(task, "lseek", pipe(task)[0], 0, 0) == -ESPIPE


# --- pipes ------------------------------------------------------------------------------------------------------------


def test_pipe_end_and_sigpipe(task):
    reader, writer = pipe(task)
    assert write(task, writer, b"abc") == 3
    call(task, "close", writer)
    assert read(task, reader, 2) == b"ab"
    assert read(task, reader, 2) == b"c"
    assert read(task, reader, 2) == b""
    reader, writer = pipe(task)
    call(task, "close", reader)
    assert write(task, writer, b"") == 0
    assert write(task, writer, b"abc") == -EPIPE
    assert SIGPIPE in task.signals.pending


def test_pipe_sleeps(task):
    other = new_thread(task)
    reader, writer = pipe(task)
    assert begin(task, "read", reader, SCRATCH, 10) is None
    with pytest.raises(Asleep):
        finish(task)
    assert write(other, writer, b"hello") == 5
    assert finish(task) == 5


def test_blocking_write_goes_on_until_all_is_written(task):
    other = new_thread(task)
    reader, writer = pipe(task)
    assert begin(task, "write", writer, SCRATCH, 100_000) is None
    total = 0
    while total < 100_000:
        total += call(other, "read", reader, SCRATCH, 30_000)
    assert finish(task) == 100_000


def test_nonblocking_pipe(task):
    reader, writer = pipe(task, O_NONBLOCK)
    assert read(task, reader) == -EAGAIN
    assert call(task, "write", writer, SCRATCH, 100_000) == 65536
    assert call(task, "write", writer, SCRATCH, 1) == -EAGAIN
    assert call(task, "read", reader, SCRATCH, 4096) == 4096
    assert call(task, "write", writer, SCRATCH, 4097) == 4096


def test_packets(task):
    flag = 0o200000 if task.arch is ARM64 else O_DIRECT
    reader, writer = pipe(task, flag)
    write(task, writer, b"one")
    write(task, writer, b"two")
    assert read(task, reader, 2) == b"on"
    assert read(task, reader) == b"two"


def test_pipe_read_that_faults_keeps_the_data(task):
    reader, writer = pipe(task)
    write(task, writer, b"abcdef")
    assert call(task, "read", reader, NOWHERE, 6) == -EFAULT
    assert call(task, "read", reader, END - 2, 6) == -EFAULT  # what was written at once is read whole or not at all
    assert read(task, reader) == b"abcdef"


def test_pipe2_errors_leave_nothing_behind(task):
    assert call(task, "pipe2", SCRATCH, O_APPEND) == -EINVAL
    assert call(task, "pipe2", NOWHERE, 0) == -EFAULT
    assert len(task.files) == 0


def test_fifo_open_waits_for_the_other_end(task):
    other = new_thread(task)
    assert call(task, "mknodat", AT_FDCWD, b"/tmp/fifo", 0o10644, 0) == 0
    assert call(task, "openat", AT_FDCWD, b"/tmp/fifo", O_WRONLY | O_NONBLOCK) == -ENXIO
    assert begin(task, "openat", AT_FDCWD, b"/tmp/fifo", O_RDONLY) is None
    writer = call(other, "openat", AT_FDCWD, b"/tmp/fifo", O_WRONLY)
    assert writer >= 0
    reader = finish(task)
    assert write(task, writer, b"through") == 7
    assert read(task, reader) == b"through"
