"""Standard streams: what fstat, lseek, poll and ioctl say of each kind."""

from __future__ import annotations

import contextlib
import os
import pty

import pytest
from fakes import SCRATCH, make_task

from emu.config import Config
from emu.host import BytesStream, CaptureStream, FdStream
from emu.stdio import open_streams
from emu.world import World
from syscalls.abi import ioctl as abi
from syscalls.abi.errno import EACCES, ENOTTY, ENXIO, EPERM, EPIPE, EROFS, ESPIPE, SysError
from syscalls.abi.fcntl import O_APPEND, O_RDONLY, O_RDWR, O_WRONLY
from syscalls.abi.poll import POLLERR, POLLHUP, POLLIN, POLLOUT
from syscalls.abi.stat import S_IFCHR, S_IFIFO, S_IFREG, S_ISUID
from syscalls.fs import attr
from syscalls.fs import open as fs_open
from syscalls.fs.fdtable import path_of
from syscalls.fs.file import WOULD_BLOCK
from syscalls.kernel.kstat import Kstat


@pytest.fixture
def task():
    task = make_task()
    task.kernel.current = task
    world = World(task.kernel, Config("x"))
    task.world = world
    task.fs = world.fs
    return task


def install(task, *streams):
    files, _ = open_streams(task.world, streams, 0, 0)
    for file in files:
        task.files.install(file, 1024)
    return files if len(files) > 1 else files[0]


def refused(errno: int, function, *args, **options) -> None:
    with pytest.raises(SysError) as caught:
        function(*args, **options)
    assert caught.value.errno == errno


@pytest.fixture
def ends():
    reader, writer = os.pipe()
    yield [reader, writer]
    for fd in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(fd)


# --- pipes ------------------------------------------------------------------------------------------------------------


def test_pipes(task, ends) -> None:
    stdin, stdout = install(task, FdStream(ends[0]), FdStream(ends[1]))
    assert (stdin.flags, stdout.flags) == (O_RDONLY, O_WRONLY)
    assert Kstat(stdin.inode).st_mode & 0o170000 == S_IFIFO
    assert Kstat(stdin.inode).st_ino != os.fstat(ends[0]).st_ino
    assert stdin.read(10) is WOULD_BLOCK
    assert (stdin.poll() & 0x3F, stdout.poll() & 0x3F) == (0, POLLOUT)
    assert stdout.write(b"hello") == 5
    assert stdin.poll() & POLLIN
    assert stdin.ioctl(abi.FIONREAD, SCRATCH, task.mm) == 0
    assert task.mm.read(SCRATCH, 4) == (5).to_bytes(4, "little")
    assert stdin.read(3) == b"hel"
    for operation in (lambda: stdin.seek(0, 0), lambda: stdin.pread(1, 0)):
        refused(ESPIPE, operation)
    refused(ENOTTY, stdin.ioctl, abi.TCGETS, SCRATCH, task.mm)


def test_a_full_pipe_takes_what_fits(task, ends) -> None:
    stdout = install(task, FdStream(ends[1]))
    total = 0
    while (taken := stdout.write(bytes(100_000))) is not WOULD_BLOCK:
        total += taken
    assert total == 65536
    assert not stdout.poll() & POLLOUT


def test_the_other_end_goes_away(task, ends) -> None:
    stdin, stdout = install(task, FdStream(ends[0]), FdStream(os.dup(ends[1])))
    os.close(ends[1])
    os.close(stdout.stream.fd)
    assert stdin.poll() & POLLHUP
    assert stdin.read(10) == b""


def test_writing_without_a_reader(task, ends) -> None:
    stdout = install(task, FdStream(ends[1]))
    os.close(ends[0])
    assert stdout.poll() & POLLERR
    refused(EPIPE, stdout.write, b"x")


def test_opening_again_for_what_was_given_only(task, ends) -> None:
    install(task, FdStream(ends[0]))
    os.write(ends[1], b"x")
    assert fs_open.open(task, None, b"/dev/stdin", O_RDONLY).read(5) == b"x"
    refused(EACCES, fs_open.open, task, None, b"/proc/self/fd/0", O_WRONLY)


def test_streams_in_memory(task) -> None:
    stdin, stdout = install(task, BytesStream(b"input"), CaptureStream())
    assert stdin.ioctl(abi.FIONREAD, SCRATCH, task.mm) == 0
    assert task.mm.read(SCRATCH, 4) == (5).to_bytes(4, "little")
    assert (stdin.read(99), stdin.read(99)) == (b"input", b"")
    assert stdin.poll() & POLLHUP
    assert stdout.write(bytes(1 << 20)) == 1 << 20


# --- regular files ----------------------------------------------------------------------------------------------------


@pytest.fixture
def regular(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    opened: list[int] = []

    def give(flags: int) -> FdStream:
        opened.append(os.open(path, flags))
        return FdStream(opened[-1])

    give.path = path
    yield give
    for fd in opened:
        os.close(fd)


def test_a_regular_file_is_one_for_the_guest_too(task, regular) -> None:
    stream = regular(os.O_RDONLY)
    stdin = install(task, stream)
    found, real = Kstat(stdin.inode), os.fstat(stream.fd)
    assert found.st_mode == real.st_mode
    assert found.st_mode & 0o170000 == S_IFREG
    assert (found.st_size, found.st_blocks, found.st_nlink) == (10, real.st_blocks, 1)
    assert (found.st_ino, found.st_dev) != (real.st_ino, real.st_dev)
    assert stdin.read(4) == b"0123"
    assert os.lseek(stream.fd, 0, os.SEEK_CUR) == 4  # who shares the description goes on from here
    os.lseek(stream.fd, 8, os.SEEK_SET)
    assert stdin.read(4) == b"89"
    assert stdin.pread(2, 1) == b"12"
    assert stdin.seek(-3, os.SEEK_END) == 7
    frame = stdin.frame(0)
    assert bytes(task.kernel.ram.view[frame << 12 : (frame << 12) + 10]) == b"0123456789"
    assert str(regular.path).encode() not in task.fs.name(path_of(stdin))


def test_output_to_a_file(task, regular) -> None:
    stream = regular(os.O_WRONLY | os.O_APPEND)
    stdout = install(task, stream)
    assert stdout.flags & (O_APPEND | 3) == O_WRONLY | O_APPEND
    stdout.write(b"end")
    os.write(stream.fd, b"!")
    stdout.write(b"?")
    assert regular.path.read_bytes() == b"0123456789end!?"
    stdout.truncate(2)
    assert regular.path.read_bytes() == b"01"


def test_two_streams_of_one_description(task, regular) -> None:
    stream = regular(os.O_WRONLY)
    one, other = install(task, stream, FdStream(stream.fd))
    one.write(b"out ")
    other.write(b"err ")
    one.write(b"out")
    assert regular.path.read_bytes() == b"out err out"


def test_no_more_than_the_stream_was_opened_for(task, regular) -> None:
    reading, writing = install(task, regular(os.O_RDONLY), regular(os.O_WRONLY))
    refused(EROFS, fs_open.open, task, None, b"/proc/self/fd/0", O_RDWR)
    refused(EACCES, fs_open.open, task, None, b"/proc/self/fd/1", O_RDONLY)
    refused(EROFS, attr.truncate, task, path_of(reading), 0)
    refused(EPERM, attr.chmod, task, path_of(writing), S_ISUID | 0o777)
    refused(EPERM, attr.chown, task, path_of(writing), 1, 1)
    refused(EPERM, attr.utimens, task, path_of(writing), 1, 1)
    assert fs_open.open(task, None, b"/proc/self/fd/0", O_RDONLY).read(3) == b"012"
    assert regular.path.read_bytes() == b"0123456789"


# --- devices ----------------------------------------------------------------------------------------------------------


def test_the_hosts_null_is_the_guests(task) -> None:
    fd = os.open("/dev/null", os.O_RDWR)
    stdin = install(task, FdStream(fd))
    os.close(fd)
    assert (stdin.read(10), stdin.write(b"x"), stdin.seek(5, 0)) == (b"", 1, 0)
    assert task.fs.name(path_of(stdin)) == b"/dev/null"
    assert Kstat(stdin.inode).st_rdev == 0x103


@pytest.fixture
def terminal():
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def test_a_terminal_outside_is_a_pseudo_terminal_inside(task, terminal) -> None:
    master, slave = terminal
    stdin, console = open_streams(task.world, [FdStream(slave)], 0, 0)
    task.group.tty = console.slave
    task.files.install(stdin[0], 1024)
    found = Kstat(stdin[0].inode)
    assert (found.st_mode, found.st_rdev, found.st_gid) == (S_IFCHR | 0o620, 136 << 8, 5)
    assert task.fs.name(path_of(stdin[0])) == b"/dev/pts/0"
    assert stdin[0].read(10) is WOULD_BLOCK
    fs_open.open(task, None, b"/dev/tty", O_RDWR).write(b"out\n")
    shown = b""
    while b"out" not in shown:
        shown += os.read(master, 100)
    refused(ESPIPE, stdin[0].seek, 0, 1)


def test_without_a_terminal_there_is_no_tty(task, ends) -> None:
    install(task, FdStream(ends[0]))
    refused(ENXIO, fs_open.open, task, None, b"/dev/tty", O_RDWR)
