"""time.h and sys/time*.h: clocks, timers, adjtimex(2), timerfd(2).

Sources: linux/time.h, linux/timex.h, linux/timerfd.h. A negative clock id is a process's or a thread's CPU clock
(include/linux/posix-timers.h of the kernel), see `cpu_clock`.
"""

from __future__ import annotations

from syscalls.abi.flags import Enum, Flags

NSEC_PER_SEC = 1_000_000_000
NSEC_PER_USEC = 1_000
USEC_PER_SEC = 1_000_000
USER_HZ = 100  # clock ticks per second of times(2) and /proc
USER_TICK_NS = 10_000_000

CLOCK_REALTIME = 0
CLOCK_MONOTONIC = 1
CLOCK_PROCESS_CPUTIME_ID = 2
CLOCK_THREAD_CPUTIME_ID = 3
CLOCK_MONOTONIC_RAW = 4
CLOCK_REALTIME_COARSE = 5
CLOCK_MONOTONIC_COARSE = 6
CLOCK_BOOTTIME = 7
CLOCK_REALTIME_ALARM = 8
CLOCK_BOOTTIME_ALARM = 9
CLOCK_SGI_CYCLE = 10
CLOCK_TAI = 11
CLOCKS = Enum(globals(), "CLOCK_???", "CLOCK_*")
MAX_CLOCKS = 16

CPUCLOCK_PROF = 0
CPUCLOCK_VIRT = 1
CPUCLOCK_SCHED = 2
CLOCKFD = 3
CPUCLOCK_CLOCK_MASK = 3
CPUCLOCK_PERTHREAD_MASK = 4


def cpu_clock(clock: int) -> tuple[int, bool, int]:
    """(pid or tid, is it a thread's, CPUCLOCK_* or CLOCKFD) of a negative clock id; pid 0 is the caller."""
    return ~(clock >> 3), bool(clock & CPUCLOCK_PERTHREAD_MASK), clock & CPUCLOCK_CLOCK_MASK


TIMER_ABSTIME = 1
TIMER_FLAGS = Flags(globals(), "TIMER_???", "TIMER_ABSTIME")

ITIMER_REAL = 0
ITIMER_VIRTUAL = 1
ITIMER_PROF = 2
ITIMERS = Enum(globals(), "ITIMER_???", "ITIMER_*")

TFD_TIMER_ABSTIME = 1
TFD_TIMER_CANCEL_ON_SET = 2
TFD_CLOEXEC = 0o2000000
TFD_IOC_SET_TICKS = 0x40085400  # a request of ioctl(2)
TFD_NONBLOCK = 0o4000
TFD_FLAGS = Flags(globals(), "TFD_???", "TFD_*")

# --- adjtimex(2) ------------------------------------------------------------------------------------------------------

ADJ_OFFSET = 1
ADJ_FREQUENCY = 2
ADJ_MAXERROR = 4
ADJ_ESTERROR = 8
ADJ_STATUS = 0x10
ADJ_TIMECONST = 0x20
ADJ_TAI = 0x80
ADJ_SETOFFSET = 0x100
ADJ_MICRO = 0x1000
ADJ_NANO = 0x2000
ADJ_TICK = 0x4000
ADJ_OFFSET_SINGLESHOT = 0x8001
ADJ_OFFSET_SS_READ = 0xA001
ADJTIMEX_MODES = Flags(
    globals(),
    "ADJ_???",
    "ADJ_OFFSET_SS_READ ADJ_OFFSET_SINGLESHOT ADJ_OFFSET ADJ_FREQUENCY ADJ_MAXERROR ADJ_ESTERROR ADJ_STATUS "
    "ADJ_TIMECONST ADJ_TAI ADJ_SETOFFSET ADJ_MICRO ADJ_NANO ADJ_TICK",
)
STA_PLL = 1
STA_PPSFREQ = 2
STA_PPSTIME = 4
STA_FLL = 8
STA_INS = 0x10
STA_DEL = 0x20
STA_UNSYNC = 0x40
STA_FREQHOLD = 0x80
STA_PPSSIGNAL = 0x100
STA_PPSJITTER = 0x200
STA_PPSWANDER = 0x400
STA_PPSERROR = 0x800
STA_CLOCKERR = 0x1000
STA_NANO = 0x2000
STA_MODE = 0x4000
STA_CLK = 0x8000
ADJTIMEX_STATUS = Flags(globals(), "STA_???", "STA_*")
TIME_OK = 0
TIME_INS = 1
TIME_DEL = 2
TIME_OOP = 3
TIME_WAIT = 4
TIME_ERROR = 5
ADJTIMEX_STATES = Enum(globals(), "TIME_???", "TIME_*")
