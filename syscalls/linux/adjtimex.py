"""adjtimex(2), clock_adjtime(2): the state of the clock's discipline, to be read (kernel/time/ntp.c)."""

from __future__ import annotations

from typing import Annotated, Any

from syscalls.abi.errno import EINVAL, EOPNOTSUPP, EPERM, SysError
from syscalls.abi.kinds import FlagsKind, InOut, Pointer
from syscalls.abi.structs.time import Timex, Timex64
from syscalls.abi.time import (
    ADJ_OFFSET_SINGLESHOT,
    ADJ_OFFSET_SS_READ,
    CLOCK_REALTIME,
    CLOCKFD,
    CLOCKS,
    NSEC_PER_USEC,
    STA_UNSYNC,
    TIME_ERROR,
    USEC_PER_SEC,
)
from syscalls.kernel import time
from syscalls.kernel.task import Task
from syscalls.spec import syscall

Clock = Annotated[int, FlagsKind(CLOCKS, signed=True)]
#: Nobody disciplines the clock: what the kernel starts with (NTP_PHASE_LIMIT, MAXFREQ_SCALED / PPM_SCALE ...).
_MAX_ERROR_US = 16_000_000
_TOLERANCE = 32_768_000
_ADJ_ADJTIME = 0x8000
_PARTIAL = "The clock's rate and discipline can be read, not changed: EPERM."


def _adjust(task: Task, buf: Pointer[Any]) -> int:
    """do_adjtimex, in a world where nobody has CAP_SYS_TIME for the discipline."""
    state = buf.get()
    if state.modes & _ADJ_ADJTIME and not state.modes & ADJ_OFFSET_SINGLESHOT & ~_ADJ_ADJTIME:
        raise SysError(EINVAL)
    if state.modes not in (0, ADJ_OFFSET_SS_READ):
        raise SysError(EPERM)
    seconds, microseconds = divmod(task.kernel.realtime() // NSEC_PER_USEC, USEC_PER_SEC)
    for name in (
        "offset",
        "freq",
        "ppsfreq",
        "jitter",
        "shift",
        "stabil",
        "jitcnt",
        "calcnt",
        "errcnt",
        "stbcnt",
        "tai",
    ):
        setattr(state, name, 0)
    state.maxerror = state.esterror = _MAX_ERROR_US
    state.status, state.constant, state.precision, state.tolerance = STA_UNSYNC, 2, 1, _TOLERANCE
    state.tick = USEC_PER_SEC // 100
    state.time.tv_sec, state.time.tv_usec = seconds, microseconds
    buf.put(state)
    return TIME_ERROR


@syscall(partial=_PARTIAL)
def adjtimex(task: Task, buf: InOut[Timex]) -> int:
    """Store the state of the clock's discipline; the result says that it has none (adjtimex(2))."""
    return _adjust(task, buf)


def _adjust_clock(task: Task, clock: int, utx: Pointer[Any]) -> int:
    if clock != CLOCK_REALTIME:
        if clock >= 0:
            time.read_clock(task, clock)
        no_device = clock < 0 and clock & time.CLOCKFD_MASK == CLOCKFD
        raise SysError(EINVAL if no_device else EOPNOTSUPP)
    return _adjust(task, utx)


@syscall(partial=_PARTIAL)
def clock_adjtime(task: Task, clockid: Clock, utx: InOut[Timex]) -> int:
    """The same for a clock (clock_adjtime(2))."""
    return _adjust_clock(task, clockid, utx)


@syscall(partial=_PARTIAL)
def clock_adjtime64(task: Task, clockid: Clock, utx: InOut[Timex64]) -> int:
    """The same in 64 bits (clock_adjtime(2))."""
    return _adjust_clock(task, clockid, utx)
