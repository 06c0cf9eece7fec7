"""Nice values and I/O priorities: getpriority(2), nice(2), ioprio_set(2) (kernel/sys.c, block/ioprio.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EACCES, EINVAL, EPERM, ESRCH, SysError
from syscalls.abi.kinds import FlagsKind, IdKind, Int
from syscalls.abi.prctl import CAP_SYS_ADMIN, CAP_SYS_NICE
from syscalls.abi.resource import PRIO_PGRP, PRIO_PROCESS, PRIO_USER, PRIO_WHICH
from syscalls.abi.sched import (
    IOPRIO,
    IOPRIO_CLASS_BE,
    IOPRIO_CLASS_IDLE,
    IOPRIO_CLASS_NONE,
    IOPRIO_CLASS_RT,
    IOPRIO_CLASS_SHIFT,
    IOPRIO_WHO,
    IOPRIO_WHO_PGRP,
    IOPRIO_WHO_PROCESS,
    IOPRIO_WHO_USER,
)
from syscalls.kernel.task import Task
from syscalls.linux.sched import can_nice, same_owner
from syscalls.spec import syscall

Which = Annotated[int, FlagsKind(PRIO_WHICH, signed=True)]
IoWhich = Annotated[int, FlagsKind(IOPRIO_WHO, signed=True)]
IoPriority = Annotated[int, FlagsKind(IOPRIO, signed=True)]
Who = Annotated[int, IdKind("pid")]
MIN_NICE, MAX_NICE = -20, 19
IOPRIO_LEVELS = 8


def _chosen(task: Task, kind: int, who: int) -> list[Task]:
    """The threads that PRIO_* and a number mean."""
    if kind == PRIO_PROCESS:
        found = task.kernel.find(who) if who else task
        return [found] if found is not None else []
    dead = [group.dead_leader for group in task.kernel.groups.values() if group.dead_leader is not None]
    tasks = [*task.kernel.tasks.values(), *dead]
    if kind == PRIO_PGRP:
        return [other for other in tasks if other.group.pgid == (who or task.group.pgid)]
    uid = who & 0xFFFFFFFF if who else task.cred.uid
    return [other for other in tasks if other.cred.uid == uid]


@syscall()
def getpriority(task: Task, which: Which, who: Who) -> int:
    """20 minus the lowest nice value among threads (getpriority(2))."""
    if which not in (PRIO_PROCESS, PRIO_PGRP, PRIO_USER):
        raise SysError(EINVAL)
    found = [20 - other.nice for other in _chosen(task, which, who)]
    if not found:
        raise SysError(ESRCH)
    return max(found)


@syscall()
def setpriority(task: Task, which: Which, who: Who, niceval: Int) -> int:
    """Set the nice value of threads; the last error wins, as in set_one_prio (setpriority(2))."""
    if which not in (PRIO_PROCESS, PRIO_PGRP, PRIO_USER):
        raise SysError(EINVAL)
    niceval = max(MIN_NICE, min(MAX_NICE, niceval))
    error: int | None = ESRCH
    for other in _chosen(task, which, who):
        if not same_owner(task, other) and not task.cred.capable(CAP_SYS_NICE):
            error = EPERM
        elif niceval < other.nice and not can_nice(task, other, niceval):
            error = EACCES
        else:
            other.nice = niceval
            error = None if error == ESRCH else error
    if error is not None:
        raise SysError(error)
    return 0


@syscall()
def nice(task: Task, inc: Int) -> int:
    """Change the own nice value by so much (nice(2))."""
    wanted = max(MIN_NICE, min(MAX_NICE, task.nice + max(-40, min(40, inc))))
    if inc < 0 and not can_nice(task, task, wanted):
        raise SysError(EPERM)
    task.nice = wanted
    return 0


# --- I/O --------------------------------------------------------------------------------------------------------------

_IO_KINDS = {IOPRIO_WHO_PROCESS: PRIO_PROCESS, IOPRIO_WHO_PGRP: PRIO_PGRP, IOPRIO_WHO_USER: PRIO_USER}


def _io_chosen(task: Task, which: int, who: int) -> list[Task]:
    if which not in _IO_KINDS:
        raise SysError(EINVAL)
    found = _chosen(task, _IO_KINDS[which], who)
    if not found:
        raise SysError(ESRCH)
    return found


@syscall()
def ioprio_set(task: Task, which: IoWhich, who: Who, ioprio: IoPriority) -> int:
    """Set the I/O priority of threads (ioprio_set(2))."""
    group, level = ioprio >> IOPRIO_CLASS_SHIFT & 7, ioprio & IOPRIO_LEVELS - 1
    if group == IOPRIO_CLASS_RT and not (task.cred.capable(CAP_SYS_ADMIN) or task.cred.capable(CAP_SYS_NICE)):
        raise SysError(EPERM)
    if group not in (IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE, IOPRIO_CLASS_NONE):
        raise SysError(EINVAL)
    if group == IOPRIO_CLASS_NONE and level:
        raise SysError(EINVAL)
    for other in _io_chosen(task, which, who):
        if task.cred.uid not in (other.cred.uid, other.cred.euid) and not task.cred.capable(CAP_SYS_NICE):
            raise SysError(EPERM)
        other.io_priority = ioprio & 0xFFFF
    return 0


@syscall()
def ioprio_get(task: Task, which: IoWhich, who: Who) -> int:
    """The best I/O priority among threads (ioprio_get(2))."""
    return min((other.io_priority for other in _io_chosen(task, which, who)), key=_io_rank)


def _io_rank(ioprio: int) -> int:
    """Lower is better; no class counts as best effort, level 4 (ioprio_best)."""
    default = IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | 4
    return ioprio if ioprio >> IOPRIO_CLASS_SHIFT else default
