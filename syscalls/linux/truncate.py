"""Sizes: truncate(2), ftruncate(2), fallocate(2) (fs/open.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.arch import I386
from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.fcntl import FALLOCATE_MODES, O_LARGEFILE
from syscalls.abi.kinds import Fd, FlagsKind, Int64, LatePath, Long
from syscalls.fs import attr
from syscalls.fs.leases import LeaseConflict
from syscalls.kernel.fileio import size_limit
from syscalls.kernel.lease import break_lease
from syscalls.kernel.lookup import lookup
from syscalls.kernel.task import Task
from syscalls.spec import syscall

FallocateMode = Annotated[int, FlagsKind(FALLOCATE_MODES)]
_MAX_NON_LFS = (1 << 31) - 1


@syscall()
async def truncate(task: Task, path: LatePath, length: Long) -> int:
    """Cut or extend a file to a length (truncate(2))."""
    return await _truncate(task, path, length)


@syscall()
def ftruncate(task: Task, fd: Fd, length: Long) -> int:
    """Cut or extend an open file to a length (ftruncate(2)); EINVAL beyond 2 GB without O_LARGEFILE."""
    return _ftruncate(task, fd, length, small=True)


@syscall("truncate64", only=I386)
async def truncate64(task: Task, path: LatePath, length: Int64) -> int:
    """Cut or extend a file to a 64-bit length (truncate(2))."""
    return await _truncate(task, path, length)


@syscall("ftruncate64", only=I386)
def ftruncate64(task: Task, fd: Fd, length: Int64) -> int:
    """Cut or extend an open file to a 64-bit length (ftruncate(2))."""
    return _ftruncate(task, fd, length, small=False)


async def _truncate(task: Task, path: bytes, length: int) -> int:
    if length < 0:
        raise SysError(EINVAL)
    place = lookup(task, path)
    while True:
        try:
            with size_limit(task) as limit:
                attr.truncate(task, place, length, limit)
        except LeaseConflict as conflict:
            await break_lease(task, conflict)
        else:
            return 0


def _ftruncate(task: Task, fd: int, length: int, *, small: bool) -> int:
    if length < 0:
        raise SysError(EINVAL)
    file = task.file(fd)
    if small and length > _MAX_NON_LFS and not file.flags & O_LARGEFILE:
        raise SysError(EINVAL)
    with size_limit(task) as limit:
        attr.ftruncate(task, file, length, limit)
    return 0


@syscall()
def fallocate(task: Task, fd: Fd, mode: FallocateMode, offset: Int64, len: Int64) -> int:
    """Allocate, punch, zero, collapse or insert a range of an open file (fallocate(2))."""
    file = task.file(fd)
    with size_limit(task) as limit:
        attr.fallocate(task, file, mode, offset, len, limit)
    return 0
