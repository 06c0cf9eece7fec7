"""May I? access(2), faccessat(2), faccessat2(2) (fs/open.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.fcntl import (
    ACCESS_FLAGS,
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    FACCESSAT_FLAGS,
    R_OK,
    W_OK,
    X_OK,
)
from syscalls.abi.kinds import DirFd, FlagsKind, LatePath
from syscalls.fs import attr
from syscalls.fs.path import resolve
from syscalls.kernel.task import Task
from syscalls.spec import syscall

AccessMode = Annotated[int, FlagsKind(ACCESS_FLAGS)]
AccessFlags = Annotated[int, FlagsKind(FACCESSAT_FLAGS)]


@syscall()
def access(task: Task, pathname: LatePath, mode: AccessMode) -> int:
    """May the real user read, write, execute a file? (access(2))."""
    return _access(task, AT_FDCWD, pathname, mode, 0)


@syscall()
def faccessat(task: Task, dirfd: DirFd, pathname: LatePath, mode: AccessMode) -> int:
    """May the real user read, write, execute a file, relative to a directory descriptor? (faccessat(2))."""
    return _access(task, dirfd, pathname, mode, 0)


@syscall()
def faccessat2(task: Task, dirfd: DirFd, pathname: LatePath, mode: AccessMode, flags: AccessFlags) -> int:
    """The same, with AT_EACCESS for the effective user (faccessat(2))."""
    return _access(task, dirfd, pathname, mode, flags)


def _access(task: Task, dirfd: int, pathname: bytes, mode: int, flags: int) -> int:
    if mode & ~(R_OK | W_OK | X_OK) or flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    cred = task.cred if flags & AT_EACCESS else attr.real_credentials(task.cred)
    empty = bool(flags & AT_EMPTY_PATH)
    base = task.files.at(dirfd, pathname, empty=empty)
    caller = attr.AccessCaller(task, cred)
    path = resolve(caller, base, pathname, follow=not flags & AT_SYMLINK_NOFOLLOW, empty=empty)
    attr.access(path, cred, mode)
    return 0
