"""Permission checks of files: inode_permission and its relatives in fs/namei.c, fs/inode.c and fs/attr.c."""

from __future__ import annotations

from syscalls.abi.errno import EACCES, EPERM, EROFS, SysError
from syscalls.abi.fileattr import FS_IMMUTABLE_FL
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISGID, S_ISUID, S_ISVTX
from syscalls.fs.cred import (
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
    Credentials,
)
from syscalls.fs.inode import Inode

MAY_EXEC, MAY_WRITE, MAY_READ = 1, 2, 4

#: Who has either of these may search any directory.
_SEARCH = 1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH


def permission(inode: Inode, cred: Credentials, mask: int) -> None:
    """May `cred` do all of `mask` (MAY_READ | MAY_WRITE | MAY_EXEC)? EACCES; EROFS for writing (inode_permission)."""
    inode.refresh()
    mode = inode.mode
    if mask & MAY_WRITE and inode.fs.read_only and mode & S_IFMT in (S_IFREG, S_IFDIR, S_IFLNK):
        raise SysError(EROFS)
    if mask & MAY_WRITE and inode.flags & FS_IMMUTABLE_FL:
        raise SysError(EPERM)
    if cred.fsuid == inode.uid:
        granted = mode >> 6
    elif cred.in_group(inode.gid):
        granted = mode >> 3
    else:
        granted = mode
    if mask & ~granted & 7 and not _capable_of(inode, cred, mask):
        raise SysError(EACCES)


def _capable_of(inode: Inode, cred: Credentials, mask: int) -> bool:
    """Do capabilities grant what the mode bits refuse? (generic_permission)."""
    if inode.mode & S_IFMT == S_IFDIR:
        searches = cred.capable_of(CAP_DAC_READ_SEARCH, inode.uid, inode.gid)
        return (searches and not mask & MAY_WRITE) or (cred.capable_of(CAP_DAC_OVERRIDE, inode.uid, inode.gid))
    if mask == MAY_READ and cred.capable_of(CAP_DAC_READ_SEARCH, inode.uid, inode.gid):
        return True
    return (not mask & MAY_EXEC or bool(inode.mode & 0o111)) and cred.capable_of(CAP_DAC_OVERRIDE, inode.uid, inode.gid)


def may_search(inode: Inode, cred: Credentials) -> None:
    """Search permission on a directory, on every component of a path (may_lookup); EACCES."""
    if not cred.effective & _SEARCH or cred.user_ns is not None:
        permission(inode, cred, MAY_EXEC)


def owner_or_capable(inode: Inode, cred: Credentials) -> bool:
    """Is it the owner, or may it act as the owner of any file? (inode_owner_or_capable)."""
    return cred.fsuid == inode.uid or cred.capable_of(CAP_FOWNER, inode.uid, inode.gid)


def group_or_capable(gid: int, cred: Credentials) -> bool:
    """May it keep the set-group-ID bit on a file of group `gid`? (in_group_or_capable)."""
    return cred.in_group(gid) or cred.capable(CAP_FSETID)


def sticky_forbids(directory: Inode, victim: Inode, cred: Credentials) -> bool:
    """Is the directory sticky, and neither it nor the victim ours? (check_sticky)."""
    return (
        bool(directory.mode & S_ISVTX)
        and cred.fsuid not in (victim.uid, directory.uid)
        and not cred.capable_of(CAP_FOWNER, victim.uid, victim.gid)
    )


def privileges_to_drop(inode: Inode, cred: Credentials) -> int:
    """Of S_ISUID | S_ISGID, what a change of content or owner takes away (setattr_should_drop_suidgid)."""
    mode = inode.mode
    drop = mode & S_ISUID
    if mode & S_ISGID and (mode & 0o010 or not group_or_capable(inode.gid, cred)):
        drop |= S_ISGID
    return drop


def ids_of_new(directory: Inode, cred: Credentials, mode: int) -> tuple[int, int, int]:
    """(mode, uid, gid) of an object that `cred` makes in `directory` (inode_init_owner, mode_strip_sgid)."""
    if not directory.mode & S_ISGID:
        return mode, cred.fsuid, cred.fsgid
    gid = directory.gid
    if mode & S_IFMT == S_IFDIR:
        mode |= S_ISGID
    elif mode & (S_ISGID | 0o010) == S_ISGID | 0o010 and not group_or_capable(gid, cred):
        mode &= ~S_ISGID
    return mode, cred.fsuid, gid
