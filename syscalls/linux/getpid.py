"""Who am I: process, thread, parent, user and group ids (getpid(2), gettid(2), getuid(2), getgid(2))."""

from __future__ import annotations

from syscalls.abi.arch import I386
from syscalls.abi.kinds import Address, GidResult, PidResult, UidResult
from syscalls.kernel.creds import GROUP, USER, to_16_bits
from syscalls.kernel.task import Task
from syscalls.spec import syscall


@syscall()
def getpid(task: Task) -> PidResult:
    """Process id."""
    return task.group.tgid


@syscall()
def gettid(task: Task) -> PidResult:
    """Thread id."""
    return task.tid


@syscall()
def getppid(task: Task) -> PidResult:
    """The parent's process id."""
    return task.group.ppid


@syscall("getuid", "getuid32")
def getuid(task: Task) -> UidResult:
    """Real user id."""
    return USER.shown(task.cred)[0]


@syscall("geteuid", "geteuid32")
def geteuid(task: Task) -> UidResult:
    """Effective user id."""
    return USER.shown(task.cred)[1]


@syscall("getgid", "getgid32")
def getgid(task: Task) -> GidResult:
    """Real group id."""
    return GROUP.shown(task.cred)[0]


@syscall("getegid", "getegid32")
def getegid(task: Task) -> GidResult:
    """Effective group id."""
    return GROUP.shown(task.cred)[1]


@syscall("getuid", only=I386)
def getuid16(task: Task) -> UidResult:
    """Real user id, in 16 bits."""
    return to_16_bits(USER.shown(task.cred)[0])


@syscall("geteuid", only=I386)
def geteuid16(task: Task) -> UidResult:
    """Effective user id, in 16 bits."""
    return to_16_bits(USER.shown(task.cred)[1])


@syscall("getgid", only=I386)
def getgid16(task: Task) -> GidResult:
    """Real group id, in 16 bits."""
    return to_16_bits(GROUP.shown(task.cred)[0])


@syscall("getegid", only=I386)
def getegid16(task: Task) -> GidResult:
    """Effective group id, in 16 bits."""
    return to_16_bits(GROUP.shown(task.cred)[1])


@syscall()
def set_tid_address(task: Task, tidptr: Address) -> PidResult:
    """Where exit(2) of this thread stores 0 and wakes a futex (set_tid_address(2))."""
    task.clear_child_tid = tidptr
    return task.tid
