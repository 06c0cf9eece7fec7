"""sys/resource.h: limits, usage, priorities. Sources: asm-generic/resource.h, linux/resource.h, getrlimit(2)."""

from __future__ import annotations

from syscalls.abi.flags import Enum

RLIMIT_CPU = 0
RLIMIT_FSIZE = 1
RLIMIT_DATA = 2
RLIMIT_STACK = 3
RLIMIT_CORE = 4
RLIMIT_RSS = 5
RLIMIT_NPROC = 6
RLIMIT_NOFILE = 7
RLIMIT_MEMLOCK = 8
RLIMIT_AS = 9
RLIMIT_LOCKS = 10
RLIMIT_SIGPENDING = 11
RLIMIT_MSGQUEUE = 12
RLIMIT_NICE = 13
RLIMIT_RTPRIO = 14
RLIMIT_RTTIME = 15
RLIM_NLIMITS = 16
RLIMITS = Enum(globals(), "RLIMIT_???", "RLIMIT_*")

RLIM_INFINITY = RLIM64_INFINITY = (1 << 64) - 1
RLIM32_INFINITY = (1 << 32) - 1  # RLIM_INFINITY of a 32-bit program's struct rlimit
OLD_RLIM_INFINITY = 0x7FFFFFFF  # the most that i386's old getrlimit reports
_STK_LIM = 8388608
INR_OPEN_CUR = 1024
INR_OPEN_MAX = 4096
MLOCK_LIMIT = 8388608


class LimitValue:
    """rlim_cur and rlim_max: `8192*1024`, `RLIM64_INFINITY`."""

    def __init__(self, infinity: int, name: str) -> None:
        self.infinity = infinity
        self.name = name

    def format(self, value: int) -> str:
        """As strace's sprint_rlim64."""
        if value == self.infinity:
            return self.name
        if value > 1024 and value % 1024 == 0:
            return f"{value // 1024}*1024"
        return str(value)


LIMIT64 = LimitValue(RLIM64_INFINITY, "RLIM64_INFINITY")  # 64-bit programs, and prlimit64 everywhere
LIMIT32 = LimitValue(RLIM32_INFINITY, "RLIM_INFINITY")  # i386's setrlimit, getrlimit, ugetrlimit

RUSAGE_SELF = 0
RUSAGE_CHILDREN = -1
RUSAGE_BOTH = -2
RUSAGE_THREAD = 1
RUSAGE_WHO = Enum(globals(), "RUSAGE_???", "RUSAGE_*")

PRIO_PROCESS = 0
PRIO_PGRP = 1
PRIO_USER = 2
PRIO_WHICH = Enum(globals(), "PRIO_???", "PRIO_*")
MIN_NICE = -20  # linux/sched/prio.h
MAX_NICE = 19
