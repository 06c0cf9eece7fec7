"""Attributes of files: stat(2), statx(2), statfs(2) (fs/stat.c, fs/statfs.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.arch import I386
from syscalls.abi.errno import EINVAL, EOVERFLOW, SysError
from syscalls.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_NO_AUTOMOUNT,
    AT_STATX_SYNC_TYPE,
    AT_SYMLINK_NOFOLLOW,
    STATX_FLAGS,
)
from syscalls.abi.kinds import DirFd, Fd, FlagsKind, OptionalLatePath, Out, Path, Pointer, Size
from syscalls.abi.stat import STATX__RESERVED, STATX_MASK
from syscalls.abi.structs.stat import OldStat, Stat, Stat64, Statfs, Statfs64, Statx
from syscalls.fs.fdtable import path_of
from syscalls.fs.path import Path as Place
from syscalls.kernel import kstat
from syscalls.kernel.creds import to_16_bits
from syscalls.kernel.kstat import Kstat, Kstatx
from syscalls.kernel.lookup import lookup, lookup_at, name_or_empty
from syscalls.kernel.task import Task
from syscalls.linux.types import AtFlags
from syscalls.spec import syscall

StatxFlags = Annotated[int, FlagsKind(STATX_FLAGS)]
StatxMask = Annotated[int, FlagsKind(STATX_MASK)]

_AT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE


# --- stat(2) ----------------------------------------------------------------------------------------------------------


@syscall()
def stat(task: Task, pathname: Path, statbuf: Out[Stat]) -> int:
    """Tell the attributes of a file (stat(2))."""
    statbuf.put(Kstat(lookup(task, pathname).inode, task.cred.user_ns))
    return 0


@syscall()
def lstat(task: Task, pathname: Path, statbuf: Out[Stat]) -> int:
    """Tell the attributes of a file, of a symbolic link its own (lstat(2))."""
    statbuf.put(Kstat(lookup(task, pathname, follow=False).inode, task.cred.user_ns))
    return 0


@syscall()
def fstat(task: Task, fd: Fd, statbuf: Out[Stat]) -> int:
    """Tell the attributes of an open file (fstat(2))."""
    statbuf.put(Kstat(task.files.get_any(fd).inode, task.cred.user_ns))
    return 0


@syscall()
def newfstatat(task: Task, dirfd: DirFd, pathname: OptionalLatePath, statbuf: Out[Stat], flags: AtFlags) -> int:
    """Tell the attributes of a file, relative to a directory descriptor (fstatat(2))."""
    statbuf.put(_at(task, dirfd, pathname, flags))
    return 0


def _at(task: Task, dirfd: int, pathname: bytes | None, flags: int) -> Kstat:
    """The attributes by an *at call's arguments; with an empty name those of `dirfd` (vfs_fstatat)."""
    name = name_or_empty(pathname, flags)
    if flags & AT_EMPTY_PATH and dirfd >= 0 and not name:  # then nobody looks at the other flags
        return Kstat(task.files.get_any(dirfd).inode, task.cred.user_ns)
    return Kstat(lookup_at(task, dirfd, name, flags, _AT_FLAGS).inode, task.cred.user_ns)


# --- i386: three generations ------------------------------------------------------------------------------------------


@syscall("stat64", only=I386)
def stat64(task: Task, pathname: Path, statbuf: Out[Stat64]) -> int:
    """Tell the attributes of a file (stat(2))."""
    statbuf.put(Kstat(lookup(task, pathname).inode, task.cred.user_ns))
    return 0


@syscall("lstat64", only=I386)
def lstat64(task: Task, pathname: Path, statbuf: Out[Stat64]) -> int:
    """Tell the attributes of a file, of a symbolic link its own (lstat(2))."""
    statbuf.put(Kstat(lookup(task, pathname, follow=False).inode, task.cred.user_ns))
    return 0


@syscall("fstat64", only=I386)
def fstat64(task: Task, fd: Fd, statbuf: Out[Stat64]) -> int:
    """Tell the attributes of an open file (fstat(2))."""
    statbuf.put(Kstat(task.files.get_any(fd).inode, task.cred.user_ns))
    return 0


@syscall("fstatat64", only=I386)
def fstatat64(task: Task, dirfd: DirFd, pathname: OptionalLatePath, statbuf: Out[Stat64], flags: AtFlags) -> int:
    """Tell the attributes of a file, relative to a directory descriptor (fstatat(2))."""
    statbuf.put(_at(task, dirfd, pathname, flags))
    return 0


@syscall("stat", only=I386)
def stat32(task: Task, pathname: Path, statbuf: Out[Stat]) -> int:
    """Tell the attributes of a file; EOVERFLOW beyond 2 GB (stat(2))."""
    return _put_narrow(statbuf, Kstat(lookup(task, pathname).inode, task.cred.user_ns))


@syscall("lstat", only=I386)
def lstat32(task: Task, pathname: Path, statbuf: Out[Stat]) -> int:
    """Tell the attributes of a file, of a symbolic link its own; EOVERFLOW beyond 2 GB (lstat(2))."""
    return _put_narrow(statbuf, Kstat(lookup(task, pathname, follow=False).inode, task.cred.user_ns))


@syscall("fstat", only=I386)
def fstat32(task: Task, fd: Fd, statbuf: Out[Stat]) -> int:
    """Tell the attributes of an open file; EOVERFLOW beyond 2 GB (fstat(2))."""
    return _put_narrow(statbuf, Kstat(task.files.get_any(fd).inode, task.cred.user_ns))


@syscall("oldstat", only=I386)
def oldstat(task: Task, pathname: Path, statbuf: Out[OldStat]) -> int:
    """Tell the attributes of a file in the 16-bit struct of Linux 1.0 (stat(2))."""
    return _put_narrow(statbuf, Kstat(lookup(task, pathname).inode, task.cred.user_ns))


@syscall("oldlstat", only=I386)
def oldlstat(task: Task, pathname: Path, statbuf: Out[OldStat]) -> int:
    """Tell the attributes of a file, of a link its own, in the 16-bit struct of Linux 1.0 (lstat(2))."""
    return _put_narrow(statbuf, Kstat(lookup(task, pathname, follow=False).inode, task.cred.user_ns))


@syscall("oldfstat", only=I386)
def oldfstat(task: Task, fd: Fd, statbuf: Out[OldStat]) -> int:
    """Tell the attributes of an open file in the 16-bit struct of Linux 1.0 (fstat(2))."""
    return _put_narrow(statbuf, Kstat(task.files.get_any(fd).inode, task.cred.user_ns))


def _put_narrow(statbuf: Pointer[Stat] | Pointer[OldStat], kstat: Kstat) -> int:
    """Store in fields that may be too small: EOVERFLOW, but ids are replaced (cp_new_stat, cp_old_stat)."""
    kstat.st_uid = to_16_bits(kstat.st_uid)
    kstat.st_gid = to_16_bits(kstat.st_gid)
    for field in statbuf.layout.fields:
        if field.name in {"st_ino", "st_nlink"} and getattr(kstat, field.name) >> 8 * field.size:
            raise SysError(EOVERFLOW)
    if kstat.st_size > 0x7FFFFFFF:
        raise SysError(EOVERFLOW)
    statbuf.put(kstat)
    return 0


# --- statx(2) ---------------------------------------------------------------------------------------------------------


@syscall()
def statx(
    task: Task, dirfd: DirFd, pathname: OptionalLatePath, flags: StatxFlags, mask: StatxMask, statxbuf: Out[Statx]
) -> int:
    """Tell more attributes of a file (statx(2))."""
    name = name_or_empty(pathname, flags)
    if mask & STATX__RESERVED or flags & AT_STATX_SYNC_TYPE == AT_STATX_SYNC_TYPE:
        raise SysError(EINVAL)
    if flags & AT_EMPTY_PATH and dirfd >= 0 and not name:
        path = path_of(task.files.get_any(dirfd))
    else:
        path = lookup_at(task, dirfd, name, flags, _AT_FLAGS)
    statxbuf.put(Kstatx(path, mask, task.cred.user_ns))
    return 0


# --- statfs(2) --------------------------------------------------------------------------------------------------------


@syscall()
def statfs(task: Task, path: Path, buf: Out[Statfs]) -> int:
    """Tell about the file system that a path is on (statfs(2))."""
    return _statfs(lookup(task, path), buf)


@syscall()
def fstatfs(task: Task, fd: Fd, buf: Out[Statfs]) -> int:
    """Tell about the file system that an open file is on (fstatfs(2))."""
    return _statfs(path_of(task.files.get_any(fd)), buf)


@syscall("statfs64", only=I386)
def statfs64(task: Task, path: Path, sz: Size, buf: Out[Statfs64]) -> int:
    """Tell about the file system that a path is on, in 64-bit numbers (statfs(2)); EINVAL for another size."""
    if sz != buf.size:
        raise SysError(EINVAL)
    return _statfs(lookup(task, path), buf)


@syscall("fstatfs64", only=I386)
def fstatfs64(task: Task, fd: Fd, sz: Size, buf: Out[Statfs64]) -> int:
    """Tell about the file system that an open file is on, in 64-bit numbers (fstatfs(2)); EINVAL for another size."""
    if sz != buf.size:
        raise SysError(EINVAL)
    return _statfs(path_of(task.files.get_any(fd)), buf)


def _statfs(place: Place, buf: Pointer[Statfs] | Pointer[Statfs64]) -> int:
    facts = kstat.statfs(place)
    wide = max(facts.f_blocks, facts.f_bfree, facts.f_bavail, facts.f_files, facts.f_ffree)
    if any(field.name == "f_blocks" and wide >> 8 * field.size for field in buf.layout.fields):
        raise SysError(EOVERFLOW)
    buf.put(facts)
    return 0
