"""Registers as data: names, order in the CPU's register file, and Unicorn's numbers.

The names are those of syscalls/abi/arch.py and of debuggers; the numbers come from unicorn/x86.h and unicorn/arm64.h.
"""

from __future__ import annotations

#: The order of the register file inside the CPU, with the program counter behind it.
X86_FILE = (
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip",
)  # fmt: skip
X86_FILE_IDS = (35, 38, 40, 37, 44, 36, 43, 39, *range(106, 114), 41)
#: What is not in the register file: asked from Unicorn by these numbers.
X86_IDS = {
    "eflags": 25, "cs": 11, "ss": 49, "ds": 17, "es": 28, "fs": 32, "gs": 33, "fs_base": 250, "gs_base": 251,
    "fpcw": 246, "fpsw": 31, "fptag": 247, "mxcsr": 249,
}  # fmt: skip
X86_CR0, X86_CR3, X86_CR4, X86_GDTR, X86_TR, X86_MSR = 50, 53, 54, 243, 245, 248
#: FXSAVE's image: Unicorn's number, bytes, offset; the x87 stack's top is set before what depends on it.
X86_FXSAVE = (
    (31, 2, 2), (246, 2, 0), (247, 2, 4), (249, 4, 24),  # FSW FCW FTW MXCSR
    *((114 + number, 10, 32 + 16 * number) for number in range(8)),  # ST0 ...
    *((122 + number, 16, 160 + 16 * number) for number in range(16)),  # XMM0 ...
)  # fmt: skip
X86_FXSAVE_BYTES, X86_FXSAVE_TAG, X86_FXSAVE_MXCSR_MASK = 512, 4, 28
X86_ST0, X86_XMM0, X86_XMM15 = 32, 160, 400
I386_FILE = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")
#: What post-mortem reports print, in the order in which ptrace(2)'s user_regs_struct and debuggers have them.
X86_64_SHOWN = (
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    "rip", "eflags", "cs", "ss", "fs_base", "gs_base",
)  # fmt: skip
I386_SHOWN = (
    "eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "eip", "eflags",
    "cs", "ss", "ds", "es", "fs", "gs", "gs_base",
)  # fmt: skip

#: x31 of the register file is the stack pointer in use.
ARM64_FILE = (*(f"x{number}" for number in range(31)), "sp", "pc")
ARM64_FILE_IDS = (*range(199, 228), 1, 2, 4, 260)
ARM64_IDS = {"pstate": 265, "tpidr": 262, "fpcr": 291, "fpsr": 292}
ARM64_TTBR0, ARM64_CP_REG = 274, 290
#: The vectors, FPSR and FPCR.
ARM64_FP = (*((104 + number, 16, 16 * number) for number in range(32)), (292, 4, 512), (291, 4, 516))
ARM64_FP_BYTES, ARM64_V0, ARM64_V31 = 520, 0, 496
ARM64_SHOWN = (*ARM64_FILE, "pstate", "tpidr")
