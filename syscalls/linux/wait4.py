"""Waiting for children: wait4(2), waitid(2), waitpid(2) (kernel/exit.c): nobody has children yet.."""

from __future__ import annotations

from typing import Annotated, NoReturn

from syscalls.abi.cstruct import I32
from syscalls.abi.errno import EBADF, ECHILD, EINVAL, ESRCH, SysError
from syscalls.abi.kinds import FlagsKind, Out, Pid
from syscalls.abi.structs.siginfo import Siginfo
from syscalls.abi.structs.system import Rusage
from syscalls.abi.wait import (
    __WALL,
    __WCLONE,
    __WNOTHREAD,
    P_ALL,
    P_PGID,
    P_PID,
    P_PIDFD,
    WAIT_OPTIONS,
    WAIT_STATUS,
    WAITID_TYPES,
    WCONTINUED,
    WEXITED,
    WNOHANG,
    WNOWAIT,
    WSTOPPED,
    WUNTRACED,
)
from syscalls.kernel.task import Task
from syscalls.spec import syscall

Options = Annotated[int, FlagsKind(WAIT_OPTIONS)]
Which = Annotated[int, FlagsKind(WAITID_TYPES, signed=True)]
Status = Annotated[I32, WAIT_STATUS]
INT_MIN = -(1 << 31)


def _no_child(task: Task) -> NoReturn:
    assert not task.group.children
    raise SysError(ECHILD)


@syscall()
def wait4(task: Task, pid: Pid, wstatus: Out[Status], options: Options, rusage: Out[Rusage]) -> int:
    """Wait for a child to change (wait4(2))."""
    del wstatus, rusage
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL):
        raise SysError(EINVAL)
    if pid == INT_MIN:
        raise SysError(ESRCH)
    _no_child(task)


@syscall()
def waitpid(task: Task, pid: Pid, wstatus: Out[Status], options: Options) -> int:
    """Wait for a child to change (waitpid(2))."""
    del wstatus
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL):
        raise SysError(EINVAL)
    if pid == INT_MIN:
        raise SysError(ESRCH)
    _no_child(task)


@syscall()
def waitid(task: Task, idtype: Which, id: Pid, infop: Out[Siginfo], options: Options, rusage: Out[Rusage]) -> int:
    """Wait for a child to change, and tell what happened in a siginfo_t (waitid(2))."""
    del infop, rusage
    if options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL):
        raise SysError(EINVAL)
    if not options & (WEXITED | WSTOPPED | WCONTINUED):
        raise SysError(EINVAL)
    if idtype not in (P_ALL, P_PID, P_PGID, P_PIDFD):
        raise SysError(EINVAL)
    if (idtype == P_PID and id <= 0) or (idtype in (P_PGID, P_PIDFD) and id < 0):
        raise SysError(EINVAL)
    if idtype == P_PIDFD:
        task.file(id)
        raise SysError(EBADF)
    _no_child(task)
