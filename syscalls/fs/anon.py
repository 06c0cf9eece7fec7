"""Files that are no objects of any file system: eventfd(2), epoll(7), timerfd_create(2) ... (fs/anon_inodes.c)."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi.errno import ENXIO, SysError
from syscalls.abi.stat import ANON_INODE_FS_MAGIC
from syscalls.fs.file import File
from syscalls.fs.inode import FileSystem, Inode


class AnonInode(Inode):
    """The inode of them all; it cannot be opened again (no_open)."""

    __slots__ = ()

    def open(self, flags: int) -> File:
        del flags
        raise SysError(ENXIO)


class AnonInodeFs(FileSystem):
    """anon_inodefs: its one inode, without a type, is that of all such files."""

    has_attributes = False  # anon_inode_setattr
    name = "anon_inodefs"
    magic = ANON_INODE_FS_MAGIC

    def __init__(self, dev: int, now: Callable[[], int]) -> None:
        super().__init__(dev, now)
        self.inode = AnonInode(self, 0o600)


class AnonFile(File):
    """An open file that consists of what its class keeps. `kind` is what /proc shows."""

    kind = b""

    def __init__(self, fs: AnonInodeFs, flags: int) -> None:
        super().__init__(fs.inode, flags)

    def splices(self, *, writing: bool) -> bool:
        return not writing

    def seek(self, offset: int, whence: int) -> int:
        del offset, whence
        return 0

    def name(self) -> bytes:
        return b"anon_inode:" + self.kind
