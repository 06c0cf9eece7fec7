"""How long an x86 instruction is (Intel SDM volume 2, chapter 2 and appendix A), for those that Unicorn knows."""

from __future__ import annotations

#: What follows the opcode: - nothing, m ModRM, b a byte, z two or four bytes, M and Z both, v as z but 8 with REX.W,
#: o an address, w two bytes, e ENTER's three, f a far pointer, t ModRM and, for TEST, an operand, p: a prefix.
ONE = (
    "mmmmbz--mmmmbz--mmmmbz--mmmmbz--mmmmbzp-mmmmbzp-mmmmbzp-mmmmbzp-"
    "--------------------------------"
    "--mmppppzZbM----bbbbbbbbbbbbbbbb"
    "MZMMmmmmmmmmmmmm----------f-----oooo----bz------bbbbbbbbvvvvvvvv"
    "MMw-mmMZe-w--b--mmmmbb--mmmmmmmmbbbbbbbbzzfb----p-pp--tt------mm"
)
#: The same behind 0F.
TWO = (
    "mmmm---------m-b" + "m" * 32 + "--------" + "m" * 8 + "m" * 48 + "MMMMmmm-mmmmmmmm"
    "zzzzzzzzzzzzzzzz" + "m" * 16 + "---mMm----mmMmmm" + "mmmmmmmmmmMmmmmm" + "mmMmMMMm--------" + "m" * 48
)
OPERAND_SIZE, ADDRESS_SIZE = 0x66, 0x67
LONGEST = 15


def _modrm(code: bytes, at: int, *, short_addresses: bool) -> int:
    """Bytes of ModRM, SIB and displacement."""
    mod, rm = code[at] >> 6, code[at] & 7
    if mod == 3:
        return 1
    if short_addresses:
        return 3 if mod == 2 or (mod == 0 and rm == 6) else 1 + mod
    size = 1 + (0, 1, 4)[mod]
    base = rm
    if rm == 4:
        size += 1
        base = code[at + 1] & 7
    return size + 4 if mod == 0 and base == 5 else size


def length(code: bytes, start: int, *, wide: bool) -> int:
    """Bytes of the instruction at `start`; `wide`: in 64-bit code. IndexError when `code` ends before it does."""
    at, operand, address, rex_w = start, 4, 8 if wide else 4, False
    while True:
        byte = code[at]
        if byte == OPERAND_SIZE:
            operand = 2
        elif byte == ADDRESS_SIZE:
            address //= 2
        elif wide and byte >> 4 == 4:
            rex_w = bool(byte & 8)
            at += 1
            break
        elif ONE[byte] != "p":
            break
        at += 1
    opcode, at = code[at], at + 1
    kind = ONE[opcode]
    if opcode == 0x0F:
        opcode, at = code[at], at + 1
        kind = TWO[opcode]
        if opcode in (0x38, 0x3A):
            at += 1
            kind = "M" if opcode == 0x3A else "m"
    elif wide and (opcode & 0xFE == 0xE8) and operand == 2:
        operand = 4
    if rex_w:
        operand = 4
    if kind in "mMZt":
        operation = code[at] >> 3 & 7
        at += _modrm(code, at, short_addresses=address == 2)
        if kind == "t" and operation < 2:
            kind = "b" if opcode == 0xF6 else "z"
    if kind == "v":
        operand = 8 if rex_w else operand
    sizes = {"b": 1, "M": 1, "z": operand, "Z": operand, "v": operand, "o": address, "w": 2, "e": 3, "f": operand + 2}
    return at + sizes.get(kind, 0) - start
