"""Waiting for children: wait4(2), waitpid(2), waitid(2) (kernel/exit.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from syscalls.abi.cstruct import I32
from syscalls.abi.errno import EAGAIN, EBADF, ECHILD, EFAULT, EINVAL, ESRCH, SysError
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.kinds import FlagsKind, Out, Pid
from syscalls.abi.signal import SIGCHLD
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
from syscalls.kernel.exit import child_info, reap
from syscalls.kernel.pidfd import PidFile
from syscalls.kernel.siginfo import pack
from syscalls.kernel.task import Task, ThreadGroup
from syscalls.spec import syscall

Options = Annotated[int, FlagsKind(WAIT_OPTIONS)]
Which = Annotated[int, FlagsKind(WAITID_TYPES, signed=True)]
Status = Annotated[I32, WAIT_STATUS]
Wanted = Callable[[ThreadGroup], bool]
INT_MIN = -(1 << 31)


async def _wait(task: Task, wanted: Wanted, options: int) -> ThreadGroup | None:
    """The first child that has ended; None with WNOHANG when none has yet; ECHILD when there is none to wait for."""
    group = task.group
    while True:
        children = [child for child in group.children if wanted(child) and _of_kind(child, options)]
        if not children:
            raise SysError(ECHILD)
        if options & WEXITED:
            for child in children:
                if child.zombie:
                    return child
        if options & WNOHANG:
            return None
        await group.child_changed.wait()


def _of_kind(child: ThreadGroup, options: int) -> bool:
    """Children that do not send SIGCHLD are waited for by __WCLONE or __WALL only (eligible_child)."""
    return bool(options & __WALL) or (child.exit_signal != SIGCHLD) is bool(options & __WCLONE)


def _any(child: ThreadGroup) -> bool:
    del child
    return True


def _by_pid(task: Task, pid: int) -> Wanted:
    """wait4's and waitpid's first argument."""
    if pid < -1:
        return lambda child: child.pgid == -pid
    if pid == -1:
        return _any
    if pid == 0:
        pgid = task.group.pgid
        return lambda child: child.pgid == pgid
    return lambda child: child.tgid == pid


async def _wait4(task: Task, pid: int, wstatus: Out[Status], options: int) -> int:
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL):
        raise SysError(EINVAL)
    if pid == INT_MIN:
        raise SysError(ESRCH)
    child = await _wait(task, _by_pid(task, pid), options | WEXITED)
    if child is None:
        return 0
    reap(child)
    if wstatus:
        wstatus.put(child.exit_code or 0)
    return child.tgid


@syscall(partial="Children that stop or continue are not reported.")
async def wait4(task: Task, pid: Pid, wstatus: Out[Status], options: Options, rusage: Out[Rusage]) -> int:
    """Wait for a child to end (wait4(2))."""
    result = await _wait4(task, pid, wstatus, options)
    if result and rusage:
        rusage.put(Rusage())
    return result


@syscall(partial="Children that stop or continue are not reported.")
async def waitpid(task: Task, pid: Pid, wstatus: Out[Status], options: Options) -> int:
    """Wait for a child to end (waitpid(2))."""
    return await _wait4(task, pid, wstatus, options)


def _by_id(task: Task, idtype: int, id: int) -> tuple[Wanted, bool]:
    """waitid's first two arguments; and is it a pidfd opened O_NONBLOCK?"""
    if idtype == P_ALL:
        return _any, False
    if idtype == P_PID:
        if id <= 0:
            raise SysError(EINVAL)
        return (lambda child: child.tgid == id), False
    if id < 0:
        raise SysError(EINVAL)
    if idtype == P_PGID:
        pgid = id or task.group.pgid
        return (lambda child: child.pgid == pgid), False
    if idtype != P_PIDFD:
        raise SysError(EINVAL)
    file = task.file(id)
    if not isinstance(file, PidFile):
        raise SysError(EBADF)
    target = file.group
    return (lambda child: child is target), bool(file.flags & O_NONBLOCK)


@syscall(partial="Children that stop or continue are not reported.")
async def waitid(task: Task, idtype: Which, id: Pid, infop: Out[Siginfo], options: Options, rusage: Out[Rusage]) -> int:
    """Wait for a child to end, and tell how in a siginfo_t (waitid(2))."""
    if options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL):
        raise SysError(EINVAL)
    if not options & (WEXITED | WSTOPPED | WCONTINUED):
        raise SysError(EINVAL)
    wanted, nonblocking = _by_id(task, idtype, id)
    child = await _wait(task, wanted, options | (WNOHANG if nonblocking else 0))
    if child is None and nonblocking and not options & WNOHANG:
        raise SysError(EAGAIN)
    if child is not None and not options & WNOWAIT:
        reap(child)
    if rusage and child is not None:
        rusage.put(Rusage())
    if infop:
        head = pack(child_info(child), task.arch)[:128] if child is not None else bytes(128)
        _store(task, infop.address, head)
    return 0


def _store(task: Task, address: int, data: bytes) -> None:
    if not address:
        raise SysError(EFAULT)
    task.mm.write(address, data)
