"""Who runs next: one FIFO queue of ready tasks, the deadlines of the sleeping ones, and the host's streams.

The host waits in one place, `pick`, when nobody is ready.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from syscalls.kernel.signals import has_pending, is_killed
from syscalls.kernel.wait import Wait, Woken

if TYPE_CHECKING:
    from collections.abc import Callable

    from syscalls.kernel.ports import Clock, HostDevice, HostStream
    from syscalls.kernel.task import Task
    from syscalls.kernel.timers import Timers


#: How many turns may pass before the scheduler looks at the clock and the host's streams, if no time slice ends before.
TURNS_PER_TICK = 64
#: Of so many turns that end because time is up, so many may be high priorities' (kernel.sched_rt_runtime_us).
THROTTLE_TURNS, REALTIME_TURNS = 1000, 950
#: Deadlines of waits that ended otherwise are kept until there are so many of them.
STALE_DEADLINES = 256


def priority(task: Task) -> int:
    """1 to 99 for SCHED_FIFO and SCHED_RR, 0 for all others."""
    return task.scheduler[1]


class Scheduler:
    """The run queue and the timer queue."""

    def __init__(self, clock: Clock, timers: Timers) -> None:
        self.clock = clock
        self.timers = timers
        self.queue: deque[Task] = deque()
        self._deadlines: list[tuple[int, int, Wait]] = []
        self._order = 0  # keeps waits with equal deadlines in order of arrival
        self._waits: dict[Wait, Task] = {}
        self._outside: dict[Wait, None] = {}  # those that time or the host may end, whatever the guest does
        self._hosted: dict[Wait, None] = {}  # of these, those that the host may end
        self._turns = 0
        self.device: HostDevice | None = None  # that may want something at any time: the terminal outside
        self.choose: Callable[[int], int] | None = None  # which of so many ready tasks is next; None: the first
        self.sliced = False  # does the turn that runs now end by itself?
        self.goes_on = False  # shall the next turn be its own, because it has only woken somebody?
        self.yielded = False  # does it end because others shall run first?
        self.running: Task | None = None  # whose turn it is
        self.hogged = 0  # turns that ended only because time was up
        self.has_priorities = False  # has anybody ever asked for SCHED_FIFO or SCHED_RR?

    def ready(self, task: Task) -> None:
        """Put a task at the end of the run queue; one of higher priority than the running one ends that one's turn."""
        self.queue.append(task)
        if self.has_priorities and self.running is not None and priority(task) > priority(self.running):
            self.end_turn()

    def ready_first(self, task: Task) -> None:
        """Let a task that has woken others have a turn that ends by itself, before they have theirs."""
        self.queue.appendleft(task)

    def remove(self, task: Task) -> None:
        """A task has ended: forget it."""
        if task in self.queue:
            self.queue.remove(task)
        if task.sleeping is not None:
            self._unfile(task.sleeping.wait)

    @property
    def contended(self) -> bool:
        """May anybody but the running task want the processor before that one gives it up: must its turn end?"""
        return bool(self.queue or self._outside or self.timers or self.device)

    def reprioritize(self) -> None:
        """Priorities have changed: whose turn is it now?"""
        self.has_priorities = True
        self.end_turn()

    def end_turn(self) -> None:
        """Let the ready tasks run before the running one goes on (sched_yield(2))."""
        self.sliced = False
        self.yielded = True

    def sleep(self, task: Task) -> None:
        """File the wait of a task whose call sleeps (`task.sleeping`)."""
        assert task.sleeping is not None
        task.usage.voluntary += 1
        wait = task.sleeping.wait
        self._waits[wait] = task
        wait.wake_up = self._woken
        for queue in wait.queues:
            queue.waits[wait] = None
            if queue.stream is not None and (queue.stream.live or queue.stream.ready(writing=queue.writing)):
                self._outside[wait] = self._hosted[wait] = None
        if wait.deadline_ns is not None:
            self._outside[wait] = None
            self._order += 1
            heapq.heappush(self._deadlines, (wait.deadline_ns, self._order, wait))
            if len(self._deadlines) > STALE_DEADLINES + 2 * len(self._outside):
                self._deadlines = [entry for entry in self._deadlines if entry[2] in self._waits]
                heapq.heapify(self._deadlines)
        if has_pending(task):  # it came while the call prepared to sleep, or with the mask that the call has set
            self.interrupt(task)

    def interrupt(self, task: Task) -> None:
        """A signal for a sleeping task: let its call end with Interrupted."""
        if task.sleeping is None or (task.sleeping.wait.killable and not is_killed(task)):
            return
        if self._unfile(task.sleeping.wait) is not None:
            self.ready(task)

    def _woken(self, wait: Wait) -> None:
        task = self._unfile(wait)
        if task is not None:
            self.ready(task)

    def _unfile(self, wait: Wait) -> Task | None:
        """The wait is over; whose it was."""
        if self._outside:
            self._outside.pop(wait, None)
            self._hosted.pop(wait, None)
        return self._waits.pop(wait, None)

    def pick(self) -> Task | None:
        """The next task to run, waiting for it as long as it takes; None: nobody can ever run again."""
        self._turns -= 1
        if self._turns < 0 and (self._outside or self.timers or self.device):
            self.tick()
        while not self.queue:
            self.tick()
            if self.queue:
                break
            streams: list[tuple[HostStream, bool]] = list(
                {
                    (queue.stream, queue.writing): None
                    for wait in self._hosted
                    for queue in wait.queues
                    if queue.stream is not None
                }
            )
            deadlines = [self._deadlines[0][0]] if self._deadlines else []
            if self._waits and (timer := self.timers.real.next_deadline()) is not None:
                deadlines.append(timer)
            if self.device is not None:
                streams += self.device.streams()
            if not deadlines and not streams:
                return None
            self.clock.sleep_until(min(deadlines, default=None), streams)
            self._poll_streams()
        if self.choose is not None and len(self.queue) > 1:
            self.queue.rotate(-self.choose(len(self.queue)))
        if self.has_priorities:
            self._prefer()
        self.running = self.queue.popleft()
        return self.running

    def _prefer(self) -> None:
        """Put the task of the highest priority in front; the lowest when others compute without end (sched(7))."""
        if self.hogged % THROTTLE_TURNS >= REALTIME_TURNS:
            chosen = min(self.queue, key=priority)
        else:
            chosen = max(self.queue, key=priority)
        self.queue.remove(chosen)
        self.queue.appendleft(chosen)

    def tick(self) -> None:
        """Time has passed: wake those whose deadline, timer or stream of the host is due."""
        self._turns = TURNS_PER_TICK
        self._expire()
        self.timers.expire()
        if self.device is not None:
            self.device.poll()
        if self.queue:  # otherwise the wait for the host finds the ready ones
            self._poll_streams()

    def _expire(self) -> None:
        """Wake those whose deadline has passed, and drop deadlines of waits that ended otherwise."""
        while self._deadlines:
            deadline, _, wait = self._deadlines[0]
            if wait in self._waits and deadline > self.clock.monotonic():
                break
            heapq.heappop(self._deadlines)
            if wait in self._waits:
                wait.fire(Woken.DEADLINE)

    def _poll_streams(self) -> None:
        """Wake those who wait for a stream of the host that is ready; they look for themselves."""
        for wait in list(self._hosted):
            for queue in wait.queues:
                if queue.stream is not None and queue.stream.ready(writing=queue.writing):
                    queue.wake()
