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
from syscalls.abi.stat import OVERLAYFS_SUPER_MAGIC, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from syscalls.fs.inode import Inode
from syscalls.fs.pagecache import PageCache
from syscalls.fs.tmpfs import TmpDirectory, TmpFs, TmpRegular, TmpSpecial, TmpSymlink

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.fs.special import SpecialFiles
    from syscalls.kernel.ports import HostDirectory, HostObject, HostStat, Ram

SOURCES = 16  # host files kept open for reading


class OverlayFs(TmpFs):
    """One host directory and what the guest has made of it."""

    name = "overlay"
    magic = OVERLAYFS_SUPER_MAGIC
    moves_ranges = True

    def __init__(self, dev: int, now: Callable[[], int], ram: Ram, special: SpecialFiles, tree: HostDirectory) -> None:
        self.tree = tree
        self._links: dict[tuple[int, int], Inode] = {}  # several names of one host file stay one inode
        self._sources: dict[bytes, HostObject] = {}  # files lately read, the last one used last
        super().__init__(dev, now, ram, special, max_inodes=1 << 40)
        stat = tree.top.stat()
        self.root = LowerDirectory(self, b"", stat)
        take_attributes(self.root, stat)

    def source(self, path: bytes) -> HostObject:
        """The host object at a path, kept open for a while: reading a file begins with finding it."""
        node = self._sources.pop(path, None)
        if node is None:
            node = self.tree.find(path)
            if len(self._sources) >= SOURCES:
                del self._sources[next(iter(self._sources))]
        self._sources[path] = node
        return node

    def lower(self, path: bytes, node: HostObject) -> Inode:
        """The inode for a host object."""
        stat = node.stat()
        identity = stat.st_dev, stat.st_ino
        inode = self._links.get(identity)
        if inode is None:
            inode = self._make_lower(path, node, stat)
            take_attributes(inode, stat)
            if stat.st_nlink > 1 and inode.type != S_IFDIR:
                self._links[identity] = inode
        return inode

    def _make_lower(self, path: bytes, node: HostObject, stat: HostStat) -> Inode:
        kind = stat.st_mode & S_IFMT
        if kind == S_IFDIR:
            return LowerDirectory(self, path, stat)
        if kind == S_IFLNK:
            return LowerSymlink(self, node.readlink(), stat)
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
            directory = fs.tree.find(self._path)
            children: dict[bytes, Inode] = {}
            # entries() shows the newest first: the host's first entry has to be the last one here.
            for name, _, _ in reversed(list(directory.entries())):
                inode = self._lower(directory, name)
                if inode is not None:
                    children[name] = inode
            self._children = children
        return self._children

    @children.setter
    def children(self, value: dict[bytes, Inode]) -> None:
        self._children = value

    def _lower(self, directory: HostObject, name: bytes) -> Inode | None:
        fs = self.fs
        assert isinstance(fs, OverlayFs)
        node = directory.child(name)
        if node is None:
            return None  # gone meanwhile
        return fs.lower(self._path + b"/" + name if self._path else name, node)

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
        pages = LowerPages(fs, path, stat.st_size)
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

    def open(self, flags: int) -> File:
        pages = self.pages
        assert isinstance(pages, LowerPages)
        pages.open()
        return super().open(flags)

    def modified(self) -> None:
        self._blocks = None
        super().modified()


class LowerPages(PageCache):
    """Page cache of a host file: `lower_size` bytes from the start are still to be had there.

    Only pages that are mapped or changed are kept; all others are read from the host each time.
    """

    __slots__ = ("_fs", "_path", "lower_size")

    def __init__(self, fs: OverlayFs, path: bytes, size: int) -> None:
        super().__init__(fs.ram, fs)
        self._fs = fs
        self._path = path
        self.size = self.lower_size = size

    def open(self) -> None:
        """EACCES when we may not read what would have to be read."""
        if self.lower_size:
            self._fs.source(self._path).open(reading=True, writing=False)

    def backed(self, index: int) -> bool:
        return index << PAGE_SHIFT < self.lower_size

    def fill(self, index: int, pages: memoryview) -> None:
        data = self._lower(index << PAGE_SHIFT, len(pages))
        pages[: len(data)] = data

    def _lower(self, offset: int, count: int) -> bytes:
        """What the host has there, as far as it still counts."""
        count = min(count, self.lower_size - offset)
        return self._fs.source(self._path).pread(offset, count) if count > 0 else b""

    def read(self, offset: int, count: int) -> bytes:
        count = min(count, self.size - offset)
        if count <= 0 or offset >= self.lower_size:
            return super().read(offset, count)
        pieces = []
        while count > 0:
            length = self._run(offset, count)
            if self.resident(offset >> PAGE_SHIFT):
                pieces.append(super().read(offset, length))
            else:
                pieces.append(self._lower(offset, length).ljust(length, b"\0"))
            offset, count = offset + length, count - length
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _run(self, offset: int, count: int) -> int:
        """How many bytes from `offset` on are all in memory, or all not."""
        if not self.pages:
            return count
        index, end = offset >> PAGE_SHIFT, -(-(offset + count) // PAGE_SIZE)
        here = self.resident(index)
        while index < end and self.resident(index) == here:
            index += 1
        return min(count, (index << PAGE_SHIFT) - offset)

    def read_ahead(self, first: int, count: int) -> None:
        with contextlib.suppress(SysError):
            self._populate(first, min(first + count, -(-self.lower_size // PAGE_SIZE)))

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
        if offset < self.lower_size:
            offset = min(self.size, -(-self.lower_size // PAGE_SIZE) * PAGE_SIZE)
            if offset == self.size:
                return offset
        return super().next_hole(offset)
