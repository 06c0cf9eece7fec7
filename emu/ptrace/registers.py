"""Register sets as data: the names of the general registers of each architecture, in the kernel's order.

Sources: struct user_regs_struct of arch/x86/include/asm/user_64.h and user_32.h, struct user_pt_regs of
arch/arm64/include/uapi/asm/ptrace.h. How many bytes the kernel gives says which of them it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from syscalls.abi.arch import ARM64, I386, X86_64, Arch

NT_PRSTATUS = 1
NT_PRFPREG = 2
NT_ARM_SYSTEM_CALL = 0x404


@dataclass(frozen=True, slots=True)
class RegisterSet:
    """Layout of NT_PRSTATUS on one architecture."""

    arch: Arch
    names: tuple[str, ...]
    word: int  # bytes of a register

    @property
    def size(self) -> int:
        """Bytes of the set."""
        return len(self.names) * self.word

    @property
    def _format(self) -> str:
        return f"<{len(self.names)}{'Q' if self.word == 8 else 'I'}"

    def unpack(self, data: bytes) -> dict[str, int]:
        """Values by name."""
        return dict(zip(self.names, struct.unpack(self._format, data), strict=True))

    def pack(self, values: dict[str, int]) -> bytes:
        """The set as the kernel wants it; values may be negative."""
        mask = (1 << self.word * 8) - 1
        return struct.pack(self._format, *(values[name] & mask for name in self.names))


_X86_64 = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base"
_I386 = "ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags esp ss"
_ARM64 = (*(f"x{n}" for n in range(31)), "sp", "pc", "pstate")

SETS = (
    RegisterSet(X86_64, (*_X86_64.split(), "ds", "es", "fs", "gs"), 8),
    RegisterSet(I386, tuple(_I386.split()), 4),
    RegisterSet(ARM64, _ARM64, 8),
)
BY_SIZE = {registers.size: registers for registers in SETS}
#: The result, the number and the program counter of each architecture in these names.
NUMBER = {X86_64: "orig_rax", I386: "orig_eax", ARM64: "x8"}
RESULT = {X86_64: "rax", I386: "eax", ARM64: "x0"}
