"""futex(2) (kernel/futex/syscalls.c). The wait queues are in kernel/futex.py, locks in kernel/futex_pi.py."""

from __future__ import annotations

from typing import Annotated, Any

from syscalls.abi.arch import Arch
from syscalls.abi.errno import EAGAIN, EINVAL, ENOSYS, EPERM, SysError
from syscalls.abi.futex import (
    FUTEX_BITSET_MATCH_ANY,
    FUTEX_CLOCK_REALTIME,
    FUTEX_CMD_MASK,
    FUTEX_CMP_REQUEUE,
    FUTEX_CMP_REQUEUE_PI,
    FUTEX_LOCK_PI,
    FUTEX_LOCK_PI2,
    FUTEX_OPERATION,
    FUTEX_PRIVATE_FLAG,
    FUTEX_REQUEUE,
    FUTEX_TID_MASK,
    FUTEX_TRYLOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_WAIT,
    FUTEX_WAIT_BITSET,
    FUTEX_WAIT_REQUEUE_PI,
    FUTEX_WAKE,
    FUTEX_WAKE_BITSET,
    FUTEX_WAKE_OP,
)
from syscalls.abi.kinds import AddressKind, FlagsKind, IntKind, Kind, Pointer, PointerKind, SwitchKind, UInt, ULongKind
from syscalls.abi.structs.time import Timespec, Timespec64
from syscalls.kernel import futex as futexes
from syscalls.kernel import futex_pi
from syscalls.kernel.futex import Timeout as Until
from syscalls.kernel.futex import Waiter
from syscalls.kernel.futex_op import modify
from syscalls.kernel.ports import READ, WRITE
from syscalls.kernel.task import Task
from syscalls.kernel.time import to_ns
from syscalls.kernel.wait import Interrupted
from syscalls.spec import Restart, syscall

_TIMED = (FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI)
_TWO = (FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_CMP_REQUEUE_PI)
_BITSET = (FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET)


def _cases(kind: Kind, *commands: int) -> dict[int, Kind | None]:
    """The commands with and without their two flags."""
    flags = (0, FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME, FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
    return {command | flag: kind for command in commands for flag in flags}


class TimeoutKind(SwitchKind):
    """A struct timespec for the commands that wait, and a second number for those about two futexes."""

    def __init__(self, item: Any) -> None:
        self.pointer = PointerKind(item, out=False)
        super().__init__("futex_op", _cases(self.pointer, *_TIMED) | _cases(ULongKind(), *_TWO))

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        return self.pointer.decode(arch, registers, names)


Futex = Annotated[int, AddressKind()]
Operation = Annotated[int, FlagsKind(FUTEX_OPERATION)]
Timeout = Annotated[Pointer[Timespec], TimeoutKind(Timespec)]
Timeout64 = Annotated[Pointer[Timespec64], TimeoutKind(Timespec64)]
Futex2 = Annotated[int, SwitchKind("futex_op", _cases(AddressKind(), *_TWO, FUTEX_WAIT_REQUEUE_PI))]
Val3 = Annotated[
    int,
    SwitchKind(
        "futex_op", _cases(IntKind(signed=False), FUTEX_CMP_REQUEUE, FUTEX_CMP_REQUEUE_PI, FUTEX_WAKE_OP, *_BITSET)
    ),
]


@syscall()
async def futex(
    task: Task, uaddr: Futex, futex_op: Operation, val: UInt, timeout: Timeout, uaddr2: Futex2, val3: Val3
) -> int:
    """Wait for a change of a number in memory, or wake those who wait (futex(2))."""
    return await _futex(task, uaddr, futex_op, val, timeout, uaddr2, val3 & 0xFFFFFFFF)


@syscall()
async def futex_time64(
    task: Task, uaddr: Futex, futex_op: Operation, val: UInt, timeout: Timeout64, uaddr2: Futex2, val3: Val3
) -> int:
    """The same with 64-bit seconds (futex(2))."""
    return await _futex(task, uaddr, futex_op, val, timeout, uaddr2, val3 & 0xFFFFFFFF)


async def _futex(task: Task, uaddr: int, op: int, val: int, timeout: Pointer[Any], uaddr2: int, val3: int) -> int:
    """do_futex."""
    command = op & FUTEX_CMD_MASK
    realtime = bool(op & FUTEX_CLOCK_REALTIME)
    until = _until(task, command, timeout, realtime=realtime) if timeout and command in _TIMED else None
    if realtime and command not in (FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI, FUTEX_LOCK_PI2):
        raise SysError(ENOSYS)
    private = bool(op & FUTEX_PRIVATE_FLAG)
    if command in (FUTEX_WAIT, FUTEX_WAIT_BITSET):
        bitset = val3 if command == FUTEX_WAIT_BITSET else FUTEX_BITSET_MATCH_ANY
        return await _wait(task, uaddr, val, bitset, until, private=private)
    if command in (FUTEX_WAKE, FUTEX_WAKE_BITSET):
        bitset = val3 if command == FUTEX_WAKE_BITSET else FUTEX_BITSET_MATCH_ANY
        if not bitset:
            raise SysError(EINVAL)
        return task.kernel.futexes.wake(futexes.key_of(task, uaddr, private=private), _signed(val), bitset)
    if command == FUTEX_WAKE_OP:
        return _wake_op(task, (uaddr, uaddr2), (_signed(val), _signed(timeout.address)), val3, private=private)
    if command in _TWO:
        expected = None if command == FUTEX_REQUEUE else val3
        counts = (_signed(val), _signed(timeout.address))
        return _requeue(task, command, (uaddr, uaddr2), counts, expected, private=private)
    if command == FUTEX_WAIT_REQUEUE_PI:
        return await _wait_requeue(task, uaddr, val, until, uaddr2, private=private)
    if command == FUTEX_UNLOCK_PI:
        return _unlock(task, uaddr, private=private)
    if command in (FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI):
        key = futexes.key_of(task, uaddr, WRITE, private=private)
        return await futex_pi.lock(task, key, uaddr, until, trying=command == FUTEX_TRYLOCK_PI)
    raise SysError(ENOSYS)


def _signed(value: int) -> int:
    return ((value & 0xFFFFFFFF) ^ 1 << 31) - (1 << 31)


def _until(task: Task, command: int, timeout: Pointer[Any], *, realtime: bool) -> Until:
    """Only FUTEX_WAIT's timeout is relative. FUTEX_LOCK_PI's is by the realtime clock whatever the flags say."""
    given = timeout.get()
    nanoseconds = to_ns(given.tv_sec, given.tv_nsec)
    if command == FUTEX_WAIT:
        return Until(task.kernel.clock.monotonic() + nanoseconds)
    return Until(nanoseconds, realtime or command == FUTEX_LOCK_PI)


async def _wait(task: Task, uaddr: int, val: int, bitset: int, until: Until | None, *, private: bool) -> int:
    """futex_wait."""
    if not bitset:
        raise SysError(EINVAL)
    key = futexes.key_of(task, uaddr, private=private)
    try:
        return await futexes.wait(task, key, uaddr, val, bitset, until)
    except Interrupted:
        if until is None:
            raise
        task.restart_block = lambda: _wait(task, uaddr, val, bitset, until, private=private)
        raise Interrupted(Restart.BLOCK) from None


def _wake_op(task: Task, addresses: tuple[int, int], counts: tuple[int, int], operation: int, *, private: bool) -> int:
    """FUTEX_WAKE_OP (futex_wake_op)."""
    table = task.kernel.futexes
    first = futexes.key_of(task, addresses[0], private=private)
    second = futexes.key_of(task, addresses[1], WRITE, private=private)
    also = modify(task, addresses[1], operation)
    return table.wake(first, counts[0]) + (table.wake(second, counts[1]) if also else 0)


def _requeue(
    task: Task,
    command: int,
    addresses: tuple[int, int],
    counts: tuple[int, int],
    expected: int | None,
    *,
    private: bool,
) -> int:
    """FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_CMP_REQUEUE_PI (futex_requeue)."""
    wake, move = counts
    pi = command == FUTEX_CMP_REQUEUE_PI
    if wake < 0 or move < 0 or (pi and (addresses[0] == addresses[1] or wake != 1)):
        raise SysError(EINVAL)
    first = futexes.key_of(task, addresses[0], private=private)
    second = futexes.key_of(task, addresses[1], WRITE if pi else READ, private=private)
    if pi and first == second:
        raise SysError(EINVAL)
    if expected is not None and futexes.load(task, addresses[0]) != expected:
        raise SysError(EAGAIN)
    if pi:
        return futex_pi.requeue(task, first, second, addresses[1], move)
    return task.kernel.futexes.requeue(first, second, wake, move)


async def _wait_requeue(task: Task, uaddr: int, val: int, until: Until | None, uaddr2: int, *, private: bool) -> int:
    """FUTEX_WAIT_REQUEUE_PI: its third value, a bitset, is not looked at (futex_wait_requeue_pi)."""
    if uaddr == uaddr2:
        raise SysError(EINVAL)
    target = futexes.key_of(task, uaddr2, WRITE, private=private)
    waiter = Waiter(task, futexes.key_of(task, uaddr, private=private))
    waiter.target, waiter.address = target, uaddr2
    return await futex_pi.wait_requeue(task, waiter, uaddr, val, until)


def _unlock(task: Task, uaddr: int, *, private: bool) -> int:
    """FUTEX_UNLOCK_PI: who is not the owner hears so before anything else (futex_unlock_pi)."""
    if futexes.load(task, uaddr) & FUTEX_TID_MASK != task.tid:
        raise SysError(EPERM)
    return futex_pi.unlock(task, futexes.key_of(task, uaddr, WRITE, private=private), uaddr)
