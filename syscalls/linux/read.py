"""Transfer: read(2), pread(2), readv(2), preadv2(2), and the same for writing (fs/read_write.c)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from syscalls.abi.errno import EINVAL, EOPNOTSUPP, ESPIPE, SysError
from syscalls.abi.fcntl import O_APPEND
from syscalls.abi.kinds import ArrayKind, Fd, FlagsKind, InBuf, Int64, OutBuf, Pointer, Size, ULong
from syscalls.abi.stat import S_IFCHR, S_IFIFO
from syscalls.abi.structs.uio import Iovec
from syscalls.abi.uio import (
    MAX_RW_COUNT,
    RWF_APPEND,
    RWF_DSYNC,
    RWF_FLAGS,
    RWF_HIPRI,
    RWF_NOAPPEND,
    RWF_NOWAIT,
    RWF_SYNC,
    UIO_MAXIOV,
)
from syscalls.fs import notify
from syscalls.fs.file import File
from syscalls.kernel.fileio import Segments, read_file, readable, segment, writable, write_file
from syscalls.kernel.task import Task
from syscalls.linux.types import HiLo
from syscalls.spec import syscall

InVector = Annotated[Pointer[Iovec], ArrayKind(Iovec, count="iovcnt")]
OutVector = Annotated[Pointer[Iovec], ArrayKind(Iovec, count="iovcnt", out=True)]
RwFlags = Annotated[int, FlagsKind(RWF_FLAGS)]

_SUPPORTED = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND


# --- one buffer -------------------------------------------------------------------------------------------------------


@syscall()
async def read(task: Task, fd: Fd, buf: OutBuf, count: Size) -> int:
    """Read up to `count` bytes from a descriptor (read(2))."""
    file = readable(task, fd)
    return await read_file(task, file, [segment(task, buf.address, count)])


@syscall()
async def write(task: Task, fd: Fd, buf: InBuf, count: Size) -> int:
    """Write up to `count` bytes to a descriptor (write(2))."""
    file = writable(task, fd)
    return await write_file(task, file, [segment(task, buf.address, count)])


@syscall("pread64")
async def pread64(task: Task, fd: Fd, buf: OutBuf, count: Size, offset: Int64) -> int:
    """Read at `offset`, leaving the position as it is (pread(2))."""
    file = _at(task, fd, offset, readable)
    _check_end(offset, count)
    return await read_file(task, file, [segment(task, buf.address, count)], offset)


@syscall("pwrite64")
async def pwrite64(task: Task, fd: Fd, buf: InBuf, count: Size, offset: Int64) -> int:
    """Write at `offset`, leaving the position as it is (pwrite(2))."""
    file = _at(task, fd, offset, writable)
    _check_end(offset, count)
    return await write_file(task, file, [segment(task, buf.address, count)], offset)


# --- vectors ----------------------------------------------------------------------------------------------------------


@syscall()
async def readv(task: Task, fd: Fd, iov: OutVector, iovcnt: ULong) -> int:
    """Read into several buffers (readv(2))."""
    return await _readv(task, readable(task, fd), iov, iovcnt)


@syscall()
async def writev(task: Task, fd: Fd, iov: InVector, iovcnt: ULong) -> int:
    """Write several buffers at once (writev(2))."""
    return await _writev(task, writable(task, fd), iov, iovcnt)


@syscall()
async def preadv(task: Task, fd: Fd, iov: OutVector, iovcnt: ULong, offset: HiLo) -> int:
    """Read into several buffers from `offset` (preadv(2))."""
    return await _readv(task, _at(task, fd, offset, readable), iov, iovcnt, offset)


@syscall()
async def pwritev(task: Task, fd: Fd, iov: InVector, iovcnt: ULong, offset: HiLo) -> int:
    """Write several buffers at `offset` (pwritev(2))."""
    return await _writev(task, _at(task, fd, offset, writable), iov, iovcnt, offset)


@syscall()
async def preadv2(task: Task, fd: Fd, iov: OutVector, iovcnt: ULong, offset: HiLo, flags: RwFlags) -> int:
    """Read into several buffers from `offset` (-1: the position), with RWF_* (preadv2(2))."""
    if offset == -1:
        return await _readv(task, readable(task, fd), iov, iovcnt, None, flags)
    return await _readv(task, _at(task, fd, offset, readable), iov, iovcnt, offset, flags)


@syscall()
async def pwritev2(task: Task, fd: Fd, iov: InVector, iovcnt: ULong, offset: HiLo, flags: RwFlags) -> int:
    """Write several buffers at `offset` (-1: the position), with RWF_* (pwritev2(2))."""
    if offset == -1:
        return await _writev(task, writable(task, fd), iov, iovcnt, None, flags)
    return await _writev(task, _at(task, fd, offset, writable), iov, iovcnt, offset, flags)


# --- what they have in common -----------------------------------------------------------------------------------------


def _at(task: Task, fd: int, offset: int, mode: object) -> File:
    """The file for a transfer at an offset; EINVAL, EBADF, ESPIPE, EBADF in this order (ksys_pread64)."""
    if offset < 0:
        raise SysError(EINVAL)
    if not task.file(fd).seekable:
        raise SysError(ESPIPE)
    return readable(task, fd) if mode is readable else writable(task, fd)


def _check_end(offset: int, count: int) -> None:
    """Positions end at 2^63 (rw_verify_area)."""
    if offset + min(count, MAX_RW_COUNT) >> 63:
        raise SysError(EINVAL)


def import_iovec(task: Task, iov: Pointer[Iovec], iovcnt: int) -> Segments:
    """The pieces that a vector describes, together at most MAX_RW_COUNT bytes; EINVAL, EFAULT (import_iovec)."""
    if iovcnt > UIO_MAXIOV:
        raise SysError(EINVAL)
    room, segments = MAX_RW_COUNT, []
    items = iov.array(iovcnt)
    sign = task.arch.bits - 1
    if any(item.iov_len >> sign for item in items):
        raise SysError(EINVAL)
    for item in items:
        address, length = segment(task, item.iov_base, item.iov_len)
        segments.append((address, min(length, room)))
        room -= segments[-1][1]
    return segments


async def _readv(
    task: Task, file: File, iov: Pointer[Iovec], iovcnt: int, offset: int | None = None, flags: int = 0
) -> int:
    segments = import_iovec(task, iov, iovcnt)
    total = sum([length for _, length in segments])
    done = 0
    if total:
        if offset is not None:
            _check_end(offset, total)
        check_flags(file, flags)
        done = await read_file(task, file, segments, offset, nowait=bool(flags & RWF_NOWAIT))
    if not done:
        notify.on_access(file)  # here the end of a file counts, too (vfs_readv)
    return done


async def _writev(
    task: Task, file: File, iov: Pointer[Iovec], iovcnt: int, offset: int | None = None, flags: int = 0
) -> int:
    segments = import_iovec(task, iov, iovcnt)
    total = sum([length for _, length in segments])
    if not total:
        return 0
    if offset is not None:
        _check_end(offset, total)
    check_flags(file, flags)
    if not file.scatters:
        return await _write_pieces(task, file, segments, nowait=bool(flags & RWF_NOWAIT))
    with _appending(file, flags):
        return await write_file(task, file, segments, offset, nowait=bool(flags & RWF_NOWAIT))


async def _write_pieces(task: Task, file: File, segments: Segments, *, nowait: bool) -> int:
    """Each piece by a write of its own (do_loop_readv_writev)."""
    done = 0
    for piece in segments:
        try:
            taken = await write_file(task, file, [piece], nowait=nowait)
        except SysError:
            if not done:
                raise
            break
        done += taken
        if taken != piece[1]:
            break
    return done


def check_flags(file: File, flags: int) -> None:
    """EOPNOTSUPP for flags that the file does not know (kiocb_set_rw_flags)."""
    if flags & ~_SUPPORTED or (flags & RWF_NOWAIT and file.inode.type not in (S_IFCHR, S_IFIFO)):
        raise SysError(EOPNOTSUPP)
    if flags & RWF_APPEND and flags & RWF_NOAPPEND:
        raise SysError(EINVAL)


@contextmanager
def _appending(file: File, flags: int) -> Iterator[None]:
    """O_APPEND as RWF_APPEND and RWF_NOAPPEND want it, for files that never sleep: nobody sees it."""
    before = file.flags
    if file.seekable and flags & RWF_APPEND:
        file.flags |= O_APPEND
    elif file.seekable and flags & RWF_NOAPPEND:
        file.flags &= ~O_APPEND
    try:
        yield
    finally:
        if file.seekable and flags & (RWF_APPEND | RWF_NOAPPEND):
            file.flags = before
