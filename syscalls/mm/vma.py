"""Virtual memory areas: ranges of an address space with one protection and one source of pages (struct vm_area_struct).

An area is backed by nothing (anonymous private memory: fresh zero pages), or by an object with the Protocol `Backing`:
a mapped file, or the shared anonymous memory of `SharedMemory`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.mman import PROT_EXEC, PROT_READ, PROT_WRITE
from syscalls.kernel.ports import Ram
from syscalls.mm.mempolicy import Policy

# Flags of an area, in the kernel's values (include/linux/mm.h) where it has them. Access rights are in `prot` and
# `may` instead: VM_MAYREAD, VM_MAYWRITE, VM_MAYEXEC.
VM_SHARED = 0x8  # stores go to the backing; a read-only descriptor's shared mapping counts as private, as in Linux
VM_MAYSHARE = 0x80  # mapped with MAP_SHARED
VM_GROWSDOWN = 0x100
VM_LOCKED = 0x2000
VM_SEQ_READ = 0x8000
VM_RAND_READ = 0x10000
VM_DONTCOPY = 0x20000
VM_DONTEXPAND = 0x40000  # special mappings ([vdso]): no mremap
VM_LOCKONFAULT = 0x80000
VM_NORESERVE = 0x200000
VM_WIPEONFORK = 0x2000000
VM_DONTDUMP = 0x4000000
VM_HUGEPAGE = 0x20000000
VM_NOHUGEPAGE = 0x40000000
VM_MERGEABLE = 0x80000000
VM_SEALED = 1 << 42

#: All access rights: what may be asked of an area that nothing restricts.
MAY_ALL = PROT_READ | PROT_WRITE | PROT_EXEC
#: stack_guard_gap: how far a stack must stay away from the mapping below it.
STACK_GUARD_GAP = 256 * PAGE_SIZE


#: (first page, how many; None: all from there)
Unmap = Callable[[int, int | None], None]


class Backing(Protocol):
    """Where an area's pages come from: an open file as mmap(2) sees it. Equal backings are of one open description.

    Pages are counted from 0 at the start of the object, whatever part of it is mapped.
    """

    @property
    def key(self) -> object:
        """The content itself (the inode): two open files of one inode have one key."""

    @property
    def size(self) -> int:
        """Bytes; a page wholly beyond them raises SIGBUS."""

    @property
    def path(self) -> bytes:
        """As /proc/PID/maps shows it."""

    @property
    def device(self) -> int:
        """st_dev of the file."""

    @property
    def inode(self) -> int:
        """st_ino of the file."""

    @property
    def tracks_writes(self) -> bool:
        """Must `dirtied` be told of each page? False where the page cache is the file itself (tmpfs): of the first."""

    def frame(self, index: int) -> int:
        """Page-cache frame of a page; the area shares it in `Ram`. Any SysError but ENOMEM raises SIGBUS."""

    @property
    def unmap(self) -> list[Unmap]:
        """Whom to tell before pages of the content go away: every address space that maps it is in this list."""

    def resident(self, index: int) -> bool:
        """Is the page in the page cache now (mincore(2))?"""

    def read_ahead(self, first: int, count: int) -> None:
        """Pages that will probably be wanted: load what is cheaper to load at once. Never fails."""

    def dirtied(self, index: int) -> None:
        """A shared mapping is about to write the page, and may do so unseen until `sync`."""

    def sync(self, first: int, count: int) -> None:
        """Write dirtied pages back: msync(2), and when such a mapping goes away."""

    def closed(self) -> None:
        """An area of it has gone (vm_operations_struct's close)."""

    def punch(self, first: int, count: int) -> None:
        """Let the pages read as zeroes and free them (MADV_REMOVE); EOPNOTSUPP where that cannot be."""


class SharedMemory:
    """The pages of a MAP_SHARED | MAP_ANONYMOUS mapping, common to all who inherit it (shmem_zero_setup).

    It lives as long as an area refers to it; its frames go with it.
    """

    path = b"/dev/zero (deleted)"
    device = 1  # the kernel's internal tmpfs
    tracks_writes = False
    _last_inode = 1024

    def __init__(self, ram: Ram, size: int) -> None:
        self.ram = ram
        self.size = size
        self.frames: dict[int, int] = {}
        self.unmap: list[Unmap] = []
        SharedMemory._last_inode += 1
        self.inode = SharedMemory._last_inode

    @property
    def key(self) -> object:
        return self

    def frame(self, index: int) -> int:
        frame = self.frames.get(index)
        if frame is None:
            frame = self.frames[index] = self.ram.allocate(1)
        return frame

    def resident(self, index: int) -> bool:
        return index in self.frames

    def read_ahead(self, first: int, count: int) -> None:
        """There is nothing to load from."""

    def dirtied(self, index: int) -> None:
        """Nobody keeps another copy."""

    def sync(self, first: int, count: int) -> None:
        """Nobody keeps another copy."""

    def closed(self) -> None:
        """Nobody counts its areas."""

    def punch(self, first: int, count: int) -> None:
        for unmap in self.unmap:
            unmap(first, count)
        for index in [index for index in self.frames if first <= index < first + count]:
            self.ram.release(self.frames.pop(index))

    def __del__(self) -> None:
        for frame in self.frames.values():
            self.ram.release(frame)


@dataclass(slots=True, eq=False)
class Vma:
    """One area: addresses from `start` up to but not including `end`, both multiples of the page size.

    `offset` is the place of `start` in the backing, in bytes. For anonymous private memory it is the address that the
    area had when it was made (vm_pgoff): areas merge only where offsets continue, backed or not.
    """

    start: int
    end: int
    prot: int  # PROT_*
    flags: int = 0  # VM_*
    backing: Backing | None = None
    offset: int = 0
    may: int = MAY_ALL  # the PROT_* that mprotect(2) may grant
    name: bytes = b""  # of anonymous memory, as maps shows it: b"[vdso]", b"[anon:NAME]" (PR_SET_VMA_ANON_NAME)
    policy: Policy | None = None  # mbind(2)

    @property
    def size(self) -> int:
        """Bytes."""
        return self.end - self.start

    @property
    def shared(self) -> bool:
        """Do stores reach the backing?"""
        return bool(self.flags & VM_SHARED)

    @property
    def anonymous(self) -> bool:
        """Is it private memory without a file (vma_is_anonymous)?"""
        return self.backing is None

    @property
    def gap_start(self) -> int:
        """Where the guard gap below it begins (vm_start_gap): `start`, unless it may grow down."""
        return max(0, self.start - STACK_GUARD_GAP) if self.flags & VM_GROWSDOWN else self.start

    @property
    def charged(self) -> bool:
        """Is it data of the process for RLIMIT_DATA (is_data_mapping): private, writable and not a stack?"""
        return self.prot & PROT_WRITE != 0 and not self.flags & (VM_SHARED | VM_GROWSDOWN)

    @property
    def accountable(self) -> bool:
        """Does it count as committed memory (accountable_mapping)?"""
        return self.prot & PROT_WRITE != 0 and not self.flags & (VM_SHARED | VM_NORESERVE)

    def index(self, page: int) -> int:
        """Page of the backing that shows at the page number `page` of the address space."""
        return page - (self.start >> PAGE_SHIFT) + (self.offset >> PAGE_SHIFT)

    def page(self, index: int) -> int:
        """Page number at which the backing's page `index` shows."""
        return index - (self.offset >> PAGE_SHIFT) + (self.start >> PAGE_SHIFT)

    def part(self, start: int, end: int) -> Vma:
        """A copy of the piece from `start` to `end`."""
        return replace(self, start=start, end=end, offset=self.offset + start - self.start)

    def continues(self, below: Vma) -> bool:
        """Could it be one area with `below` (can_vma_merge_after)?"""
        return (
            below.end == self.start
            and below.prot == self.prot
            and below.flags == self.flags
            and below.may == self.may
            and below.offset + below.size == self.offset
            and below.backing == self.backing
            and below.name == self.name
            and below.policy == self.policy
        )
