"""x86 segment descriptors, from and to struct user_desc (arch/x86/kernel/tls.c, asm/desc.h)."""

from __future__ import annotations

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.structs.process import UserDesc

#: Entries of the global descriptor table that a program may set (GDT_ENTRY_TLS_MIN ...).
TLS_ENTRIES = range(12, 15)
#: entry_number that lets the kernel choose.
ANY_ENTRY = 0xFFFFFFFF

# Bit fields of struct user_desc.
SEG_32BIT, CONTENTS_SHIFT, READ_EXEC_ONLY, LIMIT_IN_PAGES, SEG_NOT_PRESENT, USEABLE = 1, 1, 8, 16, 32, 64
_KNOWN = 0x7F
_SYSTEM_AND_DPL3 = 0b111 << 44  # s = 1, dpl = 3
_ACCESSED = 1 << 40


def is_empty(info: UserDesc) -> bool:
    """Does it clear the entry, by either of two conventions? (LDT_empty, LDT_zero)."""
    flags = info.bits & _KNOWN
    return info.base_addr == 0 and info.limit == 0 and flags in (READ_EXEC_ONLY | SEG_NOT_PRESENT, 0)


def check(info: UserDesc) -> None:
    """Only 32-bit data segments that are present make sense for TLS; EINVAL (tls_desc_okay)."""
    flags = info.bits
    if is_empty(info):
        return
    if not flags & SEG_32BIT or flags >> CONTENTS_SHIFT & 3 > 1 or flags & SEG_NOT_PRESENT:
        raise SysError(EINVAL)


def pack(info: UserDesc) -> int:
    """The descriptor, 64 bits (fill_ldt)."""
    flags, base, limit = info.bits, info.base_addr, info.limit
    type_ = (0 if flags & READ_EXEC_ONLY else 2) | (flags >> CONTENTS_SHIFT & 3) << 2
    descriptor = limit & 0xFFFF | (base & 0xFFFFFF) << 16 | type_ << 40 | _ACCESSED | _SYSTEM_AND_DPL3
    descriptor |= (limit >> 16 & 0xF) << 48 | (base >> 24 & 0xFF) << 56
    for flag, bit in ((SEG_NOT_PRESENT, 47), (USEABLE, 52), (SEG_32BIT, 54), (LIMIT_IN_PAGES, 55)):
        if bool(flags & flag) is not (flag == SEG_NOT_PRESENT):
            descriptor |= 1 << bit
    return descriptor


def unpack(entry: int, descriptor: int) -> UserDesc:
    """The way back (fill_user_desc)."""
    flags = (descriptor >> 42 & 3) << CONTENTS_SHIFT
    if not descriptor >> 41 & 1:
        flags |= READ_EXEC_ONLY
    for flag, bit in ((SEG_NOT_PRESENT, 47), (USEABLE, 52), (SEG_32BIT, 54), (LIMIT_IN_PAGES, 55)):
        if bool(descriptor >> bit & 1) is not (flag == SEG_NOT_PRESENT):
            flags |= flag
    base = descriptor >> 16 & 0xFFFFFF | descriptor >> 56 << 24
    limit = descriptor & 0xFFFF | (descriptor >> 48 & 0xF) << 16
    return UserDesc(entry_number=entry, base_addr=base, limit=limit, bits=flags)
