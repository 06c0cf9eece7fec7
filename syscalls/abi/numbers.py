"""Number and name of every system call on every architecture, read from the generated table `numbers.tsv`."""

from __future__ import annotations

from pathlib import Path


def _read(text: str) -> dict[str, dict[str, int]]:
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    arches = rows[0][1:]
    return {
        arch: {row[0]: int(row[column]) for row in rows[1:] if row[column]}
        for column, arch in enumerate(arches, start=1)
    }


#: NUMBER["x86_64"]["openat"] == 257; architectures are called by `Arch.name`.
NUMBER: dict[str, dict[str, int]] = _read(Path(__file__).with_name("numbers.tsv").read_text(encoding="ascii"))

#: NAME["x86_64"][257] == "openat".
NAME: dict[str, dict[int, str]] = {
    arch: {number: name for name, number in calls.items()} for arch, calls in NUMBER.items()
}

#: Every name that exists on some architecture, in alphabetical order.
CALLS: tuple[str, ...] = tuple(sorted(set().union(*NUMBER.values())))
