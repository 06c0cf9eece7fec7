"""Start a program under a tracer: seized, with its options, and stopped before its execve."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from emu.ptrace import libc
from emu.ptrace.info import Kind
from emu.ptrace.tracee import Tracee

FILTERED, PLAIN = b"f", b"p"


@dataclass(frozen=True, slots=True)
class Started:
    """A child in the signal stop of its own SIGSTOP, which is not to be delivered."""

    tracee: Tracee
    filtered: bool  # the seccomp filter is in place


def start(
    program: str,
    argv: Sequence[str],
    *,
    options: int,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    streams: tuple[int, int, int] | None = None,
    seccomp: bytes | None = None,
) -> Started:
    """Fork a child that waits to be seized, then stops, then executes `program` (and exits with 127 if it cannot).

    `streams` are descriptors for its standard streams instead of ours; `seccomp` is a filter to load first. OSError:
    the directory `cwd` is not there, or tracing is not permitted; no child is left then.
    """
    go, told = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(go[1])
            if os.read(go[0], 1):
                _prepare(told[1], cwd, streams, seccomp)
                os.kill(os.getpid(), signal.SIGSTOP)
                os.execve(program, list(argv), dict(os.environ if env is None else env))  # noqa: S606  # that is the purpose
        finally:
            os._exit(127)
    tracee = Tracee(pid)
    os.close(go[0])
    os.close(told[1])
    try:
        tracee.seize(options)
        os.write(go[1], b"!")
        _until_stopped(tracee, told[0])
        answer = os.read(told[0], 16)
    except BaseException:
        _end(tracee)
        raise
    finally:
        os.close(go[1])
        os.close(told[0])
    return Started(tracee, answer == FILTERED)


def _prepare(told: int, cwd: str | None, streams: tuple[int, int, int] | None, seccomp: bytes | None) -> None:
    """In the child: what Python has changed for itself is put back, and what was asked for is done."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL if _INTERRUPTIBLE else signal.SIG_IGN)
    for place, fd in enumerate(streams or ()):
        os.dup2(fd, place)
    try:
        if cwd is not None:
            os.chdir(cwd)
    except OSError as error:
        os.write(told, str(error.errno).encode())
        os._exit(127)
    answer = PLAIN
    if seccomp is not None:
        try:
            libc.install_filter(seccomp)
            answer = FILTERED
        except OSError:  # the kernel, or whoever confines us, does not let us: every call stops then
            pass
    os.write(told, answer)


#: Python catches SIGINT unless it found it ignored; so shall the child.
_INTERRUPTIBLE = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def _until_stopped(tracee: Tracee, told: int) -> None:
    """Let the child run up to its own SIGSTOP."""
    while True:
        stop = tracee.wait()
        if stop.kind in (Kind.EXITED, Kind.KILLED):
            number = int(os.read(told, 16) or b"3")
            raise OSError(number, os.strerror(number))
        if stop.kind is Kind.SIGNAL and stop.signal == signal.SIGSTOP:
            return
        tracee.cont(stop.signal)


def _end(tracee: Tracee) -> None:
    """Kill the child and wait for its end, unless that was waited for already."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(tracee.pid, signal.SIGKILL)
        while tracee.wait().kind not in (Kind.EXITED, Kind.KILLED):
            with suppress(OSError):
                tracee.detach()
