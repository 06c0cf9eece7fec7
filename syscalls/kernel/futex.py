"""Futexes: wait queues found by an address in user memory (kernel/futex/core.c, waitwake.c, requeue.c)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import EAGAIN, EFAULT, EINVAL, ENOSYS, ETIMEDOUT, SysError
from syscalls.abi.futex import (
    FUTEX_OP_ADD,
    FUTEX_OP_ANDN,
    FUTEX_OP_CMP_EQ,
    FUTEX_OP_CMP_GE,
    FUTEX_OP_CMP_GT,
    FUTEX_OP_CMP_LE,
    FUTEX_OP_CMP_LT,
    FUTEX_OP_CMP_NE,
    FUTEX_OP_OPARG_SHIFT,
    FUTEX_OP_OR,
    FUTEX_OP_SET,
    FUTEX_OP_XOR,
)
from syscalls.kernel.ports import READ, WRITE
from syscalls.kernel.wait import Wait, WaitQueue, Woken

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

U32_MASK = 0xFFFFFFFF
MATCH_ANY = U32_MASK


class Waiter:
    """One task asleep on a futex. Requeueing changes its key."""

    __slots__ = ("bitset", "key", "queue", "woken")

    def __init__(self, key: Hashable, bitset: int) -> None:
        self.key = key
        self.bitset = bitset
        self.queue = WaitQueue("a futex")
        self.woken = False


class Futexes:
    """All waiters of a kernel by key, in order of arrival."""

    def __init__(self) -> None:
        self._waiters: dict[Hashable, list[Waiter]] = {}

    def add(self, waiter: Waiter) -> None:
        """Begin to wait."""
        self._waiters.setdefault(waiter.key, []).append(waiter)

    def remove(self, waiter: Waiter) -> None:
        """Stop waiting."""
        queue = self._waiters.get(waiter.key, [])
        if waiter in queue:
            queue.remove(waiter)
        if not queue:
            self._waiters.pop(waiter.key, None)

    def wake(self, key: Hashable, count: int, bitset: int = MATCH_ANY) -> int:
        """Wake the first waiters of a key; how many. Linux wakes one even when asked for none."""
        chosen = [waiter for waiter in self._waiters.get(key, []) if waiter.bitset & bitset][: max(1, count)]
        for waiter in chosen:
            self.remove(waiter)
            waiter.woken = True
            waiter.queue.wake()
        return len(chosen)

    def requeue(self, key: Hashable, target: Hashable, count: int) -> int:
        """Let the first waiters of a key wait for another one; how many."""
        moved = self._waiters.get(key, [])[:count]
        for waiter in moved:
            self.remove(waiter)
            waiter.key = target
            self.add(waiter)
        return len(moved)


def key_of(task: Task, address: int, access: int = READ, *, private: bool = True) -> Hashable:
    """What identifies a futex: a place in an address space, or in memory that is shared (get_futex_key)."""
    if address % 4:
        raise SysError(EINVAL)
    if not 0 <= address < task.arch.task_size:
        raise SysError(EFAULT)
    if private:
        return id(task.mm), address
    views = task.mm.views(address, 4, access)
    if not views:
        raise SysError(EFAULT)
    area = task.mm.vmas.find(address)
    if area is not None and area.shared:
        return task.mm.frames[address >> PAGE_SHIFT], address % PAGE_SIZE
    return id(task.mm), address


def load(task: Task, address: int) -> int:
    """The futex's value; EFAULT."""
    return int.from_bytes(task.mm.read(address, 4), "little")


async def wait(task: Task, key: Hashable, address: int, value: int, bitset: int, deadline_ns: int | None) -> int:
    """Sleep until woken, if the futex still has `value`; EAGAIN, ETIMEDOUT (futex_wait)."""
    if load(task, address) != value:
        raise SysError(EAGAIN)
    waiter = Waiter(key, bitset)
    futexes = task.kernel.futexes
    futexes.add(waiter)
    try:
        while not waiter.woken:
            if await Wait((waiter.queue,), deadline_ns) is Woken.DEADLINE and not waiter.woken:
                raise SysError(ETIMEDOUT)
    finally:
        futexes.remove(waiter)
    return 0


def modify(task: Task, address: int, operation: int) -> bool:
    """FUTEX_WAKE_OP's read, modify, write; the result of its comparison with the old value (futex_atomic_op_inuser)."""
    op, cmp = operation >> 28 & 7, operation >> 24 & 15
    argument, comparand = _signed12(operation >> 12), _signed12(operation)
    if operation >> 28 & FUTEX_OP_OPARG_SHIFT:
        argument = 1 << (argument & 31)
    if not task.mm.views(address, 4, WRITE):
        raise SysError(EFAULT)
    old = load(task, address)
    results = {
        FUTEX_OP_SET: argument,
        FUTEX_OP_ADD: old + argument,
        FUTEX_OP_OR: old | argument,
        FUTEX_OP_ANDN: old & ~argument,
        FUTEX_OP_XOR: old ^ argument,
    }
    if op not in results:
        raise SysError(ENOSYS)
    task.mm.write(address, (results[op] & U32_MASK).to_bytes(4, "little"))
    signed = (old ^ 1 << 31) - (1 << 31)
    comparisons = {
        FUTEX_OP_CMP_EQ: signed == comparand,
        FUTEX_OP_CMP_NE: signed != comparand,
        FUTEX_OP_CMP_LT: signed < comparand,
        FUTEX_OP_CMP_LE: signed <= comparand,
        FUTEX_OP_CMP_GT: signed > comparand,
        FUTEX_OP_CMP_GE: signed >= comparand,
    }
    if cmp not in comparisons:
        raise SysError(ENOSYS)
    return comparisons[cmp]


def _signed12(value: int) -> int:
    return ((value & 0xFFF) ^ 0x800) - 0x800
