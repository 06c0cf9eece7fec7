"""Events of the host's tasks: the same decoders as for our kernel's, on /proc and process_vm_readv."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from emu.ptrace.memory import ProcessMemory
from emu.ptrace.tracee import Tracee
from emu.trace.stream import Stream
from syscalls.abi.fcntl import AT_FDCWD

if TYPE_CHECKING:
    from emu.trace.event import Sink
    from emu.trace.options import TraceOptions


class Process:
    """What the threads of a process have in common."""

    __slots__ = ("tgid",)

    def __init__(self, tgid: int) -> None:
        self.tgid = tgid


class NativeTask:
    """A thread that is traced."""

    __slots__ = ("group", "hidden", "in_call", "mm", "pc", "signal", "tid", "tracee")

    def __init__(self, tid: int, tgid: int, *, hidden: bool = False) -> None:
        self.tid = tid
        self.group = Process(tgid)
        self.tracee = Tracee(tid)
        self.mm = ProcessMemory(self.tracee)
        self.in_call = False  # between entry and exit of a call
        self.hidden = hidden  # it is still our own child on its way to the program
        self.pc = 0  # of the last call
        self.signal = 0  # the one that it is stopped at, to be delivered when it goes on

    def rename(self, tid: int) -> None:
        """It executes a program and gets its process's id."""
        self.tid = self.tracee.pid = tid


class NativeStream(Stream[NativeTask]):
    """A stream fed by emu.ptrace.tracer."""

    def __init__(self, sinks: Iterable[Sink], options: TraceOptions | None = None) -> None:
        super().__init__(sinks, options, (time.time_ns, time.monotonic_ns))

    def _paths(self, task: NativeTask) -> Callable[[int], bytes | None]:
        return lambda fd: fd_path(task.tid, fd)

    def _pointer(self, task: NativeTask) -> int:
        return task.pc


def fd_path(tid: int, fd: int) -> bytes | None:
    """What /proc/TID/fd/N, or cwd for AT_FDCWD, leads to; None: the descriptor is not open."""
    name = "cwd" if fd == AT_FDCWD else f"fd/{fd}"
    try:
        return os.readlink(f"/proc/{tid}/{name}".encode())  # noqa: PTH115  # names are bytes
    except OSError:
        return None
