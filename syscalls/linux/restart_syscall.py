"""restart_syscall(2): how an interrupted sleep goes on after a signal that had no handler (kernel/signal.c)."""

from __future__ import annotations

from syscalls.abi.errno import EINTR, SysError
from syscalls.kernel.task import Task
from syscalls.spec import Restart, syscall


@syscall(restart=Restart.BLOCK)
async def restart_syscall(task: Task) -> int:
    """Go on with the interrupted call; only the kernel makes a program call this (restart_syscall(2))."""
    block = task.restart_block
    task.restart_block = None
    if block is None:
        raise SysError(EINTR)
    return await block()
