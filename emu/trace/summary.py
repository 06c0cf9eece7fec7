"""strace's -c table: time, calls and errors per system call. The time is that spent in this kernel's handlers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
from emu.trace.select import SelectError
from syscalls.abi.arch import Arch

NS = 1_000_000_000
#: Column -> (title, least width).
COLUMNS = {
    "time-percent": ("% time", 6),
    "time-total": ("seconds", 11),
    "time-avg": ("usecs/call", 11),
    "time-min": ("shortest", 8),
    "time-max": ("longest", 8),
    "calls": ("calls", 9),
    "errors": ("errors", 9),
    "name": ("syscall", 16),
}
DEFAULT_COLUMNS = ("time-percent", "time-total", "time-avg", "calls", "errors", "name")
#: Other spellings of the columns, for -U and -S.
SPELLINGS = {
    "time": "time-percent", "time_percent": "time-percent", "percent-time": "time-percent",
    "total-time": "time-total", "time_total": "time-total", "total_time": "time-total", "seconds": "time-total",
    "avg-time": "time-avg", "time_avg": "time-avg", "avg_time": "time-avg", "usecs/call": "time-avg",
    "shortest": "time-min", "min-time": "time-min", "longest": "time-max", "max-time": "time-max",
    "call": "calls", "count": "calls", "error": "errors", "syscall": "name", "syscall-name": "name",
}  # fmt: skip


@dataclass(slots=True)
class Row:
    """One system call's numbers; times in nanoseconds."""

    calls: int = 0
    errors: int = 0
    total: int = 0
    shortest: int = 0
    longest: int = 0

    def add(self, duration: int, *, failed: bool) -> None:
        """One more call."""
        self.shortest = min(self.shortest, duration) if self.calls else duration
        self.longest = max(self.longest, duration)
        self.total += duration
        self.calls += 1
        self.errors += failed


_KEYS: dict[str, Callable[[Row], int]] = {
    "time-percent": lambda row: row.total,
    "time-total": lambda row: row.total,
    "time-avg": lambda row: row.total // row.calls,
    "time-min": lambda row: row.shortest,
    "time-max": lambda row: row.longest,
    "calls": lambda row: row.calls,
    "errors": lambda row: row.errors,
}


def column_of(name: str) -> str:
    """The column that a user's word means."""
    found = SPELLINGS.get(name, name)
    if found not in COLUMNS:
        raise SelectError(f"unknown column name: '{name}'")
    return found


class SummarySink:
    """Counts calls, and prints the table at the end: one per width of the programs' words."""

    decodes = False  # it never looks at the arguments

    def __init__(self, out: TextIO, sort: str = "time", columns: tuple[str, ...] = DEFAULT_COLUMNS) -> None:
        self.out = out
        self.sort = "nothing" if sort in {"nothing", "none"} else column_of(sort)
        names = [column_of(column) for column in columns]
        self.columns = names if "name" in names else [*names, "name"]
        self.rows: dict[int, dict[str, Row]] = {}  # bits -> name -> row

    def call(self, event: CallEvent) -> None:
        """Count a call that came back."""
        if event.result is None:
            return
        rows = self.rows.setdefault(event.arch.bits, {})
        row = rows.get(event.name)
        if row is None:
            row = rows[event.name] = Row()
        row.add(event.duration, failed=bool(event.error))

    def unfinished(self, event: CallEvent) -> None: ...
    def attached(self, tid: int) -> None: ...
    def superseded(self, event: ExitEvent, by: int) -> None: ...
    def signal(self, event: SignalEvent) -> None: ...
    def stopped(self, event: StopEvent) -> None: ...
    def exited(self, event: ExitEvent) -> None: ...
    def personality(self, tid: int, arch: Arch, wall: int, start: int) -> None: ...

    def close(self) -> None:
        """Print."""
        for bits in sorted(self.rows, reverse=True):
            if bits != max(self.rows):
                self.out.write(f"System call usage summary for {bits} bit mode:\n")
            self.out.write(table(self.rows[bits], self.sort, self.columns))
        self.out.flush()


def table(rows: dict[str, Row], sort: str, columns: list[str]) -> str:
    """The whole table."""
    everything = Row()
    for row in rows.values():
        everything.calls += row.calls
        everything.errors += row.errors
        everything.total += row.total
        everything.longest = max(everything.longest, row.longest)
        everything.shortest = min(everything.shortest or row.shortest, row.shortest)
    cells = [[_cell(column, name, row, everything) for column in columns] for name, row in _sorted(rows, sort)]
    total = [_cell(column, "total", everything, everything) for column in columns]
    widths = []
    for index, column in enumerate(columns):
        widths.append(max(COLUMNS[column][1], *(len(line[index]) for line in [*cells, total])))
    dashes = ["-" * width for width in widths]
    titles = [COLUMNS[column][0] for column in columns]
    lines = [titles, dashes, *cells, dashes, total]
    return "".join(_line(line, widths, columns) + "\n" for line in lines)


def _sorted(rows: dict[str, Row], sort: str) -> list[tuple[str, Row]]:
    """Numbers from the largest down, names upwards."""
    if sort == "name":
        return sorted(rows.items())
    if sort == "nothing":
        return list(rows.items())
    key = _KEYS[sort]
    return sorted(rows.items(), key=lambda item: -key(item[1]))


def _cell(column: str, name: str, row: Row, everything: Row) -> str:
    """One number as text."""
    if column == "name":
        return name
    if column == "time-percent":
        share = row.total / everything.total if everything.total else row is everything
        return f"{100 * share:.2f}"
    if column == "time-avg":
        return str(row.total // 1000 // row.calls if row.calls else 0)
    if column == "calls":
        return str(row.calls)
    if column == "errors":
        return str(row.errors) if row.errors else ""
    nanoseconds = _KEYS[column](row)
    return f"{nanoseconds // NS}.{nanoseconds % NS // 1000:06d}"


def _line(cells: list[str], widths: list[int], columns: list[str]) -> str:
    """Numbers to the right, the name to the left; no blanks at the end of a line."""
    texts = [
        cell.ljust(width) if column == "name" else cell.rjust(width)
        for cell, width, column in zip(cells, widths, columns, strict=True)
    ]
    return " ".join(texts).rstrip() if columns[-1] == "name" else " ".join(texts)
