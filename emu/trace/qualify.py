"""The qualifiers of `-e`: trace, signal, status, quiet, raw, verbose, abbrev (strace(1), Filtering)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from emu.trace.select import ALL, SelectError, Selection, select_calls, select_signals

#: Every spelling of a qualifier that strace takes, and ours.
NAMES = {
    "trace": "trace", "t": "trace", "signal": "signal", "signals": "signal", "s": "signal", "status": "status",
    "quiet": "quiet", "silent": "quiet", "silence": "quiet", "q": "quiet", "raw": "raw", "x": "raw",
    "verbose": "verbose", "v": "verbose", "abbrev": "abbrev", "a": "abbrev",
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
    abbreviate: bool = True


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
    selection = select_calls(value)
    if kind == "raw":
        return replace(known, raw=selection)
    if kind in ("verbose", "abbrev"):  # structures are shown whole or short for all calls alike
        return replace(known, abbreviate=(value != "none") if kind == "abbrev" else known.abbreviate)
    return replace(known, trace=selection)


def _words(value: str, known: frozenset[str], what: str) -> frozenset[str]:
    """A list of words, `all`, `none`, or what `!` leaves."""
    items = value.lstrip("!")
    words = known if items == "all" else frozenset() if items == "none" else frozenset(items.split(","))
    if unknown := words - known:
        raise SelectError(f"invalid {what} '{min(unknown)}'")
    return known - words if (len(value) - len(items)) % 2 else words
