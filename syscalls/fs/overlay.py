"""A host directory as the guest's root, copy on write in memory: the host is read, and never written.

It is a tmpfs whose directories are filled from the host when they are first looked into, and whose files take their
pages from the host when they are first read. From then on everything happens in memory, so removing, renaming and
changing need nothing special.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import SysError
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from syscalls.fs.inode import Inode
from syscalls.fs.pagecache import PageCache
from syscalls.fs.tmpfs import TmpDirectory, TmpFs, TmpRegular, TmpSpecial, TmpSymlink

if TYPE_CHECKING:
    from syscalls.fs.special import SpecialFiles
    from syscalls.kernel.ports import HostDirectory, HostStat, Ram

OVERLAYFS_MAGIC = 0x794C7630
READ_AHEAD_PAGES = 32


class OverlayFs(TmpFs):
    """One host directory and what the guest has made of it."""

    name = "overlay"
    magic = OVERLAYFS_MAGIC

    def __init__(self, dev: int, now: Callable[[], int], ram: Ram, special: SpecialFiles, tree: HostDirectory) -> None:
        self.tree = tree
        self._links: dict[tuple[int, int], Inode] = {}  # several names of one host file stay one inode
        super().__init__(dev, now, ram, special)
        stat = tree.lstat(b"")
        self.root = LowerDirectory(self, b"", stat)
        take_attributes(self.root, stat)

    def lower(self, path: bytes) -> Inode:
        """The inode for a host object."""
        stat = self.tree.lstat(path)
        identity = stat.st_dev, stat.st_ino
        inode = self._links.get(identity)
        if inode is None:
            inode = self._make_lower(path, stat)
            take_attributes(inode, stat)
            if stat.st_nlink > 1 and inode.type != S_IFDIR:
                self._links[identity] = inode
        return inode

    def _make_lower(self, path: bytes, stat: HostStat) -> Inode:
        kind = stat.st_mode & S_IFMT
        if kind == S_IFDIR:
            return LowerDirectory(self, path, stat)
        if kind == S_IFLNK:
            return LowerSymlink(self, self.tree.readlink(path), stat)
        if kind == S_IFREG:
            return LowerRegular(self, path, stat)
        special = TmpSpecial(self, stat.st_mode, stat.st_uid, stat.st_gid)
        special.rdev = stat.st_rdev
        return special


def take_attributes(inode: Inode, stat: HostStat) -> None:
    """Owner, mode, links and times as the host has them."""
    inode.mode, inode.uid, inode.gid, inode.nlink = stat.st_mode, stat.st_uid, stat.st_gid, stat.st_nlink
    inode.atime, inode.mtime = stat.st_atime_ns, stat.st_mtime_ns
    inode.ctime = inode.btime = stat.st_ctime_ns


class LowerDirectory(TmpDirectory):
    """A directory of the host, read at the first look."""

    __slots__ = ("_blocks", "_children", "_path", "_size")

    def __init__(self, fs: OverlayFs, path: bytes, stat: HostStat) -> None:
        self._children: dict[bytes, Inode] | None = None
        self._path = path
        self._size, self._blocks = stat.st_size, stat.st_blocks
        super().__init__(fs, stat.st_mode, stat.st_uid, stat.st_gid)
        self._children = None

    def known(self) -> dict[bytes, Inode]:
        return self._children or {}

    @property
    def children(self) -> dict[bytes, Inode]:  # a slot of the base that is filled when first read
        if self._children is None:
            fs = self.fs
            assert isinstance(fs, OverlayFs)
            self._children = {}
            # entries() shows the newest first: the host's first entry has to be the last one here.
            for name in reversed(fs.tree.listdir(self._path)):
                try:
                    self._children[name] = fs.lower(self._path + b"/" + name if self._path else name)
                except SysError:
                    continue  # gone meanwhile
        return self._children

    @children.setter
    def children(self, value: dict[bytes, Inode]) -> None:
        self._children = value

    @property
    def size(self) -> int:
        return self._size

    @property
    def blocks(self) -> int:
        return self._blocks


class LowerSymlink(TmpSymlink):
    """A symbolic link of the host."""

    __slots__ = ("_blocks",)

    def __init__(self, fs: OverlayFs, target: bytes, stat: HostStat) -> None:
        super().__init__(fs, target, stat.st_uid, stat.st_gid)
        self._blocks = stat.st_blocks

    @property
    def blocks(self) -> int:
        return self._blocks


class LowerRegular(TmpRegular):
    """A regular file of the host."""

    __slots__ = ("_blocks",)

    def __init__(self, fs: OverlayFs, path: bytes, stat: HostStat) -> None:
        pages = LowerPages(fs.ram, fs, fs.tree, path, stat.st_size)
        super().__init__(fs, stat.st_mode, stat.st_uid, stat.st_gid, pages)
        self._blocks: int | None = stat.st_blocks

    @property
    def blocks(self) -> int:
        if self._blocks is not None:
            return self._blocks
        return -(-self.size // PAGE_SIZE) * (PAGE_SIZE // 512)

    @property
    def pristine(self) -> bool:
        """Is the content still the host's?"""
        return self._blocks is not None

    def modified(self) -> None:
        self._blocks = None
        super().modified()


class LowerPages(PageCache):
    """Page cache of a host file: `lower_size` bytes from the start are still to be had there."""

    __slots__ = ("_path", "_tree", "lower_size")

    def __init__(self, ram: Ram, fs: TmpFs, tree: HostDirectory, path: bytes, size: int) -> None:
        super().__init__(ram, fs)
        self._tree = tree
        self._path = path
        self.size = self.lower_size = size

    def backed(self, index: int) -> bool:
        return index << PAGE_SHIFT < self.lower_size

    def fill(self, index: int, pages: memoryview) -> None:
        offset = index << PAGE_SHIFT
        if offset < self.lower_size:
            data = self._tree.pread(self._path, offset, min(len(pages), self.lower_size - offset))
            pages[: len(data)] = data

    def read(self, offset: int, count: int) -> bytes:
        lower_count = min(count, self.lower_size - offset)
        if lower_count > 0:
            self._populate(offset >> PAGE_SHIFT, self._ahead(offset + lower_count))
        return super().read(offset, count)

    def read_ahead(self, first: int, count: int) -> None:
        with contextlib.suppress(SysError):
            self._populate(first, min(first + count, -(-self.lower_size // PAGE_SIZE)))

    def _ahead(self, end: int) -> int:
        """The page to read up to: a little further than asked."""
        last = -(-self.lower_size // PAGE_SIZE)
        return min(last, (end >> PAGE_SHIFT) + READ_AHEAD_PAGES)

    def truncate(self, length: int) -> None:
        if length < self.lower_size:
            if length % PAGE_SIZE:
                self._populate(length >> PAGE_SHIFT, (length >> PAGE_SHIFT) + 1)
            self.lower_size = length
        super().truncate(length)

    def punch(self, offset: int, length: int) -> None:
        self._leave()
        super().punch(offset, length)

    def collapse(self, offset: int, length: int) -> None:
        self._leave()
        super().collapse(offset, length)

    def insert(self, offset: int, length: int) -> None:
        self._leave()
        super().insert(offset, length)

    def _leave(self) -> None:
        """Take everything into memory, before pages are moved about."""
        self._populate(0, -(-self.lower_size // PAGE_SIZE))
        self.lower_size = 0

    def next_data(self, offset: int) -> int | None:
        return offset if offset < self.lower_size else super().next_data(offset)

    def next_hole(self, offset: int) -> int:
        return super().next_hole(max(offset, min(self.size, -(-self.lower_size // PAGE_SIZE) * PAGE_SIZE)))
