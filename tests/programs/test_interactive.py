"""An interactive bash on a terminal: job control inside the guest, driven through a pseudo-terminal of the host."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

import pytest
from sample_cases import ARCHES
from test_bash import make_root

PROMPT = b"ready> "
SECONDS = 40


class Terminal:
    """`trapeze` on a terminal of its own, as a shell's job; everything it has shown is in `shown`."""

    def __init__(self, *command: str) -> None:
        self.shown = b""
        self._looked = 0
        self.fd, self.slave = pty.openpty()
        self.modes = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.execv(sys.executable, [sys.executable, "-m", "emu", *command])

    def wait_for(self, text: bytes) -> bytes:
        """Read until `text` has appeared after what was awaited before; what came until then."""
        end = time.monotonic() + SECONDS
        while (found := self.shown.find(text, self._looked)) < 0:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} does not appear in {self.shown!r}"
            self.shown += os.read(self.fd, 4096)
        start, self._looked = self._looked, found + len(text)
        return self.shown[start : self._looked]

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.fd, keys)

    def run(self, line: bytes) -> bytes:
        """Type a command at the prompt; what it printed before the next one, which is still to be awaited."""
        self.wait_for(PROMPT)
        self.type(line + b"\r")
        self.wait_for(b"\n")
        shown = self.wait_for(PROMPT)
        self._looked -= len(PROMPT)
        return shown.removesuffix(PROMPT)

    def end(self) -> int:
        """Wait for the end; the exit status."""
        while not (ended := os.waitpid(self.pid, os.WNOHANG))[0]:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.shown += os.read(self.fd, 4096)
                except OSError:  # nobody has the terminal any more
                    ended = os.waitpid(self.pid, 0)
                    break
        return os.waitstatus_to_exitcode(ended[1])


@pytest.fixture(params=ARCHES)
def shell(request, tmp_path):
    root = make_root(tmp_path, request.param)
    terminal = Terminal(
        "run", "--root", str(root), "--env", f"PS1={PROMPT.decode()}", "/bin/bash", "--norc", "--noediting", "-i"
    )
    yield terminal
    try:
        os.kill(terminal.pid, signal.SIGKILL)
        os.waitpid(terminal.pid, 0)
    except (ChildProcessError, ProcessLookupError):
        pass


def test_a_session(shell) -> None:
    assert shell.run(b"echo $((6 * 7)) $-").startswith(b"42 ")
    assert b"m" in shell.run(b"echo $-")  # job control is on
    assert b"-> /dev/pts/0" in shell.run(b"[[ -t 0 ]] && ls -l /proc/self/fd/0")

    shell.wait_for(PROMPT)  # Ctrl-C ends a loop of the shell, a loop of a child, a sleep
    for line in (b"while :; do :; done", b"(echo go; while :; do :; done)", b"sleep 100"):
        shell.type(line + b"\r")
        shell.wait_for(b"\n")
        time.sleep(0.3)
        shell.type(b"\x03")
        shell.wait_for(b"^C")
        shell.wait_for(PROMPT)

    shell.type(b"(echo begun; read x; echo end $x)\r")  # Ctrl-Z stops it, fg lets it go on
    shell.wait_for(b"\nbegun")
    time.sleep(0.2)
    shell.type(b"\x1a")
    shell.wait_for(b"Stopped")
    assert re.search(rb"\[1\]\+\s+Stopped", shell.run(b"jobs"))
    shell.wait_for(PROMPT)
    shell.type(b"fg\r")
    shell.wait_for(b"\n")
    time.sleep(0.2)
    shell.type(b"typed\r")
    shell.wait_for(b"end typed")

    fcntl.ioctl(shell.fd, termios.TIOCSWINSZ, struct.pack("4H", 33, 77, 0, 0))
    time.sleep(0.2)
    assert b"33 77" in shell.run(b"shopt -s checkwinsize; (:); echo $LINES $COLUMNS")
    shell.wait_for(PROMPT)
    shell.type(b"exit 7\r")
    assert shell.end() == 7


def test_the_terminal_is_as_before(tmp_path) -> None:
    root = make_root(tmp_path, "x86_64")
    terminal = Terminal("run", "--root", str(root), "/bin/sh", "-c", "echo begun; read x; echo got $x; kill -TERM $$")
    terminal.wait_for(b"begun")
    assert not termios.tcgetattr(terminal.fd)[3] & termios.ISIG
    terminal.type(b"line\r")
    terminal.wait_for(b"got line")
    assert terminal.end() == 128 + signal.SIGTERM
    assert termios.tcgetattr(terminal.slave) == terminal.modes
