"""mmap(2), munmap(2), brk(2), remap_file_pages(2), mseal(2): mm/mmap.c, mm/mseal.c. Order of checks as there."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from syscalls.abi.arch import PAGE_MASK, PAGE_SIZE
from syscalls.abi.errno import (
    EACCES,
    EAGAIN,
    EEXIST,
    EINVAL,
    ENOMEM,
    EOPNOTSUPP,
    EOVERFLOW,
    EPERM,
    SysError,
)
from syscalls.abi.mman import (
    LEGACY_MAP_MASK,
    MAP_32BIT,
    MAP_ABOVE4G,
    MAP_DROPPABLE,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_GROWSDOWN,
    MAP_LOCKED,
    MAP_NONBLOCK,
    MAP_NORESERVE,
    MAP_POPULATE,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_TYPE,
    PROT_EXEC,
    PROT_WRITE,
)
from syscalls.abi.resource import RLIMIT_DATA, RLIMIT_MEMLOCK
from syscalls.kernel.ports import EXECUTE, READ, WRITE, Ram
from syscalls.mm.space import MMAP_MIN_ADDR, AddressSpace
from syscalls.mm.vma import (
    MAY_ALL,
    VM_DONTDUMP,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VM_MAYSHARE,
    VM_NORESERVE,
    VM_SEALED,
    VM_SHARED,
    VM_WIPEONFORK,
    Backing,
    SharedMemory,
    Vma,
)

#: Where MAP_32BIT mappings go, on the architecture that has the flag (find_start_end, arch/x86/kernel/sys_x86_64.c).
LOW_AREA: dict[str, tuple[int, int]] = {"x86_64": (0x4000_0000, 0x8000_0000)}
ABOVE_4G: dict[str, int] = {"x86_64": 1 << 32}


#: The highest number of an unsigned long of the kernel: sums beyond it overflow.
TOP = (1 << 64) - 1


class Mappable(Protocol):
    """An open file, as mmap(2) asks about it."""

    @property
    def readable(self) -> bool:
        """Was it opened for reading?"""

    @property
    def writable(self) -> bool:
        """Was it opened for writing?"""

    @property
    def sealed(self) -> bool:
        """Do seals forbid shared mappings to write to it (F_ADD_SEALS of fcntl(2))?"""

    @property
    def append_only(self) -> bool:
        """May it only grow (FS_APPEND_FL)?"""

    @property
    def noexec(self) -> bool:
        """Does its mount forbid execution?"""

    @property
    def max_bytes(self) -> int:
        """Largest size of a file there (s_maxbytes)."""

    def backing(self, ram: Ram, length: int, *, shared: bool) -> Backing | None:
        """What a mapping of `length` bytes is backed by; None: anonymous memory (/dev/zero). ENODEV."""


def page_align(length: int) -> int:
    """Up to a whole page; 0 on overflow (PAGE_ALIGN).

    As wide as a 64-bit kernel's, for i386 too: the kernel that Trapeze takes after runs 32-bit programs beside others.
    """
    return (length + PAGE_SIZE - 1) & PAGE_MASK & TOP


# --- placement --------------------------------------------------------------------------------------------------------


def get_unmapped_area(space: AddressSpace, address: int, length: int, flags: int, *, rawio: bool = False) -> int:
    """Where a mapping of whole pages goes: at `address` with MAP_FIXED, there if it is free, or else where Linux looks.

    ENOMEM when there is no room; EPERM below mmap_min_addr without `rawio` (CAP_SYS_RAWIO).
    """
    top = space.arch.task_size
    if length > top:
        raise SysError(ENOMEM)
    if not flags & MAP_FIXED:
        address = _free_area(space, address, length, flags)
    if address > top - length:
        raise SysError(ENOMEM)
    if address & ~PAGE_MASK:
        raise SysError(EINVAL)
    if address < MMAP_MIN_ADDR and not rawio:
        raise SysError(EPERM)
    return address


def _free_area(space: AddressSpace, hint: int, length: int, flags: int) -> int:
    arch, vmas = space.arch, space.vmas
    if flags & MAP_32BIT and (area := LOW_AREA.get(arch.name)):
        if hint and area[0] <= hint <= area[1] - length and vmas.is_free(hint, hint + length):
            return hint
        found = vmas.lowest_gap(length, *area)
    else:
        low = ABOVE_4G.get(arch.name, MMAP_MIN_ADDR) if flags & MAP_ABOVE4G else MMAP_MIN_ADDR
        if low <= hint <= arch.task_size - length and vmas.is_free(hint, hint + length):
            return hint
        found = vmas.highest_gap(length, low, arch.mmap_base)
        if found is None:  # the area below is full: anything goes (TASK_UNMAPPED_BASE)
            found = vmas.lowest_gap(length, max(low, (arch.task_size // 3) & PAGE_MASK), arch.task_size)
    if found is None:
        raise SysError(ENOMEM)
    return found


# --- mmap -------------------------------------------------------------------------------------------------------------


def do_mmap(
    space: AddressSpace,
    address: int,
    length: int,
    prot: int,
    flags: int,
    file: Mappable | None = None,
    page_offset: int = 0,
    *,
    may_lock: bool = False,
    rawio: bool = False,
) -> int:
    """Map `length` bytes of a file from page `page_offset` on, or of anonymous memory; the address.

    `may_lock` is CAP_IPC_LOCK, `rawio` CAP_SYS_RAWIO.
    """
    if not length:
        raise SysError(EINVAL)
    if flags & MAP_FIXED_NOREPLACE:
        flags |= MAP_FIXED
    if not flags & MAP_FIXED and (address := address & PAGE_MASK):
        address = max(address, MMAP_MIN_ADDR)
    length = page_align(length)
    if not length:
        raise SysError(ENOMEM)
    if page_offset + length // PAGE_SIZE > TOP:
        raise SysError(EOVERFLOW)
    if len(space.vmas) > space.max_map_count:
        raise SysError(ENOMEM)
    address = get_unmapped_area(space, address, length, flags, rawio=rawio)
    if flags & MAP_FIXED_NOREPLACE and space.vmas.overlap(address, address + length):
        raise SysError(EEXIST)
    locked = space.future_lock
    if flags & MAP_LOCKED:
        if not (may_lock or space.limit(RLIMIT_MEMLOCK)):
            raise SysError(EPERM)
        locked |= VM_LOCKED
    if locked and not may_lock and space.locked() + length > space.limit(RLIMIT_MEMLOCK):
        raise SysError(EAGAIN)
    vm_flags = locked | (VM_GROWSDOWN if flags & MAP_GROWSDOWN else 0) | (VM_NORESERVE if flags & MAP_NORESERVE else 0)
    if file is None:
        vm_flags, backing, may = *_anonymous(space, length, flags, vm_flags), MAY_ALL
    else:
        vm_flags, may = _check_file(file, length, prot, flags, vm_flags, page_offset)
        backing = file.backing(space.ram, length, shared=bool(vm_flags & VM_SHARED))
        if vm_flags & VM_GROWSDOWN:
            raise SysError(EINVAL)
    check_sealed(space, address, address + length)
    prot &= READ | WRITE | EXECUTE
    if space.denies(prot, prot):
        raise SysError(EACCES)
    space.map(address, length, prot, flags=vm_flags, backing=backing, offset=page_offset * PAGE_SIZE, may=may)
    if (locked & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED or flags & (MAP_POPULATE | MAP_NONBLOCK) == MAP_POPULATE:
        with suppress(SysError):  # mm_populate ignores errors
            space.populate(address, address + length)
    return address


def _anonymous(space: AddressSpace, length: int, flags: int, vm_flags: int) -> tuple[int, Backing | None]:
    kind = flags & MAP_TYPE
    if kind == MAP_SHARED:
        if vm_flags & VM_GROWSDOWN:
            raise SysError(EINVAL)
        if length // PAGE_SIZE > space.ram.limit and not vm_flags & VM_NORESERVE:
            raise SysError(ENOMEM)
        return vm_flags | VM_SHARED | VM_MAYSHARE, SharedMemory(space.ram, length)
    if kind == MAP_DROPPABLE:
        if vm_flags & (VM_GROWSDOWN | VM_LOCKED):
            raise SysError(EINVAL)
        return vm_flags | VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP, None
    if kind == MAP_PRIVATE:
        return vm_flags, None
    raise SysError(EINVAL)


def _check_file(file: Mappable, length: int, prot: int, flags: int, vm_flags: int, page_offset: int) -> tuple[int, int]:
    """The file's part of do_mmap: (VM_* flags, what mprotect may grant)."""
    if page_offset * PAGE_SIZE + length > -(-file.max_bytes // PAGE_SIZE) * PAGE_SIZE:
        raise SysError(EOVERFLOW)
    kind, may = flags & MAP_TYPE, MAY_ALL
    if kind in (MAP_SHARED, MAP_SHARED_VALIDATE):
        if kind == MAP_SHARED_VALIDATE and flags & ~LEGACY_MAP_MASK:
            raise SysError(EOPNOTSUPP)
        if prot & PROT_WRITE and not file.writable:
            raise SysError(EACCES)
        if file.writable and file.append_only:
            raise SysError(EACCES)
        vm_flags |= VM_MAYSHARE
        if file.writable:
            vm_flags |= VM_SHARED
        else:
            may &= ~PROT_WRITE
    elif kind != MAP_PRIVATE:
        raise SysError(EINVAL)
    if not file.readable:
        raise SysError(EACCES)
    if file.noexec:
        if prot & PROT_EXEC:
            raise SysError(EPERM)
        may &= ~PROT_EXEC
    if vm_flags & VM_SHARED and file.sealed:
        if prot & PROT_WRITE:
            raise SysError(EPERM)
        may &= ~PROT_WRITE
    return vm_flags, may


# --- munmap, mseal ----------------------------------------------------------------------------------------------------


def do_munmap(space: AddressSpace, start: int, length: int) -> None:
    """Remove mappings; EINVAL, EPERM when sealed, ENOMEM."""
    top = space.arch.task_size
    if start & ~PAGE_MASK or start > top or length > top - start:
        raise SysError(EINVAL)
    length = page_align(length)
    if not length:
        raise SysError(EINVAL)
    check_sealed(space, start, start + length)
    space.unmap(start, length)


def check_sealed(space: AddressSpace, start: int, end: int) -> None:
    """EPERM when an area in the range is sealed (can_modify_mm)."""
    if any(vma.flags & VM_SEALED for vma in space.vmas.overlap(start, end)):
        raise SysError(EPERM)


def do_mseal(space: AddressSpace, start: int, length: int, flags: int) -> None:
    """Forbid changes of the range's mappings for good; EINVAL, ENOMEM for a hole."""
    size = page_align(length)
    if flags or start & ~PAGE_MASK or (length and not size) or start + size > TOP:
        raise SysError(EINVAL)
    if not size:
        return
    if not space.vmas.covers(start, start + size):
        raise SysError(ENOMEM)
    space.change(start, start + size, set=VM_SEALED)


# --- brk --------------------------------------------------------------------------------------------------------------


def do_brk(space: AddressSpace, brk: int, *, may_lock: bool = False) -> int:
    """Move the program break if that is possible; where it is then (sys_brk never fails)."""
    if brk < space.brk_start or brk - space.brk_start > space.limit(RLIMIT_DATA):
        return space.brk
    old, new = page_align(space.brk), page_align(brk)
    try:
        if new < old:
            check_sealed(space, new, old)
            space.unmap(new, old - new)
        elif new > old:
            _grow_heap(space, old, new, may_lock=may_lock)
    except SysError:
        return space.brk
    space.brk = brk
    return brk


def _grow_heap(space: AddressSpace, old: int, new: int, *, may_lock: bool) -> None:
    above = space.vmas.above(old)
    if new > space.arch.task_size or (above is not None and new + PAGE_SIZE > above.gap_start):
        raise SysError(ENOMEM)
    lock = space.future_lock
    if lock and not may_lock and space.locked() + new - old > space.limit(RLIMIT_MEMLOCK):
        raise SysError(EAGAIN)
    space.map(old, new - old, READ | WRITE, flags=lock)
    if lock == VM_LOCKED:
        with suppress(SysError):
            space.populate(old, new)


# --- remap_file_pages -------------------------------------------------------------------------------------------------


def do_remap_file_pages(space: AddressSpace, start: int, size: int, prot: int, page_offset: int, flags: int) -> None:
    """Let part of a shared mapping show other pages of its file, as the kernel emulates it since 4.0."""
    start, size = start & PAGE_MASK, size & PAGE_MASK
    if prot or not size or start + size > TOP or page_offset + size // PAGE_SIZE > TOP:
        raise SysError(EINVAL)
    vma = space.vmas.find(start)
    if vma is None or not vma.shared or vma.backing is None:
        raise SysError(EINVAL)
    if not space.vmas.covers(start, start + size) or not all(
        _alike(part, vma) for part in space.vmas.overlap(start, start + size)
    ):
        raise SysError(EINVAL)
    check_sealed(space, start, start + size)
    backing, vm_flags, may = vma.backing, vma.flags, vma.may
    space.map(
        start, size, vma.prot, flags=vm_flags, backing=backing, offset=page_offset * PAGE_SIZE, may=may
    )  # fmt: skip
    if not flags & MAP_NONBLOCK:
        with suppress(SysError):
            space.populate(start, start + size)


def _alike(part: Vma, vma: Vma) -> bool:
    return part.backing == vma.backing and part.flags == vma.flags
