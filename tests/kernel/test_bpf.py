"""Classic BPF: what is refused, and what programs return."""

from __future__ import annotations

import pytest

from syscalls.abi import bpf as abi
from syscalls.abi.errno import EINVAL, SysError
from syscalls.kernel import bpf
from syscalls.kernel.bpf import DATA, Instruction

ALLOW = Instruction(bpf.RETURN, k=0x7FFF0000)
A = Instruction(bpf.RETURN_A)


def load(offset):
    return Instruction(bpf.LOAD_WORD, k=offset)


def alu(operation, k=0, source=abi.BPF_K):
    return Instruction(abi.BPF_ALU | operation | source, k=k)


@pytest.mark.parametrize(
    "program",
    [
        [],
        [load(0)],
        [load(64), ALLOW],
        [load(2), ALLOW],
        [Instruction(abi.BPF_LD | abi.BPF_H | abi.BPF_ABS), ALLOW],
        [alu(abi.BPF_MOD, 3), ALLOW],
        [alu(abi.BPF_DIV, 0), ALLOW],
        [alu(abi.BPF_RSH, 32), ALLOW],
        [Instruction(bpf.JUMP, k=1), ALLOW],
        [Instruction(abi.BPF_JMP | abi.BPF_JEQ, 0, 1, 0), ALLOW],
        [Instruction(abi.BPF_LD | abi.BPF_MEM, k=3), ALLOW],
        [Instruction(abi.BPF_JMP | abi.BPF_JEQ, 0, 1), Instruction(abi.BPF_ST, k=3),
         Instruction(abi.BPF_LD | abi.BPF_MEM, k=3), A],
        [ALLOW] * 4097,
    ],
)  # fmt: skip
def test_refused(program):
    with pytest.raises(SysError) as refused:
        bpf.check(program)
    assert refused.value.errno == EINVAL


@pytest.mark.parametrize(
    ("program", "result"),
    [
        ([load(0), A], 0xFFFF_FFFF),
        ([load(16), A], 0x89AB_CDEF),
        ([load(20), A], 0x0123_4567),
        ([Instruction(abi.BPF_LD | abi.BPF_LEN), A], 64),
        ([Instruction(abi.BPF_LD, k=7), Instruction(abi.BPF_MISC | abi.BPF_TAX), alu(abi.BPF_MUL, source=abi.BPF_X), A],
         49),
        ([Instruction(abi.BPF_LD, k=7), alu(abi.BPF_NEG), A], 0xFFFF_FFF9),
        ([Instruction(abi.BPF_LD, k=7), alu(abi.BPF_DIV, source=abi.BPF_X), ALLOW], 0),
        ([Instruction(abi.BPF_LD, k=7), Instruction(abi.BPF_ST, k=2), Instruction(abi.BPF_LDX | abi.BPF_MEM, k=2),
          Instruction(abi.BPF_MISC | abi.BPF_TXA), A], 7),
        ([load(0), Instruction(abi.BPF_JMP | abi.BPF_JSET, 0, 1, 1 << 31), ALLOW, A], ALLOW.k),
    ],
)  # fmt: skip
def test_results(program, result):
    bpf.check(program)
    assert bpf.run(program, DATA.pack(-1, 0xC000003E, 0, 0x0123_4567_89AB_CDEF, 0, 0, 0, 0, 0)) == result


def test_what_a_result_depends_on():
    words = range(16)
    assert bpf.Run([load(0), load(4), ALLOW], words).looked_at == 0b11
    assert bpf.Run([load(0), load(16), ALLOW], words).looked_at == 0b10001


def test_instructions_are_eight_bytes():
    program = [load(4), Instruction(abi.BPF_JMP | abi.BPF_JEQ, 1, 2, 0xC000003E)]
    assert bpf.pack(program) == bytes.fromhex("2000000004000000 150001023e0000c0")
    assert bpf.unpack(bpf.pack(program)) == program
