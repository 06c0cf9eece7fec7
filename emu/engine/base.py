"""What an engine is: a processor for one or more architectures, its page tables, and the ways it stops.

The loop (emu/loop.py) drives an engine through these names only. Callbacks run inside the engine, between two guest
instructions; they must not raise (the engine keeps an exception and raises it from `run`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from syscalls.abi.arch import Arch
from syscalls.kernel.ports import CpuState, Mmu

#: Six raw arguments, unsigned and as wide as the architecture's registers.
Args = tuple[int, int, int, int, int, int]
#: (ABI of the trap instruction, call number, arguments) -> value for the result register, or None: stop the engine.
OnSyscall = Callable[[Arch, int, Args], int | None]
#: (address, READ | WRITE | EXECUTE) -> None when the page tables now allow it, else (signal, si_code).
OnFault = Callable[[int, int], tuple[int, int] | None]


class StopReason(Enum):
    """Why `Cpu.run` came back."""

    SYSCALL = auto()  # on_syscall answered None; the pc is behind the trap instruction
    SIGNAL = auto()  # an instruction raised an exception that is a signal; the pc is as Linux would show it
    PREEMPTED = auto()  # the time slice is used up


@dataclass(frozen=True, slots=True)
class Stop:
    """How a run ended. For SIGNAL: the siginfo that Linux would give (sigaction(2))."""

    reason: StopReason
    signal: int = 0
    code: int = 0  # si_code
    address: int = 0  # si_addr
    #: What sigcontext tells: x86's exception number, error code and CR2, or 0, arm64's syndrome and fault_address. An
    #: address of None leaves that of the fault before, None all of it.
    fault: tuple[int, int, int | None] | None = None


class Cpu(CpuState, Protocol):
    """One guest thread on an engine."""

    on_syscall: OnSyscall
    on_fault: OnFault
    sysenter_return: int  # i386: where SYSENTER comes back to (the vDSO's landing pad), 0 for none

    def reset(self, arch: Arch, mmu: Mmu, pc: int, sp: int) -> None:
        """Become a fresh thread of `arch` in the address space `mmu`, as after execve(2): all other registers 0."""

    def run(self, slice_blocks: int | None = None) -> Stop:
        """Run guest instructions until something that the callbacks could not answer.

        `slice_blocks` is how many basic blocks it may take: PREEMPTED comes between two of them, after the same number
        in every run. None: as long as it takes (after runs with slices, PREEMPTED may come once more).
        """

    def registers(self) -> dict[str, int]:
        """What a person wants to see of the registers, in the architecture's customary order."""

    def begin_slice(self, blocks: int) -> bool:
        """From within a system call: let the run end after so many blocks. False: it has to be started again."""

    def preempt(self) -> bool:
        """Use the time slice up at once, from another thread; False when the run has none.

        A run that is about to begin may overlook it: whoever needs it asks again.
        """

    def interrupt(self) -> None:
        """End the run for good, from a signal handler or another thread: the guest must not be resumed."""

    def copy(self, mmu: Mmu) -> Cpu:
        """Another thread with the same registers, in the address space `mmu` (which may be the same)."""

    def save(self) -> Any:
        """All registers of the thread (floating point and vectors too), to be given to `load` again."""

    def load(self, state: Any) -> None:
        """Continue where `save` was called."""


class Engine(Protocol):
    """A processor that runs guest threads of some architectures over one guest RAM."""

    arches: tuple[Arch, ...]
    counter: Callable[[], int]  # what reads of the time-stamp or virtual counter return

    def new_mmu(self, arch: Arch, /) -> Mmu:
        """Empty page tables for a process of `arch`."""

    def hwcap(self, arch: Arch, /) -> tuple[int, int]:
        """AT_HWCAP and AT_HWCAP2: the features of the processor that a program of `arch` may use."""

    def new_cpu(self) -> Cpu:
        """A guest thread; call its `reset` before it runs."""

    def close(self) -> None:
        """Free the CPU; nothing of it may be used any more."""
