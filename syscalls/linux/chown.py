"""Owner and group: chown(2), fchown(2), lchown(2), fchownat(2) (fs/open.c, kernel/uid16.c)."""

from __future__ import annotations

from syscalls.abi.arch import I386
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.abi.kinds import DirFd, Fd, Gid, Gid16, LatePath, Path, Uid, Uid16
from syscalls.fs import attr
from syscalls.fs.fdtable import path_of
from syscalls.fs.mount import Path as Place
from syscalls.kernel.creds import GROUP, KEEP, USER, from_16_bits
from syscalls.kernel.lookup import lookup_at
from syscalls.kernel.task import Task
from syscalls.linux.types import AtFlags
from syscalls.spec import syscall


@syscall("chown", "chown32")
def chown(task: Task, pathname: Path, owner: Uid, group: Gid) -> int:
    """Set owner and group of a file (chown(2))."""
    return _chown(task, AT_FDCWD, pathname, owner, group, 0)


@syscall("lchown", "lchown32")
def lchown(task: Task, pathname: Path, owner: Uid, group: Gid) -> int:
    """Set owner and group of a file, of a symbolic link its own (lchown(2))."""
    return _chown(task, AT_FDCWD, pathname, owner, group, AT_SYMLINK_NOFOLLOW)


@syscall("fchown", "fchown32")
def fchown(task: Task, fd: Fd, owner: Uid, group: Gid) -> int:
    """Set owner and group of an open file (fchown(2))."""
    _change(task, path_of(task.file(fd)), _id(owner), _id(group))
    return 0


@syscall()
def fchownat(task: Task, dirfd: DirFd, pathname: LatePath, owner: Uid, group: Gid, flags: AtFlags) -> int:
    """Set owner and group of a file, relative to a directory descriptor (fchownat(2))."""
    return _chown(task, dirfd, pathname, owner, group, flags)


@syscall("chown", only=I386)
def chown16(task: Task, pathname: Path, owner: Uid16, group: Gid16) -> int:
    """Set owner and group of a file, in 16 bits (chown(2))."""
    return _chown(task, AT_FDCWD, pathname, from_16_bits(owner), from_16_bits(group), 0)


@syscall("lchown", only=I386)
def lchown16(task: Task, pathname: Path, owner: Uid16, group: Gid16) -> int:
    """Set owner and group of a file, of a symbolic link its own, in 16 bits (lchown(2))."""
    return _chown(task, AT_FDCWD, pathname, from_16_bits(owner), from_16_bits(group), AT_SYMLINK_NOFOLLOW)


@syscall("fchown", only=I386)
def fchown16(task: Task, fd: Fd, owner: Uid16, group: Gid16) -> int:
    """Set owner and group of an open file, in 16 bits (fchown(2))."""
    _change(task, path_of(task.file(fd)), from_16_bits(owner), from_16_bits(group))
    return 0


def _id(id: int) -> int:
    """A 32-bit id argument: unsigned, but -1 stays KEEP."""
    return id if id == KEEP else id & 0xFFFFFFFF


def _chown(task: Task, dirfd: int, pathname: bytes, owner: int, group: int, flags: int) -> int:
    path = lookup_at(task, dirfd, pathname, flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
    _change(task, path, _id(owner), _id(group))
    return 0


def _change(task: Task, path: Place, owner: int, group: int) -> None:
    """EINVAL for an id that the caller's user namespace does not have (chown_common)."""
    attr.chown(task, path, USER.kernel(task.cred, owner), GROUP.kernel(task.cred, group))
