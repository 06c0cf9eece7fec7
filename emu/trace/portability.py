"""Which calls the builds of a program make, on which architectures those exist, and what our kernel lacks."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import syscalls.linux  # noqa: F401  # declares all calls
from emu.errors import UsageError
from emu.trace.canonical import OWN, canonical_name
from emu.trace.event import CallEvent
from emu.trace.recording import Recording
from syscalls import spec as specs
from syscalls.abi.arch import ARCHES
from syscalls.abi.numbers import NUMBER
from syscalls.spec import Support


@dataclass(slots=True)
class Build:
    """One program (or its saved trace) and what it called, by architecture and name: a child may be of another one."""

    name: str
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def of(cls, name: str, recording: Recording) -> Build:
        """Count the calls of a recording."""
        build = cls(name)
        build.calls.update((e.arch.name, e.name) for e in recording.events if isinstance(e, CallEvent))
        if not build.calls:
            raise UsageError(f"{name}: there is no system call in it")
        return build

    @property
    def arch(self) -> str:
        """The architecture of most of its calls."""
        counts: Counter[str] = Counter()
        for (arch, _), count in self.calls.items():
            counts[arch] += count
        return counts.most_common(1)[0][0]


@dataclass(slots=True)
class Use:
    """One call under its canonical name, and what each build calls instead."""

    canonical: str
    builds: list[Counter[tuple[str, str]]]

    @property
    def names(self) -> list[str]:
        """The names under which it was called."""
        return sorted({name for build in self.builds for _, name in build})

    def homes(self, name: str) -> list[str]:
        """The architectures that have a call of this name."""
        return [arch for arch in ARCHES if name in NUMBER[arch]]

    def equivalents(self, arch: str) -> list[str]:
        """The calls of an architecture that do the same, the canonical one first."""
        same = [name for name in NUMBER[arch] if canonical_name(name) == self.canonical]
        return sorted(same, key=lambda name: (name != self.canonical, name))

    def lacks(self) -> list[tuple[str, str, Support, str]]:
        """(architecture, name, how far, what is missing) of each call that was made and is not wholly implemented."""
        found: list[tuple[str, str, Support, str]] = []
        for arch, name in sorted({pair for build in self.builds for pair in build}):
            spec = specs.find(ARCHES[arch], name)
            level = spec.support if spec is not None else Support.NONE
            if level is not Support.FULL:
                found.append((arch, name, level, spec.partial if spec is not None else ""))
        return found

    @property
    def missing(self) -> bool:
        """Was a call made that our kernel does not answer, though Linux does?"""
        return any(level is Support.NONE for _, _, level, _ in self.lacks())

    def remarks(self) -> list[str]:
        """What to know before relying on it elsewhere."""
        said = []
        for name in self.names:
            homes = self.homes(name)
            if not homes:
                said.append(f"{name}: no such call")
            elif len(homes) < len(ARCHES):
                said.append(f"{name}: only on {', '.join(homes)}{self._instead(homes)}")
        said += [f"{name}: {level.value}{': ' + what if what else ''}" for _, name, level, what in self.lacks()]
        return list(dict.fromkeys(said))

    def _instead(self, homes: list[str]) -> str:
        """What the other architectures have."""
        if self.canonical in OWN:
            return ""
        others = [(arch, self.equivalents(arch)) for arch in ARCHES if arch not in homes]
        words = {same[0] for _, same in others if same}
        return f"; elsewhere {' or '.join(sorted(words))}" if words and all(same for _, same in others) else ""


def uses(builds: list[Build]) -> list[Use]:
    """Every call of any build."""
    names = sorted({canonical_name(name) for build in builds for _, name in build.calls})
    return [
        Use(
            name,
            [
                Counter({pair: count for pair, count in build.calls.items() if canonical_name(pair[1]) == name})
                for build in builds
            ],
        )
        for name in names
    ]


def portability_text(builds: list[Build]) -> str:
    """A table: a row for each call, a column for each build."""
    used = uses(builds)
    head = ["call", *(f"{build.name} ({build.arch})" for build in builds), "remarks"]
    rows = [[use.canonical, *(_cell(use.canonical, calls) for calls in use.builds)] for use in used]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head) - 1)]
    lines = [_line(head, widths)]
    for use, row in zip(used, rows, strict=True):
        remarks = use.remarks() or [""]
        lines.append(_line([*row, remarks[0]], widths))
        lines += [_line([*[""] * len(row), remark], widths) for remark in remarks[1:]]
    everywhere = sum(all(use.builds) for use in used)
    missing = [use.canonical for use in used if use.missing]
    lines += ["", f"{len(used)} calls, {everywhere} of them made by every build"]
    lines.append(f"not implemented here: {', '.join(missing)}" if missing else "all of them are implemented here")
    return "\n".join(lines) + "\n"


def _cell(canonical: str, calls: Counter[tuple[str, str]]) -> str:
    """`3`, or `open 2, openat 1`."""
    counts: Counter[str] = Counter()
    for (_, name), count in calls.items():
        counts[name] += count
    if list(counts) == [canonical]:
        return str(counts[canonical])
    shown = [f"{name} {count}" for name, count in sorted(counts.items())]
    return ", ".join(shown) or "-"


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join([*(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=False)), cells[-1]]).rstrip()


def portability_json(builds: list[Build]) -> str:
    """The same for machines."""
    used = uses(builds)
    about: dict[str, Any] = {
        "programs": [{"name": build.name, "arch": build.arch, "calls": _by_name(build.calls)} for build in builds],
        "calls": [
            {
                "canonical": use.canonical,
                "programs": [_by_name(calls) for calls in use.builds],
                "exists": {name: use.homes(name) for name in use.names},
                "equivalents": {arch: use.equivalents(arch) for arch in ARCHES},
                "lacking": [
                    {"arch": arch, "name": name, "support": level.value, "note": what}
                    for arch, name, level, what in use.lacks()
                ],
            }
            for use in used
        ],
        "missing": [use.canonical for use in used if use.missing],
    }
    return json.dumps(about, indent=2) + "\n"


def _by_name(calls: Counter[tuple[str, str]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for (_, name), count in calls.items():
        counts[name] += count
    return dict(sorted(counts.items()))
