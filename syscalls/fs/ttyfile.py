"""Open terminals: read, write, poll and close (n_tty_read, n_tty_write, n_tty_poll)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EIO, ENOTTY, SysError
from syscalls.abi.fcntl import O_ACCMODE
from syscalls.abi.ioctl import TIOCSPGRP
from syscalls.abi.poll import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM
from syscalls.abi.signal import SIGTTIN, SIGTTOU
from syscalls.abi.termios import TIOCPKT_DATA, TOSTOP, VMIN, VTIME
from syscalls.fs import ttyioctl
from syscalls.fs.file import WOULD_BLOCK, File, WouldBlock

if TYPE_CHECKING:
    from syscalls.fs.inode import Inode
    from syscalls.fs.tty import Tty
    from syscalls.kernel.ports import Memory
    from syscalls.kernel.wait import WaitQueue

TENTH_NS = 100_000_000  # the unit of VTIME


class TtyFile(File):
    """One open side of a pseudo-terminal."""

    whole_writes = True
    signals_io = True

    def __init__(self, inode: Inode, flags: int, tty: Tty) -> None:
        super().__init__(inode, flags)
        self.tty = tty
        self._generation = tty.generation
        tty.users += 1
        tty.closed = False

    @property
    def hung_up(self) -> bool:
        """Was the terminal hung up since it was opened? (tty_hung_up_p)."""
        return self._generation != self.tty.generation

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self, count: int) -> bytes | WouldBlock:
        """A line, or what is there; a background process is stopped."""
        tty = self.tty
        if self.hung_up:
            return b""
        if not tty.master:
            tty.sessions.check_change(tty, SIGTTIN)
        if not count:
            return b""
        if tty.packet and tty.link.news:
            news, tty.link.news = tty.link.news, 0
            return bytes([news])
        if tty.ldisc.enough(count):
            return self._take(count)
        if tty.link.closed and not tty.ldisc.available():
            raise SysError(EIO)
        if tty.link.closed or not (tty.ldisc.canonical or tty.modes.cc[VMIN] or tty.modes.cc[VTIME]):
            return self._take(count)
        return WOULD_BLOCK

    def _take(self, count: int) -> bytes:
        if self.tty.packet:
            return bytes([TIOCPKT_DATA]) + self.tty.take(count - 1)
        return self.tty.take(count)

    def read_deadline(self) -> int | None:
        """VTIME: between two characters, or (without VMIN) until the first one."""
        cc = self.tty.modes.cc
        if self.tty.ldisc.canonical or not cc[VTIME] or (cc[VMIN] and not self.tty.ldisc.available()):
            return None
        return self.tty.sessions.now() + cc[VTIME] * TENTH_NS

    def read_rest(self, count: int) -> bytes:
        """What has come when a read cannot wait any longer, fewer than VMIN characters."""
        return b"" if self.hung_up or self.tty.ldisc.canonical else self.tty.take(count)

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, data: bytes | memoryview) -> int | WouldBlock:
        """What fits; with TOSTOP a background process is stopped."""
        tty = self.tty
        if self.hung_up or tty.closed:
            raise SysError(EIO)
        if not tty.master and tty.modes.lflag & TOSTOP:
            tty.sessions.check_change(tty, SIGTTOU)
        if not tty.master and tty.link.closed:
            raise SysError(EIO)
        return tty.write(bytes(data)) or (WOULD_BLOCK if len(data) else 0)

    # --- waiting ------------------------------------------------------------------------------------------------------

    def poll(self) -> int:
        tty = self.tty
        if self.hung_up:
            return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM
        ready = 0
        if tty.ldisc.enough():
            ready |= POLLIN | POLLRDNORM
        if tty.packet and tty.link.news:
            ready |= POLLPRI | POLLIN | POLLRDNORM
        if tty.link.closed:
            ready |= POLLHUP
        if tty.room():
            ready |= POLLOUT | POLLWRNORM
        return ready

    def queues(self) -> tuple[WaitQueue, ...]:
        return self.tty.readers, self.tty.writers

    # --- the rest -----------------------------------------------------------------------------------------------------

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """ioctl_tty(2)."""
        if self.hung_up:
            raise SysError(ENOTTY if request == TIOCSPGRP else EIO)
        return ttyioctl.answer(self.tty, self.flags & O_ACCMODE, request, argument, memory)

    def name(self) -> bytes:
        return b"/dev/ptmx" if self.tty.master else b"/dev/pts/%d" % self.tty.index

    def close(self) -> None:
        self.tty.users -= 1
        if not self.tty.users:
            self.tty.close()
