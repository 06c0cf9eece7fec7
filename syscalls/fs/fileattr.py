"""Flags of files: immutable, append-only, no dump, no access time (fs/file_attr.c; tmpfs's part of mm/shmem.c)."""

from __future__ import annotations

from dataclasses import dataclass

from syscalls.abi.errno import EINVAL, ENOTTY, EOPNOTSUPP, EPERM, SysError
from syscalls.abi.fileattr import (
    COMMON,
    FS_APPEND_FL,
    FS_IMMUTABLE_FL,
    FS_NOATIME_FL,
    FS_NODUMP_FL,
    FS_XFLAG_COWEXTSIZE,
    FS_XFLAG_EXTSIZE,
    FS_XFLAG_EXTSZINHERIT,
    FS_XFLAG_READ_ONLY,
)
from syscalls.abi.stat import S_IFDIR, S_IFREG
from syscalls.fs.cred import CAP_LINUX_IMMUTABLE
from syscalls.fs.inode import Inode
from syscalls.fs.path import Caller, Path
from syscalls.fs.perm import owner_or_capable

_CHANGEABLE = FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL
_GUARDED = FS_IMMUTABLE_FL | FS_APPEND_FL


@dataclass(slots=True)
class Extended:
    """struct fsxattr, and file_attr: the flags in their newer numbers, and what only other file systems know."""

    xflags: int = 0
    extsize: int = 0
    nextents: int = 0
    projid: int = 0
    cowextsize: int = 0


def _supported(inode: Inode) -> None:
    """ENOTTY where the file system has no flags."""
    if not inode.fs.has_flags or inode.type not in (S_IFREG, S_IFDIR):
        raise SysError(ENOTTY)


def get_flags(path: Path) -> int:
    """FS_*_FL of an object (vfs_fileattr_get); ENOTTY."""
    _supported(path.inode)
    return path.inode.flags


def get_extended(path: Path) -> Extended:
    """The same as FS_XFLAG_*."""
    flags = get_flags(path)
    return Extended(sum(xflag for flag, xflag in COMMON.items() if flags & flag))


def set_flags(caller: Caller, path: Path, flags: int) -> None:
    """Change the flags; EROFS, ENOTTY, EPERM, EOPNOTSUPP (vfs_fileattr_set, shmem_fileattr_set)."""
    path.mount.want_write()
    inode = path.inode
    _supported(inode)
    if not owner_or_capable(inode, caller.cred):
        raise SysError(EPERM)
    if (flags ^ inode.flags) & _GUARDED and not caller.cred.capable(CAP_LINUX_IMMUTABLE):
        raise SysError(EPERM)
    if flags & ~_CHANGEABLE:
        raise SysError(EOPNOTSUPP)
    inode.flags = flags
    inode.ctime = inode.fs.now()


def set_extended(caller: Caller, path: Path, wanted: Extended) -> None:
    """The same by FS_XFLAG_*; EOPNOTSUPP for what goes beyond FS_*_FL."""
    path.mount.want_write()
    inode = path.inode
    _supported(inode)
    if not owner_or_capable(inode, caller.cred):
        raise SysError(EPERM)
    xflags = wanted.xflags & ~FS_XFLAG_READ_ONLY
    flags = sum(flag for flag, xflag in COMMON.items() if xflags & xflag)
    if (flags ^ inode.flags) & _GUARDED and not caller.cred.capable(CAP_LINUX_IMMUTABLE):
        raise SysError(EPERM)
    regular, directory = inode.type == S_IFREG, inode.type == S_IFDIR
    if (
        (xflags & FS_XFLAG_EXTSIZE and not regular)
        or (xflags & FS_XFLAG_EXTSZINHERIT and not directory)
        or (xflags & FS_XFLAG_COWEXTSIZE and not (regular or directory))
    ):
        raise SysError(EINVAL)
    if not wanted.extsize:
        xflags &= ~(FS_XFLAG_EXTSIZE | FS_XFLAG_EXTSZINHERIT)
    if xflags & ~sum(COMMON.values()) or wanted.extsize or wanted.projid or wanted.cowextsize:
        raise SysError(EOPNOTSUPP)
    set_flags(caller, path, flags)
