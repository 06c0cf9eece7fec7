"""Several threads and processes on one engine; all of a thread's registers; stopping for good."""

import threading

import pytest

from emu.engine.base import StopReason
from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.kernel.ports import EXECUTE, READ, WRITE

ARCHES = (X86_64, I386, ARM64)
CODE, STACK = 0x400000, 0x500F00
#: Count in the register below, then a call that stops.
COUNT = {
    X86_64: "48ffc3 b827000000 0f05 ebf4",  # 1: inc rbx; mov eax, 39; syscall; jmp 1b
    I386: "43 b814000000 cd80 ebf6",
    ARM64: "73060091 881580d2 010000d4 fdffff17",
}
COUNTER = {X86_64: "rbx", I386: "ebx", ARM64: "x19"}


@pytest.mark.parametrize("arch", ARCHES)
def test_fresh_thread(guest, arch):
    thread = guest(arch, COUNT[arch])
    values = thread.cpu.registers()
    general = {name for name in values if name[0] in "rexs" and name not in ("eflags", arch.sp, "ss", "es")}
    assert {name for name in general if values[name] and name != arch.pc} == set()
    assert (values[arch.pc], values[arch.sp]) == (CODE, STACK)
    if arch is not ARM64:
        assert (values["eflags"], values["cs"], values["ss"]) == (0x202, 0x33 if arch is X86_64 else 0x23, 0x2B)
        assert (thread.fpcw, thread.mxcsr) == (0x37F, 0x1F80)
        assert [thread.cpu.get(name) for name in ("ds", "es", "fs", "gs")] == (
            [0x2B] * 2 if arch is I386 else [0, 0]
        ) + [0, 0]


@pytest.mark.parametrize("arch", ARCHES)
def test_threads_take_turns(guest, arch):
    one = guest(arch, COUNT[arch])
    two = guest(arch, COUNT[arch])
    for turn in range(3):
        for thread in (one, two, two):
            assert thread.run().reason is StopReason.SYSCALL
        assert (one.cpu.get(COUNTER[arch]), two.cpu.get(COUNTER[arch])) == (turn + 1, 2 * turn + 2)


def test_both_widths_take_turns(guest):
    wide, narrow = guest(X86_64, COUNT[X86_64]), guest(I386, COUNT[I386])
    for _ in range(3):
        wide.run()
        narrow.run()
    assert (wide.rbx, narrow.ebx, narrow.cs) == (3, 3, 0x23)


@pytest.mark.parametrize("arch", ARCHES)
def test_a_child_made_inside_a_call(guest, arch):
    parent, child = guest(arch, COUNT[arch]), guest(arch, "")
    child.mmu.map(CODE >> 12, parent.code, 1, READ | EXECUTE)

    def clone(*_):
        child.cpu.load(parent.cpu.save())
        child.cpu.set(arch.result, 0)
        child.cpu.set(COUNTER[arch], 100)
        parent.cpu.on_syscall = parent.on_syscall
        return 77

    parent.cpu.on_syscall = clone
    parent.run()
    assert parent.cpu.get(COUNTER[arch]) == 2
    pc = parent.cpu.get(arch.pc)
    assert child.cpu.get(arch.pc) == pc
    child.run()
    assert (child.cpu.get(COUNTER[arch]), child.cpu.get(arch.pc)) == (101, pc)
    assert parent.cpu.get(COUNTER[arch]) == 2


@pytest.mark.parametrize("arch", ARCHES)
def test_execve_inside_a_call_swaps_the_address_space(guest, arch):
    thread, other = guest(arch, COUNT[arch]), guest(arch, COUNT[arch])

    def execve(*_):
        thread.cpu.reset(arch, other.mmu, CODE, STACK - 64)
        thread.cpu.on_syscall = thread.on_syscall

    other.put(other.code, b"\x90" if arch is not ARM64 else b"")
    thread.cpu.on_syscall = execve
    assert thread.run().reason is StopReason.SYSCALL
    assert (thread.cpu.get(arch.pc), thread.cpu.get(arch.sp), thread.cpu.get(COUNTER[arch])) == (CODE, STACK - 64, 0)
    thread.mmu.unmap(CODE >> 12, 1)  # the old space is gone
    assert thread.run().reason is StopReason.SYSCALL
    assert not thread.faults


@pytest.mark.parametrize("arch", ARCHES)
def test_states_are_snapshots(guest, arch):
    thread = guest(arch, COUNT[arch])
    thread.run()
    state = thread.cpu.save()
    thread.run()
    thread.cpu.load(state)
    assert thread.cpu.get(COUNTER[arch]) == 1
    thread.run()
    assert thread.cpu.get(COUNTER[arch]) == 2


@pytest.mark.parametrize("arch", [X86_64, ARM64])
def test_thread_pointer(guest, arch):
    # mov rax, fs:[0]; ud2 / mrs x0, tpidr_el0; ldr x0, [x0]
    thread = guest(arch, {X86_64: "6448a10000000000000000 0f0b", ARM64: "40d03bd5 000040f9"}[arch])
    thread.put(thread.data, bytes.fromhex("efbeadde"))
    thread.cpu.set_thread_pointer(0x500000)
    thread.run()
    assert thread.cpu.get(arch.result) == 0xDEADBEEF


def test_tls_descriptors_belong_to_the_thread(guest):
    # mov ax, 0x63; mov gs, ax; mov ebx, gs:[0]; int 0x80
    code = "66b86300 8ee8 658b1d00000000 cd80"
    one, two = guest(I386, code), guest(I386, code)
    one.cpu.set_thread_pointer(0x500000)
    two.cpu.set_thread_pointer(0x500100)
    for thread, value in ((one, 1), (two, 2)):
        thread.put(thread.data, bytes((1, 0, 0, 0)).ljust(256, b"\0") + b"\x02")
        thread.run()
        assert (thread.ebx, thread.gs) == (value, 0x63)
    one.cpu.set_thread_pointer(0x500100)  # entry 12 is loaded: seen at once
    assert one.gs_base == 0x500100
    assert two.cpu.get_tls_descriptor(12) >> 16 & 0xFFFFFF == 0x500100


def test_fxsave_image(guest):
    # fld1; fldpi; pcmpeqd xmm5, xmm5; fxsave [0x500000]; ud2
    thread = guest(X86_64, "d9e8 d9eb 660f76ed 0fae042500005000 0f0b")
    thread.run()
    image = thread.cpu.get_fp()
    start = thread.data << 12
    native = bytes(thread.ram.view[start : start + 512])
    for first, last in ((0, 6), (24, 28), *((32 + 16 * i, 42 + 16 * i) for i in range(8)), (160, 416)):
        assert image[first:last] == native[first:last], first
    other = guest(X86_64, "0fae042500005000 0f0b")  # fxsave [0x500000]
    other.cpu.set_fp(image)
    other.run()
    start = other.data << 12
    assert bytes(other.ram.view[start : start + 6]) == native[:6]
    assert bytes(other.ram.view[start + 32 : start + 58]) == native[32:58]
    assert bytes(other.ram.view[start + 240 : start + 256]) == b"\xff" * 16


def test_arm64_vectors(guest):
    thread = guest(ARM64, "05f6036f")  # fmov v5.2d, #1.0
    thread.run()
    image = bytearray(thread.cpu.get_fp())
    assert len(image) == 520
    assert image[80:96] == bytes.fromhex("000000000000f03f") * 2
    image[16] = 9
    image[512:520] = bytes.fromhex("10000000 00004000")
    thread.cpu.set_fp(bytes(image))
    assert thread.cpu.get_fp() == image
    assert (thread.fpsr, thread.fpcr) == (0x10, 0x400000)


@pytest.mark.parametrize("arch", ARCHES)
def test_interrupt_ends_an_endless_loop(arch):
    from emu.engine.unicorn import new_engine
    from emu.memory import GuestRam

    ram = GuestRam(1 << 24)
    engine = new_engine(arch, ram)
    mmu = engine.new_mmu(arch)
    frame = ram.allocate(1)
    ram.view[frame << 12 : (frame << 12) + 4] = bytes.fromhex("00000014" if arch is ARM64 else "ebfe0000")
    mmu.map(CODE >> 12, frame, 1, READ | WRITE | EXECUTE)
    cpu = engine.new_cpu()
    cpu.reset(arch, mmu, CODE, STACK)
    timer = threading.Timer(0.05, cpu.interrupt)
    timer.start()
    assert cpu.run().reason is StopReason.PREEMPTED
    timer.join()
