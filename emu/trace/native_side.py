"""The native side of a comparison: the same program, arguments, environment and input, on the machine's own kernel."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emu.errors import UsageError
from emu.trace.recording import Recording

if TYPE_CHECKING:
    from emu.config import Config
    from emu.trace.options import TraceOptions

UMASK = 0o022  # the guest's


def native_tracer() -> Any:
    """emu.ptrace.native: what runs and watches programs on the machine's own kernel."""
    try:
        return import_module("emu.ptrace.native")
    except ModuleNotFoundError:
        raise UsageError("this build cannot trace natively: emu.ptrace is not part of it") from None


def record_native(config: Config, stdin: bytes, options: TraceOptions) -> Recording:
    """Run the program on Linux, watched through ptrace; nothing confines it. What it prints is dropped."""
    recording, tracer = Recording(), native_tracer()
    for entry in list(Path("/proc/self/fd").iterdir()):  # what was left open to us is not for the program
        with suppress(OSError):
            os.set_inheritable(int(entry.name), int(entry.name) < 3)
    with _streams(stdin) as streams:
        before = os.umask(UMASK)
        try:
            tracer.trace_program(
                config.program,
                [os.fsdecode(arg) for arg in config.args],
                sinks=[recording],
                options=options,
                env=config.env,
                cwd=config.cwd,
                argv0=config.argv0,
                streams=streams,
            )
        finally:
            os.umask(before)
    return recording


@contextmanager
def _streams(stdin: bytes) -> Iterator[tuple[int, int, int]]:
    """Three pipes, as the emulated run has them; a process of our own feeds the first and empties the others."""
    pipes = [os.pipe() for _ in range(3)]
    ours = (pipes[0][1], pipes[1][0], pipes[2][0])
    theirs = (pipes[0][0], pipes[1][1], pipes[2][1])
    pid = os.fork()
    if not pid:
        try:
            for fd in theirs:
                os.close(fd)
            _serve(*ours, stdin)
        finally:
            os._exit(0)
    for fd in ours:
        os.close(fd)
    try:
        yield theirs
    finally:
        for fd in theirs:
            os.close(fd)
        with suppress(ChildProcessError):  # whoever waited for the tracees has met it
            os.waitpid(pid, 0)


def _serve(feed: int, out: int, err: int, data: bytes) -> None:
    """Until nobody has the other ends any more."""
    os.set_blocking(feed, False)
    reading, writing = [out, err], [feed]
    if not data:
        os.close(writing.pop())
    while reading:
        readable, writable, _ = select.select(reading, writing, [])
        for fd in readable:
            if not os.read(fd, 1 << 16):
                reading.remove(fd)
        if writable:
            try:
                data = data[os.write(feed, data) :]
            except BrokenPipeError:
                data = b""
            if not data:
                os.close(writing.pop())
