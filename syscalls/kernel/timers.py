"""Timers: something to do at a moment of some clock (kernel/time/hrtimer.c, kernel/time/itimer.c).

Nothing interrupts the engine, so timers are looked at where the kernel has the processor: at each system call, at the
end of each time slice, and while everybody sleeps.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING

from syscalls.abi.signal import SI_KERNEL, SIGALRM, SIGPROF, SIGVTALRM
from syscalls.abi.time import CPUCLOCK_PROF, CPUCLOCK_VIRT, ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL

if TYPE_CHECKING:
    from syscalls.kernel.ports import Clock
    from syscalls.kernel.task import ThreadGroup


class TimerQueue:
    """The armed timers of one clock. False when there are none."""

    def __init__(self, now: Callable[[], int], notice: Callable[[], object]) -> None:
        self.now = now  # ns
        self._notice = notice  # called when a timer is armed
        self._heap: list[tuple[int, int, Timer]] = []
        self._order = 0

    def __bool__(self) -> bool:
        return bool(self._heap)

    def add(self, timer: Timer) -> None:
        """File a timer under its deadline."""
        self._order += 1
        heapq.heappush(self._heap, (timer.deadline_ns, self._order, timer))
        self._notice()

    def remove(self, timer: Timer) -> None:
        """Forget a timer."""
        self._heap = [entry for entry in self._heap if entry[2] is not timer]
        heapq.heapify(self._heap)

    def next_deadline(self) -> int | None:
        """When the first one is due."""
        return self._heap[0][0] if self._heap else None

    def expire(self) -> None:
        """Fire all that are due."""
        while self._heap and self._heap[0][0] <= self.now():
            timer = heapq.heappop(self._heap)[2]
            timer.fire()


class Timer:
    """Calls `action` at a deadline, and again every `interval_ns` if that is not 0."""

    def __init__(self, queue: TimerQueue, action: Callable[[], object]) -> None:
        self.queue = queue
        self.action = action
        self.deadline_ns = 0  # 0: not armed
        self.interval_ns = 0
        self.overrun = 0  # whole intervals that passed unseen before the last expiry

    def set(self, deadline_ns: int, interval_ns: int = 0) -> None:
        """Arm for a moment of the queue's clock; 0 disarms."""
        if self.deadline_ns:
            self.queue.remove(self)
        self.deadline_ns = deadline_ns
        self.interval_ns = interval_ns
        if deadline_ns:
            self.queue.add(self)

    def remaining_ns(self) -> int:
        """Until the next expiry: 0 when not armed, at least 1 otherwise."""
        return max(1, self.deadline_ns - self.queue.now()) if self.deadline_ns else 0

    def fire(self) -> None:
        """Expire: arm again for the first moment still to come, and act (hrtimer_forward)."""
        self.overrun = 0
        if self.interval_ns:
            self.overrun = max(0, self.queue.now() - self.deadline_ns) // self.interval_ns
            self.deadline_ns += (self.overrun + 1) * self.interval_ns
            self.queue.add(self)
        else:
            self.deadline_ns = 0
        self.action()


class Timers:
    """All armed timers. False when there are none."""

    def __init__(self, clock: Clock, notice: Callable[[], object]) -> None:
        self.real = TimerQueue(clock.monotonic, notice)
        self.cpu: dict[TimerQueue, None] = {}  # clocks of processor time that have armed timers
        self._notice = notice

    def __bool__(self) -> bool:
        return bool(self.real) or bool(self.cpu)

    def armed(self, clock: TimerQueue) -> None:
        """A timer of this clock of processor time has been armed."""
        self.cpu[clock] = None
        self._notice()

    def expire(self) -> None:
        """Fire all that are due."""
        if self.real:
            self.real.expire()
        for clock in list(self.cpu):
            clock.expire()
            if not clock:
                self.cpu.pop(clock, None)


#: setitimer(2): what each timer counts, if not real time, and what it sends.
ITIMER_CLOCKS = {ITIMER_VIRTUAL: CPUCLOCK_VIRT, ITIMER_PROF: CPUCLOCK_PROF}
ITIMER_SIGNALS = {ITIMER_REAL: SIGALRM, ITIMER_VIRTUAL: SIGVTALRM, ITIMER_PROF: SIGPROF}


def interval_timer(group: ThreadGroup, which: int) -> Timer:
    """A process's ITIMER_* timer (setitimer(2)), made when first asked for."""
    from syscalls.kernel.signals import SigInfo, send
    from syscalls.kernel.usage import clock_of_group

    timer = group.itimers.get(which)
    if timer is None:
        kernel = group.kernel

        def expire() -> None:
            if group.tasks:
                send(group.tasks[0], SigInfo(ITIMER_SIGNALS[which], SI_KERNEL), whole_group=True)

        queue = kernel.timers.real if which == ITIMER_REAL else clock_of_group(group, ITIMER_CLOCKS[which])
        timer = group.itimers[which] = Timer(queue, expire)
    return timer


def disarm_all(group: ThreadGroup) -> None:
    """A process has ended: its timers too."""
    from syscalls.kernel import posixtimer

    posixtimer.delete_all(group)
    for timer in group.itimers.values():
        timer.set(0)
    if group.account.limit is not None:
        group.account.limit.set(0)
