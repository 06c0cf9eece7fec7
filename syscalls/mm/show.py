"""What /proc/PID shows of an address space: the rows of maps, and the sums of status and statm (fs/proc/task_mmu.c)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from syscalls.abi.arch import PAGE_SHIFT
from syscalls.abi.mman import PROT_EXEC, PROT_READ, PROT_WRITE
from syscalls.mm.pages import present
from syscalls.mm.space import AddressSpace
from syscalls.mm.vma import VM_GROWSDOWN, VM_LOCKED, VM_MAYSHARE, Vma


@dataclass(frozen=True, slots=True)
class Row:
    """One line of /proc/PID/maps."""

    start: int
    end: int
    perms: str  # "r-xp"
    offset: int
    device: int  # st_dev
    inode: int
    path: bytes
    pages: int  # populated ones: Rss of smaps

    def text(self, word: int = 8) -> bytes:
        """As the kernel prints it; the path begins in column 73 (show_vma_header_prefix)."""
        major, minor = self.device >> 8 & 0xFFF, self.device & 0xFF | self.device >> 12 & 0xFFF00
        line = f"{self.start:08x}-{self.end:08x} {self.perms} {self.offset:08x} {major:02x}:{minor:02x} {self.inode} "
        if not self.path:
            return line.encode() + b"\n"
        return line.ljust(25 + 6 * word).encode() + self.path.replace(b"\n", b"\\012") + b"\n"


def maps(space: AddressSpace) -> Iterator[Row]:
    """The areas in the order of their addresses."""
    for vma in space.vmas:
        backing = vma.backing
        resident = len(present(space.frames, vma.start >> PAGE_SHIFT, vma.size >> PAGE_SHIFT))
        perms = "".join(letter if vma.prot & bit else "-" for letter, bit in zip("rwx", (1, 2, 4), strict=True))
        perms += "s" if vma.flags & VM_MAYSHARE else "p"
        if backing is None:
            yield Row(vma.start, vma.end, perms, 0, 0, 0, name_of(space, vma), resident)
        else:
            yield Row(
                vma.start, vma.end, perms, vma.offset, backing.device, backing.inode, backing.path, resident
            )  # fmt: skip


def name_of(space: AddressSpace, vma: Vma) -> bytes:
    """What stands for the path of anonymous memory (get_vma_name)."""
    if vma.name and not vma.name.startswith(b"[anon:"):
        return vma.name
    if vma.start < space.brk and vma.end > space.brk_start:
        return b"[heap]"
    if vma.start <= space.stack_start < vma.end:
        return b"[stack]"
    return vma.name


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes, for /proc/PID/status: VmPeak is not kept."""

    size: int  # VmSize
    locked: int  # VmLck
    peak_rss: int  # VmHWM
    rss: int  # VmRSS
    anonymous: int  # RssAnon
    data: int  # VmData: private, writable, no stack
    stack: int  # VmStk
    text: int  # VmExe and VmLib: executable file mappings


def usage(space: AddressSpace) -> Usage:
    """The sums, counted now."""
    size = dict.fromkeys(("data", "stack", "text"), 0)
    anonymous = 0
    for vma in space.vmas:
        if vma.backing is None:
            anonymous += len(present(space.frames, vma.start >> PAGE_SHIFT, vma.size >> PAGE_SHIFT))
        if vma.flags & VM_GROWSDOWN:
            size["stack"] += vma.size
        elif vma.charged:
            size["data"] += vma.size
        elif vma.prot & (PROT_READ | PROT_WRITE | PROT_EXEC) & ~PROT_READ == PROT_EXEC:
            size["text"] += vma.size
    rss = len(space.frames)
    return Usage(
        size=space.vsize(),
        locked=sum(vma.size for vma in space.vmas if vma.flags & VM_LOCKED),
        peak_rss=max(space.peak, rss) << PAGE_SHIFT,
        rss=rss << PAGE_SHIFT,
        anonymous=anonymous << PAGE_SHIFT,
        **size,
    )
