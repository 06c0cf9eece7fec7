"""The C library's tracing functions: the only place of this package that calls the host (ctypes).

Every function raises OSError with the errno that the kernel gave. Addresses of buffers are plain numbers, so that a
caller who asks a hundred thousand times a second allocates its buffer once.
"""

from __future__ import annotations

import ctypes
import os
from errno import ESRCH

#: PyDLL keeps the interpreter's lock: none of these calls waits for anybody.
_libc = ctypes.PyDLL(None, use_errno=True)
_ptrace = _libc.ptrace
_ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_size_t, ctypes.c_size_t)
_ptrace.restype = ctypes.c_long
_readv, _writev = _libc.process_vm_readv, _libc.process_vm_writev
for _function in (_readv, _writev):
    _function.argtypes = (ctypes.c_int, *(ctypes.c_size_t, ctypes.c_ulong) * 2, ctypes.c_ulong)
    _function.restype = ctypes.c_ssize_t
_prctl = _libc.prctl
_prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
_get_errno, _set_errno = ctypes.get_errno, ctypes.set_errno


def _failed() -> OSError:
    number = _get_errno()
    return OSError(number, os.strerror(number))


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    """Make a request; not for PEEK*, where -1 may be a word of memory (see `peek`)."""
    result: int = _ptrace(request, pid, address, data)
    if result == -1:
        raise _failed()
    return result


def peek(request: int, pid: int, address: int) -> int:
    """PTRACE_PEEKTEXT, PEEKDATA and PEEKUSER: a word, unsigned."""
    _set_errno(0)
    result: int = _ptrace(request, pid, address, 0)
    if result == -1 and _get_errno():
        raise _failed()
    return result & (1 << WORD * 8) - 1


def request(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    """The same for a tracee that may have been killed: -1 when it is gone (ESRCH), without an exception."""
    result: int = _ptrace(request, pid, address, data)
    if result == -1 and _get_errno() != ESRCH:
        raise _failed()
    return result


WORD = ctypes.sizeof(ctypes.c_long)


class Buffer:
    """Memory of ours that the kernel fills: `address` for requests, `view` to look at it."""

    def __init__(self, size: int) -> None:
        self._memory = ctypes.create_string_buffer(size)
        self.size = size
        self.address = ctypes.addressof(self._memory)
        self.view = memoryview(self._memory).cast("B")


class IoVec:
    """struct iovec: one buffer, for requests that take and give a length."""

    def __init__(self, buffer: Buffer) -> None:
        self._words = (ctypes.c_size_t * 2)(buffer.address, buffer.size)
        self.address = ctypes.addressof(self._words)

    @property
    def length(self) -> int:
        """Bytes of it that mean something."""
        return self._words[1]

    @length.setter
    def length(self, value: int) -> None:
        self._words[1] = value


class Window:
    """Reads and writes the memory of other processes through one buffer (process_vm_readv(2))."""

    def __init__(self, size: int = 1 << 16) -> None:
        self.buffer = Buffer(size)
        self._vectors = (ctypes.c_size_t * 4)(self.buffer.address)
        self._local = ctypes.addressof(self._vectors)
        self._remote = self._local + 2 * WORD
        self._view = self.buffer.view

    def read(self, pid: int, address: int, length: int) -> bytes:
        """At most `length` bytes, and at most as many as the buffer holds; fewer before memory that is not there."""
        vectors = self._vectors
        vectors[1] = vectors[3] = min(length, self.buffer.size)
        vectors[2] = address
        count = _readv(pid, self._local, 1, self._remote, 1, 0)
        if count < 0:
            raise _failed()
        return self._view[:count].tobytes()

    def write(self, pid: int, address: int, data: bytes) -> int:
        """How many bytes of the data were written."""
        vectors = self._vectors
        length = vectors[1] = vectors[3] = min(len(data), self.buffer.size)
        vectors[2] = address
        self._view[:length] = data[:length]
        count: int = _writev(pid, self._local, 1, self._remote, 1, 0)
        if count < 0:
            raise _failed()
        return count


def install_filter(program: bytes) -> None:
    """Let the calling thread and its children run under a seccomp filter (an array of struct sock_filter)."""
    filters = ctypes.create_string_buffer(program, len(program))
    fprog = (ctypes.c_size_t * 2)(len(program) // 8, ctypes.addressof(filters))
    arguments = (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(fprog), 0, 0)
    if _prctl(*arguments) and (_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or _prctl(*arguments)):
        raise _failed()
