"""An address space (struct mm_struct): areas, the pages populated in them, page faults, and placement of mappings.

What mmap(2) and its relatives do beyond that stands in modules named after the kernel's own files: `mmap.py`,
`mprotect.py`, `mremap.py`, `madvise.py`, `mlock.py`, `mincore.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from syscalls.abi.arch import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, Arch
from syscalls.abi.errno import EAGAIN, ENOMEM, SysError
from syscalls.abi.mman import PROT_EXEC, PROT_WRITE
from syscalls.abi.prctl import PR_MDWE_NO_INHERIT
from syscalls.abi.resource import RLIM_INFINITY, RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK
from syscalls.kernel.ports import EXECUTE, READ, WRITE, Mmu, Ram
from syscalls.mm.usermem import UserMemory
from syscalls.mm.vma import (
    MAY_ALL,
    STACK_GUARD_GAP,
    VM_DONTCOPY,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VM_SHARED,
    VM_WIPEONFORK,
    Backing,
    Unmap,
    Vma,
)
from syscalls.mm.vmalist import VmaList

# What a fault that cannot be repaired raises: (signal, si_code), by asm-generic/siginfo.h.
NOT_MAPPED = (11, 1)  # SIGSEGV, SEGV_MAPERR
NOT_ALLOWED = (11, 2)  # SIGSEGV, SEGV_ACCERR
BEYOND_END = (7, 2)  # SIGBUS, BUS_ADRERR
OUT_OF_MEMORY = (9, 0x80)  # SIGKILL, SI_KERNEL: the OOM killer

#: /proc/sys/vm/max_map_count.
MAX_MAP_COUNT = 65530
#: /proc/sys/vm/mmap_min_addr: the lowest address that a mapping without CAP_SYS_RAWIO may have.
MMAP_MIN_ADDR = 65536

# How many pages one fault brings in, from an aligned window around it. Frames cost host memory only when touched, a
# fault costs more than a hundred page table entries; but sparse use must not eat up the guest's memory limit.
SPARSE_WINDOW = 16  # where no neighbour is populated yet
DENSE_WINDOW = 512
FILE_WINDOW = 64


class AddressSpace(UserMemory):
    """One user address space: everything that CLONE_VM shares."""

    def __init__(self, arch: Arch, ram: Ram, mmu: Mmu) -> None:
        super().__init__(ram, mmu)
        self.arch = arch
        self.users = 1  # tasks that live in it
        self.vmas = VmaList()
        self.limits: Mapping[int, tuple[int, int]] = {}  # RLIMIT_* -> (soft, hard): the Task lends its own
        self.max_map_count = MAX_MAP_COUNT
        self.brk_start = self.brk = 0
        self.stack_start = 0  # an address in the initial stack: its area is called [stack]
        self._watched: dict[object, Unmap] = {}
        self.ldt: dict[int, int] = {}  # x86: descriptors that modify_ldt(2) has set
        self.merge_any = False  # PR_SET_MEMORY_MERGE
        self.mdwe = 0  # PR_MDWE_*: no memory becomes executable that was, or could be, written
        self.future_lock = 0  # VM_LOCKED, VM_LOCKONFAULT of every new mapping: mlockall(MCL_FUTURE)

    def limit(self, resource: int) -> int:
        """Soft limit (getrlimit(2))."""
        return self.limits.get(resource, (RLIM_INFINITY, RLIM_INFINITY))[0]

    # --- page faults --------------------------------------------------------------------------------------------------

    def fault(self, address: int, access: int) -> tuple[int, int] | None:
        """Make `address` accessible, or answer with the (signal, si_code) to raise (handle_mm_fault).

        As on the processors, any access right lets read; WRITE and EXECUTE need their own.
        """
        vma = self.vmas.find(address) or self._grow_stack(address)
        if vma is None:
            return NOT_MAPPED
        if not (vma.prot & access if access in (WRITE, EXECUTE) else vma.prot):
            return NOT_ALLOWED
        page = address >> PAGE_SHIFT
        if vma.backing is not None and vma.index(page) << PAGE_SHIFT >= vma.backing.size:
            return BEYOND_END
        try:
            self.bring_in(vma, page, write=access == WRITE)
        except SysError as error:
            return OUT_OF_MEMORY if error.errno == ENOMEM else BEYOND_END
        return None

    def bring_in(self, vma: Vma, page: int, *, write: bool) -> None:
        """Populate the page, make it the area's own for a private store, and show it."""
        self.touched.add(page)
        if vma.backing is not None:
            first, end = window(vma, page, FILE_WINDOW)
        elif page - 1 in self.frames or page + 1 in self.frames:
            first, end = window(vma, page, DENSE_WINDOW)
        else:
            first, end = window(vma, page, SPARSE_WINDOW)
        if page not in self.frames:
            if vma.backing is None:
                self.populate_around(vma, page, first, end)
                return
            self.populate_file(vma, page, first, end)
        if write:
            if not vma.shared:
                self.make_private(page)
            elif vma.backing is not None:
                vma.backing.dirtied(vma.index(page))
        if page in self.readable:  # only this page has changed
            self.show(vma, page, page + 1, page if write else -1)
        else:
            self.show(vma, first, end, page if write else -1)

    def _grow_stack(self, address: int) -> Vma | None:
        """Extend the stack above the address down to it (expand_downwards)."""
        vma = self.vmas.above(address)
        if vma is None or not vma.flags & VM_GROWSDOWN or address >= self.arch.task_size:
            return None
        start = address & PAGE_MASK
        below = self.vmas.below(address)
        if start < MMAP_MIN_ADDR or vma.end - start > self.limit(RLIMIT_STACK):
            return None
        if below and below.prot and not below.flags & VM_GROWSDOWN and start - below.end < STACK_GUARD_GAP:
            return None
        if not self.may_expand(vma, vma.start - start):
            return None
        self.vmas.move_start(vma, start)
        return vma

    # --- limits -------------------------------------------------------------------------------------------------------

    def may_expand(self, vma: Vma, length: int) -> bool:
        """Do RLIMIT_AS and RLIMIT_DATA allow `length` more bytes of the kind of `vma` (may_expand_vm)?"""
        if (self.vmas.pages << PAGE_SHIFT) + length > self.limit(RLIMIT_AS):
            return False
        return self.may_expand_data(vma, length)

    def may_expand_data(self, vma: Vma, length: int) -> bool:
        """Does RLIMIT_DATA allow `length` more bytes of the kind of `vma`?"""
        if not vma.charged or (limit := self.limit(RLIMIT_DATA)) == RLIM_INFINITY:
            return True
        return sum(area.size for area in self.vmas if area.charged) + length <= limit

    def may_commit(self, vma: Vma, length: int) -> bool:
        """Is it no obvious overcommit (__vm_enough_memory with OVERCOMMIT_GUESS)?"""
        return not vma.accountable or length >> PAGE_SHIFT <= self.ram.limit

    # --- mapping ------------------------------------------------------------------------------------------------------

    def map(
        self,
        address: int,
        length: int,
        prot: int,
        *,
        flags: int = 0,
        backing: Backing | None = None,
        offset: int = 0,
        may: int = MAY_ALL,
        name: bytes = b"",
    ) -> int:
        """Map [address, address + length), both whole pages, replacing what is there (mmap_region); the address.

        `flags` are VM_*. Anonymous shared memory is a `SharedMemory` backing. ENOMEM beyond the limits.
        """
        end = address + length
        vma = Vma(address, end, prot, flags, backing, offset if backing is not None else address, may, name)
        replaced = sum(min(old.end, end) - max(old.start, address) for old in self.vmas.overlap(address, end))
        if len(self.vmas) > self.max_map_count or not self.may_expand(vma, length - replaced):
            raise SysError(ENOMEM)
        if not self.may_commit(vma, length):
            raise SysError(ENOMEM)
        if replaced:
            self.unmap(address, length)
        self.add(vma)
        return address

    def add(self, vma: Vma) -> None:
        """Put an area where nothing is, and join it with its neighbours where they could be one."""
        if vma.backing is not None:
            self._watch(vma.backing)
        self.vmas.insert(vma)
        self.vmas.merge(vma.start, vma.end)

    def unmap(self, address: int, length: int) -> None:
        """Take away whatever is mapped in the range of whole pages (do_vmi_munmap); ENOMEM with too many areas."""
        end = address + length
        hit = self.vmas.overlap(address, end)
        if not hit:
            return
        if hit[0].start < address and end < hit[0].end and len(self.vmas) >= self.max_map_count:
            raise SysError(ENOMEM)
        for vma in self.vmas.remove(address, end):
            self.let_go(vma)

    def let_go(self, vma: Vma) -> None:
        """Depopulate an area that is no longer in the space; what was stored to its file goes there."""
        first, count = vma.start >> PAGE_SHIFT, vma.size >> PAGE_SHIFT
        if vma.shared and vma.backing is not None and vma.backing.tracks_writes and vma.prot & PROT_WRITE:
            vma.backing.sync(vma.index(first), count)
        self.drop(first, count)
        if vma.backing is not None:
            self._unwatch(vma.backing)
            vma.backing.closed()

    def change(self, start: int, end: int, *, prot: int | None = None, set: int = 0, clear: int = 0) -> None:
        """Give the areas between two page addresses another protection or other flags; ENOMEM with too many areas."""
        for vma in self.vmas.overlap(start, end):
            wanted = vma.prot if prot is None else prot, vma.flags & ~clear | set
            if wanted == (vma.prot, vma.flags):
                continue
            low, high = max(start, vma.start), min(end, vma.end)
            pieces = (low > vma.start) + (high < vma.end)
            if pieces and len(self.vmas) + pieces > self.max_map_count + 1:
                raise SysError(ENOMEM)
            for part in self.vmas.cut(low, high):
                if part.prot != wanted[0]:
                    self.hide(low >> PAGE_SHIFT, (high - low) >> PAGE_SHIFT)
                part.prot, part.flags = wanted
        self.vmas.merge(start, end)

    def protect(self, address: int, length: int, prot: int) -> None:
        """Change the protection of mapped whole pages, without mprotect(2)'s checks: for loaders."""
        self.change(address, address + length, prot=prot)

    def populate(self, start: int, end: int) -> None:
        """Bring in every accessible page of the range, as if written to where that is private (__mm_populate).

        Raises what mlock(2) does: ENOMEM for a page beyond the end of its file, EAGAIN when there is no memory.
        """
        for vma in self.vmas.overlap(start, end):
            if not vma.prot:
                continue
            access = WRITE if vma.prot & PROT_WRITE and not vma.shared else READ
            for page in range(max(start, vma.start) >> PAGE_SHIFT, min(end, vma.end) >> PAGE_SHIFT):
                if page in self.frames and (access == READ or self.ram.users(self.frames[page]) == 1):
                    self.touched.add(page)
                elif (failure := self.fault(page << PAGE_SHIFT, access)) is not None:
                    raise SysError(EAGAIN if failure == OUT_OF_MEMORY else ENOMEM)

    # --- files that lose pages ----------------------------------------------------------------------------------------

    def _watch(self, backing: Backing) -> None:
        """From now on, hear when the content loses pages."""
        if backing.key not in self._watched:
            self._watched[backing.key] = partial(self.zap, backing.key)
            backing.unmap.append(self._watched[backing.key])

    def _unwatch(self, backing: Backing) -> None:
        """An area has gone: when it was the content's last one here, let go of the content."""
        if not any(vma.backing is not None and vma.backing.key == backing.key for vma in self.vmas):
            unmap = self._watched.pop(backing.key, None)
            if unmap is not None:
                backing.unmap.remove(unmap)

    def zap(self, key: object, first: int, count: int | None = None) -> None:
        """The content `key` is about to lose pages: take them away from the maps (unmap_mapping_range).

        A truncation (no `count`) takes private copies too, a hole does not.
        """
        for vma in self.vmas:
            backing = vma.backing
            if backing is None or backing.key != key:
                continue
            bottom = vma.index(vma.start >> PAGE_SHIFT)
            low = max(first, bottom)
            high = bottom + (vma.size >> PAGE_SHIFT)
            if count is None:
                self.drop(vma.page(low), max(0, high - low))
                continue
            for index in range(low, min(high, first + count)):
                page = vma.page(index)
                if page in self.frames and backing.resident(index) and backing.frame(index) == self.frames[page]:
                    self.drop(page, 1)

    # --- life ---------------------------------------------------------------------------------------------------------

    def fork(self, mmu: Mmu) -> AddressSpace:
        """A copy of the space, as dup_mmap makes it: private pages are shared until one side writes."""
        child = AddressSpace(self.arch, self.ram, mmu)
        child.limits, child.max_map_count = self.limits, self.max_map_count
        child.ldt = dict(self.ldt)
        child.inherit_flags(self)
        child.brk_start, child.brk, child.stack_start = self.brk_start, self.brk, self.stack_start
        for vma in self.vmas:
            if vma.flags & VM_DONTCOPY:
                continue
            copy = vma.part(vma.start, vma.end)
            copy.flags &= ~(VM_LOCKED | VM_LOCKONFAULT)
            child.vmas.insert(copy)
            if copy.backing is not None:
                child._watch(copy.backing)
            if not vma.flags & VM_WIPEONFORK:
                private = not vma.flags & VM_SHARED
                self.copy_to(child, vma.start >> PAGE_SHIFT, vma.size >> PAGE_SHIFT, private=private)
        return child

    def inherit_flags(self, parent: AddressSpace) -> None:
        """What a space has from the one of who forks or executes (mmf_init_flags)."""
        self.merge_any = parent.merge_any
        self.mdwe = 0 if parent.mdwe & PR_MDWE_NO_INHERIT else parent.mdwe

    def denies(self, old_prot: int, prot: int) -> bool:
        """Does PR_SET_MDWE forbid these access rights after those? (map_deny_write_exec)."""
        return bool(self.mdwe and prot & PROT_EXEC and (prot & PROT_WRITE or not old_prot & PROT_EXEC))

    def share(self) -> AddressSpace:
        """One task more lives here (CLONE_VM)."""
        self.users += 1
        return self

    def release(self) -> None:
        """One task less; the last one takes everything with it (mmput)."""
        self.users -= 1
        if not self.users:
            self.destroy()

    def destroy(self) -> None:
        """The last user has gone (exit_mmap): give back every frame and the page tables."""
        for vma in self.vmas.remove(0, self.arch.task_size + PAGE_SIZE):
            self.let_go(vma)
        self.mmu.destroy()

    # --- counters -----------------------------------------------------------------------------------------------------

    def rss(self) -> int:
        """Pages populated now."""
        return len(self.frames)

    def vsize(self) -> int:
        """Bytes mapped."""
        return self.vmas.pages << PAGE_SHIFT

    def locked(self) -> int:
        """Bytes in locked areas (VmLck)."""
        return sum(vma.size for vma in self.vmas if vma.flags & VM_LOCKED)


def window(vma: Vma, page: int, size: int) -> tuple[int, int]:
    """The pages [first, end) of the aligned window of `size` pages around a page, as far as the area goes."""
    first = page & -size
    return max(first, vma.start >> PAGE_SHIFT), min(first + size, vma.end >> PAGE_SHIFT)
