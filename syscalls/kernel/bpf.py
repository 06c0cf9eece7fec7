"""Classic BPF as seccomp(2) takes it: programs are checked before they are attached, then interpreted.

Sources: bpf_check_classic and check_load_and_stores in net/core/filter.c, seccomp_check_filter in kernel/seccomp.c.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from operator import add, and_, mul, or_, sub, xor
from typing import NamedTuple

from syscalls.abi import bpf
from syscalls.abi.errno import EINVAL, SysError

MASK = 0xFFFF_FFFF
_INSTRUCTION = struct.Struct("<HBBI")
#: struct seccomp_data: number, architecture, instruction pointer, six arguments.
DATA = struct.Struct("<iIQ6Q")
_WORDS = struct.Struct("<16I")
DATA_BYTES = 64
NUMBER_AT, ARCH_AT, POINTER_AT, ARGUMENTS_AT = 0, 4, 8, 16


class Instruction(NamedTuple):
    """struct sock_filter."""

    code: int
    jt: int = 0
    jf: int = 0
    k: int = 0


def unpack(data: bytes) -> list[Instruction]:
    """The instructions of a struct sock_filter[]."""
    return [Instruction(*fields) for fields in _INSTRUCTION.iter_unpack(data)]


def pack(program: Iterable[Instruction]) -> bytes:
    """A struct sock_filter[]."""
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in program)


LOAD_WORD = bpf.BPF_LD | bpf.BPF_W | bpf.BPF_ABS
RETURN = bpf.BPF_RET | bpf.BPF_K
RETURN_A = bpf.BPF_RET | bpf.BPF_A
JUMP = bpf.BPF_JMP | bpf.BPF_JA
_LOAD_LENGTH = bpf.BPF_LD | bpf.BPF_W | bpf.BPF_LEN, bpf.BPF_LDX | bpf.BPF_W | bpf.BPF_LEN
_LOAD_MEMORY = bpf.BPF_LD | bpf.BPF_MEM, bpf.BPF_LDX | bpf.BPF_MEM
_OTHERS = (
    *_LOAD_LENGTH, *_LOAD_MEMORY, bpf.BPF_LD | bpf.BPF_IMM, bpf.BPF_LDX | bpf.BPF_IMM, bpf.BPF_ST, bpf.BPF_STX,
    RETURN, RETURN_A, JUMP, bpf.BPF_MISC | bpf.BPF_TAX, bpf.BPF_MISC | bpf.BPF_TXA, bpf.BPF_ALU | bpf.BPF_NEG,
    LOAD_WORD,
)  # fmt: skip
OPERATIONS: dict[int, Callable[[int, int], int]] = {
    bpf.BPF_ADD: add, bpf.BPF_SUB: sub, bpf.BPF_MUL: mul, bpf.BPF_OR: or_, bpf.BPF_AND: and_, bpf.BPF_XOR: xor,
    bpf.BPF_DIV: lambda a, b: a // b, bpf.BPF_LSH: lambda a, b: a << (b & 31), bpf.BPF_RSH: lambda a, b: a >> (b & 31),
}  # fmt: skip
CONDITIONS: dict[int, Callable[[int, int], bool]] = {
    bpf.BPF_JEQ: lambda a, b: a == b, bpf.BPF_JGT: lambda a, b: a > b, bpf.BPF_JGE: lambda a, b: a >= b,
    bpf.BPF_JSET: lambda a, b: bool(a & b),
}  # fmt: skip
#: What seccomp takes of the language: no packets, no BPF_MOD.
ALLOWED = frozenset(
    _OTHERS
    + tuple(bpf.BPF_ALU | operation | source for operation in OPERATIONS for source in (bpf.BPF_K, bpf.BPF_X))
    + tuple(bpf.BPF_JMP | condition | source for condition in CONDITIONS for source in (bpf.BPF_K, bpf.BPF_X))
)


def check(program: Sequence[Instruction]) -> None:
    """EINVAL for what could read elsewhere, jump elsewhere, or never return."""
    length = len(program)
    if not 0 < length <= bpf.BPF_MAXINSNS:
        raise SysError(EINVAL)
    for place, instruction in enumerate(program):
        if not _is_sound(instruction, length - place - 1):
            raise SysError(EINVAL)
    if program[-1].code not in (RETURN, RETURN_A):
        raise SysError(EINVAL)
    _check_memory(program)


def _is_sound(instruction: Instruction, left: int) -> bool:
    """Can it be executed, with `left` more instructions behind it?"""
    code, jt, jf, k = instruction
    if code not in ALLOWED:
        return False
    if code == LOAD_WORD:
        return k < DATA_BYTES and k % 4 == 0
    if code == bpf.BPF_ALU | bpf.BPF_DIV | bpf.BPF_K:
        return k != 0
    if code in (bpf.BPF_ALU | bpf.BPF_LSH | bpf.BPF_K, bpf.BPF_ALU | bpf.BPF_RSH | bpf.BPF_K):
        return k < 32
    if code in _LOAD_MEMORY or code in (bpf.BPF_ST, bpf.BPF_STX):
        return k < bpf.BPF_MEMWORDS
    if code == JUMP:
        return k < left
    if code & 7 == bpf.BPF_JMP:
        return jt < left and jf < left
    return True


def _check_memory(program: Sequence[Instruction]) -> None:
    """EINVAL when a word of the scratch memory may be read before it is written (check_load_and_stores)."""
    everything = (1 << bpf.BPF_MEMWORDS) - 1
    written, at_target = 0, [everything] * len(program)
    for place, (code, jt, jf, k) in enumerate(program):
        written &= at_target[place]
        if code in (bpf.BPF_ST, bpf.BPF_STX):
            written |= 1 << k
        elif code in _LOAD_MEMORY and not written & 1 << k:
            raise SysError(EINVAL)
        elif code & 7 == bpf.BPF_JMP:
            for offset in (k,) if code == JUMP else (jt, jf):
                at_target[place + 1 + offset] &= written
            written = everything


def run(program: Sequence[Instruction], data: bytes) -> int:
    """What a checked program returns for a struct seccomp_data."""
    return Run(program, _WORDS.unpack(data)).result


class Run:
    """One run of a program; which words of the data it has looked at tells what its result depends on."""

    __slots__ = ("looked_at", "result")

    def __init__(self, program: Sequence[Instruction], words: Sequence[int]) -> None:
        self.looked_at = 0  # bit mask
        self.result = self._run(program, words)

    def _run(self, program: Sequence[Instruction], words: Sequence[int]) -> int:
        a = x = place = 0
        memory = [0] * bpf.BPF_MEMWORDS
        while True:
            code, jt, jf, k = program[place]
            place += 1
            kind = code & 7
            operand = x if code & bpf.BPF_X else k
            if kind == bpf.BPF_LD:
                a = self._load(code, k, words, memory)
            elif kind == bpf.BPF_JMP:
                place += k if code == JUMP else jt if CONDITIONS[code & 0xF0](a, operand) else jf
            elif kind == bpf.BPF_RET:
                return a if code == RETURN_A else k
            elif kind == bpf.BPF_ALU:
                if code & 0xF0 == bpf.BPF_NEG:
                    a = -a & MASK
                elif code & 0xF0 == bpf.BPF_DIV and not operand:
                    return 0
                else:
                    a = OPERATIONS[code & 0xF0](a, operand) & MASK
            elif kind == bpf.BPF_LDX:
                x = self._load(code, k, words, memory)
            elif kind == bpf.BPF_MISC:
                a, x = (x, x) if code & bpf.BPF_TXA else (a, a)
            else:
                memory[k] = a if kind == bpf.BPF_ST else x

    def _load(self, code: int, k: int, words: Sequence[int], memory: list[int]) -> int:
        if code == LOAD_WORD:
            self.looked_at |= 1 << k // 4
            return words[k // 4]
        if code in _LOAD_LENGTH:
            return DATA_BYTES
        return memory[k] if code in _LOAD_MEMORY else k
