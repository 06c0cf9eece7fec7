"""open(2), openat2(2), creat(2): path_openat and do_open of fs/namei.c, build_open_flags and vfs_open of fs/open.c."""

from __future__ import annotations

from syscalls.abi import fcntl
from syscalls.abi.errno import (
    EACCES,
    EAGAIN,
    EEXIST,
    EINVAL,
    EISDIR,
    ELOOP,
    ENOENT,
    ENOTDIR,
    EOVERFLOW,
    EPERM,
    ETXTBSY,
    SysError,
)
from syscalls.abi.fcntl import (
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_PATH,
    O_RDONLY,
    O_TRUNC,
    RESOLVE_BENEATH,
    RESOLVE_CACHED,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV,
    VALID_OPEN_FLAGS,
)
from syscalls.abi.fileattr import FS_APPEND_FL
from syscalls.abi.stat import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFREG,
    S_ISVTX,
    ST_NODEV,
)
from syscalls.fs import attr, notify
from syscalls.fs.dentry import Dentry
from syscalls.fs.fdtable import put
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.fs.path import Caller, Path, Walk
from syscalls.fs.perm import MAY_READ, MAY_WRITE, ids_of_new, owner_or_capable, permission
from syscalls.fs.regular import MAX_NON_LFS
from syscalls.fs.vfs import create, lookup, may_create

TMPFILE_BIT = fcntl.O_TMPFILE & ~O_DIRECTORY
_VALID_RESOLVE = (
    RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED
)
#: Access that O_RDONLY, O_WRONLY, O_RDWR and 3 ask for (ACC_MODE).
_ACCESS = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE)
#: Not kept in the file's flags (do_dentry_open).
_ONCE = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC


def open(caller: Caller, base: Path | None, name: bytes, flags: int, mode: int = 0) -> File:
    """openat(2): unknown flags are ignored (do_sys_open). See `openat2` for the rest."""
    flags, mode = known_flags(flags, mode)
    return openat2(caller, base, name, flags, mode, 0)


def known_flags(flags: int, mode: int) -> tuple[int, int]:
    """What openat(2) takes of its arguments (build_open_how); EINVAL, before anybody looks at the name."""
    flags &= VALID_OPEN_FLAGS
    if flags & O_PATH:
        flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC
    mode = mode & 0o7777 if flags & (O_CREAT | TMPFILE_BIT) else 0
    check_flags(flags, mode, 0)
    return flags, mode


def openat2(caller: Caller, base: Path | None, name: bytes, flags: int, mode: int, resolve: int) -> File:
    """A new open file description (openat2(2)); its `path` is set. Errors in the order of Linux.

    The caller sees to O_CLOEXEC, O_LARGEFILE of 64-bit programs, and to waiting while the file is not `opened`.
    """
    check_flags(flags, mode, resolve)
    if not name:
        raise SysError(ENOENT)
    follow = not flags & O_NOFOLLOW and flags & (O_CREAT | O_EXCL) != O_CREAT | O_EXCL
    walk = Walk(caller, base, name, follow=follow, flags=resolve)
    walk.directory = bool(flags & O_DIRECTORY)
    if flags & TMPFILE_BIT:
        return _open_tmpfile(caller, walk.finish(name), flags, mode)
    if flags & O_PATH:
        path = walk.finish(name)
        file = File(path.inode, O_PATH | flags & (O_DIRECTORY | O_NOFOLLOW))
        file.path, file.cred = path, caller.cred
        return file
    created, directory = _open_last(caller, walk, name, flags, mode)
    return _do_open(caller, walk, flags, created=created, directory=directory)


def reopen(caller: Caller, path: Path, flags: int) -> File:
    """Open what has been found already, by a handle (file_open_root with an empty name)."""
    flags &= VALID_OPEN_FLAGS
    if flags & O_PATH:
        flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC
    check_flags(flags, 0, 0)
    if flags & O_PATH:
        file = File(path.inode, O_PATH | flags & (O_DIRECTORY | O_NOFOLLOW))
        file.path, file.cred = path, caller.cred
        return file
    walk = Walk(caller, path, b"", follow=False, flags=0)
    walk.directory = bool(flags & O_DIRECTORY)
    return _do_open(caller, walk, flags, created=False, directory=path.dentry.parent.inode)


def check_flags(flags: int, mode: int, resolve: int) -> None:
    """Combinations that make no sense (build_open_flags); EINVAL."""
    makes = flags & (O_CREAT | TMPFILE_BIT)
    if (
        flags & ~VALID_OPEN_FLAGS
        or resolve & ~_VALID_RESOLVE
        or resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) == RESOLVE_BENEATH | RESOLVE_IN_ROOT
        or mode & ~(0o7777 if makes else 0)
        or flags & (O_DIRECTORY | O_CREAT) == O_DIRECTORY | O_CREAT
        or (flags & TMPFILE_BIT and (not flags & O_DIRECTORY or not _ACCESS[flags & O_ACCMODE] & MAY_WRITE))
        or (flags & O_PATH and flags & ~(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC))
    ):
        raise SysError(EINVAL)
    if resolve & RESOLVE_CACHED and flags & (O_TRUNC | O_CREAT | TMPFILE_BIT):
        raise SysError(EAGAIN)


def _open_last(caller: Caller, walk: Walk, body: bytes, flags: int, mode: int) -> tuple[bool, Inode]:
    """Walk to the last component, making it if asked to (open_last_lookups): was it made, and in which directory?"""
    link: bytes | None = body
    directory = walk.dentry
    while link is not None:
        walk.to_parent(link)
        directory = walk.dentry
        if not flags & O_CREAT or walk.last in {b"", b".", b".."}:
            link = walk.lookup_last()
            continue
        if walk.slash:
            raise SysError(EISDIR)
        dentry = lookup(directory, walk.last)
        if dentry is None:
            walk.mount.want_write()
            may_create(directory.inode, caller.cred)
            walk.dentry = create(caller, directory, walk.last, S_IFREG | mode)
            return True, directory.inode
        link = walk.enter(dentry, trailing=True)
    return False, directory.inode


def _do_open(caller: Caller, walk: Walk, flags: int, *, created: bool, directory: Inode) -> File:
    """Check what was found, and open it (do_open)."""
    path, kind = walk.path, walk.dentry.inode.type
    if flags & O_CREAT and not created:
        if flags & O_EXCL:
            raise SysError(EEXIST)
        if kind == S_IFDIR:
            raise SysError(EISDIR)
        _may_create_in_sticky(caller, path, directory)
    if walk.directory and kind != S_IFDIR:
        raise SysError(ENOTDIR)
    truncate = bool(flags & O_TRUNC) and kind == S_IFREG and not created
    if truncate:
        path.mount.want_write()
    _may_open(caller, path, flags, checked=created)
    file = vfs_open(path, flags)
    file.cred = caller.cred
    if truncate:
        try:
            attr.set_size(path.dentry, caller.cred, 0)
        except SysError:
            put(file)
            raise
    return file


def vfs_open(path: Path, flags: int, *, execute: bool = False, silent: bool = False) -> File:
    """Open what a path leads to, without permission checks (do_dentry_open); ETXTBSY, EROFS, EOVERFLOW, ENXIO."""
    inode = path.inode
    writes = flags & O_ACCMODE in {fcntl.O_WRONLY, fcntl.O_RDWR}
    if inode.type == S_IFREG:
        if writes and inode.writers < 0:
            raise SysError(ETXTBSY)
        if writes:
            path.mount.want_write()
        if inode.leases is not None:
            inode.leases.check(write=writes)
        if not flags & O_LARGEFILE and inode.size > MAX_NON_LFS:
            raise SysError(EOVERFLOW)
    file = inode.open(flags & ~_ONCE & ~O_CLOEXEC)
    if flags & O_DIRECT and not file.direct:
        file.close()
        raise SysError(EINVAL)
    file.path = path
    file.silent = silent
    if inode.fs.watched and file.opened:
        notify.on_open(file, execute=execute)
    return file


def _may_open(caller: Caller, path: Path, flags: int, *, checked: bool) -> None:
    """Type, permission and ownership (may_open). `checked`: it has just been made, so any mode will do."""
    inode, kind, mount = path.inode, path.inode.type, path.mount
    access = 0 if checked else _ACCESS[flags & O_ACCMODE] | (MAY_WRITE if flags & O_TRUNC else 0)
    if kind == S_IFLNK:
        raise SysError(ELOOP)
    if kind == S_IFDIR and access & MAY_WRITE:
        raise SysError(EISDIR)
    if kind in {S_IFBLK, S_IFCHR} and mount.flags & ST_NODEV:
        raise SysError(EACCES)
    permission(inode, caller.cred, access)
    if inode.flags & FS_APPEND_FL and (flags & O_TRUNC or (flags & O_ACCMODE != O_RDONLY and not flags & O_APPEND)):
        raise SysError(EPERM)
    if flags & O_NOATIME and not owner_or_capable(inode, caller.cred):
        raise SysError(EPERM)


def _may_create_in_sticky(caller: Caller, path: Path, directory: Inode) -> None:
    """O_CREAT on somebody else's file in a sticky directory that others may write to; EACCES (proc_sys_fs(5))."""
    inode, table = path.inode, path.mount.table
    if not directory.mode & S_ISVTX or table is None or inode.uid in {directory.uid, caller.cred.fsuid}:
        return
    level = {S_IFREG: table.protected_regular, S_IFIFO: table.protected_fifos}.get(inode.type, 1)
    if level and (directory.mode & 0o002 or (level > 1 and directory.mode & 0o020)):
        raise SysError(EACCES)


def _open_tmpfile(caller: Caller, path: Path, flags: int, mode: int) -> File:
    """A file without a name (do_tmpfile); with O_EXCL it can never get one."""
    if not path.dentry.is_dir:
        raise SysError(ENOTDIR)
    path.mount.want_write()
    directory = path.inode
    may_create(directory, caller.cred)
    if path.dentry.deleted:
        raise SysError(ENOENT)
    mode, uid, gid = ids_of_new(directory, caller.cred, S_IFREG | mode & ~caller.fs.umask)
    inode = directory.tmpfile(mode, uid, gid)
    inode.linkable = not flags & O_EXCL
    dentry = Dentry(path.dentry, b"#%d" % inode.ino, inode)
    dentry.deleted = True
    file = vfs_open(Path(path.mount, dentry), flags)
    file.cred = caller.cred
    return file
