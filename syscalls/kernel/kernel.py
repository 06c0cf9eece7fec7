"""The kernel of one guest world: what all its processes share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from syscalls.abi.arch import Arch
from syscalls.abi.errno import ESRCH, SysError
from syscalls.kernel.sched import Scheduler

if TYPE_CHECKING:
    from syscalls.kernel.ports import Clock, Ram, Random
    from syscalls.kernel.signals import SigInfo
    from syscalls.kernel.task import Task, ThreadGroup

RELEASE = "6.12.0"
VERSION = "#1 SMP PREEMPT_DYNAMIC Trapeze"


class Observer(Protocol):
    """Who wants to see everything that happens: the tracer."""

    def enter(self, task: Task, arch: Arch, number: int, args: tuple[int, ...]) -> None:
        """A call begins; its inputs are still in the guest's memory."""

    def exit(self, task: Task, result: int | None) -> None:
        """The call that last began in this task is over: its result or -errno; None: it does not return."""

    def signal(self, task: Task, info: SigInfo) -> None:
        """A signal is delivered."""

    def exited(self, task: Task, status: int) -> None:
        """The task is gone; `status` as in wait(2)."""


class Kernel:
    """Tasks, clock, randomness, names, and the observer."""

    def __init__(self, ram: Ram, clock: Clock, random: Random) -> None:
        self.ram = ram
        self.clock = clock
        self.random = random
        self.scheduler = Scheduler(clock)
        self.tasks: dict[int, Task] = {}  # by thread id
        self.groups: dict[int, ThreadGroup] = {}  # by process id
        self.last_pid = 0
        self.nodename = b"trapeze"
        self.domainname = b"(none)"
        self.boot_ns = clock.monotonic()  # uptime counts from here
        self.realtime_offset_ns = 0  # clock_settime(2)
        self.observer: Observer | None = None

    def new_pid(self) -> int:
        """The next free process id."""
        self.last_pid += 1
        return self.last_pid

    def add(self, task: Task) -> None:
        """Make a task known, and ready to run."""
        self.tasks[task.tid] = task
        self.groups[task.group.tgid] = task.group
        self.scheduler.ready(task)

    def task(self, tid: int) -> Task:
        """The task with this thread id; ESRCH."""
        try:
            return self.tasks[tid]
        except KeyError:
            raise SysError(ESRCH) from None

    def exited(self, task: Task, status: int) -> None:
        """A task has ended."""
        self.tasks.pop(task.tid, None)
        self.scheduler.remove(task)
        if self.observer is not None:
            self.observer.exited(task, status)

    def realtime(self) -> int:
        """CLOCK_REALTIME in ns."""
        return self.clock.realtime() + self.realtime_offset_ns
