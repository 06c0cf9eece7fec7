"""Transfers between open files and user memory: what read(2), write(2) and all their relatives are made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from syscalls.abi.errno import EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EPIPE, SysError
from syscalls.abi.resource import RLIMIT_FSIZE, RLIMIT_NOFILE
from syscalls.abi.signal import SIGPIPE, SIGXFSZ
from syscalls.abi.uio import MAX_RW_COUNT
from syscalls.fs import attr, notify
from syscalls.fs.file import WOULD_BLOCK, File
from syscalls.kernel.ports import WRITE
from syscalls.kernel.signals import SigInfo, send
from syscalls.kernel.wait import Interrupted, Wait, Woken

if TYPE_CHECKING:
    from syscalls.kernel.ports import Memory
    from syscalls.kernel.task import Task

#: Pieces of user memory, one behind the other: (address, length).
Segments = list[tuple[int, int]]

#: What no user address reaches, on any kernel of 64 bits: i386 programs run on one, too (TASK_SIZE_MAX).
USER_END = 0x7FFF_FFFF_F000
#: User data are fetched in pieces of this size, so that one huge write(2) does not need its double in memory.
_CHUNK = 1 << 20


def readable(task: Task, fd: int) -> File:
    """The file of a descriptor that was opened for reading; EBADF."""
    file = task.file(fd)
    if not file.readable:
        raise SysError(EBADF)
    return file


def writable(task: Task, fd: int) -> File:
    """The file of a descriptor that was opened for writing; EBADF."""
    file = task.file(fd)
    if not file.writable:
        raise SysError(EBADF)
    return file


def install(task: Task, file: File, *, cloexec: bool = False) -> int:
    """A new descriptor for a file; EMFILE at RLIMIT_NOFILE."""
    return task.files.install(file, nofile_limit(task), cloexec=cloexec)


def nofile_limit(task: Task) -> int:
    """Where descriptors end: RLIMIT_NOFILE."""
    return task.group.limit(RLIMIT_NOFILE)


def segment(task: Task, address: int, length: int) -> tuple[int, int]:
    """One piece of user memory, cut to what a call transfers at most; EFAULT, EINVAL (access_ok, rw_verify_area)."""
    if address + length > max(USER_END, task.arch.task_size):
        raise SysError(EFAULT)
    if length >> 63:
        raise SysError(EINVAL)
    return address, min(length, MAX_RW_COUNT)


async def wait_for(file: File, *, nowait: bool = False, writing: bool = False) -> bool:
    """Sleep until the file's state changes; EAGAIN when it (or the call) is not to wait. True: it took too long.

    With SO_RCVTIMEO or SO_SNDTIMEO that is EAGAIN too, and an interruption is final (sock_intr_errno).
    """
    if nowait or file.nonblocking:
        raise SysError(EAGAIN)
    deadline_ns = file.write_deadline() if writing else file.read_deadline()
    try:
        late = await Wait(file.queues(), deadline_ns) is Woken.DEADLINE
    except Interrupted:
        if file.times_out and deadline_ns is not None:
            raise SysError(EINTR) from None
        raise
    if late and file.times_out:
        raise SysError(EAGAIN)
    return late


async def read_bytes(file: File, count: int, offset: int | None = None, *, nowait: bool = False) -> bytes:
    """Up to `count` bytes from the file's position or from `offset`, sleeping until there are some."""
    while (data := file.read(count) if offset is None else file.pread(count, offset)) is WOULD_BLOCK:
        try:
            late = await wait_for(file, nowait=nowait)
        except (Interrupted, SysError):
            if rest := file.read_rest(count):
                return rest
            raise
        if late:
            return file.read_rest(count)
    return data


async def read_file(
    task: Task, file: File, segments: Segments, offset: int | None = None, *, nowait: bool = False
) -> int:
    """Read into user memory; the number of bytes stored before the end, or before a page that cannot be written."""
    total = sum([length for _, length in segments])
    data = await read_bytes(file, total, offset, nowait=nowait)
    done = store(task.mm, segments, data)
    if done < len(data):
        if offset is None:
            done = file.unread(data, done)
        if not done:
            raise SysError(EFAULT)
    if done and file.inode.fs.watched:
        notify.on_access(file)
    return done


def store(memory: Memory, segments: Segments, data: bytes) -> int:
    """Distribute `data`; how many bytes were stored before the first page that cannot be written."""
    done = 0
    for address, length in segments:
        part = data if len(segments) == 1 else data[done : done + length]
        try:
            if part:
                memory.write(address, part)
        except SysError:
            return done + sum(map(len, memory.views(address, len(part), WRITE)))
        done += len(part)
    return done


async def write_file(
    task: Task, file: File, segments: Segments, offset: int | None = None, *, nowait: bool = False
) -> int:
    """Write from user memory; how many bytes were taken.

    EFBIG and SIGXFSZ at the limit of file sizes, EPIPE and SIGPIPE when nobody reads.
    """
    count = write_limit(task, file, sum([length for _, length in segments]), offset)
    if file.blind:
        pieces = _anything(count)
    elif file.whole_units:
        pieces = _whole_units(file, task.mm, segments, count)
    else:
        pieces = fetch(task.mm, segments, count)
    done = await write_pieces(task, file, pieces, offset, nowait=nowait)
    if done and file.inode.fs.watched:
        notify.on_modify(file)
    return done


async def write_pieces(
    task: Task, file: File, pieces: Iterator[bytes], offset: int | None = None, *, nowait: bool = False
) -> int:
    """Write one piece after the other; an error or a signal counts only when nothing was written before."""
    done = 0
    try:
        for piece in pieces:
            data: bytes | memoryview = piece
            while (taken := file.write(data) if offset is None else file.pwrite(data, offset + done)) != len(data):
                if taken is WOULD_BLOCK:
                    await wait_for(file, nowait=nowait, writing=True)
                    continue
                done += taken
                if not file.whole_writes:
                    return done
                data = memoryview(data)[taken:]
            done += len(data)
    except SysError as error:
        if error.errno == EPIPE and file.whole_writes:  # datagrams break no pipe
            send_to_self(task, SIGPIPE)
        if not done:
            raise
    except Interrupted:
        if not done:
            raise
    return done


def _anything(count: int) -> Iterator[bytes]:
    """Data for a file that does not look at them, so that bad pointers do no harm either."""
    while count > 0:
        yield bytes(min(count, _CHUNK))
        count -= _CHUNK


def _whole_units(file: File, memory: Memory, segments: Segments, count: int) -> Iterator[bytes]:
    """What lies before the first unit that cannot be copied in; EFAULT when that is nothing, and the file is ready."""
    left = count
    try:
        for piece in fetch(memory, segments, count):
            whole = piece if len(piece) == min(left, _CHUNK) else piece[: file.whole_part(len(piece), left)]
            if left and not whole:
                break
            left -= len(whole)
            yield whole
        else:
            return
    except SysError:
        pass  # as with a piece of nothing
    if left == count:
        file.check_write(count)
    raise SysError(EFAULT)


def fetch(memory: Memory, segments: Segments, count: int) -> Iterator[bytes]:
    """The first `count` bytes of user memory in large pieces; EFAULT where a piece cannot even begin."""
    if len(segments) == 1 and count <= _CHUNK:
        yield memory.read_some(segments[0][0], count) if count else b""
        return
    parts: list[bytes] = []
    room = _CHUNK
    for address, length in segments:
        length = min(length, count)
        count -= length
        while length:
            wanted = min(length, room)
            try:
                part = memory.read_some(address, wanted)
            except SysError:
                if not parts:
                    raise
                part = b""
            parts.append(part)
            if len(part) < wanted:
                yield b"".join(parts)
                return
            address, length, room = address + wanted, length - wanted, room - wanted
            if not room:
                yield b"".join(parts)
                parts, room = [], _CHUNK
    if parts:
        yield b"".join(parts)


def write_limit(task: Task, file: File, count: int, offset: int | None = None) -> int:
    """How many of `count` bytes a regular file may take at a position (generic_write_checks); EFBIG and SIGXFSZ."""
    try:
        return attr.write_checks(task, file, count, offset, task.group.limit(RLIMIT_FSIZE))
    except attr.FileSizeExceeded:
        send_to_self(task, SIGXFSZ)
        raise


@contextmanager
def size_limit(task: Task) -> Iterator[int]:
    """RLIMIT_FSIZE, for a change of a file's size; who runs into it also gets SIGXFSZ (inode_newsize_ok)."""
    try:
        yield task.group.limit(RLIMIT_FSIZE)
    except attr.FileSizeExceeded:
        send_to_self(task, SIGXFSZ)
        raise


def send_to_self(task: Task, signo: int) -> None:
    """A signal that the call itself raises, as if the caller had sent it (send_sig)."""
    send(task, SigInfo(signo, pid=task.group.tgid, uid=task.cred.uid))
