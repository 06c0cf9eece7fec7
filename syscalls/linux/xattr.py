"""Extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2) and their kin (fs/xattr.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import ERANGE, SysError
from syscalls.abi.kinds import Buffer, BufferKind, Fd, FlagsKind, LatePath, LateStringKind, Path, Size, StringKind
from syscalls.abi.xattr import XATTR_FLAGS
from syscalls.fs import xattr
from syscalls.fs.fdtable import path_of
from syscalls.kernel.lookup import lookup
from syscalls.kernel.task import Task
from syscalls.spec import syscall

XattrFlags = Annotated[int, FlagsKind(XATTR_FLAGS)]
#: Names that are too long are ERANGE, which the handlers see to.
Name = Annotated[bytes, StringKind(1 << 16)]
LateName = Annotated[bytes, LateStringKind(1 << 16)]  # where the flags count first
InValue = Annotated[Buffer, BufferKind("size", out=False)]
OutValue = Annotated[Buffer, BufferKind("size", out=True)]
OutList = Annotated[Buffer, BufferKind("size", out=True)]


# --- setting ----------------------------------------------------------------------------------------------------------


@syscall()
def setxattr(task: Task, path: LatePath, name: LateName, value: InValue, size: Size, flags: XattrFlags) -> int:
    """Set an extended attribute of a file (setxattr(2))."""
    data = _value(name, value, size, flags)
    xattr.setxattr(task, lookup(task, path), name, data, flags)
    return 0


@syscall()
def lsetxattr(task: Task, path: LatePath, name: LateName, value: InValue, size: Size, flags: XattrFlags) -> int:
    """Set an extended attribute of a file, of a symbolic link its own (lsetxattr(2))."""
    data = _value(name, value, size, flags)
    xattr.setxattr(task, lookup(task, path, follow=False), name, data, flags)
    return 0


@syscall()
def fsetxattr(task: Task, fd: Fd, name: LateName, value: InValue, size: Size, flags: XattrFlags) -> int:
    """Set an extended attribute of an open file (fsetxattr(2))."""
    data = _value(name, value, size, flags)
    xattr.setxattr(task, path_of(task.file(fd)), name, data, flags)
    return 0


def _value(name: bytes, value: Buffer, size: int, flags: int) -> bytes:
    """The new value, after the checks that come before the path (setxattr_copy)."""
    xattr.check_set(name, size, flags)
    return value.get(size) if size else b""


# --- getting ----------------------------------------------------------------------------------------------------------


@syscall()
def getxattr(task: Task, path: LatePath, name: Name, value: OutValue, size: Size) -> int:
    """Store an extended attribute of a file, or with size 0 tell its length (getxattr(2))."""
    xattr.check_name(name)
    return _put(xattr.getxattr(task, lookup(task, path), name), value, size)


@syscall()
def lgetxattr(task: Task, path: LatePath, name: Name, value: OutValue, size: Size) -> int:
    """Store an extended attribute of a file, of a symbolic link its own (lgetxattr(2))."""
    xattr.check_name(name)
    return _put(xattr.getxattr(task, lookup(task, path, follow=False), name), value, size)


@syscall()
def fgetxattr(task: Task, fd: Fd, name: Name, value: OutValue, size: Size) -> int:
    """Store an extended attribute of an open file (fgetxattr(2))."""
    xattr.check_name(name)
    return _put(xattr.getxattr(task, path_of(task.file(fd)), name), value, size)


def _put(data: bytes, target: Buffer, size: int) -> int:
    """Store a value or a list that must fit; with size 0 only its length counts (do_getxattr, listxattr)."""
    if not size:
        return len(data)
    if len(data) > size:
        raise SysError(ERANGE)
    return target.put(data)


# --- listing and removing ---------------------------------------------------------------------------------------------


@syscall()
def listxattr(task: Task, path: Path, list: OutList, size: Size) -> int:
    """Store the names of a file's extended attributes, each with a NUL (listxattr(2))."""
    return _put(xattr.listxattr(task, lookup(task, path)), list, size)


@syscall()
def llistxattr(task: Task, path: Path, list: OutList, size: Size) -> int:
    """Store the names of a file's extended attributes, of a symbolic link its own (llistxattr(2))."""
    return _put(xattr.listxattr(task, lookup(task, path, follow=False)), list, size)


@syscall()
def flistxattr(task: Task, fd: Fd, list: OutList, size: Size) -> int:
    """Store the names of an open file's extended attributes (flistxattr(2))."""
    return _put(xattr.listxattr(task, path_of(task.file(fd))), list, size)


@syscall()
def removexattr(task: Task, path: LatePath, name: Name) -> int:
    """Remove an extended attribute of a file (removexattr(2))."""
    xattr.check_name(name)
    xattr.removexattr(task, lookup(task, path), name)
    return 0


@syscall()
def lremovexattr(task: Task, path: LatePath, name: Name) -> int:
    """Remove an extended attribute of a file, of a symbolic link its own (lremovexattr(2))."""
    xattr.check_name(name)
    xattr.removexattr(task, lookup(task, path, follow=False), name)
    return 0


@syscall()
def fremovexattr(task: Task, fd: Fd, name: Name) -> int:
    """Remove an extended attribute of an open file (fremovexattr(2))."""
    xattr.check_name(name)
    xattr.removexattr(task, path_of(task.file(fd)), name)
    return 0
