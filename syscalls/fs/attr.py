"""Changing attributes: chmod, chown, utimensat, truncate, access (fs/open.c, fs/attr.c, fs/utimes.c).

Every function takes a resolved `Path` (`path.resolve`, or `fdtable.path_of` for a descriptor).
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Final

from syscalls.abi.errno import (
    EACCES,
    EBADF,
    EFBIG,
    EINVAL,
    EISDIR,
    ENODEV,
    EOPNOTSUPP,
    EPERM,
    EROFS,
    ESPIPE,
    ETXTBSY,
    SysError,
)
from syscalls.abi.fcntl import (
    FALLOC_FL_COLLAPSE_RANGE,
    FALLOC_FL_INSERT_RANGE,
    FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE,
    FALLOC_FL_UNSHARE_RANGE,
    FALLOC_FL_WRITE_ZEROES,
    FALLOC_FL_ZERO_RANGE,
    O_APPEND,
)
from syscalls.abi.fileattr import FS_APPEND_FL, FS_IMMUTABLE_FL
from syscalls.abi.poll import IN_ACCESS, IN_ATTRIB, IN_MODIFY
from syscalls.abi.stat import S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_ISGID, S_ISUID, ST_NOEXEC
from syscalls.fs import notify
from syscalls.fs.cred import CAP_CHOWN, CAP_FSETID, Credentials
from syscalls.fs.dentry import Dentry
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.fs.path import Caller, Path
from syscalls.fs.perm import (
    MAY_EXEC,
    MAY_WRITE,
    group_or_capable,
    owner_or_capable,
    permission,
    privileges_to_drop,
)

UNCHANGED = (-1, 0xFFFFFFFF)  # chown(2): leave this one
_GUARDED = FS_IMMUTABLE_FL | FS_APPEND_FL
SECURITY_CAPABILITY = b"security.capability"


class FileSizeExceeded(SysError):  # noqa: N818  # a condition with a signal, not an error of ours
    """EFBIG because of RLIMIT_FSIZE: the caller also gets SIGXFSZ."""

    def __init__(self) -> None:
        super().__init__(EFBIG)


class SetTime(Enum):
    """The special values of utimensat(2)."""

    NOW = 0
    OMIT = 1


NOW: Final = SetTime.NOW
OMIT: Final = SetTime.OMIT
#: (is atime set?, is mtime set?) -> what that looks like to those who watch (fsnotify_change).
_TIMES_EVENT = {(True, True): IN_ATTRIB, (True, False): IN_ACCESS, (False, True): IN_MODIFY, (False, False): 0}


# --- mode and owner ---------------------------------------------------------------------------------------------------


def _want_change(path: Path) -> None:
    """EROFS; EOPNOTSUPP for eventfds and the like, whose attributes are nobody's."""
    path.mount.want_write()
    if not path.inode.fs.has_attributes:
        raise SysError(EOPNOTSUPP)


def chmod(caller: Caller, path: Path, mode: int) -> None:
    """Set the permission bits (chmod_common); EROFS, EPERM, EOPNOTSUPP for a symbolic link."""
    _want_change(path)
    inode, cred = path.inode, caller.cred
    inode.refresh()
    if inode.flags & _GUARDED or not owner_or_capable(inode, cred):
        raise SysError(EPERM)
    if inode.type == S_IFLNK:
        raise SysError(EOPNOTSUPP)
    mode &= 0o7777
    if not group_or_capable(inode.gid, cred):
        mode &= ~S_ISGID
    inode.mode = inode.type | mode
    _changed(inode)
    notify.on_dentry(path.dentry, IN_ATTRIB)


def chown(caller: Caller, path: Path, uid: int, gid: int) -> None:
    """Set owner and group, -1 leaves either; set-ID bits of non-directories go (chown_common)."""
    _want_change(path)
    inode, cred = path.inode, caller.cred
    inode.refresh()
    drop = 0 if inode.type == S_IFDIR else privileges_to_drop(inode, cred)
    if inode.flags & _GUARDED and (drop or uid not in UNCHANGED or gid not in UNCHANGED):
        raise SysError(EPERM)
    if uid not in UNCHANGED and not _may_chown(inode, cred, uid):
        raise SysError(EPERM)
    if gid not in UNCHANGED and not _may_chgrp(inode, cred, gid):
        raise SysError(EPERM)
    if drop and not owner_or_capable(inode, cred):
        raise SysError(EPERM)
    if uid not in UNCHANGED:
        inode.uid = uid
    if gid not in UNCHANGED:
        inode.gid = gid
    inode.mode &= ~drop
    if inode.type != S_IFDIR:
        inode.xattrs.pop(SECURITY_CAPABILITY, None)
    _changed(inode)
    if drop or uid not in UNCHANGED or gid not in UNCHANGED:
        notify.on_dentry(path.dentry, IN_ATTRIB)


def _may_chown(inode: Inode, cred: Credentials, uid: int) -> bool:
    return cred.fsuid == inode.uid == uid or cred.capable_of(CAP_CHOWN, inode.uid, inode.gid)


def _may_chgrp(inode: Inode, cred: Credentials, gid: int) -> bool:
    return (cred.fsuid == inode.uid and (gid == inode.gid or cred.in_group(gid))) or cred.capable_of(
        CAP_CHOWN, inode.uid, inode.gid
    )


def _changed(inode: Inode) -> None:
    inode.ctime = inode.fs.now()
    inode.changed()


# --- times ------------------------------------------------------------------------------------------------------------


def utimens(caller: Caller, path: Path, atime: int | SetTime, mtime: int | SetTime) -> None:
    """Set times in realtime ns, or NOW, or OMIT (vfs_utimes).

    Both NOW: whoever may write the file may do it (EACCES); otherwise only its owner (EPERM).
    """
    _want_change(path)
    inode, cred = path.inode, caller.cred
    inode.refresh()
    touch = atime is mtime is NOW
    if inode.flags & (FS_IMMUTABLE_FL if touch else _GUARDED):
        raise SysError(EPERM)
    if not owner_or_capable(inode, cred):
        if not touch:
            raise SysError(EPERM)
        permission(inode, cred, MAY_WRITE)
    now = inode.fs.now()
    if atime is not OMIT:
        inode.atime = now if isinstance(atime, SetTime) else atime
    if mtime is not OMIT:
        inode.mtime = now if isinstance(mtime, SetTime) else mtime
    inode.ctime = now
    inode.changed()
    notify.on_dentry(path.dentry, _TIMES_EVENT[atime is not OMIT, mtime is not OMIT])


# --- size -------------------------------------------------------------------------------------------------------------


def truncate(caller: Caller, path: Path, length: int, limit: int | None = None) -> None:
    """Set the size by name; `limit`: RLIMIT_FSIZE, None when there is none (truncate(2), vfs_truncate)."""
    if length < 0:
        raise SysError(EINVAL)
    inode = path.inode
    if inode.type == S_IFDIR:
        raise SysError(EISDIR)
    if inode.type != S_IFREG:
        raise SysError(EINVAL)
    path.mount.want_write()
    permission(inode, caller.cred, MAY_WRITE)
    if inode.flags & FS_APPEND_FL:
        raise SysError(EPERM)
    if inode.leases is not None:
        inode.leases.check(write=True)
    set_size(path.dentry, caller.cred, length, limit, touch=False)


def ftruncate(caller: Caller, file: File, length: int, limit: int | None = None) -> None:
    """Set the size of an open file (ftruncate(2), do_sys_ftruncate)."""
    inode = file.inode
    if length < 0 or inode.type != S_IFREG or not file.writable:
        raise SysError(EINVAL)
    if inode.flags & FS_APPEND_FL:
        raise SysError(EPERM)
    check_size(inode, length, limit)
    event = IN_MODIFY | _drop_privileges(inode, caller.cred)
    file.truncate(length)
    _notify(file, event)


def check_size(inode: Inode, length: int, limit: int | None) -> None:
    """May the file be made this long? EFBIG (inode_newsize_ok)."""
    if length > inode.size:
        if limit is not None and length > limit:
            raise FileSizeExceeded
        if length > inode.fs.max_bytes:
            raise SysError(EFBIG)


def set_size(dentry: Dentry, cred: Credentials, length: int, limit: int | None = None, *, touch: bool = True) -> None:
    """Cut or extend a regular file; `touch`: also when the size stays, its times change (do_truncate)."""
    inode = dentry.inode
    if inode.writers < 0:
        raise SysError(ETXTBSY)
    check_size(inode, length, limit)
    event = IN_MODIFY | _drop_privileges(inode, cred)
    if touch or inode.size != length or inode.blocks:  # tmpfs: the same size leaves times only when there is no page
        inode.truncate(length)
    notify.on_dentry(dentry, event)


def fallocate(caller: Caller, file: File, mode: int, offset: int, length: int, limit: int | None = None) -> None:
    """Allocate, punch, zero, collapse or insert a range (fallocate(2), with the checks of vfs_fallocate)."""
    if offset < 0 or length <= 0:
        raise SysError(EINVAL)
    keep = mode & FALLOC_FL_KEEP_SIZE
    operation = mode & ~FALLOC_FL_KEEP_SIZE
    if operation in {FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_WRITE_ZEROES}:
        allowed = not keep
    elif operation == FALLOC_FL_PUNCH_HOLE:
        allowed = bool(keep)
    else:
        allowed = operation in {0, FALLOC_FL_ZERO_RANGE, FALLOC_FL_UNSHARE_RANGE}
    if not allowed:
        raise SysError(EOPNOTSUPP)
    if not file.writable:
        raise SysError(EBADF)
    inode = file.inode
    if inode.flags & FS_IMMUTABLE_FL or (operation and inode.flags & FS_APPEND_FL):
        raise SysError(EPERM)
    if inode.type != S_IFREG:
        raise SysError({S_IFIFO: ESPIPE, S_IFDIR: EISDIR}.get(inode.type, ENODEV))
    if offset + length > inode.fs.max_bytes:
        raise SysError(EFBIG)
    if operation == 0 or (operation == FALLOC_FL_ZERO_RANGE and not keep):  # as tmpfs: also with KEEP_SIZE
        check_size(inode, offset + length, limit)
    file.allocate(mode, offset, length)
    if event := _drop_privileges(inode, caller.cred):
        _notify(file, event)
    notify.on_modify(file)


def _notify(file: File, event: int) -> None:
    if file.path is not None:
        notify.on_dentry(file.path.dentry, event)


def _drop_privileges(inode: Inode, cred: Credentials) -> int:
    """The content changes: set-ID bits and file capabilities go (file_remove_privs); the event that this is, or 0."""
    event = 0
    if inode.mode & (S_ISUID | S_ISGID) and not cred.capable(CAP_FSETID):
        drop = privileges_to_drop(inode, cred)
        if drop:
            inode.mode &= ~drop
            inode.changed()  # without ctime: the change of content will set it
            event = IN_ATTRIB
    if SECURITY_CAPABILITY in inode.xattrs:
        inode.set_xattr(SECURITY_CAPABILITY, None)
    return event


def write_checks(caller: Caller, file: File, count: int, offset: int | None = None, limit: int | None = None) -> int:
    """How many of `count` bytes may be written, before a write to a regular file (generic_write_checks).

    `offset` None: at the file's position. `limit`: RLIMIT_FSIZE or None. FileSizeExceeded when none may. Takes the
    set-ID bits away, as the write will.
    """
    inode = file.inode
    if inode.type != S_IFREG or not count:
        return count
    if limit is not None:
        where = inode.size if file.flags & O_APPEND else file.position if offset is None else offset
        if where >= limit:
            raise FileSizeExceeded
        count = min(count, limit - where)
    if event := _drop_privileges(inode, caller.cred):
        _notify(file, event)
    return count


# --- access -----------------------------------------------------------------------------------------------------------


def real_credentials(cred: Credentials) -> Credentials:
    """Who access(2) asks for: the real ids, and root's capabilities or none (access_override_creds)."""
    return replace(cred, fsuid=cred.uid, fsgid=cred.gid, effective=0 if cred.uid else cred.permitted)


def access(path: Path, cred: Credentials, mode: int) -> None:
    """R_OK | W_OK | X_OK (do_faccessat); the path was resolved with the same `cred`. EACCES, EROFS."""
    inode = path.inode
    if mode & MAY_EXEC and inode.type == S_IFREG and path.mount.flags & ST_NOEXEC:
        raise SysError(EACCES)
    permission(inode, cred, mode)
    if mode & MAY_WRITE and path.mount.read_only and inode.type in {S_IFREG, S_IFDIR, S_IFLNK}:
        raise SysError(EROFS)


class AccessCaller:
    """A caller with other credentials: how access(2) walks its path."""

    __slots__ = ("cred", "fs")

    def __init__(self, caller: Caller, cred: Credentials) -> None:
        self.fs = caller.fs
        self.cred = cred
