"""What Linux makes of exceptions and privileged instructions. The x86 rows were compared with a native kernel."""

import pytest

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.signal import (
    BUS_ADRALN,
    FPE_FLTDIV,
    FPE_INTDIV,
    ILL_ILLOPC,
    ILL_ILLOPN,
    SEGV_ACCERR,
    SEGV_MAPERR,
    SI_KERNEL,
    SIGBUS,
    SIGFPE,
    SIGILL,
    SIGSEGV,
    SIGTRAP,
    TRAP_BRKPT,
    TRAP_TRACE,
)

CODE = 0x400000
BOTH, WIDE, NARROW = (X86_64, I386), (X86_64,), (I386,)
AT = CODE
#: architectures, code, assembly, signal, si_code, si_addr, offset of the pc
X86 = [
    (BOTH, "f4", "hlt", SIGSEGV, SI_KERNEL, 0, 0),
    (BOTH, "fa", "cli", SIGSEGV, SI_KERNEL, 0, 0),
    (BOTH, "e460", "in al, 0x60", SIGSEGV, SI_KERNEL, 0, 0),
    (BOTH, "6690 ef bb07000000", "xchg ax, ax; out dx, eax; mov ebx, 7", SIGSEGV, SI_KERNEL, 0, 2),
    (BOTH, "0f30", "wrmsr", SIGSEGV, SI_KERNEL, 0, 0),
    (BOTH, "0f33", "rdpmc", SIGSEGV, SI_KERNEL, 0, 0),
    (BOTH, "0f20c0", "mov rax, cr0", SIGSEGV, SI_KERNEL, 0, 0),
    (BOTH, "66b81000 8ed8", "mov ax, 0x10; mov ds, ax", SIGSEGV, SI_KERNEL, 0, 4),
    (BOTH, "cd21", "int 0x21", SIGSEGV, SI_KERNEL, 0, 0),
    (BOTH, "cd0e", "int 14: not a page fault", SIGSEGV, SI_KERNEL, 0, 0),
    (BOTH, "cc", "int3", SIGTRAP, SI_KERNEL, 0, 1),
    (BOTH, "cd03", "int 3", SIGTRAP, SI_KERNEL, 0, 2),
    (BOTH, "cd04", "int 4", SIGSEGV, SI_KERNEL, 0, 2),
    (NARROW, "b0 7f 0401 ce", "mov al, 127; add al, 1; into", SIGSEGV, SI_KERNEL, 0, 5),
    (BOTH, "cd06", "int 6: not the exception", SIGSEGV, SI_KERNEL, 0, 0),
    (BOTH, "c5f458c0", "vaddps ymm0, ymm1, ymm0: not offered", SIGILL, ILL_ILLOPN, AT, 0),
    (BOTH, "90 b8c5f45800 c4e27d58c1", "vpbroadcastd ymm0, xmm1, behind a constant", SIGILL, ILL_ILLOPN, AT + 6, 6),
    (BOTH, "eb01 90 c5fc77", "jmp; vzeroall", SIGILL, ILL_ILLOPN, AT + 3, 3),
    (NARROW, "b800005000 c508 c400 f4", "lds ecx, [eax]: of VEX's opcode", SIGSEGV, SI_KERNEL, 0, 9),
    (BOTH, "f1", "icebp", SIGTRAP, TRAP_BRKPT, AT + 1, 1),
    (WIDE, "6802030000 9d 90 90", "push 0x302; popfq; nop; nop", SIGTRAP, TRAP_TRACE, AT + 7, 7),
    (BOTH, "0f0b", "ud2", SIGILL, ILL_ILLOPN, AT, 0),
    (WIDE, "06", "push es", SIGILL, ILL_ILLOPN, AT, 0),
    (BOTH, "0fc7f0", "rdrand eax: not offered", SIGILL, ILL_ILLOPN, AT, 0),
    (BOTH, "0f01d0", "xgetbv: not offered", SIGILL, ILL_ILLOPN, AT, 0),
    (WIDE, "0f34", "sysenter in 64-bit code", SIGILL, ILL_ILLOPN, AT, 0),
    (BOTH, "31db f7f3", "xor ebx, ebx; div ebx", SIGFPE, FPE_INTDIV, AT + 2, 2),
    (BOTH, "b800000080 99 83c9ff f7f9", "INT_MIN / -1", SIGFPE, FPE_INTDIV, AT + 9, 9),
    (
        WIDE, "dbe3 6860030000 d92c24 d9e8 d9ee def9 9b",
        "fninit; push 0x360; fldcw [rsp]; fld1; fldz; fdivp; fwait", SIGFPE, FPE_FLTDIV, AT + 16, 16,
    ),
    (WIDE, "48b80000000000000080 488b18", "a non-canonical address", SIGSEGV, SI_KERNEL, 0, 10),
    (WIDE, "48b80000000080ffffff 488b18", "the kernel's half: read", SIGSEGV, SEGV_MAPERR, 0xFFFFFF80_00000000, 10),
    (WIDE, "48b80010000080ffffff 488918", "the kernel's half: write", SIGSEGV, SEGV_MAPERR, 0xFFFFFF80_00001000, 10),
    (BOTH, "a000106000 0000000000", "read of nothing", SIGSEGV, SEGV_MAPERR, 0x601000, 0),
    (BOTH, "b800004000 8800", "write to code", SIGSEGV, SEGV_ACCERR, 0x400000, 5),
    (BOTH, "b800005000 ffe0", "jump to data", SIGSEGV, SEGV_ACCERR, 0x500000, 0x100000),
    (BOTH, "31c0 ffe0", "jump to 0", SIGSEGV, SEGV_MAPERR, 0, -CODE),
]  # fmt: skip
ARM = [
    ("00000000", "udf #0", SIGILL, ILL_ILLOPC, AT, 0),
    ("804622d4", "brk #0x1234", SIGTRAP, TRAP_BRKPT, AT, 0),
    ("000040d4", "hlt #0", SIGILL, ILL_ILLOPC, AT, 0),
    ("020000d4", "hvc #0", SIGILL, ILL_ILLOPC, AT, 0),
    ("030000d4", "smc #0", SIGILL, ILL_ILLOPC, AT, 0),
    ("001038d5", "mrs x0, sctlr_el1", SIGILL, ILL_ILLOPC, AT, 0),
    ("001018d5", "msr sctlr_el1, x0", SIGILL, ILL_ILLOPC, AT, 0),
    ("df4203d5", "msr daifset, #2", SIGILL, ILL_ILLOPC, AT, 0),
    ("1f8708d5", "tlbi vmalle1", SIGILL, ILL_ILLOPC, AT, 0),
    ("e0039fd6", "eret", SIGILL, ILL_ILLOPC, AT, 0),
    ("20e03bd5", "mrs x0, cntpct_el0", SIGILL, ILL_ILLOPC, AT, 0),
    ("210080d2 207c5fc8", "mov x1, #1; ldxr x0, [x1]", SIGBUS, BUS_ADRALN, 1, 4),
    ("410080d2 20001fd6", "mov x1, #2; br x1", SIGBUS, BUS_ADRALN, 2, 2 - CODE),
    ("0000a0d2 010040f9", "mov x0, #0; ldr x1, [x0]", SIGSEGV, SEGV_MAPERR, 0, 4),
    ("0008a0d2 010000f9", "mov x0, #0x400000; str x1, [x0]", SIGSEGV, SEGV_ACCERR, 0x400000, 4),
    ("000aa0d2 00001fd6", "mov x0, #0x500000; br x0", SIGSEGV, SEGV_ACCERR, 0x500000, 0x100000),
    ("00e0f8d2 010040f9", "mov x0, #0xc7 << 56: a tag is not part of si_addr", SIGSEGV, SEGV_MAPERR, 0, 4),
    ("e0ffffd2 010040f9", "mov x0, #0xffff << 48; ldr x1, [x0]", SIGSEGV, SEGV_MAPERR, 0xFFFF << 48, 4),
]  # fmt: skip
ROWS = [(arch, *row) for arches, *row in X86 for arch in arches] + [(ARM64, *row) for row in ARM]


@pytest.mark.parametrize(
    ("arch", "code", "assembly", "signal", "si_code", "address", "pc"), ROWS, ids=[f"{r[0].name}-{r[2]}" for r in ROWS]
)
def test_signal_of_an_exception(guest, arch, code, assembly, signal, si_code, address, pc):
    thread = guest(arch, code)
    stop = thread.run()
    assert (stop.signal, stop.code, hex(stop.address)) == (signal, si_code, hex(address))
    assert thread.cpu.get(arch.pc) == CODE + pc & arch.mask
    assert not thread.calls


def test_a_refused_port_access_leaves_no_trace(guest):
    # in al, 0x60; mov [0x500000], rsp; mov ebx, 7; mov eax, 39; syscall
    thread = guest(X86_64, "e460 48892425 00005000 bb07000000 b827000000 0f05")
    assert thread.run().code == SI_KERNEL
    assert (thread.rax, thread.rbx, thread.word(thread.data), thread.calls) == (0, 0, 0, [])
    assert thread.run().code == SI_KERNEL  # and the thread can go on from there


def test_an_exception_after_a_fault_is_not_a_double_fault(guest):
    thread = guest(X86_64, "488b042500006000 f4")  # mov rax, [0x600000]; hlt
    frame = thread.ram.allocate(1)
    thread.pages[0x600] = frame, 1
    assert thread.run().fault == (13, 0, None)


def test_an_absent_instruction_is_refused_each_time(guest):
    thread = guest(X86_64, "ffc3 c5f458c0")  # inc ebx; vaddps ymm0, ymm1, ymm0
    for times in 1, 2, 3:
        stop = thread.run()
        assert (stop.signal, stop.address, thread.rbx) == (SIGILL, CODE + 2, times)
        thread.cpu.set(thread.cpu.arch.pc, CODE)
    thread.put(thread.code + 0, bytes.fromhex("ffc3 90909090 f4"))  # other code in its place
    assert thread.run().signal == SIGSEGV


@pytest.mark.parametrize("arch", BOTH)
def test_a_fault_sets_the_resume_flag_and_a_trap_does_not(guest, arch):
    thread = guest(arch, "0f0b cc")  # ud2; int3
    thread.run()
    assert thread.cpu.get("eflags") & 1 << 16
    thread.cpu.set(thread.cpu.arch.pc, CODE + 2)
    thread.run()
    assert not thread.cpu.get("eflags") & 1 << 16


def test_what_the_signal_context_tells(guest):
    thread = guest(X86_64, "488b042500006000 0f0b")
    assert thread.run().fault == (14, 4, 0x600000)
    thread.cpu.set(thread.cpu.arch.pc, CODE + 8)
    assert thread.run().fault == (6, 0, None)  # CR2 stays
    arm = guest(ARM64, "00000000 000020d4 0000a0d2 010040f9")  # udf; brk; mov x0, #0; ldr x1, [x0]
    assert arm.run().fault == (0, 0, 0)
    arm.cpu.set(arm.cpu.arch.pc, CODE + 4)
    assert arm.run().fault is None
    arm.cpu.set(arm.cpu.arch.pc, CODE + 8)
    assert arm.run().fault == (0, 0x92000006, 0)


@pytest.mark.parametrize("arch", BOTH)
def test_pause_and_nops_run_through(guest, arch):
    assert guest(arch, "f390 f390 90 0f0b").run().address == CODE + 5


def test_hints_run_through(guest):
    # yield; wfe; wfi; sev; paciasp; bti c
    assert guest(ARM64, "3f2003d5 5f2003d5 7f2003d5 9f2003d5 3f2303d5 5f2403d5").run().address == CODE + 24
