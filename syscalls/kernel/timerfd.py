"""timerfd_create(2): a timer whose expirations are read from a descriptor (fs/timerfd.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import ECANCELED, EINVAL, ENOTTY, SysError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.poll import POLLIN
from syscalls.abi.time import (
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    NSEC_PER_SEC,
    TFD_IOC_SET_TICKS,
    TFD_TIMER_ABSTIME,
    TFD_TIMER_CANCEL_ON_SET,
)
from syscalls.fs.anon import AnonFile
from syscalls.fs.file import WOULD_BLOCK, WouldBlock
from syscalls.kernel.clocktimer import ClockTimer
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.ports import Memory

SIZE = 8


class TimerFile(AnonFile):
    """Reading takes the number of expirations since the last read."""

    kind = b"[timerfd]"

    def __init__(self, kernel: Kernel, clock: int, flags: int) -> None:
        super().__init__(kernel.anonfs, O_RDWR | flags)
        self.kernel = kernel
        self.timer = ClockTimer(kernel, clock, self._expire)
        self.ticks = 0
        self.set_flags = 0  # of the last timerfd_settime(2)
        self.expired = False  # and the expirations since then are still to be counted
        self._cancellable = self._cancelled = False
        self.queue = WaitQueue("a timerfd")

    def _expire(self) -> None:
        self.timer.cancel()
        self.expired = True
        self.ticks += 1
        self.queue.wake(events=POLLIN)

    def _go_on(self) -> None:
        """Count the intervals that have passed, and start the next one."""
        if self.expired and self.timer.interval_ns:
            self.expired = False
            self.ticks += self.timer.forward() - 1
            self.timer.start()

    # --- settings -----------------------------------------------------------------------------------------------------

    def settings(self) -> tuple[int, int]:
        """Interval, and time to the next expiration, in ns (timerfd_gettime(2))."""
        self._go_on()
        return self.settings_seen()

    def settings_seen(self) -> tuple[int, int]:
        """The same, without counting intervals that have passed."""
        return self.timer.interval_ns, max(0, self.timer.remaining_ns())

    def set(self, value_ns: int, interval_ns: int, *, absolute: bool, cancel_on_set: bool) -> None:
        """Start or stop it (do_timerfd_settime); ECANCELED when nobody has read that the clock was set."""
        self.set_flags = absolute * TFD_TIMER_ABSTIME | cancel_on_set * TFD_TIMER_CANCEL_ON_SET
        by_realtime = self.timer.clock in (CLOCK_REALTIME, CLOCK_REALTIME_ALARM)
        self._watch_clock(on=by_realtime and absolute and cancel_on_set)
        self.expired = False
        self.ticks = 0
        self.timer.set(value_ns, interval_ns, absolute=absolute)
        if value_ns and self._take_cancellation():
            raise SysError(ECANCELED)

    def _watch_clock(self, *, on: bool) -> None:
        """TFD_TIMER_CANCEL_ON_SET (timerfd_setup_cancel)."""
        if on is not self._cancellable:
            self._cancellable = on
            self._cancelled = False
            change = self.kernel.clock_was_set.listeners
            (change.append if on else change.remove)(self._clock_was_set)

    def _clock_was_set(self, events: int) -> bool:
        del events
        self._cancelled = True
        self.ticks += 1
        self.queue.wake(events=POLLIN)
        return False

    def _take_cancellation(self) -> bool:
        cancelled, self._cancelled = self._cancelled, False
        return cancelled

    # --- as a file ----------------------------------------------------------------------------------------------------

    def read(self, count: int) -> bytes | WouldBlock:
        if count < SIZE:
            raise SysError(EINVAL)
        if not self.ticks:
            return WOULD_BLOCK
        if self._take_cancellation():
            self.ticks, self.expired = 0, False
            raise SysError(ECANCELED)
        self._go_on()
        ticks, self.ticks, self.expired = self.ticks, 0, False
        return ticks.to_bytes(SIZE, "little")

    def poll(self) -> int:
        return POLLIN if self.ticks else 0

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self.queue,)

    def details(self) -> bytes:
        """As timerfd_show."""
        interval, value = self.settings_seen()
        return b"clockid: %d\nticks: %d\nsettime flags: 0%o\nit_value: (%d, %d)\nit_interval: (%d, %d)\n" % (
            self.timer.clock, self.ticks, self.set_flags, *divmod(value, NSEC_PER_SEC), *divmod(interval, NSEC_PER_SEC),
        )  # fmt: skip

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """TFD_IOC_SET_TICKS: so many expirations are still to be read; EINVAL for none (timerfd_ioctl)."""
        if request != TFD_IOC_SET_TICKS:
            raise SysError(ENOTTY)
        ticks = int.from_bytes(memory.read(argument, SIZE), "little")
        if not ticks:
            raise SysError(EINVAL)
        if self._cancelled:
            raise SysError(ECANCELED)
        self.ticks = ticks
        self.queue.wake(events=POLLIN)
        return 0

    def close(self) -> None:
        self._watch_clock(on=False)
        self.timer.cancel()
