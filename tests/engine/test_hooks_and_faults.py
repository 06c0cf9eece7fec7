"""The hook that counts blocks comes and goes, while the page tables under translated code change."""

from __future__ import annotations

import pytest

from emu.engine import blocks
from emu.engine.base import StopReason
from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.kernel.ports import EXECUTE, READ, WRITE

#: Stores to 0x600000, then endless jumps.
STORE = {
    # mov rbx, 0x600000; mov [rbx], rbx; 1: jmp 1b
    X86_64: "48c7c300006000 48891b ebfe",
    # mov ebx, 0x600000; mov [ebx], ebx; 1: jmp 1b
    I386: "bb00006000 891b ebfe",
    # mov x1, 0x600000; str x1, [x1]; 1: b 1b
    ARM64: "010ca0d2 210000f9 00000014",
}


@pytest.mark.parametrize("arch", STORE)
def test_a_fault_after_the_hook_was_removed_is_a_page_fault(guest, monkeypatch, arch):
    monkeypatch.setattr(blocks, "GRACE_BLOCKS", 100)
    for elsewhere in range(4):
        thread = guest(arch, STORE[arch])
        place = 0x700000 + elsewhere * 0x10000 >> 12
        for page in range(place, place + 8):  # code at addresses that the next thread does not have
            thread.mmu.map(page, thread.code, 1, READ | EXECUTE)
        for page in range(place, place + 8):
            thread.cpu.set(arch.pc, page << 12)
            thread.pages = {0x600: (thread.data, READ | WRITE)}
            assert thread.cpu.run(3).reason is StopReason.PREEMPTED
        assert thread.cpu.run().reason is StopReason.PREEMPTED  # the grace is over
        other = guest(arch, STORE[arch])
        other.pages = {0x600: (other.data, READ | WRITE)}
        other.engine.blocks.remove()
        assert other.cpu.run(50).reason is StopReason.PREEMPTED
        assert other.faults == [(0x600000, WRITE)]
    thread.engine.blocks.remove()
