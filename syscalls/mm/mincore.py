"""mincore(2) and msync(2): mm/mincore.c, mm/msync.c."""

from __future__ import annotations

from collections.abc import Iterator

from syscalls.abi.arch import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import EBUSY, EINVAL, ENOMEM, SysError
from syscalls.abi.mman import MS_ASYNC, MS_INVALIDATE, MS_SYNC
from syscalls.mm.mmap import TOP, page_align
from syscalls.mm.space import AddressSpace
from syscalls.mm.vma import VM_LOCKED, VM_LOCKONFAULT, Vma

_ZEROES = bytes(PAGE_SIZE)
#: Pages that one answer covers: as many as the kernel's buffer of one page has bytes.
CHUNK = PAGE_SIZE


def residency(space: AddressSpace, start: int, pages: int) -> Iterator[bytes]:
    """A byte per page, 1 when it is in memory, in pieces; ENOMEM at the first hole, after the pieces before it."""
    while pages:
        vma = space.vmas.find(start)
        if vma is None:
            raise SysError(ENOMEM)
        count = min(pages, CHUNK, (vma.end - start) >> PAGE_SHIFT)
        first = start >> PAGE_SHIFT
        yield bytes(_is_resident(space, vma, page) for page in range(first, first + count))
        start += count << PAGE_SHIFT
        pages -= count


def _is_resident(space: AddressSpace, vma: Vma, page: int) -> bool:
    """A page that came in with its neighbour counts once it was asked for itself, or something is stored in it."""
    frame = space.frames.get(page)
    if vma.backing is not None:
        return frame is not None or vma.backing.resident(vma.index(page))
    if frame is None:
        return False
    if page in space.touched or vma.flags & (VM_LOCKED | VM_LOCKONFAULT) == VM_LOCKED:
        return True
    return space.ram.view[frame << PAGE_SHIFT : (frame + 1) << PAGE_SHIFT] != _ZEROES


def do_msync(space: AddressSpace, start: int, length: int, flags: int) -> None:
    """Write shared file pages back: EINVAL, EBUSY, and ENOMEM for a hole, after all else is done."""
    if flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) or start & ~PAGE_MASK:
        raise SysError(EINVAL)
    if flags & MS_ASYNC and flags & MS_SYNC:
        raise SysError(EINVAL)
    size = page_align(length)
    end = start + size
    if end > TOP:
        raise SysError(ENOMEM)
    for vma in space.vmas.overlap(start, end) if size else ():
        if flags & MS_INVALIDATE and vma.flags & VM_LOCKED:
            raise SysError(EBUSY)
        if flags & MS_SYNC and vma.shared and vma.backing is not None:
            low, high = max(start, vma.start), min(end, vma.end)
            vma.backing.sync(vma.index(low >> PAGE_SHIFT), (high - low) >> PAGE_SHIFT)
    if not space.vmas.covers(start, end):
        raise SysError(ENOMEM)
