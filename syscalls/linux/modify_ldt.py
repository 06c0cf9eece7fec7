"""modify_ldt(2): x86's local descriptor table (arch/x86/kernel/ldt.c)."""

from __future__ import annotations

from syscalls.abi.arch import I386, X86_64
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EINVAL, ENOSYS, SysError
from syscalls.abi.kinds import Address, Int, ULong
from syscalls.abi.structs.process import UserDesc
from syscalls.kernel import descriptors
from syscalls.kernel.task import Task
from syscalls.spec import syscall

READ, WRITE_OLD, READ_DEFAULT, WRITE = 0, 1, 2, 0x11
ENTRIES, ENTRY_SIZE = 8192, 8
_DEFAULT_SIZE = 128
_USEABLE_BIT = 1 << 52
_CONFORMING = 3


@syscall(only=(X86_64, I386), partial="no segment register can be loaded from the table")
def modify_ldt(task: Task, func: Int, ptr: Address, bytecount: ULong) -> int:
    """Read or write the process's local descriptor table (modify_ldt(2)).

    x86_64 has always returned the error as an unsigned int, which the C library does not take for one.
    """
    try:
        return _modify(task, func, ptr, bytecount)
    except SysError as error:
        if task.arch.word == 4:
            raise
        return -error.errno & 0xFFFFFFFF


def _modify(task: Task, func: int, ptr: int, count: int) -> int:
    if func == READ:
        return _read(task, ptr, count)
    if func == READ_DEFAULT:
        size = min(count, _DEFAULT_SIZE)
        task.mm.write(ptr, bytes(size))
        return size
    if func in (WRITE, WRITE_OLD):
        _write(task, ptr, count, old=func == WRITE_OLD)
        return 0
    raise SysError(ENOSYS)


def _read(task: Task, ptr: int, count: int) -> int:
    """All up to the last entry that was ever used, and zeroes behind."""
    table = task.mm.ldt
    if not table:
        return 0
    size = min(count, ENTRIES * ENTRY_SIZE)
    data = b"".join(table.get(number, 0).to_bytes(ENTRY_SIZE, "little") for number in range(max(table) + 1))
    task.mm.write(ptr, data[:size].ljust(size, b"\0"))
    return size


def _write(task: Task, ptr: int, count: int, *, old: bool) -> None:
    """EINVAL, EFAULT (write_ldt)."""
    struct = layout(UserDesc, task.arch)
    if count != struct.size:
        raise SysError(EINVAL)
    info = struct.unpack(task.mm.read(ptr, count))
    if info.entry_number >= ENTRIES:
        raise SysError(EINVAL)
    conforming = info.bits >> descriptors.CONTENTS_SHIFT & 3 == _CONFORMING
    if conforming and (old or not info.bits & descriptors.SEG_NOT_PRESENT):
        raise SysError(EINVAL)
    nothing = old and not info.base_addr and not info.limit
    descriptor = 0 if nothing or descriptors.is_empty(info) else descriptors.pack(info)
    task.mm.ldt[info.entry_number] = descriptor & ~_USEABLE_BIT if old else descriptor
