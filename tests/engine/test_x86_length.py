"""The length of x86 instructions, against a disassembler, over all code of a program."""

from pathlib import Path

import pytest
from capstone import CS_ARCH_X86, CS_MODE_32, CS_MODE_64, Cs
from elftools.elf.elffile import ELFFile

from emu.engine.x86_absent import find_vex
from emu.engine.x86_length import length

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.mark.parametrize(("arch", "mode"), [("x86_64", CS_MODE_64), ("i386", CS_MODE_32)])
def test_every_instruction_of_a_program(arch, mode):
    with (SAMPLES / "bin" / arch / "faults").open("rb") as file:
        code = ELFFile(file).get_section_by_name(".text").data()
    wrong = [
        (name, code[at : at + size].hex())
        for at, size, name, _ in Cs(CS_ARCH_X86, mode).disasm_lite(code, 0)
        if length(code, at, wide=arch == "x86_64") != size
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "mode", "size"),
    [
        ("48b80000000000000080", CS_MODE_64, 10),  # mov rax, 0x8000000000000000
        ("66b83412", CS_MODE_32, 4),
        ("a10000000000000000", CS_MODE_64, 9),  # a moffs is as wide as an address
        ("67a100000000", CS_MODE_64, 6),
        ("67a10000", CS_MODE_32, 4),
        ("678b8e3412", CS_MODE_32, 5),  # mov ecx, [bp + 0x1234]
        ("66e800000000", CS_MODE_64, 6),  # on Intel's processors, the prefix is ignored
        ("c8100000", CS_MODE_64, 4),
        ("9a000000003300", CS_MODE_32, 7),
        ("f6c101", CS_MODE_64, 3),
        ("f7d9", CS_MODE_64, 2),
        ("66f7c13412", CS_MODE_64, 5),
        ("660f3a0fc108", CS_MODE_64, 6),
        ("f20f38f1c0", CS_MODE_64, 5),
    ],
)
def test_an_instruction(code, mode, size):
    assert length(bytes.fromhex(code), 0, wide=mode == CS_MODE_64) == size


def test_finding_vex():
    assert find_vex(bytes.fromhex("b8c5f45800 c5f458c0"), wide=True) == 5
    assert find_vex(bytes.fromhex("4889c5 e8fda7fbff"), wide=True) is None
