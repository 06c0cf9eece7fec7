"""eventfd(2): a counter that can be waited for (fs/eventfd.c)."""

from __future__ import annotations

from itertools import count as counter

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.poll import POLLIN, POLLOUT
from syscalls.fs.anon import AnonFile, AnonInodeFs
from syscalls.fs.file import WOULD_BLOCK, WouldBlock
from syscalls.kernel.wait import WaitQueue

#: What the counter never reaches by writing (ULLONG_MAX).
LIMIT = (1 << 64) - 1
SIZE = 8
_IDS = counter()


class EventFile(AnonFile):
    """The counter. Reading takes it all, or 1 when it is a semaphore."""

    kind = b"[eventfd]"
    scatters = False
    whole_units = True

    def __init__(self, fs: AnonInodeFs, flags: int, count: int, *, semaphore: bool) -> None:
        super().__init__(fs, O_RDWR | flags)
        self.count = count
        self.id = next(_IDS)
        self.semaphore = semaphore
        self.queue = WaitQueue("an eventfd")

    def read(self, count: int) -> bytes | WouldBlock:
        if count < SIZE:
            raise SysError(EINVAL)
        if not self.count:
            return WOULD_BLOCK
        value = 1 if self.semaphore else self.count
        self.count -= value
        self.queue.wake(events=POLLOUT)
        return value.to_bytes(SIZE, "little")

    def write(self, data: bytes | memoryview) -> int | WouldBlock:
        """Add to the counter; EINVAL unless it is exactly one number below 2^64-1."""
        value = int.from_bytes(data, "little")
        if len(data) != SIZE or value == LIMIT:
            raise SysError(EINVAL)
        if self.count + value >= LIMIT:
            return WOULD_BLOCK
        self.count += value
        self.queue.wake(events=POLLIN)
        return SIZE

    def whole_part(self, got: int, count: int) -> int:
        del got, count
        return 0

    def check_write(self, count: int) -> None:
        if count != SIZE:
            raise SysError(EINVAL)

    def poll(self) -> int:
        return (POLLIN if self.count else 0) | (POLLOUT if self.count < LIMIT - 1 else 0)

    def details(self) -> bytes:
        return b"eventfd-count: %16x\neventfd-id: %d\neventfd-semaphore: %d\n" % (self.count, self.id, self.semaphore)

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self.queue,)
