"""The kernel's own access to user memory: copy_from_user, copy_to_user, strncpy_from_user (ports.Memory).

The first lines of each method are the fast way: one page that the hardware shows. Everything else goes through the
same fault handling as the guest's own accesses, so that EFAULT and SIGSEGV come from the same maps.
"""

from __future__ import annotations

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import EFAULT, ENAMETOOLONG, SysError
from syscalls.kernel.ports import READ, WRITE, Mmu, Ram
from syscalls.mm.pages import Pages

_OFFSET = PAGE_SIZE - 1
#: How much of a string is looked at first: few are longer.
_STRING_CHUNK = 256


class UserMemory(Pages):
    """Bytes at addresses. Subclasses say how a page becomes accessible (`fault`)."""

    def __init__(self, ram: Ram, mmu: Mmu) -> None:
        super().__init__(ram, mmu)
        self._view = ram.view

    def fault(self, address: int, access: int) -> tuple[int, int] | None:
        """Make an address accessible: None, or the (signal, si_code) that the guest's own access would raise."""
        raise NotImplementedError

    def read(self, address: int, length: int) -> bytes:
        """All `length` bytes; EFAULT."""
        offset = address & _OFFSET
        frame = self.readable.get(address >> PAGE_SHIFT)
        if frame is not None and offset + length <= PAGE_SIZE:
            start = (frame << PAGE_SHIFT) + offset
            return self._view[start : start + length].tobytes()
        data = self.read_some(address, length) if length > 0 else b""
        if len(data) < length:
            raise SysError(EFAULT)
        return data

    def read_some(self, address: int, length: int) -> bytes:
        """The bytes up to the first that cannot be read; EFAULT only when that is the very first."""
        views = self.views(address, length, READ)
        if not views and length > 0:
            raise SysError(EFAULT)
        return b"".join(views)

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Store `data`, or what fits before the first unwritable page and then EFAULT."""
        offset = address & _OFFSET
        length = len(data)
        frame = self.writable.get(address >> PAGE_SHIFT)
        if frame is not None and offset + length <= PAGE_SIZE:
            start = (frame << PAGE_SHIFT) + offset
            self._view[start : start + length] = data
            return
        data = memoryview(data).cast("B")
        done = 0
        for view in self.views(address, len(data), WRITE):
            view[:] = data[done : done + len(view)]
            done += len(view)
        if done < len(data):
            raise SysError(EFAULT)

    def cstr(self, address: int, limit: int) -> bytes:
        """The bytes before the NUL; ENAMETOOLONG if there is none within `limit` bytes, EFAULT."""
        found: list[bytes] = []
        while limit > 0:
            frame = self.readable.get(address >> PAGE_SHIFT)
            if frame is None:
                frame = self._frame(address, READ)
            offset = address & _OFFSET
            start = (frame << PAGE_SHIFT) + offset
            length = min(limit, PAGE_SIZE - offset, _STRING_CHUNK if not found else PAGE_SIZE)
            chunk = self._view[start : start + length].tobytes()
            end = chunk.find(0)
            if end >= 0:
                return b"".join(found) + chunk[:end] if found else chunk[:end]
            found.append(chunk)
            address += length
            limit -= length
        raise SysError(ENAMETOOLONG)

    def views(self, address: int, length: int, access: int) -> list[memoryview]:
        """Windows onto guest RAM that together are the range; shorter than asked at a page without that access.

        They are for use at once: afterwards the guest may change its mappings.
        """
        shown = self.writable if access & WRITE else self.readable
        position = end = 0  # of the window that grows, in RAM
        views = []
        while length > 0:
            frame = shown.get(address >> PAGE_SHIFT)
            if frame is None:
                try:
                    frame = self._frame(address, access)
                except SysError:
                    break
            start = (frame << PAGE_SHIFT) + (address & _OFFSET)
            count = min(length, PAGE_SIZE - (address & _OFFSET))
            if start != end:
                if end > position:
                    views.append(self._view[position:end])
                position = start
            end = start + count
            address += count
            length -= count
        if end > position:
            views.append(self._view[position:end])
        return views

    def _frame(self, address: int, access: int) -> int:
        """The frame at an address, after a fault; EFAULT. A store may change instructions: the engine is told."""
        if self.fault(address, access) is not None:
            raise SysError(EFAULT)
        frame = self.frames[address >> PAGE_SHIFT]
        if access & WRITE and address >> PAGE_SHIFT not in self.writable:
            self.ram.invalidate_code(frame)
        return frame
