"""The areas of one address space in order of their addresses, with the searches that placement needs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from syscalls.abi.arch import PAGE_SHIFT
from syscalls.mm.vma import Vma


class VmaList:
    """Sorted, disjoint areas. Adjacent areas that could be one are kept apart until `merge`."""

    def __init__(self) -> None:
        self.areas: list[Vma] = []
        self.pages = 0  # sum of the sizes: total_vm
        self._starts: list[int] = []
        # All gaps between `_full_from` and the top of the last top-down search are smaller than `_full_size` bytes.
        self._full_from = self._full_top = self._full_size = 0

    def __len__(self) -> int:
        return len(self.areas)

    def __iter__(self) -> Iterator[Vma]:
        return iter(self.areas)

    def find(self, address: int) -> Vma | None:
        """The area that holds the address (vma_lookup)."""
        position = bisect_right(self._starts, address) - 1
        if position >= 0 and address < (vma := self.areas[position]).end:
            return vma
        return None

    def above(self, address: int) -> Vma | None:
        """The first area that ends above the address (find_vma)."""
        position = self._first(address)
        return self.areas[position] if position < len(self.areas) else None

    def below(self, address: int) -> Vma | None:
        """The last area that starts below the address."""
        position = bisect_left(self._starts, address) - 1
        return self.areas[position] if position >= 0 else None

    def overlap(self, start: int, end: int) -> list[Vma]:
        """The areas that share an address with [start, end)."""
        return self.areas[self._first(start) : bisect_left(self._starts, end)]

    def covers(self, start: int, end: int) -> bool:
        """Is every address of the range in some area?"""
        for vma in self.overlap(start, end):
            if vma.start > start:
                return False
            start = vma.end
        return start >= end

    def _first(self, address: int) -> int:
        """Position of the first area that ends above the address."""
        position = bisect_right(self._starts, address)
        return position - 1 if position and self.areas[position - 1].end > address else position

    # --- changes ------------------------------------------------------------------------------------------------------

    def insert(self, vma: Vma) -> None:
        """Add an area where nothing is."""
        position = bisect_left(self._starts, vma.start)
        self.areas.insert(position, vma)
        self._starts.insert(position, vma.start)
        self.pages += vma.size >> PAGE_SHIFT

    def cut(self, start: int, end: int) -> list[Vma]:
        """Split areas at the two addresses; the areas between them."""
        for address in (start, end):
            vma = self.find(address)
            if vma is not None and vma.start != address:
                upper = vma.part(address, vma.end)
                vma.end = address
                position = bisect_left(self._starts, address)
                self.areas.insert(position, upper)
                self._starts.insert(position, address)
        return self.overlap(start, end)

    def remove(self, start: int, end: int) -> list[Vma]:
        """Take out what is between the two addresses; the areas, now of nobody."""
        gone = self.cut(start, end)
        if gone:
            position = bisect_left(self._starts, gone[0].start)
            del self.areas[position : position + len(gone)]
            del self._starts[position : position + len(gone)]
            self.pages -= sum(vma.size for vma in gone) >> PAGE_SHIFT
            self._full_size = 0  # a gap has opened
        return gone

    def merge(self, start: int, end: int) -> None:
        """Join areas that touch [start, end] wherever two could be one."""
        position = max(1, self._first(start))
        while position < len(self.areas) and self._starts[position] <= end:
            below, vma = self.areas[position - 1], self.areas[position]
            if vma.continues(below):
                below.end = vma.end
                del self.areas[position]
                del self._starts[position]
            else:
                position += 1

    def move_start(self, vma: Vma, start: int) -> None:
        """Let a stack begin lower."""
        position = bisect_left(self._starts, vma.start)
        self.pages += (vma.start - start) >> PAGE_SHIFT
        vma.offset -= vma.start - start
        vma.start = self._starts[position] = start

    # --- gaps ---------------------------------------------------------------------------------------------------------

    def is_free(self, start: int, end: int) -> bool:
        """Is nothing there, guard gaps of stacks above included?"""
        vma = self.above(start)
        return vma is None or end <= vma.gap_start

    def highest_gap(self, length: int, low: int, high: int) -> int | None:
        """Highest address between the limits with `length` free bytes (vm_unmapped_area with TOPDOWN)."""
        top = high
        if self._full_top == high and 0 < self._full_size <= length:
            top = min(top, self._full_from)
        position = self._first(top)
        if position < len(self.areas):
            top = min(top, self.areas[position].gap_start)
        while top - length >= low:
            position -= 1
            floor = self.areas[position].end if position >= 0 else 0
            if top - length >= floor:
                self._full_from, self._full_top, self._full_size = top, high, length
                return top - length
            if position < 0:
                break
            top = min(top, self.areas[position].gap_start)
        return None

    def lowest_gap(self, length: int, low: int, high: int) -> int | None:
        """Lowest address between the limits with `length` free bytes."""
        position = self._first(low)
        while low + length <= high:
            if position >= len(self.areas) or low + length <= self.areas[position].gap_start:
                return low
            low = max(low, self.areas[position].end)
            position += 1
        return None
