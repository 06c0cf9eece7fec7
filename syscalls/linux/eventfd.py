"""eventfd(2) (fs/eventfd.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.kinds import FdResult, FlagsKind, UInt
from syscalls.abi.poll import EFD_CLOEXEC, EFD_FLAGS, EFD_NONBLOCK, EFD_SEMAPHORE
from syscalls.fs.eventfd import EventFile
from syscalls.kernel.fileio import install
from syscalls.kernel.task import Task
from syscalls.spec import syscall

EventFlags = Annotated[int, FlagsKind(EFD_FLAGS)]


@syscall()
def eventfd(task: Task, initval: UInt) -> FdResult:
    """A new counter as a descriptor (eventfd(2))."""
    return _eventfd(task, initval, 0)


@syscall()
def eventfd2(task: Task, initval: UInt, flags: EventFlags) -> FdResult:
    """The same with EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE (eventfd(2))."""
    return _eventfd(task, initval, flags)


def _eventfd(task: Task, initval: int, flags: int) -> int:
    if flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE):
        raise SysError(EINVAL)
    file = EventFile(task.kernel.anonfs, flags & EFD_NONBLOCK, initval, semaphore=bool(flags & EFD_SEMAPHORE))
    return install(task, file, cloexec=bool(flags & EFD_CLOEXEC))
