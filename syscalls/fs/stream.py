"""A stream of the host as an open file: standard input, output and error, be they pipe, terminal or regular file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi import ioctl as abi
from syscalls.abi.errno import EACCES, ENOTTY, SysError
from syscalls.abi.fcntl import O_ACCMODE, O_RDWR
from syscalls.abi.poll import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM
from syscalls.abi.stat import S_IFIFO, S_IFMT
from syscalls.fs.file import WOULD_BLOCK, File, WouldBlock
from syscalls.fs.hostfs import HostFile
from syscalls.fs.inode import FileSystem, Inode
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.fs.hostfs import HostRegular
    from syscalls.kernel.ports import HostStream, Memory


class StreamInode(Inode):
    """What fstat(2) shows of a host stream: its type, and nothing of the host."""

    __slots__ = ("stream",)

    def __init__(self, fs: FileSystem, stream: HostStream, uid: int, gid: int) -> None:
        super().__init__(fs, (stream.mode & S_IFMT or S_IFIFO) | 0o600, uid, gid)
        self.stream = stream

    def open(self, flags: int) -> File:
        """Open it again (/dev/stdin, /proc/self/fd/0), for what it was given for and no more."""
        check_access(self.stream, flags)
        return StreamFile(self, flags, self.stream)


def check_access(stream: HostStream, flags: int) -> None:
    """EACCES when more is wanted than the host has given."""
    given = stream.flags & O_ACCMODE
    if given not in {O_RDWR, flags & O_ACCMODE}:
        raise SysError(EACCES)


class StreamFile(File):
    """Reads and writes go to the stream; nothing is kept here."""

    whole_writes = True

    def __init__(self, inode: Inode, flags: int, stream: HostStream) -> None:
        super().__init__(inode, flags)
        self.stream = stream
        self._readers = WaitQueue("input", stream)
        self._writers = WaitQueue("output", stream, writing=True)

    def read(self, count: int) -> bytes | WouldBlock:
        data = self.stream.read(count) if count else b""
        self._readers.wake(events=POLLIN | POLLRDNORM)  # for epoll: what comes next is news
        return WOULD_BLOCK if data is None else data

    def write(self, data: bytes | memoryview) -> int | WouldBlock:
        taken = self.stream.write(data) if data else 0
        self._writers.wake(events=POLLOUT | POLLWRNORM)
        return WOULD_BLOCK if taken is None else taken

    def poll(self) -> int:
        events = self.stream.poll()
        if events & POLLIN:
            events |= POLLRDNORM
        if events & POLLOUT:
            events |= POLLWRNORM
        wanted = POLLERR | POLLHUP
        if self.readable:
            wanted |= POLLIN | POLLRDNORM
        if self.writable:
            wanted |= POLLOUT | POLLWRNORM
        return events & wanted

    def queues(self) -> tuple[WaitQueue, ...]:
        queues: tuple[WaitQueue, ...] = ()
        if self.readable:
            queues += (self._readers,)
        if self.writable:
            queues += (self._writers,)
        return queues

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        if request != abi.FIONREAD:
            raise SysError(ENOTTY)
        memory.write(argument, self.stream.available().to_bytes(4, "little"))
        return 0

    def name(self) -> bytes:
        return b"pipe:[%d]" % self.inode.ino

    def close(self) -> None:
        self.stream.close()


class RegularStreamFile(HostFile):
    """A regular file of the host that came as a stream: its position is shared with whoever opened it there."""

    def __init__(self, inode: HostRegular, flags: int, stream: HostStream) -> None:
        self._stream: HostStream | None = None  # not yet: the base puts its position to 0
        super().__init__(inode, flags)
        self._stream = stream

    @property
    def position(self) -> int:
        """Where the next transfer begins."""
        return self._stream.tell() if self._stream is not None else 0

    @position.setter
    def position(self, value: int) -> None:
        if self._stream is not None:
            self._stream.move(value)
