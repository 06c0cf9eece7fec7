"""Directories: mkdir(2), rmdir(2), chdir(2), chroot(2), getcwd(2), mknod(2) (fs/namei.c, fs/open.c, fs/d_path.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import ENAMETOOLONG, ENOTDIR, EPERM, ERANGE, SysError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.kinds import DirFd, Fd, LatePath, Mode, ModeKind, OutBuf, Path, Size, UInt
from syscalls.abi.limits import PATH_MAX
from syscalls.fs import vfs
from syscalls.fs.cred import CAP_SYS_CHROOT
from syscalls.fs.fdtable import path_of
from syscalls.fs.path import resolve
from syscalls.fs.perm import MAY_EXEC, permission
from syscalls.kernel.task import Task
from syscalls.spec import syscall

FileMode = Annotated[int, ModeKind(file_type=True)]


@syscall()
def mkdir(task: Task, pathname: Path, mode: Mode) -> int:
    """Make a directory (mkdir(2))."""
    vfs.mkdir(task, None, pathname, mode)
    return 0


@syscall()
def mkdirat(task: Task, dirfd: DirFd, pathname: Path, mode: Mode) -> int:
    """Make a directory, relative to a directory descriptor (mkdirat(2))."""
    vfs.mkdir(task, task.files.at(dirfd, pathname), pathname, mode)
    return 0


@syscall()
def rmdir(task: Task, pathname: Path) -> int:
    """Remove an empty directory (rmdir(2))."""
    vfs.rmdir(task, None, pathname)
    return 0


@syscall()
def mknod(task: Task, pathname: LatePath, mode: FileMode, dev: UInt) -> int:
    """Make a regular file, FIFO, socket or device node (mknod(2))."""
    return _mknod(task, AT_FDCWD, pathname, mode, dev)


@syscall()
def mknodat(task: Task, dirfd: DirFd, pathname: LatePath, mode: FileMode, dev: UInt) -> int:
    """Make a regular file, FIFO, socket or device node, relative to a directory descriptor (mknodat(2))."""
    return _mknod(task, dirfd, pathname, mode, dev)


def _mknod(task: Task, dirfd: int, pathname: bytes, mode: int, dev: int) -> int:
    vfs.check_node_type(mode)
    vfs.mknod(task, task.files.at(dirfd, pathname), pathname, mode & 0xFFFF, dev)
    return 0


@syscall()
def chdir(task: Task, path: Path) -> int:
    """Change the working directory (chdir(2))."""
    place = resolve(task, None, path, directory=True)
    permission(place.inode, task.cred, MAY_EXEC)
    task.fs.cwd = place
    return 0


@syscall()
def fchdir(task: Task, fd: Fd) -> int:
    """Change the working directory to an open one (fchdir(2))."""
    place = path_of(task.files.get_any(fd))
    if not place.dentry.is_dir:
        raise SysError(ENOTDIR)
    permission(place.inode, task.cred, MAY_EXEC)
    task.fs.cwd = place
    return 0


@syscall()
def chroot(task: Task, path: Path) -> int:
    """Change the root directory (chroot(2))."""
    place = resolve(task, None, path, directory=True)
    permission(place.inode, task.cred, MAY_EXEC)
    if not task.cred.capable_here(CAP_SYS_CHROOT):
        raise SysError(EPERM)
    task.fs.root = place
    return 0


@syscall()
def getcwd(task: Task, buf: OutBuf, size: Size) -> int:
    """Store the pathname of the working directory; its length with the NUL (getcwd(2))."""
    name = task.fs.getcwd() + b"\0"
    if len(name) > PATH_MAX:
        raise SysError(ENAMETOOLONG)
    if len(name) > size:
        raise SysError(ERANGE)
    return buf.put(name)
