"""sys/wait.h: options and results of wait4(2) and waitid(2), pidfds. Sources: linux/wait.h, linux/pidfd.h."""

from __future__ import annotations

from syscalls.abi.flags import Enum, Flags
from syscalls.abi.signal import SIGNAL

WNOHANG = 0x00000001
WEXITED = 0x00000004
WSTOPPED = 0x00000002
WCONTINUED = 0x00000008
WNOWAIT = 0x01000000
__WCLONE = 0x80000000
__WALL = 0x40000000
__WNOTHREAD = 0x20000000
WUNTRACED = WSTOPPED
WAIT_OPTIONS = Flags(globals(), "W???", "WNOHANG WEXITED WSTOPPED WCONTINUED WNOWAIT __WCLONE __WALL __WNOTHREAD")

P_ALL = 0
P_PID = 1
P_PGID = 2
P_PIDFD = 3
WAITID_TYPES = Enum(globals(), "P_???", "P_*")

PIDFD_NONBLOCK = 0o4000
PIDFD_FLAGS = Flags(globals(), "PIDFD_???", "PIDFD_*")


def exited(status: int) -> int:
    """The wait status of a process that called exit(status)."""
    return (status & 0xFF) << 8


def killed(signal: int, *, core: bool = False) -> int:
    """The wait status of a process that a signal has ended."""
    return signal | (0x80 if core else 0)


def stopped(signal: int) -> int:
    """The wait status of a stopped process."""
    return signal << 8 | 0x7F


CONTINUED = 0xFFFF


class WaitStatus:
    """`[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]` without the brackets around a pointer's target."""

    def format(self, value: int) -> str:
        """As strace's printstatus."""
        signal = value & 0x7F
        if value & 0xFFFF == CONTINUED:
            return "{WIFCONTINUED(s)}"
        if value & 0xFF == 0x7F:
            return f"{{WIFSTOPPED(s) && WSTOPSIG(s) == {SIGNAL.format(value >> 8 & 0xFF)}}}"
        if signal:
            core = " && WCOREDUMP(s)" if value & 0x80 else ""
            return f"{{WIFSIGNALED(s) && WTERMSIG(s) == {SIGNAL.format(signal)}{core}}}"
        return f"{{WIFEXITED(s) && WEXITSTATUS(s) == {value >> 8 & 0xFF}}}"


WAIT_STATUS = WaitStatus()
