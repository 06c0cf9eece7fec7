"""futex(2) (kernel/futex/syscalls.c). The wait queues are in kernel/futex.py."""

from __future__ import annotations

from typing import Annotated, Any

from syscalls.abi.arch import Arch
from syscalls.abi.errno import EAGAIN, EINVAL, ENOSYS, SysError
from syscalls.abi.futex import (
    FUTEX_CLOCK_REALTIME,
    FUTEX_CMD_MASK,
    FUTEX_CMP_REQUEUE,
    FUTEX_LOCK_PI,
    FUTEX_LOCK_PI2,
    FUTEX_OPERATION,
    FUTEX_PRIVATE_FLAG,
    FUTEX_REQUEUE,
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
from syscalls.kernel.ports import WRITE
from syscalls.kernel.task import Task
from syscalls.kernel.time import to_ns
from syscalls.kernel.wait import Interrupted
from syscalls.spec import Restart, syscall

_TIMED = (FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI)
_TWO = (FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP)
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
Futex2 = Annotated[int, SwitchKind("futex_op", _cases(AddressKind(), *_TWO))]
Val3 = Annotated[int, SwitchKind("futex_op", _cases(IntKind(signed=False), FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, *_BITSET))]
_PARTIAL = "Priority-inheriting locks (the *_PI commands) answer ENOSYS."


@syscall(partial=_PARTIAL)
async def futex(
    task: Task, uaddr: Futex, futex_op: Operation, val: UInt, timeout: Timeout, uaddr2: Futex2, val3: Val3
) -> int:
    """Wait for a change of a number in memory, or wake those who wait (futex(2))."""
    return await _futex(task, uaddr, futex_op, val, timeout, uaddr2, val3 & 0xFFFFFFFF)


@syscall(partial=_PARTIAL)
async def futex_time64(
    task: Task, uaddr: Futex, futex_op: Operation, val: UInt, timeout: Timeout64, uaddr2: Futex2, val3: Val3
) -> int:
    """The same with 64-bit seconds (futex(2))."""
    return await _futex(task, uaddr, futex_op, val, timeout, uaddr2, val3 & 0xFFFFFFFF)


async def _futex(task: Task, uaddr: int, op: int, val: int, timeout: Pointer[Any], uaddr2: int, val3: int) -> int:
    """do_futex."""
    command = op & FUTEX_CMD_MASK
    realtime = bool(op & FUTEX_CLOCK_REALTIME)
    deadline = _deadline(task, command, timeout, realtime=realtime) if timeout and command in _TIMED else None
    if realtime and command not in (FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI, FUTEX_LOCK_PI2):
        raise SysError(ENOSYS)
    private = bool(op & FUTEX_PRIVATE_FLAG)
    if command in (FUTEX_WAIT, FUTEX_WAIT_BITSET):
        bitset = val3 if command == FUTEX_WAIT_BITSET else futexes.MATCH_ANY
        return await _wait(task, uaddr, val, bitset, deadline, private=private)
    if command in (FUTEX_WAKE, FUTEX_WAKE_BITSET):
        bitset = val3 if command == FUTEX_WAKE_BITSET else futexes.MATCH_ANY
        if not bitset:
            raise SysError(EINVAL)
        return task.kernel.futexes.wake(futexes.key_of(task, uaddr, private=private), _signed(val), bitset)
    if command in _TWO:
        return _two(task, command, (uaddr, uaddr2), (val, timeout.address, val3), private=private)
    raise SysError(ENOSYS)


def _signed(value: int) -> int:
    return ((value & 0xFFFFFFFF) ^ 1 << 31) - (1 << 31)


def _deadline(task: Task, command: int, timeout: Pointer[Any], *, realtime: bool) -> int:
    """On the monotonic clock. Only FUTEX_WAIT's timeout is relative."""
    given = timeout.get()
    nanoseconds = to_ns(given.tv_sec, given.tv_nsec)
    now = task.kernel.clock.monotonic()
    if command == FUTEX_WAIT:
        return now + nanoseconds
    return now + nanoseconds - task.kernel.realtime() if realtime or command == FUTEX_LOCK_PI else nanoseconds


async def _wait(task: Task, uaddr: int, val: int, bitset: int, deadline: int | None, *, private: bool) -> int:
    if not bitset:
        raise SysError(EINVAL)
    key = futexes.key_of(task, uaddr, private=private)
    try:
        return await futexes.wait(task, key, uaddr, val, bitset, deadline)
    except Interrupted:
        if deadline is None:
            raise
        task.restart_block = lambda: _wait(task, uaddr, val, bitset, deadline, private=private)
        raise Interrupted(Restart.BLOCK) from None


def _two(task: Task, command: int, addresses: tuple[int, int], values: tuple[int, int, int], *, private: bool) -> int:
    """FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP."""
    woken, second, val3 = _signed(values[0]), _signed(values[1]), values[2]
    table = task.kernel.futexes
    if command == FUTEX_WAKE_OP:
        first = futexes.key_of(task, addresses[0], private=private)
        other = futexes.key_of(task, addresses[1], WRITE, private=private)
        also = futexes.modify(task, addresses[1], val3)
        return table.wake(first, woken) + (table.wake(other, second) if also else 0)
    if woken < 0 or second < 0:
        raise SysError(EINVAL)
    first, other = (futexes.key_of(task, address, private=private) for address in addresses)
    if command == FUTEX_CMP_REQUEUE and futexes.load(task, addresses[0]) != val3:
        raise SysError(EAGAIN)
    count = table.wake(first, woken) if woken else 0
    return count + table.requeue(first, other, second)
