"""From file to file: sendfile(2), copy_file_range(2) (fs/read_write.c)."""

from __future__ import annotations

from syscalls.abi.arch import I386
from syscalls.abi.cstruct import I64, CLong
from syscalls.abi.errno import EBADF, EFBIG, EINVAL, EISDIR, EOVERFLOW, ESPIPE, ETXTBSY, EXDEV, SysError
from syscalls.abi.fcntl import O_APPEND
from syscalls.abi.kinds import Fd, InOut, Pointer, Size, UInt
from syscalls.abi.stat import S_IFDIR, S_IFREG
from syscalls.abi.uio import MAX_RW_COUNT
from syscalls.fs import notify
from syscalls.fs.file import File
from syscalls.fs.pipe import PipeFile
from syscalls.kernel.fileio import read_bytes, readable, writable, write_limit, write_pieces
from syscalls.kernel.task import Task
from syscalls.linux.splice import splice_to_pipe
from syscalls.spec import syscall

#: What is moved at once.
_CHUNK = 1 << 16


@syscall("sendfile", "sendfile64")
async def sendfile(task: Task, out_fd: Fd, in_fd: Fd, offset: InOut[I64], count: Size) -> int:
    """Copy from one open file to another, from `*offset` or the position (sendfile(2))."""
    return await _sendfile(task, out_fd, in_fd, offset, count, (1 << 63) - 1)


@syscall("sendfile", only=I386)
async def sendfile32(task: Task, out_fd: Fd, in_fd: Fd, offset: InOut[CLong], count: Size) -> int:
    """Copy from one open file to another, from a 32-bit `*offset` or the position (sendfile(2))."""
    return await _sendfile(task, out_fd, in_fd, offset, count, (1 << 31) - 1)


async def _sendfile(task: Task, out_fd: int, in_fd: int, offset: Pointer[int], count: int, largest: int) -> int:
    """The order of checks of do_sendfile: source, its position, target; then as much as goes."""
    start = offset.get() if offset else None
    source = readable(task, in_fd)
    if start is not None and not source.seekable:
        raise SysError(ESPIPE)
    at = source.position if start is None else start
    if at < 0 or count >> 63 or at + count >> 63:
        raise SysError(EINVAL)
    count = min(count, MAX_RW_COUNT)
    target = writable(task, out_fd)
    if isinstance(target, PipeFile):
        return await _to_pipe(task, source, start, offset, target, count)
    if target.flags & O_APPEND or not source.seekable:
        raise SysError(EINVAL)
    if not count:
        return 0
    if source.inode.type == S_IFDIR:
        raise SysError(EINVAL)
    if not source.splices(writing=False) or not target.splices(writing=True):
        raise SysError(EINVAL)
    if at + count > largest:
        if at >= largest:
            raise SysError(EOVERFLOW)
        count = largest - at
    done = await _copy(task, source, at, target, None, count)
    if start is None:
        source.position = at + done
    else:
        offset.put(at + done)
    if done:
        notify.on_access(source)
        notify.on_modify(target)
    return done


async def _to_pipe(
    task: Task, source: File, start: int | None, offset: Pointer[int], target: PipeFile, count: int
) -> int:
    """Into a pipe goes whatever splice(2) can read, seekable or not."""
    if source.inode.type == S_IFDIR or not source.splices(writing=False) or isinstance(source, PipeFile):
        raise SysError(EINVAL)
    done = await splice_to_pipe(task, source, start, target.pipe, count, nowait=target.nonblocking)
    if start is not None:
        offset.put(start + done)
    if done:
        notify.on_access(source)
        notify.on_modify(target)
    return done


async def _copy(task: Task, source: File, at: int, target: File, to: int | None, count: int) -> int:
    """Copy up to `count` bytes in pieces; an error counts only when nothing was copied before it."""
    done = 0
    try:
        while done < count:
            data = await read_bytes(source, min(_CHUNK, count - done), at + done)
            if not data:
                break
            place = None if to is None else to + done
            room = write_limit(task, target, len(data), place)
            taken = await write_pieces(task, target, iter([data[:room]]), place)
            done += taken
            if taken < len(data):
                break
    except SysError:
        if not done:
            raise
    return done


@syscall()
async def copy_file_range(
    task: Task, fd_in: Fd, off_in: InOut[I64], fd_out: Fd, off_out: InOut[I64], len: Size, flags: UInt
) -> int:
    """Copy a range from one regular file to another (copy_file_range(2))."""
    source = task.file(fd_in)
    target = task.file(fd_out)
    start = off_in.get() if off_in else source.position
    end = off_out.get() if off_out else target.position
    if flags:
        raise SysError(EINVAL)
    count = _check_range(source, start, target, end, len)
    write_limit(task, target, max(count, 1), end)  # EFBIG even when there is nothing to copy
    if not count:
        return 0
    done = await _copy(task, source, start, target, end, count)
    if done:
        _move(source, off_in, start + done)
        _move(target, off_out, end + done)
        notify.on_access(source)
        notify.on_modify(target)
    return done


def _move(file: File, offset: Pointer[int], position: int) -> None:
    if offset:
        offset.put(position)
    else:
        file.position = position


def _check_range(source: File, start: int, target: File, end: int, count: int) -> int:
    """How much may be copied (generic_file_rw_checks, generic_copy_file_checks, rw_verify_area)."""
    for file in (source, target):
        if file.inode.type == S_IFDIR:
            raise SysError(EISDIR)
    if source.inode.type != S_IFREG or target.inode.type != S_IFREG:
        raise SysError(EINVAL)
    if not source.readable or not target.writable or target.flags & O_APPEND:
        raise SysError(EBADF)
    if source.inode.fs is not target.inode.fs:
        raise SysError(EXDEV)
    if target.inode.writers < 0:
        raise SysError(ETXTBSY)
    if start % (1 << 64) + count >> 64 or end % (1 << 64) + count >> 64:
        raise SysError(EOVERFLOW)
    if start < 0 or end < 0:
        raise SysError(EINVAL)
    count = max(0, min(count, source.inode.size - start, MAX_RW_COUNT))
    if end >= target.inode.fs.max_bytes:
        raise SysError(EFBIG)
    if source.inode is target.inode and end < start + count and start < end + count:
        raise SysError(EINVAL)
    return count
