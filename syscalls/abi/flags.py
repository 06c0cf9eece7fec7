"""Tables that name the numbers of the ABI, and print them as strace does.

    OPEN_FLAGS = Flags(globals(), "O_???", "O_CREAT O_EXCL ...", part=ACCESS_MODES, mask=O_ACCMODE)
    OPEN_FLAGS.format(O_RDWR | O_CREAT | 0x80000000)    # "O_RDWR|O_CREAT|0x80000000"
    WHENCE = Enum(globals(), "SEEK_???", "SEEK_*")
    WHENCE.format(9)                                    # "0x9 /* SEEK_??? */"

A table is declared below the constants of its header, in the order in which strace prints them; `globals()` is where
the names get their values. `SEEK_*` stands for all names defined so far that begin so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

U32_MASK = 0xFFFFFFFF


class Table(Protocol):
    """Whatever can print a number of the ABI."""

    def format(self, value: int) -> str:
        """The number by name. A negative one is taken as the 32-bit pattern it stands for."""


class Enum:
    """One name per value; an unknown value is a number with the comment `unknown`."""

    __slots__ = ("names", "unknown")

    def __init__(self, scope: Mapping[str, object], unknown: str, names: str) -> None:
        self.unknown = unknown
        self.names: dict[int, str] = {}
        for name, value in _select(scope, names):
            self.names.setdefault(value & U32_MASK if value < 0 else value, name)

    def format(self, value: int) -> str:
        """The value's name, or `0x7b /* XXX_??? */`."""
        if value < 0:
            value &= U32_MASK
        return self.names.get(value) or f"{hexadecimal(value)} /* {self.unknown} */"


class Flags:
    """Or-ed bits. Members may have several bits (O_SYNC): the first in the table that matches takes them.

    `zero` is printed for 0. `part`, within `mask`, is not bits but an enumeration, and always printed first (O_RDWR).
    `shift` names a number that stands in the bits from `shift_bit` upwards, printed last (21<<MAP_HUGE_SHIFT).
    """

    __slots__ = ("mask", "members", "part", "shift", "shift_bit", "unknown", "zero")

    def __init__(
        self,
        scope: Mapping[str, object],
        unknown: str,
        names: str,
        *,
        zero: str = "0",
        part: Enum | None = None,
        mask: int = 0,
        shift: str = "",
        shift_bit: int = 0,
    ) -> None:
        self.unknown = unknown
        self.zero = zero
        self.part = part
        self.mask = mask
        self.shift = shift
        self.shift_bit = shift_bit
        self.members = tuple((value, name) for name, value in _select(scope, names))

    def format(self, value: int) -> str:
        """`A|B`, unknown bits behind as a number; with no known bit at all, `0x80 /* XXX_??? */`."""
        return "|".join(self.split(value)) or self.zero

    def split(self, value: int) -> list[str]:
        """What `format` joins with bars: names in the table's order, then the rest as a number; empty for 0."""
        if value < 0:
            value &= U32_MASK
        parts = []
        if self.part is not None:
            selected = self.part.names.get(value & self.mask)
            if selected is not None:
                parts.append(selected)
                value &= ~self.mask
        shifted = value >> self.shift_bit if self.shift else 0
        value -= shifted << self.shift_bit
        for bits, name in self.members:
            if bits and value & bits == bits:
                parts.append(name)
                value &= ~bits
        if value:
            parts.append(f"{value:#x}" if parts or shifted else f"{value:#x} /* {self.unknown} */")
        if shifted:
            parts.append(f"{shifted}<<{self.shift}")
        return parts


def hexadecimal(value: int) -> str:
    """C's %#x, which prints zero as "0"."""
    return f"{value:#x}" if value else "0"


def octal(value: int) -> str:
    """C's %#03o, strace's way to print permission bits: 0644, 000."""
    return f"0{value:02o}" if value < 0o100 else f"0{value:o}"


def _select(scope: Mapping[str, object], names: str) -> Iterator[tuple[str, int]]:
    """The constants that `names` lists, patterns expanded, in order."""
    for pattern in names.split():
        head, star, tail = pattern.partition("*")
        found = [name for name in scope if name.startswith(head) and name.endswith(tail)] if star else [pattern]
        for name in found:
            value = scope[name]
            if isinstance(value, int):
                yield name, value


class Octal:
    """A table for numbers that strace prints in octal."""

    def format(self, value: int) -> str:
        """0644."""
        return octal(value)
