"""Page faults and what the kernel answers; rights; code that changes under the engine."""

import pytest

from emu.engine.base import StopReason
from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.kernel.ports import EXECUTE, READ, WRITE

ARCHES = (X86_64, I386, ARM64)
CODE = 0x400000
#: Store a counter to 8 pages from 0x600000 on.
FILL = {
    # mov rbx, 0x600000; mov ecx, 8; 1: mov [rbx], rcx; add rbx, 4096; dec ecx; jnz 1b; ud2
    X86_64: "48c7c300006000 b908000000 48890b 4881c300100000 ffc9 75f2 0f0b",
    I386: "bb00006000 b908000000 890b 81c300100000 49 75f5 0f0b",
    # mov x19, #0x600000; mov x20, #8; 1: str x20, [x19]; add x19, x19, #4096; subs x20, x20, #1; b.ne 1b
    ARM64: "130ca0d2 140180d2 740200f9 73064091 940600f1 a1ffff54",
}
#: Read 0x600000, add 1, store it there.
INCREMENT = {
    X86_64: "488b0c2500006000 4883c101 48890c2500006000 0f0b",
    I386: "8b0d00006000 83c101 890d00006000 0f0b",
    ARM64: "130ca0d2 740240f9 95060091 750200f9",
}
#: Put 1 into the first register below and stop; the second makes it 7.
ONE = {X86_64: "b801000000 0f0b", I386: "b801000000 0f0b", ARM64: "200080d2 00000000"}
SEVEN = {X86_64: "b807000000 0f0b", I386: "b807000000 0f0b", ARM64: "e00080d2 00000000"}


@pytest.mark.parametrize("arch", ARCHES)
def test_demand_paging(guest, arch):
    thread = guest(arch, FILL[arch])
    first = thread.ram.allocate(8)
    thread.pages = {0x600 + i: (first + i, READ | WRITE) for i in range(8)}
    thread.run()
    assert thread.faults == [(0x600000 + 4096 * i, WRITE) for i in range(8)]
    assert [thread.word(first + i) & 0xFF for i in range(8)] == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("arch", ARCHES)
def test_copy_on_write(guest, arch):
    thread = guest(arch, INCREMENT[arch])
    shared, copy = thread.ram.allocate(1), thread.ram.allocate(1)
    thread.mmu.map(0x600, shared, 1, READ)
    thread.put(shared, b"\x05")
    thread.put(copy, b"\x05")
    thread.pages[0x600] = copy, READ | WRITE
    thread.run()
    assert thread.faults == [(0x600000, WRITE)]
    assert (thread.word(shared), thread.word(copy)) == (5, 6)


@pytest.mark.parametrize("arch", ARCHES)
def test_a_page_exchanged_by_the_kernel_is_seen(guest, arch):
    thread = guest(arch, INCREMENT[arch])
    frames = [thread.ram.allocate(1) for _ in range(3)]
    for frame in frames:
        thread.mmu.map(0x600, frame, 1, READ | WRITE)
        thread.cpu.set(arch.pc, CODE)
        thread.run()
    assert [thread.word(frame) for frame in frames] == [1, 1, 1]


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("take_away", ["unmap", "protect"])
def test_rights_taken_away_inside_a_call_hold_at_once(guest, arch, take_away):
    call = {X86_64: "b827000000 0f05", I386: "b827000000 cd80", ARM64: "e80480d2 010000d4"}[arch]
    body = {key: code[:-5] if key is not ARM64 else code for key, code in INCREMENT.items()}[arch]
    thread = guest(arch, body + call + INCREMENT[arch])
    frame = thread.ram.allocate(1)
    thread.mmu.map(0x600, frame, 1, READ | WRITE)

    def protect(*_):
        if take_away == "unmap":
            thread.mmu.unmap(0x600, 1)
        else:
            thread.mmu.map(0x600, frame, 1, READ)
        return 0

    thread.cpu.on_syscall = protect
    stop = thread.run()
    assert stop.reason is StopReason.SIGNAL
    assert thread.faults == [(0x600000, READ if take_away == "unmap" else WRITE)]
    assert thread.word(frame) == 1


@pytest.mark.parametrize("arch", ARCHES)
def test_unmapping_many_gigabytes(guest, arch):
    thread = guest(arch, FILL[arch])
    thread.mmu.map(0x600, thread.ram.allocate(8), 8, READ | WRITE)
    thread.run()
    assert not thread.faults
    thread.mmu.unmap(0x500, arch.task_size // 4096 - 0x500)
    thread.cpu.set(arch.pc, CODE)
    thread.run()
    assert thread.faults == [(0x600000, WRITE)]


@pytest.mark.parametrize("arch", ARCHES)
def test_code_written_by_the_kernel(guest, arch):
    thread = guest(arch, ONE[arch])
    seen = []
    for code in (ONE, SEVEN, ONE):
        thread.put(thread.code, bytes.fromhex(code[arch]))
        thread.cpu.set(arch.pc, CODE)
        thread.run()
        seen.append(thread.cpu.get(arch.result))
    assert seen == [1, 7, 1]


@pytest.mark.parametrize("arch", ARCHES)
def test_code_in_a_reused_frame(guest, arch):
    thread = guest(arch, ONE[arch])
    thread.run()
    thread.mmu.unmap(CODE >> 12, 1)
    thread.ram.release(thread.code)
    frame = thread.ram.allocate(1)
    assert frame == thread.code
    thread.ram.view[frame << 12 : (frame << 12) + 16] = bytes.fromhex(SEVEN[arch]).ljust(16, b"\0")
    thread.mmu.map(CODE >> 12, frame, 1, READ | EXECUTE)
    thread.cpu.set(arch.pc, CODE)
    thread.run()
    assert thread.cpu.get(arch.result) == 7


@pytest.mark.parametrize("arch", ARCHES)
def test_code_written_by_the_guest_through_an_alias(guest, arch):
    # x86: mov byte ptr [0x600010 + 1], 7, then jump to 0x400010; arm64: str w1, [0x600010]; isb
    program = {
        X86_64: "c6042511006000 07 eb06 9090 90909090" + ONE[X86_64],
        I386: "c60511006000 07 eb07 90 909090909090" + ONE[I386],
        ARM64: "000ca0d2 a1000018 011000b9 df3f03d5" + ONE[ARM64] + "e00080d2",
    }[arch]
    thread = guest(arch, program)
    thread.mmu.map(0x600, thread.code, 1, READ | WRITE)
    for _ in range(2):
        thread.put(thread.code, bytes.fromhex(program))
        thread.cpu.set(arch.pc, CODE + 16)
        thread.run()
        assert thread.cpu.get(arch.result) == 1
        thread.cpu.set(arch.pc, CODE)
        thread.run()
        assert thread.cpu.get(arch.result) == 7


@pytest.mark.parametrize("first", ["write", "execute"])
@pytest.mark.parametrize("arch", ARCHES)
def test_code_written_again_and_again_through_another_mapping(guest, arch, first):
    # x86: mov [0x600001], cl; ud2. arm64: mov x0, #0x600000; str w1, [x0]
    writer = {X86_64: "880c2501006000 0f0b", I386: "880d01006000 0f0b", ARM64: "000ca0d2 010000b9"}[arch]
    thread = guest(arch, writer)
    frame = thread.ram.allocate(1)
    thread.ram.share(frame)
    thread.put(frame, bytes.fromhex(ONE[arch]))
    thread.pages = {0x600: (frame, READ | WRITE), 0x700: (frame, READ | EXECUTE)}
    if first == "execute":
        thread.cpu.set(arch.pc, 0x700000)
        thread.run()
    for value in range(2, 6):
        thread.cpu.set(
            {X86_64: "rcx", I386: "ecx", ARM64: "x1"}[arch], value if arch is not ARM64 else 0xD2800000 | value << 5
        )
        thread.cpu.set(arch.pc, CODE)
        thread.run()
        thread.cpu.set(arch.pc, 0x700000)
        thread.run()
        assert thread.cpu.get(arch.result) == value


@pytest.mark.parametrize("arch", ARCHES)
def test_execute_never_comes_with_reading(guest, arch):
    thread = guest(arch, ONE[arch], READ | WRITE)
    thread.run()
    assert thread.faults == [(CODE, EXECUTE)]


def test_ram_beyond_4_gb():
    from emu.engine.unicorn import new_engine
    from emu.memory import GuestRam

    ram = GuestRam(6 << 30)
    for arch in (X86_64, ARM64):
        engine = new_engine(arch, ram)
        mmu = engine.new_mmu(arch)
        frame = (5 << 30 >> 12) + arch.elf_machine
        ram.view[frame << 12 : (frame << 12) + 16] = bytes.fromhex(SEVEN[arch]).ljust(16, b"\0")
        mmu.map(CODE >> 12, frame, 1, READ | EXECUTE)
        cpu = engine.new_cpu()
        cpu.on_fault = lambda *_: (11, 1)
        cpu.reset(arch, mmu, CODE, 0)
        assert (cpu.run().signal, cpu.get(arch.result)) == (4, 7)
