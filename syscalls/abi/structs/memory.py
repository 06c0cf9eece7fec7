"""What i386's old mmap(2) points to. Source: mm/mmap.c."""

from __future__ import annotations

from syscalls.abi.cstruct import CULong, Struct


class MmapArguments(Struct):
    """struct mmap_arg_struct."""

    addr: CULong
    len: CULong
    prot: CULong
    flags: CULong
    fd: CULong
    offset: CULong
