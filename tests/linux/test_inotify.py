"""inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2)."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, begin, call, finish, make_task, new_thread

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.errno import EACCES, EAGAIN, EBADF, EFAULT, EINVAL, EMFILE, ENOENT, ENOTDIR
from syscalls.abi.fcntl import AT_FDCWD, F_SETFL, F_SETOWN, F_SETSIG, O_ASYNC, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY
from syscalls.abi.ioctl import FIONREAD
from syscalls.abi.poll import (
    IN_ACCESS,
    IN_ALL_EVENTS,
    IN_ATTRIB,
    IN_CLOEXEC,
    IN_CREATE,
    IN_IGNORED,
    IN_MODIFY,
    IN_NONBLOCK,
    IN_ONLYDIR,
    IN_OPEN,
)
from syscalls.abi.signal import POLL_IN
from syscalls.fs.cred import Credentials

ARCHES = pytest.mark.parametrize("arch", [X86_64, I386, ARM64], ids=lambda arch: arch.name)


@pytest.fixture
def task():
    task = make_task()
    assert call(task, "openat", AT_FDCWD, b"/tmp/f", O_CREAT | O_RDWR, 0o600) == 0
    return task


def events(task, fd):
    """(wd, mask, name) of all events that are there."""
    size = call(task, "read", fd, SCRATCH, 4096)
    if size == -EAGAIN:
        return []
    data, result = task.mm.read(SCRATCH, size), []
    while data:
        wd, mask, _, length = struct.unpack_from("<iIII", data)
        result.append((wd, mask, data[16 : 16 + length].rstrip(b"\0")))
        data = data[16 + length :]
    return result


@ARCHES
def test_the_events_of_an_open_file(arch):
    task = make_task(arch)
    fd = call(task, "inotify_init1", IN_NONBLOCK | IN_CLOEXEC)
    assert call(task, "inotify_add_watch", fd, b"/tmp", IN_ALL_EVENTS) == 1
    file = call(task, "openat", AT_FDCWD, b"/tmp/f", O_CREAT | O_WRONLY, 0o600)
    assert call(task, "write", file, SCRATCH, 3) == 3
    assert call(task, "fchmod", file, 0o644) == 0
    assert events(task, fd) == [
        (1, IN_CREATE, b"f"), (1, IN_OPEN, b"f"), (1, IN_MODIFY, b"f"), (1, IN_ATTRIB, b"f"),
    ]  # fmt: skip
    assert call(task, "inotify_rm_watch", fd, 1) == 0
    assert events(task, fd) == [(1, IN_IGNORED, b"")]


def test_errors_in_the_order_of_the_kernel(task):
    assert call(task, "inotify_init1", 1) == -EINVAL
    fd = call(task, "inotify_init")
    for bad in (0, 0x1000, 0x0080_0000):
        assert call(task, "inotify_add_watch", 99, b"/tmp", bad) == -EINVAL
    assert call(task, "inotify_add_watch", 99, b"/nothing", IN_OPEN) == -EBADF
    assert call(task, "inotify_add_watch", 0, b"/nothing", IN_OPEN) == -EINVAL
    assert call(task, "inotify_add_watch", fd, NOWHERE, IN_OPEN) == -EFAULT
    assert call(task, "inotify_add_watch", fd, b"/nothing", IN_OPEN) == -ENOENT
    assert call(task, "inotify_add_watch", fd, b"/tmp/f", IN_OPEN | IN_ONLYDIR) == -ENOTDIR
    assert call(task, "inotify_rm_watch", fd, 1) == -EINVAL
    assert call(task, "inotify_rm_watch", 0, 1) == -EINVAL
    assert call(task, "inotify_rm_watch", 99, 1) == -EBADF


def test_only_what_one_may_read_can_be_watched(task):
    fd = call(task, "inotify_init")
    task.cred = Credentials.of(1000, 1000)
    assert call(task, "inotify_add_watch", fd, b"/tmp/f", IN_OPEN) == -EACCES


def test_a_blocking_read_waits_for_an_event(task):
    fd = call(task, "inotify_init")
    call(task, "inotify_add_watch", fd, b"/tmp/f", IN_ACCESS | IN_ATTRIB)
    assert begin(task, "read", fd, SCRATCH, 100) is None
    call(new_thread(task), "chmod", b"/tmp/f", 0o644)
    assert finish(task) == 16
    assert struct.unpack("<iIII", task.mm.read(SCRATCH, 16)) == (1, IN_ATTRIB, 0, 0)


def test_an_event_that_could_not_be_stored_is_lost(task):
    fd = call(task, "inotify_init1", IN_NONBLOCK)
    call(task, "inotify_add_watch", fd, b"/tmp/f", IN_ATTRIB | IN_OPEN)
    call(task, "chmod", b"/tmp/f", 0o644)
    call(task, "openat", AT_FDCWD, b"/tmp/f", O_RDONLY, 0)
    assert call(task, "ioctl", fd, FIONREAD, SCRATCH) == 0
    assert task.mm.read(SCRATCH, 4) == b"\x20\0\0\0"
    assert call(task, "read", fd, NOWHERE, 100) == -EFAULT
    assert events(task, fd) == [(1, IN_OPEN, b"")]


def test_the_limits_are_switches_of_proc(task):
    task.kernel.inotify.max_user_instances = 0
    assert call(task, "inotify_init") == -EMFILE


def test_o_async_signals_the_owner(task):
    fd = call(task, "inotify_init1", IN_NONBLOCK)
    call(task, "inotify_add_watch", fd, b"/tmp/f", IN_ATTRIB)
    call(task, "fcntl", fd, F_SETOWN, task.tid)
    call(task, "fcntl", fd, F_SETSIG, 40)
    call(task, "fcntl", fd, F_SETFL, O_ASYNC)
    task.signals.mask = ~0
    call(task, "chmod", b"/tmp/f", 0o644)
    (info,) = task.group.signals.pending[40]
    assert (info.signo, info.code, info.fd, info.band) == (40, POLL_IN, fd, 0x41)
    call(task, "fcntl", fd, F_SETFL, 0)
    call(task, "chmod", b"/tmp/f", 0o600)
    assert len(task.group.signals.pending[40]) == 1


def test_a_mapping_keeps_the_file_open(task):
    fd = call(task, "inotify_init1", IN_NONBLOCK)
    call(task, "write", 0, SCRATCH, 100)
    call(task, "inotify_add_watch", fd, b"/tmp/f", 0x18)
    address = call(task, "mmap", 0, 4096, 1, 1, 0, 0)
    call(task, "close", 0)
    assert events(task, fd) == []
    call(task, "munmap", address, 4096)
    assert events(task, fd) == [(1, 8, b"")]
