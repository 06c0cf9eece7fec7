"""F_SETLEASE, F_GETLEASE and F_NOTIFY of fcntl(2)."""

from __future__ import annotations

import pytest
from fakes import begin, call, finish, make_task, new_thread

from syscalls.abi.errno import EACCES, EAGAIN, EINVAL
from syscalls.abi.fcntl import (
    AT_FDCWD,
    DN_CREATE,
    F_GETLEASE,
    F_NOTIFY,
    F_RDLCK,
    F_SETLEASE,
    F_UNLCK,
    F_WRLCK,
    O_CREAT,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
)
from syscalls.abi.signal import SIGIO
from syscalls.fs.cred import Credentials

SECOND = 1_000_000_000


@pytest.fixture
def task():
    """It has /tmp/f open for reading as 0, and blocks all signals."""
    task = make_task()
    call(task, "close", call(task, "openat", AT_FDCWD, b"/tmp/f", O_CREAT | O_RDWR, 0o666))
    assert call(task, "openat", AT_FDCWD, b"/tmp/f", O_RDONLY, 0) == 0
    task.signals.mask = ~0
    return task


def blocking_thread(task):
    thread = new_thread(task)
    thread.signals.mask = ~0
    return thread


def io_signals(task):
    return len(task.group.signals.pending.pop(SIGIO, []))


def test_who_opens_the_file_waits_until_the_lease_is_given_up(task):
    assert call(task, "fcntl", 0, F_SETLEASE, F_WRLCK) == 0
    other = blocking_thread(task)
    assert begin(other, "openat", AT_FDCWD, b"/tmp/f", O_RDWR, 0) is None
    assert io_signals(task) == 1
    assert call(task, "fcntl", 0, F_GETLEASE) == F_UNLCK
    assert call(task, "fcntl", 0, F_SETLEASE, F_UNLCK) == 0
    assert finish(other) == 1


def test_who_does_not_give_it_up_loses_it(task):
    call(task, "fcntl", 0, F_SETLEASE, F_WRLCK)
    assert call(blocking_thread(task), "openat", AT_FDCWD, b"/tmp/f", O_RDONLY | O_NONBLOCK, 0) == -EAGAIN
    assert call(task, "fcntl", 0, F_GETLEASE) == F_RDLCK  # what it is to become
    task.kernel.clock.now += 46 * SECOND
    assert call(blocking_thread(task), "openat", AT_FDCWD, b"/tmp/f", O_RDONLY | O_NONBLOCK, 0) == 1
    assert call(task, "fcntl", 0, F_GETLEASE) == F_RDLCK


def test_a_waiting_open_goes_on_when_the_time_is_over(task):
    call(task, "fcntl", 0, F_SETLEASE, F_RDLCK)
    before = task.kernel.clock.now
    assert call(blocking_thread(task), "openat", AT_FDCWD, b"/tmp/f", O_RDWR, 0) == 1
    assert task.kernel.clock.now - before == 45 * SECOND
    assert call(task, "fcntl", 0, F_GETLEASE) == F_UNLCK


def test_truncation_breaks_a_lease_of_readers(task):
    call(task, "fcntl", 0, F_SETLEASE, F_RDLCK)
    other = blocking_thread(task)
    assert begin(other, "truncate", b"/tmp/f", 3) is None
    call(task, "close", 0)
    assert finish(other) == 0


def test_leases_are_for_the_owner_of_the_file(task):
    task.cred = Credentials.of(1000, 1000)
    assert call(task, "fcntl", 0, F_SETLEASE, F_RDLCK) == -EACCES


def test_leases_can_be_switched_off(task):
    task.kernel.leases.enabled = 0
    assert call(task, "fcntl", 0, F_SETLEASE, F_RDLCK) == -EINVAL


def test_a_notification_is_for_one_event_unless_it_is_asked_for_again(task):
    fd = call(task, "openat", AT_FDCWD, b"/tmp", O_RDONLY, 0)
    assert call(task, "fcntl", fd, F_NOTIFY, DN_CREATE) == 0
    call(task, "mkdir", b"/tmp/a", 0o700)
    assert io_signals(task) == 1
    call(task, "mkdir", b"/tmp/b", 0o700)
    assert io_signals(task) == 0
    task.kernel.dnotify.enabled = 0
    assert call(task, "fcntl", fd, F_NOTIFY, DN_CREATE) == -EINVAL


def test_closing_a_descriptor_ends_its_notifications(task):
    fd = call(task, "openat", AT_FDCWD, b"/tmp", O_RDONLY, 0)
    call(task, "fcntl", fd, F_NOTIFY, DN_CREATE)
    call(task, "dup", fd)
    call(task, "close", fd)
    call(task, "mkdir", b"/tmp/a", 0o700)
    assert io_signals(task) == 0
    assert not task.files.get(2).inode.fs.watched
