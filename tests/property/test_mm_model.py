"""Random memory-mapping calls on address spaces, held against a dictionary of pages that knows nothing of frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import hypothesis.strategies as st
from fakes import FakeMmu, FakeRam, FileOfFrames
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from syscalls.abi.arch import X86_64
from syscalls.abi.errno import SysError
from syscalls.abi.mman import MADV_DONTNEED, MREMAP_FIXED, MREMAP_MAYMOVE
from syscalls.kernel.ports import EXECUTE, READ, WRITE
from syscalls.mm.madvise import do_madvise
from syscalls.mm.mmap import do_munmap
from syscalls.mm.mprotect import do_mprotect
from syscalls.mm.mremap import do_mremap
from syscalls.mm.space import AddressSpace
from syscalls.mm.vma import VM_MAYSHARE, VM_SHARED, SharedMemory

BASE, PAGES = 0x100, 14
SHARED = VM_SHARED | VM_MAYSHARE
FILE_PAGES = 8
page_numbers = st.integers(BASE, BASE + PAGES - 1)
counts = st.integers(1, 6)
prots = st.sampled_from([3, 0, 1, 3, 3, 5, 7, 2])
bytes_ = st.integers(1, 255)
which = st.integers(0, 3)


@dataclass
class Page:
    """`own` is the content of a private page that was written or is anonymous; others show their store."""

    prot: int
    shared: bool
    store: list | None
    index: int
    own: int | None

    def value(self):
        if self.own is not None:
            return self.own
        return self.store[self.index] if self.index < len(self.store) else None


class Maps(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.ram = FakeRam(4096)
        self.file = FileOfFrames(self.ram, FILE_PAGES)
        self.file_store = [0] * FILE_PAGES
        self.spaces = [(AddressSpace(X86_64, self.ram, FakeMmu()), {})]
        self.map_anonymous(0, BASE, PAGES // 2, READ | WRITE)
        self.map_file(0, BASE + PAGES // 2, PAGES // 2, READ | WRITE, 0, shared=False)

    def pick(self, number):
        return self.spaces[number % len(self.spaces)]

    # --- calls --------------------------------------------------------------------------------------------------------

    @rule(n=which, page=page_numbers, count=counts, prot=prots)
    def map_anonymous(self, n, page, count, prot):
        space, model = self.pick(n)
        space.map(page << 12, count << 12, prot)
        model.update({p: Page(prot, False, None, p, 0) for p in range(page, page + count)})

    @rule(n=which, page=page_numbers, count=counts, prot=prots)
    def map_shared(self, n, page, count, prot):
        space, model = self.pick(n)
        space.map(page << 12, count << 12, prot, flags=SHARED, backing=SharedMemory(self.ram, count << 12))
        store = [0] * count
        model.update({page + i: Page(prot, True, store, i, None) for i in range(count)})

    @rule(n=which, page=page_numbers, count=counts, prot=prots, first=st.integers(0, 5), shared=st.booleans())
    def map_file(self, n, page, count, prot, first, shared):
        space, model = self.pick(n)
        flags = SHARED if shared else 0
        space.map(page << 12, count << 12, prot, flags=flags, backing=self.file, offset=first << 12)
        model.update({page + i: Page(prot, shared, self.file_store, first + i, None) for i in range(count)})

    @rule(n=which, page=page_numbers, count=counts)
    def munmap(self, n, page, count):
        space, model = self.pick(n)
        do_munmap(space, page << 12, count << 12)
        for number in range(page, page + count):
            model.pop(number, None)

    @rule(n=which, page=page_numbers, count=counts, prot=prots)
    def mprotect(self, n, page, count, prot):
        space, model = self.pick(n)
        try:
            do_mprotect(space, page << 12, count << 12, prot)
            failed = False
        except SysError:
            failed = True
        for number in range(page, page + count):
            if number not in model:
                assert failed
                return
            model[number].prot = prot
        assert not failed

    @rule(n=which, page=page_numbers, old=counts, new=counts, to=page_numbers)
    def mremap_fixed(self, n, page, old, new, to):
        space, model = self.pick(n)
        vma = space.vmas.find(page << 12)
        overlap = page < to + new and to < page + old
        legal = vma is not None and not overlap and page + old <= vma.end >> 12
        try:
            do_mremap(space, page << 12, old << 12, new << 12, MREMAP_MAYMOVE | MREMAP_FIXED, to << 12)
        except SysError:
            assert not legal
            return
        assert legal
        moved = [model.pop(page + i) for i in range(old)][:new]
        for number in range(to, to + new):
            model.pop(number, None)
        self.place(model, to, moved, new)

    @rule(n=which, page=page_numbers, old=counts, new=counts)
    def mremap_in_place(self, n, page, old, new):
        space, model = self.pick(n)
        vma = space.vmas.find(page << 12)
        free = all(number not in model for number in range(page + old, page + new))
        legal = vma is not None and (new <= old or (page + old == vma.end >> 12 and free))
        try:
            assert do_mremap(space, page << 12, old << 12, new << 12, 0) == page << 12
        except SysError:
            assert not legal
            return
        assert legal
        if new > old:
            self.place(model, page, [model[page + i] for i in range(old)], new)
        for number in range(page + new, page + old):
            model.pop(number, None)

    @staticmethod
    def place(model, to, moved, new):
        last = moved[-1]
        for i in range(new):
            if i < len(moved):
                model[to + i] = moved[i]
            else:
                own = 0 if last.store is None else None
                model[to + i] = replace(last, index=last.index + i - len(moved) + 1, own=own)

    @rule(n=which, page=page_numbers, count=counts)
    def dontneed(self, n, page, count):
        space, model = self.pick(n)
        try:
            do_madvise(space, page << 12, count << 12, MADV_DONTNEED)
            assert all(number in model for number in range(page, page + count))
        except SysError:
            assert any(number not in model for number in range(page, page + count))
        for number in range(page, page + count):
            if number in model:
                model[number].own = 0 if model[number].store is None else None

    @rule(n=which)
    def fork(self, n):
        space, model = self.pick(n)
        if len(self.spaces) < 4:
            self.spaces.append((space.fork(FakeMmu()), {number: replace(page) for number, page in model.items()}))

    @rule(n=which)
    def exit(self, n):
        if len(self.spaces) > 1:
            space, _ = self.spaces.pop(n % len(self.spaces))
            space.destroy()

    @rule(index=st.integers(0, FILE_PAGES), byte=bytes_)
    def write_file(self, index, byte):
        if index < len(self.file_store):
            self.file.store(index, byte)
            self.file_store[index] = byte

    @rule(pages=st.integers(0, FILE_PAGES))
    def truncate_file(self, pages):
        self.file.truncate(pages)
        del self.file_store[pages:]
        self.file_store.extend([0] * (pages - len(self.file_store)))
        for _, model in self.spaces:
            for page in model.values():
                if page.store is self.file_store and page.index >= pages:
                    page.own = None

    # --- accesses -----------------------------------------------------------------------------------------------------

    @rule(n=which, page=page_numbers, byte=bytes_)
    def store(self, n, page, byte):
        space, model = self.pick(n)
        entry = model.get(page)
        allowed = entry is not None and entry.prot & WRITE and entry.value() is not None
        try:
            space.write(page << 12, bytes([byte]))
        except SysError:
            assert not allowed
            return
        assert allowed
        if entry.shared:
            entry.store[entry.index] = byte
            if entry.store is self.file_store:
                assert entry.index in self.file.dirty
        else:
            entry.own = byte

    @rule(n=which, page=page_numbers, access=st.sampled_from([READ, WRITE, EXECUTE]))
    def fault(self, n, page, access):
        space, model = self.pick(n)
        entry = model.get(page)
        answer = space.fault(page << 12, access)
        if entry is None:
            assert answer == (11, 1)
        elif not (entry.prot if access == READ else entry.prot & access):
            assert answer == (11, 2)
        elif entry.value() is None:
            assert answer == (7, 2)
        else:
            assert answer is None
            frame, shown = space.mmu.pages[page]
            assert shown & access
            assert self.ram.view[frame << 12] == entry.value()
            if access == WRITE and not entry.shared and entry.own is None:
                entry.own = entry.value()

    @rule(n=which, page=page_numbers, count=counts)
    def load(self, n, page, count):
        space, model = self.pick(n)
        expected = []
        for number in range(page, page + count):
            entry = model.get(number)
            if entry is None or not entry.prot or entry.value() is None:
                break
            expected.append(entry.value())
        try:
            data = space.read_some(page << 12, count << 12)
        except SysError:
            data = b""
        assert list(data[::4096]) == expected

    # --- what must always hold ----------------------------------------------------------------------------------------

    @invariant()
    def areas_are_the_model(self):
        for space, model in self.spaces:
            pages = {
                number: (vma.prot, vma.shared)
                for vma in space.vmas
                for number in range(vma.start >> 12, vma.end >> 12)
            }  # fmt: skip
            assert pages == {number: (page.prot, page.shared) for number, page in model.items()}
            assert space.vmas.pages == len(model)
            areas = list(space.vmas)
            assert not any(above.continues(below) for below, above in pairwise(areas))

    @invariant()
    def hardware_shows_no_more_than_is_allowed(self):
        for space, model in self.spaces:
            assert space.readable.keys() == space.mmu.pages.keys()
            assert space.writable.keys() <= space.readable.keys()
            for number, (frame, access) in space.mmu.pages.items():
                entry = model[number]
                assert space.frames[number] == space.readable[number] == frame
                assert entry.prot
                assert not access & EXECUTE or entry.prot & EXECUTE
                assert self.ram.view[frame << 12] == entry.value()
                if access & WRITE:
                    assert entry.prot & WRITE
                    assert entry.shared or self.ram.users(frame) == 1
                else:
                    assert number not in space.writable

    def teardown(self):
        for space, _ in self.spaces:
            space.destroy()
        assert not self.file.unmap
        self.spaces.clear()
        assert self.ram.used == len(self.file.frames)


Maps.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestMaps = Maps.TestCase
