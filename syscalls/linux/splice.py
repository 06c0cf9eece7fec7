"""Moving data through pipes: splice(2), tee(2), vmsplice(2) (fs/splice.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.cstruct import I64
from syscalls.abi.errno import EAGAIN, EBADF, EINVAL, EPIPE, ESPIPE, SysError
from syscalls.abi.fcntl import (
    O_APPEND,
    SPLICE_F_GIFT,
    SPLICE_F_MORE,
    SPLICE_F_MOVE,
    SPLICE_F_NONBLOCK,
    SPLICE_FLAGS,
)
from syscalls.abi.kinds import Fd, FlagsKind, InOut, Pointer, Size, ULong
from syscalls.abi.signal import SIGPIPE
from syscalls.abi.stat import S_IFDIR
from syscalls.fs import notify
from syscalls.fs.file import File
from syscalls.fs.pipe import Pipe, PipeFile
from syscalls.kernel.fileio import (
    Segments,
    read_bytes,
    read_file,
    send_to_self,
    write_limit,
    write_pieces,
)
from syscalls.kernel.task import Task
from syscalls.linux.read import InVector, import_iovec
from syscalls.spec import syscall

SpliceFlags = Annotated[int, FlagsKind(SPLICE_FLAGS)]
_ALL = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT


@syscall()
async def splice(
    task: Task, fd_in: Fd, off_in: InOut[I64], fd_out: Fd, off_out: InOut[I64], len: Size, flags: SpliceFlags
) -> int:
    """Move data between two open files, one of them a pipe (splice(2))."""
    if not len:
        return 0
    if flags & ~_ALL:
        raise SysError(EINVAL)
    source, target = task.file(fd_in), task.file(fd_out)
    if (isinstance(source, PipeFile) and off_in) or (isinstance(target, PipeFile) and off_out):
        raise SysError(ESPIPE)
    start = off_in.get() if off_in else None
    end = off_out.get() if off_out else None
    if not source.readable or not target.writable:
        raise SysError(EBADF)
    nowait = bool(flags & SPLICE_F_NONBLOCK)
    if isinstance(source, PipeFile) and isinstance(target, PipeFile):
        nowait = nowait or source.nonblocking or target.nonblocking
        done = await _pipe_to_pipe(task, source.pipe, target.pipe, len, nowait=nowait, keep=False)
    elif isinstance(source, PipeFile):
        _check(target, end, len, writing=True)
        done = await _from_pipe(task, source, target, end, len, nowait=nowait or source.nonblocking)
        _store(off_out, end, done)
    elif isinstance(target, PipeFile):
        _check(source, start, len, writing=False)
        done = await splice_to_pipe(task, source, start, target.pipe, len, nowait=nowait or target.nonblocking)
        _store(off_in, start, done)
    else:
        raise SysError(EINVAL)
    if done:
        notify.on_modify(target)
        notify.on_access(source)
    return done


def _check(file: File, offset: int | None, count: int, *, writing: bool) -> None:
    """Can the file that is no pipe do it, there? (do_splice)."""
    if (offset is not None and not file.seekable) or file.inode.type == S_IFDIR or not file.splices(writing=writing):
        raise SysError(EINVAL)
    if writing and file.flags & O_APPEND:
        raise SysError(EINVAL)
    at = file.position if offset is None else offset
    if count >> 63 or at < 0 or at + count >> 63:
        raise SysError(EINVAL)


def _store(pointer: Pointer[int], offset: int | None, done: int) -> None:
    if offset is not None:
        pointer.put(offset + done)


async def _data(pipe: Pipe, *, nowait: bool) -> bool:
    """Wait for something to read; False when nobody will ever write (ipipe_prep)."""
    while not pipe.slots:
        if not pipe.writers:
            return False
        if nowait:
            raise SysError(EAGAIN)
        await pipe.queue.wait()
    return True


async def _space(task: Task, pipe: Pipe, *, nowait: bool) -> None:
    """Wait for a free slot; EPIPE and SIGPIPE when nobody reads (wait_for_space)."""
    while True:
        if not pipe.readers:
            send_to_self(task, SIGPIPE)
            raise SysError(EPIPE)
        if not pipe.full:
            return
        if nowait:
            raise SysError(EAGAIN)
        await pipe.queue.wait()


async def _from_pipe(
    task: Task, source: PipeFile, target: File, offset: int | None, count: int, *, nowait: bool
) -> int:
    if not await _data(source.pipe, nowait=nowait):
        return 0
    room = write_limit(task, target, min(count, source.pipe.size()), offset)
    data = source.pipe.take(room)
    done = 0
    try:
        done = await write_pieces(task, target, iter([data]), offset, nowait=nowait)
    finally:
        if done < len(data):
            source.putback(data[done:])
    return done


async def splice_to_pipe(task: Task, source: File, offset: int | None, pipe: Pipe, count: int, *, nowait: bool) -> int:
    """Read from a file, or at `offset`, into a pipe, as much as it has room for (splice_file_to_pipe)."""
    await _space(task, pipe, nowait=nowait)
    data = await read_bytes(source, min(count, pipe.room * PAGE_SIZE), offset, nowait=nowait)
    await _space(task, pipe, nowait=nowait)
    done = pipe.put(data)
    if done < len(data) and offset is None:
        source.putback(data[done:])
    return done


async def _pipe_to_pipe(task: Task, source: Pipe, target: Pipe, count: int, *, nowait: bool, keep: bool) -> int:
    """Move (or copy: `keep`) slots while there are some and there is room for them."""
    if source is target:
        raise SysError(EINVAL)
    while True:
        more = await _data(source, nowait=nowait)
        await _space(task, target, nowait=nowait)  # EPIPE also when there is nothing to move
        if source.slots:
            break
        if not more:
            return 0
    done = 0
    for slot in source.peek(target.room):
        part = slot.data[: count - done]
        if not part:
            break
        target.put(part, packets=slot.packet)
        done += len(part)
    if not keep:
        source.drop(done)
    return done


@syscall()
async def tee(task: Task, fd_in: Fd, fd_out: Fd, len: Size, flags: SpliceFlags) -> int:
    """Copy data from one pipe to another; they also stay where they are (tee(2))."""
    if flags & ~_ALL:
        raise SysError(EINVAL)
    if not len:
        return 0
    source, target = task.file(fd_in), task.file(fd_out)
    if not source.readable or not target.writable:
        raise SysError(EBADF)
    if not isinstance(source, PipeFile) or not isinstance(target, PipeFile):
        raise SysError(EINVAL)
    nowait = bool(flags & SPLICE_F_NONBLOCK) or source.nonblocking or target.nonblocking
    done = await _pipe_to_pipe(task, source.pipe, target.pipe, len, nowait=nowait, keep=True)
    if done:
        notify.on_access(source)
        notify.on_modify(target)
    return done


@syscall()
async def vmsplice(task: Task, fd: Fd, iov: InVector, iovcnt: ULong, flags: SpliceFlags) -> int:
    """Copy user memory into a pipe, or what is in a pipe into user memory (vmsplice(2))."""
    if flags & ~_ALL:
        raise SysError(EINVAL)
    file = task.file(fd)
    segments = import_iovec(task, iov, iovcnt)
    total = sum([length for _, length in segments])
    if not total:
        return 0
    if not isinstance(file, PipeFile):
        raise SysError(EBADF)
    nowait = bool(flags & SPLICE_F_NONBLOCK)
    if not file.writable:
        return await read_file(task, file, segments, nowait=nowait)
    await _space(task, file.pipe, nowait=nowait)
    done = 0
    try:
        for address, length in _pages(segments, file.pipe.room):
            done += file.pipe.put(task.mm.read(address, length), whole=True)
    except SysError:
        if not done:
            raise
    notify.on_modify(file)
    return done


def _pages(segments: Segments, room: int) -> Iterator[tuple[int, int]]:
    """User memory cut at the ends of pages: each piece takes a slot of the pipe, however short (iter_to_pipe)."""
    for address, length in segments:
        while length and room:
            part = min(length, PAGE_SIZE - address % PAGE_SIZE)
            yield address, part
            address, length, room = address + part, length - part, room - 1
