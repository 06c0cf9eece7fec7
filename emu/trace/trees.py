"""The tasks of a trace, each with its own sequence of events, named by their place in the tree of clones.

The first task is "1", the children that it makes are "1.1", "1.2" in the order of its own calls: so a task has the same
name in every run, whatever its id and whoever ran when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from emu.trace.event import CallEvent
from emu.trace.normalize import Normalizer, Record
from emu.trace.recording import Event, Recording, SupersededEvent

#: Calls whose result is the id of a new task.
MAKERS = frozenset({"fork", "vfork", "clone", "clone3"})


@dataclass(slots=True)
class TaskTrace:
    """What one task did."""

    tid: int
    place: str = ""
    records: list[Record] = field(default_factory=list)
    born: int = 0  # when it was first heard of: counts events


def tasks_of(
    recording: Recording, normalizer: Normalizer, wanted: Callable[[Event], bool] = lambda _event: True
) -> list[TaskTrace]:
    """Every task, the first one first. Events that are not `wanted` only tell who is whose child."""
    tasks: list[TaskTrace] = []
    living: dict[int, TaskTrace] = {}
    made: list[tuple[TaskTrace, int]] = []  # by whom, and the id, in the order of the calls' ends
    first = _first_id(recording.events)
    for seq, event in enumerate(recording.events):
        tid = event.tid or (next(iter(living)) if len(living) == 1 else first)
        if tid not in living:
            living[tid] = TaskTrace(tid, born=len(tasks))
            tasks.append(living[tid])
        task = living[tid]
        if isinstance(event, CallEvent) and event.name in MAKERS and (event.result or 0) > 0:
            made.append((task, event.result or 0))
        if wanted(event):
            record = normalizer.record(event)
            record.seq = seq
            task.records.append(record)
        if isinstance(event, SupersededEvent):
            heir = living.get(event.by)
            living.pop(event.by, None)
            living[tid] = heir or TaskTrace(tid, born=len(tasks))
            if heir is None:
                tasks.append(living[tid])
        elif type(event).__name__ == "ExitEvent":
            del living[tid]
    _name(tasks, made)
    return tasks


def _first_id(events: Iterable[Event]) -> int:
    """The id of the first task; 0 when it is not told. strace shows none while there is only one task."""
    seen: dict[int, None] = {}
    made: set[int] = set()
    for event in events:
        seen[event.tid] = None
        if isinstance(event, CallEvent) and event.name in MAKERS:
            made.add(event.result or 0)
    return next((tid for tid in seen if tid and tid not in made), 0)


def _name(tasks: list[TaskTrace], made: list[tuple[TaskTrace, int]]) -> None:
    unnamed: dict[int, list[TaskTrace]] = {}
    for task in tasks[1:]:
        unnamed.setdefault(task.tid, []).append(task)
    children: dict[int, list[TaskTrace]] = {}
    for parent, tid in made:
        if unnamed.get(tid):
            children.setdefault(parent.born, []).append(unnamed[tid].pop(0))
    strangers = [task for task in tasks[1:] if any(task is one for one in unnamed.get(task.tid, []))]
    if tasks:
        tasks[0].place = "1"
    for number, stranger in enumerate(strangers, 1):  # ids of another namespace, or made before the log began
        stranger.place = f"?{number}"
    queue = tasks[:1] + strangers
    while queue:
        parent = queue.pop()
        for number, child in enumerate(children.get(parent.born, []), 1):
            child.place = f"{parent.place}.{number}"
            queue.append(child)
