"""A comparison for machines: one JSON object."""

from __future__ import annotations

import json
from typing import Any

from emu.trace.diff import Diff, Row, TaskDiff
from emu.trace.diff_text import explain, line_of
from emu.trace.normalize import Record


def diff_json(diff: Diff, left: str, right: str) -> str:
    """`equal`, how much was compared, and every difference in the order of tasks."""
    mine, theirs = diff.compared
    first = diff.first()
    about = {
        "left": left,
        "right": right,
        "equal": diff.equal,
        "events": [mine, theirs],
        "timing": diff.timing,
        "counts": {kind.value: count for kind, count in diff.counts.items()},
        "first": _divergence(first[0], first[1]) if first else None,
        "divergences": [
            _divergence(task, number)
            for task in diff.tasks
            for number, row in enumerate(task.rows)
            if row.kind is not None
        ],
        "tasks": [
            {
                "place": task.place,
                "left": None if task.left is None else task.left.tid,
                "right": None if task.right is None else task.right.tid,
                "events": len(task.rows),
            }
            for task in diff.tasks
        ],
    }
    return json.dumps(about, indent=2) + "\n"


def _divergence(task: TaskDiff, number: int) -> dict[str, Any]:
    row: Row = task.rows[number]
    assert row.kind is not None
    return {
        "kind": row.kind.value,
        "what": explain(row),
        "detail": row.detail,
        "task": task.place,
        "event": number + 1,
        "left": _side(row.left),
        "right": _side(row.right),
    }


def _side(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {"name": record.original or record.name, "canonical": record.name, "line": line_of(record)}
