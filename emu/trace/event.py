"""The events of a run, in one stream: calls, signals, ends of tasks. Every source makes them, every sink takes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from emu.trace.value import Remark, Value
from syscalls.abi.arch import Arch


@dataclass(slots=True)
class CallEvent:
    """One system call. Until its end, `done` is false and `args` may miss those that the call fills in.

    Times are nanoseconds: `start` and `duration` of the monotonic clock, `wall` of the realtime clock at the start.
    """

    seq: int  # counts the calls of the run from 1, in order of entry
    pid: int
    tid: int
    arch: Arch
    name: str
    number: int
    raw: tuple[int, ...]  # the six argument registers
    args: list[tuple[str, Value]] = field(default_factory=list)
    done: bool = False
    result: int | None = None  # -errno on failure; None: the call does not return
    value: Value | None = None  # the result as a value, when it succeeded
    error: str = ""  # "ENOENT", "ERESTARTSYS" ...
    note: Remark = ""  # strace's explanation behind the result: "in [0]", "flags FD_CLOEXEC"
    support: str = ""  # why the call failed, when this kernel does not (wholly) implement it
    injected: str = ""  # what was tampered with: "error", "retval", "delay" ..., separated by commas
    wall: int = 0
    start: int = 0
    duration: int = 0
    known: int = 0  # how many of `args` were known when the call began
    more: bool = False  # and whether others follow, behind a comma that is shown at once
    pointer: int = 0  # the program counter behind the trap instruction, when it was asked for
    whole: bool = False  # structures are shown with all their members
    dump: bytes = b""  # data that were read or written, when they are to be dumped
    announced: bool = False  # an unfinished line of it was shown
    detached: bool = False  # the tracing ends while the task is in it
    torn: bool = False  # the task ended within it: the arguments that were not known yet never will be


@dataclass(frozen=True, slots=True)
class SignalEvent:
    """A signal is delivered to a task."""

    pid: int
    tid: int
    signo: int
    name: str
    info: Value
    wall: int = 0
    start: int = 0


@dataclass(frozen=True, slots=True)
class StopEvent:
    """A task does not go on until its process is continued."""

    pid: int
    tid: int
    signal: str  # what has stopped it
    wall: int = 0
    start: int = 0


@dataclass(frozen=True, slots=True)
class ExitEvent:
    """A task has ended: `status` is its exit code, or `signal` the name of what killed it."""

    pid: int
    tid: int
    status: int
    signal: str = ""
    core_dumped: bool = False
    wall: int = 0
    start: int = 0


class Sink(Protocol):
    """Somebody who is shown the events. One that never looks at arguments may say so with `decodes = False`."""

    def unfinished(self, event: CallEvent) -> None:
        """A call has not returned yet, and another task has something to tell."""

    def call(self, event: CallEvent) -> None:
        """A call is over (or will never return)."""

    def attached(self, tid: int) -> None:
        """There is a new task."""

    def superseded(self, event: ExitEvent, by: int) -> None:
        """A task has ended because its thread `by` executes a program, and goes on under the id of this one."""

    def signal(self, event: SignalEvent) -> None: ...
    def stopped(self, event: StopEvent) -> None: ...
    def exited(self, event: ExitEvent) -> None: ...
    def personality(self, tid: int, arch: Arch, wall: int, start: int) -> None:
        """From here on the task's calls are those of another architecture."""

    def close(self) -> None:
        """Nothing more will come."""
