"""Are two nodes the same? Names are compared by who is who: the first time two are met they are taken for the same one.

So no address, descriptor or id has to be equal on both sides, but one that is used twice on one side must be used twice
on the other; a pointer that is mixed up still shows.
"""

from __future__ import annotations

from emu.trace.classify import Nature
from emu.trace.normalize import Group, Name, Node, Record, Text, Volatile


class Names:
    """Who is who on the other side."""

    def __init__(self) -> None:
        self._right: dict[tuple[Nature, int], int] = {}
        self._left: dict[tuple[Nature, int], int] = {}
        self.tasks: tuple[set[int], set[int]] | None = None  # ids of all tasks, where both sides tell them

    def copy(self) -> Names:
        """For a child, which knows what its parent knew."""
        child = Names()
        child._right, child._left, child.tasks = dict(self._right), dict(self._left), self.tasks
        return child

    def bind(self, nature: Nature, left: int, right: int) -> None:
        """They are the same; what was known of either is forgotten."""
        old_right = self._right.pop((nature, left), None)
        old_left = self._left.pop((nature, right), None)
        if old_right is not None:
            self._left.pop((nature, old_right), None)
        if old_left is not None:
            self._right.pop((nature, old_left), None)
        self._right[nature, left] = right
        self._left[nature, right] = left

    def same(self, left: Name, right: Name, *, fresh: bool = False) -> bool:
        """Can they be the same one? From now on they are. `fresh`: the call has just given the number away."""
        if left.nature is not right.nature:
            return False
        if left.nature is Nature.PID:
            if fresh or 0 in (left.value, right.value):
                return True  # 0: somebody outside, seen from within a namespace
            if self.tasks is not None:
                inside = left.value in self.tasks[0], right.value in self.tasks[1]
                return inside == (False, False) or self._right.get((left.nature, left.value)) == right.value
        known = self._right.get((left.nature, left.value)), self._left.get((left.nature, right.value))
        fits = fresh or known in {(None, None), (right.value, left.value)}
        self.bind(left.nature, left.value, right.value)
        return fits


def different(left: Node, right: Node, names: Names, *, fresh: bool = False) -> str | None:
    """None when they are the same; else where in them the first difference is ("" at the top, ".st_mode[0]" within)."""
    if isinstance(left, Volatile) or isinstance(right, Volatile):
        return _volatile(left, right)
    if isinstance(left, Name) and isinstance(right, Name):
        return None if names.same(left, right, fresh=fresh) else ""
    if isinstance(left, Text) and isinstance(right, Text):
        return _text(left, right)
    if isinstance(left, Group) and isinstance(right, Group):
        return _group(left, right, names, fresh)
    return None if left == right else ""


def _volatile(left: Node, right: Node) -> str | None:
    """What changes from run to run is only looked at for being there."""
    return "" if left in (0, "?") or right in (0, "?") else None


def _text(left: Text, right: Text) -> str | None:
    """Where one side is cut short, what is behind is not known."""
    shorter = min(len(left.data), len(right.data))
    for place, (one, other) in enumerate(zip(left.data, right.data, strict=False)):
        if one != other:
            return f", byte {place}"
    if len(left.data) == len(right.data) or (left if len(left.data) == shorter else right).cut:
        return None
    return f", byte {shorter}"


def _group(left: Group, right: Group, names: Names, fresh: bool) -> str | None:
    if left.sign != right.sign:
        return ""
    if left.members and right.members and left.members[0][0] and right.members[0][0]:
        return _structure(left, right, names, fresh)
    for place, ((_, one), (_, other)) in enumerate(zip(left.members, right.members, strict=False)):
        where = different(one, other, names, fresh=fresh)
        if where is not None:
            return f"[{place}]{where}"
    shorter, longer = sorted((left, right), key=lambda group: len(group.members))
    if len(shorter.members) < len(longer.members) and not (shorter.cut or shorter.brief):
        return f"[{len(shorter.members)}]"
    return None


def _structure(left: Group, right: Group, names: Names, fresh: bool) -> str | None:
    """Members by their names; where one side shows only some, only those."""
    one, other = dict(left.members), dict(right.members)
    some = left.brief or right.brief
    for name in [*one, *(name for name in other if name not in one)]:
        if name not in one or name not in other:
            if some:
                continue
            return f".{name}"
        where = different(one[name], other[name], names, fresh=fresh)
        if where is not None:
            return f".{name}{where}"
    return None


def difference(left: Record, right: Record, names: Names) -> tuple[str, str] | None:
    """None, or ("argument", which) or ("result", ""): the first difference between two records of the same name."""
    fresh = left.fresh and right.fresh
    for place, ((name, one), (_, other)) in enumerate(zip(left.args, right.args, strict=False)):
        where = different(one, other, names, fresh=fresh and isinstance(one, Group))
        if where is not None:
            return "argument", f"{place + 1} ({name}{where})"
    if len(left.args) != len(right.args) and "?" not in (left.result, right.result):
        longer = max(left.args, right.args, key=len)
        place = min(len(left.args), len(right.args))
        return "argument", f"{place + 1} ({longer[place][0]})"
    if different(left.result, right.result, names, fresh=fresh) is not None:
        return "result", ""
    if different(left.note, right.note, names) is not None:
        return "result", "(its explanation)"
    return None
