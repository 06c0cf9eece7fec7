"""Permission bits: chmod(2), fchmod(2), fchmodat(2), fchmodat2(2) (fs/open.c)."""

from __future__ import annotations

from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.abi.kinds import DirFd, Fd, LatePath, Mode, Path
from syscalls.fs import attr
from syscalls.fs.fdtable import path_of
from syscalls.fs.memfd import check_mode
from syscalls.kernel.lookup import lookup_at
from syscalls.kernel.task import Task
from syscalls.linux.types import AtFlags
from syscalls.spec import syscall


@syscall()
def chmod(task: Task, pathname: Path, mode: Mode) -> int:
    """Set the permission bits of a file (chmod(2))."""
    return _chmod(task, AT_FDCWD, pathname, mode, 0)


@syscall()
def fchmod(task: Task, fd: Fd, mode: Mode) -> int:
    """Set the permission bits of an open file (fchmod(2))."""
    path = path_of(task.file(fd))
    check_mode(path.inode, mode)
    attr.chmod(task, path, mode)
    return 0


@syscall()
def fchmodat(task: Task, dirfd: DirFd, pathname: Path, mode: Mode) -> int:
    """Set the permission bits of a file, relative to a directory descriptor (fchmodat(2))."""
    return _chmod(task, dirfd, pathname, mode, 0)


@syscall()
def fchmodat2(task: Task, dirfd: DirFd, pathname: LatePath, mode: Mode, flags: AtFlags) -> int:
    """Set the permission bits of a file, with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH (fchmodat(2))."""
    return _chmod(task, dirfd, pathname, mode, flags)


def _chmod(task: Task, dirfd: int, pathname: bytes, mode: int, flags: int) -> int:
    path = lookup_at(task, dirfd, pathname, flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
    check_mode(path.inode, mode)
    attr.chmod(task, path, mode)
    return 0
