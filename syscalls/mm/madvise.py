"""madvise(2): mm/madvise.c. Advice that only speeds things up is taken; nothing is swapped or merged here."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi.arch import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import EACCES, EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM, SysError
from syscalls.abi.mman import (
    MADV_COLD,
    MADV_COLLAPSE,
    MADV_DODUMP,
    MADV_DOFORK,
    MADV_DONTDUMP,
    MADV_DONTFORK,
    MADV_DONTNEED,
    MADV_DONTNEED_LOCKED,
    MADV_FREE,
    MADV_HUGEPAGE,
    MADV_KEEPONFORK,
    MADV_MERGEABLE,
    MADV_NOHUGEPAGE,
    MADV_NORMAL,
    MADV_PAGEOUT,
    MADV_POPULATE_READ,
    MADV_POPULATE_WRITE,
    MADV_RANDOM,
    MADV_REMOVE,
    MADV_SEQUENTIAL,
    MADV_UNMERGEABLE,
    MADV_WILLNEED,
    MADV_WIPEONFORK,
    PROT_WRITE,
)
from syscalls.kernel.ports import READ, WRITE
from syscalls.mm.mmap import TOP, page_align
from syscalls.mm.space import BEYOND_END, AddressSpace
from syscalls.mm.vma import (
    VM_DONTCOPY,
    VM_DONTDUMP,
    VM_DONTEXPAND,
    VM_HUGEPAGE,
    VM_LOCKED,
    VM_MERGEABLE,
    VM_NOHUGEPAGE,
    VM_RAND_READ,
    VM_SEALED,
    VM_SEQ_READ,
    VM_SHARED,
    VM_WIPEONFORK,
    Vma,
)

#: Advice that is a flag of the area: (flags to set, flags to clear).
FLAGS: dict[int, tuple[int, int]] = {
    MADV_NORMAL: (0, VM_RAND_READ | VM_SEQ_READ),
    MADV_RANDOM: (VM_RAND_READ, VM_SEQ_READ),
    MADV_SEQUENTIAL: (VM_SEQ_READ, VM_RAND_READ),
    MADV_DONTFORK: (VM_DONTCOPY, 0),
    MADV_DOFORK: (0, VM_DONTCOPY),
    MADV_WIPEONFORK: (VM_WIPEONFORK, 0),
    MADV_KEEPONFORK: (0, VM_WIPEONFORK),
    MADV_DONTDUMP: (VM_DONTDUMP, 0),
    MADV_DODUMP: (0, VM_DONTDUMP),
    MADV_MERGEABLE: (VM_MERGEABLE, 0),
    MADV_UNMERGEABLE: (0, VM_MERGEABLE),
    MADV_HUGEPAGE: (VM_HUGEPAGE, VM_NOHUGEPAGE),
    MADV_NOHUGEPAGE: (VM_NOHUGEPAGE, VM_HUGEPAGE),
}


def do_madvise(space: AddressSpace, start: int, length: int, advice: int) -> None:
    """Advise about whole pages. Holes are skipped and answered with ENOMEM at the end, as in Linux."""
    if advice not in FLAGS and advice not in ACTIONS and advice not in (MADV_POPULATE_READ, MADV_POPULATE_WRITE):
        raise SysError(EINVAL)
    size = page_align(length)
    end = start + size
    if start & ~PAGE_MASK or (length and not size) or end > TOP:
        raise SysError(EINVAL)
    if not size:
        return
    if advice in (MADV_POPULATE_READ, MADV_POPULATE_WRITE):
        _populate(space, start, end, WRITE if advice == MADV_POPULATE_WRITE else READ)
        return
    hole = False
    while start < end:
        vma = space.vmas.above(start)
        if vma is None or vma.start >= end:
            raise SysError(ENOMEM)
        hole = hole or vma.start > start
        start, upto = max(start, vma.start), min(end, vma.end)
        if advice in ACTIONS:
            _check_discard(vma, advice)
            ACTIONS[advice](space, vma, start, upto)
        else:
            _set_flags(space, vma, start, upto, advice)
        start = upto
    if hole:
        raise SysError(ENOMEM)


def _set_flags(space: AddressSpace, vma: Vma, start: int, end: int, advice: int) -> None:
    if advice == MADV_WIPEONFORK and (vma.backing is not None or vma.flags & VM_SHARED):
        raise SysError(EINVAL)
    if advice == MADV_DODUMP and vma.flags & VM_DONTEXPAND:
        raise SysError(EINVAL)
    set_flags, clear = FLAGS[advice]
    try:
        space.change(start, end, set=set_flags, clear=clear)
    except SysError:
        raise SysError(EAGAIN) from None  # too many areas: "a kernel resource was temporarily unavailable"


def _check_discard(vma: Vma, advice: int) -> None:
    """A sealed area's pages may be thrown away only by who may write them (can_modify_vma_madv)."""
    discards = advice in (MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_FREE, MADV_REMOVE)
    if discards and vma.flags & VM_SEALED and vma.anonymous and not vma.prot & PROT_WRITE:
        raise SysError(EPERM)


def _dont_need(space: AddressSpace, vma: Vma, start: int, end: int) -> None:
    if vma.flags & VM_LOCKED:
        raise SysError(EINVAL)
    _dont_need_locked(space, vma, start, end)


def _dont_need_locked(space: AddressSpace, vma: Vma, start: int, end: int) -> None:
    if vma.flags & VM_DONTEXPAND:  # [vdso]: its content comes from nowhere else
        raise SysError(EINVAL)
    space.drop(start >> PAGE_SHIFT, (end - start) >> PAGE_SHIFT)


def _free(space: AddressSpace, vma: Vma, start: int, end: int) -> None:
    """The pages may go when memory is short; until then they keep their content."""
    del space, start, end
    if vma.flags & (VM_LOCKED | VM_DONTEXPAND) or not vma.anonymous:
        raise SysError(EINVAL)


def _remove(space: AddressSpace, vma: Vma, start: int, end: int) -> None:
    del space
    if vma.flags & VM_LOCKED or vma.backing is None:
        raise SysError(EINVAL)
    if not vma.flags & VM_SHARED or not vma.may & PROT_WRITE:
        raise SysError(EACCES)
    vma.backing.punch(vma.index(start >> PAGE_SHIFT), (end - start) >> PAGE_SHIFT)


def _will_need(space: AddressSpace, vma: Vma, start: int, end: int) -> None:
    del space
    if vma.backing is not None:
        vma.backing.read_ahead(vma.index(start >> PAGE_SHIFT), (end - start) >> PAGE_SHIFT)


def _cool(space: AddressSpace, vma: Vma, start: int, end: int) -> None:
    """MADV_COLD, MADV_PAGEOUT: there is no swap, so nothing is reclaimed."""
    del space, start, end
    if vma.flags & (VM_LOCKED | VM_DONTEXPAND):
        raise SysError(EINVAL)


def _collapse(space: AddressSpace, vma: Vma, start: int, end: int) -> None:
    """MADV_COLLAPSE: there are no huge pages to collapse into."""
    del space, vma, start, end
    raise SysError(EINVAL)


ACTIONS: dict[int, Callable[[AddressSpace, Vma, int, int], None]] = {
    MADV_DONTNEED: _dont_need,
    MADV_DONTNEED_LOCKED: _dont_need_locked,
    MADV_FREE: _free,
    MADV_REMOVE: _remove,
    MADV_WILLNEED: _will_need,
    MADV_COLD: _cool,
    MADV_PAGEOUT: _cool,
    MADV_COLLAPSE: _collapse,
}


def _populate(space: AddressSpace, start: int, end: int, access: int) -> None:
    """Fault every page in, and say what went wrong (madvise_populate)."""
    for address in range(start, end, PAGE_SIZE):
        vma = space.vmas.find(address)
        if vma is None:
            raise SysError(ENOMEM)
        if not vma.prot & (access if access == WRITE else ~0) or (access == READ and not vma.prot & READ):
            raise SysError(EINVAL)
        failure = space.fault(address, access)
        if failure is not None:
            raise SysError(EFAULT if failure == BEYOND_END else ENOMEM)
