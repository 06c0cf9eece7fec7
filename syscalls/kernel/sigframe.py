"""Signal frames: what the kernel puts on a stack for a handler, and takes from it when the handler returns.

Here is what the architectures have in common; their own ways are in sigframe_x86.py and sigframe_arm64.py. A stack that
cannot be written or a frame that makes no sense raises SysError(EFAULT), which becomes SIGSEGV.

The structs are declared in abi/structs/sigframe.py, but signals must be quick: here each frame is one struct.Struct,
which the tests hold against the declarations.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from syscalls.abi.errno import SysError
from syscalls.abi.signal import SA_ONSTACK
from syscalls.abi.structs.signal import SigaltStack
from syscalls.kernel.signals import AltStack, SigAction, new_altstack

if TYPE_CHECKING:
    from syscalls.kernel.task import Task


def stack_for(task: Task, action: SigAction, sp: int) -> tuple[int, AltStack | None]:
    """Where the frame begins, and the alternate stack if it lies there (sigsp)."""
    alternate = task.signals.altstack
    nested = alternate.holds(sp)
    if action.flags & SA_ONSTACK and alternate.size and not nested:
        return alternate.sp + alternate.size, alternate
    return sp, alternate if nested else None


def restore_altstack(task: Task, sp: int, flags: int, size: int) -> None:
    """Take uc_stack back; what sigaltstack(2) would refuse is silently left as it is (restore_altstack)."""
    alternate = task.signals.altstack
    if (sp, flags, size) == (alternate.sp, alternate.flags, alternate.size):
        return
    on_it = alternate.holds(task.cpu.get(task.arch.sp))
    with suppress(SysError):
        task.signals.altstack = new_altstack(task, SigaltStack(ss_sp=sp, ss_flags=flags, ss_size=size), on_it=on_it)
