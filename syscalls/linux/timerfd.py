"""timerfd_create(2) and its relatives (fs/timerfd.c)."""

from __future__ import annotations

from typing import Annotated, Any

from syscalls.abi.errno import EINVAL, EPERM, SysError
from syscalls.abi.kinds import Fd, FdResult, FlagsKind, In, Out, Pointer
from syscalls.abi.prctl import CAP_WAKE_ALARM
from syscalls.abi.structs.time import Itimerspec, Itimerspec64
from syscalls.abi.time import (
    CLOCK_TAI,
    CLOCKS,
    TFD_CLOEXEC,
    TFD_FLAGS,
    TFD_NONBLOCK,
    TFD_TIMER_ABSTIME,
    TFD_TIMER_CANCEL_ON_SET,
)
from syscalls.kernel.fileio import install
from syscalls.kernel.task import Task
from syscalls.kernel.time import ALARM_CLOCKS, MONOTONIC_CLOCKS, REALTIME_CLOCKS
from syscalls.kernel.timerfd import TimerFile
from syscalls.linux.timer import itimerspec, itimerspec_ns
from syscalls.spec import syscall

Clock = Annotated[int, FlagsKind(CLOCKS)]
TimerFlags = Annotated[int, FlagsKind(TFD_FLAGS)]
_CLOCKS = (MONOTONIC_CLOCKS | REALTIME_CLOCKS) - {CLOCK_TAI}


@syscall()
def timerfd_create(task: Task, clockid: Clock, flags: TimerFlags) -> FdResult:
    """A new timer as a descriptor (timerfd_create(2))."""
    if flags & ~(TFD_CLOEXEC | TFD_NONBLOCK) or clockid not in _CLOCKS:
        raise SysError(EINVAL)
    _check_alarm(task, clockid)
    return install(task, TimerFile(task.kernel, clockid, flags & TFD_NONBLOCK), cloexec=bool(flags & TFD_CLOEXEC))


def _check_alarm(task: Task, clock: int) -> None:
    if clock in ALARM_CLOCKS and not task.cred.capable(CAP_WAKE_ALARM):
        raise SysError(EPERM)


def _timer(task: Task, fd: int) -> TimerFile:
    """EBADF, EINVAL (timerfd_fget)."""
    file = task.file(fd)
    if not isinstance(file, TimerFile):
        raise SysError(EINVAL)
    return file


@syscall()
def timerfd_settime(
    task: Task, fd: Fd, flags: TimerFlags, new_value: In[Itimerspec], old_value: Out[Itimerspec]
) -> int:
    """Start or stop a timer, and store what it was set to (timerfd_settime(2))."""
    return _settime(task, fd, flags, new_value, old_value)


@syscall()
def timerfd_settime64(
    task: Task, fd: Fd, flags: TimerFlags, new_value: In[Itimerspec64], old_value: Out[Itimerspec64]
) -> int:
    """The same with 64-bit seconds (timerfd_settime(2))."""
    return _settime(task, fd, flags, new_value, old_value)


def _settime(task: Task, fd: int, flags: int, new_value: Pointer[Any], old_value: Pointer[Any]) -> int:
    wanted = new_value.get()
    if flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET):
        raise SysError(EINVAL)
    interval, value = itimerspec_ns(wanted)
    file = _timer(task, fd)
    _check_alarm(task, file.timer.clock)
    old = file.settings()
    file.set(
        value, interval,
        absolute=bool(flags & TFD_TIMER_ABSTIME), cancel_on_set=bool(flags & TFD_TIMER_CANCEL_ON_SET),
    )  # fmt: skip
    if old_value:
        old_value.put(itimerspec(*old))
    return 0


@syscall()
def timerfd_gettime(task: Task, fd: Fd, curr_value: Out[Itimerspec]) -> int:
    """Store a timer's interval and how long it has still to run (timerfd_gettime(2))."""
    curr_value.put(itimerspec(*_timer(task, fd).settings()))
    return 0


@syscall()
def timerfd_gettime64(task: Task, fd: Fd, curr_value: Out[Itimerspec64]) -> int:
    """The same with 64-bit seconds (timerfd_gettime(2))."""
    curr_value.put(itimerspec(*_timer(task, fd).settings()))
    return 0
