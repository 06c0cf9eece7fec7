"""Opening: open(2), openat(2), openat2(2), creat(2) (fs/open.c)."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi.arch import I386
from syscalls.abi.errno import E2BIG, EINVAL, SysError
from syscalls.abi.fcntl import (
    AT_FDCWD,
    O_CLOEXEC,
    O_CREAT,
    O_LARGEFILE,
    O_NOCTTY,
    O_NONBLOCK,
    O_PATH,
    O_TRUNC,
    O_WRONLY,
    RESOLVE_IN_ROOT,
    from_arch,
)
from syscalls.abi.kinds import DirFd, FdResult, In, LatePath, Mode, OpenFlags, Path, Size
from syscalls.abi.structs.file import OpenHow
from syscalls.fs import notify
from syscalls.fs import open as fs
from syscalls.fs.fdtable import put
from syscalls.fs.file import File
from syscalls.fs.leases import LeaseConflict
from syscalls.fs.ttyfile import TtyFile
from syscalls.kernel import ctty
from syscalls.kernel.fileio import install, nofile_limit
from syscalls.kernel.lease import break_lease
from syscalls.kernel.task import Task
from syscalls.kernel.wait import Interrupted, Wait
from syscalls.linux.types import ModeIfCreating
from syscalls.spec import syscall

_PAGE = 4096


@syscall()
async def open(task: Task, pathname: LatePath, flags: OpenFlags, mode: ModeIfCreating) -> FdResult:
    """Open, perhaps create, a file (open(2))."""
    return await _open(task, AT_FDCWD, pathname, flags | O_LARGEFILE, mode)


@syscall()
async def openat(task: Task, dirfd: DirFd, pathname: LatePath, flags: OpenFlags, mode: ModeIfCreating) -> FdResult:
    """Open, perhaps create, a file relative to a directory descriptor (openat(2))."""
    return await _open(task, dirfd, pathname, flags | O_LARGEFILE, mode)


@syscall()
async def creat(task: Task, pathname: Path, mode: Mode) -> FdResult:
    """Create or empty a file and open it for writing (creat(2))."""
    return await _open(task, AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, mode)


@syscall("open", only=I386)
async def open32(task: Task, pathname: LatePath, flags: OpenFlags, mode: ModeIfCreating) -> FdResult:
    """Open, perhaps create, a file; beyond 2 GB only with O_LARGEFILE (open(2))."""
    return await _open(task, AT_FDCWD, pathname, flags, mode)


@syscall("openat", only=I386)
async def openat32(task: Task, dirfd: DirFd, pathname: LatePath, flags: OpenFlags, mode: ModeIfCreating) -> FdResult:
    """Open, perhaps create, a file relative to a directory descriptor; up to 2 GB without O_LARGEFILE (openat(2))."""
    return await _open(task, dirfd, pathname, flags, mode)


@syscall("creat", only=I386)
async def creat32(task: Task, pathname: Path, mode: Mode) -> FdResult:
    """Create or empty a file and open it for writing, up to 2 GB (creat(2))."""
    return await _open(task, AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode)


@syscall()
async def openat2(task: Task, dirfd: DirFd, pathname: LatePath, how: In[OpenHow], size: Size) -> FdResult:
    """Open, perhaps create, a file, with restrictions on how its path is resolved (openat2(2))."""
    if size < how.size:
        raise SysError(EINVAL)
    if size > _PAGE:
        raise SysError(E2BIG)
    wanted = how.get()
    if any(task.mm.read(how.address + how.size, size - how.size)):
        raise SysError(E2BIG)
    flags = from_arch(task.arch, wanted.flags)
    if not flags & O_PATH:
        flags |= O_LARGEFILE
    fs.check_flags(flags, wanted.mode, wanted.resolve)
    if pathname:
        task.files.lowest_free(nofile_limit(task))
    base = task.files.at(dirfd, pathname, in_root=bool(wanted.resolve & RESOLVE_IN_ROOT))
    return await open_when_free(
        task, lambda: fs.openat2(task, base, pathname, flags, wanted.mode, wanted.resolve), flags
    )


async def _open(task: Task, dirfd: int, pathname: bytes, flags: int, mode: int) -> int:
    fs.known_flags(flags, mode)
    if pathname:
        task.files.lowest_free(nofile_limit(task))  # EMFILE comes before anything is made
    base = task.files.at(dirfd, pathname)
    return await open_when_free(task, lambda: fs.open(task, base, pathname, flags, mode), flags)


async def open_when_free(task: Task, attempt: Callable[[], File], flags: int) -> int:
    """Open, once nobody has a lease any more that is in the way."""
    while True:
        try:
            file = attempt()
        except LeaseConflict as conflict:
            await break_lease(task, conflict, nonblock=bool(flags & O_NONBLOCK))
        else:
            return await _finish(task, file, flags)


async def _finish(task: Task, file: File, flags: int) -> int:
    """Wait for the other end of a FIFO, then give the file a descriptor."""
    try:
        if not file.opened:
            while not file.opened:
                await Wait(file.queues())
            notify.on_open(file)
    except (Interrupted, SysError):
        file.close()
        raise
    try:
        fd = install(task, file, cloexec=bool(flags & O_CLOEXEC))
    except SysError:
        put(file)
        raise
    if isinstance(file, TtyFile) and not flags & O_NOCTTY:
        ctty.opened(task, file.tty, readable=file.readable)
    return fd
