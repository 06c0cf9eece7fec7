"""The terminal that Trapeze runs on, as the guest's: Ctrl-C, Ctrl-Z and the window's size mean the guest's processes.

The guest has a pseudo-terminal of its own, /dev/pts/0, with its own modes and job control. Here is what sits at its
master: characters typed at the host's terminal, which is in raw mode meanwhile, go in; what the guest shows comes out.
"""

from __future__ import annotations

import atexit
import os
import signal
import termios
import tty
from typing import TYPE_CHECKING, Any

from emu.host import FdStream
from syscalls.abi.errno import SysError
from syscalls.abi.fcntl import O_NOCTTY, O_RDWR
from syscalls.abi.signal import SIGCONT
from syscalls.kernel import jobs

if TYPE_CHECKING:
    from types import FrameType

    from syscalls.fs.devpts import DevPts
    from syscalls.fs.file import File
    from syscalls.fs.tty import Tty
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.ports import HostStream
    from syscalls.kernel.task import ThreadGroup

CHUNK = 4096
#: Signals that end Trapeze: the terminal is put right first.
FATAL = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Console:
    """`ports.HostDevice`: the host's terminal at the master of the guest's."""

    def __init__(self, kernel: Kernel, devpts: DevPts) -> None:
        self.kernel = kernel
        self.devpts = devpts
        master = devpts.open_master(devpts.ptmx, O_RDWR)
        self.slave: Tty = devpts.slaves[0].tty
        self.master = self.slave.link
        self.master.locked = False
        self.master.sink = self._show
        self._held = master  # as long as it is open, the guest's terminal lives
        self.input: FdStream | None = None
        self.output: FdStream | None = None
        self._saved: list[Any] | None = None  # the modes to put back
        self._resized = True
        self._wake_up: FdStream | None = None
        self._unwritten = b""
        slave = self.slave
        slave.session = slave.foreground = kernel.outer_session

    def add(self, stream: HostStream) -> None:
        """A standard stream is the terminal; from the input's only characters come."""
        if isinstance(stream, FdStream):
            if stream.fd == 0:
                self.input = stream
            self.output = stream

    def open(self) -> File:
        """The guest's terminal, open for a standard stream."""
        path = self.devpts.path(0)
        file = path.inode.open(O_RDWR | O_NOCTTY)
        file.path = path
        return file

    # --- taking the terminal over, and giving it back -----------------------------------------------------------------

    def enter(self) -> None:
        """Take the terminal over, if Trapeze is in its foreground: in the background it belongs to others."""
        self.kernel.scheduler.device = self
        reading, writing = os.pipe()
        for fd in (reading, writing):
            os.set_blocking(fd, False)
        self._wake_up = FdStream(reading)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, self._on_resize)
        for number in FATAL:
            signal.signal(number, self._on_end)
        atexit.register(self.restore)
        self._copy_modes()
        self._make_raw()

    def _copy_modes(self) -> None:
        """The guest finds the terminal as Trapeze found it."""
        stream = self.input or self.output
        if stream is not None and stream.terminal is not None:
            data = stream.terminal.get(termios.TCGETS, 36)
            self.slave.modes = self.slave.modes.changed(data)

    def _make_raw(self) -> None:
        if self.input is None or not _in_foreground(self.input.fd):
            return
        fd = self.input.fd
        self._saved = termios.tcgetattr(fd)
        tty.setraw(fd, termios.TCSADRAIN)

    def restore(self) -> None:
        """Leave the terminal as it was found."""
        self._show()
        if self._saved is not None and self.input is not None:
            saved, self._saved = self._saved, None
            termios.tcsetattr(self.input.fd, termios.TCSADRAIN, saved)

    def _on_end(self, number: int, _frame: FrameType | None) -> None:
        self.restore()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    def _on_resize(self, _number: int, _frame: FrameType | None) -> None:
        self._resized = True

    # --- ports.HostDevice ---------------------------------------------------------------------------------------------

    def streams(self) -> list[tuple[HostStream, bool]]:
        if not self.kernel.tasks:
            return []
        streams: list[tuple[HostStream, bool]] = []
        if self._wake_up is not None:
            streams.append((self._wake_up, False))
        if self.input is not None and self._saved is not None and not self.slave.incoming:
            streams.append((self.input, False))
        if self.output is not None and self._unwritten:
            streams.append((self.output, True))
        return streams

    def poll(self) -> None:
        if self._wake_up is not None:
            self._wake_up.read(CHUNK)
        if self._resized:
            self._take_size()
        self._show()
        if self.input is not None and self._saved is not None and not self.slave.incoming:
            self._type(self.input)
        self._follow_into_stop()

    def _take_size(self) -> None:
        self._resized = False
        stream = self.input or self.output
        if stream is not None and stream.terminal is not None:
            self.slave.resize(stream.terminal.get(termios.TIOCGWINSZ, 8))

    def _type(self, stream: FdStream) -> None:
        """What was typed outside is typed inside; a terminal that is gone hangs up."""
        try:
            data = stream.read(CHUNK)
        except SysError:
            data = b""
        if data:
            self.master.emit(data)
        elif data is not None:
            self.input = None
            self.slave.hang_up()

    def _show(self) -> None:
        """Print what the guest shows, as much as the terminal takes now."""
        while self.output is not None:
            data = self._unwritten or self._cooked(self.master.take(CHUNK))
            if not data:
                break
            try:
                taken = self.output.write(data)
            except SysError:  # nobody looks any more
                taken = len(data)
            self._unwritten = data[taken or 0 :]
            if self._unwritten:
                break

    def _cooked(self, data: bytes) -> bytes:
        """A terminal that is not in raw mode puts carriage returns in by itself."""
        return data if self._saved is not None else data.replace(b"\r\n", b"\n")

    def _follow_into_stop(self) -> None:
        """The guest's first process was stopped (Ctrl-Z): so is Trapeze, and goes on with it."""
        group = self._stopped_group()
        if group is None or self._saved is None:
            return
        self.restore()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)
        self._make_raw()
        self._resized = True
        self.slave.foreground = group.pgid
        for member in list(jobs.members(self.kernel, group.pgid)):
            jobs.signal_process(member, SIGCONT)

    def _stopped_group(self) -> ThreadGroup | None:
        """The first process, when it is stopped: nobody inside can continue it."""
        first = next((group for group in self.kernel.groups.values() if group.ppid == self.kernel.outer_session), None)
        return first if first is not None and first.stopped else None


def _in_foreground(fd: int) -> bool:
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:  # it is not our controlling terminal: nobody else will mind
        return True
