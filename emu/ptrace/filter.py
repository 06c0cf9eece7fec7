"""A seccomp filter that stops a program only at the calls that are traced (seccomp(2), linux/bpf_common.h)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from syscalls.abi.numbers import NAME
from syscalls.abi.ptrace import SECCOMP_RET_ALLOW, SECCOMP_RET_TRACE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emu.trace.select import Selection
    from syscalls.abi.arch import Arch

LOAD_WORD, JUMP, JUMP_EQUAL, JUMP_GREATER, JUMP_AT_LEAST, RETURN = 0x20, 0x05, 0x15, 0x25, 0x35, 0x06
NUMBER_AT, ARCH_AT = 0, 4  # in struct seccomp_data
MAX_INSTRUCTIONS = 4096  # BPF_MAXINSNS
#: Always stopped at: a program that is executed may be of another architecture.
ALWAYS = frozenset({"execve", "execveat"})


def traced_numbers(selection: Selection, arch: Arch) -> list[int]:
    """The numbers of the calls that a selection means."""
    return sorted(n for n, name in NAME[arch.name].items() if name in ALWAYS or selection.has(name, arch))


def program(selection: Selection, arches: Iterable[Arch]) -> bytes | None:
    """The filter; None when it would be longer than the kernel takes."""
    code = [_instruction(LOAD_WORD, ARCH_AT)]
    for arch in arches:
        part = _numbers(traced_numbers(selection, arch))
        code += [_instruction(JUMP_EQUAL, arch.audit, 1, 0), _instruction(JUMP, len(part)), *part]
    code.append(_instruction(RETURN, SECCOMP_RET_TRACE))  # an architecture that we know nothing of
    return b"".join(code) if len(code) <= MAX_INSTRUCTIONS else None


def _numbers(numbers: list[int]) -> list[bytes]:
    """RET_TRACE for these, RET_ALLOW for all others: a test for each range, in ascending order."""
    code = [_instruction(LOAD_WORD, NUMBER_AT)]
    for low, high in _ranges(numbers):
        code += [
            _instruction(JUMP_AT_LEAST, low, 0, 2),
            _instruction(JUMP_GREATER, high, 1, 0),
            _instruction(RETURN, SECCOMP_RET_TRACE),
        ]
    return [*code, _instruction(RETURN, SECCOMP_RET_ALLOW)]


def _ranges(numbers: list[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
