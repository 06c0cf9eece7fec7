"""A tiny kernel for engine tests: a page of code, one of data with the stack, a record of what the engine asks."""

from __future__ import annotations

from functools import cache

import pytest

from emu.engine.unicorn import new_engine
from emu.memory import GuestRam
from syscalls.abi.arch import ARM64
from syscalls.kernel.ports import EXECUTE, READ, WRITE

CODE, DATA = 0x400000, 0x500000
STACK = DATA + 0xF00
SIGSEGV, SEGV_MAPERR, SEGV_ACCERR = 11, 1, 2


@cache
def machine(is_arm):
    """One engine for all tests of its architectures, as one serves all processes: (RAM, engine)."""
    from syscalls.abi.arch import X86_64

    ram = GuestRam(64 << 20)
    return ram, new_engine(ARM64 if is_arm else X86_64, ram)


class Guest:
    """One thread in an address space of its own."""

    def __init__(self, arch, code=b"", access=READ | EXECUTE):
        self.arch = arch
        self.ram, self.engine = machine(arch is ARM64)
        self.mmu = self.engine.new_mmu(arch)
        self.code, self.data = self.ram.allocate(1), self.ram.allocate(1)
        self.put(self.code, code if isinstance(code, bytes) else bytes.fromhex(code))
        self.mmu.map(CODE >> 12, self.code, 1, access)
        self.mmu.map(DATA >> 12, self.data, 1, READ | WRITE)
        self.calls, self.faults = [], []
        self.answers = {}  # call number -> result; others stop the run
        self.pages = {}  # page -> (frame, access) to map when it faults
        self.cpu = self.engine.new_cpu()
        self.cpu.on_syscall, self.cpu.on_fault = self.on_syscall, self.on_fault
        self.cpu.reset(arch, self.mmu, CODE, STACK)

    def put(self, frame, data):
        self.ram.view[frame << 12 : (frame << 12) + len(data)] = data
        self.ram.invalidate_code(frame)

    def word(self, frame, offset=0):
        return self.ram.words[(frame << 9) + offset // 8]

    def on_syscall(self, abi, number, arguments):
        self.calls.append((abi, number, arguments))
        return self.answers.get(number)

    def on_fault(self, address, access):
        self.faults.append((address, access))
        page = address >> 12
        if page in self.pages:
            frame, allowed = self.pages[page]
            if access & allowed:
                self.mmu.map(page, frame, 1, allowed)
                return None
            return SIGSEGV, SEGV_ACCERR
        return SIGSEGV, SEGV_ACCERR if self.mmu.lookup(page & (1 << 36) - 1) else SEGV_MAPERR

    def run(self):
        return self.cpu.run()

    def __getattr__(self, name):  # registers: guest.rax
        return self.cpu.get(name)


@pytest.fixture
def guest():
    return Guest
