"""inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2) (fs/notify/inotify/inotify_user.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.kinds import Fd, FdResult, FlagsKind, Int, LatePath
from syscalls.abi.poll import (
    IN_CLOEXEC,
    IN_DONT_FOLLOW,
    IN_MASK_ADD,
    IN_MASK_CREATE,
    IN_NONBLOCK,
    IN_ONLYDIR,
    INOTIFY_ALL_BITS,
    INOTIFY_EVENTS,
    INOTIFY_INIT_FLAGS,
)
from syscalls.fs.file import File
from syscalls.fs.inotify import InotifyFile
from syscalls.fs.path import resolve
from syscalls.fs.perm import MAY_READ, permission
from syscalls.kernel.fileio import install
from syscalls.kernel.task import Task
from syscalls.spec import syscall

InitFlags = Annotated[int, FlagsKind(INOTIFY_INIT_FLAGS)]
Events = Annotated[int, FlagsKind(INOTIFY_EVENTS)]


@syscall()
def inotify_init(task: Task) -> FdResult:
    """A new instance: a file that tells what happens to others (inotify_init(2))."""
    return _init(task, 0)


@syscall()
def inotify_init1(task: Task, flags: InitFlags) -> FdResult:
    """The same with IN_CLOEXEC and IN_NONBLOCK (inotify_init(2))."""
    return _init(task, flags)


def _init(task: Task, flags: int) -> int:
    if flags & ~(IN_CLOEXEC | IN_NONBLOCK):
        raise SysError(EINVAL)
    kernel = task.kernel
    file = InotifyFile(kernel.anonfs, flags & IN_NONBLOCK, kernel.inotify, task.cred.euid)
    try:
        return install(task, file, cloexec=bool(flags & IN_CLOEXEC))
    except SysError:
        file.close()
        raise


@syscall()
def inotify_add_watch(task: Task, fd: Fd, pathname: LatePath, mask: Events) -> int:
    """Watch what a name leads to, or change what of it is watched; the watch descriptor (inotify_add_watch(2))."""
    if mask & ~INOTIFY_ALL_BITS or not mask:
        raise SysError(EINVAL)
    file = task.file(fd)
    if mask & IN_MASK_ADD and mask & IN_MASK_CREATE:
        raise SysError(EINVAL)
    instance = _instance(file)
    path = resolve(task, None, pathname, follow=not mask & IN_DONT_FOLLOW, directory=bool(mask & IN_ONLYDIR))
    permission(path.inode, task.cred, MAY_READ)
    return instance.watch(path.inode, mask)


@syscall()
def inotify_rm_watch(task: Task, fd: Fd, wd: Int) -> int:
    """Watch no more; IN_IGNORED follows (inotify_rm_watch(2))."""
    _instance(task.file(fd)).unwatch(wd)
    return 0


def _instance(file: File) -> InotifyFile:
    if not isinstance(file, InotifyFile):
        raise SysError(EINVAL)
    return file
