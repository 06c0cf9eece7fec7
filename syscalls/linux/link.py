"""Names: link(2), unlink(2), symlink(2), readlink(2), rename(2) (fs/namei.c, fs/stat.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, ENOENT, SysError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, RENAME_FLAGS
from syscalls.abi.kinds import Buffer, BufferKind, DirFd, FlagsKind, Int, LatePath, Path
from syscalls.abi.stat import S_IFLNK
from syscalls.fs import vfs
from syscalls.fs.cred import CAP_DAC_READ_SEARCH
from syscalls.fs.path import resolve_parent
from syscalls.kernel.lookup import lookup
from syscalls.kernel.task import Task
from syscalls.linux.types import AtFlags
from syscalls.spec import syscall

RenameFlags = Annotated[int, FlagsKind(RENAME_FLAGS)]
LinkText = Annotated[Buffer, BufferKind("bufsiz", out=True)]


# --- making and removing names ----------------------------------------------------------------------------------------


@syscall()
def link(task: Task, oldpath: LatePath, newpath: LatePath) -> int:
    """Give a file another name (link(2))."""
    return _link(task, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0)


@syscall()
def linkat(task: Task, olddirfd: DirFd, oldpath: LatePath, newdirfd: DirFd, newpath: LatePath, flags: AtFlags) -> int:
    """Give a file another name, relative to directory descriptors (linkat(2))."""
    return _link(task, olddirfd, oldpath, newdirfd, newpath, flags)


def _link(task: Task, olddirfd: int, oldpath: bytes, newdirfd: int, newpath: bytes, flags: int) -> int:
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    if flags & AT_EMPTY_PATH and olddirfd != AT_FDCWD and not oldpath:
        opened = task.files.get_any(olddirfd)
        if opened.cred is not task.cred and not task.cred.capable(CAP_DAC_READ_SEARCH):
            raise SysError(ENOENT)
    old = lookup(task, oldpath, olddirfd, follow=bool(flags & AT_SYMLINK_FOLLOW), empty=bool(flags & AT_EMPTY_PATH))
    vfs.link(task, old, task.files.at(newdirfd, newpath), newpath)
    return 0


@syscall()
def unlink(task: Task, pathname: Path) -> int:
    """Remove a name, and the file with its last one (unlink(2))."""
    vfs.unlink(task, None, pathname)
    return 0


@syscall()
def unlinkat(task: Task, dirfd: DirFd, pathname: LatePath, flags: AtFlags) -> int:
    """Remove a name, or with AT_REMOVEDIR a directory (unlinkat(2))."""
    if flags & ~AT_REMOVEDIR:
        raise SysError(EINVAL)
    remove = vfs.rmdir if flags & AT_REMOVEDIR else vfs.unlink
    remove(task, task.files.at(dirfd, pathname), pathname)
    return 0


# --- symbolic links ---------------------------------------------------------------------------------------------------


@syscall()
def symlink(task: Task, target: Path, linkpath: Path) -> int:
    """Make a symbolic link (symlink(2))."""
    vfs.symlink(task, target, None, linkpath)
    return 0


@syscall()
def symlinkat(task: Task, target: Path, newdirfd: DirFd, linkpath: Path) -> int:
    """Make a symbolic link, relative to a directory descriptor (symlinkat(2))."""
    vfs.symlink(task, target, task.files.at(newdirfd, linkpath), linkpath)
    return 0


@syscall()
def readlink(task: Task, pathname: Path, buf: LinkText, bufsiz: Int) -> int:
    """Store where a symbolic link leads, without a NUL (readlink(2))."""
    return _readlink(task, AT_FDCWD, pathname, buf, bufsiz)


@syscall()
def readlinkat(task: Task, dirfd: DirFd, pathname: Path, buf: LinkText, bufsiz: Int) -> int:
    """Store where a symbolic link leads; an empty name means the link that `dirfd` is (readlinkat(2))."""
    return _readlink(task, dirfd, pathname, buf, bufsiz)


def _readlink(task: Task, dirfd: int, pathname: bytes, buf: Buffer, bufsiz: int) -> int:
    if bufsiz <= 0:
        raise SysError(EINVAL)
    path = lookup(task, pathname, dirfd, follow=False, empty=True)
    inode = path.inode
    if inode.type != S_IFLNK:
        raise SysError(EINVAL if pathname else ENOENT)
    path.mount.accessed(inode)
    target = inode.follow()
    text = inode.readlink() if target is None else task.fs.name(target)
    return buf.put(text[:bufsiz])


# --- renaming ---------------------------------------------------------------------------------------------------------


@syscall()
def rename(task: Task, oldpath: LatePath, newpath: LatePath) -> int:
    """Move a name (rename(2))."""
    return _rename(task, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0)


@syscall()
def renameat(task: Task, olddirfd: DirFd, oldpath: LatePath, newdirfd: DirFd, newpath: LatePath) -> int:
    """Move a name, relative to directory descriptors (renameat(2))."""
    return _rename(task, olddirfd, oldpath, newdirfd, newpath, 0)


@syscall()
def renameat2(
    task: Task, olddirfd: DirFd, oldpath: LatePath, newdirfd: DirFd, newpath: LatePath, flags: RenameFlags
) -> int:
    """Move a name, exchange two, or refuse to replace (renameat2(2))."""
    return _rename(task, olddirfd, oldpath, newdirfd, newpath, flags)


def _rename(task: Task, olddirfd: int, oldpath: bytes, newdirfd: int, newpath: bytes, flags: int) -> int:
    vfs.check_rename(flags)
    old = resolve_parent(task, task.files.at(olddirfd, oldpath), oldpath)
    new = resolve_parent(task, task.files.at(newdirfd, newpath), newpath)
    vfs.rename_parents(task, old, new, flags)
    return 0
