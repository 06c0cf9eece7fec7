"""What an arm64 guest may know of its CPU: the ID registers as Linux shows them, and AT_HWCAP and AT_HWCAP2.

Linux lets EL0 read the ID registers by emulating the read, and shows the fields that concern programs (FTR_VISIBLE in
arch/arm64/kernel/cpufeature.c; Documentation/arch/arm64/cpu-feature-registers.rst). Here more is hidden: what would not
repeat (RNDR, which still answers whoever executes it unasked), and what a kernel must switch on first (SVE, pointer
authentication, BTI).
"""

from __future__ import annotations

from collections.abc import Callable

#: The rate of the virtual counter: it counts the guest's nanoseconds.
COUNTER_HZ = 1_000_000_000

#: (op0, op1, CRn, CRm, op2) of a system register.
Register = tuple[int, ...]
MIDR: Register = (3, 0, 0, 0, 0)
MPIDR: Register = (3, 0, 0, 0, 5)
REVIDR: Register = (3, 0, 0, 0, 6)
PFR0: Register = (3, 0, 0, 4, 0)
DFR0: Register = (3, 0, 0, 5, 0)
ISAR0: Register = (3, 0, 0, 6, 0)
ISAR1: Register = (3, 0, 0, 6, 1)
MMFR0: Register = (3, 0, 0, 7, 0)
MMFR2: Register = (3, 0, 0, 7, 2)
MPIDR_SAFE = 1 << 31
#: Register -> (mask of the fields that are shown, what the hidden fields read as).
SHOWN = {
    ISAR0: (0x00FF_FFFF_F0FF_FFF0, 0),  # all but RNDR and TLB
    ISAR1: (0x00FF_F0FF_00FF_F00F, 0),  # all but SPECRES and pointer authentication
    PFR0: (0x000F_0000_00FF_0000, 0x11),  # DIT AdvSIMD FP; EL1 and EL0 are 64-bit
    DFR0: (0, 6),  # the architecture's least debug version
    MMFR0: (0, 0xFF00_0000),  # neither 64 KB nor 4 KB granules are admitted
    MMFR2: (0x0000_000F_0000_0000, 0),  # AT: atomicity of unaligned accesses
}
#: arm64_elf_hwcaps: register, lowest bit of the field, least value, bit of AT_HWCAP.
HWCAPS = (
    (PFR0, 16, 0, 0), (PFR0, 20, 0, 1),  # FP ASIMD: 15 means none
    (ISAR0, 4, 1, 3), (ISAR0, 4, 2, 4), (ISAR0, 8, 1, 5), (ISAR0, 12, 1, 6),  # AES PMULL SHA1 SHA2
    (ISAR0, 16, 1, 7), (ISAR0, 20, 2, 8), (PFR0, 16, 1, 9), (PFR0, 20, 1, 10),  # CRC32 ATOMICS FPHP ASIMDHP
    (ISAR0, 28, 1, 12), (ISAR1, 12, 1, 13), (ISAR1, 16, 1, 14), (ISAR1, 20, 1, 15),  # ASIMDRDM JSCVT FCMA LRCPC
    (ISAR1, 0, 1, 16), (ISAR0, 32, 1, 17), (ISAR0, 36, 1, 18), (ISAR0, 40, 1, 19),  # DCPOP SHA3 SM3 SM4
    (ISAR0, 44, 1, 20), (ISAR0, 12, 2, 21), (ISAR0, 48, 1, 23), (PFR0, 48, 1, 24),  # ASIMDDP SHA512 ASIMDFHM DIT
    (MMFR2, 32, 1, 25), (ISAR1, 20, 2, 26), (ISAR0, 52, 1, 27), (ISAR1, 36, 1, 29),  # USCAT ILRCPC FLAGM SB
)  # fmt: skip
#: The same for AT_HWCAP2.
HWCAPS2 = (
    (ISAR1, 0, 2, 0), (ISAR0, 52, 2, 7), (ISAR1, 32, 1, 8),  # DCPODP FLAGM2 FRINT
    (ISAR1, 52, 1, 13), (ISAR1, 44, 1, 14), (ISAR1, 48, 1, 15),  # I8MM BF16 DGH
)  # fmt: skip
HWCAP_CPUID = 1 << 11
ABSENT = 15

System = Callable[[Register], int]


def emulated_id(system: System, register: Register) -> int | None:
    """What EL0 reads from an ID register (emulate_sys_reg()), None where Linux refuses."""
    op0, op1, crn, crm, _ = register
    if (op0, op1, crn) != (3, 0, 0) or (crm != 0 and not 2 <= crm <= 7):
        return None
    if crm == 0:
        return {MIDR: system(MIDR), MPIDR: MPIDR_SAFE, REVIDR: system(REVIDR)}.get(register)
    mask, hidden = SHOWN.get(register, (0, 0))
    return system(register) & mask | hidden if mask else hidden


def hwcap(system: System) -> tuple[int, int]:
    """AT_HWCAP and AT_HWCAP2."""

    def bits(table: tuple[tuple[Register, int, int, int], ...]) -> int:
        result = 0
        for register, shift, least, bit in table:
            field = (emulated_id(system, register) or 0) >> shift & 15
            if field != ABSENT and field >= least:
                result |= 1 << bit
        return result

    return bits(HWCAPS) | HWCAP_CPUID, bits(HWCAPS2)
