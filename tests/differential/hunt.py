"""Compare many scripts, and shrink those on which the two kernels differ."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from syscalls.abi.arch import Arch
from tests.differential.run import PATIENT_MS, Lines, emulated, native
from tests.differential.script import Script, Step, format_script, walk

Runner = Callable[[Sequence[Script]], list[Lines]]


@dataclass
class Difference:
    """A script on which they differ, and what both said."""

    script: Script
    linux: list[str]
    ours: list[str]

    def first(self) -> int:
        """Index of the first line that differs."""
        return next(i for i, (a, b) in enumerate(zip(self.linux, self.ours, strict=True)) if a != b)

    def kind(self) -> tuple[str, str, str]:
        """What makes it another finding than the next: the call, and both results."""
        index = self.first()
        steps = walk(self.script.steps)
        call = steps[index][1].call if index < len(steps) else "the end"
        return call, *(re.sub(r"\d+", "N", lines[index].split(" ")[0]) for lines in (self.linux, self.ours))

    def __str__(self) -> str:
        lines, at = [], self.first()
        text = format_script(Script(self.script.steps)).splitlines()
        text = [line for line in text if line.strip() != "pass"]
        for index, line in enumerate([*text, "(end)"]):
            if index == at:
                lines.append(f"{line}\n        Linux: {self.linux[index]}\n        ours:  {self.ours[index]}")
            elif index < at:
                lines.append(f"{line}  #> {self.linux[index]}")
        return "\n".join(lines)


KNOWN = Path(__file__).with_name("known.tsv")


def unknown(differences: Sequence[Difference]) -> list[Difference]:
    """Without those that known.tsv lists, with their reasons."""
    rows = [line.split("\t") for line in KNOWN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    known = {tuple(row[:3]) for row in rows}
    return [found for found in differences if found.kind() not in known]


def compare(scripts: Sequence[Script], arch: Arch, *, patient: bool = False) -> list[Difference]:
    """Run all on both kernels."""
    theirs = native(scripts, arch, PATIENT_MS) if patient else native(scripts, arch)
    ours = emulated(scripts, arch)
    return [
        Difference(script, a, b)
        for script, a, b in zip(scripts, theirs, ours, strict=True)
        if a is not None and b is not None and a != b
    ]


def shrink(difference: Difference, arch: Arch) -> Difference:
    """The shortest script that still differs in the same call. All candidates of a round go through one run."""
    best = difference
    for _ in range(60):
        smaller = candidates(best)
        kept = [found for found in compare(smaller, arch) if found.kind()[0] == best.kind()[0]]
        if not kept:
            return best
        best = min(kept, key=lambda found: (len(walk(found.script.steps)), len(format_script(found.script))))
    return best


def candidates(difference: Difference) -> list[Script]:
    """Scripts a little smaller."""
    steps = difference.script.steps
    count = len(walk(steps))
    found: list[Script] = []
    for size in (count // 2, count // 4, 2, 1):
        if size >= 1:
            found += [_without(steps, start, size) for start in range(0, count, size)]
    found += [_hoisted(steps, index) for index, (_, step) in enumerate(walk(steps)) if step.call == "fork"]
    for index, (_, step) in enumerate(walk(steps)):
        for position, text in enumerate(step.args):
            for simple in _simpler(text):
                smaller = copy.deepcopy(steps)
                walk(smaller)[index][1].args[position] = simple
                found.append(Script(smaller))
    return [script for script in found if script.steps][:600]


def _simpler(text: str) -> list[str]:
    choices = ["0"] if len(text) > 1 else []
    if " | " in text and "(" not in text:
        flags = text.split(" | ")
        choices += [" | ".join(flags[:i] + flags[i + 1 :]) for i in range(len(flags))]
    if 'b"d/' in text or 'b"n/' in text:
        choices.append('b"a"')
    return choices


def _without(steps: list[Step], start: int, size: int) -> Script:
    """Without some steps, and without their names in those that follow."""
    smaller = copy.deepcopy(steps)
    gone = [step for _, step in walk(smaller)[start : start + size]]
    names = {step.name for step in gone if step.name}
    _remove(smaller, {id(step) for step in gone})
    for _, step in walk(smaller):
        step.args = [_forget(text, names) for text in step.args]
    return Script(smaller)


def _forget(text: str, names: set[str]) -> str:
    for name in names:
        text = re.sub(rf"\b{name}\b(\[\d\])?", "GONE" if name.startswith("child") else "-1", text)
    return text


def _remove(steps: list[Step], gone: set[int]) -> None:
    steps[:] = [step for step in steps if id(step) not in gone]
    for step in steps:
        _remove(step.body, gone)


def _hoisted(steps: list[Step], index: int) -> Script:
    """With a fork's steps in the place of the fork."""
    smaller = copy.deepcopy(steps)
    fork = walk(smaller)[index][1]

    def replace(level: list[Step]) -> None:
        for at, step in enumerate(level):
            if step is fork:
                level[at : at + 1] = step.body
                return
            replace(step.body)

    replace(smaller)
    for _, step in walk(smaller):
        step.args = [_forget(text, {fork.name}) for text in step.args]
    return Script(smaller)
