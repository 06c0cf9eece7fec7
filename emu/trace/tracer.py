"""The tracer: watches our kernel and feeds the stream of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from emu.trace.siginfo import siginfo
from emu.trace.stream import Stream
from syscalls.abi.errno import EINTR
from syscalls.abi.signal import SIGKILL

if TYPE_CHECKING:
    from emu.trace.event import Sink
    from emu.trace.options import TraceOptions
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.signals import SigInfo
    from syscalls.kernel.task import Task


class Tracer(Stream["Task"]):
    """`syscalls.kernel.kernel.Observer` that feeds sinks."""

    def __init__(
        self,
        kernel: Kernel,
        sinks: Iterable[Sink],
        options: TraceOptions | None = None,
        *,
        now: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """`now` measures how long calls take, in nanoseconds; when they begin is told by the guest's own clocks."""
        super().__init__(sinks, options, (kernel.realtime, kernel.clock.monotonic), now)
        self._kernel = kernel

    def _paths(self, task: Task) -> Callable[[int], bytes | None]:
        return task_paths(task)

    def _pointer(self, task: Task) -> int:
        return task.cpu.get(task.arch.pc)

    def started(self, task: Task) -> None:
        """There is a new task; it is told of behind the line of the call that has made it."""
        self.born(task.tid, self._kernel.current)

    def exit(self, task: Task, result: int | None) -> None:
        """The call is over."""
        if task not in self._pending:
            return
        group = task.group
        if group.group_exit or SIGKILL in task.signals.pending or SIGKILL in group.signals.pending:
            result = None  # whoever is being killed does not come back from the call
        elif result is None and task.alive:  # rt_sigreturn, execve: what the program sees is in the register
            result = signed(task.cpu.get(task.arch.result), task.arch.bits)
        restart = task.interrupted.restart.value if task.interrupted is not None and result == -EINTR else ""
        self.leave(task, result, restart, task.signals.mask)

    def signal(self, task: Task, info: SigInfo) -> None:
        """A signal is delivered."""
        self.delivered(task, info.signo, lambda: siginfo(info, task.arch))


def signed(value: int, bits: int) -> int:
    """A register as a signed number."""
    return value - (1 << bits) if value >> bits - 1 else value


def task_paths(task: Task) -> Callable[[int], bytes | None]:
    """What the descriptors of a task lead to, for -y."""
    from emu.trace.paths import fd_path

    return lambda fd: fd_path(task, fd)
