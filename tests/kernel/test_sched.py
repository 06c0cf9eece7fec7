"""Whose turn it is: first come first served, but real-time priorities first."""

from __future__ import annotations

from fakes import SCRATCH, call, make_task, new_thread

from syscalls.abi.sched import SCHED_FIFO, SCHED_OTHER
from syscalls.kernel import futex
from syscalls.kernel.futex import Waiter
from syscalls.kernel.sched import REALTIME_TURNS


def set_priority(task, priority):
    task.mm.write(SCRATCH, priority.to_bytes(4, "little"))
    assert call(task, "sched_setscheduler", 0, SCHED_FIFO if priority else SCHED_OTHER, SCRATCH) == 0


def test_priorities_come_before_arrival():
    task = make_task()
    low, high, equal = (new_thread(task) for _ in range(3))
    for thread, priority in ((low, 0), (high, 20), (equal, 20)):
        set_priority(thread, priority)
    scheduler = task.kernel.scheduler
    for thread in (low, high, equal):
        scheduler.ready(thread)
    assert [scheduler.pick() for _ in range(3)] == [high, equal, low]


def test_who_becomes_ready_with_a_higher_priority_ends_the_turn():
    task = make_task()
    high = new_thread(task)
    scheduler = task.kernel.scheduler
    scheduler.ready(task)
    assert scheduler.pick() is task
    set_priority(high, 1)
    scheduler.sliced = True
    scheduler.ready(high)
    assert not scheduler.sliced


def test_endless_computing_leaves_something_to_others():
    task = make_task()
    high = new_thread(task)
    set_priority(high, 99)
    scheduler = task.kernel.scheduler
    scheduler.hogged = REALTIME_TURNS
    for thread in (task, high):
        scheduler.ready(thread)
    assert scheduler.pick() is task


def test_a_futex_wakes_the_highest_priority_first():
    task = make_task()
    low, high = new_thread(task), new_thread(task)
    set_priority(high, 5)
    key = futex.key_of(task, SCRATCH)
    waiters = [Waiter(thread, key) for thread in (low, high)]
    for waiter in waiters:
        task.kernel.futexes.add(waiter)
    assert task.kernel.futexes.wake(key, 1) == 1
    assert [waiter.woken for waiter in waiters] == [False, True]


def test_who_has_woken_others_may_go_first():
    task = make_task()
    other = new_thread(task)
    scheduler = task.kernel.scheduler
    scheduler.ready(other)
    scheduler.ready_first(task)
    assert [scheduler.pick(), scheduler.pick()] == [task, other]


def test_yielding_lets_others_run_first():
    task = make_task()
    assert not task.kernel.scheduler.yielded
    assert call(task, "sched_yield") == 0
    assert task.kernel.scheduler.yielded
