"""getrandom(2) (drivers/char/random.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.kinds import Buffer, BufferKind, FlagsKind, Size
from syscalls.abi.random import GRND_FLAGS, GRND_INSECURE, GRND_NONBLOCK, GRND_RANDOM
from syscalls.kernel.task import Task
from syscalls.spec import syscall

GrndFlags = Annotated[int, FlagsKind(GRND_FLAGS)]
RandomBuf = Annotated[Buffer, BufferKind("buflen", out=True)]
MAX_RW_COUNT = 0x7FFFF000
_CHUNK = 1 << 20


@syscall()
def getrandom(task: Task, buf: RandomBuf, buflen: Size, flags: GrndFlags) -> int:
    """Fill a buffer with random bytes; the pool is always ready (getrandom(2))."""
    if flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE):
        raise SysError(EINVAL)
    if flags & GRND_INSECURE and flags & GRND_RANDOM:
        raise SysError(EINVAL)
    count = min(buflen, MAX_RW_COUNT)
    for start in range(0, count, _CHUNK):
        data = task.kernel.random.random_bytes(min(_CHUNK, count - start))
        task.mm.write(buf.address + start, data)
    return count
