"""What tasks use: processor time, page faults, switches (kernel/sched/cputime.c, getrusage in kernel/sys.c).

The host's clock says how much processor time all have used; whose turn it was gets it (`Meter`). How much of that was
the program and how much the kernel is not measured, which would cost more than a system call does: a call is counted,
and taken to be `CALL_NS` of system time, as a kernel does that looks once a tick at what the processor is doing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syscalls.abi.resource import RLIM_INFINITY, RLIMIT_CPU
from syscalls.abi.signal import SI_KERNEL, SIGKILL, SIGXCPU
from syscalls.abi.time import CPUCLOCK_PROF, CPUCLOCK_VIRT, NSEC_PER_SEC
from syscalls.kernel.timers import Timer, TimerQueue

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.ports import Clock
    from syscalls.kernel.task import Task, ThreadGroup

CALL_NS = 1_000


@dataclass(slots=True)
class Usage:
    """Sums of one or several threads, or of processes that have been waited for."""

    cpu_ns: int = 0
    calls: int = 0  # system calls made
    faults: int = 0  # pages that appeared when they were used
    voluntary: int = 0  # calls that slept
    involuntary: int = 0  # turns that ended because others wanted the processor
    max_rss: int = 0  # pages

    @property
    def system_ns(self) -> int:
        """Of `cpu_ns`, what the kernel took."""
        return min(self.cpu_ns, self.calls * CALL_NS)

    @property
    def user_ns(self) -> int:
        """Of `cpu_ns`, what the program took."""
        return self.cpu_ns - self.system_ns

    def add(self, other: Usage) -> None:
        """Count somebody else's too; the size in memory is not a sum but a maximum."""
        self.cpu_ns += other.cpu_ns
        self.calls += other.calls
        self.faults += other.faults
        self.voluntary += other.voluntary
        self.involuntary += other.involuntary
        self.max_rss = max(self.max_rss, other.max_rss)


@dataclass(slots=True)
class Account:
    """A process's, beside what its living threads have used."""

    ended: Usage = field(default_factory=Usage)  # threads that have ended
    children: Usage = field(default_factory=Usage)  # processes that have been waited for, and theirs
    clocks: dict[int, TimerQueue] = field(default_factory=dict)  # by CPUCLOCK_*
    limit: Timer | None = None  # RLIMIT_CPU


class Meter:
    """Gives the processor time that passes to the task whose turn it is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mark = clock.cputime()
        self._task: Task | None = None

    def turn(self, task: Task | None) -> None:
        """From now on it is this task's turn."""
        now = self._clock.cputime()
        if self._task is not None:
            self._task.usage.cpu_ns += now - self._mark
        self._mark = now
        self._task = task

    def read(self) -> None:
        """Let `Usage.cpu_ns` of the running task be up to date."""
        self.turn(self._task)


def of_task(task: Task) -> Usage:
    """One thread's, up to now (RUSAGE_THREAD)."""
    task.kernel.meter.read()
    total = Usage(max_rss=_max_rss(task.group))
    total.add(task.usage)
    return total


def of_group(group: ThreadGroup) -> Usage:
    """A process's, up to now (RUSAGE_SELF; thread_group_cputime)."""
    group.kernel.meter.read()
    total = Usage(max_rss=_max_rss(group))
    total.add(group.account.ended)
    for task in group.tasks:
        total.add(task.usage)
    return total


def with_children(group: ThreadGroup) -> Usage:
    """A process's, and that of the children that it has waited for (RUSAGE_BOTH)."""
    total = of_group(group)
    total.add(group.account.children)
    return total


def _max_rss(group: ThreadGroup) -> int:
    return len(group.tasks[0].mm.frames) if group.tasks else 0


def ended(task: Task) -> None:
    """What a thread has used stays with its process (__exit_signal)."""
    kernel, group = task.kernel, task.group
    kernel.meter.read()
    group.account.ended.add(task.usage)
    leave_memory(task)
    task.usage = Usage()


def leave_memory(task: Task) -> None:
    """The process's memory goes away: remember how large it was (setmax_mm_hiwater_rss)."""
    group = task.group
    group.account.ended.max_rss = max(group.account.ended.max_rss, len(task.mm.frames))


# --- clocks that count it ---------------------------------------------------------------------------------------------


def clock_of_task(task: Task, which: int) -> TimerQueue:
    """The clock of a thread's processor time, with its timers; `which`: CPUCLOCK_*."""
    return _clock(task.kernel, task.cpu_clocks, which, lambda: of_task(task))


def clock_of_group(group: ThreadGroup, which: int) -> TimerQueue:
    """The clock of a process's processor time, with its timers; `which`: CPUCLOCK_*."""
    return _clock(group.kernel, group.account.clocks, which, lambda: of_group(group))


def _clock(kernel: Kernel, clocks: dict[int, TimerQueue], which: int, usage: Callable[[], Usage]) -> TimerQueue:
    """Made when it is first asked for."""
    if which not in clocks:
        now = (lambda: usage().user_ns) if which == CPUCLOCK_VIRT else (lambda: usage().cpu_ns)
        clocks[which] = TimerQueue(now, lambda: kernel.timers.armed(clocks[which]))
    return clocks[which]


def watch_limit(group: ThreadGroup) -> None:
    """RLIMIT_CPU has been set, or inherited (update_rlimit_cpu)."""
    soft = group.limit(RLIMIT_CPU)
    if soft == RLIM_INFINITY:
        if group.account.limit is not None:
            group.account.limit.set(0)
        return
    if group.account.limit is None:
        group.account.limit = Timer(clock_of_group(group, CPUCLOCK_PROF), lambda: _limit_reached(group))
    group.account.limit.set(max(1, soft * NSEC_PER_SEC))
    group.kernel.timers.expire()


def _limit_reached(group: ThreadGroup) -> None:
    """SIGXCPU once a second from the soft limit on, SIGKILL at the hard one (check_process_timers)."""
    from syscalls.kernel.signals import SigInfo, send

    if not group.tasks:
        return
    soft, hard = group.limits[RLIMIT_CPU]
    if of_group(group).cpu_ns >= hard * NSEC_PER_SEC:
        send(group.tasks[0], SigInfo(SIGKILL, SI_KERNEL), whole_group=True)
        return
    group.limits[RLIMIT_CPU] = (soft + 1, hard)
    send(group.tasks[0], SigInfo(SIGXCPU, SI_KERNEL), whole_group=True)
    watch_limit(group)
