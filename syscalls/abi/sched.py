"""sched.h: clone(2), unshare(2), scheduling policies. Sources: linux/sched.h, linux/sched/types.h, linux/ioprio.h."""

from __future__ import annotations

from syscalls.abi.flags import Enum, Flags
from syscalls.abi.signal import SIGNAL

CSIGNAL = 0xFF
CLONE_VM = 0x00000100
CLONE_FS = 0x00000200
CLONE_FILES = 0x00000400
CLONE_SIGHAND = 0x00000800
CLONE_PIDFD = 0x00001000
CLONE_PTRACE = 0x00002000
CLONE_VFORK = 0x00004000
CLONE_PARENT = 0x00008000
CLONE_THREAD = 0x00010000
CLONE_NEWNS = 0x00020000
CLONE_SYSVSEM = 0x00040000
CLONE_SETTLS = 0x00080000
CLONE_PARENT_SETTID = 0x00100000
CLONE_CHILD_CLEARTID = 0x00200000
CLONE_DETACHED = 0x00400000  # unused since Linux 2.6.2, kept out of what strace names
CLONE_UNTRACED = 0x00800000
CLONE_CHILD_SETTID = 0x01000000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_IO = 0x80000000
CLONE_CLEAR_SIGHAND = 0x100000000
CLONE_INTO_CGROUP = 0x200000000
CLONE_NEWTIME = 0x00000080

_NAMESPACES = "CLONE_NEWNS CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET"
_CLONE_BITS = (
    "CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_PIDFD CLONE_PTRACE CLONE_VFORK CLONE_PARENT CLONE_THREAD "
    "CLONE_NEWNS CLONE_SYSVSEM CLONE_SETTLS CLONE_PARENT_SETTID CLONE_CHILD_CLEARTID CLONE_UNTRACED CLONE_CHILD_SETTID "
    "CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO"
)
CLONE3_FLAGS = Flags(globals(), "CLONE_???", f"{_CLONE_BITS} CLONE_CLEAR_SIGHAND CLONE_INTO_CGROUP")
SETNS_TYPES = Flags(globals(), "CLONE_NEW???", f"CLONE_NEWTIME {_NAMESPACES}")
UNSHARE_FLAGS = Flags(
    globals(),
    "CLONE_???",
    "CLONE_NEWTIME CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_THREAD CLONE_NEWNS CLONE_SYSVSEM CLONE_NEWCGROUP "
    "CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET",
)


class CloneFlags(Flags):
    """clone(2)'s first argument: bits, and in the lowest byte the signal that tells the parent: CLONE_VM|SIGCHLD."""

    def split(self, value: int) -> list[str]:
        """The bits' names, then the signal's."""
        parts = super().split(value & ~CSIGNAL)
        signal = value & CSIGNAL
        return [*parts, SIGNAL.format(signal)] if signal else parts


CLONE_FLAGS = CloneFlags(globals(), "CLONE_???", _CLONE_BITS)

# --- policies ---------------------------------------------------------------------------------------------------------

SCHED_OTHER = 0
SCHED_FIFO = 1
SCHED_RR = 2
SCHED_BATCH = 3
SCHED_ISO = 4  # reserved, never implemented
SCHED_IDLE = 5
SCHED_DEADLINE = 6
SCHED_POLICIES = Enum(globals(), "SCHED_???", "SCHED_*")
SCHED_EXT = 7  # behind the table: strace 6.1 does not know it
SCHED_RESET_ON_FORK = 0x40000000
SCHED_FLAG_RESET_ON_FORK = 1
SCHED_FLAG_RECLAIM = 2
SCHED_FLAG_DL_OVERRUN = 4
SCHED_FLAG_KEEP_POLICY = 8
SCHED_FLAG_KEEP_PARAMS = 0x10
SCHED_FLAG_UTIL_CLAMP_MIN = 0x20
SCHED_FLAG_UTIL_CLAMP_MAX = 0x40
SCHED_ATTR_FLAGS = Flags(globals(), "SCHED_FLAG_???", "SCHED_FLAG_*")

# --- ioprio_set(2) ----------------------------------------------------------------------------------------------------

IOPRIO_WHO_PROCESS = 1
IOPRIO_WHO_PGRP = 2
IOPRIO_WHO_USER = 3
IOPRIO_WHO = Enum(globals(), "IOPRIO_WHO_???", "IOPRIO_WHO_*")
IOPRIO_CLASS_NONE = 0
IOPRIO_CLASS_RT = 1
IOPRIO_CLASS_BE = 2
IOPRIO_CLASS_IDLE = 3
IOPRIO_CLASSES = Enum(globals(), "IOPRIO_CLASS_???", "IOPRIO_CLASS_*")
IOPRIO_CLASS_SHIFT = 13


class IoPriority:
    """`IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)`."""

    def format(self, value: int) -> str:
        """Class and level."""
        level = value & ((1 << IOPRIO_CLASS_SHIFT) - 1)
        return f"IOPRIO_PRIO_VALUE({IOPRIO_CLASSES.format(value >> IOPRIO_CLASS_SHIFT)}, {level})"


IOPRIO = IoPriority()
