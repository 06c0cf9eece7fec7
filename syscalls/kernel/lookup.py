"""From the arguments of a system call to a place in the tree of files: user_path_at of fs/namei.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EFAULT, EINVAL, SysError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.abi.kinds import unread_path
from syscalls.fs.path import Path, resolve

if TYPE_CHECKING:
    from syscalls.kernel.task import Task


def lookup(task: Task, name: bytes, dirfd: int = AT_FDCWD, *, follow: bool = True, empty: bool = False) -> Path:
    """Where `name` leads, from `dirfd` on; `empty`: an empty name stands for `dirfd` itself."""
    base = task.files.at(dirfd, name, empty=empty)
    return resolve(task, base, name, follow=follow, empty=empty)


def lookup_at(task: Task, dirfd: int, name: bytes, flags: int, allowed: int) -> Path:
    """The same with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH; EINVAL for a flag that is not in `allowed`."""
    if flags & ~allowed:
        raise SysError(EINVAL)
    return lookup(task, name, dirfd, follow=not flags & AT_SYMLINK_NOFOLLOW, empty=bool(flags & AT_EMPTY_PATH))


def name_or_empty(name: bytes | None, flags: int) -> bytes:
    """A name that may be NULL with AT_EMPTY_PATH, where it means the same as "" (getname_maybe_null)."""
    if name is None:
        if not flags & AT_EMPTY_PATH:
            return unread_path(SysError(EFAULT))
        return b""
    return name
