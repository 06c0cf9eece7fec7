"""POSIX timers: a process's timers that send signals (kernel/time/posix-timers.c).

A timer with an interval starts again only when its signal has been taken: what has passed until then is its overrun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.signal import SI_TIMER, SIGEV_NONE, SIGEV_THREAD_ID
from syscalls.kernel import signals, time
from syscalls.kernel.clocktimer import ClockTimer

if TYPE_CHECKING:
    from syscalls.kernel.signals import SigInfo
    from syscalls.kernel.task import Task, ThreadGroup
    from syscalls.kernel.timers import TimerQueue

INT_MAX = 0x7FFFFFFF


class PosixTimer:
    """What timer_create(2) makes."""

    def __init__(
        self,
        group: ThreadGroup,
        id: int,
        clock: int,
        notify: int,
        signo: int,
        value: int,
        thread: Task | None,
        processor: TimerQueue | None = None,
    ) -> None:
        """`notify`: SIGEV_*; `value` comes with the signal; `thread`: who gets it, None: the process.

        `processor`: the clock when it counts processor time.
        """
        self.group = group
        self.id = id
        self.notify = notify
        self.signo = signo
        self.value = value
        self.thread = thread
        self.timer = ClockTimer(group.kernel, clock, self._expire, processor)
        self.overrun = 0  # of the signal that was taken last (timer_getoverrun(2))
        self._queued: SigInfo | None = None  # the signal that has not been taken yet

    def set(self, value_ns: int, interval_ns: int, *, absolute: bool) -> None:
        """Start or stop it; a signal that was not taken yet is taken back (common_timer_set)."""
        self._take_back()
        self.overrun = 0
        self.timer.set(value_ns, interval_ns, absolute=absolute)

    def settings(self) -> tuple[int, int]:
        """Interval, and time to the next expiration, in ns: 1 when it is just due (common_timer_get)."""
        timer = self.timer
        silent = self.notify == SIGEV_NONE
        if not timer.interval_ns and not timer.armed and not silent:
            return 0, 0
        if timer.expires_ns is None:
            return timer.interval_ns, 0
        left = timer.remaining_ns()
        if left <= 0 and timer.interval_ns and (silent or self._queued is not None):
            left = timer.interval_ns - -left % timer.interval_ns
        return timer.interval_ns, max(left, 0 if silent else 1)

    def delete(self) -> None:
        """Stop it for good."""
        self.timer.cancel()
        self._take_back()

    def taken(self, info: SigInfo) -> None:
        """The signal reaches the program: tell how late it is, and start again (posixtimer_rearm)."""
        self._queued = None
        if self.timer.interval_ns:
            self.overrun = info.overrun = min(self.timer.forward() - 1, INT_MAX)
            self.timer.start()

    def _expire(self) -> None:
        self.timer.cancel()
        if self.notify == SIGEV_NONE or not self.group.tasks:
            return
        info = signals.SigInfo(self.signo, SI_TIMER, timer_id=self.id, value=self.value, timer=self)
        if self.notify & SIGEV_THREAD_ID:
            if self.thread is not None and self.thread.alive:
                signals.send(self.thread, info)
        else:
            signals.send(self.group.tasks[0], info, whole_group=True)
        if any(info is queued for state in self._states() for queued in state.pending.get(self.signo, ())):
            self._queued = info
        elif self.timer.interval_ns:  # ignored: go on, though not faster than a tick (posix_timer_fn)
            self.timer.forward()
            assert self.timer.expires_ns is not None
            self.timer.expires_ns = max(self.timer.expires_ns, self.timer.now() + time.TICK_NS)
            self.timer.start()

    def _states(self) -> list[signals.SignalState]:
        """Where its signal may be."""
        return [self.group.signals, *([self.thread.signals] if self.thread is not None else [])]

    def _take_back(self) -> None:
        if self._queued is None:
            return
        for state in self._states():
            queue = state.pending.get(self.signo, [])
            queue[:] = [info for info in queue if info is not self._queued]
            if not queue:
                state.pending.pop(self.signo, None)
        self._queued = None


def delete_all(group: ThreadGroup) -> None:
    """The process ends or executes another program (exit_itimers)."""
    for timer in group.posix_timers.values():
        timer.delete()
    group.posix_timers.clear()
