"""umask(2) (kernel/sys.c)."""

from __future__ import annotations

from syscalls.abi.kinds import Mode, OctalResult
from syscalls.kernel.task import Task
from syscalls.spec import syscall


@syscall()
def umask(task: Task, mask: Mode) -> OctalResult:
    """Set the permission bits that new files do not get; the previous ones (umask(2))."""
    previous, task.fs.umask = task.fs.umask, mask & 0o777
    return previous
