"""Page cache: the content of a file, as page frames of guest RAM (mm/filemap.c, mm/shmem.c).

read(2), write(2) and MAP_SHARED see one truth, because there is only one copy. A page that was never written is a hole:
it has no frame and reads as zeros. Positions and lengths are in bytes, `index` counts pages.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Protocol

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import ENOMEM, ENOSPC, SysError
from syscalls.kernel.ports import Ram

_OFFSET = PAGE_SIZE - 1


class Quota(Protocol):
    """Who counts the pages of a file system."""

    def charge(self, pages: int) -> None:
        """`pages` more (or, negative, less) are in use; ENOSPC when they would be too many."""


class PageCache:
    """Sparse data of one file. A subclass that fills pages from elsewhere overrides `fill` and `backed`."""

    __slots__ = ("__weakref__", "_frames", "_mapped", "_quota", "_ram", "_unwritten", "size", "unmap")

    def __init__(self, ram: Ram, quota: Quota | None = None) -> None:
        self._ram = ram
        self._quota = quota
        self._frames: dict[int, int] = {}
        self._unwritten: set[int] = set()  # pages that fallocate(2) has given frames, and nobody has stored to
        self._mapped = False  # was a frame ever given to a mapping?
        self.size = 0
        #: Called with (first page, number of pages; None: all from there) before frames go away (unmap_mapping_range).
        self.unmap: list[Callable[[int, int | None], None]] = []

    def __del__(self) -> None:
        self._release(list(self._frames))

    # --- hooks for files whose data live elsewhere --------------------------------------------------------------------

    def backed(self, index: int) -> bool:
        """Has a page without a frame content elsewhere?"""
        del index
        return False

    def fill(self, index: int, pages: memoryview) -> None:
        """Put the content of backed pages from `index` on into their new, zeroed frames."""

    # --- pages --------------------------------------------------------------------------------------------------------

    @property
    def pages(self) -> int:
        """Pages that have a frame."""
        return len(self._frames)

    def resident(self, index: int) -> bool:
        """Has the page a frame?"""
        return index in self._frames

    def read_ahead(self, first: int, count: int) -> None:
        """Load pages that will probably be wanted, where that is cheaper at once. Never fails."""

    def dirtied(self, index: int) -> None:
        """A mapping is about to store into the page, unseen: for files that live elsewhere."""

    def write_back(self, first: int, count: int) -> None:
        """Carry the dirtied pages of a range to where the file lives."""

    def frame(self, index: int) -> int:
        """The frame of a page, for a mapping, which takes its own share of it; allocated when there was a hole."""
        self._mapped = True
        self._populate(index, index + 1)
        self._unwritten.discard(index)
        return self._frames[index]

    def _populate(self, first: int, end: int) -> None:
        """Give every page in [first, end) a frame, contiguous ones where possible."""
        frames = self._frames
        missing = [index for index in range(first, end) if index not in frames]
        start = 0
        while start < len(missing):
            stop = start + 1
            while stop < len(missing) and missing[stop] == missing[stop - 1] + 1:
                stop += 1
            self._allocate(missing[start], stop - start)
            start = stop

    def _allocate(self, index: int, count: int) -> None:
        try:
            frame = self._charged(count)
        except SysError as error:
            if count == 1:
                raise SysError(ENOSPC if error.errno == ENOMEM else error.errno) from None
            self._allocate(index, count // 2)
            self._allocate(index + count // 2, count - count // 2)
            return
        self.fill(index, self._ram.view[frame << PAGE_SHIFT : frame + count << PAGE_SHIFT])
        self._frames.update(zip(range(index, index + count), range(frame, frame + count), strict=True))

    def _charged(self, count: int) -> int:
        """Contiguous frames, counted in the quota; ENOSPC, ENOMEM."""
        if self._quota is None:
            return self._ram.allocate(count)
        self._quota.charge(count)
        try:
            return self._ram.allocate(count)
        except SysError:
            self._quota.charge(-count)
            raise

    def _release(self, indexes: Iterable[int]) -> None:
        count = 0
        for index in indexes:
            self._ram.release(self._frames.pop(index))
            self._unwritten.discard(index)
            count += 1
        if count and self._quota is not None:
            self._quota.charge(-count)

    def _indexes(self, first: int, end: int | None) -> list[int]:
        """Pages with frames in [first, end)."""
        if end is not None and end - first < len(self._frames):
            return [index for index in range(first, end) if index in self._frames]
        return [index for index in self._frames if index >= first and (end is None or index < end)]

    def _windows(self, offset: int, count: int) -> Iterable[tuple[memoryview | None, int]]:
        """(view or None for a hole, length) of each contiguous piece of the range."""
        frames, view = self._frames, self._ram.view
        end = offset + count
        last = end - 1 >> PAGE_SHIFT
        while offset < end:
            index = offset >> PAGE_SHIFT
            first = frame = frames.get(index)
            if frame is None and self.backed(index):
                self._populate(index, index + 1)
                first = frame = frames[index]
            while index < last:
                index += 1
                if frame is not None:
                    frame += 1
                if frames.get(index) != frame or (frame is None and self.backed(index)):
                    index -= 1
                    break
            length = min(end, index + 1 << PAGE_SHIFT) - offset
            start = 0 if first is None else (first << PAGE_SHIFT) + (offset & _OFFSET)
            yield (None if first is None else view[start : start + length]), length
            offset += length

    # --- transfer -----------------------------------------------------------------------------------------------------

    def read(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes; less at the end of the file."""
        count = min(count, self.size - offset)
        if count <= 0:
            return b""
        pieces = [bytes(length) if view is None else bytes(view) for view, length in self._windows(offset, count)]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, offset: int, data: bytes | memoryview) -> int:
        """Store `data`; how many bytes found room. ENOSPC when none did."""
        count = len(data)
        if not count:
            return 0
        try:
            self._populate(offset >> PAGE_SHIFT, (offset + count + _OFFSET) >> PAGE_SHIFT)
        except SysError:
            count = self._present(offset, count)
            if not count:
                raise
        position = 0
        for view, length in self._windows(offset, count):
            assert view is not None
            view[:] = data[position : position + length]
            position += length
        if self._mapped:
            self._forget_code(offset, count)
        if self._unwritten:
            self._unwritten.difference_update(range(offset >> PAGE_SHIFT, (offset + count + _OFFSET) >> PAGE_SHIFT))
        self.size = max(self.size, offset + count)
        return count

    def _present(self, offset: int, count: int) -> int:
        """How many of `count` bytes have frames, from `offset` on without a gap."""
        index = offset >> PAGE_SHIFT
        while index in self._frames and index << PAGE_SHIFT < offset + count:
            index += 1
        return max(0, min(count, (index << PAGE_SHIFT) - offset))

    def _forget_code(self, offset: int, count: int) -> None:
        for index in range(offset >> PAGE_SHIFT, (offset + count + _OFFSET) >> PAGE_SHIFT):
            if index in self._frames:
                self._ram.invalidate_code(self._frames[index])

    # --- size and holes -----------------------------------------------------------------------------------------------

    def truncate(self, length: int) -> None:
        """Set the size; what lies behind is gone for ever, in the last page too."""
        if length < self.size:
            self._drop((length + _OFFSET) >> PAGE_SHIFT, None)
            if length & _OFFSET:
                self._clear(length, -length & _OFFSET)
        self.size = length

    def allocate(self, offset: int, length: int) -> None:
        """Give the range frames, so that writing there cannot fail (fallocate(2) mode 0); the size stays."""
        first, end = offset >> PAGE_SHIFT, (offset + length + _OFFSET) >> PAGE_SHIFT
        before = set(self._indexes(first, end))
        if self._quota is not None:  # what can never fit is not even tried
            missing = end - first - len(before)
            self._quota.charge(missing)
            self._quota.charge(-missing)
        try:
            self._populate(first, end)
        except SysError:
            self._release(index for index in self._indexes(first, end) if index not in before)
            raise
        self._unwritten.update(set(self._indexes(first, end)) - before)

    def punch(self, offset: int, length: int) -> None:
        """Make the range a hole (FALLOC_FL_PUNCH_HOLE)."""
        end = offset + length
        first, last = (offset + _OFFSET) >> PAGE_SHIFT, end >> PAGE_SHIFT
        if last >= first:
            if last > first:
                self._drop(first, last)
            self._clear(offset, (first << PAGE_SHIFT) - offset)
            self._clear(last << PAGE_SHIFT, end - (last << PAGE_SHIFT))
        else:
            self._clear(offset, length)

    def collapse(self, offset: int, length: int) -> None:
        """Cut whole pages out; what follows moves down (FALLOC_FL_COLLAPSE_RANGE)."""
        first, count = offset >> PAGE_SHIFT, length >> PAGE_SHIFT
        self._unmap(first, None)
        self._unwritten.clear()
        self._release(self._indexes(first, first + count))
        self._frames = {index - count if index >= first else index: frame for index, frame in self._frames.items()}
        self.size -= length

    def insert(self, offset: int, length: int) -> None:
        """Make room for whole pages; what follows moves up (FALLOC_FL_INSERT_RANGE)."""
        first, count = offset >> PAGE_SHIFT, length >> PAGE_SHIFT
        self._unmap(first, None)
        self._unwritten.clear()
        self._frames = {index + count if index >= first else index: frame for index, frame in self._frames.items()}
        self.size += length

    def _drop(self, first: int, end: int | None) -> None:
        self._unmap(first, end)
        self._release(self._indexes(first, end))

    def _unmap(self, first: int, end: int | None) -> None:
        for unmap in self.unmap:
            unmap(first, None if end is None else end - first)

    def _clear(self, offset: int, length: int) -> None:
        """Zero a range within one page."""
        frame = self._frames.get(offset >> PAGE_SHIFT)
        if length and frame is not None:
            start = (frame << PAGE_SHIFT) + (offset & _OFFSET)
            self._ram.view[start : start + length] = bytes(length)

    def next_data(self, offset: int) -> int | None:
        """First position from `offset` on that has data; None when only a hole follows (SEEK_DATA)."""
        index = offset >> PAGE_SHIFT
        if index in self._frames and index not in self._unwritten:
            return offset
        pages = sorted(self._frames.keys() - self._unwritten)
        at = bisect_left(pages, index)
        if at == len(pages) or pages[at] << PAGE_SHIFT >= self.size:
            return None
        return pages[at] << PAGE_SHIFT

    def next_hole(self, offset: int) -> int:
        """First position from `offset` on that is a hole; the end of the file counts as one (SEEK_HOLE)."""
        index = offset >> PAGE_SHIFT
        if index not in self._frames or index in self._unwritten:
            return offset
        while index in self._frames and index not in self._unwritten:
            index += 1
        return min(index << PAGE_SHIFT, self.size)
