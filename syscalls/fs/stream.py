"""A stream of the host as an open file: standard input, output and error, terminal or not."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, ENOTTY, ESPIPE, SysError
from syscalls.abi.stat import S_IFCHR, S_IFIFO, S_IFMT
from syscalls.fs.file import (
    POLLERR,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    POLLWRNORM,
    WOULD_BLOCK,
    File,
    WouldBlock,
)
from syscalls.fs.inode import FileSystem, Inode
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.kernel.ports import HostStream, HostTerminal, Memory

# ioctl_tty(2)
TCGETS, TCSETS, TCSETSW, TCSETSF = 0x5401, 0x5402, 0x5403, 0x5404
TIOCGPGRP, TIOCSPGRP, TIOCGWINSZ, TIOCSWINSZ, FIONREAD, TIOCGSID = 0x540F, 0x5410, 0x5413, 0x5414, 0x541B, 0x5429
TERMIOS_BYTES = 36
PTY_RDEV = 0x8800  # /dev/pts/0


class StreamInode(Inode):
    """What fstat(2) shows of a host stream: its type, and nothing of the host."""

    __slots__ = ()

    def __init__(self, fs: FileSystem, stream: HostStream, uid: int, gid: int) -> None:
        kind = stream.mode & S_IFMT
        terminal = stream.terminal is not None
        super().__init__(fs, S_IFCHR | 0o620 if terminal else (kind or S_IFIFO) | 0o600, uid, gid)
        if terminal:
            self.rdev = PTY_RDEV
        elif kind == S_IFCHR:
            self.rdev = 0x103  # most likely /dev/null


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
        return WOULD_BLOCK if data is None else data

    def write(self, data: bytes | memoryview) -> int | WouldBlock:
        taken = self.stream.write(data) if data else 0
        return WOULD_BLOCK if taken is None else taken

    def seek(self, offset: int, whence: int) -> int:
        del offset, whence
        raise SysError(ESPIPE)

    def poll(self) -> int:
        events = 0
        if self.readable and self.stream.ready(writing=False):
            events |= POLLIN | POLLRDNORM
        if self.writable and self.stream.ready(writing=True):
            events |= POLLOUT | POLLWRNORM
        return events & ~POLLERR

    def queues(self) -> tuple[WaitQueue, ...]:
        queues: tuple[WaitQueue, ...] = ()
        if self.readable:
            queues += (self._readers,)
        if self.writable:
            queues += (self._writers,)
        return queues

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        terminal = self.stream.terminal
        if terminal is None:
            raise SysError(ENOTTY)
        return _terminal_ioctl(terminal, request, argument, memory)

    def name(self) -> bytes:
        if self.stream.terminal is not None:
            return b"/dev/pts/0"
        return b"pipe:[%d]" % self.inode.ino

    def close(self) -> None:
        self.stream.close()


def _terminal_ioctl(terminal: HostTerminal, request: int, argument: int, memory: Memory) -> int:
    """ioctl_tty(2), as far as a terminal of the host may be asked."""
    if request == TCGETS:
        memory.write(argument, terminal.get_attributes())
    elif request in (TCSETS, TCSETSW, TCSETSF):
        terminal.set_attributes(memory.read(argument, TERMIOS_BYTES), request - TCSETS)
    elif request == TIOCGWINSZ:
        memory.write(argument, struct.pack("<4H", *terminal.window_size()))
    elif request in (TIOCGPGRP, TIOCGSID):
        memory.write(argument, struct.pack("<i", 1))
    elif request in (TIOCSPGRP, TIOCSWINSZ):
        raise SysError(EINVAL)
    else:
        raise SysError(ENOTTY)
    return 0
