"""Guest physical memory: one memfd, mapped once, handed out by frames of 4096 bytes.

Both engines use the same RAM: Unicorn maps it as the physical memory of its CPUs, the real CPU gets MAP_SHARED pieces
of the same memfd. Frames are zero when they are handed out, as a memfd's pages are; a freed frame is cleared again when
it is reused, or given back to the host at once when it was part of a long extent.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import ENOMEM, SysError

if TYPE_CHECKING:
    from emu.engine.pagetables import PageTables

#: Physical addresses cost nothing until they are used; what a guest may use is `limit`.
DEFAULT_BYTES = 8 << 30
#: Freed extents of this many frames go back to the host; shorter ones are cleared when they are used again.
PUNCH_FRAMES = 64
ZERO_PAGE = bytes(PAGE_SIZE)
ONES = array("I", [1]) * 512


class GuestRam:
    """The `Ram` port (syscalls/kernel/ports.py) on a memfd.

    `words` is the same memory as 64-bit words, for page tables; `fd` and `address` are for the engines that map it.
    """

    def __init__(self, size: int = DEFAULT_BYTES, limit: int | None = None) -> None:
        """`size` bytes of physical addresses, of which `limit` frames may be in use at a time (default: all)."""
        self.size = size
        self.frames = size >> PAGE_SHIFT
        self.limit = self.frames - 1 if limit is None else limit
        self.used = 0
        self.peak = 0  # the most frames that were ever in use
        self.fd = os.memfd_create("guest-ram", os.MFD_CLOEXEC)
        self._close = weakref.finalize(self, os.close, self.fd)
        os.ftruncate(self.fd, size)
        self._map = mmap.mmap(self.fd, size)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.view = memoryview(self._map)
        self.words = self.view.cast("Q")
        # Anonymous mappings start as zeros without being touched: a table for 8 GB costs nothing to make.
        self._users = memoryview(mmap.mmap(-1, self.frames * 4)).cast("I")
        self._code = memoryview(mmap.mmap(-1, self.frames))  # 1: instructions may have been translated from the frame
        self._writable = memoryview(mmap.mmap(-1, self.frames))  # 1: a guest may have it mapped for writing
        self.tables: set[PageTables] = set()  # all page tables over this RAM
        self._next = 1  # frames from here on were never handed out; frame 0 never is, so that 0 means none
        self._single: list[int] = []
        self._extents: dict[int, list[int]] = {}  # length -> first frames of free extents of just this length
        self._on_code_change: list[Callable[[], None]] = []

    def allocate(self, count: int) -> int:
        """First of `count` contiguous zeroed frames, each with one user. Raises SysError(ENOMEM) at the limit."""
        used = self.used + count
        if used > self.limit:
            raise SysError(ENOMEM)
        if count == 1 and self._single:
            frame = self._single.pop()
            self.view[frame << PAGE_SHIFT : (frame + 1) << PAGE_SHIFT] = ZERO_PAGE
        elif self._extents.get(count):
            frame = self._extents[count].pop()
            self._clear(frame, count)
        elif self._next + count <= self.frames:
            frame = self._next
            self._next = frame + count
        else:
            frame = self._first_fit(count)
            self._clear(frame, count)
        if count == 1:
            self._users[frame] = 1
        else:
            self._users[frame : frame + count] = memoryview(ONES if count == 512 else array("I", [1]) * count)[:count]
        self.used = used
        self.peak = max(self.peak, used)
        return frame

    def share(self, frame: int, count: int = 1) -> None:
        """One more user for each of `count` frames."""
        users = self._users
        for each in range(frame, frame + count):
            users[each] += 1

    def release(self, frame: int, count: int = 1) -> None:
        """One user less for each of `count` frames; a frame without users is free."""
        users = self._users
        if count == 1:
            left = users[frame] - 1
            users[frame] = left
            if not left:
                self._free(frame, 1)
            return
        start = frame  # of a run of frames that this call frees
        for each in range(frame, frame + count):
            left = users[each] - 1
            users[each] = left
            if left:
                if start < each:
                    self._free(start, each - start)
                start = each + 1
        if start < frame + count:
            self._free(start, frame + count - start)

    def users(self, frame: int) -> int:
        """How many users the frame has."""
        return self._users[frame]

    def invalidate_code(self, frame: int) -> None:
        """The kernel itself has written the frame: forget instructions translated from it, if any were."""
        if self._code[frame]:
            self._code_changed()

    def mark_code(self, frame: int, count: int) -> list[int]:
        """The frames become executable somewhere: from now on `invalidate_code` matters for them.

        Returns those for which that is new and which somebody else may be able to write.
        """
        code, writable, users = self._code, self._writable, self._users
        both = [each for each in range(frame, frame + count) if writable[each] and not code[each] and users[each] > 1]
        code[frame : frame + count] = b"\x01" * count
        return both

    def mark_writable(self, frame: int, count: int) -> bool:
        """The frames become writable for a guest somewhere. Says whether one of them is code, too."""
        if count == 1:
            self._writable[frame] = 1
            return bool(self._code[frame])
        self._writable[frame : frame + count] = b"\x01" * count
        return self.is_code(frame, count)

    def is_code(self, frame: int, count: int) -> bool:
        """May instructions have been translated from one of the frames?"""
        return b"\x01" in bytes(self._code[frame : frame + count])

    def on_code_change(self, callback: Callable[[], None]) -> None:
        """Call back when a frame that may hold translated code was changed behind the engines' back."""
        self._on_code_change.append(callback)

    def close(self) -> None:
        """Give the memory back, as far as nothing refers to it any more; the memfd is closed in any case."""
        self._close()

    def _code_changed(self) -> None:
        for callback in self._on_code_change:
            callback()

    def _clear(self, frame: int, count: int) -> None:
        if count < PUNCH_FRAMES:
            self.view[frame << PAGE_SHIFT : (frame + count) << PAGE_SHIFT] = bytes(count << PAGE_SHIFT)

    def _free(self, frame: int, count: int) -> None:
        self.used -= count
        self._writable[frame : frame + count] = bytes(count)
        if self.is_code(frame, count):
            self._code[frame : frame + count] = bytes(count)
            self._code_changed()
        if count == 1:
            self._single.append(frame)
            return
        if count >= PUNCH_FRAMES:
            self._map.madvise(mmap.MADV_REMOVE, frame << PAGE_SHIFT, count << PAGE_SHIFT)
        self._extents.setdefault(count, []).append(frame)

    def _first_fit(self, count: int) -> int:
        """Join all free frames to the longest extents there are, and cut `count` frames from the first that fits."""
        runs = [(frame, 1) for frame in self._single]
        runs += [(frame, length) for length, frames in self._extents.items() for frame in frames]
        runs.sort()
        joined: list[tuple[int, int]] = []
        for frame, length in runs:
            if joined and joined[-1][0] + joined[-1][1] == frame:
                joined[-1] = (joined[-1][0], joined[-1][1] + length)
            else:
                joined.append((frame, length))
        found = next((index for index, run in enumerate(joined) if run[1] >= count), None)
        self._single.clear()
        self._extents.clear()
        first = 0
        if found is not None:
            first, length = joined.pop(found)
            if length > count:
                joined.append((first + count, length - count))
        for frame, length in joined:
            # An extent that was joined from parts is clean only if it is punched as a whole.
            self._put_back(frame, length)
        if found is None:
            raise SysError(ENOMEM)
        if count >= PUNCH_FRAMES:
            self._map.madvise(mmap.MADV_REMOVE, first << PAGE_SHIFT, count << PAGE_SHIFT)
        return first

    def _put_back(self, frame: int, count: int) -> None:
        if count == 1:
            self._single.append(frame)
            return
        if count >= PUNCH_FRAMES:
            self._map.madvise(mmap.MADV_REMOVE, frame << PAGE_SHIFT, count << PAGE_SHIFT)
        self._extents.setdefault(count, []).append(frame)
