"""Heads of directory entries; the name and its NUL follow.

Sources: fs/readdir.c, include/linux/dirent.h, getdents(2).
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I64, U8, U16, U64, CULong, Struct
from syscalls.abi.stat import DIRENT_TYPES


class Dirent(Struct):
    """struct linux_dirent; d_type is the last byte of the record."""

    d_ino: CULong
    d_off: CULong
    d_reclen: U16


class Dirent64(Struct):
    """struct linux_dirent64."""

    d_ino: U64
    d_off: I64
    d_reclen: U16
    d_type: Annotated[U8, DIRENT_TYPES]


class OldDirent(Struct):
    """struct old_linux_dirent, for i386's readdir(2)."""

    d_ino: CULong
    d_offset: CULong
    d_namlen: U16
