"""Strings as strace quotes them: C's escapes, octal for the rest, as short as the next character allows."""

from __future__ import annotations

_ESCAPES = {
    0x09: "\\t", 0x0A: "\\n", 0x0B: "\\v", 0x0C: "\\f", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\",
}  # fmt: skip
#: Byte -> text; octal escapes in the short form.
_TEXT = [_ESCAPES.get(c) or (chr(c) if 0x20 <= c < 0x7F else f"\\{c:o}") for c in range(256)]
_OCTAL_DIGITS = frozenset(b"01234567")
_PLAIN = frozenset(range(0x20, 0x7F)) - {0x22, 0x5C}


def quote(data: bytes, hex_strings: int = 0) -> str:
    """`data` between quotes. `hex_strings`: hexadecimal if 1 and a byte is no text, or if 2."""
    if hex_strings == 2 or (hex_strings == 1 and any(c > 0x7E or (c < 0x20 and not 9 <= c <= 13) for c in data)):
        return '"' + "".join([f"\\x{c:02x}" for c in data]) + '"'
    if _PLAIN.issuperset(data):
        return f'"{data.decode("ascii")}"'
    parts = []
    last = len(data) - 1
    for i, c in enumerate(data):
        text = _TEXT[c]
        if (c < 0x20 or c > 0x7E) and c not in _ESCAPES and i < last and data[i + 1] in _OCTAL_DIGITS:
            text = f"\\{c:03o}"
        parts.append(text)
    return '"' + "".join(parts) + '"'


def plain(data: bytes) -> str:
    """A path between angle brackets (-y): escaped, without quotes, `<` and `>` too."""
    text = quote(data)[1:-1].replace('\\"', '"')
    return text.replace("<", "\\74").replace(">", "\\76")
