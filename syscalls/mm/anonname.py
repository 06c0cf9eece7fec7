"""Names for anonymous memory, as /proc/PID/maps shows them (madvise_set_anon_name of mm/madvise.c)."""

from __future__ import annotations

from syscalls.abi.arch import PAGE_MASK, PAGE_SIZE
from syscalls.abi.errno import EBADF, EINVAL, ENOMEM, SysError
from syscalls.mm.space import AddressSpace

#: The longest name, with its NUL (ANON_VMA_NAME_MAX_LEN).
MAX_NAME = 80
_FORBIDDEN = b"\\`$[]"


def is_valid_name(name: bytes) -> bool:
    """Printable, short, and without characters that could confuse who reads maps (is_valid_name_char)."""
    return len(name) < MAX_NAME and all(0x1F < byte < 0x7F and byte not in _FORBIDDEN for byte in name)


def set_anonymous_name(space: AddressSpace, start: int, length: int, name: bytes | None) -> None:
    """Name the areas in a range, or (None) take their names away. EBADF for a file's, ENOMEM behind a hole."""
    if start & ~PAGE_MASK:
        raise SysError(EINVAL)
    end = start + (length + PAGE_SIZE - 1 & PAGE_MASK)
    if end > space.arch.mask + 1:
        raise SysError(EINVAL)
    if start == end:
        return
    hole = not space.vmas.covers(start, end)
    for vma in space.vmas.cut(start, end):
        if vma.backing is not None:
            raise SysError(EBADF)
        vma.name = b"" if name is None else b"[anon:%b]" % name
    space.vmas.merge(start, end)
    if hole:
        raise SysError(ENOMEM)
