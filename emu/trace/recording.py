"""Events that are kept: a sink for a run, and saved traces read back, by what is in them and not by their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from emu.errors import NotFoundError, TraceFileError
from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent

if TYPE_CHECKING:
    from syscalls.abi.arch import Arch


@dataclass(frozen=True, slots=True)
class SupersededEvent:
    """A leader has ended because its thread `by` executes a program, and goes on under the id `tid`."""

    tid: int
    by: int


Event = CallEvent | SignalEvent | StopEvent | ExitEvent | SupersededEvent


@dataclass
class Recording:
    """A sink that keeps every event; calls in the order of their ends."""

    events: list[Event] = field(default_factory=list)

    def call(self, event: CallEvent) -> None:
        """A call is over."""
        self.events.append(event)

    def signal(self, event: SignalEvent) -> None:
        """A signal is delivered."""
        self.events.append(event)

    def stopped(self, event: StopEvent) -> None:
        """A task has stopped."""
        self.events.append(event)

    def exited(self, event: ExitEvent) -> None:
        """A task has ended."""
        self.events.append(event)

    def superseded(self, event: ExitEvent, by: int) -> None:
        """A thread has taken its leader's place."""
        self.events.append(SupersededEvent(event.tid, by))

    def unfinished(self, event: CallEvent) -> None:
        """It will come again when it is over."""

    def attached(self, tid: int) -> None:
        """The call that has made it says so."""

    def personality(self, tid: int, arch: Arch, wall: int, start: int) -> None:
        """Each call says its architecture."""

    def close(self) -> None:
        """Nothing is held back."""


ELF, SCRIPT = b"\x7fELF", b"#!"


def is_program(path: str) -> bool:
    """Does the file exist, and is what is in it executed rather than read?"""
    try:
        with Path(path).open("rb") as file:
            return file.read(4).startswith((ELF, SCRIPT))
    except OSError:
        return False


def read_trace(path: str) -> Recording:
    """The events of a saved trace: JSON of `trapeze trace --json`, or the text of strace and `trapeze trace`."""
    from emu.trace.json_log import read_json
    from emu.trace.strace_log import StraceLog

    try:
        with Path(path).open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            lines = file.readlines()
    except FileNotFoundError:
        raise NotFoundError(f"{path}: No such file or directory") from None
    except OSError as error:
        raise TraceFileError(f"{path}: {error.strerror}") from None
    first = next((line.lstrip() for line in lines if line.strip()), "")
    if not first:
        raise TraceFileError(f"{path}: there is nothing in it")
    if first.startswith("{"):
        return read_json(path, lines)
    return StraceLog(path).read(lines)
