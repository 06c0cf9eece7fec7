"""A timer by any clock, as timerfds and POSIX timers have them: it expires once, and is forwarded when that is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from syscalls.kernel import time
from syscalls.kernel.timers import Timer, TimerQueue

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel


class ClockTimer:
    """Calls `action` when its clock shows a time. A relative time passes even when the clock is set (hrtimer)."""

    def __init__(
        self, kernel: Kernel, clock: int, action: Callable[[], object], processor: TimerQueue | None = None
    ) -> None:
        """`processor`: the clock itself when it counts processor time."""
        self.kernel = kernel
        self.clock = clock
        self.interval_ns = 0
        self.expires_ns: int | None = None  # None: not set; it stays when the timer has expired
        self._timer = Timer(kernel.timers.real if processor is None else processor, action)
        self._by_realtime = False

    def now(self) -> int:
        """What `expires_ns` counts in."""
        if self._by_realtime:
            return self.kernel.realtime()
        return self._timer.queue.now()

    def set(self, value_ns: int, interval_ns: int, *, absolute: bool) -> None:
        """Start it; with a value of 0 only stop it."""
        self.cancel()
        self.interval_ns = interval_ns
        self._by_realtime = absolute and self.clock in time.REALTIME_CLOCKS
        self.expires_ns = None
        if value_ns:
            self.expires_ns = value_ns if absolute else min(self.now() + value_ns, time.MAX_NS)
            self.start()

    def start(self) -> None:
        """Let it expire at `expires_ns`: at once, when that is over."""
        assert self.expires_ns is not None
        queue = self._timer.queue
        if self._by_realtime and not self.armed:
            self.kernel.clock_was_set.listeners.append(self._clock_was_set)
        self._timer.set(max(1, queue.now() + self.expires_ns - self.now()))
        queue.expire()

    def cancel(self) -> None:
        """Stop it; `expires_ns` stays."""
        self._timer.set(0)
        listeners = self.kernel.clock_was_set.listeners
        if self._by_realtime and self._clock_was_set in listeners:
            listeners.remove(self._clock_was_set)

    def _clock_was_set(self, events: int) -> bool:
        del events
        self.cancel()
        if self.expires_ns is not None and self.expires_ns > 0:
            self.start()
        return False

    @property
    def armed(self) -> bool:
        """Will it expire?"""
        return self._timer.deadline_ns != 0

    def remaining_ns(self) -> int:
        """Until `expires_ns`, negative when that is over."""
        return self.expires_ns - self.now() if self.expires_ns is not None else 0

    def forward(self) -> int:
        """Move `expires_ns` into the future by whole intervals; how many (hrtimer_forward_now)."""
        late = -self.remaining_ns()
        if late < 0 or self.expires_ns is None:
            return 0
        count = late // self.interval_ns + 1
        self.expires_ns += count * self.interval_ns
        return count
