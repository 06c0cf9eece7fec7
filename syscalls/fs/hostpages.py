"""Pages of a host file that the guest has mapped, kept equal to the file (compare fs/9p/vfs_addr.c).

Nothing else is cached: read(2) and write(2) go to the host. Stores through a shared mapping are not seen when they
happen; so a page that a mapping may store into is remembered as the host and we last had it, and what differs from that
is written back at msync(2), munmap(2), and before anybody looks at the file.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import SysError
from syscalls.fs.pagecache import PageCache

if TYPE_CHECKING:
    from syscalls.kernel.ports import HostObject, HostStat, Ram

_OFFSET = PAGE_SIZE - 1


class HostPages(PageCache):
    """The content of one file of the host."""

    __slots__ = ("_agreed", "_node", "_stamp")

    def __init__(self, ram: Ram, node: HostObject, stat: HostStat) -> None:
        super().__init__(ram)
        self._node = node
        self._agreed: dict[int, bytes] = {}  # pages that a mapping may store into, as they were when last equal
        self._stamp = _stamp(stat)
        self.size = stat.st_size

    # --- from the host ------------------------------------------------------------------------------------------------

    def revalidate(self, stat: HostStat) -> None:
        """The file's attributes are these: if it changed, so do the pages."""
        stamp = _stamp(stat)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        if stat.st_size < self.size:
            self._cut(stat.st_size)
        self.size = stat.st_size
        for index in list(self._frames):
            if index not in self._agreed or self._window(index) == self._agreed[index]:
                self._load(index)

    def _load(self, index: int) -> None:
        data = self._node.pread(index << PAGE_SHIFT, PAGE_SIZE).ljust(PAGE_SIZE, b"\0")
        if self._window(index) != data:
            self._window(index)[:] = data
            self._ram.invalidate_code(self._frames[index])
        if index in self._agreed:
            self._agreed[index] = data

    def _window(self, index: int) -> memoryview:
        start = self._frames[index] << PAGE_SHIFT
        return self._ram.view[start : start + PAGE_SIZE]

    def backed(self, index: int) -> bool:
        return index << PAGE_SHIFT < self.size

    def fill(self, index: int, pages: memoryview) -> None:
        data = self._node.pread(index << PAGE_SHIFT, len(pages))
        pages[: len(data)] = data

    def frame(self, index: int) -> int:
        if index in self._frames:
            self.revalidate(self._node.stat())
        return super().frame(index)

    def read_ahead(self, first: int, count: int) -> None:
        with contextlib.suppress(SysError):
            self._populate(first, min(first + count, (self.size + _OFFSET) >> PAGE_SHIFT))

    # --- to the host --------------------------------------------------------------------------------------------------

    def dirtied(self, index: int) -> None:
        if index not in self._agreed:
            self._agreed[index] = bytes(self._window(index))

    def write_back(self, first: int, count: int) -> None:
        written = False
        for index in sorted(index for index in self._agreed if first <= index < first + count):
            data = bytes(self._window(index))
            if data != self._agreed[index]:
                start = index << PAGE_SHIFT
                self._node.pwrite(start, data[: max(0, self.size - start)])
                self._agreed[index] = data
                written = True
        if written:
            self._ours()

    def _ours(self) -> None:
        """What has just happened to the file we did ourselves."""
        if self._frames:
            stat = self._node.stat()
            self._stamp, self.size = _stamp(stat), stat.st_size

    def read(self, offset: int, count: int) -> bytes:
        if self._agreed:
            self.write_back(*_pages(offset, count))
        return self._node.pread(offset, count)

    def write(self, offset: int, data: bytes | memoryview) -> int:
        done = self._node.pwrite(offset, data)
        self._stored(offset, data[:done])
        return done

    def append(self, data: bytes | memoryview) -> int:
        """Store at the end of the file, wherever the host has it by now."""
        done = self._node.append(data)
        if self._frames:
            self._stored(self._node.stat().st_size - done, data[:done])
        return done

    def _stored(self, offset: int, data: bytes | memoryview) -> None:
        """The host has it: let mapped pages show it."""
        if not self._frames or not data:
            return
        first, count = _pages(offset, len(data))
        for index in self._indexes(first, first + count):
            start = max(offset, index << PAGE_SHIFT)
            end = min(offset + len(data), index + 1 << PAGE_SHIFT)
            part, place = data[start - offset : end - offset], start & _OFFSET
            self._window(index)[place : place + len(part)] = part
            if index in self._agreed:
                agreed = self._agreed[index]
                self._agreed[index] = agreed[:place] + bytes(part) + agreed[place + len(part) :]
            self._ram.invalidate_code(self._frames[index])
        self._ours()

    def truncate(self, length: int) -> None:
        if self._agreed:
            self.write_back(*_pages(0, min(length, self.size)))
        self._node.truncate(length)
        self._cut(length)
        self._ours()

    def _cut(self, length: int) -> None:
        """What lies behind is gone."""
        super().truncate(length)
        for index in [index for index in self._agreed if index not in self._frames]:
            del self._agreed[index]
        last = length >> PAGE_SHIFT
        if last in self._agreed:
            self._agreed[last] = self._agreed[last][: length & _OFFSET].ljust(PAGE_SIZE, b"\0")

    def change_range(self, mode: int, offset: int, length: int) -> None:
        """fallocate(2), which the host does or refuses."""
        self.write_back(0, 1 << 52)
        self._node.allocate(mode, offset, length)
        self.revalidate(self._node.stat())


def _stamp(stat: HostStat) -> tuple[int, int, int]:
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size


def _pages(offset: int, count: int) -> tuple[int, int]:
    """First page and number of pages of a range of bytes."""
    first = offset >> PAGE_SHIFT
    return first, ((offset + count + _OFFSET) >> PAGE_SHIFT) - first
