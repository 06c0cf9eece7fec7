"""Access to another process's memory: access_remote_vm of mm/memory.c, with FOLL_FORCE of mm/gup.c."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import SysError
from syscalls.kernel.ports import READ, WRITE

if TYPE_CHECKING:
    from syscalls.mm.space import AddressSpace


def read_forced(space: AddressSpace, address: int, length: int) -> bytes:
    """The bytes up to the first page that is not there, whatever its protection."""
    return b"".join([bytes(view) for view in _forced(space, address, length, READ)])


def write_forced(space: AddressSpace, address: int, data: bytes) -> int:
    """Store up to the first page that is not there; a private one need not be writable: it becomes its own copy."""
    done = 0
    for view in _forced(space, address, len(data), WRITE):
        view[:] = data[done : done + len(view)]
        done += len(view)
    return done


def _forced(space: AddressSpace, address: int, length: int, access: int) -> Iterator[memoryview]:
    """A window for each page, as far as there are pages."""
    while length > 0:
        frame = _frame(space, address, access)
        if frame is None:
            return
        offset = address & PAGE_SIZE - 1
        count = min(length, PAGE_SIZE - offset)
        start = (frame << PAGE_SHIFT) + offset
        yield space.ram.view[start : start + count]
        address += count
        length -= count


def _frame(space: AddressSpace, address: int, access: int) -> int | None:
    """The frame of a page as a debugger gets it (check_vma_flags); a store may change instructions."""
    vma = space.vmas.find(address)
    if vma is None:
        return None
    allowed = vma.prot if vma.shared and access == WRITE else vma.may
    if not allowed & access or (vma.backing and vma.index(address >> PAGE_SHIFT) << PAGE_SHIFT >= vma.backing.size):
        return None
    try:
        space.bring_in(vma, address >> PAGE_SHIFT, write=access == WRITE)
    except SysError:
        return None
    frame = space.frames[address >> PAGE_SHIFT]
    if access == WRITE:
        space.ram.invalidate_code(frame)
    return frame
