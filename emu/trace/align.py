"""Two sequences side by side: which items of one are which of the other (E. Myers, An O(ND) Difference Algorithm)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher

#: Pairs of indexes; None where the other side has nothing.
Pair = tuple[int | None, int | None]
#: With more differences than this, a faster search that may miss the shortest answer.
MOST_EDITS = 1000


def align(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Pair]:
    """All items of both, in order; equal ones together, as many as possible."""
    start = 0
    end = min(len(left), len(right))
    while start < end and left[start] == right[start]:
        start += 1
    tail = 0
    while tail < end - start and left[len(left) - 1 - tail] == right[len(right) - 1 - tail]:
        tail += 1
    a, b = left[start : len(left) - tail], right[start : len(right) - tail]
    pairs: list[Pair] = [(i, i) for i in range(start)]
    pairs += [
        (None if i is None else i + start, None if j is None else j + start) for i, j in (_myers(a, b) or _blocks(a, b))
    ]
    return pairs + [(len(left) - tail + i, len(right) - tail + i) for i in range(tail)]


def _myers(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[Pair] | None:
    """The shortest edit script; None when it is too long to look for."""
    furthest = {1: 0}  # diagonal -> how far along `a`
    history: list[dict[int, int]] = []
    for edits in range(min(len(a) + len(b), MOST_EDITS) + 1):
        history.append(dict(furthest))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            while x < len(a) and x - k < len(b) and x >= 0 and x - k >= 0 and a[x] == b[x - k]:
                x += 1
            furthest[k] = x
            if x >= len(a) and x - k >= len(b):
                return _trace_back(history, len(a), len(b))
    return None


def _trace_back(history: list[dict[int, int]], x: int, y: int) -> list[Pair]:
    pairs: list[Pair] = []
    for edits in range(len(history) - 1, -1, -1):
        furthest, k = history[edits], x - y
        down = k == -edits or (k != edits and furthest.get(k - 1, -1) < furthest.get(k + 1, -1))
        before = k + 1 if down else k - 1
        from_x = furthest[before] if edits else 0
        from_y = from_x - before if edits else 0
        corner_x, corner_y = (from_x, from_y + 1) if down else (from_x + 1, from_y)
        if not edits:
            corner_x = corner_y = 0
        while x > corner_x and y > corner_y:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        if edits:
            pairs.append((None, from_y) if down else (from_x, None))
        x, y = from_x, from_y
    return pairs[::-1]


def _blocks(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[Pair]:
    pairs: list[Pair] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, a, b).get_opcodes():
        if what == "equal":
            pairs += zip(range(i1, i2), range(j1, j2), strict=True)
        else:
            pairs += [(i, None) for i in range(i1, i2)]
            pairs += [(None, j) for j in range(j1, j2)]
    return pairs
