"""The memory devices: /dev/null, zero, full, random and urandom (null(4), full(4), random(4))."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, ENOSPC, EPERM, SysError
from syscalls.fs.file import POLLIN, POLLRDNORM, File

if TYPE_CHECKING:
    from syscalls.fs.inode import Inode
    from syscalls.kernel.ports import Memory, Random

# linux/random.h
RNDGETENTCNT, RNDADDTOENTCNT, RNDGETPOOL = 0x80045200, 0x40045201, 0x80085202
RNDADDENTROPY, RNDZAPENTCNT, RNDCLEARPOOL, RNDRESEEDCRNG = 0x40085203, 0x5204, 0x5206, 0x5207
_OF_THE_POOL = {RNDADDTOENTCNT, RNDADDENTROPY, RNDZAPENTCNT, RNDCLEARPOOL, RNDRESEEDCRNG}
POOL_BITS = 256  # as the kernel always has them once it has booted

#: rdev -> makes the open file
Factory = Callable[["Inode", int], File]


def makedev(major: int, minor: int) -> int:
    """dev_t of a device (makedev(3)), for numbers below 256."""
    return major << 8 | minor


class MemoryDevice(File):
    """What the devices of /dev/mem's family have in common: any position is fine, and none means anything."""

    seekable = True
    blind = True

    def seek(self, offset: int, whence: int) -> int:
        del offset, whence
        self.position = 0
        return 0

    def pread(self, count: int, offset: int) -> bytes:
        del offset
        return self.read(count)

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        del offset
        return self.write(data)

    def read(self, count: int) -> bytes:
        del count
        return b""

    def write(self, data: bytes | memoryview) -> int:
        return len(data)


class Null(MemoryDevice):
    """/dev/null: always at its end."""

    def splices(self, *, writing: bool) -> bool:
        return writing


class Zero(MemoryDevice):
    """/dev/zero: as many zeros as asked for."""

    def read(self, count: int) -> bytes:
        return bytes(count)


class Full(Zero):
    """/dev/full: no space left."""

    def write(self, data: bytes | memoryview) -> int:
        del data
        raise SysError(ENOSPC)

    def splices(self, *, writing: bool) -> bool:
        return not writing


class RandomDevice(MemoryDevice):
    """/dev/random and /dev/urandom: what is written stirs the pool, which here is the host's or the seed's."""

    blind = False
    signals_io = True

    def __init__(self, inode: Inode, flags: int, random: Random) -> None:
        super().__init__(inode, flags)
        self.random = random

    def read(self, count: int) -> bytes:
        return self.random.random_bytes(count)

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """random(4): how much entropy there is; filling and emptying the pool is for nobody."""
        if request == RNDGETENTCNT:
            memory.write(argument, POOL_BITS.to_bytes(4, "little"))
            return 0
        raise SysError(EPERM if request in _OF_THE_POOL else EINVAL)


class BlockingRandom(RandomDevice):
    """/dev/random can be polled: it once waited for entropy (random_poll)."""

    def poll(self) -> int:
        return POLLIN | POLLRDNORM


#: The nodes of /dev: name -> (rdev, mode).
NODES: dict[bytes, tuple[int, int]] = {
    b"null": (makedev(1, 3), 0o666),
    b"zero": (makedev(1, 5), 0o666),
    b"full": (makedev(1, 7), 0o666),
    b"random": (makedev(1, 8), 0o666),
    b"urandom": (makedev(1, 9), 0o666),
    b"tty": (makedev(5, 0), 0o666),
    b"ptmx": (makedev(5, 2), 0o666),
}


def factories(random: Random) -> dict[int, Factory]:
    """How to open each device, by rdev."""

    def open_random(inode: Inode, flags: int) -> File:
        return BlockingRandom(inode, flags, random)

    def open_urandom(inode: Inode, flags: int) -> File:
        return RandomDevice(inode, flags, random)

    return {
        makedev(1, 3): Null,
        makedev(1, 5): Zero,
        makedev(1, 7): Full,
        makedev(1, 8): open_random,
        makedev(1, 9): open_urandom,
    }
