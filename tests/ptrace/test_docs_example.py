"""The example of docs/ptrace.md does what it says, and the table names methods that are there."""

from __future__ import annotations

import re
from pathlib import Path

from emu.ptrace import Tracee

PAGE = (Path(__file__).parents[2] / "docs" / "ptrace.md").read_text()


def test_example():
    code = PAGE.partition("```python\n")[2].partition("```")[0]
    scope: dict = {"__name__": "example"}
    exec(compile(code, "docs/ptrace.md", "exec"), scope)
    found = list(scope["opened"]("/bin/cat", "/proc/self/comm", "/nothing"))
    assert ("/nothing", -2) in found
    assert any(path == "/proc/self/comm" and result >= 0 for path, result in found)


def test_table_names_what_is_there():
    rows = [line.split(" | ")[1] for line in PAGE.splitlines() if line.startswith("| ") and "(" in line]
    names = re.findall(r"`(?:Tracee\.)?(\w+)\(", " ".join(rows))
    assert len(names) > 30
    assert [name for name in names if not hasattr(Tracee, name)] == []


def test_every_method_is_in_the_table():
    methods = {name for name in vars(Tracee) if not name.startswith("_")} - {"pid"}
    assert [name for name in methods if f"{name}(" not in PAGE] == []
