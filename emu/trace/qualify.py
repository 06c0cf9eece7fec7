"""The qualifiers of `-e`: trace, signal, status, quiet, raw, verbose, abbrev (strace(1), Filtering)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from emu.trace.select import ALL, SelectError, Selection, select_calls, select_signals

#: Every spelling of a qualifier that strace takes, and ours.
NAMES = {
    "trace": "trace", "t": "trace", "signal": "signal", "signals": "signal", "s": "signal", "status": "status",
    "quiet": "quiet", "silent": "quiet", "silence": "quiet", "q": "quiet", "raw": "raw", "x": "raw",
    "verbose": "verbose", "v": "verbose", "abbrev": "abbrev", "a": "abbrev",
    "read": "read", "reads": "read", "r": "read", "write": "write", "writes": "write", "w": "write",
}  # fmt: skip
STATUSES = frozenset({"successful", "failed", "unfinished", "unavailable", "detached"})
QUIET = frozenset({"attach", "exit", "path-resolution", "personality", "thread-exit", "superseded"})


@dataclass(frozen=True, slots=True)
class Qualifiers:
    """What all `-e` options together ask for."""

    trace: Selection = ALL
    signals: Selection = ALL
    status: frozenset[str] | None = None
    quiet: frozenset[str] = frozenset()
    quiet_given: bool = False
    raw: Selection | None = None
    verbose: Selection = ALL
    abbrev: Selection = ALL
    read: frozenset[int] | None = frozenset()
    write: frozenset[int] | None = frozenset()


def qualify(expressions: tuple[str, ...]) -> Qualifiers:
    """Read the options in order: a later one replaces an earlier one of its kind. SelectError says what is wrong."""
    result = Qualifiers()
    for expression in expressions:
        word, sep, value = expression.partition("=")
        kind = NAMES.get(word) if sep else None
        if kind is None:
            kind, value = "trace", expression
            if sep and word.isidentifier():
                raise SelectError(f"invalid -e qualifier '{word}'")
        result = _apply(result, kind, value)
    return result


def _apply(known: Qualifiers, kind: str, value: str) -> Qualifiers:
    if kind == "signal":
        return replace(known, signals=select_signals(value))
    if kind == "status":
        return replace(known, status=_words(value, STATUSES, "status"))
    if kind == "quiet":
        return replace(known, quiet=_words(value, QUIET, "quiet"), quiet_given=True)
    if kind == "read":
        return replace(known, read=_descriptors(value))
    if kind == "write":
        return replace(known, write=_descriptors(value))
    selection = select_calls(value)
    if kind == "raw":
        return replace(known, raw=selection)
    if kind == "verbose":
        return replace(known, verbose=selection)
    if kind == "abbrev":
        return replace(known, abbrev=selection)
    return replace(known, trace=selection)


def _descriptors(value: str) -> frozenset[int] | None:
    """A list of descriptors, `all` (None) or `none`."""
    if value == "all":
        return None
    items = [] if value == "none" else value.split(",")
    if bad := [item for item in items if not item.isdecimal()]:
        raise SelectError(f"invalid descriptor '{bad[0]}'")
    return frozenset(int(item) for item in items)


def _words(value: str, known: frozenset[str], what: str) -> frozenset[str]:
    """A list of words, `all`, `none`, or what `!` leaves."""
    items = value.lstrip("!")
    words = known if items == "all" else frozenset() if items == "none" else frozenset(items.split(","))
    if unknown := words - known:
        raise SelectError(f"invalid {what} '{min(unknown)}'")
    return known - words if (len(value) - len(items)) % 2 else words
