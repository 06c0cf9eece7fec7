"""Pipes and FIFOs (pipe(7), fs/pipe.c).

A pipe is a ring of slots of at most one page each. A write fills up the last slot if all of its odd bytes fit there,
then takes new slots: that is what makes writes of up to PIPE_BUF bytes atomic, and why a pipe can be full before
`capacity` bytes are in it.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from weakref import WeakKeyDictionary

from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.errno import EBUSY, EINVAL, ENOMEM, ENOTTY, ENXIO, EPERM, EPIPE, SysError
from syscalls.abi.fcntl import O_ACCMODE, O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY
from syscalls.abi.ioctl import FIONREAD
from syscalls.abi.limits import PIPE_DEF_BUFFERS, PIPE_MAX_SIZE
from syscalls.abi.poll import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM
from syscalls.abi.signal import POLL_IN, POLL_OUT
from syscalls.abi.stat import PIPEFS_MAGIC, S_IFIFO
from syscalls.fs.file import WOULD_BLOCK, File, WouldBlock
from syscalls.fs.inode import FileSystem, Inode
from syscalls.kernel.ports import Memory
from syscalls.kernel.wait import WaitQueue

#: The array of slots must fit in what kmalloc gives: 4 MB, at 40 bytes a slot.
_MAX_SLOTS = 1 << 16


class Slot:
    """Bytes that were written together; a packet is never merged with others, nor read in part (O_DIRECT).

    `lent`: they are a page of somebody else's, which nothing can be added to (no PIPE_BUF_FLAG_CAN_MERGE).
    """

    __slots__ = ("data", "lent", "packet")

    def __init__(self, data: bytes, *, packet: bool = False, lent: bool = False) -> None:
        self.data = data
        self.packet = packet
        self.lent = lent


class Pipe:
    """The buffer between readers and writers, and how many of each there are."""

    def __init__(self) -> None:
        self.slots: deque[Slot] = deque()
        self.max_slots = PIPE_DEF_BUFFERS
        self.readers = 0
        self.writers = 0
        self.reader_opens = 0  # how often, ever: what a FIFO's open(2) waits for
        self.writer_opens = 0
        self.queue = WaitQueue("pipe")
        self.taken: list[bytes] = []  # of which slots the last take() was
        self.ends: set[PipeFile] = set()  # those that are open

    def signal(self, *, readers: bool) -> None:
        """O_ASYNC: tell the owners of the ends on one side (kill_fasync)."""
        for end in self.ends:
            if end.fasync is not None and (end.readable if readers else end.writable):
                end.kill_fasync(POLL_IN if readers else POLL_OUT)

    @property
    def room(self) -> int:
        """Free slots."""
        return max(0, self.max_slots - len(self.slots))

    @property
    def full(self) -> bool:
        """Is there no free slot?"""
        return not self.room

    @property
    def capacity(self) -> int:
        """Bytes that fit at most (F_GETPIPE_SZ)."""
        return self.max_slots * PAGE_SIZE

    def size(self) -> int:
        """Bytes in the pipe (FIONREAD)."""
        return sum([len(slot.data) for slot in self.slots])

    def take(self, count: int) -> bytes:
        """Remove up to `count` bytes; a packet at most, whose rest is lost."""
        parts = []
        was_full = self.full
        while count > 0 and self.slots:
            slot = self.slots[0]
            part = slot.data[:count]
            parts.append(part)
            count -= len(part)
            if slot.packet or len(part) == len(slot.data):
                self.slots.popleft()
                if slot.packet:
                    break
            else:
                slot.data = slot.data[len(part) :]
        if was_full:
            self.queue.wake(events=POLLOUT | POLLWRNORM)
        self.taken = parts
        return b"".join(parts)

    def drop(self, count: int) -> None:
        """Remove exactly `count` bytes, packet or not."""
        while count > 0:
            count -= len(self.take(count))

    def peek(self, slots: int) -> list[Slot]:
        """The first slots, which stay."""
        return list(islice(self.slots, slots))

    def put(self, data: bytes | memoryview, *, packets: bool = False, whole: bool = False) -> int:
        """Append what fits; how many bytes did (pipe_write). `whole`: in a slot of its own."""
        done = 0 if packets or whole else self.merges(len(data))
        if done:
            self.slots[-1].data += bytes(data[:done])
        while done < len(data) and not self.full:
            part = bytes(data[done : done + PAGE_SIZE])
            self.slots.append(Slot(part, packet=packets, lent=whole))
            done += len(part)
        if done:
            self.queue.wake(events=POLLIN | POLLRDNORM)
        return done

    def merges(self, count: int) -> int:
        """How many of the first bytes of a write go to the last slot."""
        odd = count % PAGE_SIZE
        if odd and self.slots:
            last = self.slots[-1]
            if not last.packet and not last.lent and len(last.data) + odd <= PAGE_SIZE:
                return odd
        return 0

    def resize(self, size: int, *, privileged: bool) -> int:
        """F_SETPIPE_SZ: room for at least `size` bytes, a power of two of pages; the new size (pipe_set_size)."""
        if size > 1 << 31:
            raise SysError(EINVAL)
        slots = 1 << ((max(size, PAGE_SIZE) - 1) // PAGE_SIZE).bit_length()
        if slots > self.max_slots and slots * PAGE_SIZE > PIPE_MAX_SIZE and not privileged:
            raise SysError(EPERM)
        if slots < len(self.slots):
            raise SysError(EBUSY)
        if slots > _MAX_SLOTS:
            raise SysError(ENOMEM)
        self.max_slots = slots
        self.queue.wake()
        return slots * PAGE_SIZE

    def open(self, flags: int) -> None:
        """One more end is open."""
        mode = flags & O_ACCMODE
        if mode != O_WRONLY:
            self.readers += 1
            self.reader_opens += 1
        if mode != O_RDONLY:
            self.writers += 1
            self.writer_opens += 1
        self.queue.wake()

    def close(self, flags: int) -> None:
        """One end less; what is in a FIFO that nobody has open is lost."""
        mode = flags & O_ACCMODE
        self.readers -= mode != O_WRONLY
        self.writers -= mode != O_RDONLY
        if not self.readers and not self.writers:
            self.slots.clear()
            self.max_slots = PIPE_DEF_BUFFERS
        self.queue.wake()
        if not self.readers or not self.writers:
            self.signal(readers=True)
            self.signal(readers=False)


class PipeFile(File):
    """One end of a pipe, or an open FIFO, perhaps both ends at once (O_RDWR)."""

    whole_writes = whole_units = True
    signals_io = True

    def __init__(self, inode: Inode, flags: int, pipe: Pipe) -> None:
        super().__init__(inode, flags)
        self.pipe = pipe
        mode = flags & O_ACCMODE
        #: How often the other end had been opened, as long as there is nobody there.
        self._awaited: int | None = None
        if isinstance(inode, PipeInode):
            pass
        elif mode == O_RDONLY and not pipe.writers:
            self._awaited = pipe.writer_opens
        elif mode == O_WRONLY and not pipe.readers:
            self._awaited = pipe.reader_opens
        self._waits = not flags & O_NONBLOCK
        pipe.open(flags)
        pipe.ends.add(self)

    @property
    def opened(self) -> bool:
        """A FIFO's open(2) waits until the other end has been opened, if only for a moment (fifo_open)."""
        if self._awaited is None or not self._waits:
            return True
        writing = self.flags & O_ACCMODE == O_WRONLY
        return self._awaited != (self.pipe.reader_opens if writing else self.pipe.writer_opens)

    def read(self, count: int) -> bytes | WouldBlock:
        """What is there, b"" when no writer is left."""
        if self.pipe.slots or not count:
            data = self.pipe.take(count)
            self.pipe.signal(readers=False)
            return data
        return WOULD_BLOCK if self.pipe.writers else b""

    def putback(self, data: bytes) -> None:
        """Bytes that the reader's memory could not take are still to be read."""
        self.pipe.slots.appendleft(Slot(data))

    def unread(self, data: bytes, done: int) -> int:
        """A slot is read as a whole, or not at all (pipe_read)."""
        whole = 0
        for part in self.pipe.taken:
            if whole + len(part) > done:
                break
            whole += len(part)
        self.putback(data[whole:])
        return whole

    def whole_part(self, got: int, count: int) -> int:
        """What goes to the last slot, then whole pages (pipe_write)."""
        merged = 0 if self.flags & O_DIRECT else self.pipe.merges(count)
        return merged + (got - merged) // PAGE_SIZE * PAGE_SIZE if got >= merged else 0

    def check_write(self, count: int) -> None:
        del count
        if not self.pipe.readers:
            raise SysError(EPIPE)

    def write(self, data: bytes | memoryview) -> int | WouldBlock:
        """What fits; EPIPE without a reader."""
        if not len(data):
            return 0
        self.check_write(len(data))
        done = self.pipe.put(data, packets=bool(self.flags & O_DIRECT))
        self.pipe.signal(readers=True)
        return done or WOULD_BLOCK

    def poll(self) -> int:
        """As pipe_poll."""
        pipe, ready = self.pipe, 0
        if self.readable:
            if pipe.slots:
                ready |= POLLIN | POLLRDNORM
            if not pipe.writers and self._awaited != pipe.writer_opens:  # no hang-up before the first writer came
                ready |= POLLHUP
        if self.writable:
            if not pipe.full:
                ready |= POLLOUT | POLLWRNORM
            if not pipe.readers:
                ready |= POLLERR
        return ready

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self.pipe.queue,)

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """FIONREAD."""
        if request != FIONREAD:
            raise SysError(ENOTTY)
        memory.write(argument, self.pipe.size().to_bytes(4, "little"))
        return 0

    def name(self) -> bytes:
        return b"pipe:[%d]" % self.inode.ino

    def close(self) -> None:
        self.pipe.ends.discard(self)
        self.pipe.close(self.flags)


class PipeFs(FileSystem):
    """Where the inodes of pipe(2) live."""

    name = "pipefs"
    magic = PIPEFS_MAGIC


class PipeInode(Inode):
    """What pipe(2) makes: opened again through /proc/PID/fd, it gives one more end, without waiting (fifo_open)."""

    __slots__ = ("pipe",)

    def __init__(self, fs: FileSystem, uid: int, gid: int) -> None:
        super().__init__(fs, S_IFIFO | 0o600, uid, gid)
        self.pipe = Pipe()

    def open(self, flags: int) -> PipeFile:
        return PipeFile(self, flags, self.pipe)


def make_pipe(fs: FileSystem, uid: int, gid: int, flags: int) -> tuple[PipeFile, PipeFile]:
    """A new pipe's read and write ends; `flags` are O_NONBLOCK and O_DIRECT (create_pipe_files)."""
    inode = PipeInode(fs, uid, gid)
    writer = PipeFile(inode, O_WRONLY | flags, inode.pipe)
    reader = PipeFile(inode, O_RDONLY | flags & O_NONBLOCK, inode.pipe)
    return reader, writer


class Fifos:
    """The pipes behind FIFOs: there is one as long as anybody has it open."""

    def __init__(self) -> None:
        self._pipes: WeakKeyDictionary[Inode, Pipe] = WeakKeyDictionary()

    def open(self, inode: Inode, flags: int) -> PipeFile:
        """Open a FIFO; a writer that will not wait needs a reader: ENXIO (fifo_open)."""
        pipe = self._pipes.setdefault(inode, Pipe())
        if flags & (O_ACCMODE | O_NONBLOCK) == O_WRONLY | O_NONBLOCK and not pipe.readers:
            raise SysError(ENXIO)
        return PipeFile(inode, flags, pipe)
