"""Page tables in guest RAM, of the one shape that x86 (4-level) and arm64 (4 KB granule, 48 bits) share.

Four levels of 512 entries of 64 bits; an entry with bit 0 clear shows nothing. What differs is how an entry spells its
permissions, and that is data (`Format`). Sources: Intel SDM volume 3, 4.5; Arm ARM, D8.3 (VMSAv8-64 descriptors).

The CPU may keep old translations in its TLB. The tables note in `stale` when it must be flushed before the guest goes
on. Unicorn keeps none for pages that were not present and walks the tables again when a kept one forbids an access, so
that new pages and wider permissions need no flush.

Unicorn notices when a guest writes code, but not always through another mapping of the same frame: a translation that
was used for writing before the frame's instructions were translated stays unwatched, unless it may execute as well. So
frames that are code somewhere are executable wherever they are writable.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from emu.memory import GuestRam
from syscalls.kernel.ports import EXECUTE, WRITE

ENTRIES, LEVEL_BITS, PAGE_SHIFT = 512, 9, 12
PRESENT = 1
FRAME_MASK = 0x0000_FFFF_FFFF_F000
NO_ENTRIES = memoryview(array("Q", bytes(8 * ENTRIES)))


@dataclass(frozen=True, slots=True)
class Format:
    """How an architecture spells a table entry."""

    table: int  # bits of an entry that leads to the next table
    no_execute: int  # the bit of a page's entry that forbids the user to execute it
    #: Bits of a page's entry, by access (READ | WRITE | EXECUTE). What can be written or executed can be read too.
    pages: tuple[int, ...]


def _x86(access: int) -> int:
    accessed_and_dirty = 1 << 5 | 1 << 6  # set in advance: the CPU need not write the tables
    no_execute = 0 if access & EXECUTE else 1 << 63
    return PRESENT | 1 << 2 | accessed_and_dirty | no_execute | (1 << 1 if access & WRITE else 0)


def _arm64(access: int) -> int:
    page, el0, inner_shareable, accessed, not_global, pxn = 3, 1 << 6, 3 << 8, 1 << 10, 1 << 11, 1 << 53
    read_only = 0 if access & WRITE else 1 << 7
    no_execute = 0 if access & EXECUTE else 1 << 54
    return page | el0 | inner_shareable | accessed | not_global | pxn | read_only | no_execute


X86_FORMAT = Format(
    table=PRESENT | 1 << 1 | 1 << 2 | 1 << 5, no_execute=1 << 63, pages=(0, *(_x86(access) for access in range(1, 8)))
)
ARM64_FORMAT = Format(table=3, no_execute=1 << 54, pages=(0, *(_arm64(access) for access in range(1, 8))))


class PageTables:
    """The `Mmu` port (syscalls/kernel/ports.py): tables for one address space."""

    def __init__(self, ram: GuestRam, format: Format, shared: tuple[int, int] | None = None) -> None:
        """Empty tables; `shared` is (index, entry) of the root's entry for what all spaces have in common."""
        self.ram = ram
        self.format = format
        self.stale = False  # must the TLB be flushed?
        self.faulting = -1  # the page whose refused data access is being repaired: the retry replaces its TLB entry
        self._words = ram.words
        self._root = ram.allocate(1)
        # Tables by level (1: of pages, 2: of 2 MB, 3: of 1 GB) and the number of the region they cover -> first word.
        self._tables: tuple[dict[int, int], ...] = ({}, {}, {}, {0: self._root << PAGE_SHIFT - 3})
        self._leaves = self._tables[0]
        ram.tables.add(self)
        if shared:
            self._words[(self._root << PAGE_SHIFT - 3) + shared[0]] = shared[1]

    @property
    def root(self) -> int:
        """Physical address of the top table, for CR3 or TTBR0_EL1."""
        return self._root << PAGE_SHIFT

    def map(self, page: int, frame: int, count: int, access: int) -> None:
        """Let `count` pages from `page` show the contiguous frames from `frame`, with READ, WRITE, EXECUTE bits."""
        if not access:
            self.unmap(page, count)
            return
        bits = self.format.pages[access]
        if access & EXECUTE:
            self._watch_writers(self.ram.mark_code(frame, count))
        elif access & WRITE and self.ram.mark_writable(frame, count):
            if count > 1:
                for each in range(count):
                    self.map(page + each, frame + each, 1, access)
                return
            bits &= ~self.format.no_execute
        if count == 1:
            self._map_one(page, frame << PAGE_SHIFT | bits)
            return
        words = self._words
        while count:
            index = page & ENTRIES - 1
            length = min(count, ENTRIES - index)
            first = self._leaf(page >> LEVEL_BITS) + index
            if not self.stale and words[first : first + length] != NO_ENTRIES[:length]:
                self.stale = True
            start = frame << PAGE_SHIFT | bits
            words[first : first + length] = memoryview(array("Q", range(start, start + (length << PAGE_SHIFT), 4096)))
            page += length
            frame += length
            count -= length

    def unmap(self, page: int, count: int) -> None:
        """Let the pages show nothing: the next access faults. Cheap where nothing was mapped, however large `count`."""
        end = page + count
        low, high = page >> LEVEL_BITS, end - 1 >> LEVEL_BITS
        leaves = self._leaves
        within = range(low, high + 1)
        keys = [key for key in within if key in leaves] if len(within) <= len(leaves) else [
            key for key in leaves if key in within
        ]  # fmt: skip
        for key in keys:
            base = key << LEVEL_BITS
            first, last = max(page - base, 0), min(end - base, ENTRIES)
            if last - first == ENTRIES:
                self._drop(key)
            else:
                word = leaves[key]
                self._words[word + first : word + last] = NO_ENTRIES[: last - first]
            self.stale = True

    def destroy(self) -> None:
        """Free the tables."""
        self.ram.tables.discard(self)
        for tables in self._tables:
            for word in tables.values():
                self.ram.release(word >> PAGE_SHIFT - 3)
            tables.clear()

    def lookup(self, page: int) -> int:
        """The page's entry, 0 if it shows nothing."""
        word = self._leaves.get(page >> LEVEL_BITS)
        return 0 if word is None else self._words[word + (page & ENTRIES - 1)]

    def _watch_writers(self, frames: list[int]) -> None:
        """Frames that become code are already writable for somebody: let the engine see the writes."""
        if not frames:
            return
        writable = {each << PAGE_SHIFT | self.format.pages[WRITE] for each in frames}
        for tables in self.ram.tables:
            for word in tables._leaves.values():  # noqa: SLF001 - of the same class
                for index, entry in enumerate(self._words[word : word + ENTRIES].tolist()):
                    if entry in writable:
                        self._words[word + index] = entry & ~self.format.no_execute
                        tables.stale = True

    def _map_one(self, page: int, entry: int) -> None:
        word = self._leaf(page >> LEVEL_BITS) + (page & ENTRIES - 1)
        old = self._words[word]
        if old == entry:
            return
        if old and not self._needs_no_flush(page, old, entry):
            self.stale = True
        self._words[word] = entry

    def _needs_no_flush(self, page: int, old: int, new: int) -> bool:
        """Will the CPU notice by itself that a page's entry has changed?"""
        if (old ^ new) & FRAME_MASK:  # yes if it is just about to write there; but translated code may have been found
            return page == self.faulting and bool(old & new & self.format.no_execute)
        pages = self.format.pages[::-1]  # from the back: what can be written can also be read
        old_access, new_access = (7 - pages.index(entry & ~FRAME_MASK) for entry in (old, new))
        return old_access & ~new_access == 0

    def _leaf(self, key: int) -> int:
        word = self._leaves.get(key)
        return self._table(0, key) if word is None else word

    def _table(self, level: int, key: int) -> int:
        """First word of the table of `level` (0: of pages) for region `key`, made if need be with those above it."""
        tables = self._tables[level]
        word = tables.get(key)
        if word is None:
            frame = self.ram.allocate(1)
            above = self._table(level + 1, key >> LEVEL_BITS)
            self._words[above + (key & ENTRIES - 1)] = frame << PAGE_SHIFT | self.format.table
            tables[key] = word = frame << PAGE_SHIFT - 3
        return word

    def _drop(self, key: int) -> None:
        """Free a table of pages, with all that it shows."""
        self._words[self._tables[1][key >> LEVEL_BITS] + (key & ENTRIES - 1)] = 0
        self.ram.release(self._leaves.pop(key) >> PAGE_SHIFT - 3)
