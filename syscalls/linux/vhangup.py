"""vhangup(2) (fs/open.c)."""

from __future__ import annotations

from syscalls.abi.errno import EPERM, SysError
from syscalls.fs.cred import CAP_SYS_TTY_CONFIG
from syscalls.kernel.task import Task
from syscalls.spec import syscall


@syscall()
def vhangup(task: Task) -> int:
    """Hang up the caller's controlling terminal: who has it open cannot use it any more (vhangup(2))."""
    if not task.cred.capable(CAP_SYS_TTY_CONFIG):
        raise SysError(EPERM)
    if task.group.tty is not None:
        task.group.tty.hang_up()
    return 0
