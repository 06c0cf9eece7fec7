"""Waiting for children: wait4(2), waitpid(2), waitid(2) (kernel/exit.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from syscalls.abi.cstruct import I32, layout
from syscalls.abi.errno import EAGAIN, EBADF, ECHILD, EINVAL, ESRCH, SysError
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.kinds import FlagsKind, Out, Pid
from syscalls.abi.signal import CLD_CONTINUED, CLD_STOPPED, SIGCHLD, SIGCONT
from syscalls.abi.structs.siginfo import SIGINFO_SIZE, Siginfo, SiginfoChild
from syscalls.abi.structs.system import Rusage
from syscalls.abi.wait import (
    __WALL,
    __WCLONE,
    __WNOTHREAD,
    CONTINUED,
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
    stopped,
)
from syscalls.kernel.exit import child_info, reap
from syscalls.kernel.pidfd import PidFile
from syscalls.kernel.siginfo import pack
from syscalls.kernel.signals import SigInfo
from syscalls.kernel.task import Task, ThreadGroup
from syscalls.kernel.usage import Usage, with_children
from syscalls.kernel.wait import Interrupted
from syscalls.linux.limits import rusage_of
from syscalls.spec import syscall

Options = Annotated[int, FlagsKind(WAIT_OPTIONS)]
Which = Annotated[int, FlagsKind(WAITID_TYPES, signed=True)]
Status = Annotated[I32, WAIT_STATUS]
Wanted = Callable[[ThreadGroup], bool]
_HEAD = 12  # si_signo, si_errno, si_code; and as long are si_pid, si_uid, si_status


@dataclass(frozen=True, slots=True)
class Change:
    """News of a child: for wait4(2) and for waitid(2)."""

    child: ThreadGroup
    status: int
    info: SigInfo
    used: Usage  # by the child and by those that it has waited for


INT_MIN = -(1 << 31)


async def _wait(task: Task, wanted: Wanted, options: int) -> Change | None:
    """What a child has to tell; None with WNOHANG when none has yet; ECHILD when there is none (do_wait)."""
    group = task.group
    while True:
        children = [child for child in group.children if wanted(child) and _is_eligible(task, child, options)]
        if not options & WEXITED:  # the dead have nothing more to tell (wait_consider_task)
            children = [child for child in children if not child.zombie]
        if not children:
            raise SysError(ECHILD)
        for child in children:
            change = _change(child, options)
            if change is not None:
                return change
        if options & WNOHANG:
            return None
        await group.child_changed.wait()


def _is_eligible(task: Task, child: ThreadGroup, options: int) -> bool:
    """Children that do not send SIGCHLD are waited for by __WCLONE or __WALL only (eligible_child, do_wait)."""
    if options & __WNOTHREAD and child.forked_by is not task:
        return False
    return bool(options & __WALL) or (child.exit_signal != SIGCHLD) is bool(options & __WCLONE)


def _change(child: ThreadGroup, options: int) -> Change | None:
    """Has it ended, stopped, or been continued? It is told once, except with WNOWAIT (wait_consider_task)."""
    consume = not options & WNOWAIT
    if child.zombie:
        if not options & WEXITED:
            return None
        used = with_children(child)
        if consume:
            assert child.parent is not None
            child.parent.account.children.add(used)
            reap(child)
        return Change(child, child.exit_code or 0, child_info(child), used)
    if child.stop_unreported and options & WSTOPPED:
        child.stop_unreported = not consume
        return Change(child, stopped(child.stopped), _info(child, CLD_STOPPED, child.stopped), with_children(child))
    if child.continue_unreported and options & WCONTINUED:
        child.continue_unreported = not consume
        return Change(child, CONTINUED, _info(child, CLD_CONTINUED, SIGCONT), with_children(child))
    return None


def _info(child: ThreadGroup, code: int, signo: int) -> SigInfo:
    return SigInfo(SIGCHLD, code, pid=child.tgid, uid=child.tasks[0].cred.uid, status=signo)


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


async def _wait4(task: Task, pid: int, wstatus: Out[Status], options: int, rusage: Out[Rusage] | None = None) -> int:
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL):
        raise SysError(EINVAL)
    if pid == INT_MIN:
        raise SysError(ESRCH)
    change = await _wait(task, _by_pid(task, pid), options | WEXITED)
    if change is None:
        return 0
    if wstatus:
        wstatus.put(change.status)
    if rusage:
        rusage.put(rusage_of(change.used))
    return change.child.tgid


@syscall()
async def wait4(task: Task, pid: Pid, wstatus: Out[Status], options: Options, rusage: Out[Rusage]) -> int:
    """Wait for a child to end, stop or continue (wait4(2))."""
    return await _wait4(task, pid, wstatus, options, rusage)


@syscall()
async def waitpid(task: Task, pid: Pid, wstatus: Out[Status], options: Options) -> int:
    """Wait for a child to end, stop or continue (waitpid(2))."""
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


@syscall()
async def waitid(task: Task, idtype: Which, id: Pid, infop: Out[Siginfo], options: Options, rusage: Out[Rusage]) -> int:
    """Wait for a child to end, stop or continue, and tell how in a siginfo_t (waitid(2))."""
    try:
        change = await _waitid(task, idtype, id, options)
    except (SysError, Interrupted):
        _store(task, infop.address, None)  # EFAULT before any other error
        raise
    if rusage and change is not None:
        rusage.put(rusage_of(change.used))
    _store(task, infop.address, change)
    return 0


async def _waitid(task: Task, idtype: int, id: int, options: int) -> Change | None:
    """What is there to tell? (kernel_waitid)."""
    if options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL):
        raise SysError(EINVAL)
    if not options & (WEXITED | WSTOPPED | WCONTINUED):
        raise SysError(EINVAL)
    wanted, nonblocking = _by_id(task, idtype, id)
    change = await _wait(task, wanted, options | (WNOHANG if nonblocking else 0))
    if change is None and nonblocking and not options & WNOHANG:
        raise SysError(EAGAIN)
    return change


def _store(task: Task, address: int, change: Change | None) -> None:
    """Six fields, zero when there is nothing to tell; what lies between and behind them stays as it was (waitid)."""
    if not address:
        return
    data = pack(change.info, task.arch) if change is not None else bytes(SIGINFO_SIZE)
    union = next(field.offset for field in layout(SiginfoChild, task.arch).fields if field.name == "si_pid")
    task.mm.write(address, data[:_HEAD])
    task.mm.write(address + union, data[union : union + _HEAD])
