"""struct timespec and its relatives. Sources: linux/time.h, linux/time_types.h, asm-generic/posix_types.h."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I32, I64, U32, CLong, Repeat, Struct
from syscalls.abi.time import ADJTIMEX_MODES, ADJTIMEX_STATUS


class Timespec(Struct):
    """struct timespec with a long tv_sec: of 32 bits on i386."""

    tv_sec: CLong
    tv_nsec: CLong


class Timespec64(Struct):
    """struct __kernel_timespec, the same everywhere."""

    tv_sec: I64
    tv_nsec: I64


class Timeval(Struct):
    """struct timeval."""

    tv_sec: CLong
    tv_usec: CLong


class Timezone(Struct):
    """struct timezone."""

    tz_minuteswest: I32
    tz_dsttime: I32


class Itimerval(Struct):
    """struct itimerval."""

    it_interval: Timeval
    it_value: Timeval


class Itimerspec(Struct):
    """struct itimerspec, with longs."""

    it_interval: Timespec
    it_value: Timespec


class Itimerspec64(Struct):
    """struct __kernel_itimerspec, the same everywhere."""

    it_interval: Timespec64
    it_value: Timespec64


class Timeval64(Struct):
    """struct __kernel_timex_timeval."""

    tv_sec: I64
    tv_usec: I64


class Timex(Struct):
    """struct timex, for adjtimex(2)."""

    modes: Annotated[U32, ADJTIMEX_MODES]
    offset: CLong
    freq: CLong
    maxerror: CLong
    esterror: CLong
    status: Annotated[I32, ADJTIMEX_STATUS]
    constant: CLong
    precision: CLong
    tolerance: CLong
    time: Timeval
    tick: CLong
    ppsfreq: CLong
    jitter: CLong
    shift: I32
    stabil: CLong
    jitcnt: CLong
    calcnt: CLong
    errcnt: CLong
    stbcnt: CLong
    tai: I32
    _pad: Annotated[tuple[int, ...], Repeat(I32, 11)]


class Timex64(Struct):
    """struct __kernel_timex, for clock_adjtime64: every long has 64 bits."""

    modes: Annotated[U32, ADJTIMEX_MODES]
    _pad0: I32
    offset: I64
    freq: I64
    maxerror: I64
    esterror: I64
    status: Annotated[I32, ADJTIMEX_STATUS]
    _pad1: I32
    constant: I64
    precision: I64
    tolerance: I64
    time: Timeval64
    tick: I64
    ppsfreq: I64
    jitter: I64
    shift: I32
    _pad2: I32
    stabil: I64
    jitcnt: I64
    calcnt: I64
    errcnt: I64
    stbcnt: I64
    tai: I32
    _pad: Annotated[tuple[int, ...], Repeat(I32, 11)]


class Tms(Struct):
    """struct tms, in clock ticks."""

    tms_utime: CLong
    tms_stime: CLong
    tms_cutime: CLong
    tms_cstime: CLong
