"""What the two Unicorn engines have in common: one CPU that several guest threads take turns on.

Unicorn serves as a whole computer: paging is on, the guest runs without privileges, its data pages cannot be executed
and nothing hooks RAM, so that loads and stores run inline. Every exception and every system call comes to a hook; the
guest's registers are read where the CPU keeps them (fastregs.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from emu.engine.base import Engine, OnFault, OnSyscall, Stop, StopReason
from emu.engine.blocks import BlockCounter
from emu.engine.pagetables import FRAME_MASK, PageTables
from emu.engine.uclib import ERR_INSN_INVALID, ERR_OK, Context, Uc
from emu.memory import GuestRam
from syscalls.abi.arch import ARM64, Arch
from syscalls.kernel.ports import WRITE

MASK64 = (1 << 64) - 1
#: What `UnicornCpu.places` has answered.
PLACES_OF: dict[tuple[str, ...], tuple[tuple[int, ...], tuple[str, ...]]] = {}
PREEMPTED = Stop(StopReason.PREEMPTED)
SYSCALL = Stop(StopReason.SYSCALL)


class UnicornEngine(ABC):
    """One Unicorn CPU. Threads swap their registers in and out; processes swap page tables."""

    arches: tuple[Arch, ...] = ()
    file: tuple[str, ...] = ()  # names of the registers in the CPU's register file

    def __init__(self, ram: GuestRam, uc: Uc) -> None:
        self.ram = ram
        self.uc = uc
        #: What reads of the time-stamp or virtual counter return; the sandbox puts the guest's clock here.
        self.counter: Callable[[], int] = lambda: 0
        self.current: UnicornCpu | None = None  # whose registers the CPU holds
        self.mmu: PageTables | None = None  # whose translations the TLB holds
        self.stop: Stop | None = None  # why the run that is ending ends
        self.failure: BaseException | None = None  # raised by a callback, to be raised again by `run`
        self.code_changed = False  # must translated code be forgotten?
        self.interrupted = False
        self.blocks = BlockCounter(uc)
        uc.map_ram(0, ram.size, ram.address)
        ram.on_code_change(self._note_code_change)
        self.window, self.words = self.boot()
        self.context = Context(uc)
        self.templates = self.enter_user_mode()

    @abstractmethod
    def boot(self) -> tuple[memoryview, memoryview]:
        """Set the CPU up as a kernel would; return the register file as bytes and as 64-bit words."""

    @abstractmethod
    def enter_user_mode(self) -> dict[Arch, bytes]:
        """Leave privileged mode for good; return the registers of a fresh thread, by architecture."""

    @abstractmethod
    def set_root(self, root: int) -> None:
        """Let the CPU use the page tables at physical address `root`; the TLB is flushed elsewhere."""

    @abstractmethod
    def undefined(self, cpu: UnicornCpu) -> Stop:
        """What an instruction means that Unicorn does not know."""

    def forget_exceptions(self) -> None:  # noqa: B027  # on arm64 there is nothing to forget
        """The CPU has none in progress, whatever Unicorn has met outside of a run."""

    @abstractmethod
    def ended(self, cpu: UnicornCpu) -> Stop | None:
        """What it means that Unicorn ended the run by itself; None: go on."""

    @abstractmethod
    def new_mmu(self, _arch: Arch) -> PageTables:
        """Empty page tables for a process of the architecture."""

    @abstractmethod
    def new_cpu(self) -> UnicornCpu:
        """A guest thread; call its `reset` before it runs."""

    @abstractmethod
    def hwcap(self, _arch: Arch) -> tuple[int, int]:
        """AT_HWCAP and AT_HWCAP2."""

    def close(self) -> None:
        """Free the CPU. Not needed before the process exits: a started CPU takes milliseconds to free."""
        self.uc.close()

    def activate(self, cpu: UnicornCpu) -> None:
        """Let the CPU hold the registers and page tables of `cpu`."""
        if self.current is not cpu:
            if self.current is not None:
                self.current.state = self.context.save()
            self.context.restore(cpu.state)
            self.current = cpu
            self.switched(cpu)
        mmu = cpu.mmu
        if self.mmu is not mmu or mmu.stale or self.code_changed:
            self.flush()

    def switched(self, cpu: UnicornCpu) -> None:
        """Registers of another thread were loaded."""
        self.set_root(cpu.mmu.root)

    def flush(self) -> None:
        """Make the CPU see the page tables and the code as they are now."""
        assert self.current is not None
        mmu = self.current.mmu
        if self.code_changed:
            self.uc.flush_code()
            self.code_changed = False
        self.mmu = mmu
        self.set_root(mmu.root)
        self.uc.flush_tlb()  # for code too: pages that were once written would no longer be watched for changes
        mmu.stale = False

    def run(self, cpu: UnicornCpu, slice_blocks: int | None = None) -> Stop:
        """Run the thread until a hook ends the run."""
        self.blocks.begin(slice_blocks)
        self.activate(cpu)
        self.forget_exceptions()
        self.stop = None
        pc = len(self.file) - 1
        while not self.interrupted:
            error = self.uc.start(self.words[pc])
            if self.failure is not None:
                failure, self.failure = self.failure, None
                raise failure
            if self.stop is not None:
                return self.stop
            if self.interrupted or self.blocks.used_up():
                break
            if error == ERR_INSN_INVALID:
                return self.undefined(cpu)
            if error != ERR_OK:
                self.uc.check(error)
            stop = self.ended(cpu)
            if stop is not None:
                return stop
        return PREEMPTED

    def interrupt(self) -> None:
        """End the run for good, from a signal handler or another thread: the guest must not be resumed."""
        self.interrupted = True
        self.uc.stop()

    def finish(self, stop: Stop) -> None:
        """End the run from within a hook."""
        self.stop = stop
        self.uc.stop()

    def fail(self, failure: BaseException) -> None:
        """A callback raised: end the run, and raise it from there."""
        self.failure = failure
        self.uc.stop()

    def page_fault(self, cpu: UnicornCpu, address: int, access: int, trapno: int, error: int) -> None:
        """An access that the page tables forbid: let the kernel repair them, or end the run with its signal.

        `trapno` and `error` are for the signal context.
        """
        mmu = cpu.mmu
        mmu.faulting = address >> 12 if access == WRITE else -1
        verdict = cpu.on_fault(address, access)
        mmu.faulting = -1
        if verdict is not None:
            self.finish(Stop(StopReason.SIGNAL, *verdict, address, (trapno, error, address)))
        self.resume(cpu)

    def code_at(self, address: int, size: int) -> bytes:
        """Up to `size` (at most 4096) bytes of the running thread's memory, as far as there are pages."""
        assert self.current is not None
        lookup, offset = self.current.mmu.lookup, address & 0xFFF
        entry = lookup(address >> 12)
        place = entry & FRAME_MASK | offset
        here = min(size, 0x1000 - offset)
        code = bytes(self.ram.view[place : place + here]) if entry else b""
        if here < size and entry and (entry := lookup((address >> 12) + 1)):
            place = entry & FRAME_MASK
            code += self.ram.view[place : place + size - here]
        return code

    def resume(self, cpu: UnicornCpu) -> None:
        """At the end of a hook: the CPU goes on with `cpu`, whatever the callbacks have changed."""
        mmu = cpu.mmu
        if self.current is not cpu or self.mmu is not mmu or mmu.stale or self.code_changed:
            self.activate(cpu)

    def _note_code_change(self) -> None:
        self.code_changed = True


class UnicornCpu(ABC):
    """The `Cpu` of base.py on a Unicorn engine."""

    on_syscall: OnSyscall
    on_fault: OnFault
    mmu: PageTables
    arch: Arch

    def __init__(self, engine: UnicornEngine) -> None:
        self.engine = engine
        self.state = b""  # the registers, while another thread's are in the CPU
        self.sysenter_return = 0
        self.pc_bias = 0  # inside x86's SYSCALL hook, the CPU adds the instruction's length to the pc afterwards

    def reset(self, arch: Arch, mmu: Any, pc: int, sp: int) -> None:
        """Become a fresh thread of `arch` in the address space `mmu`, as after execve(2): all other registers 0."""
        self.arch = arch
        self.mmu = mmu
        self.load(self.engine.templates[arch])
        self.set(arch.pc, pc)
        self.set(arch.sp, sp)

    def run(self, slice_blocks: int | None = None) -> Stop:
        """Run guest instructions until something that the callbacks could not answer."""
        return self.engine.run(self, slice_blocks)

    def save(self) -> Any:
        """All registers of the thread (floating point and vectors too), to be given to `load` again."""
        engine = self.engine
        engine.activate(self)
        pc, bias = len(engine.file) - 1, self.pc_bias
        before = engine.words[pc]
        engine.words[pc] = before + bias & MASK64
        state = engine.context.save()
        engine.words[pc] = before
        return state

    def copy(self, mmu: Any) -> UnicornCpu:
        """Another thread with the same registers, in the address space `mmu`."""
        twin = self.engine.new_cpu()
        twin.arch, twin.mmu, twin.sysenter_return = self.arch, mmu, self.sysenter_return
        twin.load(self.save())
        return twin

    def load(self, state: Any) -> None:
        """Continue where `save` was called."""
        engine = self.engine
        if engine.current is self:
            engine.context.restore(state)
            pc = len(engine.file) - 1
            engine.words[pc] = engine.words[pc] - self.pc_bias & MASK64
            engine.switched(self)
        else:
            self.state = state

    def get(self, register: str) -> int:
        """Unsigned value of a register."""
        self.engine.activate(self)
        return self.read(register)

    def after_trap(self) -> int:
        """Where the thread goes on after the system call that it is making."""
        return self.get(self.arch.pc) + self.pc_bias & MASK64

    def set(self, register: str, value: int) -> None:
        """Change a register; takes effect when the thread next runs."""
        self.engine.activate(self)
        self.write(register, value)

    def get_all(self, registers: tuple[str, ...]) -> tuple[int, ...]:
        """Several at once."""
        engine = self.engine
        engine.activate(self)
        places, others = self.places(registers)
        words = engine.words
        values = [words[place] for place in places]
        values += [self.read(name) for name in others]
        return tuple(values)

    def set_all(self, registers: tuple[str, ...], values: Sequence[int]) -> None:
        """Change several at once."""
        engine = self.engine
        engine.activate(self)
        places, others = self.places(registers)
        words = engine.words
        for place, value in zip(places, values, strict=False):
            words[place] = value
        for name, value in zip(others, values[len(places) :], strict=True):
            self.write(name, value)

    def places(self, registers: tuple[str, ...]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Places in the register file of those that come first in a list and are words there; and the rest."""
        found = PLACES_OF.get(registers)
        if found is None:
            file = self.engine.file[: -1 if self.engine.file[-1] == "rip" else None]  # which may be off: see pc_bias
            count = next((n for n, name in enumerate(registers) if name not in file), len(registers))
            found = tuple(file.index(name) for name in registers[:count]), registers[count:]
            PLACES_OF[registers] = found
        return found

    def registers(self) -> dict[str, int]:
        """What a person wants to see of the registers, in the architecture's customary order."""
        return {name: self.get(name) for name in self.shown()}

    def begin_slice(self, blocks: int) -> bool:
        """From within a system call: let the run end after so many blocks. False: it has to be started again."""
        return self.engine.blocks.begin_now(blocks)

    def preempt(self) -> bool:
        """Use the time slice up at once, from another thread; False when the run has none."""
        return self.engine.blocks.end_now()

    def interrupt(self) -> None:
        """End the run for good, from a signal handler or another thread: the guest must not be resumed."""
        self.engine.interrupt()

    @abstractmethod
    def shown(self) -> tuple[str, ...]:
        """Names of the registers that `registers` reports."""

    @abstractmethod
    def read(self, register: str) -> int:
        """Value of a register of the thread that the CPU holds."""

    @abstractmethod
    def write(self, register: str, value: int) -> None:
        """Change a register of the thread that the CPU holds."""

    @abstractmethod
    def get_fp(self) -> bytes:
        """Floating point and vectors, as the signal frame has them."""

    @abstractmethod
    def set_fp(self, image: bytes) -> None:
        """Restore what `get_fp` gave."""

    def get_tls_descriptor(self, entry: int) -> int:
        """x86 only."""
        raise NotImplementedError

    def set_tls_descriptor(self, entry: int, descriptor: int) -> None:
        """x86 only."""
        raise NotImplementedError

    @abstractmethod
    def set_thread_pointer(self, value: int) -> None:
        """FS base, i386's TLS descriptor base, or TPIDR_EL0."""


def new_engine(arch: Arch, ram: GuestRam) -> Engine:
    """The engine that runs threads of `arch`."""
    if arch is ARM64:
        from emu.engine.arm64 import Arm64Engine

        return Arm64Engine(ram)
    from emu.engine.x86 import X86Engine

    return X86Engine(ram)
