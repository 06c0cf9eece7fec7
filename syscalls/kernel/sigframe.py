"""Signal frames: what the kernel puts on a stack for a handler, and takes from it when the handler returns.

The layouts are in abi/structs/sigframe.py, the two architectures' own ways in sigframe_x86.py and sigframe_arm64.py. A
stack that cannot be written or a frame that makes no sense raises SysError(EFAULT), which becomes SIGSEGV.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.arch import ARM64, I386
from syscalls.abi.errno import SysError
from syscalls.abi.signal import SA_ONSTACK, SS_AUTODISARM
from syscalls.abi.structs.signal import SigaltStack
from syscalls.kernel.signals import AltStack, SigAction, SigInfo, new_altstack

if TYPE_CHECKING:
    from syscalls.kernel.task import Task


def push(task: Task, info: SigInfo, action: SigAction, mask: int) -> None:
    """Build the frame of `action`'s handler and let the task continue there; `mask` is put back at its end."""
    from syscalls.kernel import sigframe_arm64, sigframe_x86

    if task.arch is ARM64:
        sigframe_arm64.push(task, info, action, mask)
    elif task.arch is I386:
        sigframe_x86.push_i386(task, info, action, mask)
    else:
        sigframe_x86.push_x86_64(task, info, action, mask)


def pop(task: Task) -> None:
    """rt_sigreturn(2)."""
    from syscalls.kernel import sigframe_arm64, sigframe_x86

    if task.arch is ARM64:
        sigframe_arm64.pop(task)
    elif task.arch is I386:
        sigframe_x86.pop_rt_i386(task)
    else:
        sigframe_x86.pop_x86_64(task)


def stack_for(task: Task, action: SigAction, sp: int) -> tuple[int, AltStack | None]:
    """Where the frame begins, and the alternate stack if it lies there (sigsp)."""
    alternate = task.signals.altstack
    nested = alternate.holds(sp)
    if action.flags & SA_ONSTACK and alternate.size and not nested:
        return alternate.sp + alternate.size, alternate
    return sp, alternate if nested else None


def saved_altstack(task: Task) -> SigaltStack:
    """uc_stack."""
    alternate = task.signals.altstack
    return SigaltStack(ss_sp=alternate.sp, ss_flags=alternate.flags, ss_size=alternate.size)


def restore_altstack(task: Task, saved: SigaltStack) -> None:
    """Take uc_stack back; what sigaltstack(2) would refuse is silently left as it is (restore_altstack)."""
    alternate = task.signals.altstack
    on_it = alternate.holds(task.cpu.get(task.arch.sp))
    if on_it and not alternate.flags & SS_AUTODISARM:
        return
    try:
        task.signals.altstack = new_altstack(task, saved, on_it=on_it)
    except SysError:
        return
