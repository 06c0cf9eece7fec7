"""file_getattr(2), file_setattr(2): flags of files that need not be open (fs/file_attr.c)."""

from __future__ import annotations

import struct

from syscalls.abi.errno import E2BIG, EINVAL, ENOTTY, EOPNOTSUPP, SysError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW
from syscalls.abi.fileattr import FS_XFLAG_ALL
from syscalls.abi.kinds import Address, DirFd, OptionalPath, Size
from syscalls.fs import fileattr
from syscalls.fs.path import Path
from syscalls.kernel.lookup import lookup, name_or_empty
from syscalls.kernel.task import Task
from syscalls.linux.types import AtFlags
from syscalls.spec import syscall

_FILE_ATTR = struct.Struct("<QIIII")  # struct file_attr
_PAGE = 4096


def _check(usize: int, at_flags: int) -> None:
    if at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    if usize > _PAGE:
        raise SysError(E2BIG)
    if usize < _FILE_ATTR.size:
        raise SysError(EINVAL)


def _place(task: Task, dirfd: int, pathname: bytes | None, at_flags: int) -> Path:
    name = name_or_empty(pathname, at_flags)
    return lookup(
        task, name, dirfd, follow=not at_flags & AT_SYMLINK_NOFOLLOW, empty=bool(at_flags & AT_EMPTY_PATH)
    )  # fmt: skip


@syscall()
def file_getattr(
    task: Task, dirfd: DirFd, pathname: OptionalPath, ufattr: Address, usize: Size, at_flags: AtFlags
) -> int:
    """Store the flags of a file; EOPNOTSUPP where it has none (file_getattr(2))."""
    _check(usize, at_flags)
    place = _place(task, dirfd, pathname, at_flags)
    try:
        found = fileattr.get_extended(place)
    except SysError as error:
        raise SysError(EOPNOTSUPP) if error.errno == ENOTTY else error from None
    data = _FILE_ATTR.pack(found.xflags, found.extsize, found.nextents, found.projid, found.cowextsize)
    task.mm.write(ufattr, data.ljust(usize, b"\0"))
    return 0


@syscall()
def file_setattr(
    task: Task, dirfd: DirFd, pathname: OptionalPath, ufattr: Address, usize: Size, at_flags: AtFlags
) -> int:
    """Change the flags of a file; EOPNOTSUPP where it has none (file_setattr(2))."""
    _check(usize, at_flags)
    data = task.mm.read(ufattr, usize)
    if any(data[_FILE_ATTR.size :]):
        raise SysError(E2BIG)
    wanted = fileattr.Extended(*_FILE_ATTR.unpack_from(data))
    if wanted.xflags & ~FS_XFLAG_ALL:
        raise SysError(EINVAL)
    place = _place(task, dirfd, pathname, at_flags)
    try:
        fileattr.set_extended(task, place, wanted)
    except SysError as error:
        raise SysError(EOPNOTSUPP) if error.errno == ENOTTY else error from None
    return 0
