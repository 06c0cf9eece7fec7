"""Futexes: wait queues found by an address in user memory (kernel/futex/core.c, waitwake.c, requeue.c).

Locks with priority inheritance, whose waiters are in the same queues, are in futex_pi.py.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import EAGAIN, EFAULT, EINVAL, ETIMEDOUT, SysError
from syscalls.abi.futex import FUTEX_BITSET_MATCH_ANY
from syscalls.kernel.ports import READ, WRITE
from syscalls.kernel.wait import Interrupted, Wait, WaitQueue, Woken

if TYPE_CHECKING:
    from syscalls.kernel.futex_pi import PiState
    from syscalls.kernel.task import Task

NO_NODE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Timeout:
    """When to give up: an absolute time of CLOCK_MONOTONIC, or of CLOCK_REALTIME, which may be set meanwhile."""

    at_ns: int
    realtime: bool = False


class Waiter:
    """One task asleep on a futex (struct futex_q). Requeueing changes its key."""

    __slots__ = ("address", "bitset", "key", "pi", "queue", "target", "task", "woken")

    def __init__(
        self, task: Task, key: Hashable, bitset: int = FUTEX_BITSET_MATCH_ANY, queue: WaitQueue | None = None
    ) -> None:
        self.task = task
        self.key = key
        self.bitset = bitset
        self.queue = queue or WaitQueue("a futex")
        self.woken = False
        self.pi: PiState | None = None  # the lock that it waits for
        self.target: Hashable = None  # FUTEX_WAIT_REQUEUE_PI: the lock that it wants to be requeued to
        self.address = 0  # where that lock is in its own address space

    @property
    def plain(self) -> bool:
        """Does it wait for a wake-up, not for a lock?"""
        return self.pi is None and self.target is None

    def wake(self) -> None:
        """It has what it has waited for."""
        self.woken = True
        self.queue.wake()

    async def sleep(self, timeout: Timeout | None = None) -> None:
        """Until woken; ETIMEDOUT, Interrupted. Who is woken in the last moment is woken."""
        kernel = self.task.kernel
        queues = (self.queue, kernel.clock_was_set) if timeout is not None and timeout.realtime else (self.queue,)
        while not self.woken:
            deadline = None
            if timeout is not None:
                offset = kernel.realtime() - kernel.clock.monotonic() if timeout.realtime else 0
                deadline = timeout.at_ns - offset
            try:
                why = await Wait(queues, deadline)
            except Interrupted:
                if not self.woken:
                    raise
            else:
                if why is Woken.DEADLINE and not self.woken:
                    raise SysError(ETIMEDOUT)


class Futexes:
    """All waiters of a kernel by key, in order of priority and of arrival."""

    def __init__(self) -> None:
        self._waiters: dict[Hashable, list[Waiter]] = {}
        self.blocked: dict[Task, Waiter] = {}  # those that wait for a lock

    def add(self, waiter: Waiter) -> None:
        """Begin to wait."""
        queue = self._waiters.setdefault(waiter.key, [])
        place, priority = len(queue), waiter.task.scheduler[1]
        if priority:
            place = next((i for i, other in enumerate(queue) if other.task.scheduler[1] < priority), place)
        queue.insert(place, waiter)
        if waiter.pi is not None:
            self.blocked[waiter.task] = waiter

    def remove(self, waiter: Waiter) -> None:
        """Stop waiting."""
        queue = self._waiters.get(waiter.key)
        if queue is not None and waiter in queue:
            queue.remove(waiter)
            if not queue:
                del self._waiters[waiter.key]
            if waiter.pi is not None:
                self.blocked.pop(waiter.task, None)

    def first(self, key: Hashable) -> Waiter | None:
        """Who waits longest (futex_top_waiter)."""
        queue = self._waiters.get(key)
        return queue[0] if queue else None

    def waiters(self, key: Hashable) -> list[Waiter]:
        """Those of a key."""
        return list(self._waiters.get(key, ()))

    def wake(self, key: Hashable, count: int, bitset: int = FUTEX_BITSET_MATCH_ANY) -> int:
        """Wake the first waiters of a key; how many. Linux wakes one even when asked for none (futex_wake).

        EINVAL, after those before it were woken, for a waiter that waits for a lock.
        """
        woken = 0
        for waiter in self.waiters(key):
            if not waiter.plain:
                raise SysError(EINVAL)
            if waiter.bitset & bitset:
                self.remove(waiter)
                waiter.wake()
                woken += 1
                if woken >= count:
                    break
        return woken

    def requeue(self, key: Hashable, target: Hashable, wake: int, move: int) -> int:
        """Wake the first waiters of a key and let the next ones wait for another one; how many (futex_requeue)."""
        done = 0
        for waiter in self.waiters(key):
            if done - wake >= move:
                break
            if not waiter.plain:
                raise SysError(EINVAL)
            done += 1
            if done <= wake:
                self.remove(waiter)
                waiter.wake()
            elif key != target:
                self.move(waiter, target)
        return done

    def move(self, waiter: Waiter, target: Hashable) -> None:
        """Let it wait for another key (requeue_futex)."""
        self.remove(waiter)
        waiter.key = target
        self.add(waiter)


def key_of(task: Task, address: int, access: int = READ, *, private: bool = True) -> Hashable:
    """What identifies a futex: a place in an address space, or in an object that is mapped (get_futex_key).

    A private and a shared key of one place differ. EINVAL, EFAULT.
    """
    if address % 4:
        raise SysError(EINVAL)
    if not 0 <= address <= task.arch.task_size - 4:
        raise SysError(EFAULT)
    mm = task.mm
    if private:
        return mm, address
    readable_only = not mm.views(address, 4, WRITE)
    if readable_only and (access == WRITE or not mm.views(address, 4, READ)):
        raise SysError(EFAULT)
    area = mm.vmas.find(address)
    assert area is not None
    if area.backing is not None and (area.shared or readable_only):
        return area.backing.key, area.index(address >> PAGE_SHIFT), address % PAGE_SIZE
    if readable_only:  # it would never change
        raise SysError(EFAULT)
    return mm, address & PAGE_MASK, address % PAGE_SIZE, "shared"


def check_node(task: Task, address: int) -> None:
    """A futex with FUTEX2_NUMA has a memory node behind it: ours has number 0; EINVAL, EFAULT (get_futex_key)."""
    node = load(task, address + 4)
    if node == NO_NODE:
        store(task, address + 4, 0)
    elif node:
        raise SysError(EINVAL)


def load(task: Task, address: int) -> int:
    """The futex's value; EFAULT."""
    return int.from_bytes(task.mm.read(address, 4), "little")


def store(task: Task, address: int, value: int) -> None:
    """Change the futex; EFAULT."""
    task.mm.write(address, value.to_bytes(4, "little"))


async def wait(task: Task, key: Hashable, address: int, value: int, bitset: int, timeout: Timeout | None) -> int:
    """Sleep until woken, if the futex still has `value`; EAGAIN, ETIMEDOUT (futex_wait)."""
    if load(task, address) != value:
        raise SysError(EAGAIN)
    waiter = Waiter(task, key, bitset)
    futexes = task.kernel.futexes
    futexes.add(waiter)
    try:
        await waiter.sleep(timeout)
    finally:
        futexes.remove(waiter)
    return 0


async def wait_any(task: Task, wanted: Sequence[tuple[Hashable, int, int]], timeout: Timeout | None) -> int:
    """Sleep until one of several (key, address, value) is woken; its index (futex_wait_multiple)."""
    queue = WaitQueue("one of several futexes")
    waiters: list[Waiter] = []
    futexes = task.kernel.futexes
    try:
        for key, address, value in wanted:
            if load(task, address) != value:
                raise SysError(EAGAIN)
            waiters.append(Waiter(task, key, queue=queue))
            futexes.add(waiters[-1])
        anyone = _AnyOf(task, waiters, queue)
        await anyone.sleep(timeout)
        return anyone.index
    finally:
        for waiter in waiters:
            futexes.remove(waiter)


class _AnyOf(Waiter):
    """Sleeps for several waiters."""

    __slots__ = ("waiters",)

    def __init__(self, task: Task, waiters: list[Waiter], queue: WaitQueue) -> None:
        self.waiters = waiters
        super().__init__(task, None, queue=queue)

    @property
    def index(self) -> int:
        """The last one that was woken (futex_unqueue_multiple)."""
        return max((index for index, waiter in enumerate(self.waiters) if waiter.woken), default=-1)

    @property
    def woken(self) -> bool:
        return self.index >= 0

    @woken.setter
    def woken(self, value: bool) -> None:
        assert not value
