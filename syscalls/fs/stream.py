"""A stream of the host as an open file: standard input, output and error, be they pipe, terminal or regular file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from syscalls.abi import ioctl as abi
from syscalls.abi.errno import EACCES, EIO, ENOTTY, EPERM, ESRCH, SysError
from syscalls.abi.fcntl import O_ACCMODE, O_RDWR
from syscalls.abi.poll import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM
from syscalls.abi.stat import S_IFIFO, S_IFMT
from syscalls.fs.file import WOULD_BLOCK, File, WouldBlock
from syscalls.fs.hostfs import HostFile
from syscalls.fs.inode import FileSystem, Inode
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.fs.hostfs import HostRegular
    from syscalls.kernel.ports import HostStream, HostTerminal, Memory

#: ioctl_tty(2), as far as a terminal of the host may be asked: request -> bytes that it stores, or takes.
GETS = {
    abi.TCGETS: 36, abi.TCGETS2: 44, abi.TIOCGWINSZ: 8, abi.FIONREAD: 4, abi.TIOCOUTQ: 4, abi.TIOCGETD: 4,
}  # fmt: skip
PUTS = {
    abi.TCSETS: 36, abi.TCSETSW: 36, abi.TCSETSF: 36, abi.TCSETS2: 44, abi.TCSETSW2: 44, abi.TCSETSF2: 44,
    abi.TIOCSWINSZ: 8,
}  # fmt: skip
CONTROLS = frozenset({abi.TCSBRK, abi.TCSBRKP, abi.TCXONC, abi.TCFLSH})


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


class Tty:
    """The terminal of the guest's first session. `group_exists` tells whether there is such a process group."""

    def __init__(self, stream: HostStream, terminal: HostTerminal, group_exists: Callable[[int], bool]) -> None:
        self.stream = stream
        self.terminal = terminal
        self.session = 0  # who opens it first will be its session leader, and in the foreground
        self.foreground = 0
        self.group_exists = group_exists

    def open(self, inode: Inode, flags: int) -> File:
        """/dev/tty and /dev/pts/0."""
        return TtyFile(inode, flags, self.stream, self)


class TtyFile(StreamFile):
    """An open terminal."""

    def __init__(self, inode: Inode, flags: int, stream: HostStream, tty: Tty) -> None:
        super().__init__(inode, flags, stream)
        self.tty = tty

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """ioctl_tty(2)."""
        tty, terminal = self.tty, self.tty.terminal
        if request in GETS:
            memory.write(argument, terminal.get(request, GETS[request]))
        elif request in PUTS:
            terminal.put(request, memory.read(argument, PUTS[request]))
        elif request in CONTROLS:
            terminal.control(request, argument & 0xFFFFFFFF)
        elif request == abi.TIOCGPGRP:
            memory.write(argument, tty.foreground.to_bytes(4, "little"))
        elif request == abi.TIOCGSID:
            memory.write(argument, tty.session.to_bytes(4, "little"))
        elif request == abi.TIOCSPGRP:
            group = int.from_bytes(memory.read(argument, 4), "little", signed=True)
            if not tty.group_exists(group):
                raise SysError(ESRCH)
            tty.foreground = group
        elif request == abi.TIOCSTI:
            raise SysError(EIO)  # nobody puts words into the host's mouth (tty.legacy_tiocsti is 0)
        elif request in {abi.TIOCCONS, abi.TIOCSETD, abi.TIOCVHANGUP}:
            raise SysError(EPERM)
        else:
            raise SysError(ENOTTY)
        return 0

    def name(self) -> bytes:
        return b"/dev/pts/0"
