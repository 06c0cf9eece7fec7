"""Writing back: sync(2), fsync(2), syncfs(2), sync_file_range(2); and advice (fs/sync.c, mm/fadvise.c).

Files in memory are always where they last; what comes from the host is written through. So there is only checking.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.arch import I386
from syscalls.abi.errno import EINVAL, ESPIPE, SysError
from syscalls.abi.fcntl import (
    FADVISE,
    POSIX_FADV_NOREUSE,
    SYNC_FILE_RANGE_FLAGS,
    SYNC_FILE_RANGE_WAIT_AFTER,
    SYNC_FILE_RANGE_WAIT_BEFORE,
    SYNC_FILE_RANGE_WRITE,
)
from syscalls.abi.kinds import Fd, FlagsKind, Int64, Size
from syscalls.abi.stat import S_IFBLK, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG
from syscalls.kernel.fileio import readable
from syscalls.kernel.task import Task
from syscalls.spec import syscall

SyncFlags = Annotated[int, FlagsKind(SYNC_FILE_RANGE_FLAGS)]
Advice = Annotated[int, FlagsKind(FADVISE, signed=True)]

_SYNC_FLAGS = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER


@syscall()
def sync(task: Task) -> int:
    """Write all file systems' changes back (sync(2))."""
    del task
    return 0


@syscall()
def fsync(task: Task, fd: Fd) -> int:
    """Write a file's changes back (fsync(2)); EINVAL for a pipe and the like."""
    task.file(fd).sync()
    return 0


@syscall()
def fdatasync(task: Task, fd: Fd) -> int:
    """Write a file's data back (fdatasync(2)); EINVAL for a pipe and the like."""
    task.file(fd).sync()
    return 0


@syscall()
def syncfs(task: Task, fd: Fd) -> int:
    """Write back the changes of the file system that an open file is on (syncfs(2))."""
    task.file(fd)
    return 0


@syscall()
def sync_file_range(task: Task, fd: Fd, offset: Int64, nbytes: Int64, flags: SyncFlags) -> int:
    """Write back a part of a file (sync_file_range(2))."""
    inode = task.file(fd).inode
    end = offset + nbytes
    if flags & ~_SYNC_FLAGS or offset < 0 or nbytes < 0 or end >> 63:
        raise SysError(EINVAL)
    if inode.type not in (S_IFREG, S_IFBLK, S_IFDIR, S_IFLNK):
        raise SysError(ESPIPE)
    return 0


@syscall()
def fadvise64(task: Task, fd: Fd, offset: Int64, len: Int64, advice: Advice) -> int:
    """Tell how a file will be accessed (posix_fadvise(2))."""
    del offset
    return _fadvise(task, fd, len, advice)


@syscall("fadvise64", only=I386)
def fadvise64_32(task: Task, fd: Fd, offset: Int64, len: Size, advice: Advice) -> int:
    """Tell how a file will be accessed, of a range of up to 4 GB (posix_fadvise(2))."""
    del offset
    return _fadvise(task, fd, len, advice)


@syscall("fadvise64_64", only=I386)
def fadvise64_64(task: Task, fd: Fd, offset: Int64, len: Int64, advice: Advice) -> int:
    """Tell how a file will be accessed (posix_fadvise(2))."""
    del offset
    return _fadvise(task, fd, len, advice)


def _fadvise(task: Task, fd: int, len: int, advice: int) -> int:
    file = task.file(fd)
    if file.inode.type == S_IFIFO:
        raise SysError(ESPIPE)
    if len < 0 or not 0 <= advice <= POSIX_FADV_NOREUSE:
        raise SysError(EINVAL)
    return 0


@syscall()
def readahead(task: Task, fd: Fd, offset: Int64, count: Size) -> int:
    """Bring a part of a file into memory (readahead(2))."""
    del offset, count
    if readable(task, fd).inode.type not in (S_IFREG, S_IFBLK):
        raise SysError(EINVAL)
    return 0
