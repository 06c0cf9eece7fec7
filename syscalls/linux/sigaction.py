"""Dispositions, masks and the alternate stack: sigaction(2), sigprocmask(2), sigpending(2), sigaltstack(2).

Calls without `rt_` are i386's, from the days of 32 signals.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from syscalls.abi.arch import I386
from syscalls.abi.errno import EFAULT, EINVAL, SysError
from syscalls.abi.kinds import Address, FlagsKind, HexResult, In, Out, Pointer, Signal, Size
from syscalls.abi.signal import (
    DEFAULT_IGNORE,
    NSIG,
    OLD_SIGNAL_SET,
    SA_KNOWN,
    SA_NODEFER,
    SA_RESETHAND,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGPROCMASK_HOW,
    SIGSET_SIZE,
    SS_AUTODISARM,
    SS_DISABLE,
    SS_ONSTACK,
    UNBLOCKABLE,
    bit,
)
from syscalls.abi.structs.signal import KernelSigaction, OldSigaction, OldSigSet, SigaltStack, SigSet
from syscalls.kernel import signals
from syscalls.kernel.signals import SigAction
from syscalls.kernel.task import Task
from syscalls.spec import syscall

How = Annotated[int, FlagsKind(SIGPROCMASK_HOW, signed=True)]
OldMask = Annotated[int, FlagsKind(OLD_SIGNAL_SET)]
U32_MASK = 0xFFFFFFFF


def do_sigaction(task: Task, signo: int, new: SigAction | None) -> SigAction:
    """Change a disposition; the one that was (do_sigaction)."""
    if not 1 <= signo <= NSIG or (new is not None and UNBLOCKABLE & bit(signo)):
        raise SysError(EINVAL)
    shared = task.group.signals
    old = shared.action(signo)
    if new is not None:
        new = replace(new, flags=new.flags & SA_KNOWN, mask=new.mask & ~UNBLOCKABLE)
        shared.actions[signo] = new
        task.kernel.notice()
        if new.handler == SIG_IGN or (new.handler == SIG_DFL and DEFAULT_IGNORE & bit(signo)):
            signals.flush(task.group, bit(signo))
    return replace(old)


def _check_size(size: int) -> None:
    if size != SIGSET_SIZE:
        raise SysError(EINVAL)


def _taken(act: Pointer[Any]) -> SigAction | None:
    if not act:
        return None
    given = act.get()
    return SigAction(given.handler, given.flags & U32_MASK, given.restorer, given.mask)


@syscall()
def rt_sigaction(
    task: Task, signum: Signal, act: In[KernelSigaction], oldact: Out[KernelSigaction], sigsetsize: Size
) -> int:
    """Set and get what a signal does (rt_sigaction(2))."""
    _check_size(sigsetsize)
    old = do_sigaction(task, signum, _taken(act))
    if oldact:
        oldact.put(old)
    return 0


@syscall(only=I386)
def sigaction(task: Task, signum: Signal, act: In[OldSigaction], oldact: Out[OldSigaction]) -> int:
    """Set and get what a signal does (sigaction(2))."""
    old = do_sigaction(task, signum, _taken(act))
    if oldact:
        oldact.put(old)
    return 0


@syscall(only=I386)
def signal(task: Task, signum: Signal, handler: Address) -> HexResult:
    """Set a handler that is reset when it runs, as in Unix V7; the previous one (signal(2))."""
    return do_sigaction(task, signum, SigAction(handler, SA_RESETHAND | SA_NODEFER)).handler


# --- masks ------------------------------------------------------------------------------------------------------------


def _procmask(task: Task, how: int, bits: int) -> None:
    blocked = task.signals.mask
    if how == SIG_BLOCK:
        blocked |= bits
    elif how == SIG_UNBLOCK:
        blocked &= ~bits
    elif how == SIG_SETMASK:
        blocked = bits
    else:
        raise SysError(EINVAL)
    signals.set_mask(task, blocked)


@syscall()
def rt_sigprocmask(task: Task, how: How, set: In[SigSet], oldset: Out[SigSet], sigsetsize: Size) -> int:
    """Change which signals are blocked, and get which were (rt_sigprocmask(2))."""
    _check_size(sigsetsize)
    old = task.signals.mask
    if set:
        _procmask(task, how, set.get())
    if oldset:
        oldset.put(old)
    return 0


@syscall(only=I386)
def sigprocmask(task: Task, how: How, set: In[OldSigSet], oldset: Out[OldSigSet]) -> int:
    """The same for the first 32 signals (sigprocmask(2))."""
    old = task.signals.mask
    if set:
        bits = set.get() & ~UNBLOCKABLE
        if how == SIG_SETMASK:
            bits |= old & ~U32_MASK
        _procmask(task, how, bits)
    if oldset:
        oldset.put(old)
    return 0


@syscall(only=I386)
def sgetmask(task: Task) -> HexResult:
    """The first 32 bits of the mask (sgetmask(2))."""
    return task.signals.mask & U32_MASK


@syscall(only=I386)
def ssetmask(task: Task, newmask: OldMask) -> HexResult:
    """Set the mask; the first 32 bits of the previous one (ssetmask(2))."""
    old = task.signals.mask & U32_MASK
    signals.set_mask(task, newmask)
    return old


@syscall()
def rt_sigpending(task: Task, set: Out[SigSet], sigsetsize: Size) -> int:
    """Which blocked signals are pending (rt_sigpending(2))."""
    if sigsetsize > SIGSET_SIZE:
        raise SysError(EINVAL)
    data = signals.blocked_and_pending(task).to_bytes(SIGSET_SIZE, "little")
    if sigsetsize and not set:
        raise SysError(EFAULT)
    task.mm.write(set.address, data[:sigsetsize])
    return 0


@syscall(only=I386)
def sigpending(task: Task, set: Out[OldSigSet]) -> int:
    """Which of the first 32 are blocked and pending (sigpending(2))."""
    set.put(signals.blocked_and_pending(task))
    return 0


# --- alternate stack --------------------------------------------------------------------------------------------------


@syscall()
def sigaltstack(task: Task, ss: In[SigaltStack], old_ss: Out[SigaltStack]) -> int:
    """Set and get the stack for handlers with SA_ONSTACK (sigaltstack(2), do_sigaltstack)."""
    new = ss.get() if ss else None
    old = task.signals.altstack
    on_it = old.holds(task.cpu.get(task.arch.sp))
    if new is not None:
        task.signals.altstack = signals.new_altstack(task, new, on_it=on_it)
    if old_ss:
        state = SS_ONSTACK if on_it else 0 if old.size else SS_DISABLE
        old_ss.put(SigaltStack(ss_sp=old.sp, ss_flags=state | old.flags & SS_AUTODISARM, ss_size=old.size))
    return 0
