"""Clocks: reading, setting, sleeping (clock_gettime(2), gettimeofday(2), nanosleep(2), adjtimex(2)).

i386 has most calls twice: with 32-bit seconds, and (`_time64`) with 64-bit ones.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.arch import I386
from syscalls.abi.cstruct import CLong
from syscalls.abi.errno import EINVAL, EPERM, SysError
from syscalls.abi.kinds import FlagsKind, In, Out, Pointer
from syscalls.abi.prctl import CAP_SYS_TIME, CAP_WAKE_ALARM
from syscalls.abi.structs.time import Timespec, Timespec64, Timeval, Timezone
from syscalls.abi.time import (
    CLOCK_REALTIME,
    CLOCKS,
    NSEC_PER_SEC,
    NSEC_PER_USEC,
    TIMER_ABSTIME,
    TIMER_FLAGS,
    USEC_PER_SEC,
)
from syscalls.kernel import time
from syscalls.kernel.task import Task
from syscalls.kernel.time import from_ns, to_ns
from syscalls.spec import Restart, syscall

_Timespec = Pointer[Timespec] | Pointer[Timespec64]
Clock = Annotated[int, FlagsKind(CLOCKS, signed=True)]
TimerFlags = Annotated[int, FlagsKind(TIMER_FLAGS, signed=True)]


# --- reading ----------------------------------------------------------------------------------------------------------


@syscall()
def clock_gettime(task: Task, clockid: Clock, tp: Out[Timespec]) -> int:
    """Store the time of a clock (clock_gettime(2))."""
    tp.put(from_ns(time.read_clock(task, clockid)))
    return 0


@syscall()
def clock_gettime64(task: Task, clockid: Clock, tp: Out[Timespec64]) -> int:
    """Store the time of a clock, in 64-bit seconds (clock_gettime(2))."""
    tp.put(from_ns(time.read_clock(task, clockid)))
    return 0


@syscall()
def clock_getres(task: Task, clockid: Clock, res: Out[Timespec]) -> int:
    """Store the resolution of a clock (clock_getres(2))."""
    return _getres(task, clockid, res)


@syscall()
def clock_getres_time64(task: Task, clockid: Clock, res: Out[Timespec64]) -> int:
    """Store the resolution of a clock, in 64-bit seconds (clock_getres(2))."""
    return _getres(task, clockid, res)


def _getres(task: Task, clock: int, res: _Timespec) -> int:
    resolution = time.resolution(task, clock)
    if res:
        res.put(from_ns(resolution))
    return 0


@syscall()
def gettimeofday(task: Task, tv: Out[Timeval], tz: Out[Timezone]) -> int:
    """Store the time in microseconds, and the zone that nobody uses (gettimeofday(2))."""
    if tv:
        seconds, microseconds = divmod(task.kernel.realtime() // NSEC_PER_USEC, USEC_PER_SEC)
        tv.put(Timeval(tv_sec=seconds, tv_usec=microseconds))
    if tz:
        minutes_west, dst = task.kernel.timezone
        tz.put(Timezone(tz_minuteswest=minutes_west, tz_dsttime=dst))
    return 0


@syscall("time")
def time_(task: Task, tloc: Out[CLong]) -> int:
    """Seconds since 1970 (time(2))."""
    seconds = task.kernel.realtime() // NSEC_PER_SEC
    if tloc:
        tloc.put(seconds)
    return seconds & 0xFFFFFFFF if tloc.size == 4 else seconds


# --- setting ----------------------------------------------------------------------------------------------------------


@syscall()
def clock_settime(task: Task, clockid: Clock, tp: In[Timespec]) -> int:
    """Set a clock, which only CLOCK_REALTIME lets one do (clock_settime(2))."""
    return _settime(task, clockid, tp)


@syscall()
def clock_settime64(task: Task, clockid: Clock, tp: In[Timespec64]) -> int:
    """Set a clock, in 64-bit seconds (clock_settime(2))."""
    return _settime(task, clockid, tp)


def _settime(task: Task, clock: int, tp: _Timespec) -> int:
    if clock > CLOCK_REALTIME:
        raise SysError(EINVAL)
    wanted = tp.get()
    if clock < 0:
        time.processor_clock(task, clock)
        raise SysError(EPERM)
    _set_realtime(task, wanted.tv_sec, wanted.tv_nsec)
    return 0


def _set_realtime(task: Task, seconds: int, nanoseconds: int) -> None:
    """do_sys_settimeofday64: EINVAL comes before EPERM."""
    if not time.valid(seconds, nanoseconds) or seconds > time.MAX_SETTABLE:
        raise SysError(EINVAL)
    if not task.cred.capable(CAP_SYS_TIME):
        raise SysError(EPERM)
    task.kernel.set_realtime(seconds * NSEC_PER_SEC + nanoseconds)


@syscall()
def settimeofday(task: Task, tv: In[Timeval], tz: In[Timezone]) -> int:
    """Set the time, the zone, or both (settimeofday(2))."""
    wanted = tv.get() if tv else None
    if wanted is not None and not 0 <= wanted.tv_usec < USEC_PER_SEC:
        raise SysError(EINVAL)
    zone = tz.get() if tz else None
    if wanted is not None and not time.valid(wanted.tv_sec, 0):
        raise SysError(EINVAL)
    if not task.cred.capable(CAP_SYS_TIME):
        raise SysError(EPERM)
    if zone is not None:
        if not -15 * 60 <= zone.tz_minuteswest <= 15 * 60:
            raise SysError(EINVAL)
        task.kernel.timezone = (zone.tz_minuteswest, zone.tz_dsttime)
    if wanted is not None:
        _set_realtime(task, wanted.tv_sec, wanted.tv_usec * NSEC_PER_USEC)
    return 0


@syscall(only=I386)
def stime(task: Task, t: In[CLong]) -> int:
    """Set the time in seconds (stime(2))."""
    _set_realtime(task, t.get(), 0)
    return 0


# --- sleeping ---------------------------------------------------------------------------------------------------------


@syscall(restart=Restart.BLOCK)
async def nanosleep(task: Task, rqtp: In[Timespec], rmtp: Out[Timespec]) -> int:
    """Sleep (nanosleep(2))."""
    wanted = rqtp.get()
    deadline = task.kernel.clock.monotonic() + to_ns(wanted.tv_sec, wanted.tv_nsec)
    return await time.sleep(task, deadline, rmtp)


@syscall(restart=Restart.BLOCK)
async def clock_nanosleep(
    task: Task, clockid: Clock, flags: TimerFlags, rqtp: In[Timespec], rmtp: Out[Timespec]
) -> int:
    """Sleep by a clock, for a time or (TIMER_ABSTIME) until one (clock_nanosleep(2))."""
    return await _clock_nanosleep(task, clockid, flags, rqtp, rmtp)


@syscall(restart=Restart.BLOCK)
async def clock_nanosleep_time64(
    task: Task, clockid: Clock, flags: TimerFlags, rqtp: In[Timespec64], rmtp: Out[Timespec64]
) -> int:
    """Sleep by a clock, in 64-bit seconds (clock_nanosleep(2))."""
    return await _clock_nanosleep(task, clockid, flags, rqtp, rmtp)


async def _clock_nanosleep(task: Task, clock: int, flags: int, rqtp: _Timespec, rmtp: _Timespec) -> int:
    time.check_sleepable(task, clock)
    wanted = rqtp.get()
    nanoseconds = to_ns(wanted.tv_sec, wanted.tv_nsec)
    absolute = bool(flags & TIMER_ABSTIME)
    if time.is_cpu_clock(clock):
        return await time.sleep_by_cpu_clock(task, clock, nanoseconds, absolute=absolute)
    if clock in time.ALARM_CLOCKS and not task.cred.capable(CAP_WAKE_ALARM):
        raise SysError(EPERM)
    if absolute:
        return await time.sleep_by_clock(task, clock, nanoseconds)
    return await time.sleep(task, task.kernel.clock.monotonic() + nanoseconds, rmtp)
