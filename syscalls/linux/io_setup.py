"""Asynchronous input and output: io_setup(2), io_submit(2), io_getevents(2), io_cancel(2) (fs/aio.c)."""

from __future__ import annotations

from typing import Any

from syscalls.abi.aio import (
    IOCB_CMD_FDSYNC,
    IOCB_CMD_FSYNC,
    IOCB_CMD_POLL,
    IOCB_CMD_PREAD,
    IOCB_CMD_PREADV,
    IOCB_CMD_PWRITE,
    IOCB_CMD_PWRITEV,
    IOCB_FLAG_RESFD,
)
from syscalls.abi.cstruct import CPtr, CULong, layout
from syscalls.abi.errno import EBADF, EINPROGRESS, EINTR, EINVAL, SysError
from syscalls.abi.fcntl import O_APPEND
from syscalls.abi.kinds import Address, In, Long, Out, Pointer, UInt
from syscalls.abi.structs.aio import Iocb, IoEvent
from syscalls.abi.structs.signal import SigSet
from syscalls.abi.structs.time import Timespec, Timespec64
from syscalls.abi.structs.uio import Iovec
from syscalls.abi.uio import RWF_NOWAIT
from syscalls.fs.eventfd import EventFile
from syscalls.fs.file import File
from syscalls.kernel import poll
from syscalls.kernel.aio import Context, PollRequest, Request
from syscalls.kernel.fileio import Segments, read_file, segment, write_file
from syscalls.kernel.signals import temporary_mask
from syscalls.kernel.task import Task
from syscalls.kernel.wait import Interrupted, Woken
from syscalls.linux.poll import timespec_ns, user_mask
from syscalls.linux.read import check_flags, import_iovec
from syscalls.spec import Restart, syscall

_READS = {IOCB_CMD_PREAD, IOCB_CMD_PREADV}
_WRITES = {IOCB_CMD_PWRITE, IOCB_CMD_PWRITEV}
_VECTORS = {IOCB_CMD_PREADV, IOCB_CMD_PWRITEV}
_SYNCS = {IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC}
_ALWAYS = poll.ALWAYS


@syscall()
def io_setup(task: Task, nr_events: UInt, ctx_idp: Out[CULong]) -> int:
    """Make a context for asynchronous requests and store its number, which must have been 0 (io_setup(2))."""
    if ctx_idp.get() or not nr_events:
        raise SysError(EINVAL)
    contexts = task.kernel.aio
    id = contexts.setup(task.mm, nr_events)
    try:
        ctx_idp.put(id)
    except SysError:
        contexts.destroy(task.mm, id)
        raise
    return 0


@syscall()
def io_destroy(task: Task, ctx_id: Address) -> int:
    """Cancel what is outstanding, and end the context (io_destroy(2))."""
    task.kernel.aio.destroy(task.mm, ctx_id)
    return 0


@syscall()
async def io_submit(task: Task, ctx_id: Address, nr: Long, iocbpp: Address) -> int:
    """Begin requests; how many, an error only for the first (io_submit(2))."""
    if nr < 0:
        raise SysError(EINVAL)
    context = task.kernel.aio.get(task.mm, ctx_id)
    pointer = layout(CPtr, task.arch)
    for index in range(min(nr, context.capacity)):
        try:
            at = pointer.unpack(task.mm.read(iocbpp + index * pointer.size, pointer.size))
            await _submit(task, context, at)
        except SysError:
            if index:
                return index
            raise
    return min(nr, context.capacity)


async def _submit(task: Task, context: Context, at: int) -> None:
    """EFAULT, EINVAL, EAGAIN, EBADF, EINVAL (io_submit_one)."""
    struct = layout(Iocb, task.arch)
    iocb = struct.unpack(task.mm.read(at, struct.size))
    if iocb.aio_reserved2 or iocb.aio_nbytes >> 63:
        raise SysError(EINVAL)
    context.check_room()
    file = task.files.get(_signed(iocb.aio_fildes))
    signals = _eventfd(task, iocb.aio_resfd) if iocb.aio_flags & IOCB_FLAG_RESFD else None
    task.mm.write(at + 8, bytes(4))  # aio_key: KIOCB_KEY
    command = iocb.aio_lio_opcode
    if command in _READS | _WRITES:
        transfer = _transfer(task, file, iocb)
        Request(context, iocb.aio_data, at, signals).complete(await _result(transfer))
    elif command in _SYNCS:
        if iocb.aio_buf or iocb.aio_offset or iocb.aio_nbytes or iocb.aio_rw_flags:
            raise SysError(EINVAL)
        file.sync()
        Request(context, iocb.aio_data, at, signals).complete(0)
    elif command == IOCB_CMD_POLL:
        if iocb.aio_buf >> 16 or iocb.aio_offset or iocb.aio_nbytes or iocb.aio_rw_flags:
            raise SysError(EINVAL)
        PollRequest(context, iocb.aio_data, at, signals).start(file, iocb.aio_buf | _ALWAYS)
    else:
        raise SysError(EINVAL)


def _signed(fd: int) -> int:
    return (fd ^ 1 << 31) - (1 << 31)


def _eventfd(task: Task, fd: int) -> EventFile:
    """EBADF, EINVAL (eventfd_ctx_fdget)."""
    file = task.files.get(_signed(fd))
    if not isinstance(file, EventFile):
        raise SysError(EINVAL)
    return file


def _transfer(task: Task, file: File, iocb: Iocb) -> Any:
    """The transfer that is asked for, not yet begun; EOPNOTSUPP, EBADF, EINVAL, EFAULT (aio_read, aio_write)."""
    check_flags(file, iocb.aio_rw_flags)
    reading = iocb.aio_lio_opcode in _READS
    if not (file.readable if reading else file.writable):
        raise SysError(EBADF)
    segments = _segments(task, iocb)
    if iocb.aio_offset < 0 or iocb.aio_offset + sum(length for _, length in segments) >> 63:
        raise SysError(EINVAL)
    offset = iocb.aio_offset if file.seekable else None
    if not reading and file.seekable and file.flags & O_APPEND:
        offset = file.inode.size
    nowait = bool(iocb.aio_rw_flags & RWF_NOWAIT)
    return (read_file if reading else write_file)(task, file, segments, offset, nowait=nowait)


def _segments(task: Task, iocb: Iocb) -> Segments:
    if iocb.aio_lio_opcode in _VECTORS:
        vector = Pointer[Iovec](task.mm, iocb.aio_buf, layout(Iovec, task.arch))
        return import_iovec(task, vector, iocb.aio_nbytes)
    return [segment(task, iocb.aio_buf, iocb.aio_nbytes)]


async def _result(transfer: Any) -> int:
    """What the event says: the transfer's result or -errno."""
    try:
        return await transfer  # type: ignore[no-any-return]  # an int
    except SysError as error:
        return -error.errno
    except Interrupted:
        return -EINTR


@syscall(partial="only polls are ever outstanding")
def io_cancel(task: Task, ctx_id: Address, iocb: Address, result: Address) -> int:
    """Cancel a request: EINPROGRESS when its event will come, EINVAL when there is nothing to cancel (io_cancel(2))."""
    del result
    if int.from_bytes(task.mm.read(iocb + 8, 4), "little"):
        raise SysError(EINVAL)
    found = task.kernel.aio.get(task.mm, ctx_id).polls.get(iocb)
    if found is None:
        raise SysError(EINVAL)
    found.cancel()
    raise SysError(EINPROGRESS)


@syscall()
async def io_getevents(
    task: Task, ctx_id: Address, min_nr: Long, nr: Long, events: Out[IoEvent], timeout: In[Timespec]
) -> int:
    """Take events, waiting for some of them (io_getevents(2))."""
    try:
        return await _events(task, ctx_id, (min_nr, nr), events, timespec_ns(timeout))
    except Interrupted:
        raise SysError(EINTR) from None


@syscall(restart=Restart.NOHAND)
async def io_pgetevents(
    task: Task, ctx_id: Address, min_nr: Long, nr: Long, events: Out[IoEvent], timeout: In[Timespec], usig: Address
) -> int:
    """The same with another signal mask meanwhile (io_getevents(2))."""
    return await _pgetevents(task, ctx_id, (min_nr, nr), events, timespec_ns(timeout), usig)


@syscall(restart=Restart.NOHAND)
async def io_pgetevents_time64(
    task: Task, ctx_id: Address, min_nr: Long, nr: Long, events: Out[IoEvent], timeout: In[Timespec64], usig: Address
) -> int:
    """The same with 64-bit seconds (io_getevents(2))."""
    return await _pgetevents(task, ctx_id, (min_nr, nr), events, timespec_ns(timeout), usig)


async def _pgetevents(
    task: Task, id: int, counts: tuple[int, int], events: Pointer[IoEvent], timeout: int | None, usig: int
) -> int:
    """`usig`: struct __aio_sigset, a pointer to a mask and its size."""
    mask = None
    if usig:
        word = layout(CPtr, task.arch)
        at, size = (word.unpack(task.mm.read(usig + place * word.size, word.size)) for place in range(2))
        mask = user_mask(Pointer[int](task.mm, at, layout(SigSet, task.arch)), size)
    with temporary_mask(task, mask):
        return await _events(task, id, counts, events, timeout)


async def _events(task: Task, id: int, counts: tuple[int, int], events: Pointer[IoEvent], timeout: int | None) -> int:
    """read_events: as many as there are, up to `nr`; it waits for `min_nr` of them."""
    context = task.kernel.aio.get(task.mm, id)
    least, most = counts
    if not 0 <= least <= most:
        raise SysError(EINVAL)
    deadline = poll.deadline(task, timeout)
    done, late = 0, timeout == 0
    while True:
        while context.events and done < most:
            events.at(done).put(context.events[0])
            context.events.popleft()
            done += 1
        if done >= least or late or context.dead:
            return done
        try:
            late = await context.queue.wait(deadline) is Woken.DEADLINE
        except Interrupted:
            if done:
                return done
            raise
