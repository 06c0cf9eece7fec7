"""A sink that keeps the events in a list, for programs and tests."""

from __future__ import annotations

from typing import Any

from emu.trace.event import CallEvent, ExitEvent, SignalEvent
from syscalls.abi.arch import Arch


class Collector:
    """Appends every event to `events`, calls when they are over."""

    def __init__(self, events: list[Any]) -> None:
        self.events = events

    def call(self, event: CallEvent) -> None:
        self.events.append(event)

    def unfinished(self, event: CallEvent) -> None: ...

    def signal(self, event: SignalEvent) -> None:
        self.events.append(event)

    def exited(self, event: ExitEvent) -> None:
        self.events.append(event)

    def personality(self, tid: int, arch: Arch, wall: int, start: int) -> None: ...

    def close(self) -> None: ...
