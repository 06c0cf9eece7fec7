"""Where memory and files meet: an open file as the source of a mapping's pages (mm/filemap.c)."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import ENODEV, SysError
from syscalls.abi.fcntl import FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, O_NOATIME
from syscalls.abi.fileattr import FS_APPEND_FL
from syscalls.abi.stat import ST_NOEXEC
from syscalls.fs.devices import Full, Zero
from syscalls.fs.fdtable import path_of, put
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.fs.memfd import write_sealed
from syscalls.fs.mount import path_name
from syscalls.fs.regular import RegularInode
from syscalls.kernel.ports import Ram
from syscalls.mm.vma import Backing, SharedMemory


class MappedFile:
    """An open file of any kind, as `mm.mmap.Mappable`."""

    def __init__(self, file: File) -> None:
        self._file = file

    @property
    def readable(self) -> bool:
        return self._file.readable

    @property
    def writable(self) -> bool:
        return self._file.writable

    @property
    def sealed(self) -> bool:
        return write_sealed(self._file)

    @property
    def append_only(self) -> bool:
        return bool(self._file.inode.flags & FS_APPEND_FL)

    @property
    def noexec(self) -> bool:
        return bool(path_of(self._file).mount.flags & ST_NOEXEC)

    @property
    def max_bytes(self) -> int:
        return self._file.inode.fs.max_bytes

    def backing(self, ram: Ram, length: int, *, shared: bool) -> Backing | None:
        if isinstance(self._file, Zero) and not isinstance(self._file, Full):  # mmap_zero, drivers/char/mem.c
            return SharedMemory(ram, length) if shared else None
        backing = FileBacking(self._file)
        if not self._file.flags & O_NOATIME:
            path_of(self._file).mount.accessed(self._file.inode)
        return backing


class FileBacking:
    """An open regular file, as `mm.vma.Backing`.

    Backings of one open file are equal, so that its mappings join. It is a user of the open file: descriptors may go.
    """

    def __init__(self, file: File) -> None:
        if not isinstance(file.inode, RegularInode):
            raise SysError(ENODEV)
        self.file = file
        self._inode = file.inode
        file.users += 1

    def __del__(self) -> None:
        if hasattr(self, "file"):
            put(self.file)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileBacking) and other.file is self.file

    def __hash__(self) -> int:
        return hash(self.file)

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
        self._inode.modified()

    def sync(self, first: int, count: int) -> None:
        self._inode.pages.write_back(first, count)

    def closed(self) -> None:
        """Nobody counts its areas."""

    def punch(self, first: int, count: int) -> None:
        self.file.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first << PAGE_SHIFT, count * PAGE_SIZE)
