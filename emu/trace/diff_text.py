"""A comparison for people: the first difference in its place, or all of them, and a verdict."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from emu.trace.diff import Diff, Kind, Row, TaskDiff
from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
from emu.trace.normalize import Record
from emu.trace.options import TraceOptions
from emu.trace.text import TextSink, Writer
from emu.trace.value import Str

_OPTIONS = TraceOptions(column=0)


@dataclass(frozen=True, slots=True)
class Colours:
    """Escape sequences; empty: none."""

    left: str = ""
    right: str = ""
    head: str = ""
    dim: str = ""
    end: str = ""

    @classmethod
    def of(cls, *, colour: bool) -> Colours:
        """The colours, or none."""
        return cls("\033[31m", "\033[32m", "\033[1m", "\033[2m", "\033[0m") if colour else cls()


class _Short(Writer):
    """Strings of the usual length, however much of them was compared."""

    def _string(self, value: Str) -> str:
        limit = len(value.data) if value.path else self.options.string_limit
        return super()._string(Str(value.data[:limit], value.cut or len(value.data) > limit, value.path))


def line_of(record: Record) -> str:
    """An event as strace's line, without a pid."""
    out = io.StringIO()
    sink = TextSink(out, _OPTIONS)
    sink.writer = _Short(_OPTIONS)
    match record.event:
        case CallEvent():
            announced, record.event.announced = record.event.announced, False
            sink.call(record.event)
            record.event.announced = announced
        case SignalEvent():
            sink.signal(record.event)
        case StopEvent():
            sink.stopped(record.event)
        case ExitEvent():
            sink.exited(record.event)
        case _:
            out.write(f"+++ superseded by execve in pid {record.event.by} +++\n")
    return out.getvalue().splitlines()[0]


def plural(count: int, what: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def explain(row: Row) -> str:
    """What is different, in a few words."""
    there = row.left or row.right
    assert there is not None and row.kind is not None  # noqa: PT018  # a row of a difference
    what: str = {"stop": f"stop by {there.name}", "exit": "end"}.get(there.what, there.name)
    if row.kind is Kind.ARGUMENT:
        return f"{row.kind.value} of {what}: {row.detail}"
    if row.kind is Kind.RESULT:
        return f"{row.kind.value} of {what}{' ' + row.detail if row.detail else ''}"
    if row.kind in {Kind.SIGNAL, Kind.EXIT} and row.left and row.right:
        return str(row.kind.value)
    return f"{row.kind.value}: {what}"


def verdict(diff: Diff, left: str, right: str) -> str:
    """One line: equal or different, how much was compared, how many differences of which kind."""
    mine, theirs = diff.compared
    size = plural(mine, "event") if mine == theirs else f"{mine} and {theirs} events"
    tasks = f" of {plural(len(diff.tasks), 'task')}" if len(diff.tasks) > 1 else ""
    timing = f"; {plural(diff.timing, 'difference')} of timing" if diff.timing else ""
    if diff.equal:
        return f"equal: {left} and {right}, {size}{tasks}{timing}"
    kinds = ", ".join(f"{count} {kind.value}" for kind, count in diff.counts.most_common())
    return f"different: {kinds} ({left} and {right}, {size}{tasks}{timing})"


class Report:
    """Writes a comparison."""

    def __init__(self, diff: Diff, left: str, right: str, colours: Colours | None = None, context: int = 3) -> None:
        self.diff = diff
        self.left = left
        self.right = right
        self.colours = colours or Colours()
        self.context = context

    def text(self, *, everything: bool = False) -> str:
        """The first difference, or (`everything`) all of them, and the verdict."""
        return "".join(f"{line}\n" for line in self._lines(everything))

    def _lines(self, everything: bool) -> Iterator[str]:
        colours = self.colours
        first = self.diff.first()
        if first is not None:
            yield f"{colours.left}--- {self.left}{colours.end}"
            yield f"{colours.right}+++ {self.right}{colours.end}"
            if everything:
                for task in self.diff.tasks:
                    yield from self._task(task)
            else:
                task, number = first
                yield from self._hunk(task, number, number + 1, "first divergence: ")
        yield f"{colours.head}{verdict(self.diff, self.left, self.right)}{colours.end}"

    def _task(self, task: TaskDiff) -> Iterator[str]:
        """Differences that are near to each other share their surroundings."""
        numbers = [number for number, row in enumerate(task.rows) if row.kind is not None]
        while numbers:
            start = end = numbers.pop(0)
            while numbers and numbers[0] - end <= 2 * self.context:
                end = numbers.pop(0)
            yield from self._hunk(task, start, end + 1)

    def _hunk(self, task: TaskDiff, start: int, end: int, title: str = "") -> Iterator[str]:
        place = f"task {task.place}, " if len(self.diff.tasks) > 1 else ""
        words = explain(task.rows[start])
        if end - start > 1:
            more = sum(row.kind is not None for row in task.rows[start:end]) - 1
            words += f", and {more} more" if more else ""
        yield f"{self.colours.head}@@ {place}event {start + 1}: {title}{words} @@{self.colours.end}"
        for row in task.rows[max(0, start - self.context) : end + self.context]:
            yield from self._row(row)

    def _row(self, row: Row) -> Iterator[str]:
        colours = self.colours
        if row.left is not None and row.right is not None and row.kind is None:
            yield f"  {line_of(row.left)}"
            return
        marks = ("~", "~") if row.kind is None else ("-", "+")
        if row.left is not None:
            yield f"{colours.left}{marks[0]} {line_of(row.left)}{colours.end}"
        if row.right is not None:
            yield f"{colours.right}{marks[1]} {line_of(row.right)}{colours.end}"
