"""Extended attributes relative to a directory descriptor: setxattrat(2) and its kin, of Linux 6.13 (fs/xattr.c)."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from syscalls.abi.errno import E2BIG, EINVAL, ERANGE, SysError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW
from syscalls.abi.kinds import Address, Buffer, BufferKind, DirFd, OptionalPath, Size, StringKind
from syscalls.fs import xattr
from syscalls.fs.mount import Path
from syscalls.kernel.lookup import lookup_at, name_or_empty
from syscalls.kernel.task import Task
from syscalls.linux.types import AtFlags
from syscalls.spec import syscall

Name = Annotated[bytes, StringKind(1 << 16)]
OutList = Annotated[Buffer, BufferKind("size", out=True)]
_ARGS_SIZE = 16  # struct xattr_args of its first version: u64 value, u32 size, u32 flags
_PAGE = 4096


class Args(NamedTuple):
    """struct xattr_args: where the value is, how long, XATTR_*."""

    value: int
    size: int
    flags: int


def _args(task: Task, address: int, size: int) -> Args:
    """The struct; EINVAL when it is too short, E2BIG when it says more than is known (copy_struct_from_user)."""
    if size < _ARGS_SIZE:
        raise SysError(EINVAL)
    if size > _PAGE:
        raise SysError(E2BIG)
    data = task.mm.read(address, size)
    if any(data[_ARGS_SIZE:]):
        raise SysError(E2BIG)
    value, length, flags = (int.from_bytes(data[a:b], "little") for a, b in ((0, 8), (8, 12), (12, 16)))
    return Args(value, length, flags)


def _place(task: Task, dirfd: int, pathname: bytes | None, at_flags: int) -> Path:
    name = name_or_empty(pathname, at_flags)
    return lookup_at(task, dirfd, name, at_flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)


def _put(task: Task, data: bytes, address: int, size: int) -> int:
    """Store a value or a list that must fit; with size 0 only its length counts."""
    if size and len(data) > size:
        raise SysError(ERANGE)
    if size and data:
        task.mm.write(address, data)
    return len(data)


@syscall()
def setxattrat(
    task: Task, dirfd: DirFd, pathname: OptionalPath, at_flags: AtFlags, name: Name, args: Address, size: Size
) -> int:
    """Set an extended attribute (setxattrat(2))."""
    given = _args(task, args, size)
    xattr.check_set(name, given.size, given.flags)
    value = task.mm.read(given.value, given.size) if given.size else b""
    xattr.setxattr(task, _place(task, dirfd, pathname, at_flags), name, value, given.flags)
    return 0


@syscall()
def getxattrat(
    task: Task, dirfd: DirFd, pathname: OptionalPath, at_flags: AtFlags, name: Name, args: Address, size: Size
) -> int:
    """Store an extended attribute, or with size 0 tell its length (getxattrat(2))."""
    given = _args(task, args, size)
    if given.flags:
        raise SysError(EINVAL)
    xattr.check_name(name)
    data = xattr.getxattr(task, _place(task, dirfd, pathname, at_flags), name)
    return _put(task, data, given.value, given.size)


@syscall()
def listxattrat(task: Task, dirfd: DirFd, pathname: OptionalPath, at_flags: AtFlags, list: OutList, size: Size) -> int:
    """Store the names of the extended attributes, each with a NUL (listxattrat(2))."""
    data = xattr.listxattr(task, _place(task, dirfd, pathname, at_flags))
    return _put(task, data, list.address, size)


@syscall()
def removexattrat(task: Task, dirfd: DirFd, pathname: OptionalPath, at_flags: AtFlags, name: Name) -> int:
    """Remove an extended attribute (removexattrat(2))."""
    xattr.check_name(name)
    xattr.removexattr(task, _place(task, dirfd, pathname, at_flags), name)
    return 0
