"""Time slices: a run ends after a number of blocks, between two instructions, and nothing happens twice or never."""

import threading
import time
from itertools import pairwise

import pytest

from emu.engine import blocks
from emu.engine.base import StopReason
from syscalls.abi.arch import ARM64, I386, X86_64

ARCHES = (X86_64, I386, ARM64)
#: A loop that counts in a register, and by stores of several kinds, in several blocks. The data page's address first.
STORES = {
    # mov rbx, 0x500000; 1: inc rcx; inc qword [rbx]; lock inc qword [rbx+8]; call 3f;
    # mov edi, 1; lock xadd [rbx+16], rdi; jmp 1b; 3: push rcx; pop rdx; ret
    X86_64: "48c7c300005000 48ffc1 48ff03 f048ff4308 e80d000000 bf01000000 f0480fc17b10 ebe4 51 5a c3",
    # mov ebx, 0x500000; 1: inc ecx; inc dword [ebx]; lock inc dword [ebx+8]; call 3f;
    # mov edi, 1; lock xadd [ebx+16], edi; jmp 1b; 3: push ecx; pop edx; ret
    I386: "bb00005000 41 ff03 f0ff4308 e80c000000 bf01000000 f00fc17b10 ebe8 51 5a c3",
    # mov x1, 0x500000; 1: add x2, x2, 1; ldr x3, [x1]; add x3, x3, 1; str x3, [x1]; bl 3f; add x5, x1, 16
    # 2: ldaxr x4, [x5]; add x4, x4, 1; stlxr w6, x4, [x5]; cbnz w6, 2b; mov x4, 1; b 1b
    # 3: add x5, x1, 8; mov x4, 1; ldadd x4, x4, [x5]; ret
    ARM64: "010aa0d2 42040091 230040f9 63040091 230000f9 08000094 25400091 a4fc5fc8 84040091 a4fc06c8 a6ffff35"
    "240080d2 f5ffff17 25200091 240080d2 a40024f8 c0035fd6",
}
COUNT = {X86_64: "rcx", I386: "ecx", ARM64: "x2"}
FOREVER = {X86_64: "ebfe", I386: "ebfe", ARM64: "00000014"}


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("native", [True, False])
def test_nothing_happens_twice_or_never(guest, monkeypatch, arch, native):
    thread = guest(arch, STORES[arch])
    thread.engine.blocks.remove()
    if not native:
        monkeypatch.setattr(blocks, "COUNT_DOWN", {})
    places = set()
    for turn in range(600):
        stop = thread.cpu.run(1 + turn * 7919 % 97)
        assert stop.reason is StopReason.PREEMPTED
        done = thread.cpu.get(COUNT[arch])
        behind = [done - thread.word(thread.data, offset) for offset in (0, 8, 16)]
        assert all(distance in (0, 1) for distance in behind), (turn, hex(thread.cpu.get(arch.pc)), behind)
        places.add(thread.cpu.get(arch.pc))
    assert thread.cpu.get(COUNT[arch]) > 5000
    assert len(places) > 1
    assert not thread.faults
    thread.engine.blocks.remove()


@pytest.mark.parametrize("arch", ARCHES)
def test_slices_are_the_same_in_every_run(guest, arch):
    def trail():
        thread = guest(arch, STORES[arch])
        return [(thread.cpu.run(n).reason, *thread.cpu.registers().values()) for n in (1, 2, 3, 1000, 7, 1)]

    assert trail() == trail()


@pytest.mark.parametrize("arch", ARCHES)
def test_each_slice_gets_on(guest, arch):
    thread = guest(arch, STORES[arch])
    pcs = []
    for _ in range(12):
        thread.cpu.run(1)
        pcs.append(thread.cpu.get(arch.pc))
    assert len(set(pcs)) > 2
    assert all(one != two for one, two in pairwise(pcs))


@pytest.mark.parametrize("arch", ARCHES)
def test_the_count_is_taken_out_when_nobody_wants_it(guest, monkeypatch, arch):
    monkeypatch.setattr(blocks, "GRACE_BLOCKS", 1000)
    thread = guest(arch, STORES[arch])
    counter = thread.engine.blocks
    assert thread.cpu.run(10).reason is StopReason.PREEMPTED
    assert thread.cpu.run().reason is StopReason.PREEMPTED  # the grace is over
    before = thread.cpu.get(COUNT[arch])
    assert before > 200
    threading.Timer(0.05, thread.cpu.interrupt).start()
    thread.cpu.run()
    thread.engine.interrupted = False
    assert not counter.end_now()
    assert thread.cpu.get(COUNT[arch]) > before + 1000


@pytest.mark.parametrize("arch", ARCHES)
def test_a_slice_can_be_cut_short(guest, arch):
    thread = guest(arch, FOREVER[arch])
    assert not thread.cpu.preempt() or thread.cpu.run(1)
    stop = threading.Event()

    def cut():
        time.sleep(0.05)
        while not stop.wait(0.001):
            thread.cpu.preempt()

    cutter = threading.Thread(target=cut)
    cutter.start()
    assert thread.cpu.run(1 << 60).reason is StopReason.PREEMPTED
    stop.set()
    cutter.join()
    assert thread.cpu.get(arch.pc) == 0x400000


@pytest.mark.parametrize("arch", ARCHES)
def test_calls_and_faults_come_first(guest, arch):
    call = {X86_64: "0f05 ebfc", I386: "cd80 ebfc", ARM64: "010000d4 ffffff17"}[arch]
    thread = guest(arch, call)
    for _ in range(3):
        assert thread.cpu.run(1000).reason is StopReason.SYSCALL
    fault = {X86_64: "31c0 8b00", I386: "31c0 8b00", ARM64: "000080d2 000040f9"}[arch]
    assert guest(arch, fault).cpu.run(1000).reason is StopReason.SIGNAL


def test_the_machine_code_of_arm64_hosts(guest):
    """It runs here as a guest: counts [x3] down, returns to x30, and at zero goes where [x3 + 8] says."""
    code = blocks.COUNT_DOWN["aarch64"]
    svc = bytes.fromhex("010000d4")
    back, stop = 0x400000 + len(code), 0x400000 + len(code) + 4
    thread = guest(ARM64, code + svc * 2)
    thread.put(thread.data, (2).to_bytes(8, "little") + stop.to_bytes(8, "little"))
    ends = []
    for _ in range(3):
        for name, value in (("x0", 7), ("x3", 0x500000), ("x30", back), ("pc", 0x400000)):
            thread.cpu.set(name, value)
        thread.run()
        ends.append(thread.pc - 4)
        assert thread.x0 == 7
    assert ends == [back, stop, stop]
    assert thread.word(thread.data) == (1 << 64) - 1
