"""futex_wait(2), futex_wake(2), futex_requeue(2), futex_waitv(2): the futex calls of Linux 5.16 and 6.7.

kernel/futex/syscalls.c.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Annotated

from syscalls.abi.errno import EAGAIN, EINVAL, SysError
from syscalls.abi.futex import FUTEX_32, FUTEX_PRIVATE_FLAG, FUTEX_WAITV_MAX
from syscalls.abi.kinds import Address, ArrayKind, FlagsKind, In, Int, Pointer, UInt, ULong
from syscalls.abi.structs.process import FutexWaitv
from syscalls.abi.structs.time import Timespec64
from syscalls.abi.time import CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCKS
from syscalls.kernel import futex
from syscalls.kernel.futex import Timeout
from syscalls.kernel.task import Task
from syscalls.kernel.time import to_ns
from syscalls.spec import syscall

SIZE_MASK = 3
FUTEX2_NUMA = 4
FUTEX2_MPOL = 8
VALID = SIZE_MASK | FUTEX2_NUMA | FUTEX2_MPOL | FUTEX_PRIVATE_FLAG
RESERVED_AT, RESERVED_BYTES = 20, 4  # struct futex_waitv's last member, which must be 0

Waiters = Annotated[Pointer[FutexWaitv], ArrayKind(FutexWaitv, count="nr_futexes")]
TwoWaiters = Annotated[Pointer[FutexWaitv], ArrayKind(FutexWaitv, count=2)]
ClockId = Annotated[int, FlagsKind(CLOCKS, signed=True)]


@dataclass(frozen=True, slots=True)
class _Futex:
    """A checked element of a vector of futexes."""

    address: int
    value: int
    flags: int


@syscall()
def futex_wake(task: Task, uaddr: Address, mask: ULong, nr: Int, flags: UInt) -> int:
    """Wake waiters of a futex whose masks meet `mask` (futex_wake(2))."""
    _check(flags, mask)
    if not mask:
        raise SysError(EINVAL)
    key = _key(task, uaddr, flags)
    return task.kernel.futexes.wake(key, nr, mask) if nr else 0


@syscall()
async def futex_wait(
    task: Task, uaddr: Address, val: ULong, mask: ULong, flags: UInt, timeout: In[Timespec64], clockid: ClockId
) -> int:
    """Wait for a wake-up of a futex that still has the value `val` (futex_wait(2))."""
    _check(flags, val, mask)
    until = _until(timeout, clockid)
    if not mask:
        raise SysError(EINVAL)
    return await futex.wait(task, _key(task, uaddr, flags), uaddr, val, mask, until)


@syscall()
def futex_requeue(task: Task, waiters: TwoWaiters, flags: UInt, nr_wake: Int, nr_requeue: Int) -> int:
    """Wake waiters of the first futex, and let others wait for the second one (futex_requeue(2))."""
    if flags or not waiters:
        raise SysError(EINVAL)
    first, second = _parse(waiters, 2)
    if first.flags != second.flags or nr_wake < 0 or nr_requeue < 0:
        raise SysError(EINVAL)
    key, target = _key(task, first.address, first.flags), _key(task, second.address, second.flags)
    if futex.load(task, first.address) != first.value:
        raise SysError(EAGAIN)
    return task.kernel.futexes.requeue(key, target, nr_wake, nr_requeue)


@syscall()
async def futex_waitv(
    task: Task, waiters: Waiters, nr_futexes: UInt, flags: UInt, timeout: In[Timespec64], clockid: ClockId
) -> int:
    """Wait for a wake-up of any of several futexes; which one it was (futex_waitv(2))."""
    if flags or not 0 < nr_futexes <= FUTEX_WAITV_MAX or not waiters:
        raise SysError(EINVAL)
    until = _until(timeout, clockid)
    wanted = [(_key(task, each.address, each.flags), each.address, each.value) for each in _parse(waiters, nr_futexes)]
    return await futex.wait_any(task, wanted, until)


def _check(flags: int, *values: int) -> None:
    """EINVAL for flags that are none, for another size than 32 bits, and values that are larger."""
    if flags & ~VALID or flags & SIZE_MASK != FUTEX_32 or any(value >> 32 for value in values):
        raise SysError(EINVAL)


def _key(task: Task, address: int, flags: int) -> Hashable:
    if flags & FUTEX2_NUMA and address % 8:
        raise SysError(EINVAL)
    key = futex.key_of(task, address, private=bool(flags & FUTEX_PRIVATE_FLAG))
    if flags & FUTEX2_NUMA:
        futex.check_node(task, address)
    return key


def _until(timeout: Pointer[Timespec64], clockid: int) -> Timeout | None:
    """The absolute timeout; EINVAL, EFAULT (futex2_setup_timeout)."""
    if not timeout:
        return None
    if clockid not in (CLOCK_REALTIME, CLOCK_MONOTONIC):
        raise SysError(EINVAL)
    given = timeout.get()
    return Timeout(to_ns(given.tv_sec, given.tv_nsec), clockid == CLOCK_REALTIME)


def _parse(waiters: Pointer[FutexWaitv], count: int) -> list[_Futex]:
    """futex_parse_waitv."""
    parsed = []
    for index in range(count):
        pointer = waiters.at(index)
        given = pointer.get()
        if any(pointer.memory.read(pointer.address + RESERVED_AT, RESERVED_BYTES)):
            raise SysError(EINVAL)
        _check(given.flags, given.val)
        parsed.append(_Futex(given.uaddr, given.val, given.flags))
    return parsed
