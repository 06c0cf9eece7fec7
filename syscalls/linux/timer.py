"""POSIX timers: timer_create(2), timer_settime(2) ... (kernel/time/posix-timers.c)."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from syscalls.abi.cstruct import I32
from syscalls.abi.errno import EINVAL, EOPNOTSUPP, SysError
from syscalls.abi.kinds import FlagsKind, In, Int, Out, Pointer
from syscalls.abi.signal import NSIG, SIGALRM, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID
from syscalls.abi.structs.siginfo import Sigevent
from syscalls.abi.structs.time import Itimerspec, Itimerspec64
from syscalls.abi.time import CLOCKS, TIMER_ABSTIME, TIMER_FLAGS
from syscalls.kernel import sigqueue, time
from syscalls.kernel.posixtimer import PosixTimer
from syscalls.kernel.task import Task
from syscalls.kernel.time import Time, from_ns, to_ns
from syscalls.kernel.timers import TimerQueue
from syscalls.spec import syscall

Clock = Annotated[int, FlagsKind(CLOCKS, signed=True)]
TimerFlags = Annotated[int, FlagsKind(TIMER_FLAGS, signed=True)]


class TimerSpec(NamedTuple):
    """A struct itimerspec of any width, to `put`."""

    it_interval: Time
    it_value: Time


def itimerspec(interval_ns: int, value_ns: int) -> TimerSpec:
    """The struct of an interval and a value."""
    return TimerSpec(from_ns(interval_ns), from_ns(value_ns))


def itimerspec_ns(spec: Any) -> tuple[int, int]:
    """Interval and value of a struct itimerspec; EINVAL (itimerspec64_valid)."""
    interval, value = spec.it_interval, spec.it_value
    return to_ns(interval.tv_sec, interval.tv_nsec), to_ns(value.tv_sec, value.tv_nsec)


@syscall()
def timer_create(task: Task, clockid: Clock, sevp: In[Sigevent], timerid: Out[I32]) -> int:
    """Make a timer of the process and store its id (timer_create(2))."""
    event = sevp.get() if sevp else None
    if clockid >= 0:
        time.read_clock(task, clockid)
    if clockid in time.UNTIMED_CLOCKS - time.CPU_CLOCKS or (clockid < 0 and clockid & time.CLOCKFD_MASK == 3):
        raise SysError(EOPNOTSUPP)
    group = task.group
    sigqueue.check(group)
    id, group.next_timer_id = group.next_timer_id, group.next_timer_id + 1
    thread = _notified(task, event) if event is not None else None
    timerid.put(id)
    processor = _processor_clock(task, clockid)
    notify, signo, value = SIGEV_SIGNAL, SIGALRM, id
    if event is not None:
        notify, signo, value = event.sigev_notify, event.sigev_signo, event.sigev_value
    group.posix_timers[id] = PosixTimer(group, id, clockid, notify, signo, value, thread, processor)
    return 0


def _processor_clock(task: Task, clock: int) -> TimerQueue | None:
    """The clock if it counts processor time; EINVAL for nobody's, EOPNOTSUPP for those that wake a machine: no RTC."""
    if time.is_cpu_clock(clock):
        return time.processor_clock(task, clock)
    if clock in time.ALARM_CLOCKS:
        raise SysError(EOPNOTSUPP)
    return None


def _notified(task: Task, event: Sigevent) -> Task | None:
    """The thread that will be told, None for the whole process; EINVAL (good_sigevent)."""
    notify, thread = event.sigev_notify, None
    if notify == SIGEV_SIGNAL | SIGEV_THREAD_ID:
        thread = task.kernel.tasks.get(event.sigev_tid)
        if thread is None or thread.group is not task.group:
            raise SysError(EINVAL)
    elif notify not in (SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD):
        raise SysError(EINVAL)
    if notify != SIGEV_NONE and not 0 < event.sigev_signo <= NSIG:
        raise SysError(EINVAL)
    return thread


def _find(task: Task, id: int) -> PosixTimer:
    timer = task.group.posix_timers.get(id)
    if timer is None:
        raise SysError(EINVAL)
    return timer


@syscall()
def timer_settime(
    task: Task, timerid: Int, flags: TimerFlags, new_value: In[Itimerspec], old_value: Out[Itimerspec]
) -> int:
    """Start or stop a timer, and store what it was set to (timer_settime(2))."""
    return _settime(task, timerid, flags, new_value, old_value)


@syscall()
def timer_settime64(
    task: Task, timerid: Int, flags: TimerFlags, new_value: In[Itimerspec64], old_value: Out[Itimerspec64]
) -> int:
    """The same with 64-bit seconds (timer_settime(2))."""
    return _settime(task, timerid, flags, new_value, old_value)


def _settime(task: Task, id: int, flags: int, new_value: Pointer[Any], old_value: Pointer[Any]) -> int:
    if not new_value:
        raise SysError(EINVAL)
    interval, value = itimerspec_ns(new_value.get())
    timer = _find(task, id)
    old = timer.settings()
    timer.set(value, interval if value else 0, absolute=bool(flags & TIMER_ABSTIME))
    if old_value:
        old_value.put(itimerspec(*old))
    return 0


@syscall()
def timer_gettime(task: Task, timerid: Int, curr_value: Out[Itimerspec]) -> int:
    """Store a timer's interval and how long it has still to run (timer_gettime(2))."""
    curr_value.put(itimerspec(*_find(task, timerid).settings()))
    return 0


@syscall()
def timer_gettime64(task: Task, timerid: Int, curr_value: Out[Itimerspec64]) -> int:
    """The same with 64-bit seconds (timer_gettime(2))."""
    curr_value.put(itimerspec(*_find(task, timerid).settings()))
    return 0


@syscall()
def timer_getoverrun(task: Task, timerid: Int) -> int:
    """How often it has expired between sending its last signal and that being taken (timer_getoverrun(2))."""
    return _find(task, timerid).overrun


@syscall()
def timer_delete(task: Task, timerid: Int) -> int:
    """Delete a timer (timer_delete(2))."""
    timer = _find(task, timerid)
    del task.group.posix_timers[timerid]
    timer.delete()
    return 0
