"""Interval timers: setitimer(2), getitimer(2), alarm(2) (kernel/time/itimer.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.kinds import FlagsKind, In, Out, UInt
from syscalls.abi.structs.time import Itimerval, Timeval
from syscalls.abi.time import ITIMER_REAL, ITIMERS, NSEC_PER_SEC, NSEC_PER_USEC, USEC_PER_SEC
from syscalls.kernel.task import Task
from syscalls.kernel.timers import ITIMER_SIGNALS, interval_timer
from syscalls.linux.limits import timeval
from syscalls.spec import syscall

Which = Annotated[int, FlagsKind(ITIMERS, signed=True)]
INT_MAX = 0x7FFFFFFF


def _read(task: Task, which: int) -> Itimerval:
    if which not in ITIMER_SIGNALS:
        raise SysError(EINVAL)
    timer = interval_timer(task.group, which)
    remaining = timer.remaining_ns()
    if 0 < remaining < NSEC_PER_USEC:
        remaining = NSEC_PER_USEC  # zero would mean that it is not armed
    return Itimerval(it_interval=timeval(timer.interval_ns), it_value=timeval(remaining))


def _to_ns(time: Timeval) -> int:
    if time.tv_sec < 0 or not 0 <= time.tv_usec < USEC_PER_SEC:
        raise SysError(EINVAL)
    return time.tv_sec * NSEC_PER_SEC + time.tv_usec * NSEC_PER_USEC


@syscall()
def getitimer(task: Task, which: Which, curr_value: Out[Itimerval]) -> int:
    """Store how long a timer has still to run, and its interval (getitimer(2))."""
    curr_value.put(_read(task, which))
    return 0


@syscall()
def setitimer(task: Task, which: Which, new_value: In[Itimerval], old_value: Out[Itimerval]) -> int:
    """Arm a timer that sends SIGALRM, SIGVTALRM or SIGPROF (setitimer(2))."""
    wanted = new_value.get() if new_value else Itimerval()
    interval, value = _to_ns(wanted.it_interval), _to_ns(wanted.it_value)
    old = _read(task, which)
    timer = interval_timer(task.group, which)
    timer.set(timer.queue.now() + value if value else 0, interval)
    if old_value:
        old_value.put(old)
    return 0


@syscall()
def alarm(task: Task, seconds: UInt) -> int:
    """Send SIGALRM after so many seconds; how many were left of the previous alarm (alarm(2))."""
    timer = interval_timer(task.group, ITIMER_REAL)
    left, part = divmod(timer.remaining_ns(), NSEC_PER_SEC)
    if part >= NSEC_PER_SEC // 2 or (not left and part):
        left += 1
    delay = min(seconds, INT_MAX) * NSEC_PER_SEC
    timer.set(timer.queue.now() + delay if delay else 0)
    return left
