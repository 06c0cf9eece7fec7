"""x86_64 and i386 on one Unicorn CPU: 4-level paging, ring 3, 32-bit code in compatibility mode.

The CPU enters ring 3 once, by IRETQ from a page that only the supervisor sees, and never comes back: exceptions and
system calls end in hooks before the CPU would deliver them. The selectors are Linux's (asm/segment.h).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from emu.engine import registers as r
from emu.engine.base import Stop
from emu.engine.fastregs import FloatingPoint, find_first, find_registers
from emu.engine.pagetables import FRAME_MASK, PRESENT, X86_FORMAT, PageTables
from emu.engine.uclib import (
    ARCH_X86,
    HOOK_INSN,
    HOOK_INTR,
    MODE_64,
    HookIn,
    HookInstruction,
    HookInterrupt,
    HookOut,
    HookReplace,
    RegisterBlock,
    Uc,
    UnicornError,
)
from emu.engine.unicorn import MASK64, SYSCALL, UnicornCpu, UnicornEngine
from emu.engine.x86_absent import AbsentInstructions
from emu.engine.x86_cpu import TLS_ENTRIES, X86Cpu
from emu.engine.x86_cpuid import FEATURES_EDX, WESTMERE, cpuid
from emu.engine.x86_traps import (
    INVALID_OPCODE,
    PROTECTION,
    icebp,
    illegal,
    int_instruction,
    set_resume_flag,
    signal_of,
    wide,
)
from emu.memory import GuestRam
from syscalls.abi.arch import I386, X86_64, Arch
from syscalls.abi.errno import EFAULT
from syscalls.kernel.ports import EXECUTE, READ, WRITE

INS_CPUID, INS_IN, INS_OUT, INS_RDTSC, INS_SYSCALL, INS_SYSENTER = 113, 218, 500, 608, 699, 700
#: The shared supervisor pages, in the half of the address space that is the kernel's: code, then descriptor tables.
KERNEL = 0xFFFF_FF80_0000_0000
STUB, TABLES = KERNEL, KERNEL + 0x1000
TSS = TABLES + 0x200
STACK = TABLES + 0xF00
ROOT_INDEX = 511  # of KERNEL in the top table
USER32_CS, USER_DS, USER_CS = 0x23, 0x2B, 0x33
GDT = {
    2: 0x00AF_9B00_0000_FFFF,  # kernel code
    3: 0x00CF_9300_0000_FFFF,  # kernel data
    4: 0x00CF_FB00_0000_FFFF,  # user code, 32 bits
    5: 0x00CF_F300_0000_FFFF,  # user data
    6: 0x00AF_FB00_0000_FFFF,  # user code, 64 bits
}
GDT_BYTES, TSS_BYTES = 16 * 8, 104
#: mov ds, eax; mov es, eax; mov fs, ebx; mov gs, ebx; iretq
STUB_CODE = bytes.fromhex("8ed8 8ec0 8ee3 8eeb 48cf")
#: A user address where nothing is mapped when the CPU enters ring 3: the first fault shows where exceptions are noted.
NOWHERE = 0x1234_5000
EFER, EFER_SCE, EFER_NXE = 0xC000_0080, 1, 1 << 11
CR0 = 1 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 16 | 1 << 18 | 1 << 31  # PE MP ET NE WP AM PG
CR4 = 1 << 5 | 1 << 9 | 1 << 10  # PAE OSFXSR OSXMMEXCPT
PAGE_FAULT = 14
ICEBP, RDPMC, INT_6 = b"\xf1", b"\x0f\x33", b"\xcd\x06"
SYSCALL_BYTES = 2  # of SYSCALL and SYSENTER: the CPU adds them to the pc when the hook returns
RIP = r.X86_FILE.index("rip")
RCX, RSP, RBP, R11 = (r.X86_FILE.index(name) for name in ("rcx", "rsp", "rbp", "r11"))

#: Number and arguments, picked from the register file: rax, rdx, rsi, rdi, r8, r9, r10.
SYSCALL64 = struct.Struct("<Q8xQ24xQQQQQ")
#: eax, ecx, edx, ebx, ebp, esi, edi.
SYSCALL32 = struct.Struct("<I4xI4xI4xI12xI4xI4xI")


class X86Engine(UnicornEngine):
    """The engine of x86_64 and i386."""

    arches: tuple[Arch, ...] = (X86_64, I386)
    file = r.X86_FILE

    def __init__(self, ram: GuestRam) -> None:
        super().__init__(ram, Uc(ARCH_X86, MODE_64, WESTMERE))

    def new_mmu(self, _arch: Arch) -> PageTables:
        """Empty page tables for a process of either width."""
        return PageTables(self.ram, X86_FORMAT, (ROOT_INDEX, self.shared))

    def new_cpu(self) -> X86Cpu:
        """A guest thread; call its `reset` before it runs."""
        return X86Cpu(self)

    def hwcap(self, _arch: Arch) -> tuple[int, int]:
        """AT_HWCAP (CPUID.1:EDX) and AT_HWCAP2 (neither ring 3 MWAIT nor FSGSBASE)."""
        return FEATURES_EDX, 0

    def boot(self) -> tuple[memoryview, memoryview]:
        """Page tables and descriptors of the kernel's half, control registers, hooks."""
        uc, ram, words = self.uc, self.ram, self.ram.words
        self.fxsave = RegisterBlock(uc, r.X86_FXSAVE, r.X86_FXSAVE_BYTES)
        window = find_registers(uc, r.X86_FILE_IDS[:16])
        self.fp = FloatingPoint(window, self.fxsave, (r.X86_ST0, r.X86_XMM0, r.X86_XMM15))
        read_flags, value = uc.reader(r.X86_IDS["eflags"])
        self.read_flags: Callable[[], int] = lambda: read_flags() or value.value
        root, self.shared, directory, table, stub, tables = (ram.allocate(1) << 12 for _ in range(6))
        self.boot_root = root
        for place, entry in (
            (root + 8 * ROOT_INDEX, self.shared | 0x23),
            (self.shared, directory | 0x23),
            (directory, table | 0x23),
            (table, stub | 0x21),
            (table + 8, tables | 0x63 | 1 << 63),
        ):
            words[place >> 3] = entry
        self.shared |= 0x23
        ram.view[stub : stub + len(STUB_CODE)] = STUB_CODE
        self.gdt = tables >> 3
        for index, descriptor in GDT.items():
            words[self.gdt + index] = descriptor
        self.stack = (tables + (STACK & 0xFFF)) >> 3
        uc.write_bytes(r.X86_GDTR, struct.pack("<HxxxxxxQII", 0, TABLES, GDT_BYTES - 1, 0))
        uc.write_bytes(r.X86_TR, struct.pack("<HxxxxxxQII", 0x40, TSS, TSS_BYTES - 1, 0x8B00))
        uc.write(r.X86_CR3, root)
        uc.write(r.X86_CR4, CR4)
        efer = bytearray(struct.pack("<IxxxxQ", EFER, 0))
        uc.read_bytes(r.X86_MSR, efer)
        flags = struct.unpack_from("<Q", efer, 8)[0] | EFER_SCE | EFER_NXE
        uc.write_bytes(r.X86_MSR, struct.pack("<IxxxxQ", EFER, flags))
        uc.write(r.X86_CR0, CR0)
        uc.write(r.X86_IDS["fpcw"], 0x37F)
        uc.write(r.X86_IDS["mxcsr"], 0x1F80)
        self.ints = window.cast("i")
        return window, window.cast("Q")

    def enter_user_mode(self) -> dict[Arch, bytes]:
        """IRETQ to a 64-bit and to a 32-bit code segment, each until the first fault."""
        self.faults: list[int] = []
        self.refused = b""
        self.uc.hook(HOOK_INTR, HookInterrupt(self._interrupt_hook()))
        supervisor = self.context.save()
        templates = {}
        for arch, code, data in ((X86_64, USER_CS, 0), (I386, USER32_CS, USER_DS)):
            self.context.restore(supervisor)
            self.words[0], self.words[3], self.words[RSP] = data, 0, STACK
            for index, value in enumerate((NOWHERE, code, 0x202, 0, USER_DS)):
                self.ram.words[self.stack + index] = value
            self.faults.clear()
            self.uc.check(self.uc.start(STUB))
            assert self.faults == [PAGE_FAULT], self.faults
            for index in range(len(self.file)):
                self.words[index] = 0
            templates[arch] = self.context.save()
        uc = self.uc
        uc.hook(HOOK_INSN, HookInstruction(self._syscall_hook()), INS_SYSCALL)
        uc.hook(HOOK_INSN, HookInstruction(self._on_sysenter), INS_SYSENTER)
        uc.hook(HOOK_INSN, HookIn(self._on_port), INS_IN)
        uc.hook(HOOK_INSN, HookOut(self._on_port), INS_OUT)
        uc.hook(HOOK_INSN, HookReplace(self._on_cpuid), INS_CPUID)
        uc.hook(HOOK_INSN, HookReplace(self._on_rdtsc), INS_RDTSC)
        self.absent = AbsentInstructions(self)
        return templates

    def _find_exceptions(self) -> None:
        """Where the CPU notes an exception: found from a fault whose values are known."""
        no_page_user_fetch = 1 << 2 | 1 << 4
        self.error = find_first(self.window, struct.pack("<iiQ", no_page_user_fetch, 0, NOWHERE), "the error code") // 4
        self.cr2 = find_first(self.window, struct.pack("<QQ", NOWHERE, self.boot_root), "CR2") // 8
        old = struct.pack("<i", PAGE_FAULT)
        data = bytes(self.window)
        # The segment registers, 24 bytes each: CS, then SS.
        cs = self.uc.read(r.X86_IDS["cs"])
        self.cs = next(i for i in range(34, 128) if self.ints[i] == cs and self.ints[i + 6] == USER_DS)
        behind = self.error * 4 + 16
        places = [place for place in range(behind, behind + 128, 4) if data[place : place + 4] == old]
        assert len(places) == 1, places
        self.old_exception = places[0] // 4
        self.ints[self.old_exception] = -1

    def _syscall_hook(self) -> Callable[[Any, Any], None]:
        """SYSCALL: entry_SYSCALL_64. The CPU moves the pc on after the hook."""
        words, window, ints, pick = self.words, self.window, self.ints, SYSCALL64.unpack_from
        read_flags, cs = self.read_flags, self.cs

        def hook(_uc: Any, _data: Any) -> None:
            cpu = self.current
            if cpu is None:
                return
            try:
                if ints[cs] != USER_CS:
                    self._fast_call(cpu, words[RSP], words[RBP])
                    return
                cpu.pc_bias = SYSCALL_BYTES
                words[RCX] = words[RIP] + SYSCALL_BYTES
                words[R11] = read_flags()
                number, a2, a1, a0, a4, a5, a3 = pick(window)
                result = cpu.on_syscall(X86_64, number & 0xFFFF_FFFF, (a0, a1, a2, a3, a4, a5))
                mmu = cpu.mmu
                if self.current is not cpu or self.mmu is not mmu or mmu.stale or self.code_changed:
                    self.activate(cpu)
                if result is None:
                    self.finish(SYSCALL)
                else:
                    words[0] = result & MASK64
            except BaseException as failure:
                self.fail(failure)
            finally:
                cpu.pc_bias = 0

        return hook

    def _interrupt_hook(self) -> Callable[[Any, int, Any], None]:
        """INT n, and every exception."""
        words, window, pick = self.words, self.window, SYSCALL32.unpack_from

        def hook(_uc: Any, number: int, _data: Any) -> None:
            cpu = self.current
            try:
                if number != 0x80:
                    self._exception(cpu, number)
                    return
                if cpu is None:
                    return
                number, a1, a2, a0, a5, a3, a4 = pick(window)
                result = cpu.on_syscall(I386, number, (a0, a1, a2, a3, a4, a5))
                mmu = cpu.mmu
                if self.current is not cpu or self.mmu is not mmu or mmu.stale or self.code_changed:
                    self.activate(cpu)
                if result is None:
                    self.finish(SYSCALL)
                else:
                    words[0] = wide(result)
            except BaseException as failure:
                self.fail(failure)

        return hook

    def _exception(self, cpu: UnicornCpu | None, number: int) -> None:
        if cpu is None:
            if not self.refused:  # still entering ring 3
                self.faults.append(number)
                self._find_exceptions()
            self.uc.stop()
            return
        # Else the next one would count as a fault within a fault.
        self.ints[self.old_exception] = -1
        software = self.ints[self.error + 1]
        if software:
            self.finish(int_instruction(cpu, number))
            return
        error = self.ints[self.error]
        if number == PAGE_FAULT:
            access = EXECUTE if error & 1 << 4 else WRITE if error & 1 << 1 else READ
            address = self.words[self.cr2]
            if address >= X86_64.task_size:  # nobody may learn what the kernel's half shows: set_signal_archinfo()
                error |= PRESENT
            self.page_fault(cpu, address, access, number, error)
            if self.stop is not None:
                set_resume_flag(cpu)
        else:
            self.finish(signal_of(cpu, number, error))

    def _on_port(self, *_: Any) -> int:
        """IN and OUT are privileged, but Unicorn forgets to check: #GP, made by hand.

        The CPU cannot stop before the end of the block. So the registers are kept as they are now, and what still runs
        finds no memory and no thread (`current`).
        """
        cpu = self.current
        if cpu is not None:
            try:
                self.finish(signal_of(cpu, PROTECTION))
                self.refused = self.context.save()
                self.set_root(self.boot_root)
                self.uc.flush_tlb()
                self.current = self.mmu = None
            except BaseException as failure:
                self.fail(failure)
        return 0

    def run(self, cpu: UnicornCpu, slice_blocks: int | None = None) -> Stop:
        """Run the thread until a hook ends the run."""
        stop = super().run(cpu, slice_blocks)
        if self.refused:
            self.context.restore(self.refused)
            self.refused = b""
            self.current = cpu
        return stop

    def _on_sysenter(self, _uc: Any, _data: Any) -> None:
        cpu = self.current
        if cpu is None:
            return
        try:
            if self.in_64_bit_code():  # as on AMD: in 64-bit code there is no such instruction
                self.finish(self.undefined(cpu))
                self.words[RIP] -= SYSCALL_BYTES
            else:
                self._fast_call(cpu, self.words[RBP], self.words[RCX])
        except BaseException as failure:
            self.fail(failure)

    def _fast_call(self, cpu: UnicornCpu, sp: int, second: int) -> None:
        """SYSENTER or SYSCALL in 32-bit code: do_fast_syscall_32 (arch/x86/entry/common.c).

        The sixth argument stands at the user's stack pointer; the return is always to the vDSO's landing pad.
        """
        words = self.words
        sp &= 0xFFFF_FFFF
        words[RSP] = sp
        words[RIP] = cpu.sysenter_return - SYSCALL_BYTES & MASK64
        cpu.pc_bias = SYSCALL_BYTES
        try:
            sixth = self._user_word(cpu, sp)
            if sixth is None:
                words[0] = wide(-EFAULT)
                return
            words[RBP] = sixth
            number, _, a2, a0, _, a3, a4 = SYSCALL32.unpack_from(self.window)
            result = cpu.on_syscall(I386, number, (a0, second & 0xFFFF_FFFF, a2, a3, a4, sixth))
            self.resume(cpu)
            if result is None:
                self.finish(SYSCALL)
            else:
                words[0] = wide(result)
        finally:
            cpu.pc_bias = 0

    def _user_word(self, cpu: UnicornCpu, address: int) -> int | None:
        """32 bits of the user's memory, or None where it has none."""
        data = b""
        for place in range(address, address + 4):
            if not cpu.mmu.lookup(place >> 12) and cpu.on_fault(place, READ) is not None:
                return None
            physical = cpu.mmu.lookup(place >> 12) & FRAME_MASK | place & 0xFFF
            data += self.ram.view[physical : physical + 1]
        return int.from_bytes(data, "little")

    def _on_cpuid(self, _uc: Any, _data: Any) -> int:
        words = self.words
        words[0], words[3], words[1], words[2] = cpuid(words[0] & 0xFFFF_FFFF, words[1] & 0xFFFF_FFFF)
        return 1

    def _on_rdtsc(self, _uc: Any, _data: Any) -> int:
        try:
            value = self.counter()
            self.words[0], self.words[2] = value & 0xFFFF_FFFF, value >> 32 & 0xFFFF_FFFF
        except BaseException as failure:
            self.fail(failure)
        return 1

    def set_root(self, root: int) -> None:
        """Let the CPU use the page tables at physical address `root`; the TLB is flushed elsewhere."""
        self.words[self.cr2 + 1] = root

    def forget_exceptions(self) -> None:
        """Else the next one would count as a double fault.

        Removing a hook, Unicorn looks at addresses of translated code in whatever page tables are there now, and what
        it does not find raises page faults that nobody hears of.
        """
        self.ints[self.old_exception] = -1

    def switched(self, cpu: UnicornCpu) -> None:
        """Registers of another thread were loaded: its TLS descriptors go with them."""
        super().switched(cpu)
        assert isinstance(cpu, X86Cpu)
        for entry, descriptor in zip(TLS_ENTRIES, cpu.tls, strict=True):
            self.ram.words[self.gdt + entry] = descriptor

    def undefined(self, cpu: UnicornCpu) -> Stop:
        """What an instruction means that Unicorn does not know: among them are 0xf1, icebp, and INT 6."""
        pc = self.words[RIP]
        code = self.code_at(pc, 2)
        if code[:1] == ICEBP:
            self.words[RIP] = pc + 1
            return icebp(cpu)
        if code == RDPMC:  # not illegal, but forbidden by CR4.PCE
            return signal_of(cpu, PROTECTION)
        if code == INT_6:  # not the exception
            return signal_of(cpu, PROTECTION, INVALID_OPCODE << 3 | 2)
        return illegal(cpu)

    def ended(self, cpu: UnicornCpu) -> Stop | None:
        """Nothing ends Unicorn's loop on x86 but hooks, and what guards against instructions that are not there."""
        absent = self.absent.reached(self.words[RIP])
        if absent is None:
            raise UnicornError(f"the run ended without a reason at {cpu.get('rip'):#x}")
        return illegal(cpu) if absent else None

    def in_64_bit_code(self) -> bool:
        """Is the code segment in use the one of 64-bit code?"""
        return self.ints[self.cs] == USER_CS
