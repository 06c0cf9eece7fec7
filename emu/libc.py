"""The few functions of the C library that Python's os module lacks."""

from __future__ import annotations

import ctypes
import mmap
import os
from functools import cache


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def renameat2(old_dir: int, old: bytes, new_dir: int, new: bytes, flags: int) -> None:
    """Rename with RENAME_* flags; OSError (renameat2(2))."""
    _check(_library().renameat2(old_dir, old, new_dir, new, ctypes.c_uint(flags)))


def fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    """Allocate, punch and the rest, without emulating what the file system cannot do; OSError (fallocate(2))."""
    _check(_library().fallocate64(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length)))


def map_code(code: bytes) -> int:
    """The address of machine code that this process may call, for as long as it lives; OSError where that is forbidden.

    The mapping is never writable: the kernel makes the caches agree when a page of a file becomes executable.
    """
    fd = os.memfd_create("code")
    try:
        os.write(fd, code)
        function = _library().mmap
        function.restype = ctypes.c_void_p
        place = function(None, ctypes.c_size_t(len(code)), mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_SHARED, fd, 0)
    finally:
        os.close(fd)
    address = ctypes.c_ssize_t(place or 0).value
    if address == -1:
        _check(-1)
    return address
