"""The clocks by number, and times as structs (kernel/time/posix-timers.c, posix-cpu-timers.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from syscalls.abi.errno import EINVAL, EOPNOTSUPP, SysError
from syscalls.abi.time import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    CLOCK_REALTIME_COARSE,
    CLOCK_TAI,
    CLOCK_THREAD_CPUTIME_ID,
    CLOCKFD,
    CPUCLOCK_SCHED,
    NSEC_PER_SEC,
    cpu_clock,
)
from syscalls.kernel.timers import Timer, TimerQueue
from syscalls.kernel.usage import clock_of_group, clock_of_task
from syscalls.kernel.wait import Interrupted, Wait, WaitQueue, sleep_until
from syscalls.spec import Restart

if TYPE_CHECKING:
    from syscalls.abi.kinds import Pointer
    from syscalls.kernel.task import Task

#: What the coarse clocks advance by: one tick at CONFIG_HZ=250.
TICK_NS = 4_000_000

REALTIME_CLOCKS = frozenset({CLOCK_REALTIME, CLOCK_REALTIME_ALARM, CLOCK_TAI})
MONOTONIC_CLOCKS = frozenset({CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM})
ALARM_CLOCKS = frozenset({CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM})
CPU_CLOCKS = frozenset({CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID})
#: The low bits of a descriptor's clock are CLOCKFD.
CLOCKFD_MASK = 7
#: Clocks that only tell the time: nobody can sleep by them.
UNTIMED_CLOCKS = frozenset(
    {CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_THREAD_CPUTIME_ID}
)  # fmt: skip
#: The longest time that the kernel's 64-bit nanoseconds can express; longer ones are cut to it (KTIME_MAX).
MAX_NS = (1 << 63) - 1


#: The largest settable second: 30 years before the end, for the uptime (TIME_SETTOD_SEC_MAX).
MAX_SETTABLE = MAX_NS // NSEC_PER_SEC - 30 * 365 * 24 * 3600


class Time(NamedTuple):
    """A struct timespec of any width, to `put`."""

    tv_sec: int
    tv_nsec: int


def from_ns(nanoseconds: int) -> Time:
    """The struct timespec of a time."""
    return Time(*divmod(nanoseconds, NSEC_PER_SEC))


def valid(seconds: int, nanoseconds: int) -> bool:
    """timespec64_valid."""
    return seconds >= 0 and 0 <= nanoseconds < NSEC_PER_SEC


def to_ns(seconds: int, nanoseconds: int) -> int:
    """Nanoseconds of a struct timespec; EINVAL."""
    if not valid(seconds, nanoseconds):
        raise SysError(EINVAL)
    return min(seconds * NSEC_PER_SEC + nanoseconds, MAX_NS)


def read_clock(task: Task, clock: int) -> int:
    """Nanoseconds on a clock; EINVAL for one that is none."""
    kernel = task.kernel
    if clock < 0 or clock in CPU_CLOCKS:
        return read_cpu_clock(task, clock)
    if clock in REALTIME_CLOCKS:
        return kernel.realtime()
    if clock == CLOCK_REALTIME_COARSE:
        return kernel.realtime() // TICK_NS * TICK_NS
    now = kernel.clock.monotonic()
    if clock in MONOTONIC_CLOCKS or clock == CLOCK_MONOTONIC_RAW:
        return now
    if clock == CLOCK_MONOTONIC_COARSE:
        return now // TICK_NS * TICK_NS
    raise SysError(EINVAL)


def read_cpu_clock(task: Task, clock: int) -> int:
    """Processor time of a process or a thread (posix_cpu_clock_get)."""
    return processor_clock(task, clock).now()


def processor_clock(task: Task, clock: int) -> TimerQueue:
    """The clock of a process's or a thread's processor time, by either kind of number; EINVAL (pid_for_clock).

    A negative number names an existing process, or a thread of the caller's.
    """
    if clock == CLOCK_THREAD_CPUTIME_ID:
        return clock_of_task(task, CPUCLOCK_SCHED)
    if clock == CLOCK_PROCESS_CPUTIME_ID:
        return clock_of_group(task.group, CPUCLOCK_SCHED)
    pid, thread, which = cpu_clock(clock)
    if which == CLOCKFD:
        raise SysError(EINVAL)  # no CPU clock, or a descriptor's: there are no such devices
    other = task if pid == 0 else task.kernel.tasks.get(pid)
    if other is None or (other.group is not task.group if thread else pid not in (0, other.group.tgid, task.tid)):
        raise SysError(EINVAL)
    return clock_of_task(other, which) if thread else clock_of_group(other.group, which)


def is_cpu_clock(clock: int) -> bool:
    """Is it a process's or thread's clock, by either kind of number?"""
    return clock < 0 or clock in CPU_CLOCKS


def resolution(task: Task, clock: int) -> int:
    """What clock_getres(2) says: high-resolution timers have 1 ns; EINVAL."""
    read_clock(task, clock)
    coarse = clock in (CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE)
    return TICK_NS if coarse or (clock < 0 and cpu_clock(clock)[2] != CPUCLOCK_SCHED) else 1


def check_sleepable(task: Task, clock: int) -> None:
    """EINVAL for what is no clock, EOPNOTSUPP for one that has no timers (`nsleep` of struct k_clock)."""
    if clock >= 0:
        read_clock(task, clock)
    if clock in UNTIMED_CLOCKS or (clock < 0 and clock & CLOCKFD_MASK == CLOCKFD):
        raise SysError(EOPNOTSUPP)


async def sleep(task: Task, deadline_ns: int, rmtp: Pointer[Any]) -> int:
    """Sleep until a moment of the monotonic clock; a signal stores what is left (hrtimer_nanosleep)."""
    try:
        await sleep_until(deadline_ns)
    except Interrupted:
        left = deadline_ns - task.kernel.clock.monotonic()
        if left <= 0:
            return 0
        if rmtp:
            rmtp.put(from_ns(left))
        task.restart_block = lambda: sleep(task, deadline_ns, rmtp)
        raise
    return 0


async def sleep_by_clock(task: Task, clock: int, deadline_ns: int) -> int:
    """Sleep until a clock shows a time, also when somebody sets the clock meanwhile."""
    kernel = task.kernel
    try:
        while (left := deadline_ns - read_clock(task, clock)) > 0:
            await Wait((kernel.clock_was_set,), kernel.clock.monotonic() + left)
    except Interrupted:
        raise Interrupted(Restart.NOHAND) from None
    return 0


async def sleep_by_cpu_clock(task: Task, clock: int, nanoseconds: int, *, absolute: bool) -> int:
    """Sleep until other tasks have used so much processor time (posix_cpu_nsleep)."""
    pid, thread, _ = (0, False, 0) if clock >= 0 else cpu_clock(clock)
    if clock < 0 and cpu_clock(clock)[2] == CLOCKFD:
        raise SysError(EINVAL)
    if thread and pid in (0, task.tid):
        raise SysError(EINVAL)  # a thread cannot wait for its own clock
    of = processor_clock(task, clock)
    deadline = nanoseconds if absolute else of.now() + nanoseconds
    queue = WaitQueue("a CPU clock")
    timer = Timer(of, queue.wake)
    timer.set(deadline)
    try:
        while of.now() < deadline:
            await queue.wait()
    except Interrupted:
        raise Interrupted(Restart.NOHAND) from None
    finally:
        timer.set(0)
    return 0
