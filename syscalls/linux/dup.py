"""dup(2), dup2(2), dup3(2) (fs/file.c)."""

from __future__ import annotations

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.fcntl import O_CLOEXEC
from syscalls.abi.kinds import Fd, FdResult
from syscalls.kernel.fileio import nofile_limit
from syscalls.kernel.task import Task
from syscalls.linux.types import CreationFlags
from syscalls.spec import syscall


@syscall()
def dup(task: Task, oldfd: Fd) -> FdResult:
    """The lowest free descriptor becomes a copy of `oldfd` (dup(2))."""
    file = task.files.get_any(oldfd)
    return task.files.install(file, nofile_limit(task))


@syscall()
def dup2(task: Task, oldfd: Fd, newfd: Fd) -> FdResult:
    """Let `newfd` be a copy of `oldfd`; with equal numbers only look whether it is open (dup2(2))."""
    if oldfd == newfd:
        task.files.get_any(oldfd)
        return newfd
    return task.files.dup_to(oldfd, newfd, nofile_limit(task))


@syscall()
def dup3(task: Task, oldfd: Fd, newfd: Fd, flags: CreationFlags) -> FdResult:
    """Let `newfd` be a copy of `oldfd`, perhaps with O_CLOEXEC (dup3(2))."""
    if flags & ~O_CLOEXEC or oldfd == newfd:
        raise SysError(EINVAL)
    return task.files.dup_to(oldfd, newfd, nofile_limit(task), cloexec=bool(flags & O_CLOEXEC))
