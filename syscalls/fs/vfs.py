"""Making, removing, linking and renaming: fs/namei.c, with its order of checks.

Every function takes the caller (a Task), then its arguments as the system call has them, where a directory descriptor
has become `base` (FdTable.at). Opening is in open.py, attributes in attr.py, extended ones in xattr.py.
"""

from __future__ import annotations

from syscalls.abi.errno import (
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    EMLINK,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
    EXDEV,
    SysError,
)
from syscalls.abi.fcntl import RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT
from syscalls.abi.fileattr import FS_APPEND_FL, FS_IMMUTABLE_FL
from syscalls.abi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID, S_ISUID, S_ISVTX
from syscalls.fs import notify
from syscalls.fs.cred import CAP_MKNOD, Credentials
from syscalls.fs.dentry import Dentry
from syscalls.fs.inode import Inode
from syscalls.fs.path import PATH_MAX, Caller, Parent, Path, resolve_parent
from syscalls.fs.perm import MAY_EXEC, MAY_READ, MAY_WRITE, ids_of_new, owner_or_capable, permission, sticky_forbids

_RENAME_FLAGS = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT


# --- new names --------------------------------------------------------------------------------------------------------


def start_create(caller: Caller, base: Path | None, name: bytes, *, directory: bool = False) -> Parent:
    """Where a new object will be (filename_create); EEXIST, ENOENT for "x/" unless it will be a directory, EROFS."""
    parent = resolve_parent(caller, base, name)
    if not parent.normal:
        raise SysError(EEXIST)
    dentry = lookup(parent.path.dentry, parent.name)
    if dentry is not None:
        raise SysError(EEXIST)
    if parent.slash and not directory:
        raise SysError(ENOENT)
    parent.path.mount.want_write()
    return parent


def lookup(directory: Dentry, name: bytes) -> Dentry | None:
    """A child for an operation that changes the directory; ENOENT when that was removed (lookup_one_qstr_excl)."""
    if directory.deleted:
        raise SysError(ENOENT)
    return directory.child(name)


def may_create(directory: Inode, cred: Credentials) -> None:
    """Write and search permission on the directory."""
    permission(directory, cred, MAY_WRITE | MAY_EXEC)


def mkdir(caller: Caller, base: Path | None, name: bytes, mode: int) -> None:
    """Make a directory (do_mkdirat)."""
    parent = start_create(caller, base, name, directory=True)
    dentry = parent.path.dentry
    directory = dentry.inode
    may_create(directory, caller.cred)
    mode = mode & (0o777 | S_ISVTX) & ~caller.fs.umask
    limit = directory.fs.max_links
    if limit and directory.nlink >= limit:
        raise SysError(EMLINK)
    mode, uid, gid = ids_of_new(directory, caller.cred, S_IFDIR | mode)
    notify.on_create(dentry.add(parent.name, directory.mkdir(parent.name, mode & 0o7777, uid, gid)))


def check_node_type(mode: int) -> None:
    """EPERM for a directory, EINVAL for what is none of mknod's kinds (may_mknod)."""
    kind = mode & S_IFMT
    if kind == S_IFDIR:
        raise SysError(EPERM)
    if kind not in {0, S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK}:
        raise SysError(EINVAL)


def mknod(caller: Caller, base: Path | None, name: bytes, mode: int, rdev: int) -> None:
    """Make a regular file, device node, FIFO or socket (do_mknodat)."""
    check_node_type(mode)
    kind = mode & S_IFMT
    parent = start_create(caller, base, name)
    dentry = parent.path.dentry
    may_create(dentry.inode, caller.cred)
    device = kind in {S_IFCHR, S_IFBLK}
    whiteout = kind == S_IFCHR and rdev == 0
    if device and not whiteout and not caller.cred.capable(CAP_MKNOD):
        raise SysError(EPERM)
    create(caller, dentry, parent.name, (kind or S_IFREG) | mode & 0o7777, rdev if device else 0)


def create(caller: Caller, directory: Dentry, name: bytes, mode: int, rdev: int = 0) -> Dentry:
    """Make an object after all checks; `mode` with its type, before the umask."""
    mode, uid, gid = ids_of_new(directory.inode, caller.cred, mode & ~caller.fs.umask)
    dentry = directory.add(name, directory.inode.create(name, mode, uid, gid, rdev))
    notify.on_create(dentry)
    return dentry


def symlink(caller: Caller, target: bytes, base: Path | None, name: bytes) -> None:
    """Make a symbolic link (do_symlinkat)."""
    if not target:
        raise SysError(ENOENT)
    if len(target) >= PATH_MAX:
        raise SysError(ENAMETOOLONG)
    parent = start_create(caller, base, name)
    dentry = parent.path.dentry
    may_create(dentry.inode, caller.cred)
    mode, uid, gid = ids_of_new(dentry.inode, caller.cred, 0)
    del mode
    notify.on_create(dentry.add(parent.name, dentry.inode.symlink(parent.name, target, uid, gid)))


def link(caller: Caller, old: Path, base: Path | None, name: bytes) -> None:
    """Give `old` another name (do_linkat)."""
    parent = start_create(caller, base, name)
    inode, directory = old.inode, parent.path.inode
    if old.mount is not parent.path.mount:
        raise SysError(EXDEV)
    _may_link(old, caller.cred)
    may_create(directory, caller.cred)
    if inode.fs is not directory.fs:
        raise SysError(EXDEV)
    if inode.type == S_IFDIR or inode.flags & (FS_APPEND_FL | FS_IMMUTABLE_FL):
        raise SysError(EPERM)
    if not inode.nlink and not inode.linkable:
        raise SysError(ENOENT)
    limit = inode.fs.max_links
    if limit and inode.nlink >= limit:
        raise SysError(EMLINK)
    directory.link(parent.name, inode)
    inode.linkable = False
    notify.on_link(parent.path.dentry.add(parent.name, inode))


def _may_link(old: Path, cred: Credentials) -> None:
    """Links to files of others are refused unless they could be written (may_linkat, proc_sys_fs(5)); EPERM."""
    inode, table = old.inode, old.mount.table
    if table is None or not table.protected_hardlinks or owner_or_capable(inode, cred):
        return
    mode = inode.mode
    safe = inode.type == S_IFREG and not mode & S_ISUID and mode & (S_ISGID | 0o010) != S_ISGID | 0o010
    if not safe:
        raise SysError(EPERM)
    try:
        permission(inode, cred, MAY_READ | MAY_WRITE)
    except SysError:
        raise SysError(EPERM) from None


# --- names that go ----------------------------------------------------------------------------------------------------


def may_delete(directory: Inode, victim: Dentry, cred: Credentials, *, isdir: bool) -> None:
    """May `victim` be removed as a directory, or as something else? (may_delete)."""
    permission(directory, cred, MAY_WRITE | MAY_EXEC)
    victim.inode.refresh()
    guarded = victim.inode.flags & (FS_APPEND_FL | FS_IMMUTABLE_FL) or directory.flags & FS_APPEND_FL
    if guarded or sticky_forbids(directory, victim.inode, cred):
        raise SysError(EPERM)
    if isdir and not victim.is_dir:
        raise SysError(ENOTDIR)
    if not isdir and victim.is_dir:
        raise SysError(EISDIR)


def unlink(caller: Caller, base: Path | None, name: bytes) -> None:
    """Remove the name of a non-directory (do_unlinkat)."""
    parent = resolve_parent(caller, base, name)
    if not parent.normal:
        raise SysError(EISDIR)
    parent.path.mount.want_write()
    victim = lookup(parent.path.dentry, parent.name)
    if victim is None:
        raise SysError(ENOENT)
    if parent.slash:
        raise SysError(EISDIR if victim.is_dir else ENOTDIR)
    directory = parent.path.inode
    may_delete(directory, victim, caller.cred, isdir=False)
    if victim.mounts:
        raise SysError(EBUSY)
    inode = victim.inode
    directory.unlink(parent.name, inode)
    notify.on_unlink(inode)
    victim.drop()
    del victim  # when nobody else uses the name, the object may end here
    notify.on_delete(directory, parent.name, inode)


def rmdir(caller: Caller, base: Path | None, name: bytes) -> None:
    """Remove an empty directory (do_rmdir)."""
    parent = resolve_parent(caller, base, name)
    if not parent.normal:
        raise SysError({b"..": ENOTEMPTY, b".": EINVAL, b"": EBUSY}[parent.name])
    parent.path.mount.want_write()
    victim = lookup(parent.path.dentry, parent.name)
    if victim is None:
        raise SysError(ENOENT)
    directory = parent.path.inode
    may_delete(directory, victim, caller.cred, isdir=True)
    if victim.mounts:
        raise SysError(EBUSY)
    inode = victim.inode
    directory.rmdir(parent.name, inode)
    victim.drop()
    del victim
    notify.on_delete(directory, parent.name, inode)


# --- renaming ---------------------------------------------------------------------------------------------------------


def check_rename(flags: int) -> None:
    """EINVAL for flags that there are not, or that exclude each other; before anybody looks at the names."""
    if flags & ~_RENAME_FLAGS or (flags & RENAME_EXCHANGE and flags != RENAME_EXCHANGE):
        raise SysError(EINVAL)


def rename(
    caller: Caller, old_base: Path | None, old_name: bytes, new_base: Path | None, new_name: bytes, flags: int = 0
) -> None:
    """Move a name, or exchange two (renameat2(2))."""
    check_rename(flags)
    rename_parents(
        caller, resolve_parent(caller, old_base, old_name), resolve_parent(caller, new_base, new_name), flags
    )


def rename_parents(caller: Caller, old: Parent, new: Parent, flags: int) -> None:
    """The same when the directories are known, and the flags are checked (do_renameat2)."""
    if old.path.mount is not new.path.mount:
        raise SysError(EXDEV)
    if not old.normal:
        raise SysError(EBUSY)
    if not new.normal:
        raise SysError(EEXIST if flags & RENAME_NOREPLACE else EBUSY)
    old.path.mount.want_write()
    source = lookup(old.path.dentry, old.name)
    if source is None:
        raise SysError(ENOENT)
    target = lookup(new.path.dentry, new.name)
    _check_names(source, target, old, new, flags)
    if target is not None and target.inode is source.inode:
        return
    _vfs_rename(caller.cred, old, new, source, target, flags)


def _check_names(source: Dentry, target: Dentry | None, old: Parent, new: Parent, flags: int) -> None:
    """What the names alone forbid: slashes behind a non-directory, moving a directory into itself."""
    exchange = flags & RENAME_EXCHANGE
    if target is not None and flags & RENAME_NOREPLACE:
        raise SysError(EEXIST)
    if exchange:
        if target is None:
            raise SysError(ENOENT)
        if not target.is_dir and new.slash:
            raise SysError(ENOTDIR)
    if not source.is_dir and (old.slash or (new.slash and not exchange)):
        raise SysError(ENOTDIR)
    old_dir, new_dir = old.path.dentry, new.path.dentry
    if new_dir.is_under(source):
        raise SysError(EINVAL)
    if target is not None and old_dir is not new_dir and old_dir.is_under(target):
        raise SysError(EINVAL if exchange else ENOTEMPTY)


def _vfs_rename(cred: Credentials, old: Parent, new: Parent, source: Dentry, target: Dentry | None, flags: int) -> None:
    """Permissions, then the change itself (vfs_rename)."""
    old_dir, new_dir = old.path.inode, new.path.inode
    exchange = flags & RENAME_EXCHANGE
    may_delete(old_dir, source, cred, isdir=source.is_dir)
    if target is None:
        may_create(new_dir, cred)
    else:
        may_delete(new_dir, target, cred, isdir=target.is_dir if exchange else source.is_dir)
    if new_dir is not old_dir:
        _may_reparent(cred, source, new_dir, gains=target is None)
        if exchange and target is not None:
            _may_reparent(cred, target, old_dir, gains=False)
    if source.mounts or (target is not None and target.mounts):
        raise SysError(EBUSY)
    old_dir.rename(old.name, new_dir, new.name, flags)
    if exchange and target is not None:
        source.exchange(target)
        notify.on_move(old_dir, old.name, source, None)
        notify.on_move(new_dir, new.name, target, None)
        return
    if target is not None:
        target.drop()
        target.inode.refresh()
    source.move(new.path.dentry, new.name)
    notify.on_move(old_dir, old.name, source, target.inode if target is not None else None)


def _may_reparent(cred: Credentials, moved: Dentry, new_dir: Inode, *, gains: bool) -> None:
    """A directory that gets another parent must be writable: its ".." changes. EMLINK when the parent is full."""
    if not moved.is_dir:
        return
    permission(moved.inode, cred, MAY_WRITE)
    limit = new_dir.fs.max_links
    if gains and limit and new_dir.nlink >= limit:
        raise SysError(EMLINK)
