"""-ff: the lines of each task in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TextIO

from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
from emu.trace.options import TraceOptions
from emu.trace.text import TextSink
from syscalls.abi.arch import Arch


class SeparateSink:
    """A TextSink for every task."""

    def __init__(self, open_for: Callable[[int], TextIO], options: TraceOptions) -> None:
        """`open_for` makes the file of a thread id."""
        self._open_for = open_for
        self._options = replace(options, always_pid=False, quiet=options.quiet | {"attach"})
        self._sinks: dict[int, TextSink] = {}
        self._changing: dict[int, str] = {}  # thread id -> the execve that will give it another one

    def unfinished(self, event: CallEvent) -> None:
        """Nothing tears lines apart here; but a thread that executes a program leaves its file in the middle of one."""
        if event.name in ("execve", "execveat"):
            writer = self._of(event.tid).writer
            self._changing[event.tid] = f"{event.name}({writer.arguments(event.args[: event.known])}"

    def attached(self, tid: int) -> None:
        """A new file."""
        self._of(tid)

    def call(self, event: CallEvent) -> None:
        """A line."""
        self._changing.pop(event.tid, None)
        self._of(event.tid).call(event)

    def signal(self, event: SignalEvent) -> None:
        """A line."""
        self._of(event.tid).signal(event)

    def stopped(self, event: StopEvent) -> None:
        """A line."""
        self._of(event.tid).stopped(event)

    def exited(self, event: ExitEvent) -> None:
        """The last line."""
        self._of(event.tid).exited(event)
        self._close(event.tid)

    def superseded(self, event: ExitEvent, by: int) -> None:
        """The thread goes on in the file of its process."""
        self._of(by).out.write(f"{self._changing.pop(by, '')} <pid changed to {event.tid} ...>\n")
        self._close(by)
        self._of(event.tid).superseded(event, by)

    def personality(self, tid: int, arch: Arch, wall: int, start: int) -> None:
        """A line."""
        self._of(tid).personality(tid, arch, wall, start)

    def close(self) -> None:
        """Close all."""
        for tid in list(self._sinks):
            self._close(tid)

    def _of(self, tid: int) -> TextSink:
        sink = self._sinks.get(tid)
        if sink is None:
            sink = self._sinks[tid] = TextSink(self._open_for(tid), self._options)
        return sink

    def _close(self, tid: int) -> None:
        sink = self._sinks.pop(tid, None)
        if sink is not None:
            sink.out.close()
