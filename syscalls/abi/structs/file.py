"""Structs of fcntl(2), openat2(2), utime(2). Sources: asm-generic/fcntl.h, linux/openat2.h, linux/utime.h."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I16, I32, I64, U64, CLong, Struct
from syscalls.abi.fcntl import LOCK_TYPES, OPEN_FLAGS, OWNER_TYPES, RESOLVE_FLAGS, WHENCE


class Flock(Struct):
    """struct flock; of 32-bit numbers on i386."""

    l_type: Annotated[I16, LOCK_TYPES]
    l_whence: Annotated[I16, WHENCE]
    l_start: CLong
    l_len: CLong
    l_pid: I32


class Flock64(Struct):
    """struct flock64 of i386."""

    l_type: Annotated[I16, LOCK_TYPES]
    l_whence: Annotated[I16, WHENCE]
    l_start: I64
    l_len: I64
    l_pid: I32


class FOwnerEx(Struct):
    """struct f_owner_ex."""

    type: Annotated[I32, OWNER_TYPES]
    pid: I32


class OpenHow(Struct):
    """struct open_how."""

    flags: Annotated[U64, OPEN_FLAGS]
    mode: U64
    resolve: Annotated[U64, RESOLVE_FLAGS]


class Utimbuf(Struct):
    """struct utimbuf."""

    actime: CLong
    modtime: CLong
