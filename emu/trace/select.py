"""The grammar of `-e trace=` and its relatives: which calls (or signals) are meant.

    [!] all | none | item{,item}
    item: [?] ( number | /regex[/] | %class | class | name ) [@64 | @32]

Each leading `!` turns the meaning round. A `?` in front keeps an unknown name from being an error. What comes out is a
frozen Selection, which answers by name and architecture.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from emu.trace.classes import ALIASES, CLASSES, LEGACY
from syscalls.abi.arch import ARCHES, Arch
from syscalls.abi.numbers import NAME, NUMBER
from syscalls.abi.signal import NUMBERS as SIGNALS


class SelectError(ValueError):
    """The expression means nothing; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Some names of each architecture, or all but them. Signals use the architecture ""."""

    names: frozenset[tuple[str, str]] = frozenset()  # (architecture, name)
    inverted: bool = False

    def has(self, name: str, arch: Arch | None = None) -> bool:
        """Is the call (or, without an architecture, the signal) meant?"""
        return ((arch.name if arch else "", name) in self.names) is not self.inverted


NONE = Selection()
ALL = Selection(inverted=True)


def select_calls(expression: str) -> Selection:
    """The calls that `-e trace=EXPRESSION` means."""
    return _select(expression, _calls)


def select_signals(expression: str) -> Selection:
    """The signals that `-e signal=EXPRESSION` means: SIGINT, INT, int, 2."""
    return _select(expression, _signals)


def _select(expression: str, find: Callable[[str], set[tuple[str, str]]]) -> Selection:
    """Common to both: `!`, all, none, lists."""
    items = expression.lstrip("!")
    inverted = bool((len(expression) - len(items)) % 2)
    if items in {"all", "none"}:
        return Selection(inverted=inverted is not (items == "all"))
    names: set[tuple[str, str]] = set()
    for item in _split(items):
        names |= find(item)
    return Selection(frozenset(names), inverted)


def _split(items: str) -> list[str]:
    """At commas, which are no part of a regular expression."""
    parts = [part for part in items.split(",") if part]
    if not parts:
        raise SelectError(f"invalid system call '{items}'")
    return parts


def _calls(item: str) -> set[tuple[str, str]]:
    """One item: pairs of architecture and name."""
    text = item.lstrip("?")
    optional = text != item
    text, _, width = text.partition("@")
    arches = [arch for arch in ARCHES.values() if not width or width == str(arch.bits)]
    if width and not arches and width != "x32":
        raise SelectError(f"invalid system call '{item}'")
    found = {(arch.name, name) for arch in arches for name in _named(text, arch, item)}
    if not found and not optional and width != "x32":
        raise SelectError(f"invalid system call '{item}'")
    return found


def _named(text: str, arch: Arch, item: str) -> set[str]:
    """The names on one architecture that an item without its decorations means."""
    numbers = NUMBER[arch.name]
    if text.isdecimal():
        number = int(text)
        return {NAME[arch.name].get(number, f"syscall_{number:#x}")}
    if text.startswith("/"):
        try:
            pattern = re.compile(text[1:].removesuffix("/"))
        except re.error as error:
            raise SelectError(f"invalid regular expression in '{item}': {error}") from None
        return {name for name in numbers if pattern.search(name)}
    if text.startswith("%") or text in LEGACY:
        name = text.removeprefix("%")
        calls = CLASSES.get(ALIASES.get(name, name))
        if calls is None:
            raise SelectError(f"invalid system call '{item}'")
        return {name for name in calls if name in numbers}
    return {text} if text in numbers else set()


def _signals(item: str) -> set[tuple[str, str]]:
    """One signal."""
    name = item.lstrip("?").upper()
    if name.isdecimal():
        by_number = {number: signal for signal, number in SIGNALS.items()}
        if int(name) in by_number:
            return {("", by_number[int(name)])}
    for candidate in (name, "SIG" + name):
        if candidate in SIGNALS:
            return {("", candidate)}
    raise SelectError(f"invalid signal '{item}'")
