"""mremap(2): mm/mremap.c. Order of checks as there (check_mremap_params, check_prep_vma, mremap_to, expand_vma)."""

from __future__ import annotations

from contextlib import suppress

from syscalls.abi.arch import PAGE_MASK, PAGE_SHIFT
from syscalls.abi.errno import EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM, SysError
from syscalls.abi.mman import MAP_FIXED, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE
from syscalls.abi.resource import RLIMIT_MEMLOCK
from syscalls.mm.mmap import TOP, do_munmap, get_unmapped_area, page_align
from syscalls.mm.pages import present
from syscalls.mm.space import AddressSpace
from syscalls.mm.vma import VM_DONTEXPAND, VM_LOCKED, VM_LOCKONFAULT, VM_MAYSHARE, VM_SEALED, Vma


def do_mremap(
    space: AddressSpace,
    address: int,
    old_length: int,
    new_length: int,
    flags: int,
    new_address: int = 0,
    *,
    may_lock: bool = False,
    rawio: bool = False,
) -> int:
    """Resize or move (a part of) one area; its address afterwards. `old_length` 0 maps shared memory once more."""
    old, new = page_align(old_length), page_align(new_length)
    moves = bool(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
    _check_parameters(space, address, old, new, flags, new_address)
    vma = space.vmas.find(address)
    if vma is None:
        raise SysError(EFAULT)
    if vma.flags & VM_SEALED:
        raise SysError(EPERM)
    if moves or new > old:
        _check_area(space, vma, address, old, new, flags, may_lock=may_lock)
    if moves:
        return _move_to(space, address, old, new, flags, new_address, rawio=rawio)
    if new <= old:
        if new < old:
            do_munmap(space, address + new, old - new)
        return address
    if _expand(space, vma, address, old, new):
        return address
    if not flags & MREMAP_MAYMOVE:
        raise SysError(ENOMEM)
    return _move(space, vma, address, old, new, get_unmapped_area(space, 0, new, 0))


def _check_parameters(space: AddressSpace, address: int, old: int, new: int, flags: int, new_address: int) -> None:
    top = space.arch.task_size
    if flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) or address & ~PAGE_MASK:
        raise SysError(EINVAL)
    if not new or new > top:
        raise SysError(EINVAL)
    if not flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
        return
    if new_address > top - new or new_address & ~PAGE_MASK or not flags & MREMAP_MAYMOVE:
        raise SysError(EINVAL)
    if flags & MREMAP_DONTUNMAP and old != new:
        raise SysError(EINVAL)
    if address + old > new_address and new_address + new > address:
        raise SysError(EINVAL)
    if len(space.vmas) + 2 >= space.max_map_count - 3:
        raise SysError(ENOMEM)


def _check_area(space: AddressSpace, vma: Vma, address: int, old: int, new: int, flags: int, *, may_lock: bool) -> None:
    if not old and not vma.flags & VM_MAYSHARE:
        raise SysError(EINVAL)
    if flags & MREMAP_DONTUNMAP and vma.flags & VM_DONTEXPAND:
        raise SysError(EINVAL)
    if old > vma.end - address:
        raise SysError(EFAULT)
    if new <= old:
        return
    if (vma.index(address >> PAGE_SHIFT) << PAGE_SHIFT) + new > TOP:
        raise SysError(EINVAL)
    if vma.flags & VM_DONTEXPAND:
        raise SysError(EFAULT)
    if vma.flags & VM_LOCKED and not may_lock and space.locked() + new - old > space.limit(RLIMIT_MEMLOCK):
        raise SysError(EAGAIN)
    if not space.may_expand(vma, new - old):
        raise SysError(ENOMEM)


def _expand(space: AddressSpace, vma: Vma, address: int, old: int, new: int) -> bool:
    """Grow in place where the area ends at the old end and nothing is behind it."""
    end = vma.end
    if address + old != end or address + new > space.arch.task_size or not space.vmas.is_free(end, address + new):
        return False
    if not space.may_commit(vma, new - old):
        raise SysError(ENOMEM)
    locked = vma.flags
    more = vma.part(end, end)
    more.end = address + new
    space.add(more)
    _populate_locked(space, locked, end, address + new)
    return True


def _move_to(
    space: AddressSpace, address: int, old: int, new: int, flags: int, new_address: int, *, rawio: bool
) -> int:
    """MREMAP_FIXED and MREMAP_DONTUNMAP."""
    if flags & MREMAP_FIXED:
        do_munmap(space, new_address, new)
    if old > new:
        do_munmap(space, address + new, old - new)
        old = new
    vma = space.vmas.find(address)
    if vma is None:
        raise SysError(EFAULT)
    keep = bool(flags & MREMAP_DONTUNMAP)
    if keep and not space.may_expand(vma, new):
        raise SysError(ENOMEM)
    place = MAP_FIXED if flags & MREMAP_FIXED else 0
    target = get_unmapped_area(space, new_address, new, place, rawio=rawio)
    return _move(space, vma, address, old, new, target, keep=keep)


def _move(space: AddressSpace, vma: Vma, address: int, old: int, new: int, target: int, *, keep: bool = False) -> int:
    """Let the area's part go on at `target`, its pages with it (move_vma). `keep` leaves an empty area behind."""
    if len(space.vmas) >= space.max_map_count - 3 or not space.may_commit(vma, new if keep else new - old):
        raise SysError(ENOMEM)
    first, count = address >> PAGE_SHIFT, old >> PAGE_SHIFT
    moved = vma.part(address, address)
    moved.start, moved.end = target, target + new
    if moved.anonymous and not present(space.frames, vma.start >> PAGE_SHIFT, vma.size >> PAGE_SHIFT):
        moved.offset = target
    flags = moved.flags
    space.move(first, count, target >> PAGE_SHIFT)
    if not old:
        space.add(moved)
    elif keep:
        space.add(moved)
        space.change(address, address + old, clear=VM_LOCKED | VM_LOCKONFAULT)
    else:
        for part in space.vmas.remove(address, address + old):
            space.let_go(part)
        space.add(moved)
    _populate_locked(space, flags, target + old, target + new)
    return target


def _populate_locked(space: AddressSpace, flags: int, start: int, end: int) -> None:
    if flags & (VM_LOCKED | VM_LOCKONFAULT) == VM_LOCKED:
        with suppress(SysError):
            space.populate(start, end)
