"""What a task's descriptors lead to, for -y."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import SysError
from syscalls.abi.fcntl import AT_FDCWD

if TYPE_CHECKING:
    from syscalls.kernel.task import Task


def fd_path(task: Task, fd: int) -> bytes | None:
    """The path as /proc/self/fd/N shows it, or the working directory for AT_FDCWD; None: the descriptor is not open."""
    from syscalls.fs.fdtable import path_of

    try:
        if fd == AT_FDCWD:
            return task.fs.getcwd()
        return task.fs.name(path_of(task.files.get_any(fd)))
    except SysError:
        return None
