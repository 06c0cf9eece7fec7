"""mprotect(2) and pkey_mprotect(2): mm/mprotect.c (do_mprotect_pkey, mprotect_fixup)."""

from __future__ import annotations

from syscalls.abi.arch import PAGE_MASK
from syscalls.abi.errno import EACCES, EINVAL, ENOMEM, EPERM, SysError
from syscalls.abi.mman import PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP, PROT_READ, PROT_SEM, PROT_WRITE
from syscalls.mm.mmap import TOP, page_align
from syscalls.mm.space import AddressSpace
from syscalls.mm.vma import VM_GROWSDOWN, VM_SEALED, VM_SHARED, Vma

_ACCESS = PROT_READ | PROT_WRITE | PROT_EXEC


def do_mprotect(space: AddressSpace, start: int, length: int, prot: int) -> None:
    """Change access rights. What comes before a hole or a forbidden area stays changed, as in Linux."""
    grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP)
    prot &= ~grows
    if grows == PROT_GROWSDOWN | PROT_GROWSUP or start & ~PAGE_MASK:
        raise SysError(EINVAL)
    if not length:
        return
    length = page_align(length)
    end = start + length
    if not length or end > TOP:
        raise SysError(ENOMEM)
    if prot & ~(_ACCESS | PROT_SEM):
        raise SysError(EINVAL)
    vma = space.vmas.above(start)
    if vma is None:
        raise SysError(ENOMEM)
    if grows & PROT_GROWSDOWN:
        if vma.start >= end:
            raise SysError(ENOMEM)
        start = vma.start
        if not vma.flags & VM_GROWSDOWN:
            raise SysError(EINVAL)
    elif vma.start > start:
        raise SysError(ENOMEM)
    elif grows:
        raise SysError(EINVAL)  # no architecture here has stacks that grow up
    while start < end:
        vma = space.vmas.find(start)
        if vma is None:
            raise SysError(ENOMEM)
        upto = min(end, vma.end)
        _fixup(space, vma, start, upto, prot & _ACCESS)
        start = upto


def _fixup(space: AddressSpace, vma: Vma, start: int, end: int, prot: int) -> None:
    if prot & ~vma.may:
        raise SysError(EACCES)
    if vma.flags & VM_SEALED:
        raise SysError(EPERM)
    if space.denies(vma.prot, prot):
        raise SysError(EACCES)
    if prot & PROT_WRITE and not vma.prot & PROT_WRITE and not vma.flags & VM_SHARED:
        wanted = vma.part(start, end)
        wanted.prot = prot
        already = end - start  # the pages are in total_vm; only RLIMIT_DATA counts them anew
        if not space.may_expand_data(wanted, already) or not space.may_commit(wanted, already):
            raise SysError(ENOMEM)
    space.change(start, end, prot=prot)
