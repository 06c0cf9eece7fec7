"""What Linux makes of an x86 exception that user mode raises: arch/x86/kernel/traps.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.engine.base import Stop, StopReason
from syscalls.abi.signal import (
    BUS_ADRALN,
    FPE_FLTDIV,
    FPE_FLTINV,
    FPE_FLTOVF,
    FPE_FLTRES,
    FPE_FLTUND,
    FPE_INTDIV,
    ILL_ILLOPN,
    SI_KERNEL,
    SIGBUS,
    SIGFPE,
    SIGILL,
    SIGSEGV,
    SIGTRAP,
    TRAP_BRKPT,
    TRAP_TRACE,
)

if TYPE_CHECKING:
    from emu.engine.unicorn import UnicornCpu

DIVIDE, DEBUG, BREAKPOINT, OVERFLOW, BOUNDS, INVALID_OPCODE = 0, 1, 3, 4, 5, 6
INVALID_TSS, NOT_PRESENT, STACK_SEGMENT, PROTECTION, X87, ALIGNMENT, SIMD = 10, 11, 12, 13, 16, 17, 19
#: Exceptions that come behind their instruction.
TRAPS = (DEBUG, BREAKPOINT, OVERFLOW)
INT_BYTES, RF = 2, 1 << 16
#: Exception -> signal, si_code, whether si_addr is the pc (else 0).
SIGNALS = {
    DIVIDE: (SIGFPE, FPE_INTDIV, True),
    DEBUG: (SIGTRAP, TRAP_TRACE, True),
    BREAKPOINT: (SIGTRAP, SI_KERNEL, False),
    OVERFLOW: (SIGSEGV, SI_KERNEL, False),
    BOUNDS: (SIGSEGV, SI_KERNEL, False),
    INVALID_OPCODE: (SIGILL, ILL_ILLOPN, True),
    INVALID_TSS: (SIGSEGV, SI_KERNEL, False),
    NOT_PRESENT: (SIGBUS, SI_KERNEL, False),
    STACK_SEGMENT: (SIGBUS, SI_KERNEL, False),
    PROTECTION: (SIGSEGV, SI_KERNEL, False),
    ALIGNMENT: (SIGBUS, BUS_ADRALN, False),
}


def wide(result: int) -> int:
    """A 32-bit call's result as RAX holds it: an error is a negative long, an address is not."""
    result &= 0xFFFF_FFFF
    return result | 0xFFFF_FFFF_0000_0000 if result >= 0xFFFF_F001 else result


def signal_of(cpu: UnicornCpu, number: int, error: int = 0) -> Stop:
    """How an exception ends the run."""
    pc = cpu.get(cpu.arch.pc)
    set_resume_flag(cpu, fault=number not in TRAPS)
    if number in (X87, SIMD):
        return Stop(StopReason.SIGNAL, SIGFPE, _float_code(cpu, number), pc, (number, 0, None))
    signal, code, at_pc = SIGNALS.get(number, (SIGSEGV, SI_KERNEL, False))
    return Stop(StopReason.SIGNAL, signal, code, pc if at_pc else 0, (number, error, None))


def set_resume_flag(cpu: UnicornCpu, *, fault: bool = True) -> None:
    """A fault's frame has RF set: the instruction is to be tried again without its breakpoint. A trap's has not."""
    flags = cpu.get("eflags")
    cpu.set("eflags", flags | RF if fault else flags & ~RF)


def illegal(cpu: UnicornCpu) -> Stop:
    """#UD."""
    return signal_of(cpu, INVALID_OPCODE)


def icebp(cpu: UnicornCpu) -> Stop:
    """Opcode 0xf1 raises #DB without any reason in DR6: a breakpoint to get_si_code()."""
    return Stop(StopReason.SIGNAL, SIGTRAP, TRAP_BRKPT, cpu.get(cpu.arch.pc), (DEBUG, 0, None))


def int_instruction(cpu: UnicornCpu, vector: int) -> Stop:
    """INT n other than the system call: user mode may raise #BP and #OF, else it is #GP."""
    if vector in (BREAKPOINT, OVERFLOW):
        return signal_of(cpu, vector)
    start = cpu.get(cpu.arch.pc) - INT_BYTES  # a fault: the pc goes back to the instruction
    cpu.set(cpu.arch.pc, start)
    return signal_of(cpu, PROTECTION, vector << 3 | 2)


def _float_code(cpu: UnicornCpu, number: int) -> int:
    """fpu__exception_code(): the first unmasked exception of the status word, 0 if there is none (any more)."""
    if number == X87:
        raised = cpu.get("fpsw") & ~cpu.get("fpcw")
    else:
        mxcsr = cpu.get("mxcsr")
        raised = ~(mxcsr >> 7) & mxcsr
    for mask, code in (
        (0x01, FPE_FLTINV), (0x04, FPE_FLTDIV), (0x08, FPE_FLTOVF), (0x12, FPE_FLTUND), (0x20, FPE_FLTRES)
    ):  # fmt: skip
        if raised & mask:
            return code
    return 0
