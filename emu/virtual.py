"""A run that is the same every time: time that passes only when the guest does something, seeded chance.

The clock advances by a fixed step with each system call and each time slice, and jumps to the next deadline when
everybody sleeps. The seed decides what random numbers the guest gets, and in which order its tasks take turns.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from emu.host import HostClock

if TYPE_CHECKING:
    from emu.engine.base import Args, OnSyscall
    from syscalls.abi.arch import Arch
    from syscalls.kernel.ports import HostStream

EPOCH_NS = 1_700_000_000 * 10**9  # when every run begins: 2023-11-14 22:13:20 UTC
BOOTED_NS = 3600 * 10**9  # on the monotonic clock
CALL_NS = 1_000  # what a system call takes
LOOK_NS = 20  # what a look at the processor's counter takes
BLOCK_NS = 5  # what a basic block takes
SHORTEST_SLICE, LONGEST_SLICE = 200, 20_000  # basic blocks


class VirtualClock:
    """`ports.Clock` that knows no time but the guest's own."""

    def __init__(self) -> None:
        self._busy = 0  # ns of work
        self._slept = 0  # ns that nobody had anything to do

    def realtime(self) -> int:
        """CLOCK_REALTIME."""
        return EPOCH_NS + self._busy + self._slept

    def monotonic(self) -> int:
        """CLOCK_MONOTONIC."""
        return BOOTED_NS + self._busy + self._slept

    def cputime(self) -> int:
        """The time of all calls and slices."""
        return self._busy

    def counter(self) -> int:
        """The processor's counter: it goes on while it is looked at, so that loops that wait for it end."""
        self._busy += LOOK_NS
        return self.monotonic()

    def spend(self, nanoseconds: int) -> None:
        """Something was done."""
        self._busy += nanoseconds

    def sleep_until(self, deadline: int | None, streams: list[tuple[HostStream, bool]]) -> None:
        """Jump. Only what comes from outside, with no deadline, is really waited for."""
        if any(stream.ready(writing=writing) for stream, writing in streams):
            return
        if deadline is None:
            HostClock().sleep_until(None, streams)
        else:
            self._slept += max(0, deadline - self.monotonic())

    def ticking(self, on_syscall: OnSyscall) -> OnSyscall:
        """The same way from trap to answer; each call takes its time."""

        def counted(arch: Arch, number: int, args: Args) -> int | None:
            self._busy += CALL_NS
            return on_syscall(arch, number, args)

        return counted


class SeededRandom:
    """`ports.Random`: the same bytes for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"bytes {seed}")  # noqa: S311  # not for secrets: the guest is told so

    def random_bytes(self, count: int) -> bytes:
        """The next ones."""
        return self._random.randbytes(count)


class SeededTurns:
    """Who runs next, and for how long: other seeds show other interleavings of the same program."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"turns {seed}")  # noqa: S311  # not for secrets

    def choose(self, count: int) -> int:
        """One of `count` ready tasks."""
        return self._random.randrange(count)

    def slice_blocks(self) -> int:
        """The length of the next slice."""
        return self._random.randint(SHORTEST_SLICE, LONGEST_SLICE)
