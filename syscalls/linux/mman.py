"""Memory mappings: mmap(2), mprotect(2), mremap(2), madvise(2), mlock(2), brk(2) and their relatives.

What they do stands in syscalls/mm, in modules named after the kernel's.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi import mman
from syscalls.abi.arch import ARM64, I386, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, X86_64
from syscalls.abi.cstruct import CULong, Struct
from syscalls.abi.errno import EFAULT, EINVAL, ENOMEM, ENOSPC, SysError
from syscalls.abi.kinds import Address, AddressKind, Fd, FlagsKind, HexResult, In, Int, Size, SwitchKind, ULong
from syscalls.abi.mman import (
    MAP_ANONYMOUS,
    MAP_HUGE_1GB,
    MAP_HUGE_2MB,
    MAP_HUGE_MASK,
    MAP_HUGE_SHIFT,
    MAP_HUGETLB,
    MLOCK_ONFAULT,
    PKEY_ACCESS_MASK,
    PROT_EXEC,
    PROT_READ,
)
from syscalls.fs.cred import CAP_IPC_LOCK, CAP_SYS_RAWIO
from syscalls.kernel.filemap import MappedFile
from syscalls.kernel.task import Task
from syscalls.mm.madvise import do_madvise
from syscalls.mm.mincore import do_msync, residency
from syscalls.mm.mlock import do_mlock, do_mlockall, do_munlock, do_munlockall
from syscalls.mm.mmap import do_brk, do_mmap, do_mseal, do_munmap, do_remap_file_pages
from syscalls.mm.mprotect import do_mprotect
from syscalls.mm.mremap import do_mremap
from syscalls.spec import syscall

Prot = Annotated[int, FlagsKind(mman.PROT_FLAGS, wide=True)]
MapFlags = Annotated[int, FlagsKind(mman.MAP_FLAGS, wide=True)]
MremapFlags = Annotated[int, FlagsKind(mman.MREMAP_FLAGS, wide=True)]
#: The kernel looks at it only with MREMAP_FIXED or MREMAP_DONTUNMAP; tracers show it with MREMAP_FIXED.
NewAddress = Annotated[int, SwitchKind("flags", {3: AddressKind(), 7: AddressKind()})]
Offset = Annotated[int, FlagsKind(mman.FileOffset(1), wide=True)]
PageOffset = Annotated[int, FlagsKind(mman.FileOffset(PAGE_SIZE), wide=True)]
Advice = Annotated[int, FlagsKind(mman.MADVICE)]
MsFlags = Annotated[int, FlagsKind(mman.MS_FLAGS)]
MlockFlags = Annotated[int, FlagsKind(mman.MLOCK_FLAGS)]
MclFlags = Annotated[int, FlagsKind(mman.MCL_FLAGS)]
PkeyRights = Annotated[int, FlagsKind(mman.PKEY_RIGHTS, wide=True)]

READ_IMPLIES_EXEC = 0x0400000  # personality(2)
#: Sizes of huge pages that an x86 or arm64 kernel knows: MAP_HUGETLB with another one is EINVAL.
_HUGE_SIZES = (0, MAP_HUGE_2MB, MAP_HUGE_1GB)
#: pkey_alloc(2) where the processor has no protection keys (arch_set_user_pkey_access).
_NO_PKEYS = {X86_64.name: EINVAL, I386.name: EINVAL, ARM64.name: ENOSPC}


def _mmap(task: Task, addr: int, length: int, prot: int, flags: int, fd: int, page_offset: int) -> int:
    """ksys_mmap_pgoff."""
    file = None
    if not flags & MAP_ANONYMOUS:
        file = MappedFile(task.file(fd))
        if flags & MAP_HUGETLB:
            raise SysError(EINVAL)
    elif flags & MAP_HUGETLB:  # no huge pages are reserved here
        raise SysError(ENOMEM if flags & MAP_HUGE_MASK << MAP_HUGE_SHIFT in _HUGE_SIZES and length else EINVAL)
    if prot & PROT_READ and task.personality & READ_IMPLIES_EXEC and not (file and file.noexec):
        prot |= PROT_EXEC
    may_lock, rawio = task.cred.capable(CAP_IPC_LOCK), task.cred.capable(CAP_SYS_RAWIO)
    return do_mmap(task.mm, addr, length, prot, flags, file, page_offset, may_lock=may_lock, rawio=rawio)


@syscall()
def mmap(task: Task, addr: Address, length: Size, prot: Prot, flags: MapFlags, fd: Fd, offset: Offset) -> HexResult:
    """Map a file or anonymous memory; the address (mmap(2))."""
    if offset & ~PAGE_MASK:
        raise SysError(EINVAL)
    return _mmap(task, addr, length, prot, flags, fd, offset >> PAGE_SHIFT)


@syscall()
def mmap2(
    task: Task, addr: Address, length: Size, prot: Prot, flags: MapFlags, fd: Fd, pgoffset: PageOffset
) -> HexResult:
    """Map a file or anonymous memory; the offset counts pages (mmap2(2))."""
    return _mmap(task, addr, length, prot, flags, fd, pgoffset)


class MmapArguments(Struct):
    """struct mmap_arg_struct: i386's first mmap has its arguments in memory (arch/x86/kernel/sys_ia32.c)."""

    addr: CULong
    len: CULong
    prot: CULong
    flags: CULong
    fd: CULong
    offset: CULong


@syscall("mmap", only=I386)
def old_mmap(task: Task, args: In[MmapArguments]) -> HexResult:
    """Map a file or anonymous memory, with the arguments in a struct (mmap(2))."""
    a = args.get()
    if a.offset & ~PAGE_MASK:
        raise SysError(EINVAL)
    return _mmap(task, a.addr, a.len, a.prot, a.flags, a.fd, a.offset >> PAGE_SHIFT)


@syscall()
def munmap(task: Task, addr: Address, length: Size) -> int:
    """Remove mappings (munmap(2))."""
    do_munmap(task.mm, addr, length)
    return 0


@syscall()
def mprotect(task: Task, addr: Address, length: Size, prot: Prot) -> int:
    """Change the access rights of pages (mprotect(2))."""
    if prot & PROT_READ and task.personality & READ_IMPLIES_EXEC:
        prot |= PROT_EXEC
    do_mprotect(task.mm, addr, length, prot)
    return 0


@syscall()
def mremap(
    task: Task,
    old_address: Address,
    old_size: Size,
    new_size: Size,
    flags: MremapFlags,
    new_address: NewAddress,
) -> HexResult:
    """Resize or move a mapping; its address (mremap(2))."""
    may_lock, rawio = task.cred.capable(CAP_IPC_LOCK), task.cred.capable(CAP_SYS_RAWIO)
    return do_mremap(
        task.mm, old_address, old_size, new_size, flags, new_address, may_lock=may_lock, rawio=rawio
    )  # fmt: skip


@syscall()
def brk(task: Task, addr: Address) -> HexResult:
    """Move the end of the data segment; where it is afterwards (brk(2))."""
    return do_brk(task.mm, addr, may_lock=task.cred.capable(CAP_IPC_LOCK))


@syscall()
def madvise(task: Task, addr: Address, length: Size, advice: Advice) -> int:
    """Say how memory will be used (madvise(2))."""
    do_madvise(task.mm, addr, length, advice)
    return 0


@syscall()
def msync(task: Task, addr: Address, length: Size, flags: MsFlags) -> int:
    """Write a mapped file's changes back (msync(2))."""
    do_msync(task.mm, addr, length, flags)
    return 0


@syscall()
def mincore(task: Task, addr: Address, length: Size, vec: Address) -> int:
    """Store a byte for each page: is it in memory? (mincore(2))."""
    if addr & ~PAGE_MASK:
        raise SysError(EINVAL)
    top = task.arch.task_size
    if length > top or addr > top - length:
        raise SysError(ENOMEM)
    pages = -(-length // PAGE_SIZE)
    if pages > top or vec > top - pages:
        raise SysError(EFAULT)
    for answer in residency(task.mm, addr, pages):
        task.mm.write(vec, answer)
        vec += len(answer)
    return 0


@syscall()
def mlock(task: Task, addr: Address, length: Size) -> int:
    """Lock pages in memory (mlock(2))."""
    do_mlock(task.mm, addr, length, may_lock=task.cred.capable(CAP_IPC_LOCK))
    return 0


@syscall()
def mlock2(task: Task, addr: Address, length: Size, flags: MlockFlags) -> int:
    """Lock pages in memory, now or when they are first used (mlock2(2))."""
    if flags & ~MLOCK_ONFAULT:
        raise SysError(EINVAL)
    may_lock = task.cred.capable(CAP_IPC_LOCK)
    do_mlock(task.mm, addr, length, on_fault=bool(flags & MLOCK_ONFAULT), may_lock=may_lock)
    return 0


@syscall()
def munlock(task: Task, addr: Address, length: Size) -> int:
    """Unlock pages (munlock(2))."""
    do_munlock(task.mm, addr, length)
    return 0


@syscall()
def mlockall(task: Task, flags: MclFlags) -> int:
    """Lock the whole address space, now and in future (mlockall(2))."""
    do_mlockall(task.mm, flags, may_lock=task.cred.capable(CAP_IPC_LOCK))
    return 0


@syscall()
def munlockall(task: Task) -> int:
    """Unlock the whole address space (munlockall(2))."""
    do_munlockall(task.mm)
    return 0


@syscall()
def remap_file_pages(task: Task, addr: Address, size: Size, prot: Prot, pgoff: ULong, flags: MapFlags) -> int:
    """Let a part of a shared mapping show other pages of its file (remap_file_pages(2))."""
    do_remap_file_pages(task.mm, addr, size, prot, pgoff, flags)
    return 0


@syscall()
def mseal(task: Task, addr: Address, length: Size, flags: ULong) -> int:
    """Forbid changes of mappings for good (mseal(2))."""
    do_mseal(task.mm, addr, length, flags)
    return 0


@syscall(partial="processors without protection keys only: no key can be allocated")
def pkey_alloc(task: Task, flags: ULong, access_rights: PkeyRights) -> int:
    """Allocate a protection key (pkey_alloc(2))."""
    if flags or access_rights & ~PKEY_ACCESS_MASK:
        raise SysError(EINVAL)
    raise SysError(_NO_PKEYS[task.arch.name])


@syscall()
def pkey_free(task: Task, pkey: Int) -> int:
    """Free a protection key: none was ever allocated (pkey_free(2))."""
    del task, pkey
    raise SysError(EINVAL)


@syscall(partial="only with the key -1, as on a processor without protection keys")
def pkey_mprotect(task: Task, addr: Address, length: Size, prot: Prot, pkey: Int) -> int:
    """Change the access rights and the protection key of pages (pkey_mprotect(2))."""
    if pkey != -1:
        raise SysError(EINVAL)
    if prot & PROT_READ and task.personality & READ_IMPLIES_EXEC:
        prot |= PROT_EXEC
    do_mprotect(task.mm, addr, length, prot)
    return 0
