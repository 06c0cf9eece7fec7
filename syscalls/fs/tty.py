"""Terminals: modes, size, the session that a terminal controls, and flow control (drivers/tty/tty_io.c, pty.c).

A `Tty` is one side of a pseudo-terminal; what one side shows is what the other one reads. Who may do what with it
depends on the caller's session: that is the business of `Sessions`, which the kernel supplies.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from syscalls.abi import termios as abi
from syscalls.abi.poll import POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM
from syscalls.abi.signal import SIGWINCH
from syscalls.fs.ldisc import LineDiscipline
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from syscalls.fs.inode import Inode

#: What is on its way to a side whose reader does not keep up: about as much as Linux' flip buffers hold.
IN_FLIGHT = 16384
_TERMIOS, _TERMIOS2, _TERMIO = struct.Struct("<4IB19s"), struct.Struct("<4IB19s2I"), struct.Struct("<4HB8sx")
TERMIOS, TERMIOS2, TERMIO = _TERMIOS.size, _TERMIOS2.size, _TERMIO.size
#: Speed codes: Bnnn -> nnn bits per second.
_RATES = {code: int(name[1:]) for code, name in abi.BAUD_RATES.names.items()}
_CODES = {rate: code for code, rate in _RATES.items()}


class Sessions(Protocol):
    """What a terminal wants of processes; "the caller" is the process whose system call is being answered."""

    def now(self) -> int:
        """The monotonic clock in ns."""

    def signal(self, pgid: int, signo: int) -> None:
        """The kernel sends a process group a signal."""

    def check_change(self, tty: Tty, signo: int) -> None:
        """Stop a background caller with SIGTTIN or SIGTTOU (Interrupted), or EIO (__tty_check_change)."""

    def user(self) -> int:
        """Who the caller is: a new terminal is theirs."""

    def privileged(self) -> bool:
        """Has the caller CAP_SYS_ADMIN?"""

    def is_terminal_of_caller(self, tty: Tty) -> bool:
        """Does it control the caller's session?"""

    def current(self) -> Tty | None:
        """The caller's controlling terminal."""

    def acquire(self, tty: Tty, *, readable: bool, steal: bool) -> None:
        """TIOCSCTTY."""

    def give_up(self, tty: Tty) -> None:
        """TIOCNOTTY."""

    def set_foreground(self, tty: Tty, pgid: int) -> None:
        """TIOCSPGRP."""

    def forget(self, session: int) -> None:
        """A session has no controlling terminal any more (session_clear_tty)."""

    def hang_up(self, tty: Tty) -> None:
        """The session's leader and the foreground are told, and the session has no terminal any more."""


@dataclass(slots=True)
class Modes:
    """struct ktermios."""

    iflag: int
    oflag: int
    cflag: int
    lflag: int
    line: int
    cc: bytes
    ispeed: int = 38400
    ospeed: int = 38400

    def pack(self, size: int) -> bytes:
        """As struct termios, termios2 or (old) termio, by its size."""
        words = self.iflag, self.oflag, self.cflag, self.lflag
        if size == TERMIO:
            return _TERMIO.pack(*(word & 0xFFFF for word in words), self.line, self.cc[:8])
        if size == TERMIOS:
            return _TERMIOS.pack(*words, self.line, self.cc)
        return _TERMIOS2.pack(*words, self.line, self.cc, self.ispeed, self.ospeed)

    def changed(self, data: bytes) -> Modes:
        """As a program wants them to be; termio has only half of each, and the old structs take speeds from codes."""
        if len(data) == TERMIO:
            *halves, line, cc = _TERMIO.unpack(data)
            old = self.iflag, self.oflag, self.cflag, self.lflag
            words = [word & ~0xFFFF | half for word, half in zip(old, halves, strict=True)]
            iflag, oflag, cflag, lflag = words
            new = Modes(iflag, oflag, cflag, lflag, line, cc + self.cc[8:], self.ispeed, self.ospeed)
        elif len(data) == TERMIOS:
            new = Modes(*_TERMIOS.unpack(data))
            new.ispeed, new.ospeed = self.ispeed, self.ospeed
        else:
            new = Modes(*_TERMIOS2.unpack(data))
        output = new.cflag & abi.CBAUD
        if output != abi.BOTHER:
            new.ospeed = _RATES.get(output, new.ospeed)
        entry = new.cflag >> abi.IBSHIFT & abi.CBAUD
        if entry != abi.BOTHER:
            new.ispeed = _RATES.get(entry, new.ispeed) if entry else new.ospeed
        return new


def slave_modes() -> Modes:
    """A new terminal's: tty_std_termios, without HUPCL."""
    return Modes(
        abi.DEFAULT_INPUT, abi.DEFAULT_OUTPUT, abi.B38400 | abi.CS8 | abi.CREAD, abi.DEFAULT_LOCAL, 0,
        abi.DEFAULT_CHARACTERS,
    )  # fmt: skip


def master_modes() -> Modes:
    """A new master's: everything goes through as it is (unix98_pty_init)."""
    return replace(slave_modes(), iflag=0, oflag=0, lflag=0)


class Tty:
    """One side of a pseudo-terminal."""

    def __init__(self, sessions: Sessions, index: int, modes: Modes, *, master: bool) -> None:
        self.sessions = sessions
        self.index = index
        self.modes = modes
        self.master = master
        self.link: Tty = self  # the other side
        self.inode: Inode | None = None  # the slave's node in devpts
        self.size = bytes(8)  # struct winsize
        self.session = 0  # whose controlling terminal it is
        self.foreground = 0  # process group
        self.users = 0  # open files
        self.generation = 0  # how often it was hung up: files that were open before are dead
        self.locked = False  # TIOCSPTLCK, of the master: the slave cannot be opened yet
        self.exclusive = False  # TIOCEXCL
        self.closed = False  # nobody has this side open any more (TTY_IO_ERROR)
        self.packet = False  # TIOCPKT, of the master
        self.news = 0  # TIOCPKT_* that the other side, in packet mode, has not been told yet
        self.stopped = self.stopped_by_call = False  # output: by Ctrl-S, by TCOOFF
        self.ldisc = LineDiscipline(self)
        self.incoming = bytearray()  # what the line discipline has no room for
        self.readers = WaitQueue("terminal input")
        self.writers = WaitQueue("terminal output")
        self.sink: Callable[[], None] | None = None  # takes what comes in, at once: the host's terminal

    @property
    def terminal(self) -> Tty:
        """The side whose modes and session ioctls on either side are about: the slave."""
        return self.link if self.master else self

    # --- transfer -----------------------------------------------------------------------------------------------------

    def room(self) -> int:
        """How much may be written now (pty_write_room)."""
        return 0 if self.stopped else max(0, IN_FLIGHT - len(self.link.incoming))

    def write(self, data: bytes) -> int:
        """Show what fits; how many bytes of `data` did."""
        self.ldisc.show_echo()
        room = self.room()
        if not room:
            return 0
        taken = data[:room]
        self.emit(self.ldisc.process(taken))
        return len(taken)

    def emit(self, shown: bytes) -> None:
        """Characters arrive at the other side."""
        link = self.link
        link.incoming += shown
        link.push()

    def push(self) -> None:
        """Let the line discipline have what came in, as far as it can take it."""
        if self.incoming:
            taken = self.ldisc.receive(bytes(self.incoming))
            del self.incoming[:taken]
        if self.sink is not None and self.ldisc.buffer:
            self.sink()

    def take(self, count: int) -> bytes:
        """Read what is there, which makes room for more."""
        data = self.ldisc.take(count)
        crowded = len(self.incoming) > 0
        if crowded:
            self.push()
            self.link.writers.wake(events=POLLOUT | POLLWRNORM)
        return data

    # --- flow control and flushing ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Hold output back (__stop_tty)."""
        if not self.stopped:
            self.stopped = True
            self.tell(abi.TIOCPKT_STOP, instead_of=abi.TIOCPKT_START)

    def start(self) -> None:
        """Go on with output, unless TCOOFF stopped it (__start_tty)."""
        if self.stopped and not self.stopped_by_call:
            self.stopped = False
            self.tell(abi.TIOCPKT_START, instead_of=abi.TIOCPKT_STOP)
            self.ldisc.show_echo()
            self.writers.wake(events=POLLOUT | POLLWRNORM)

    def tell(self, news: int, instead_of: int = 0) -> None:
        """What a master in packet mode wants to know."""
        if self.link.packet:
            self.news = self.news & ~instead_of | news
            self.link.readers.wake(events=POLLPRI | POLLIN | POLLRDNORM)

    def flush_input(self) -> None:
        """Forget what was typed (n_tty_flush_buffer)."""
        self.incoming.clear()
        self.ldisc.flush()
        self.tell(abi.TIOCPKT_FLUSHREAD)
        self.link.writers.wake(events=POLLOUT | POLLWRNORM)

    def flush_output(self) -> None:
        """Forget what the other side has not even begun to take (pty_flush_buffer)."""
        self.link.incoming.clear()
        self.tell(abi.TIOCPKT_FLUSHWRITE)
        self.writers.wake(events=POLLOUT | POLLWRNORM)

    def set_modes(self, new: Modes) -> None:
        """Change the modes (tty_set_termios, pty_set_termios, n_tty_set_termios)."""
        old, before = self.modes, _flow_keys(self.modes)
        new.cflag = new.cflag & ~(abi.CSIZE | abi.PARENB) | abi.CS8 | abi.CREAD
        self.modes = new
        if before != _flow_keys(new):
            both = abi.TIOCPKT_DOSTOP | abi.TIOCPKT_NOSTOP
            self.tell(abi.TIOCPKT_NOSTOP if before else abi.TIOCPKT_DOSTOP, instead_of=both)
        if (old.lflag | new.lflag) & abi.EXTPROC:
            self.tell(abi.TIOCPKT_IOCTL)
        self.ldisc.modes_changed(old.lflag)
        if old.iflag & abi.IXON and not new.iflag & abi.IXON:
            self.start()
        self.readers.wake()
        self.writers.wake()
        self.push()

    def resize(self, size: bytes) -> None:
        """TIOCSWINSZ: both sides have one size; the foreground is told (pty_resize)."""
        if size != self.size:
            self.size = self.link.size = size
            self.terminal.signal(SIGWINCH)

    def signal(self, signo: int) -> None:
        """For the foreground process group."""
        if self.foreground:
            self.sessions.signal(self.foreground, signo)

    # --- the end ------------------------------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """Nobody who has it open can use it any more (__tty_hangup)."""
        self.generation += 1
        self.sessions.hang_up(self)
        self.incoming.clear()
        self.ldisc.flush()
        self.modes = slave_modes()
        self.news = 0
        self.readers.wake()
        self.writers.wake()

    def close(self) -> None:
        """The last file of this side is gone (pty_close, tty_release)."""
        self.closed = True
        self.packet = False
        self.sessions.forget(self.session)
        for side in (self, self.link):
            side.readers.wake()
            side.writers.wake()
        if self.master:
            self.link.hang_up()


def _flow_keys(modes: Modes) -> bool:
    """Are Ctrl-S and Ctrl-Q what stops and starts output?"""
    return bool(modes.iflag & abi.IXON) and modes.cc[abi.VSTOP] == 19 and modes.cc[abi.VSTART] == 17
