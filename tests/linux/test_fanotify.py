"""fanotify_init(2), fanotify_mark(2), and reading what they ask for."""

from __future__ import annotations

import struct

import pytest
from fakes import SCRATCH, call, make_task

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.errno import EAGAIN, EINVAL, EMFILE, ENOENT, ENOSPC, EPERM
from syscalls.abi.fanotify import (
    FAN_ATTRIB,
    FAN_CLOSE_NOWRITE,
    FAN_CREATE,
    FAN_EVENT_INFO_TYPE_DFID_NAME,
    FAN_MARK_ADD,
    FAN_MARK_MOUNT,
    FAN_MARK_REMOVE,
    FAN_NOFD,
    FAN_NONBLOCK,
    FAN_OPEN,
    FAN_Q_OVERFLOW,
    FAN_REPORT_DIR_FID,
    FAN_REPORT_FID,
    FAN_REPORT_NAME,
)
from syscalls.abi.fcntl import AT_FDCWD, O_CREAT, O_RDONLY, O_RDWR
from syscalls.fs.cred import Credentials

HEAD = struct.Struct("<IBxHQii")
ARCHES = pytest.mark.parametrize("arch", [X86_64, I386, ARM64], ids=lambda arch: arch.name)


@pytest.fixture
def task():
    """It has /tmp/f open as 0."""
    task = make_task()
    assert call(task, "openat", AT_FDCWD, b"/tmp/f", O_CREAT | O_RDWR, 0o600) == 0
    return task


def mark(task, group, flags, mask, name):
    """fanotify_mark(2), whose mask takes two registers on i386."""
    masks = (mask & 0xFFFFFFFF, mask >> 32) if task.arch is I386 else (mask,)
    return call(task, "fanotify_mark", group, flags, *masks, AT_FDCWD, name)


def events(task, group):
    """(mask, fd, pid, what follows the head) of all events that are there."""
    size = call(task, "read", group, SCRATCH, 4096)
    if size == -EAGAIN:
        return []
    data, result = task.mm.read(SCRATCH, size), []
    while data:
        length, version, head, mask, fd, pid = HEAD.unpack_from(data)
        assert (version, head) == (3, 24)
        result.append((mask, fd, pid, data[24:length]))
        data = data[length:]
    return result


@ARCHES
def test_an_event_comes_with_a_descriptor_that_nobody_hears_of(arch):
    task = make_task(arch)
    call(task, "openat", AT_FDCWD, b"/tmp/f", O_CREAT | O_RDWR, 0o600)
    group = call(task, "fanotify_init", FAN_NONBLOCK, O_RDONLY)
    assert mark(task, group, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE_NOWRITE, b"/tmp/f") == 0
    fd = call(task, "openat", AT_FDCWD, b"/tmp/f", O_RDONLY, 0)
    assert events(task, group) == [(FAN_OPEN, fd + 1, task.tid, b"")]
    call(task, "close", fd + 1)
    assert events(task, group) == []
    call(task, "close", fd)
    assert [mask for mask, *_ in events(task, group)] == [FAN_CLOSE_NOWRITE]


def test_a_handle_and_a_name(task):
    group = call(task, "fanotify_init", FAN_NONBLOCK | FAN_REPORT_DIR_FID | FAN_REPORT_NAME, 0)
    assert mark(task, group, FAN_MARK_ADD, FAN_CREATE, b"/tmp") == 0
    call(task, "mknod", b"/tmp/new", 0, 0)
    ((mask, fd, pid, info),) = events(task, group)
    assert (mask, fd, pid) == (FAN_CREATE, FAN_NOFD, task.tid)
    inode = task.fs.cwd.inode.lookup(b"tmp")
    kind, handle = inode.fs.handle(inode)
    expected = struct.pack("<BxHiiIi", FAN_EVENT_INFO_TYPE_DFID_NAME, 36, inode.fs.dev, 0, len(handle), kind)
    assert info == expected + handle + b"new\0"


def test_events_of_the_same_object_are_merged(task):
    group = call(task, "fanotify_init", FAN_NONBLOCK | FAN_REPORT_FID, 0)
    mark(task, group, FAN_MARK_ADD, FAN_OPEN | FAN_ATTRIB, b"/tmp/f")
    call(task, "openat", AT_FDCWD, b"/tmp/f", O_RDONLY, 0)
    call(task, "fchmod", 0, 0o644)
    assert [mask for mask, *_ in events(task, group)] == [FAN_OPEN | FAN_ATTRIB]


def test_limits_are_by_user(task):
    limits = task.kernel.fanotify
    limits.max_user_groups, limits.max_user_marks, limits.max_queued_events = 1, 1, 1
    group = call(task, "fanotify_init", FAN_NONBLOCK | FAN_REPORT_FID, 0)
    assert call(task, "fanotify_init", 0, 0) == -EMFILE
    assert mark(task, group, FAN_MARK_ADD, FAN_ATTRIB, b"/tmp/f") == 0
    assert mark(task, group, FAN_MARK_ADD, FAN_ATTRIB, b"/tmp") == -ENOSPC
    call(task, "fchmod", 0, 0o644)
    call(task, "unlink", b"/tmp/f")
    assert [mask for mask, *_ in events(task, group)] == [FAN_ATTRIB, FAN_Q_OVERFLOW]
    call(task, "close", group)
    assert call(task, "fanotify_init", 0, 0) == group
    assert not task.files.get(0).inode.fs.watched


def test_errors(task):
    group = call(task, "fanotify_init", FAN_NONBLOCK, 0)
    assert mark(task, group, FAN_MARK_ADD, FAN_CREATE, b"/tmp") == -EINVAL
    assert mark(task, group, FAN_MARK_REMOVE, FAN_OPEN, b"/tmp") == -ENOENT
    assert call(task, "read", group, SCRATCH, 10) == -EAGAIN
    task.cred = Credentials.of(1000, 1000)
    assert call(task, "fanotify_init", 0, 0) == -EPERM
    mine = call(task, "fanotify_init", FAN_REPORT_FID, 0)
    assert mark(task, mine, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, b"/tmp") == -EPERM
