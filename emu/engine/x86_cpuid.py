"""What CPUID tells the guest: a Westmere (SSE4.2, AES, PCLMULQDQ, POPCNT), which Unicorn carries out completely.

Nothing comes from the host, and nothing that would not work or not repeat is offered: no AVX and XSAVE (Unicorn lacks
them; see x86_absent.py), no RDRAND (not repeatable), no MONITOR, no hypervisor leaves.

What Unicorn does not do, and cannot be taught: x87 and SSE exceptions that are unmasked (but for x87's division by
zero) raise no SIGFPE, and their flags are not kept; MOVAPS and its like accept addresses that are not aligned.
Sources: Intel SDM volume 2, CPUID.
"""

from __future__ import annotations

import struct

#: Unicorn's number of the model (UC_CPU_X86_WESTMERE): it also decides which instructions exist.
WESTMERE = 16

VENDOR = b"GenuineIntel"
BRAND = b"Intel(R) Xeon(R) CPU (Westmere)".ljust(48, b"\0")
MAX_LEAF, MAX_EXTENDED = 0xB, 0x8000_0008
SIGNATURE = 0x206C1  # family 6, model 44, stepping 1
#: AT_HWCAP too: FPU DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2
FEATURES_EDX = 0x078B_FBFF
#: SSE3 PCLMULQDQ SSSE3 CX16 SSE4.1 SSE4.2 POPCNT AES
FEATURES_ECX = 0x0298_2203
CLFLUSH_64_BYTES = 8 << 8
LAHF, SYSCALL_NX_LM = 1, 1 << 11 | 1 << 20 | 1 << 29
ZERO = (0, 0, 0, 0)

#: Deterministic cache parameters: type | level << 5 | self-initialising << 8, ways and line - 1, sets - 1.
CACHES = (
    (1 | 1 << 5 | 1 << 8, 7 << 22 | 63, 63),  # 32 KB of data
    (2 | 1 << 5 | 1 << 8, 7 << 22 | 63, 63),  # 32 KB of instructions
    (3 | 2 << 5 | 1 << 8, 7 << 22 | 63, 511),  # 256 KB
    (3 | 3 << 5 | 1 << 8, 15 << 22 | 63, 8191),  # 8 MB
)


def _vendor(highest: int) -> tuple[int, int, int, int]:
    ebx, edx, ecx = struct.unpack("<3I", VENDOR)
    return highest, ebx, ecx, edx


LEAVES = {
    0: _vendor(MAX_LEAF),
    1: (SIGNATURE, 1 << 16 | CLFLUSH_64_BYTES, FEATURES_ECX, FEATURES_EDX),
    2: (0x0000_0001, 0, 0x4D, 0x002C_307D),
    0x8000_0000: (MAX_EXTENDED, 0, 0, 0),
    0x8000_0001: (0, 0, LAHF, SYSCALL_NX_LM),
    0x8000_0002: struct.unpack("<4I", BRAND[:16]),
    0x8000_0003: struct.unpack("<4I", BRAND[16:32]),
    0x8000_0004: struct.unpack("<4I", BRAND[32:]),
    0x8000_0006: (0, 0, 256 << 16 | 8 << 12 | 64, 0),
    0x8000_0008: (40 | 48 << 8, 0, 0, 0),  # bits of physical and virtual addresses
}


def cpuid(leaf: int, subleaf: int) -> tuple[int, int, int, int]:
    """EAX, EBX, ECX, EDX. A leaf beyond the highest reads as the highest basic one, as on Intel."""
    if leaf == 4 and subleaf < len(CACHES):
        kind, shape, sets = CACHES[subleaf]
        return kind, shape, sets, 0
    if leaf == 0xB:  # one thread, one core
        return 0, 0 if subleaf > 1 else 1, subleaf & 0xFF | (subleaf + 1 << 8 if subleaf < 2 else 0), 0
    return LEAVES.get(leaf, ZERO)
