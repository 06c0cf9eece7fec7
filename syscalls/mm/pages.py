"""The populated pages of one address space, and what the hardware shows of them.

`frames` is the truth: a page in it holds a reference on its frame. The hardware may show less than that at any time,
never more: changes of protection, fork and remapping only hide pages (one cheap call), and the next access faults and
shows them again, many at a time.

`readable` and `writable` mirror what is shown, for the kernel's own accesses. A page is in `writable` when the kernel
may store into it without further ado: stores into pages that hold instructions, or that a file or another mapping
shares, take the slow way, which tells the engine to forget translated code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import SysError
from syscalls.abi.mman import PROT_EXEC, PROT_WRITE
from syscalls.kernel.ports import EXECUTE, READ, WRITE, Mmu, Ram
from syscalls.mm.vma import Vma


class Pages:
    """Page number -> frame, with copy on write."""

    def __init__(self, ram: Ram, mmu: Mmu) -> None:
        self.ram = ram
        self.mmu = mmu
        self.frames: dict[int, int] = {}
        self.readable: dict[int, int] = {}
        self.writable: dict[int, int] = {}
        self.touched: set[int] = set()  # pages that were themselves asked for, not brought in with a neighbour
        self.peak = 0  # most pages ever populated: VmHWM

    # --- populating ---------------------------------------------------------------------------------------------------

    def populate_fresh(self, vma: Vma, first: int, end: int) -> None:
        """Give the unpopulated pages [first, end) of anonymous memory zeroed frames and show them."""
        count = end - first
        frame = self.ram.allocate(count)
        pages, frames = range(first, end), range(frame, frame + count)
        self.frames.update(zip(pages, frames, strict=True))
        self.readable.update(zip(pages, frames, strict=True))
        if vma.prot & (PROT_WRITE | PROT_EXEC) == PROT_WRITE:
            self.writable.update(zip(pages, frames, strict=True))
        self.mmu.map(first, frame, count, READ | vma.prot & (WRITE | EXECUTE))

    def populate_file(self, vma: Vma, page: int, first: int, end: int) -> None:
        """Let `page` refer to its page-cache frame, and so its neighbours in [first, end) that are cached already."""
        backing = vma.backing
        assert backing is not None
        backing.read_ahead(vma.index(first), end - first)
        self._refer(page, backing.frame(vma.index(page)))
        beyond = vma.index(first) + (end - first) - ((backing.size + PAGE_SIZE - 1) >> PAGE_SHIFT)
        for neighbour in range(first, end - max(0, beyond)):
            if neighbour not in self.frames and backing.resident(vma.index(neighbour)):
                self._refer(neighbour, backing.frame(vma.index(neighbour)))

    def _refer(self, page: int, frame: int) -> None:
        self.ram.share(frame)
        self.frames[page] = frame

    def make_private(self, page: int) -> None:
        """Copy on write: let the page have a frame of its own."""
        frame = self.frames[page]
        if self.ram.users(frame) == 1:
            return
        copy = self.ram.allocate(1)
        view = self.ram.view
        source, target = frame << PAGE_SHIFT, copy << PAGE_SHIFT
        view[target : target + PAGE_SIZE] = view[source : source + PAGE_SIZE]
        self.frames[page] = copy
        self.ram.release(frame)

    # --- showing ------------------------------------------------------------------------------------------------------

    def show(self, vma: Vma, first: int, end: int, written: int = -1) -> None:
        """Let the hardware show the populated pages in [first, end). `written` is a page about to be stored to."""
        access = READ | vma.prot & EXECUTE
        run_page = run_frame = run_count = run_access = 0
        for page in range(first, end):
            frame = self.frames.get(page)
            if frame is None:
                continue
            mode = access | WRITE if self._may_write(vma, page, frame, written) else access
            self.readable[page] = frame
            if mode == READ | WRITE and vma.backing is None:
                self.writable[page] = frame
            elif page in self.writable:
                del self.writable[page]
            if page == run_page + run_count and frame == run_frame + run_count and mode == run_access:
                run_count += 1
                continue
            if run_count:
                self.mmu.map(run_page, run_frame, run_count, run_access)
            run_page, run_frame, run_count, run_access = page, frame, 1, mode
        if run_count:
            self.mmu.map(run_page, run_frame, run_count, run_access)

    def _may_write(self, vma: Vma, page: int, frame: int, written: int) -> bool:
        if not vma.prot & PROT_WRITE:
            return False
        if vma.shared:
            return page == written or (vma.backing is not None and not vma.backing.tracks_writes)
        return self.ram.users(frame) == 1

    def hide(self, first: int, count: int) -> None:
        """Let the next access to each of the pages fault. Costs little where nothing is shown, however many pages."""
        if self.readable:
            for page in present(self.readable, first, count):
                del self.readable[page]
                self.writable.pop(page, None)
        self.mmu.unmap(first, count)

    # --- letting go ---------------------------------------------------------------------------------------------------

    def drop(self, first: int, count: int) -> None:
        """Depopulate the pages."""
        self.peak = max(self.peak, len(self.frames))
        self.hide(first, count)
        pages = present(self.frames, first, count)
        if pages:
            self.touched.difference_update(pages)
            for frame, length in runs([self.frames.pop(page) for page in pages]):
                self.ram.release(frame, length)

    def move(self, first: int, count: int, to: int) -> None:
        """Let the pages show elsewhere, where nothing is populated (move_page_tables)."""
        self.hide(first, count)
        for page in present(self.frames, first, count):
            self.frames[page - first + to] = self.frames.pop(page)
            if page in self.touched:
                self.touched.remove(page)
                self.touched.add(page - first + to)

    def copy_to(self, other: Pages, first: int, count: int, *, private: bool) -> None:
        """fork(2): let both spaces refer to the frames; private pages are hidden, to be copied when next written."""
        pages = present(self.frames, first, count)
        if not pages:
            return
        if private:
            self.hide(first, count)
        for page in pages:
            other.frames[page] = self.frames[page]
        for frame, length in runs([self.frames[page] for page in pages]):
            self.ram.share(frame, length)
        other.touched.update(self.touched.intersection(pages))

    def populate_around(self, vma: Vma, page: int, first: int, end: int) -> None:
        """`populate_fresh` for as much around `page` as RAM has in one piece; ENOMEM when not even one frame."""
        if not self.frames.keys().isdisjoint(range(first, end)):
            low, high = page, page + 1
            while low > first and low - 1 not in self.frames:
                low -= 1
            while high < end and high not in self.frames:
                high += 1
            first, end = low, high
        try:
            self.populate_fresh(vma, first, end)
        except SysError:
            if end - first == 1:
                raise
            self.populate_fresh(vma, page, page + 1)


def present(pages: dict[int, int], first: int, count: int) -> list[int]:
    """The pages of the range that the dictionary has, in order."""
    if count <= len(pages):
        return [page for page in range(first, first + count) if page in pages]
    return sorted(page for page in pages if first <= page < first + count)


def runs(frames: Iterable[int]) -> Iterator[tuple[int, int]]:
    """(first, count) of each run of consecutive frames."""
    start, count = -1, 0
    for frame in frames:
        if frame == start + count:
            count += 1
            continue
        if count:
            yield start, count
        start, count = frame, 1
    if count:
        yield start, count
