"""The machine's side of clone(2) and execve(2): engines, processors, and programs in memory (`ports.Processors`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu import elf
from emu.engine.unicorn import new_engine
from emu.loader import Loaded, load
from emu.loop import attach
from syscalls.abi.arch import ARM64, Arch
from syscalls.abi.errno import EACCES, ENOENT, ENOEXEC, SysError
from syscalls.fs import notify
from syscalls.fs.fdtable import put
from syscalls.fs.path import resolve
from syscalls.kernel.exec import Invocation, Program, open_exec
from syscalls.kernel.filemap import FileBacking
from syscalls.mm.space import AddressSpace

if TYPE_CHECKING:
    from collections.abc import Callable

    from emu.engine.base import Cpu, Engine
    from emu.memory import GuestRam
    from syscalls.fs.cred import Credentials
    from syscalls.fs.file import File
    from syscalls.fs.path import Caller
    from syscalls.kernel.ports import CpuState, Mmu, Random
    from syscalls.kernel.task import Task


class InterpreterError(SysError):
    """The program's dynamic loader is not in the guest."""

    def __init__(self, errno: int, name: bytes) -> None:
        super().__init__(errno)
        self.name = name


class FormatError(SysError):
    """The file is no program: ENOEXEC, with the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(ENOEXEC)
        self.reason = reason


class Programs:
    """One engine for both x86 widths, one for arm64, each made when it is first needed."""

    def __init__(self, ram: GuestRam, random: Random, counter: Callable[[], int]) -> None:
        self.ram = ram
        self.random = random
        self.counter = counter  # what the guest's time-stamp counter counts
        self._engines: dict[bool, Engine] = {}

    def engine(self, arch: Arch) -> Engine:
        """The engine that runs threads of `arch`."""
        engine = self._engines.get(arch is ARM64)
        if engine is None:
            engine = self._engines[arch is ARM64] = new_engine(arch, self.ram)
            engine.counter = self.counter
        return engine

    def close(self) -> None:
        """Free the engines: for those who run many sandboxes in one process."""
        for engine in self._engines.values():
            engine.close()

    def new_mmu(self, arch: Arch) -> Mmu:
        """Empty page tables."""
        return self.engine(arch).new_mmu(arch)

    def copy_cpu(self, cpu: CpuState, mm: AddressSpace) -> CpuState:
        """The same registers in another (or the same) address space."""
        source: Cpu = cpu  # type: ignore[assignment]  # the kernel sees only the registers of it
        return source.copy(mm.mmu)

    def connect(self, task: Task) -> None:
        """Calls and faults go to the kernel."""
        attach(task)

    def load(
        self, caller: Caller, invocation: Invocation, cred: Credentials, limits: dict[int, tuple[int, int]]
    ) -> Program:
        """Map the program and build its stack; nothing is left behind when that fails."""
        image = _parse(invocation.file)
        engine = self.engine(image.arch)
        mm = AddressSpace(image.arch, self.ram, engine.new_mmu(image.arch))
        mm.limits = limits
        try:
            loaded = load(
                mm, image, FileBacking(invocation.file), args=invocation.args, env=invocation.env,
                filename=invocation.filename, cred=cred, random=self.random, hwcap=engine.hwcap(image.arch),
                interpreter=_interpreter(caller, image), secure=invocation.secure,
            )  # fmt: skip
        except elf.FormatError as error:
            mm.release()
            raise FormatError(str(error)) from None
        except SysError:
            mm.release()
            raise
        cpu = engine.new_cpu()
        cpu.reset(image.arch, mm.mmu, loaded.pc, loaded.stack.sp)
        cpu.sysenter_return = loaded.vdso.get("sysenter_return", 0)
        return _program(invocation, image.arch, mm, cpu, loaded)


def _program(invocation: Invocation, arch: Arch, mm: AddressSpace, cpu: Cpu, loaded: Loaded) -> Program:
    stack = loaded.stack
    argv = stack.sp + arch.word
    envp = argv + (len(invocation.args) + 1) * arch.word
    return Program(
        arch, mm, cpu, stack.auxv, loaded.vdso,
        arguments_at=(stack.argument_start, stack.argument_end),
        environment_at=(stack.argument_end, stack.environment_end),
        vectors=(stack.environment_end, argv, envp),
        exe=invocation.file.path, args=invocation.args, env=invocation.env,
    )  # fmt: skip


def _parse(file: File) -> elf.Image:
    def read(offset: int, count: int) -> bytes:
        data = file.pread(count, offset)
        assert isinstance(data, bytes)
        notify.on_access(file)
        return data

    try:
        return elf.parse(read)
    except elf.FormatError as error:
        raise FormatError(str(error)) from None


def _interpreter(caller: Caller, image: elf.Image) -> tuple[elf.Image, FileBacking] | None:
    """The dynamic loader that the program asks for; it must be in the guest."""
    if image.interpreter is None:
        return None
    try:
        file = open_exec(caller, resolve(caller, None, image.interpreter))
    except SysError as error:
        if error.errno in (ENOENT, EACCES):
            raise InterpreterError(error.errno, image.interpreter) from None
        raise
    backing = FileBacking(file)
    put(file)
    return _parse(file), backing
