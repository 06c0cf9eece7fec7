"""Sinks that keep the events: all of them as they are, or the last few as lines."""

from __future__ import annotations

import io
from collections import deque
from typing import TYPE_CHECKING, TextIO, cast

from emu.trace.options import TraceOptions
from emu.trace.text import TextSink

if TYPE_CHECKING:
    from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
    from syscalls.abi.arch import Arch


class Collector:
    """Appends each event, once it is complete, to a list."""

    def __init__(self, events: list[CallEvent | SignalEvent | StopEvent | ExitEvent]) -> None:
        self.call = events.append
        self.signal = events.append
        self.stopped = events.append
        self.exited = events.append

    def unfinished(self, event: CallEvent) -> None:
        """It will come again when it is over."""

    def attached(self, tid: int) -> None:
        """The call that has made it says so."""

    def superseded(self, event: ExitEvent, by: int) -> None:  # noqa: ARG002  # of the Sink protocol
        """An end as any other."""
        self.exited(event)

    def personality(self, tid: int, arch: Arch, wall: int, start: int) -> None:
        """Each call says its architecture."""

    def close(self) -> None:
        """Nothing is held back."""


class _Lines(io.TextIOBase):
    """A text file that keeps only the last lines."""

    def __init__(self, lines: deque[str]) -> None:
        self.lines = lines

    def write(self, text: str) -> int:
        """Keep one line."""
        self.lines.append(text.rstrip("\n"))
        return len(text)


class RecentLines(TextSink):
    """The last lines of the trace."""

    def __init__(self, lines: deque[str]) -> None:
        super().__init__(cast("TextIO", _Lines(lines)), TraceOptions())
