"""The x87 state in its two forms."""

from __future__ import annotations

import struct

import pytest

from syscalls.kernel.fxsave import check, fresh, merge_fsave, to_fsave

ONE = bytes.fromhex("0000000000000080ff3f")
ZERO = bytes(10)
INFINITE = bytes.fromhex("0000000000000080ff7f")
DENORMAL = bytes.fromhex("01000000000000000000")


def image(values, top):
    """FXSAVE's image with ST(0), ST(1) ... set."""
    data = bytearray(fresh())
    used = 0
    for place, value in enumerate(values):
        data[32 + 16 * place : 42 + 16 * place] = value
        used |= 1 << (top + place & 7)
    struct.pack_into("<HB", data, 2, top << 11, used)
    data[160:416] = bytes(range(256))
    return bytes(data)


@pytest.mark.parametrize("top", range(8))
def test_to_the_old_form_and_back(top):
    before = image([ONE, ZERO, INFINITE, DENORMAL], top)
    old = to_fsave(before, 0x23, 0x2B)
    assert len(old) == 112
    tags = struct.unpack_from("<I", old, 8)[0]
    assert [tags >> 2 * (top + place & 7) & 3 for place in range(5)] == [0, 1, 2, 2, 3]
    assert struct.unpack_from("<II", old, 16)[0] == 0x23
    assert merge_fsave(before, old) == before


def test_what_a_handler_changes_in_the_old_form_counts():
    before = image([ONE], 7)
    old = bytearray(to_fsave(before, 0x23, 0x2B))
    old[:2] = b"\x7f\x02"
    old[28:38] = ZERO
    after = merge_fsave(before, bytes(old))
    assert after[:2] == b"\x7f\x02"
    assert after[32:42] == ZERO
    assert after[160:416] == before[160:416]


def test_reserved_bits_of_mxcsr_cannot_be_loaded():
    assert check(fresh())
    bad = bytearray(fresh())
    bad[26] = 1
    assert not check(bytes(bad))
