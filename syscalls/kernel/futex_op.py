"""FUTEX_WAKE_OP's small arithmetic on a number in user memory (futex_atomic_op_inuser)."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from syscalls.abi.errno import ENOSYS, SysError
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
from syscalls.kernel.futex import load, store

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

_RESULTS = {
    FUTEX_OP_SET: lambda _old, argument: argument,
    FUTEX_OP_ADD: operator.add,
    FUTEX_OP_OR: operator.or_,
    FUTEX_OP_ANDN: lambda old, argument: old & ~argument,
    FUTEX_OP_XOR: operator.xor,
}
_COMPARISONS = {
    FUTEX_OP_CMP_EQ: operator.eq,
    FUTEX_OP_CMP_NE: operator.ne,
    FUTEX_OP_CMP_LT: operator.lt,
    FUTEX_OP_CMP_LE: operator.le,
    FUTEX_OP_CMP_GT: operator.gt,
    FUTEX_OP_CMP_GE: operator.ge,
}


def modify(task: Task, address: int, operation: int) -> bool:
    """Read, modify, write; the result of the comparison with the old value. ENOSYS for an unknown one, EFAULT."""
    op, comparison = operation >> 28 & 7, operation >> 24 & 15
    argument, comparand = _signed(operation >> 12, 12), _signed(operation, 12)
    if operation >> 28 & FUTEX_OP_OPARG_SHIFT:
        argument = 1 << (argument & 31)
    if op not in _RESULTS:
        raise SysError(ENOSYS)
    old = load(task, address)
    store(task, address, _RESULTS[op](old, argument) & 0xFFFFFFFF)
    if comparison not in _COMPARISONS:
        raise SysError(ENOSYS)
    return bool(_COMPARISONS[comparison](_signed(old, 32), comparand))


def _signed(value: int, bits: int) -> int:
    sign = 1 << bits - 1
    return (value & 2 * sign - 1 ^ sign) - sign
