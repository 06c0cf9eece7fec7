"""The regression cases: cases/*.txt, each a script with what Linux says to it."""

from __future__ import annotations

from pathlib import Path

from syscalls.abi.arch import Arch
from tests.differential.run import PATIENT_MS, native
from tests.differential.script import Script, format_script, parse_script, walk

CASES = Path(__file__).with_name("cases")


def load() -> dict[str, Script]:
    """All cases by name."""
    return {path.stem: parse_script(path.read_text(encoding="utf-8")) for path in sorted(CASES.glob("*.txt"))}


def expected(script: Script) -> list[str]:
    """The lines that a run must give."""
    return [*(step.expected for _, step in walk(script.steps)), script.ends]


def record(path: Path, arch: Arch) -> None:
    """Write what Linux says into a case."""
    script = parse_script(path.read_text(encoding="utf-8"))
    lines = native([script], arch, PATIENT_MS)[0]
    if lines is None:
        raise SystemExit(f"{path}: not a script for {arch.name}")
    for (_, step), line in zip(walk(script.steps), lines, strict=False):
        step.expected = line
    script.ends = lines[-1]
    path.write_text(format_script(script), encoding="utf-8")
