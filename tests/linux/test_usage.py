"""Processor time: whose it is, its clocks and timers, RLIMIT_CPU."""

from __future__ import annotations

import struct

from fakes import SCRATCH, begin, call, finish, make_task

from syscalls.abi.resource import RLIMIT_CPU, RUSAGE_CHILDREN, RUSAGE_SELF
from syscalls.abi.signal import SIGKILL, SIGVTALRM, SIGXCPU
from syscalls.abi.time import CLOCK_PROCESS_CPUTIME_ID, ITIMER_VIRTUAL, NSEC_PER_SEC
from syscalls.kernel import usage

SIGCHLD = 17


def work(task, seconds, calls=0):
    """Let a task have the processor for a time."""
    kernel = task.kernel
    kernel.meter.turn(task)
    kernel.clock.now += int(seconds * NSEC_PER_SEC)
    task.usage.calls += calls
    kernel.meter.turn(None)
    kernel.timers.expire()


def seconds_of(task, who):
    assert call(task, "getrusage", who, SCRATCH) == 0
    user, user_part, system, system_part = struct.unpack("<4q", task.mm.read(SCRATCH, 32))
    return user + user_part / 1e6, system + system_part / 1e6


def forked(task):
    pid = call(task, "fork")
    return task.kernel.tasks[pid]


def test_time_goes_to_whose_turn_it_is():
    task = make_task()
    child = forked(task)
    work(task, 2, calls=500_000)
    work(child, 3)
    assert seconds_of(task, RUSAGE_SELF) == (1.5, 0.5)
    assert seconds_of(child, RUSAGE_SELF) == (3, 0)
    assert call(task, "clock_gettime", CLOCK_PROCESS_CPUTIME_ID, SCRATCH) == 0
    assert struct.unpack("<2q", task.mm.read(SCRATCH, 16)) == (2, 0)


def test_children_count_when_they_have_been_waited_for():
    task = make_task()
    child = forked(task)
    work(forked(child), 5)  # never waited for
    work(child, 3)
    child.exit_group(0)
    assert seconds_of(task, RUSAGE_CHILDREN) == (0, 0)
    assert call(task, "wait4", -1, 0, 0, SCRATCH + 256) == child.tid
    assert struct.unpack("<q", task.mm.read(SCRATCH + 256, 8)) == (3,)
    assert seconds_of(task, RUSAGE_CHILDREN) == (3, 0)
    assert call(task, "times", SCRATCH) > 0
    assert struct.unpack("<4q", task.mm.read(SCRATCH, 32)) == (0, 0, 300, 0)


def test_a_virtual_timer_does_not_count_what_the_kernel_does():
    task = make_task()
    task.mm.write(SCRATCH, struct.pack("<4q", 0, 0, 1, 0))
    assert call(task, "setitimer", ITIMER_VIRTUAL, SCRATCH, 0) == 0
    work(task, 1.5, calls=1_000_000)
    assert not task.group.signals.pending
    work(task, 0.5)
    assert list(task.group.signals.pending) == [SIGVTALRM]


def test_the_limit_asks_every_second_and_kills_at_last():
    task = make_task()
    task.mm.write(SCRATCH, struct.pack("<2Q", 1, 3))
    assert call(task, "setrlimit", RLIMIT_CPU, SCRATCH) == 0
    work(task, 0.9)
    assert not task.group.signals.pending
    work(task, 0.1)
    assert list(task.group.signals.pending) == [SIGXCPU]
    assert task.group.limit(RLIMIT_CPU) == 2
    work(task, 2)
    assert SIGKILL in task.group.signals.pending


def test_the_limit_is_inherited_but_not_the_time():
    task = make_task()
    work(task, 5)
    task.mm.write(SCRATCH, struct.pack("<2Q", 10, 10))
    assert call(task, "setrlimit", RLIMIT_CPU, SCRATCH) == 0
    child = forked(task)
    work(child, 9)
    assert child.alive
    assert not child.group.signals.pending
    work(child, 1)
    assert SIGKILL in child.group.signals.pending


def test_sleeping_is_a_voluntary_switch():
    task = make_task()
    task.mm.write(SCRATCH, struct.pack("<2q", 1, 0))
    assert begin(task, "nanosleep", SCRATCH, 0) is None
    assert finish(task) == 0
    assert usage.of_task(task).voluntary == 1
