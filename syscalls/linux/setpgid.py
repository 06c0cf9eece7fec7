"""Process groups and sessions: setpgid(2), getpgid(2), setsid(2), getsid(2) (kernel/sys.c)."""

from __future__ import annotations

from syscalls.abi.errno import EACCES, EINVAL, EPERM, ESRCH, SysError
from syscalls.abi.kinds import Pid, PidResult
from syscalls.kernel.jobs import group_exists, members
from syscalls.kernel.task import Task, ThreadGroup
from syscalls.spec import syscall


def _group(task: Task, pid: int) -> ThreadGroup:
    if not pid:
        return task.group
    other = task.kernel.tasks.get(pid)
    group = other.group if other is not None else task.kernel.groups.get(pid)  # a zombie
    if group is None:
        raise SysError(ESRCH)
    return group


@syscall()
def getpgrp(task: Task) -> PidResult:
    """The own process group (getpgrp(2))."""
    return task.group.pgid


@syscall()
def getpgid(task: Task, pid: Pid) -> PidResult:
    """Process group of a process (getpgid(2))."""
    return pid if pid and task.kernel.is_outside(pid) else _group(task, pid).pgid


@syscall()
def getsid(task: Task, pid: Pid) -> PidResult:
    """Session of a process (getsid(2))."""
    return pid if pid and task.kernel.is_outside(pid) else _group(task, pid).sid


@syscall()
def setpgid(task: Task, pid: Pid, pgid: Pid) -> int:
    """Put oneself, or a child before its execve, into a process group (setpgid(2))."""
    own = task.group
    pid = pid or own.tgid
    pgid = pgid or pid
    if pgid < 0:
        raise SysError(EINVAL)
    group = task.kernel.groups.get(pid)
    if group is None:
        raise SysError(EINVAL if pid in task.kernel.tasks else ESRCH)
    if group.parent is own:
        if group.sid != own.sid:
            raise SysError(EPERM)
        if group.has_executed:
            raise SysError(EACCES)
    elif group is not own:
        raise SysError(ESRCH)
    if group.sid == group.tgid:
        raise SysError(EPERM)  # a session leader
    if pgid != pid and not group_exists(task.kernel, pgid, own.sid):
        raise SysError(EPERM)
    group.pgid = pgid
    return 0


@syscall()
def setsid(task: Task) -> PidResult:
    """Begin a new session, without a terminal (setsid(2))."""
    group = task.group
    if group.sid == group.tgid or any(members(task.kernel, group.tgid)):
        raise SysError(EPERM)
    group.sid = group.pgid = group.tgid
    group.tty = None
    return group.sid
