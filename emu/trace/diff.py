"""Two runs side by side: which task is which, which event is which, and what is different.

Of each difference it is said what it is: a missing or an extra call, another result, another argument, another order,
another signal, another end. A signal from outside that comes at another moment, a call that it interrupts, and a clock
that is read with or without a call (vdso(7)), are differences of timing, which two runs of the same kernel have as
well: counted, and not held against anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from emu.trace.align import Pair, align
from emu.trace.classify import FREEING, VDSO, Nature
from emu.trace.compare import Names, difference
from emu.trace.normalize import Normalizer, Record, key_of
from emu.trace.recording import Event, Recording
from emu.trace.trees import TaskTrace, tasks_of


class Kind(Enum):
    """What is different."""

    MISSING_CALL = "missing call"  # only the left side has it
    EXTRA_CALL = "extra call"  # only the right side has it
    RESULT = "other result"
    ARGUMENT = "other argument"
    ORDER = "other order"
    SIGNAL = "other signal"
    EXIT = "other exit"
    MISSING_TASK = "missing task"
    EXTRA_TASK = "extra task"


@dataclass(slots=True)
class Row:
    """One line of the comparison: an event of either side, or of both."""

    left: Record | None
    right: Record | None
    kind: Kind | None = None  # None: equal, or a matter of timing
    detail: str = ""  # which argument
    timing: bool = False


@dataclass(slots=True)
class TaskDiff:
    """Two tasks, one of each side, and their rows."""

    place: str
    left: TaskTrace | None
    right: TaskTrace | None
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Diff:
    """The whole comparison."""

    tasks: list[TaskDiff]

    @property
    def counts(self) -> Counter[Kind]:
        """How many differences there are of each kind."""
        return Counter(row.kind for task in self.tasks for row in task.rows if row.kind is not None)

    @property
    def compared(self) -> tuple[int, int]:
        """Events of either side."""
        rows = [row for task in self.tasks for row in task.rows]
        return sum(row.left is not None for row in rows), sum(row.right is not None for row in rows)

    @property
    def timing(self) -> int:
        """Differences that are of timing only."""
        return sum(row.timing for task in self.tasks for row in task.rows)

    @property
    def equal(self) -> bool:
        """Is nothing different?"""
        return not self.counts

    def first(self) -> tuple[TaskDiff, int] | None:
        """The first difference in time, as the left side saw it: the task and the number of the row."""
        found = [
            (_moment(task.rows, number), place, number)
            for place, task in enumerate(self.tasks)
            for number, row in enumerate(task.rows)
            if row.kind is not None
        ]
        if not found:
            return None
        _, place, number = min(found)
        return self.tasks[place], number


def _moment(rows: Sequence[Row], number: int) -> int:
    """When something happened on the left side; what never did there, right before what comes next."""
    return next((row.left.seq for row in rows[number:] if row.left is not None), 1 << 62)


def compare(
    left: Recording,
    right: Recording,
    *,
    keep: Sequence[Nature] = (),
    wanted: Callable[[Event], bool] = lambda _event: True,
    canonical: Callable[[Record], Record | None] | None = None,
    same_start: bool = True,
) -> Diff:
    """Lay two runs side by side.

    `canonical` gives each call the name it has on every architecture. Without `same_start`, how the program was called
    is not compared: the arguments of the first execve.
    """
    sides = []
    for recording in (left, right):
        tasks = tasks_of(recording, Normalizer(keep), wanted)
        for task in tasks:
            if canonical is not None:
                task.records = [made for record in task.records if (made := canonical(record)) is not None]
            if not same_start and task.place == "1" and task.records and task.records[0].name == "execve":
                task.records[0].args = []
            for record in task.records:
                record.key = key_of(record)
        sides.append({task.place: task for task in tasks})
    mine, theirs = sides
    outside = Names()
    for place in mine.keys() & theirs.keys():
        if mine[place].tid and theirs[place].tid:
            outside.bind(Nature.PID, mine[place].tid, theirs[place].tid)
    if all(task.tid for side in sides for task in side.values()):
        outside.tasks = {task.tid for task in mine.values()}, {task.tid for task in theirs.values()}
    diffs = []
    known: dict[str, Names] = {}
    for place in sorted(mine.keys() | theirs.keys(), key=_by_place):
        names = known[place] = known.get(place.rpartition(".")[0], outside).copy()
        diffs.append(_tasks(place, mine.get(place), theirs.get(place), names))
    return Diff(diffs)


def _by_place(place: str) -> tuple[int, ...]:
    return tuple(int(part.lstrip("?")) + (place[0] == "?") * 10**9 for part in place.split("."))


def _tasks(place: str, left: TaskTrace | None, right: TaskTrace | None, names: Names) -> TaskDiff:
    diff = TaskDiff(place, left, right)
    if left is None or right is None:
        there = left or right
        kind = Kind.MISSING_TASK if right is None else Kind.EXTRA_TASK
        for number, record in enumerate(there.records if there else []):
            row = Row(record, None) if right is None else Row(None, record)
            row.kind = None if number else kind
            diff.rows.append(row)
        return diff
    mine, theirs = ([record for record in side.records if not record.asynchronous] for side in (left, right))
    pairs = pair_up(mine, theirs)
    diff.rows = [_row(mine, theirs, pair, names) for pair in pairs]
    _moved(diff.rows)
    _put_in(diff.rows, left.records, right.records, names)
    return diff


def _put_in(rows: list[Row], left: Sequence[Record], right: Sequence[Record], names: Names) -> None:
    """Signals from outside: in their own order, wherever they came. That they came elsewhere is a matter of timing."""
    mine, theirs = ([record for record in side if record.asynchronous] for side in (left, right))
    made = []
    for pair in align([key_of(record) for record in mine], [key_of(record) for record in theirs]):
        row = _row(mine, theirs, pair, names)
        before = [_events_before(side, record) for side, record in ((left, row.left), (right, row.right))]
        row.timing = row.kind is None and before[0] != before[1]
        if None in pair:  # signals of one number that wait merge into one (signal(7))
            others = {record.name for record in (theirs if row.right is None else mine)}
            if (row.left or row.right or mine[0]).name in others:
                row.kind, row.timing = None, True
        place = before[0] if row.left is not None else before[1]
        made.append((_row_of(rows, place, left=row.left is not None), row))
    for place, row in reversed(made):
        rows.insert(place, row)


def _events_before(side: Sequence[Record], record: Record | None) -> int:
    """How many events of the task's own doing came before."""
    if record is None:
        return 0
    return sum(not other.asynchronous for other in side if other.seq < record.seq)


def _row_of(rows: Sequence[Row], count: int, *, left: bool) -> int:
    """The number of the row behind `count` events of one side."""
    for number, row in enumerate(rows):
        if not count:
            return number
        count -= (row.left if left else row.right) is not None
    return len(rows)


def pair_up(left: Sequence[Record], right: Sequence[Record]) -> list[Pair]:
    """First those that are equal at a glance; in the gaps, those of the same name."""
    pairs: list[Pair] = []
    gap: tuple[list[int], list[int]] = ([], [])

    def close() -> None:
        mine, theirs = gap
        for i, j in align([_weak(left[i]) for i in mine], [_weak(right[j]) for j in theirs]):
            pairs.append((None if i is None else mine[i], None if j is None else theirs[j]))
        mine.clear()
        theirs.clear()

    for i, j in align([record.key for record in left], [record.key for record in right]):
        if i is not None and j is not None:
            close()
            pairs.append((i, j))
        elif i is not None:
            gap[0].append(i)
        elif j is not None:
            gap[1].append(j)
    close()
    return pairs


def _weak(record: Record) -> tuple[str, str, bool]:
    return record.what, record.name, record.interrupted


def _row(left: Sequence[Record], right: Sequence[Record], pair: Pair, names: Names) -> Row:
    i, j = pair
    one, other = None if i is None else left[i], None if j is None else right[j]
    row = Row(one, other)
    there = one or other
    assert there is not None
    if one is not None and other is not None:
        found = difference(one, other, names)
        if (one.original or one.name) in FREEING:
            names.loosen()
        if found is not None:
            row.kind = _ENDS.get(one.what) or (Kind.ARGUMENT if found[0] == "argument" else Kind.RESULT)
            row.detail = found[1]
    elif there.interrupted or (there.what == "call" and there.name in VDSO):
        row.timing = True
    else:
        row.kind = _ENDS.get(there.what) or (Kind.MISSING_CALL if other is None else Kind.EXTRA_CALL)
    return row


_ENDS = {"signal": Kind.SIGNAL, "stop": Kind.SIGNAL, "exit": Kind.EXIT}


def _moved(rows: Sequence[Row]) -> None:
    """What is missing here and extra there is the same thing at another place."""
    extra: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if row.left is None and row.right is not None and row.kind is not None:
            extra.setdefault(row.right.key, []).append(row)
    for row in rows:
        if row.right is None and row.left is not None and row.kind is not None and extra.get(row.left.key):
            other = extra[row.left.key].pop(0)
            row.kind, other.kind = Kind.ORDER, None
