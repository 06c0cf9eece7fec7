"""System calls per second of the engines alone, against a bare Unicorn hook that only answers.

Run: python bench/engine_calls.py [calls]. Each guest is a loop of getppid; both sides run the same bytes.
"""

import sys
import time

from emu.engine.unicorn import new_engine
from emu.memory import GuestRam
from syscalls.abi.arch import ARM64, I386, X86_64

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
CODE, STACK = 0x400000, 0x500000
#: The loop's count in ebx (x86) or x19; then exit.
LOOPS = {
    # 1: mov eax, 110; syscall; dec ebx; jnz 1b; mov eax, 60; syscall
    X86_64: "bb%s b86e000000 0f05 ffcb 75f5 b83c000000 0f05",
    # 1: mov eax, 64; int 0x80; dec esi; jnz 1b; mov eax, 1; int 0x80
    I386: "be%s b840000000 cd80 4e 75f6 b801000000 cd80",
    # 1: mov x8, 173; svc 0; sub x19, x19, 1; cbnz x19, 1b; mov x8, 93; svc 0
    ARM64: "%s a81580d2 010000d4 730600d1 b3ffffb5 a80b80d2 010000d4",
}


def code(arch):
    if arch is ARM64:  # movz x19, low; movk x19, high, lsl 16
        words = (0xD2800013 | (CALLS & 0xFFFF) << 5, 0xF2A00013 | (CALLS >> 16) << 5)
        count = b"".join(word.to_bytes(4, "little") for word in words).hex()
    else:
        count = CALLS.to_bytes(4, "little").hex()
    return bytes.fromhex(LOOPS[arch] % count)


def ours(arch):
    ram = GuestRam()
    engine = new_engine(arch, ram)
    mmu = engine.new_mmu(arch)
    frame = ram.allocate(1)
    ram.view[frame << 12 : (frame << 12) + len(code(arch))] = code(arch)
    mmu.map(CODE >> 12, frame, 1, 5)
    cpu = engine.new_cpu()
    last = {X86_64: 60, I386: 1, ARM64: 93}[arch]
    cpu.on_syscall = lambda _arch, number, _arguments: None if number == last else 1
    cpu.on_fault = lambda _address, _access: (11, 1)
    cpu.reset(arch, mmu, CODE, STACK)
    start = time.perf_counter()
    cpu.run()
    return CALLS / (time.perf_counter() - start)


def bare(arch):
    from unicorn import UC_ARCH_ARM64, UC_ARCH_X86, UC_HOOK_INSN, UC_HOOK_INTR, UC_MODE_32, UC_MODE_64, UC_MODE_ARM, Uc
    from unicorn.arm64_const import UC_ARM64_REG_X0, UC_ARM64_REG_X8
    from unicorn.x86_const import UC_X86_INS_SYSCALL, UC_X86_REG_EAX, UC_X86_REG_RAX

    kind, mode, number, result, last = {
        X86_64: (UC_ARCH_X86, UC_MODE_64, UC_X86_REG_RAX, UC_X86_REG_RAX, 60),
        I386: (UC_ARCH_X86, UC_MODE_32, UC_X86_REG_EAX, UC_X86_REG_EAX, 1),
        ARM64: (UC_ARCH_ARM64, UC_MODE_ARM, UC_ARM64_REG_X8, UC_ARM64_REG_X0, 93),
    }[arch]
    uc = Uc(kind, mode)
    uc.mem_map(CODE, 0x1000)
    uc.mem_write(CODE, code(arch))

    def answer(uc):
        if uc.reg_read(number) == last:
            uc.emu_stop()
        else:
            uc.reg_write(result, 1)

    if arch is X86_64:
        uc.hook_add(UC_HOOK_INSN, lambda uc, _data: answer(uc), None, 1, 0, UC_X86_INS_SYSCALL)
    else:
        uc.hook_add(UC_HOOK_INTR, lambda uc, _number, _data: answer(uc))
    start = time.perf_counter()
    uc.emu_start(CODE, 0)
    return CALLS / (time.perf_counter() - start)


if __name__ == "__main__":
    for arch in (X86_64, I386, ARM64):
        best = [max(run(arch) for _ in range(3)) for run in (ours, bare)]
        print(f"{arch.name:7} {best[0]:10,.0f} calls/s, bare hook {best[1]:10,.0f}: {best[0] / best[1]:.2f}")
