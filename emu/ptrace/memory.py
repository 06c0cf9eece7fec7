"""The memory of a process of the host, as decoding needs it (emu.trace.plan.Memory)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.errno import EFAULT, ENAMETOOLONG, SysError

if TYPE_CHECKING:
    from emu.ptrace.tracee import Tracee

CHUNK = 256  # most strings are shorter


class ProcessMemory:
    """What cannot be read is SysError(EFAULT), as in our own kernel."""

    __slots__ = ("tracee",)

    def __init__(self, tracee: Tracee) -> None:
        self.tracee = tracee

    def read(self, address: int, length: int) -> bytes:
        """All of it."""
        try:
            data = self.tracee.read(address, length)
        except OSError:
            raise SysError(EFAULT) from None
        if len(data) < length:
            raise SysError(EFAULT)
        return data

    def read_some(self, address: int, length: int) -> bytes:
        """As much as there is, at least one byte."""
        try:
            return self.tracee.read(address, length)
        except OSError:
            raise SysError(EFAULT) from None

    def cstr(self, address: int, limit: int) -> bytes:
        """The bytes before the NUL; ENAMETOOLONG if there is none within `limit` bytes."""
        found = b""
        while len(found) < limit:
            at = address + len(found)
            size = min(limit - len(found), CHUNK if not found else PAGE_SIZE, PAGE_SIZE - at % PAGE_SIZE)
            found += self.read(at, size)
            end = found.find(0)
            if end >= 0:
                return found[:end]
        raise SysError(ENAMETOOLONG)
