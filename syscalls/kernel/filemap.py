"""Where memory and files meet: an open file as the source of a mapping's pages (mm/filemap.c)."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import ENODEV, SysError
from syscalls.abi.fcntl import FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE
from syscalls.fs.fdtable import path_of
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.fs.mount import path_name
from syscalls.fs.regular import RegularInode


class FileBacking:
    """An open regular file, as `mm.vma.Backing`. It keeps the file's inode, not its descriptor."""

    def __init__(self, file: File) -> None:
        if not isinstance(file.inode, RegularInode):
            raise SysError(ENODEV)
        self.file = file
        self._inode = file.inode

    @property
    def key(self) -> Inode:
        return self._inode

    @property
    def size(self) -> int:
        return self._inode.size

    @property
    def path(self) -> bytes:
        path = path_of(self.file)
        if path.mount.table is None:
            return path.dentry.name
        return path_name(path, path.mount.table.root_path) + (b" (deleted)" if path.dentry.deleted else b"")

    @property
    def device(self) -> int:
        return self._inode.fs.dev

    @property
    def inode(self) -> int:
        return self._inode.ino

    @property
    def unmap(self) -> list[Callable[[int, int | None], None]]:
        return self._inode.pages.unmap

    @property
    def tracks_writes(self) -> bool:
        return self._inode.tracks_writes

    def frame(self, index: int) -> int:
        return self.file.frame(index)

    def resident(self, index: int) -> bool:
        return self._inode.pages.resident(index)

    def read_ahead(self, first: int, count: int) -> None:
        self._inode.pages.read_ahead(first, count)

    def dirtied(self, index: int) -> None:
        self._inode.pages.dirtied(index)

    def sync(self, first: int, count: int) -> None:
        self._inode.pages.write_back(first, count)

    def punch(self, first: int, count: int) -> None:
        self.file.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first << PAGE_SHIFT, count * PAGE_SIZE)
