"""What Linux makes of an arm64 exception from EL0: arch/arm64/kernel/{entry-common,traps,cpufeature}.c, mm/fault.c.

ESR_ELx: exception class in bits 31:26, its details in bits 24:0 (Arm ARM, D19.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emu.engine.arm64_id import COUNTER_HZ, emulated_id
from syscalls.abi.signal import BUS_ADRALN, ILL_ILLOPC, SIGBUS, SIGILL, SIGTRAP, TRAP_BRKPT
from syscalls.kernel.ports import EXECUTE, READ, WRITE

if TYPE_CHECKING:
    from emu.engine.arm64 import Arm64Engine

WFX, SYSTEM, FETCH_ABORT, PC_ALIGNMENT, DATA_ABORT, SP_ALIGNMENT, BREAKPOINT = 0x01, 0x18, 0x20, 0x22, 0x24, 0x26, 0x3C
INSTRUCTION_LENGTH = 1 << 25
ALIGNMENT_FAULT, STATUS = 0x21, 0x3F
WRITE_NOT_READ, CACHE_MAINTENANCE = 1 << 6, 1 << 8
CNTFRQ_EL0, CNTVCT_EL0 = (3, 3, 14, 0, 0), (3, 3, 14, 0, 2)
MRS, MRS_MASK = 0xD530_0000, 0xFFF0_0000


@dataclass(frozen=True, slots=True)
class Trap:
    """An exception as the CPU notes it."""

    number: int  # Unicorn's
    syndrome: int  # ESR
    vaddress: int  # FAR
    pc: int

    @property
    def kind(self) -> int:
        """Exception class."""
        return self.syndrome >> 26

    @property
    def is_page_fault(self) -> bool:
        """Is it an access that the tables forbid (and not an alignment fault)?"""
        if self.pc & 3:  # Unicorn does not check it: what comes first from a misaligned pc stands for its own exception
            return False
        return self.kind in (FETCH_ABORT, DATA_ABORT) and self.syndrome & STATUS != ALIGNMENT_FAULT

    @property
    def address(self) -> int:
        """FAR without the tag of its top byte: untagged_addr()."""
        address = self.vaddress & (1 << 56) - 1
        return address | 0xFF << 56 if address >> 55 else address

    @property
    def access(self) -> int:
        """READ, WRITE or EXECUTE."""
        if self.kind == FETCH_ABORT:
            return EXECUTE
        writes = self.syndrome & WRITE_NOT_READ and not self.syndrome & CACHE_MAINTENANCE
        return WRITE if writes else READ


def verdict(exception: Trap) -> tuple[int, int, int]:
    """signal, si_code, si_addr."""
    kind = exception.kind
    if kind == BREAKPOINT:
        return SIGTRAP, TRAP_BRKPT, exception.pc
    if kind == PC_ALIGNMENT or exception.pc & 3:
        return SIGBUS, BUS_ADRALN, exception.pc
    if kind in (SP_ALIGNMENT, DATA_ABORT):
        return SIGBUS, BUS_ADRALN, exception.pc if kind == SP_ALIGNMENT else exception.address
    return SIGILL, ILL_ILLOPC, exception.pc


def noted(exception: Trap) -> tuple[int, int, int | None] | None:
    """What sigcontext tells (arm64_notify_die(), set_thread_esr()): nothing new of a breakpoint."""
    kind = exception.kind
    if kind == BREAKPOINT:
        return None
    if kind == PC_ALIGNMENT or exception.pc & 3:
        return 0, PC_ALIGNMENT << 26 | INSTRUCTION_LENGTH, 0
    if kind == SP_ALIGNMENT:
        return 0, exception.syndrome, 0
    return (0, exception.syndrome, exception.address) if kind == DATA_ABORT else (0, 0, 0)


def system_instruction(engine: Arm64Engine, exception: Trap, instruction: int) -> bool:
    """Carry out what Linux lets EL0 do although it traps: WFI, the counter, reads of ID registers (emulate_mrs())."""
    if exception.kind == WFX:
        return True
    if instruction & MRS_MASK != MRS:
        return False
    register = (2 | instruction >> 19 & 1, *(instruction >> shift & mask for shift, mask in FIELDS))
    if register == CNTVCT_EL0:
        value: int | None = engine.counter()
    elif register == CNTFRQ_EL0:
        value = COUNTER_HZ
    else:
        value = emulated_id(engine.system, register)
    if value is None:
        return False
    target = instruction & 31
    if target != 31:
        engine.words[target] = value
    return True


#: op1, CRn, CRm, op2 inside MRS.
FIELDS = ((16, 7), (12, 15), (8, 15), (5, 7))
