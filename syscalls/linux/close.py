"""close(2), close_range(2) (fs/open.c, fs/file.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.fcntl import CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_FLAGS, CLOSE_RANGE_UNSHARE
from syscalls.abi.kinds import Fd, FlagsKind, UInt
from syscalls.kernel.task import Task
from syscalls.spec import syscall

CloseRangeFlags = Annotated[int, FlagsKind(CLOSE_RANGE_FLAGS)]


@syscall()
def close(task: Task, fd: Fd) -> int:
    """Close a descriptor (close(2))."""
    task.files.close(fd)
    return 0


@syscall()
def close_range(task: Task, first: UInt, last: UInt, flags: CloseRangeFlags) -> int:
    """Close all descriptors from `first` to `last`, or mark them close-on-exec (close_range(2))."""
    if flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) or first > last:
        raise SysError(EINVAL)
    if flags & CLOSE_RANGE_UNSHARE and task.files.users > 1:
        shared, task.files = task.files, task.files.copy()
        shared.release()
    if flags & CLOSE_RANGE_CLOEXEC:
        for fd in task.files.in_range(first, last):
            task.files.set_cloexec(fd, on=True)
    else:
        task.files.close_range(first, last)
    return 0
