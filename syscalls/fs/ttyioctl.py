"""ioctl_tty(2): what open terminals are asked and told (tty_io.c, tty_ioctl.c, tty_jobctrl.c, pty.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from syscalls.abi import ioctl as abi
from syscalls.abi import termios
from syscalls.abi.errno import EINVAL, EIO, ENOTTY, EPERM, SysError
from syscalls.abi.fcntl import O_WRONLY
from syscalls.abi.signal import SIGTTOU
from syscalls.fs.devices import makedev
from syscalls.fs.tty import TERMIO, TERMIOS, TERMIOS2, Tty

if TYPE_CHECKING:
    from syscalls.kernel.ports import Memory

NSIG = 64
PTS_MAJOR = 136
#: Requests by what they do with which struct: when the change takes effect makes no difference, nothing is in between.
_MODES_SIZE = {
    abi.TCGETS: TERMIOS, abi.TCSETS: TERMIOS, abi.TCSETSW: TERMIOS, abi.TCSETSF: TERMIOS,
    abi.TCGETS2: TERMIOS2, abi.TCSETS2: TERMIOS2, abi.TCSETSW2: TERMIOS2, abi.TCSETSF2: TERMIOS2,
    abi.TCGETA: TERMIO, abi.TCSETA: TERMIO, abi.TCSETAW: TERMIO, abi.TCSETAF: TERMIO,
}  # fmt: skip
_GETS = {abi.TCGETS, abi.TCGETS2, abi.TCGETA}
_FLUSHES = {abi.TCSETSF, abi.TCSETSF2, abi.TCSETAF}


def answer(tty: Tty, mode: int, request: int, argument: int, memory: Memory) -> int:
    """Answer a request on one side of a terminal that is open with access `mode`; ENOTTY for what it does not know."""
    if request in _MODES_SIZE:
        _modes(tty, request, argument, memory)
    elif request in _STORES:
        memory.write(argument, _STORES[request](tty))
    elif request in _TAKES:
        _TAKES[request](tty, int.from_bytes(memory.read(argument, 4), "little", signed=True))
    elif request in _MASTER_STORES and tty.master:
        memory.write(argument, _MASTER_STORES[request](tty).to_bytes(4, "little"))
    elif request in _MASTER_TAKES and tty.master:
        _MASTER_TAKES[request](tty, int.from_bytes(memory.read(argument, 4), "little", signed=True))
    elif request == abi.TIOCSIG and tty.master:
        _signal(tty, argument)
    elif request in _DOES:
        _DOES[request](tty, argument & 0xFFFFFFFF)
    elif request == abi.TIOCSPGRP:
        _set_foreground(tty, argument, memory)
    elif request == abi.TIOCSCTTY:
        tty.sessions.acquire(tty, readable=mode != O_WRONLY, steal=argument == 1)
    elif request == abi.TIOCSWINSZ:
        tty.resize(memory.read(argument, 8))
    elif request == abi.TIOCSTI:
        _type(tty, argument, memory)
    else:
        raise SysError(ENOTTY)
    return 0


def _modes(tty: Tty, request: int, argument: int, memory: Memory) -> None:
    terminal, size = tty.terminal, _MODES_SIZE[request]
    if request in _GETS:
        memory.write(argument, terminal.modes.pack(size))
        return
    _check_change(terminal)
    new = terminal.modes.changed(memory.read(argument, size))
    if request in _FLUSHES:
        terminal.flush_input()
    terminal.set_modes(new)


def _check_change(tty: Tty) -> None:
    tty.sessions.check_change(tty, SIGTTOU)


# --- who is in the foreground -----------------------------------------------------------------------------------------


def _foreground(tty: Tty) -> bytes:
    """TIOCGPGRP: on the slave only for those whose controlling terminal it is (tiocgpgrp)."""
    if not tty.master and not tty.sessions.is_terminal_of_caller(tty):
        raise SysError(ENOTTY)
    return tty.terminal.foreground.to_bytes(4, "little")


def _session(tty: Tty) -> bytes:
    """TIOCGSID (tiocgsid)."""
    if (not tty.master and not tty.sessions.is_terminal_of_caller(tty)) or not tty.terminal.session:
        raise SysError(ENOTTY)
    return tty.terminal.session.to_bytes(4, "little")


def _set_foreground(tty: Tty, argument: int, memory: Memory) -> None:
    """TIOCSPGRP (tiocspgrp)."""
    terminal = tty.terminal
    try:
        _check_change(terminal)
    except SysError as error:
        raise SysError(ENOTTY if error.errno == EIO else error.errno) from None
    pgid = int.from_bytes(memory.read(argument, 4), "little", signed=True)
    if pgid < 0:
        raise SysError(EINVAL)
    tty.sessions.set_foreground(terminal, pgid)


def _give_up(tty: Tty, argument: int) -> None:
    """TIOCNOTTY."""
    del argument
    if not tty.sessions.is_terminal_of_caller(tty):
        raise SysError(ENOTTY)
    tty.sessions.give_up(tty)


# --- flow and flushing ------------------------------------------------------------------------------------------------


def _flush(tty: Tty, queue: int) -> None:
    """TCFLSH."""
    _check_change(tty)
    if queue not in (termios.TCIFLUSH, termios.TCOFLUSH, termios.TCIOFLUSH):
        raise SysError(EINVAL)
    if queue != termios.TCOFLUSH:
        tty.flush_input()
    if queue != termios.TCIFLUSH:
        tty.flush_output()


def _flow(tty: Tty, action: int) -> None:
    """TCXONC."""
    _check_change(tty)
    if action == termios.TCOOFF:
        if not tty.stopped_by_call:
            tty.stopped_by_call = True
            tty.stop()
    elif action == termios.TCOON:
        if tty.stopped_by_call:
            tty.stopped_by_call = False
            tty.start()
    elif action in (termios.TCIOFF, termios.TCION):
        char = tty.modes.cc[termios.VSTOP if action == termios.TCIOFF else termios.VSTART]
        if char:
            tty.emit(bytes([char]))
    else:
        raise SysError(EINVAL)


def _break(tty: Tty, argument: int) -> None:
    """TCSBRK, TIOCSBRK ...: output is always drained, and a pseudo-terminal has no line to break."""
    del argument
    _check_change(tty)


# --- the rest ---------------------------------------------------------------------------------------------------------


def _type(tty: Tty, argument: int, memory: Memory) -> None:
    """TIOCSTI: as if it had been typed. Only for those who may do anything (dev.tty.legacy_tiocsti is 0)."""
    if not tty.sessions.privileged():
        raise SysError(EIO)
    tty.incoming += memory.read(argument, 1)
    tty.push()


def _set_line(tty: Tty, number: int) -> None:
    """TIOCSETD: there is one line discipline, N_TTY."""
    _check_change(tty)
    if number:
        raise SysError(EINVAL)


def _exclusive(tty: Tty, argument: int) -> None:
    del argument
    tty.exclusive = True


def _not_exclusive(tty: Tty, argument: int) -> None:
    del argument
    tty.exclusive = False


def _hang_up(tty: Tty, argument: int) -> None:
    del argument
    if not tty.sessions.privileged():
        raise SysError(EPERM)
    tty.hang_up()


def _to_console(tty: Tty, argument: int) -> None:
    """TIOCCONS: there is no console whose output could come here."""
    del tty, argument
    raise SysError(EPERM)


def _signal(tty: Tty, signo: int) -> None:
    """TIOCSIG: as if the key had been typed."""
    if not 0 < signo <= NSIG:
        raise SysError(EINVAL)
    tty.link.signal(signo)


def _lock(tty: Tty, value: int) -> None:
    tty.locked = bool(value)


def _packet(tty: Tty, value: int) -> None:
    if value and not tty.packet:
        tty.link.news = 0
    tty.packet = bool(value)


def _word(value: int) -> bytes:
    return value.to_bytes(4, "little")


_STORES: dict[int, Callable[[Tty], bytes]] = {
    abi.TIOCGWINSZ: lambda tty: tty.size,
    abi.TIOCGPGRP: _foreground,
    abi.TIOCGSID: _session,
    abi.FIONREAD: lambda tty: _word(tty.ldisc.queued()),
    abi.TIOCOUTQ: lambda tty: _word(0),  # noqa: ARG005  # what is written has arrived
    abi.TIOCGETD: lambda tty: _word(0),  # noqa: ARG005  # N_TTY
    abi.TIOCGEXCL: lambda tty: _word(tty.exclusive),
    abi.TIOCGSOFTCAR: lambda tty: _word(bool(tty.terminal.modes.cflag & termios.CLOCAL)),
    abi.TIOCGDEV: lambda tty: _word(makedev(PTS_MAJOR, tty.index)),
}
_TAKES: dict[int, Callable[[Tty, int], None]] = {abi.TIOCSETD: _set_line}
_MASTER_STORES: dict[int, Callable[[Tty], int]] = {
    abi.TIOCGPTN: lambda tty: tty.index,
    abi.TIOCGPTLCK: lambda tty: int(tty.locked),
    abi.TIOCGPKT: lambda tty: int(tty.packet),
}
_MASTER_TAKES: dict[int, Callable[[Tty, int], None]] = {abi.TIOCSPTLCK: _lock, abi.TIOCPKT: _packet}
_DOES: dict[int, Callable[[Tty, int], None]] = {
    abi.TIOCNOTTY: _give_up,
    abi.TCFLSH: _flush,
    abi.TCXONC: _flow,
    abi.TCSBRK: _break,
    abi.TCSBRKP: _break,
    abi.TIOCSBRK: _break,
    abi.TIOCCBRK: _break,
    abi.TIOCEXCL: _exclusive,
    abi.TIOCNXCL: _not_exclusive,
    abi.TIOCVHANGUP: _hang_up,
    abi.TIOCCONS: _to_console,
}
