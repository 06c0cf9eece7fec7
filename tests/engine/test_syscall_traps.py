"""System calls: number, arguments and result; what the instructions clobber; going on and stopping."""

import pytest

from emu.engine.base import StopReason
from syscalls.abi.arch import ARM64, I386, X86_64

CODE, STACK = 0x400000, 0x500F00
SIX = (1, 2, 3, 4, 5, 6)
#: mov eax, 39; edi ... r9 = 1 ... 6; syscall; mov rbx, rax; ud2
SYSCALL = "b827000000 bf01000000 be02000000 ba03000000 41ba04000000 41b805000000 41b906000000 0f05 4889c3 0f0b"
#: mov eax, 20; ebx ... ebp = 1 ... 6; int 0x80; mov ebx, eax (64-bit code: rbx, rax); ud2
INT80 = "b814000000 bb01000000 b902000000 ba03000000 be04000000 bf05000000 bd06000000 cd80"
#: mov x8, 172; x0 ... x5 = 1 ... 6; svc 0; mov x19, x0
SVC = "881580d2 200080d2 410080d2 620080d2 830080d2 a40080d2 c50080d2 010000d4 f30300aa"
ROWS = [
    (X86_64, X86_64, SYSCALL, 39, "rbx", 42),
    (X86_64, X86_64, SYSCALL, 39, "rbx", -38),
    (X86_64, I386, INT80 + "4889c3 0f0b", 20, "rbx", 0xF7000000),
    (X86_64, I386, INT80 + "4889c3 0f0b", 20, "rbx", -38),
    (I386, I386, INT80 + "89c3 0f0b", 20, "ebx", 42),
    (I386, I386, INT80 + "89c3 0f0b", 20, "ebx", -38),
    (ARM64, ARM64, SVC, 172, "x19", 42),
    (ARM64, ARM64, SVC, 172, "x19", -38),
]  # fmt: skip


@pytest.mark.parametrize(("arch", "abi", "code", "number", "register", "result"), ROWS)
def test_call_is_answered_inside_the_run(guest, arch, abi, code, number, register, result):
    thread = guest(arch, code)
    thread.answers[number] = result
    assert thread.run().reason is StopReason.SIGNAL
    assert thread.calls == [(abi, number, SIX)]
    assert thread.cpu.get(register) == result & arch.mask


def test_int80_sees_the_low_halves_of_64_bit_registers(guest):
    thread = guest(X86_64, "48c7c0ffffffff 48c7c3feffffff cd80")  # mov rax, -1; mov rbx, -2; int 0x80
    thread.run()
    assert thread.calls == [(I386, 0xFFFF_FFFF, (0xFFFF_FFFE, 0, 0, 0, 0, 0))]


@pytest.mark.parametrize(("arch", "code", "length"), [(X86_64, SYSCALL, 40), (I386, INT80, 37), (ARM64, SVC, 32)])
def test_none_stops_behind_the_instruction(guest, arch, code, length):
    thread = guest(arch, code)
    seen = []
    thread.cpu.on_syscall = lambda *_: seen.append(thread.cpu.get(arch.pc))
    assert thread.run().reason is StopReason.SYSCALL
    assert seen == [thread.cpu.get(arch.pc)] == [CODE + bytes.fromhex(code).find(bytes.fromhex(code)) + length]


def test_syscall_leaves_pc_and_flags_in_rcx_and_r11(guest):
    thread = guest(X86_64, "f9 fd b827000000 0f05 0f0b")  # stc; std; mov eax, 39; syscall; ud2
    thread.answers[39] = 0
    thread.run()
    assert (thread.rcx, thread.r11) == (CODE + 9, 0x202 | 0x401)
    assert thread.eflags & 0x401 == 0x401


@pytest.mark.parametrize(("arch", "code"), [(X86_64, SYSCALL), (I386, INT80), (ARM64, SVC)])
def test_the_kernel_may_move_the_thread_inside_a_call(guest, arch, code):
    thread = guest(arch, code)

    def jump(*_):
        thread.cpu.set(arch.pc, 0x123450)
        thread.cpu.set(arch.sp, 0x9990)
        assert thread.cpu.get(arch.pc) == 0x123450

    thread.cpu.on_syscall = jump
    thread.run()
    assert (thread.cpu.get(arch.pc), thread.cpu.get(arch.sp)) == (0x123450, 0x9990)


@pytest.mark.parametrize(("arch", "code"), [(X86_64, SYSCALL), (I386, INT80), (ARM64, SVC)])
def test_an_error_of_ours_comes_out_of_run(guest, arch, code):
    thread = guest(arch, code)

    def broken(*_):
        raise ZeroDivisionError

    thread.cpu.on_syscall = broken
    with pytest.raises(ZeroDivisionError):
        thread.run()
    thread.cpu.on_syscall = thread.on_syscall
    thread.cpu.reset(arch, thread.mmu, CODE, STACK)
    assert thread.run().reason is StopReason.SYSCALL


def test_sysenter_takes_its_sixth_argument_from_the_stack_and_returns_to_the_landing_pad(guest):
    # mov eax, 20; ebx ... edi = 1 ... 5; push 6; mov ebp, esp; sysenter
    code = "b814000000 bb01000000 b902000000 ba03000000 be04000000 bf05000000 6a06 89e5 0f34"
    thread = guest(I386, bytes.fromhex(code).ljust(64, b"\x90") + bytes.fromhex("89c3 0f0b"))  # mov ebx, eax; ud2
    thread.cpu.sysenter_return = CODE + 64
    thread.answers[20] = -38
    assert thread.run().address == CODE + 66
    assert thread.calls == [(I386, 20, SIX)]
    assert (thread.ebx, thread.ebp, thread.esp) == (-38 & I386.mask, 6, STACK - 4)


def test_sysenter_with_a_bad_stack_is_efault(guest):
    thread = guest(I386, bytes.fromhex("31ed 0f34").ljust(64, b"\x90") + bytes.fromhex("0f0b"))  # xor ebp, ebp
    thread.cpu.sysenter_return = CODE + 64
    assert thread.run().address == CODE + 64
    assert (thread.eax, thread.calls) == (-14 & I386.mask, [])


def test_syscall_in_32_bit_code_has_its_second_argument_in_ebp(guest):
    # mov eax, 20; mov ebx, 1; mov ebp, 2; edx, esi, edi = 3, 4, 5; push 6; syscall
    code = "b814000000 bb01000000 bd02000000 ba03000000 be04000000 bf05000000 6a06 0f05"
    thread = guest(I386, code)
    thread.run()
    assert thread.calls == [(I386, 20, SIX)]


def test_far_jump_between_the_widths(guest):
    # 32-bit: push 0x33; push 0x400010; retf. 64-bit at 0x400010: mov eax, 39; syscall
    thread = guest(I386, bytes.fromhex("6a33 6810004000 cb").ljust(16, b"\x90") + bytes.fromhex("b827000000 0f05"))
    thread.run()
    assert [call[:2] for call in thread.calls] == [(X86_64, 39)]
