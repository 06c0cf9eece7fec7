"""What opening a device node or a FIFO gives: the drivers, by type and device number (chrdev_open, fifo_open)."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi.errno import ENXIO, SysError
from syscalls.abi.stat import S_IFIFO, S_IFSOCK
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.fs.pipe import Fifos

#: Makes the open file description of a special file: (inode, O_* flags) -> File.
Driver = Callable[[Inode, int], File]


class SpecialFiles:
    """The drivers that a world has; every file system that can hold device nodes refers to one of these."""

    def __init__(self) -> None:
        self._drivers: dict[tuple[int, int], Driver] = {(S_IFIFO, 0): Fifos().open}

    def register(self, type: int, rdev: int, driver: Driver) -> None:
        """Let `driver` open the nodes of one device. `type`: S_IFCHR, S_IFBLK, or S_IFIFO with rdev 0."""
        self._drivers[type, rdev] = driver

    def open(self, inode: Inode, flags: int) -> File:
        """Open a special file; ENXIO when there is no such device, and for sockets."""
        type = inode.type
        driver = self._drivers.get((type, 0 if type == S_IFIFO else inode.rdev))
        if driver is None or type == S_IFSOCK:
            raise SysError(ENXIO)
        return driver(inode, flags)
