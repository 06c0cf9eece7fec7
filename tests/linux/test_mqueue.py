"""POSIX message queues (ipc/mqueue.c): limits, permissions, who waits for whom. The sample mqueue shows the rest."""

from __future__ import annotations

import struct

import pytest
from fakes import SCRATCH, begin, call, finish, make_task, new_thread

from syscalls.abi.arch import ARCHES
from syscalls.abi.errno import EACCES, EAGAIN, EINTR, EINVAL, EMFILE, EMSGSIZE, ENOENT, ENOSPC, EPERM
from syscalls.abi.fcntl import AT_FDCWD, O_CREAT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY
from syscalls.abi.resource import RLIMIT_MSGQUEUE
from syscalls.abi.signal import SI_MESGQ, SIGEV_SIGNAL, SIGUSR1
from syscalls.fs.cred import Credentials
from syscalls.kernel import signals
from syscalls.kernel.signals import SigAction, SigInfo

ATTR, TEXT, PRIORITY, EVENT = SCRATCH, SCRATCH + 0x100, SCRATCH + 0x200, SCRATCH + 0x300


@pytest.fixture(params=ARCHES.values(), ids=str)
def task(request):
    return make_task(request.param)


def attributes(task, maximum=2, size=8):
    letter = "q" if task.arch.word == 8 else "i"
    task.mm.write(ATTR, struct.pack(f"<8{letter}", 0, maximum, size, 0, 0, 0, 0, 0))
    return ATTR


def make(task, name=b"q", flags=O_RDWR, mode=0o600, **attr):
    return call(task, "mq_open", name, flags | O_CREAT, mode, attributes(task, **attr))


def send(task, fd, text, priority=0, begin=call):
    task.mm.write(TEXT, text)
    return begin(task, "mq_timedsend", fd, TEXT, len(text), priority, 0)


def receive(task, fd, begin=call):
    """(text, priority), or -errno."""
    length = begin(task, "mq_timedreceive", fd, TEXT, 64, PRIORITY, 0)
    return taken(task, length)


def taken(task, length):
    if length is None or length < 0:
        return length
    return task.mm.read(TEXT, length), int.from_bytes(task.mm.read(PRIORITY, 4), "little")


def test_priorities_and_the_order_within_one(task):
    fd = make(task, maximum=5)
    for text, priority in ((b"a", 1), (b"b", 7), (b"c", 1), (b"d", 7)):
        assert send(task, fd, text, priority) == 0
    assert [receive(task, fd) for _ in range(4)] == [(b"b", 7), (b"d", 7), (b"a", 1), (b"c", 1)]
    assert send(task, fd, bytes(9)) == -EMSGSIZE
    assert send(task, fd, b"", 32768) == -EINVAL


def test_queues_count_against_a_limit_of_their_user(task):
    task.group.limits[RLIMIT_MSGQUEUE] = (2 * (8 + 96), 1 << 20)
    fd = make(task)
    assert make(task, b"other", maximum=1, size=1) == -EMFILE
    assert call(task, "mq_unlink", b"q") == 0
    assert make(task, b"other", maximum=1, size=1) == -EMFILE  # the descriptor holds the queue
    assert call(task, "close", fd) == 0
    assert make(task, b"other") >= 0


def test_limits_of_those_without_capabilities():
    task = make_task(uid=1000)
    assert make(task, maximum=11) == -EINVAL
    assert make(task, size=8193) == -EINVAL
    queues = task.ns.ipc.mqueues
    queues.queues_max = 1
    fd = make(task)
    assert make(task, b"second") == -ENOSPC
    assert call(task, "mq_unlink", b"q") == 0
    assert make(task, b"second") == -ENOSPC
    assert call(task, "close", fd) == 0
    assert queues.count == 0
    assert make(task, b"second") >= 0


def test_permissions(task):
    make(task, mode=0o604)
    task.cred = Credentials.of(1000, 1000)
    assert call(task, "mq_open", b"q", O_RDONLY, 0, 0) >= 0
    assert call(task, "mq_open", b"q", O_RDWR, 0, 0) == -EACCES
    assert call(task, "mq_open", b"q", O_WRONLY, 0, 0) == -EACCES
    assert call(task, "mq_unlink", b"q") == -EPERM  # the directory is sticky
    assert call(task, "mq_unlink", b"r") == -ENOENT


def test_those_who_wait_are_served_in_order_of_priority_then_of_arrival(task):
    fd = make(task)
    first, favoured, last = (new_thread(task) for _ in range(3))
    favoured.nice = -5
    assert receive(first, fd, begin) is None
    assert receive(last, fd, begin) is None
    assert receive(favoured, fd, begin) is None
    for text in (b"1", b"22", b"333"):
        assert send(task, fd, text) == 0
    assert [finish(thread) for thread in (favoured, first, last)] == [1, 2, 3]


def test_a_sender_waits_for_room(task):
    fd = make(task, maximum=1)
    assert send(task, fd, b"one") == 0
    other = new_thread(task)
    assert send(other, fd, b"two", 5, begin) is None
    assert receive(task, fd) == (b"one", 0)
    assert finish(other) == 0
    assert receive(task, fd) == (b"two", 5)


def test_a_signal_interrupts(task):
    fd = make(task)
    task.group.signals.actions[SIGUSR1] = SigAction(handler=0x1000)
    other = new_thread(task)
    assert receive(other, fd, begin) is None
    signals.send(other, SigInfo(SIGUSR1))
    assert finish(other) == -EINTR
    assert send(task, fd, b"x") == 0  # nobody stands in line any more
    assert receive(task, fd) == (b"x", 0)


def test_nonblocking(task):
    fd = make(task, flags=O_RDWR | O_NONBLOCK)
    assert receive(task, fd) == -EAGAIN
    send(task, fd, b"")
    send(task, fd, b"")
    assert send(task, fd, b"") == -EAGAIN


def test_a_process_is_told_once(task):
    fd = make(task)
    task.group.signals.actions[SIGUSR1] = SigAction(handler=0x1000)
    value = struct.pack("<Qii" if task.arch.word == 8 else "<Iii", 42, SIGUSR1, SIGEV_SIGNAL)
    task.mm.write(EVENT, value)
    assert call(task, "mq_notify", fd, EVENT) == 0
    send(task, fd, b"a")
    send(task, fd, b"b")
    [info] = task.group.signals.pending[SIGUSR1]
    assert (info.code, info.value, info.pid) == (SI_MESGQ, 42, task.group.tgid)


def test_the_file_system_can_be_mounted(task):
    assert call(task, "mkdirat", AT_FDCWD, b"/mq", 0o755) == 0
    assert call(task, "mount", b"none", b"/mq", b"mqueue", 0, 0) == 0
    fd = make(task)
    send(task, fd, b"abc")
    shown = call(task, "openat", AT_FDCWD, b"/mq/q", O_RDONLY, 0)
    length = call(task, "read", shown, TEXT, 100)
    assert task.mm.read(TEXT, length).startswith(b"QSIZE:3          NOTIFY:0")
    assert call(task, "openat", AT_FDCWD, b"/mq/new", O_RDWR | O_CREAT, 0o600) >= 0
    assert receive(task, call(task, "mq_open", b"new", O_RDWR | O_NONBLOCK, 0, 0)) == -EMSGSIZE  # 8192 by default
    assert call(task, "unlinkat", AT_FDCWD, b"/mq/q", 0) == 0
    assert call(task, "mq_open", b"q", O_RDWR, 0, 0) == -ENOENT
