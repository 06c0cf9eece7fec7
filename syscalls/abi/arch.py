"""The three architectures, as data: what differs between them stands here and nowhere else.

Sources: syscall(2) for the calling conventions, elf(5) and each architecture's asm/elf.h for the machine numbers,
linux/audit.h for the AUDIT_ARCH values, asm/processor.h and asm/memory.h for the address-space limits.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
PAGE_MASK = ~(PAGE_SIZE - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Arch:
    """One system-call ABI: conventions of the trap, sizes of the C types, and limits of the address space."""

    name: str  # "x86_64", "i386", "arm64": what users type
    bits: int  # width of a register and of a pointer
    machine: str  # uname(2)'s machine field: an i386 program sees the 64-bit kernel it runs on
    machine32: str  # the same under personality(PER_LINUX32)
    elf_machine: int  # e_machine
    audit: int  # AUDIT_ARCH_*, what seccomp(2) and ptrace(2) call it
    trap: str  # the instruction that enters the kernel
    number: str  # register that holds the call's number
    arguments: tuple[str, ...]  # registers of the six arguments, in order
    result: str  # register that receives the result
    pc: str
    sp: str
    platform: str  # AT_PLATFORM
    task_size: int  # first address that no mapping may reach
    mmap_base: int  # top of the area that mmap(2) fills downwards
    stack_top: int  # where the initial stack ends
    pie_base: int  # where a static-PIE program is loaded (ELF_ET_DYN_BASE)
    int64_align: int  # alignment of a 64-bit integer inside a struct

    @property
    def word(self) -> int:
        """Bytes in a `long` and in a pointer."""
        return self.bits // 8

    @property
    def mask(self) -> int:
        """All bits of a register."""
        return (1 << self.bits) - 1

    def __repr__(self) -> str:
        return self.name.upper()


X86_64 = Arch(
    name="x86_64",
    bits=64,
    machine="x86_64",
    machine32="i686",
    elf_machine=62,
    audit=0xC000003E,
    trap="syscall",
    number="rax",
    arguments=("rdi", "rsi", "rdx", "r10", "r8", "r9"),
    result="rax",
    pc="rip",
    sp="rsp",
    platform="x86_64",
    task_size=0x7FFF_FFFF_F000,
    mmap_base=0x7FFF_F7FF_F000,
    stack_top=0x7FFF_FFFF_F000,
    pie_base=0x5555_5555_4000,
    int64_align=8,
)
I386 = Arch(
    name="i386",
    bits=32,
    machine="x86_64",
    machine32="i686",
    elf_machine=3,
    audit=0x4000_0003,
    trap="int 0x80",
    number="eax",
    arguments=("ebx", "ecx", "edx", "esi", "edi", "ebp"),
    result="eax",
    pc="eip",
    sp="esp",
    platform="i686",
    task_size=0xFFFF_E000,
    mmap_base=0xF7FF_F000,
    stack_top=0xFFFF_E000,
    pie_base=0x5655_5000,
    int64_align=4,
)
ARM64 = Arch(
    name="arm64", bits=64, machine="aarch64", machine32="armv8l", elf_machine=183, audit=0xC00000B7, trap="svc #0",
    number="x8", arguments=("x0", "x1", "x2", "x3", "x4", "x5"), result="x0", pc="pc", sp="sp",
    platform="aarch64", task_size=0xFFFF_FFFF_F000, mmap_base=0xFFFF_F7FF_F000, stack_top=0xFFFF_FFFF_F000,
    pie_base=0xAAAA_AAAA_0000, int64_align=8,
)  # fmt: skip

ARCHES: dict[str, Arch] = {arch.name: arch for arch in (X86_64, I386, ARM64)}
BY_ELF_MACHINE: dict[int, Arch] = {arch.elf_machine: arch for arch in ARCHES.values()}
