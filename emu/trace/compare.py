"""Are two nodes the same? Names are compared by who is who: the first time two are met they are taken for the same one.

So no address, descriptor or id has to be equal on both sides, but one that is used twice on one side must be used twice
on the other; a pointer that is mixed up still shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from emu.trace.classify import Nature
from emu.trace.normalize import Group, Name, Node, Record, Text, Volatile
from emu.trace.quote import quote


class Names:
    """Who is who on the other side."""

    def __init__(self) -> None:
        self._right: dict[tuple[Nature, int | str], int | str] = {}
        self._left: dict[tuple[Nature, int | str], int | str] = {}
        self._loose: set[tuple[Nature, int | str]] = set()
        self.tasks: tuple[set[int | str], set[int | str]] | None = None  # ids of all tasks, where both sides tell them

    def copy(self) -> Names:
        """For a child, which knows what its parent knew."""
        child = Names()
        child._right, child._left, child.tasks = dict(self._right), dict(self._left), self.tasks
        return child

    def loosen(self) -> None:
        """A file may have gone: inode numbers that were met until now may be given to others."""
        self._loose.update(self._right, self._left)

    def bind(self, nature: Nature, left: int | str, right: int | str) -> None:
        """They are the same; what was known of either is forgotten."""
        old_right = self._right.pop((nature, left), None)
        old_left = self._left.pop((nature, right), None)
        if old_right is not None:
            self._left.pop((nature, old_right), None)
        if old_left is not None:
            self._right.pop((nature, old_left), None)
        self._right[nature, left] = right
        self._left[nature, right] = left
        self._loose -= {(nature, left), (nature, right)}

    def same(self, left: Name, right: Name, *, fresh: bool = False) -> bool:
        """Can they be the same one? From now on they are. `fresh`: the call has just given the number away."""
        if left.nature is not right.nature:
            return False
        if left.nature is Nature.PID:
            if fresh or 0 in (left.value, right.value):
                return True  # 0: somebody outside, seen from within a namespace
            if self.tasks is not None:
                return self._same_task(left.value, right.value, self.tasks)
        known = self._right.get((left.nature, left.value)), self._left.get((left.nature, right.value))
        fits = fresh or known in {(None, None), (right.value, left.value)}
        if not fits and left.nature is Nature.INODE:
            strict = [(left.nature, side.value) for side, met in zip((left, right), known, strict=True) if met]
            fits = self._loose.issuperset(strict)
        self.bind(left.nature, left.value, right.value)
        return fits

    def _same_task(self, left: int | str, right: int | str, tasks: tuple[set[int | str], set[int | str]]) -> bool:
        """Tasks are the same by their places in the tree; parents, groups and sessions outside do not matter."""
        if isinstance(left, int) and isinstance(right, int) and left < 0 and right < 0:
            left, right = -left, -right  # groups
        inside = left in tasks[0], right in tasks[1]
        return inside == (False, False) or self._right.get((Nature.PID, left)) == right


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in two nodes the first difference is ("" at the top, ".st_mode[0]" within), and what is there."""

    where: str
    left: Node | None
    right: Node | None

    def within(self, where: str) -> Spot:
        """The same spot, seen from the node around it."""
        return replace(self, where=where + self.where)

    def __str__(self) -> str:
        """`.st_nlink: 2, not 3`; the values only where they are hidden within a structure."""
        if not self.where.startswith((".", "[")) or "," in self.where:
            return self.where
        shown = [show(node) for node in (self.left, self.right)]
        return f"{self.where}: {shown[0]} and {shown[1]}" if all(shown) else self.where


def show(node: Node | None) -> str:
    """A small node as text; "" when it is not small."""
    if isinstance(node, Name):
        return hex(node.value) if node.nature is Nature.ADDRESS and isinstance(node.value, int) else str(node.value)
    if isinstance(node, Text):
        return quote(node.data[:32])
    return str(node) if isinstance(node, int | str) else "nothing" if node is None else ""


def different(left: Node, right: Node, names: Names, *, fresh: bool = False) -> Spot | None:
    """None when they are the same; else the first difference."""
    here = Spot("", left, right)
    if isinstance(left, Volatile) or isinstance(right, Volatile):
        # what changes from run to run is only looked at for being there
        return here if left in (0, "?") or right in (0, "?") else None
    if isinstance(left, Name) and isinstance(right, Name):
        return None if names.same(left, right, fresh=fresh) else here
    if isinstance(left, Text) and isinstance(right, Text):
        place = _text(left, right)
        return None if place is None else here.within(f", byte {place}")
    if isinstance(left, Group) and isinstance(right, Group):
        return _group(left, right, names, fresh=fresh)
    return None if left == right else here


def _text(left: Text, right: Text) -> int | None:
    """The first byte that differs. Where one side is cut short, what is behind is not known."""
    for place, (one, other) in enumerate(zip(left.data, right.data, strict=False)):
        if one != other:
            return place
    if len(left.data) == len(right.data) or min(left, right, key=lambda text: len(text.data)).cut:
        return None
    return min(len(left.data), len(right.data))


def _group(left: Group, right: Group, names: Names, *, fresh: bool) -> Spot | None:
    if left.sign != right.sign:
        return Spot("", left, right)
    if left.members and right.members and left.members[0][0] and right.members[0][0]:
        return _structure(left, right, names, fresh=fresh)
    for place, ((_, one), (_, other)) in enumerate(zip(left.members, right.members, strict=False)):
        spot = different(one, other, names, fresh=fresh)
        if spot is not None:
            return spot.within(f"[{place}]")
    shorter = min(left, right, key=lambda group: len(group.members))
    size = len(shorter.members)
    if len(left.members) != len(right.members) and not (shorter.cut or shorter.brief):
        extra = [group.members[size][1] if len(group.members) > size else None for group in (left, right)]
        return Spot(f"[{size}]", *extra)
    return None


def _structure(left: Group, right: Group, names: Names, *, fresh: bool) -> Spot | None:
    """Members by their names; where one side shows only some, only those."""
    mine, theirs = dict(left.members), dict(right.members)
    some = left.brief or right.brief
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        if name not in mine or name not in theirs:
            if some:
                continue
            return Spot(f".{name}", mine.get(name), theirs.get(name))
        spot = different(mine[name], theirs[name], names, fresh=fresh)
        if spot is not None:
            return spot.within(f".{name}")
    return None


def difference(left: Record, right: Record, names: Names) -> tuple[str, str] | None:
    """None, or ("argument", which) or ("result", ""): the first difference between two records of the same name."""
    fresh = left.fresh and right.fresh
    for place, ((name, one), (_, other)) in enumerate(zip(left.args, right.args, strict=False)):
        spot = different(one, other, names, fresh=fresh and isinstance(one, Group))
        if spot is not None:
            return "argument", f"{place + 1} ({name}{spot})"
    if len(left.args) != len(right.args) and "?" not in (left.result, right.result):
        longer = max(left.args, right.args, key=len)
        place = min(len(left.args), len(right.args))
        return "argument", f"{place + 1} ({longer[place][0]})"
    if different(left.result, right.result, names, fresh=fresh) is not None:
        return "result", ""
    if different(left.note, right.note, names) is not None:
        return "result", "(its explanation)"
    return None
