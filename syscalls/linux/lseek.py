"""Positions: lseek(2), and i386's _llseek (fs/read_write.c)."""

from __future__ import annotations

from syscalls.abi.arch import I386
from syscalls.abi.cstruct import I64
from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.fcntl import SEEK_MAX
from syscalls.abi.kinds import Fd, Long, Out, ULong
from syscalls.kernel.task import Task
from syscalls.linux.types import Whence
from syscalls.spec import syscall


def _seek(task: Task, fd: int, offset: int, whence: int) -> int:
    file = task.file(fd)
    if whence > SEEK_MAX:
        raise SysError(EINVAL)
    return file.seek(offset, whence)


@syscall()
def lseek(task: Task, fd: Fd, offset: Long, whence: Whence) -> int:
    """Move the position of an open file (lseek(2)); an i386 program sees the low half of the result."""
    # A 64-bit kernel cuts the result where a 32-bit one would answer EOVERFLOW.
    return _seek(task, fd, offset, whence) & task.arch.mask


@syscall("_llseek", only=I386)
def llseek(task: Task, fd: Fd, offset_high: ULong, offset_low: ULong, result: Out[I64], whence: Whence) -> int:
    """Move the position of an open file by a 64-bit offset and store it (_llseek(2))."""
    offset = offset_high << 32 | offset_low
    result.put(_seek(task, fd, offset - (offset >> 63 << 64), whence))
    return 0
