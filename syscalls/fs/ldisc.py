"""The line discipline of terminals: what becomes of each character that comes in and goes out (drivers/tty/n_tty.c).

Input is edited and echoed as termios(3) says, cut into lines in canonical mode, and turned into signals.
A `LineDiscipline` belongs to one terminal, which supplies the modes and takes what is to be shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.poll import POLLIN, POLLRDNORM
from syscalls.abi.signal import SIGINT, SIGQUIT, SIGTSTP
from syscalls.abi.termios import (
    ECHO,
    ECHOCTL,
    ECHOE,
    ECHOK,
    ECHOKE,
    ECHONL,
    ECHOPRT,
    EXTPROC,
    ICANON,
    ICRNL,
    IEXTEN,
    IGNCR,
    INLCR,
    ISIG,
    ISTRIP,
    IUCLC,
    IUTF8,
    IXANY,
    IXON,
    NOFLSH,
    OCRNL,
    OLCUC,
    ONLCR,
    ONLRET,
    ONOCR,
    OPOST,
    PARMRK,
    VEOF,
    VEOL,
    VEOL2,
    VERASE,
    VINTR,
    VKILL,
    VLNEXT,
    VMIN,
    VQUIT,
    VREPRINT,
    VSTART,
    VSTOP,
    VSUSP,
    VTIME,
    VWERASE,
    XTABS,
)

if TYPE_CHECKING:
    from syscalls.fs.tty import Tty

SIZE = 4096  # N_TTY_BUF_SIZE
DISABLED = 0  # a control character of this value is none (_POSIX_VDISABLE)
NEWLINE, RETURN, TAB, BACKSPACE = b"\n\r\t\b"
_ERASE = b"\b \b"
#: How a character ends a line: not at all, as its last character, or without being part of it (VEOF).
PLAIN, LAST, BEYOND = 0, 1, 2


#: Letters as the kernel sees them, which is in ISO 8859-1 (lib/ctype.c).
_LOWER = frozenset((*range(0x61, 0x7B), *range(0xDF, 0xF7), *range(0xF8, 0x100)))
_UPPER = frozenset((*range(0x41, 0x5B), *range(0xC0, 0xD7), *range(0xD8, 0xDF)))


def _is_word(char: int) -> bool:
    return char in _LOWER or char in _UPPER or char in b"0123456789_"


def _is_control(char: int) -> bool:
    return char < 0x20 or char == 0x7F


class LineDiscipline:
    """Characters typed and not read yet, and the column that the cursor is in."""

    def __init__(self, tty: Tty) -> None:
        self.tty = tty
        self.buffer = bytearray()  # characters that were not read yet ...
        self.ends = bytearray()  # ... and how each ends a line
        self.complete = 0  # how many of them belong to complete lines (canon_head - read_tail)
        self.column = 0
        self.canon_column = 0  # where the present line of input began
        self.literal = False  # VLNEXT: the next character means nothing special
        self.erasing = False  # ECHOPRT: between \ and /
        self.echo: bytearray = bytearray()  # shown once receive() is through

    # --- modes --------------------------------------------------------------------------------------------------------

    def _local(self, flag: int) -> bool:
        return bool(self.tty.modes.lflag & flag)

    def _input(self, flag: int) -> bool:
        return bool(self.tty.modes.iflag & flag)

    def _is(self, char: int, index: int) -> bool:
        """Is it the control character `index` (VINTR ...)?"""
        return char != DISABLED and char == self.tty.modes.cc[index]

    @property
    def canonical(self) -> bool:
        """Does it deliver lines? With EXTPROC somebody else makes them."""
        return self.tty.modes.lflag & (ICANON | EXTPROC) == ICANON

    def modes_changed(self, before: int) -> None:
        """The local modes were `before`: what was typed is a line of its own when lines begin or end to matter."""
        if (before ^ self.tty.modes.lflag) & (ICANON | EXTPROC):
            self.ends = bytearray(len(self.buffer))
            self.complete = 0
            if self.canonical and self.buffer:
                self.ends[-1] = LAST
                self.complete = len(self.buffer)
            self.erasing = self.literal = False

    # --- reading ------------------------------------------------------------------------------------------------------

    def available(self) -> int:
        """Characters that a read could have now, ends of file included."""
        return self.complete if self.canonical else len(self.buffer)

    def queued(self) -> int:
        """FIONREAD: the same without the characters that only mark an end of file (inq_canon)."""
        return self.available() - (self.ends.count(BEYOND) if self.canonical else 0)

    def enough(self, count: int | None = None) -> bool:
        """Is there what a read of `count`, or poll(2), waits for?"""
        if self.canonical:
            return self.complete > 0
        minimum = self.tty.modes.cc[VMIN]
        if count is not None:
            wanted = min(minimum or 1, count)
        else:
            wanted = minimum if minimum and not self.tty.modes.cc[VTIME] else 1
        return len(self.buffer) >= wanted

    def take(self, count: int) -> bytes:
        """Up to `count` characters; of one line in canonical mode (canon_copy_from_read_buf)."""
        if not self.canonical:
            return self._consume(min(count, len(self.buffer)))
        end = next((i for i in range(min(count, self.complete)) if self.ends[i]), None)
        if end is None:
            data = self._consume(min(count, self.complete))
            if self.complete and self.ends[0] == BEYOND:  # a read that is full to the end of file has seen it
                self._consume(1)
            return data
        beyond = self.ends[end] == BEYOND
        data = self._consume(end + 1)
        return data[:-1] if beyond else data

    def _consume(self, count: int) -> bytes:
        data = bytes(self.buffer[:count])
        del self.buffer[:count], self.ends[:count]
        self.complete = max(0, self.complete - count)
        return data

    def flush(self) -> None:
        """Forget what was typed and not read."""
        self.buffer.clear()
        self.ends.clear()
        self.complete = 0
        self.erasing = self.literal = False

    # --- input --------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> int:
        """Characters come in; how many were taken (n_tty_receive_buf_common)."""
        taken = 0
        for char in data:
            room = SIZE - 1 - len(self.buffer) * (3 if self._input(PARMRK) else 1)
            if room <= 0:
                if not self.tty.modes.lflag & ICANON or self.complete:
                    break  # somebody has to read first
                if room < 0:
                    del self.buffer[-1], self.ends[-1]  # too long a line: its end at least can still be typed
            self._receive(char)
            taken += 1
        self.show_echo()
        if not self.canonical and self.buffer:
            self._wake()
        return taken

    def _wake(self) -> None:
        self.tty.readers.wake(events=POLLIN | POLLRDNORM)

    def _receive(self, char: int) -> None:
        if self._input(ISTRIP):
            char &= 0x7F
        if self._input(IUCLC) and self._local(IEXTEN):
            char += 0x20 * (char in _UPPER)
        if self.literal:
            self.literal = False
            self._ordinary(char)
        elif self._local(EXTPROC):
            self._put(char)
        elif not self._flow(char) and not self._signal(char):
            self._restart_by_any()
            self._edited(char)

    def _flow(self, char: int) -> bool:
        """IXON: Ctrl-S and Ctrl-Q."""
        if not self._input(IXON):
            return False
        if self._is(char, VSTART):
            self.tty.start()
        elif self._is(char, VSTOP):
            self.tty.stop()
        else:
            return False
        return True

    def _signal(self, char: int) -> bool:
        """ISIG: Ctrl-C and the like (n_tty_receive_signal_char)."""
        if not self._local(ISIG):
            return False
        keys = ((VINTR, SIGINT), (VQUIT, SIGQUIT), (VSUSP, SIGTSTP))
        signo = next((signo for index, signo in keys if self._is(char, index)), 0)
        if not signo:
            return False
        self.interrupt(signo)
        if self._input(IXON):
            self.tty.start()
        if self._local(ECHO):
            self._echo(char)
        return True

    def interrupt(self, signo: int) -> None:
        """Send the foreground a signal, and forget what is on its way unless NOFLSH (isig)."""
        self.tty.signal(signo)
        if not self._local(NOFLSH):
            self.echo.clear()
            self.tty.flush_output()
            self.tty.flush_input()

    def _restart_by_any(self) -> None:
        if self.tty.stopped and not self.tty.stopped_by_call and self._input(IXON) and self._input(IXANY):
            self.tty.start()

    def _edited(self, char: int) -> None:
        """A character that may be special (n_tty_receive_char_special)."""
        plain = char == NEWLINE and not self._local(ICANON)  # shown like any control character
        if char == RETURN:
            if self._input(IGNCR):
                return
            if self._input(ICRNL):
                char = NEWLINE
        elif char == NEWLINE and self._input(INLCR):
            char = RETURN
        if not self._local(ICANON) or not self._canonical_char(char):
            self._ordinary(char, plain=plain)

    def _ordinary(self, char: int, *, plain: bool = False) -> None:
        if self._local(ECHO):
            self._finish_erasing()
            if char == NEWLINE and not plain:
                self._echo_raw(b"\n")
            else:
                self._mark_column()
                self._echo(char)
        self._put(char)

    def _canonical_char(self, char: int) -> bool:
        """What only canonical mode knows (n_tty_receive_char_canon); False: an ordinary character."""
        extended, echo = self._local(IEXTEN), self._local(ECHO)
        if self._is(char, VERASE) or self._is(char, VKILL) or (self._is(char, VWERASE) and extended):
            self._erase(char)
        elif self._is(char, VLNEXT) and extended:
            self.literal = True
            if echo:
                self._finish_erasing()
                if self._local(ECHOCTL):
                    self._echo_raw(b"^\b")
        elif self._is(char, VREPRINT) and echo and extended:
            self._finish_erasing()
            self._echo(char)
            self._echo_raw(b"\n")
            for typed in self.buffer[self.complete :]:
                self._echo(typed)
        elif char == NEWLINE:
            if echo or self._local(ECHONL):
                self._echo_raw(b"\n")
            self._end_line(char, LAST)
        elif self._is(char, VEOF):
            self._end_line(DISABLED, BEYOND)
        elif self._is(char, VEOL) or (self._is(char, VEOL2) and extended):
            if echo:
                self._mark_column()
                self._echo(char)
            self._end_line(char, LAST)
        else:
            return False
        return True

    def _put(self, char: int, end: int = PLAIN) -> None:
        if char == 0xFF and self._input(PARMRK):
            self.buffer.append(char)
            self.ends.append(PLAIN)
        self.buffer.append(char)
        self.ends.append(end)

    def _end_line(self, char: int, end: int) -> None:
        self._put(char, end)
        self.complete = len(self.buffer)
        self._wake()

    # --- erasing ------------------------------------------------------------------------------------------------------

    def _erase(self, char: int) -> None:
        """VERASE, VWERASE and VKILL (eraser)."""
        if len(self.buffer) == self.complete:
            return
        echo, by_word, whole = self._local(ECHO), self._is(char, VWERASE), self._is(char, VKILL)
        if whole and not self._is(char, VERASE) and not (echo and self._all(ECHOK | ECHOKE | ECHOE)):
            self._kill(char)
            return
        seen_word = False
        while len(self.buffer) > self.complete:
            start = self._last_character()
            if start < 0:
                break
            first = self.buffer[start]
            if by_word and not self._is(char, VERASE):
                if _is_word(first):
                    seen_word = True
                elif seen_word:
                    break
            erased = bytes(self.buffer[start:])
            del self.buffer[start:], self.ends[start:]
            if echo:
                self._echo_erased(erased, single=self._is(char, VERASE))
            if self._is(char, VERASE):
                break
        if len(self.buffer) == self.complete and echo:
            self._finish_erasing()

    def _all(self, flags: int) -> bool:
        return self.tty.modes.lflag & flags == flags

    def _kill(self, char: int) -> None:
        """Forget the line without wiping it off the screen."""
        del self.buffer[self.complete :], self.ends[self.complete :]
        if self._local(ECHO):
            self._finish_erasing()
            self._echo(char)
            if self._local(ECHOK):
                self._echo_raw(b"\n")

    def _last_character(self) -> int:
        """Where the last character begins, with IUTF8 perhaps several bytes; -1: there is only a part of one."""
        start = len(self.buffer) - 1
        while self._continues(self.buffer[start]) and start > self.complete:
            start -= 1
        return -1 if self._continues(self.buffer[start]) else start

    def _continues(self, char: int) -> bool:
        return char & 0xC0 == 0x80 and self._input(IUTF8)

    def _echo_erased(self, erased: bytes, *, single: bool) -> None:
        char = erased[0]
        if self._local(ECHOPRT):
            if not self.erasing:
                self._echo_raw(b"\\")
                self.erasing = True
            self._echo(char)
            self._echo_raw(erased[1:])
        elif single and not self._local(ECHOE):
            self._echo(self.tty.modes.cc[VERASE])
        elif char == TAB:
            self._erase_tab()
        else:
            if _is_control(char) and self._local(ECHOCTL):
                self._echo_raw(_ERASE)
            if not _is_control(char) or self._local(ECHOCTL):
                self._echo_raw(_ERASE)

    def _erase_tab(self) -> None:
        """Back to where the tab began: counted from the tab before it, or from the line's first column."""
        width, start = 0, self.canon_column
        for char in reversed(self.buffer[self.complete :]):
            if char == TAB:
                start = 0
                break
            if _is_control(char):
                width += 2 if self._local(ECHOCTL) else 0
            elif not self._continues(char):
                width += 1
        self._echo_raw(b"\b" * (8 - (width + start & 7)))

    def _finish_erasing(self) -> None:
        if self.erasing:
            self._echo_raw(b"/")
            self.erasing = False

    # --- echo and output ----------------------------------------------------------------------------------------------

    def _mark_column(self) -> None:
        """The line of input begins where the cursor is now."""
        if len(self.buffer) == self.complete:
            self.canon_column = self.column

    def _echo(self, char: int) -> None:
        if self._local(ECHOCTL) and _is_control(char) and char != TAB:
            self.echo += b"^" + bytes([char ^ 0x40])
            self.column += 2
        elif char == 0xFF:  # which the kernel's buffer of echoes must escape, and then does not process
            self.echo.append(char)
            self.column += 1
        else:
            self._echo_raw(bytes([char]))

    def _echo_raw(self, data: bytes) -> None:
        self.echo += self.process(data)

    def show_echo(self) -> None:
        """Let the echo appear, unless output is stopped."""
        if self.echo and not self.tty.stopped:
            shown, self.echo = bytes(self.echo), bytearray()
            self.tty.emit(shown)
        del self.echo[:-SIZE]

    def process(self, data: bytes) -> bytes:
        """What appears for `data` (do_output_char)."""
        if not self.tty.modes.oflag & OPOST:
            return data
        if data.isalnum() and data.isascii() and not self.tty.modes.oflag & OLCUC:
            self.column += len(data)
            return data
        out = bytearray()
        for char in data:
            out += self._output(char)
        return bytes(out)

    def _output(self, char: int) -> bytes:
        flags = self.tty.modes.oflag
        if char == NEWLINE:
            if flags & (ONLRET | ONLCR):
                self.column = 0
            self.canon_column = self.column
            return b"\r\n" if flags & ONLCR else b"\n"
        if char == RETURN:
            if flags & ONOCR and not self.column:
                return b""
            if not flags & OCRNL or flags & ONLRET:
                self.canon_column = self.column = 0
            return b"\n" if flags & OCRNL else b"\r"
        if char == TAB:
            spaces = 8 - (self.column & 7)
            self.column += spaces
            return b" " * spaces if flags & XTABS == XTABS else b"\t"
        if char == BACKSPACE:
            self.column = max(0, self.column - 1)
        elif not _is_control(char):
            if flags & OLCUC:
                char -= 0x20 * (char in _LOWER)
            self.column += not self._continues(char)
        return bytes([char])
