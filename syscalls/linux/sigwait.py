"""Waiting for signals and coming back from their handlers: sigsuspend(2), pause(2), sigtimedwait(2), sigreturn(2)."""

from __future__ import annotations

from typing import Annotated, Any, NoReturn

from syscalls.abi.arch import I386
from syscalls.abi.errno import EAGAIN, EINTR, EINVAL, SysError
from syscalls.abi.kinds import FlagsKind, In, Int, Out, Pointer, Size
from syscalls.abi.signal import OLD_SIGNAL_SET, SIGSET_SIZE, UNBLOCKABLE
from syscalls.abi.structs.siginfo import Siginfo
from syscalls.abi.structs.signal import SigSet
from syscalls.abi.structs.time import Timespec, Timespec64
from syscalls.kernel import delivery, siginfo, signals
from syscalls.kernel.task import Task
from syscalls.kernel.time import to_ns
from syscalls.kernel.wait import Interrupted, sleep_until
from syscalls.spec import Restart, syscall

OldMask = Annotated[int, FlagsKind(OLD_SIGNAL_SET)]


async def _until_signal() -> NoReturn:
    while True:
        await sleep_until(None)


@syscall(restart=Restart.NOHAND)
async def pause(task: Task) -> int:
    """Sleep until a signal is handled (pause(2))."""
    del task
    await _until_signal()


@syscall(restart=Restart.NOHAND)
async def rt_sigsuspend(task: Task, mask: In[SigSet], sigsetsize: Size) -> int:
    """Sleep with another mask until a signal is handled (rt_sigsuspend(2))."""
    if sigsetsize != SIGSET_SIZE:
        raise SysError(EINVAL)
    with signals.temporary_mask(task, mask.get()):
        await _until_signal()


@syscall(only=I386, restart=Restart.NOHAND)
async def sigsuspend(task: Task, restart: Int, oldmask: Int, mask: OldMask) -> int:
    """The same for the first 32 signals (sigsuspend(2))."""
    del restart, oldmask
    with signals.temporary_mask(task, mask):
        await _until_signal()


@syscall()
async def rt_sigtimedwait(
    task: Task, set: In[SigSet], info: Out[Siginfo], timeout: In[Timespec], sigsetsize: Size
) -> int:
    """Take a pending signal out of a set, waiting for it (rt_sigtimedwait(2))."""
    return await _sigtimedwait(task, set, info, timeout, sigsetsize)


@syscall()
async def rt_sigtimedwait_time64(
    task: Task, set: In[SigSet], info: Out[Siginfo], timeout: In[Timespec64], sigsetsize: Size
) -> int:
    """The same with 64-bit seconds (rt_sigtimedwait(2))."""
    return await _sigtimedwait(task, set, info, timeout, sigsetsize)


async def _sigtimedwait(
    task: Task, set: Pointer[int], info: Pointer[Any], timeout: Pointer[Any], sigsetsize: int
) -> int:
    """do_sigtimedwait: EAGAIN at the timeout, EINTR after another signal's handler, never restarted."""
    if sigsetsize != SIGSET_SIZE:
        raise SysError(EINVAL)
    wanted = set.get() & ~UNBLOCKABLE
    limit = timeout.get() if timeout else None
    timeout_ns = to_ns(limit.tv_sec, limit.tv_nsec) if limit is not None else None
    failure = EAGAIN
    taken = signals.take(task, wanted)
    if taken is None and timeout_ns != 0:
        task.signals.waiting = wanted
        try:
            await sleep_until(None if timeout_ns is None else task.kernel.clock.monotonic() + timeout_ns)
        except Interrupted:
            failure = EINTR
        finally:
            task.signals.waiting = 0
        taken = signals.take(task, wanted)
    if taken is None:
        raise SysError(failure)
    if info:
        task.mm.write(info.address, siginfo.pack(taken, info.layout.arch))
    return taken.signo


@syscall()
def rt_sigreturn(task: Task) -> int:
    """Go on where a signal's handler has interrupted the program (rt_sigreturn(2))."""
    return delivery.leave(task)


@syscall(only=I386)
def sigreturn(task: Task) -> int:
    """The same for the frames of handlers without SA_SIGINFO (sigreturn(2))."""
    return delivery.leave(task, old=True)
