"""What an argument or a result means: a small tree of values that every output (text, JSON, comparison) starts from.

Values are made by decode.py and never changed. They hold what is known, not how it looks: `Struct` keeps all fields and
says which ones a short rendering shows.
"""

from __future__ import annotations

from dataclasses import dataclass


class Value:
    """Base of all values."""

    __slots__ = ()


#: An explanation behind a result: words, in which values may stand.
Remark = str | tuple[str | Value, ...]


@dataclass(slots=True)
class Int(Value):
    """A plain number, shown in decimal."""

    value: int


@dataclass(slots=True)
class Hex(Value):
    """A number shown in hexadecimal."""

    value: int


@dataclass(slots=True)
class Octal(Value):
    """Permission bits, shown in octal."""

    value: int


@dataclass(slots=True)
class Named(Value):
    """A number that a table of the ABI names: flags, a mode, a command, a signal. `text` is strace's.

    `base` is how the bare number is written: "x", "o" or "d".
    """

    value: int
    text: str
    base: str = "x"


@dataclass(slots=True)
class Fd(Value):
    """A file descriptor; `path` is what it leads to, when that was asked for."""

    value: int
    path: bytes | None = None
    directory: bool = False  # may be AT_FDCWD


@dataclass(slots=True)
class Id(Value):
    """A process, user, group ... id; `what` is "pid", "uid" ..."""

    value: int
    what: str


@dataclass(slots=True)
class Str(Value):
    """Bytes or a string of the guest. `cut`: there is more than `data`; `path`: it is a pathname."""

    data: bytes
    cut: bool = False
    path: bool = False
    hexadecimal: bool = False  # random bytes: always shown so


@dataclass(slots=True)
class Address(Value):
    """An address whose content is not shown (or could not be read)."""

    value: int


@dataclass(slots=True)
class Struct(Value):
    """Named fields. `brief`: how many of them (in which order) an abbreviated rendering shows; None: all."""

    fields: tuple[tuple[str, Value], ...]
    brief: tuple[str, ...] | None = None


@dataclass(slots=True)
class List(Value):
    """An array. `cut`: more items follow; `bad`: the address from which on it could not be read."""

    items: tuple[Value, ...]
    cut: bool = False
    bad: int | None = None


@dataclass(slots=True)
class Bits(Value):
    """A set of small numbers: signals, descriptors. Shown as `[USR1 USR2]`, or as what is missing with `~`."""

    names: tuple[str, ...]
    value: int
    inverted: bool = False
    numbers: tuple[int, ...] = ()  # of the members that have names (signals)


@dataclass(slots=True)
class Note(Value):
    """A value with a comment that explains it: `0x5555 /* 3 entries */`."""

    value: Value
    comment: str


@dataclass(slots=True)
class Change(Value):
    """A value that the call replaced: `[16 => 4]`. Without `after`, the call is not over, or left it as it was."""

    before: Value
    after: Value | None = None


@dataclass(slots=True)
class Labelled(Value):
    """An argument that is shown with its name: `flags=CLONE_VM`."""

    label: str
    value: Value


@dataclass(slots=True)
class Words(Value):
    """A value that is best said in words, such as the tests that a wait status passes."""

    text: str
    value: int
