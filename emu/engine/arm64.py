"""arm64 on a Unicorn CPU: 4 KB pages of 48 bits, the guest at EL0.

The CPU leaves EL1 once, by ERET from a page in the kernel's half, and never comes back: exceptions and system calls end
in a hook before the CPU would enter EL1.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from emu.engine import registers as r
from emu.engine.arm64_cpu import Arm64Cpu
from emu.engine.arm64_id import hwcap
from emu.engine.arm64_traps import Trap, noted, system_instruction, verdict
from emu.engine.base import Stop, StopReason
from emu.engine.fastregs import FloatingPoint, find_first, find_registers
from emu.engine.pagetables import ARM64_FORMAT, PageTables
from emu.engine.uclib import ARCH_ARM64, HOOK_INTR, MODE_ARM, HookInterrupt, RegisterBlock, Uc
from emu.engine.unicorn import MASK64, SYSCALL, UnicornCpu, UnicornEngine
from emu.memory import GuestRam
from syscalls.abi.arch import ARM64, Arch

#: UC_CPU_ARM64_MAX: the others lack the atomic instructions that programs of today are built with.
MODEL_MAX = 3
#: The supervisor's page: the first of the kernel's half, which TTBR1_EL1's tables show.
STUB = 0xFFFF_0000_0000_0000
#: msr SP_EL0, x5; msr ELR_EL1, x6; msr SPSR_EL1, x7; eret
STUB_CODE = bytes.fromhex("054118d5 264018d5 074018d5 e0039fd6")
KERNEL_PAGE = 3 | 3 << 8 | 1 << 10 | 1 << 7 | 1 << 54  # inner shareable, accessed, read-only, not for EL0
#: A user address where nothing is mapped when the CPU enters EL0: the first fault shows where exceptions are noted.
NOWHERE = 0x1234_5000

#: System registers as (op0, op1, CRn, CRm, op2), and what they are set to.
CPACR_EL1, FP_ENABLED = (3, 0, 1, 0, 2), 3 << 20
SCR_EL3, SCTLR_EL1 = (3, 6, 1, 1, 0), (3, 0, 1, 0, 0)
SETTINGS = (
    (SCR_EL3, 1 << 10 | 1),  # RW, NS: without RW, EL1 counts as 32-bit
    ((3, 4, 1, 1, 0), 1 << 31),  # HCR_EL2.RW
    # TCR_EL1: both halves 48 bits and 4 KB pages, cacheable, inner shareable; 40-bit physical; top byte ignored (TBI0)
    (
        (3, 0, 2, 0, 2),
        16 | 1 << 8 | 1 << 10 | 3 << 12 | 16 << 16 | 1 << 24 | 1 << 26 | 3 << 28 | 2 << 30 | 2 << 32 | 1 << 37,
    ),
    ((3, 0, 10, 2, 0), 0xFF),  # MAIR_EL1: attribute 0 is normal memory
    (CPACR_EL1, FP_ENABLED),  # at EL0; SVE traps
    ((3, 0, 14, 1, 0), 0),  # CNTKCTL_EL1: the counters trap, to show the guest's clock and not the host's
    # SCTLR_EL1: M C SA0 I DZE UCT nTWE UCI; WFI traps (Linux too lets the CPU sleep at most until the next interrupt)
    (SCTLR_EL1, 1 | 1 << 2 | 1 << 4 | 1 << 12 | 1 << 14 | 1 << 15 | 1 << 18 | 1 << 26),
)
SYSTEM_CALL, PREFETCH_ABORT, DATA_ABORT = 2, 3, 4
SP, PC = r.ARM64_FILE.index("sp"), r.ARM64_FILE.index("pc")
#: Arguments and number, picked from the register file: x0 to x5, x8.
PICK = struct.Struct("<QQQQQQ16xQ")


class Arm64Engine(UnicornEngine):
    """The engine of arm64."""

    arches: tuple[Arch, ...] = (ARM64,)
    file = r.ARM64_FILE

    def __init__(self, ram: GuestRam) -> None:
        super().__init__(ram, Uc(ARCH_ARM64, MODE_ARM, MODEL_MAX))

    def new_mmu(self, _arch: Arch) -> PageTables:
        """Empty page tables for a process."""
        return PageTables(self.ram, ARM64_FORMAT)

    def new_cpu(self) -> Arm64Cpu:
        """A guest thread; call its `reset` before it runs."""
        return Arm64Cpu(self)

    def hwcap(self, _arch: Arch) -> tuple[int, int]:
        """AT_HWCAP and AT_HWCAP2."""
        return hwcap(self.system)

    def system(self, register: tuple[int, ...], value: int | None = None) -> int:
        """Read a system register, or change it."""
        op0, op1, crn, crm, op2 = register
        data = bytearray(struct.pack("<5IxxxxQ", crn, crm, op0, op1, op2, value or 0))
        if value is None:
            self.uc.read_bytes(r.ARM64_CP_REG, data)
        else:
            self.uc.write_bytes(r.ARM64_CP_REG, bytes(data))
        result: int = struct.unpack_from("<Q", data, 24)[0]
        return result

    def boot(self) -> tuple[memoryview, memoryview]:
        """Translation tables of the kernel's half, system registers."""
        uc, ram = self.uc, self.ram
        self.vectors = RegisterBlock(uc, r.ARM64_FP, r.ARM64_FP_BYTES)
        window = find_registers(uc, r.ARM64_FILE_IDS[:31])
        self.system(CPACR_EL1, FP_ENABLED)
        self.fp = FloatingPoint(window, self.vectors, (r.ARM64_V0, r.ARM64_V31))
        *tables, stub = (ram.allocate(1) << 12 for _ in range(5))
        for table, below in pairwise(tables):
            ram.words[table >> 3] = below | 3
        ram.words[tables[-1] >> 3] = stub | KERNEL_PAGE
        ram.view[stub : stub + len(STUB_CODE)] = STUB_CODE
        mark = 0x5AFE_C0DE_F000
        uc.write(r.ARM64_TTBR0, mark)
        self.ttbr0 = find_first(window, struct.pack("<Q", mark), "TTBR0_EL1") // 8
        empty = ram.allocate(1) << 12
        uc.write(r.ARM64_TTBR0, empty)
        self.system((3, 0, 2, 0, 1), tables[0])  # TTBR1_EL1
        for register, value in SETTINGS:
            self.system(register, value | (self.system(register) if register in (SCR_EL3, SCTLR_EL1) else 0))
        return window, window.cast("Q")

    def enter_user_mode(self) -> dict[Arch, bytes]:
        """ERET to EL0, until the first fault."""
        self.syndrome = self.vaddress = 0
        self.uc.hook(HOOK_INTR, HookInterrupt(self._interrupt_hook()))
        for register, value in ((5, 0), (6, NOWHERE), (7, 0)):
            self.words[register] = value
        self.uc.check(self.uc.start(STUB))
        assert self.vaddress, "no fault came"
        for index in range(len(self.file)):
            self.words[index] = 0
        return {ARM64: self.context.save()}

    def _find_exceptions(self) -> None:
        """Where the CPU notes an exception: found from a fault whose values are known."""
        data, ints = bytes(self.window), self.window.cast("I")
        address = struct.pack("<Q", NOWHERE)
        place = data.find(address, PC * 8 + 8)
        while place >= 0 and (place & 7 or ints[place // 4 - 2] >> 26 != 0x20):
            place = data.find(address, place + 1)
        assert place >= 0, "cannot find the exception's syndrome"
        self.vaddress = place // 8
        self.syndrome = place // 4 - 2
        self.ints = ints

    def _interrupt_hook(self) -> Callable[[Any, int, Any], None]:
        """SVC, and every exception."""
        words, window, pick = self.words, self.window, PICK.unpack_from

        def hook(_uc: Any, number: int, _data: Any) -> None:
            cpu = self.current
            try:
                if number != SYSTEM_CALL:
                    self._exception(cpu, number)
                    return
                assert cpu is not None
                a0, a1, a2, a3, a4, a5, call = pick(window)
                result = cpu.on_syscall(ARM64, call & 0xFFFF_FFFF, (a0, a1, a2, a3, a4, a5))
                mmu = cpu.mmu
                if self.current is not cpu or self.mmu is not mmu or mmu.stale or self.code_changed:
                    self.activate(cpu)
                if result is None:
                    self.finish(SYSCALL)
                else:
                    words[0] = result & MASK64
            except BaseException as failure:
                self.fail(failure)

        return hook

    def _exception(self, cpu: UnicornCpu | None, number: int) -> None:
        if cpu is None:  # just entered EL0
            self._find_exceptions()
            self.uc.stop()
            return
        exception = Trap(number, self.ints[self.syndrome], self.words[self.vaddress], self.words[PC])
        if exception.is_page_fault:
            self.page_fault(cpu, exception.address, exception.access, 0, exception.syndrome)
        elif system_instruction(self, exception, self.instruction(exception.pc)):
            self.words[PC] += 4
        else:
            self.finish(Stop(StopReason.SIGNAL, *verdict(exception), noted(exception)))

    def instruction(self, address: int) -> int:
        """The instruction at a mapped address, else 0."""
        return int.from_bytes(self.code_at(address & ~3, 4), "little")

    def set_root(self, root: int) -> None:
        """Let the CPU use the page tables at physical address `root`; the TLB is flushed elsewhere."""
        self.words[self.ttbr0] = root

    def undefined(self, _cpu: UnicornCpu) -> Stop:
        """What an instruction means that Unicorn does not know."""
        pc = self.words[PC]
        trap = Trap(1, 0, 0, pc)
        return Stop(StopReason.SIGNAL, *verdict(trap), noted(trap))

    def ended(self, _cpu: UnicornCpu) -> Stop | None:
        """YIELD and WFE end Unicorn's loop, behind the instruction: go on."""
        return None
