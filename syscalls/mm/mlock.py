"""mlock(2), mlockall(2): mm/mlock.c. Nothing is ever swapped out here; locking brings pages in and counts them."""

from __future__ import annotations

from contextlib import suppress

from syscalls.abi.arch import PAGE_MASK, PAGE_SIZE
from syscalls.abi.errno import EINVAL, ENOMEM, EPERM, SysError
from syscalls.abi.mman import MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT
from syscalls.abi.resource import RLIMIT_MEMLOCK
from syscalls.mm.mmap import TOP, page_align
from syscalls.mm.space import AddressSpace
from syscalls.mm.vma import VM_LOCKED, VM_LOCKONFAULT

LOCK_BITS = VM_LOCKED | VM_LOCKONFAULT


def do_mlock(space: AddressSpace, start: int, length: int, *, on_fault: bool = False, may_lock: bool = False) -> None:
    """Lock the pages that the range touches: EPERM, ENOMEM beyond RLIMIT_MEMLOCK or for a hole, EINVAL, EAGAIN."""
    limit = space.limit(RLIMIT_MEMLOCK)
    if not (may_lock or limit):
        raise SysError(EPERM)
    length = page_align(length + start % PAGE_SIZE)
    start &= PAGE_MASK
    if not may_lock:
        already = sum(
            min(vma.end, start + length) - max(vma.start, start)
            for vma in space.vmas.overlap(start, start + length)
            if vma.flags & VM_LOCKED
        )
        if space.locked() + length - already > limit:
            raise SysError(ENOMEM)
    _apply(space, start, length, LOCK_BITS if on_fault else VM_LOCKED)
    if not on_fault:
        _populate(space, start, start + length)


def do_munlock(space: AddressSpace, start: int, length: int) -> None:
    """Unlock the pages that the range touches: ENOMEM for a hole, EINVAL."""
    _apply(space, start & PAGE_MASK, page_align(length + start % PAGE_SIZE), 0)


def _apply(space: AddressSpace, start: int, length: int, flags: int) -> None:
    """Set the lock bits up to the first hole (apply_vma_lock_flags)."""
    end = start + length
    if end > TOP:
        raise SysError(EINVAL)
    while start < end:
        vma = space.vmas.find(start)
        if vma is None:
            raise SysError(ENOMEM)
        upto = min(end, vma.end)
        space.change(start, upto, set=flags, clear=LOCK_BITS)
        start = upto


def _populate(space: AddressSpace, start: int, end: int) -> None:
    if any(not vma.prot for vma in space.vmas.overlap(start, end)):
        raise SysError(ENOMEM)  # get_user_pages answers EFAULT for PROT_NONE, mlock ENOMEM
    space.populate(start, end)


def do_mlockall(space: AddressSpace, flags: int, *, may_lock: bool = False) -> None:
    """Lock what is mapped (MCL_CURRENT), and what will be (MCL_FUTURE): EINVAL, EPERM, ENOMEM."""
    if not flags or flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) or flags == MCL_ONFAULT:
        raise SysError(EINVAL)
    limit = space.limit(RLIMIT_MEMLOCK)
    if not (may_lock or limit):
        raise SysError(EPERM)
    if not may_lock and flags & MCL_CURRENT and space.vsize() > limit:
        raise SysError(ENOMEM)
    bits = LOCK_BITS if flags & MCL_ONFAULT else VM_LOCKED
    space.future_lock = bits if flags & MCL_FUTURE else 0
    if flags & MCL_CURRENT:
        _everything(space, bits)
        if not flags & MCL_ONFAULT:
            with suppress(SysError):  # mlockall ignores what cannot be brought in
                space.populate(0, space.arch.task_size)


def do_munlockall(space: AddressSpace) -> None:
    """Unlock everything, and forget MCL_FUTURE."""
    space.future_lock = 0
    _everything(space, 0)


def _everything(space: AddressSpace, bits: int) -> None:
    space.change(0, space.arch.task_size, set=bits, clear=LOCK_BITS)
