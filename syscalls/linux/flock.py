"""flock(2) (fs/locks.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EAGAIN, SysError
from syscalls.abi.fcntl import FLOCK_OPERATIONS, LOCK_MAND, LOCK_NB
from syscalls.abi.kinds import Fd, FlagsKind
from syscalls.fs.locks import check_operation, flock_operation, locks_of
from syscalls.kernel.task import Task
from syscalls.spec import syscall

FlockOperation = Annotated[int, FlagsKind(FLOCK_OPERATIONS)]


@syscall()
async def flock(task: Task, fd: Fd, operation: FlockOperation) -> int:
    """Lock or unlock a whole file (flock(2))."""
    if operation & LOCK_MAND:
        return 0  # mandatory locks are gone: the request is only logged
    check_operation(operation & ~LOCK_NB)
    file = task.file(fd)
    wanted = flock_operation(file, operation & ~LOCK_NB)
    locks = locks_of(file.inode)
    while (queue := locks.flock(file, wanted)) is not None:
        if operation & LOCK_NB:
            raise SysError(EAGAIN)
        await queue.wait()
    return 0
