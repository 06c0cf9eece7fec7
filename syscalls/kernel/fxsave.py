"""The x87 and SSE state in memory: FXSAVE's 512 bytes, and the older FSAVE's 112 that i386's frames begin with.

Sources: arch/x86/kernel/fpu/regset.c (convert_from_fxsr, convert_to_fxsr), Intel's manual on FXSAVE.
"""

from __future__ import annotations

import struct

FXSAVE_SIZE = 512
FSAVE_SIZE = 112
DEFAULT_CONTROL, DEFAULT_MXCSR = 0x37F, 0x1F80
#: Bits of MXCSR that exist; loading others faults.
MXCSR_MASK = 0xFFFF
_FX_HEAD = struct.Struct("<HHBxHQQ")  # control, status, tags, opcode, addresses of the instruction and of its data
_FS_HEAD = struct.Struct("<7I")
_MXCSR_OFFSET, _ST_OFFSET = 24, 32
_EMPTY = 3


def fresh() -> bytes:
    """The state of a new program."""
    image = bytearray(FXSAVE_SIZE)
    image[:2] = DEFAULT_CONTROL.to_bytes(2, "little")
    struct.pack_into("<II", image, _MXCSR_OFFSET, DEFAULT_MXCSR, MXCSR_MASK)
    return bytes(image)


def check(image: bytes) -> bool:
    """Could FXRSTOR load it?"""
    mxcsr: int = struct.unpack_from("<I", image, _MXCSR_OFFSET)[0]
    return not mxcsr & ~MXCSR_MASK


def to_fsave(image: bytes, cs: int, ds: int) -> bytes:
    """struct _fpstate_32's first 112 bytes; the last two words say that FXSAVE's image follows.

    As on a 64-bit kernel: the selectors are those of now, and the opcode is not told.
    """
    control, status, tags, _, ip, data = _FX_HEAD.unpack_from(image)
    head = _FS_HEAD.pack(
        control | 0xFFFF0000, status | 0xFFFF0000, _full_tags(image, status, tags), ip & 0xFFFFFFFF, cs,
        data & 0xFFFFFFFF, 0xFFFF0000 | ds,
    )  # fmt: skip
    registers = b"".join(image[start : start + 10] for start in range(_ST_OFFSET, _ST_OFFSET + 128, 16))
    return head + registers + struct.pack("<HH", status, 0)


def merge_fsave(image: bytes, fsave: bytes) -> bytes:
    """FXSAVE's image with the x87 part taken from FSAVE's, which a handler may have changed."""
    control, status, tags, ip, selector, data, _ = _FS_HEAD.unpack_from(fsave)
    result = bytearray(image)
    _FX_HEAD.pack_into(
        result, 0, control & 0xFFFF, status & 0xFFFF, _short_tags(tags), selector >> 16, ip, data
    )  # fmt: skip
    for index in range(8):
        start = _ST_OFFSET + 16 * index
        result[start : start + 10] = fsave[28 + 10 * index : 38 + 10 * index]
    return bytes(result)


def _full_tags(image: bytes, status: int, tags: int) -> int:
    """Two bits a register from FXSAVE's one (twd_fxsr_to_i387)."""
    top = status >> 11 & 7
    result = 0xFFFF0000
    for register in range(8):
        tag = _EMPTY
        if tags >> register & 1:
            start = _ST_OFFSET + 16 * ((register - top) & 7)
            tag = _tag(image[start : start + 10])
        result |= tag << 2 * register
    return result


def _tag(value: bytes) -> int:
    """0 valid, 1 zero, 2 special."""
    exponent = int.from_bytes(value[8:10], "little") & 0x7FFF
    significand = int.from_bytes(value[:8], "little")
    if exponent == 0x7FFF:
        return 2
    if exponent == 0:
        return 1 if significand == 0 else 2
    return 0 if significand >> 63 else 2


def _short_tags(tags: int) -> int:
    """One bit a register that is not empty (twd_i387_to_fxsr)."""
    return sum(1 << register for register in range(8) if tags >> 2 * register & 3 != _EMPTY)
