"""The smallest emulator that Unicorn allows: plain mem_map, paging off, one hook that reads the number and answers.

Run: python bench/peers/bare.py PROGRAM [ARG ...]. It knows write and exit; every other call answers 0.
"""

import os
import struct
import sys
from pathlib import Path

from elftools.elf.elffile import ELFFile
from unicorn import (
    UC_ARCH_ARM64,
    UC_ARCH_X86,
    UC_HOOK_INSN,
    UC_HOOK_INTR,
    UC_MODE_32,
    UC_MODE_64,
    UC_MODE_ARM,
    Uc,
    arm64_const,
    x86_const,
)

STACK, STACK_BYTES, PAGE = 0x7000_0000, 0x100000, 0x10000
X86, A64 = x86_const, arm64_const
#: machine -> Uc arguments, number, three arguments, result, sp, write, exits, hook
MACHINES = {
    "EM_X86_64": (
        (UC_ARCH_X86, UC_MODE_64), X86.UC_X86_REG_RAX,
        (X86.UC_X86_REG_RDI, X86.UC_X86_REG_RSI, X86.UC_X86_REG_RDX), X86.UC_X86_REG_RAX, X86.UC_X86_REG_RSP,
        1, (60, 231),
    ),
    "EM_386": (
        (UC_ARCH_X86, UC_MODE_32), X86.UC_X86_REG_EAX,
        (X86.UC_X86_REG_EBX, X86.UC_X86_REG_ECX, X86.UC_X86_REG_EDX), X86.UC_X86_REG_EAX, X86.UC_X86_REG_ESP,
        4, (1, 252),
    ),
    "EM_AARCH64": (
        (UC_ARCH_ARM64, UC_MODE_ARM), A64.UC_ARM64_REG_X8,
        (A64.UC_ARM64_REG_X0, A64.UC_ARM64_REG_X1, A64.UC_ARM64_REG_X2), A64.UC_ARM64_REG_X0, A64.UC_ARM64_REG_SP, 64,
        (93, 94),
    ),
}  # fmt: skip


def main():
    program, *args = sys.argv[1:]
    with Path(program).open("rb") as file:
        elf = ELFFile(file)
        machine, entry, word = elf["e_machine"], elf["e_entry"], elf.elfclass // 8
        how, number_register, arguments, result, sp_register, write, exits = MACHINES[machine]
        uc = Uc(*how)
        mapped = set()
        for segment in elf.iter_segments("PT_LOAD"):
            first = segment["p_vaddr"] // PAGE
            last = (segment["p_vaddr"] + segment["p_memsz"] - 1) // PAGE
            for page in range(first, last + 1):
                if page not in mapped:
                    uc.mem_map(page * PAGE, PAGE)
                    mapped.add(page)
            uc.mem_write(segment["p_vaddr"], segment.data())
    uc.mem_map(STACK - STACK_BYTES, STACK_BYTES)
    sp = STACK - 0x1000
    words, place = [len(args) + 1], STACK - 0x800
    for arg in (program, *args):
        words.append(place)
        uc.mem_write(place, arg.encode() + b"\0")
        place += len(arg) + 1
    words += [0, 0, 0, 0]
    uc.mem_write(sp, struct.pack(f"<{len(words)}{'Q' if word == 8 else 'I'}", *words))
    uc.reg_write(sp_register, sp)

    def on_syscall(uc, *_):
        number = uc.reg_read(number_register)
        if number == write:
            address, count = uc.reg_read(arguments[1]), uc.reg_read(arguments[2])
            os.write(uc.reg_read(arguments[0]), uc.mem_read(address, count))
            uc.reg_write(result, count)
        elif number in exits:
            uc.emu_stop()
        else:
            uc.reg_write(result, 0)

    if machine == "EM_X86_64":
        uc.hook_add(UC_HOOK_INSN, on_syscall, aux1=X86.UC_X86_INS_SYSCALL)
    else:
        uc.hook_add(UC_HOOK_INTR, on_syscall)
    if machine == "EM_AARCH64":
        uc.reg_write(A64.UC_ARM64_REG_CPACR_EL1, 3 << 20)
    uc.emu_start(entry, 0)


main()
