"""A comparison as one page that needs nothing else: both sides next to each other, task by task."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from emu.trace.diff import Diff, Row, TaskDiff
from emu.trace.diff_text import explain, line_of, verdict
from emu.trace.normalize import Record

#: So many equal rows around a difference are shown at once; the others on demand.
AROUND = 5

STYLE = """
:root { color-scheme: light dark; --line: #8884; --left: #ffd9d6; --right: #d4f5d8; --note: #f3ead0; }
@media (prefers-color-scheme: dark) { :root { --left: #5a2420; --right: #1e4a27; --note: #4a421e; } }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
td, th { border: 1px solid var(--line); padding: .15rem .5rem; vertical-align: top; text-align: left; width: 48%; }
td:first-child, th:first-child { width: 4%; text-align: right; color: #888; }
td { font: 12px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
tr.different td:nth-child(2) { background: var(--left); }
tr.different td:nth-child(3) { background: var(--right); }
tr.timing td { background: var(--note); }
tr.why td { font-family: inherit; border-bottom: 0; font-weight: 600; text-align: left; }
summary { cursor: pointer; color: #888; padding: .2rem; }
.verdict { font-size: 1.1rem; font-weight: 600; }
"""


def diff_html(diff: Diff, left: str, right: str) -> str:
    """The page."""
    title = f"{left} and {right}"
    body = "\n".join(_body(diff, left, right))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>trapeze diff: {_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{_text(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _body(diff: Diff, left: str, right: str) -> Iterator[str]:
    yield f'<p class="verdict">{_text(verdict(diff, left, right))}</p>'
    first = diff.first()
    if first is not None:
        task, number = first
        yield f'<p>First: <a href="#first">{_text(explain(task.rows[number]))}</a></p>'
    for task in diff.tasks:
        yield f"<h2>Task {_text(task.place)}{_ids(task)}</h2>"
        start = first[1] if first is not None and first[0] is task else -1
        yield from _table(task, left, right, start)


def _ids(task: TaskDiff) -> str:
    ids = [str(side.tid) for side in (task.left, task.right) if side is not None and side.tid]
    return f" ({' and '.join(ids)})" if ids else ""


def _table(task: TaskDiff, left: str, right: str, first: int) -> Iterator[str]:
    yield f"<table>\n<tr><th></th><th>{_text(left)}</th><th>{_text(right)}</th></tr>"
    shown = _near(task.rows)
    number = 0
    while number < len(task.rows):
        if number in shown:
            yield from _row(task.rows[number], number, is_first=number == first)
            number += 1
            continue
        end = number
        while end < len(task.rows) and end not in shown:
            end += 1
        yield f'<tr><td colspan="3"><details><summary>{end - number} equal</summary><table>'
        for hidden in range(number, end):
            yield from _row(task.rows[hidden], hidden)
        yield "</table></details></td></tr>"
        number = end
    yield "</table>"


def _near(rows: list[Row]) -> set[int]:
    changed = [number for number, row in enumerate(rows) if row.kind is not None or row.timing]
    return {near for number in changed for near in range(number - AROUND, number + AROUND + 1)}


def _row(row: Row, number: int, *, is_first: bool = False) -> Iterator[str]:
    mark = ' id="first"' if is_first else ""
    if row.kind is not None:
        yield f'<tr class="why"{mark}><td></td><td colspan="2">{_text(explain(row))}</td></tr>'
    style = "different" if row.kind is not None else "timing" if row.timing else "equal"
    yield f'<tr class="{style}"><td>{number + 1}</td><td>{_side(row.left)}</td><td>{_side(row.right)}</td></tr>'


def _side(record: Record | None) -> str:
    return "" if record is None else _text(line_of(record))


def _text(text: str) -> str:
    return escape(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
