"""membarrier(2): with one processor every barrier is already there (kernel/sched/membarrier.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, EPERM, SysError
from syscalls.abi.kinds import FlagsKind, Int
from syscalls.abi.process import (
    MEMBARRIER_CMD_FLAG_CPU,
    MEMBARRIER_CMD_GET_REGISTRATIONS,
    MEMBARRIER_CMD_GLOBAL,
    MEMBARRIER_CMD_GLOBAL_EXPEDITED,
    MEMBARRIER_CMD_PRIVATE_EXPEDITED,
    MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
    MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
    MEMBARRIER_CMD_QUERY,
    MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
    MEMBARRIER_COMMANDS,
    MEMBARRIER_FLAGS,
)
from syscalls.kernel.task import Task
from syscalls.spec import syscall

#: Registration -> the command that it allows.
_REGISTRATIONS = {
    MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: 0,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: MEMBARRIER_CMD_PRIVATE_EXPEDITED,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE: MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ: MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
}
_SUPPORTED = 0x3FF
Command = Annotated[int, FlagsKind(MEMBARRIER_COMMANDS, signed=True)]

BarrierFlags = Annotated[int, FlagsKind(MEMBARRIER_FLAGS)]


@syscall()
def membarrier(task: Task, cmd: Command, flags: BarrierFlags, cpu_id: Int) -> int:
    """Make memory accesses of all threads ordered (membarrier(2))."""
    del cpu_id
    if flags and (cmd != MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ or flags != MEMBARRIER_CMD_FLAG_CPU):
        raise SysError(EINVAL)
    registered = task.group.membarrier
    if cmd == MEMBARRIER_CMD_QUERY:
        return _SUPPORTED
    if cmd == MEMBARRIER_CMD_GET_REGISTRATIONS:
        return sum(registered)
    if cmd in _REGISTRATIONS:
        registered.add(cmd)
        return 0
    if cmd in (MEMBARRIER_CMD_GLOBAL, MEMBARRIER_CMD_GLOBAL_EXPEDITED):
        return 0
    if cmd not in _REGISTRATIONS.values():
        raise SysError(EINVAL)
    if not any(_REGISTRATIONS[registration] == cmd for registration in registered):
        raise SysError(EPERM)
    return 0
