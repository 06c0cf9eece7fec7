# ruff: noqa: E501  # tables of text
"""Sequences of system calls as text.

    # what it is about                         (comments; "# only: x86_64 i386" names architectures, "# user: root" a need)
    fd = openat(AT_FDCWD, b"f", O_RDWR | O_CREAT, 0o644)  #> 3
    write(fd, b"abc", 3)  #> 3
    with fork() as c:  #> c
        lseek(fd, 0, SEEK_SET)  #> 0
    wait4(c, ints(0), 0, 0)  #> c

A line is one call in Python's syntax, perhaps with a name for its result; behind `#>` stands what Linux says to it.
Arguments are integers, constants by their C names, results of earlier calls, and what the call points at (values.py).
`fork` runs the indented steps in a child to their end. `peek(address)` and `poke(address, byte)` touch memory.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

INDENT = "    "


@dataclass
class Step:
    """One call, or a fork with the child's steps."""

    call: str
    args: list[str] = field(default_factory=list)  # source text
    name: str = ""
    body: list[Step] = field(default_factory=list)
    expected: str = ""

    def __str__(self) -> str:
        if self.call == "fork":
            return f"with fork() as {self.name}:"
        return (f"{self.name} = " if self.name else "") + f"{self.call}({', '.join(self.args)})"


@dataclass
class Script:
    """A sequence, and what was written about it."""

    steps: list[Step]
    comments: list[str] = field(default_factory=list)
    ends: str = ""  # how the first process ended, where not with 0

    def note(self, key: str) -> list[str]:
        """The words of the comment `# key: words`."""
        return next((line.split(":", 1)[1].split() for line in self.comments if line.startswith(f"# {key}:")), [])


def walk(steps: list[Step], depth: int = 0) -> list[tuple[int, Step]]:
    """All steps in the order of the text, with their depth."""
    found = []
    for step in steps:
        found.append((depth, step))
        found += walk(step.body, depth + 1)
    return found


def format_script(script: Script) -> str:
    """The text."""
    lines = list(script.comments)
    for depth, step in walk(script.steps):
        lines.append(INDENT * depth + str(step) + (f"  #> {step.expected}" if step.expected else ""))
        if step.call == "fork" and not step.body:
            lines.append(INDENT * (depth + 1) + "pass")
    if script.ends:
        lines.append(f"#> {script.ends}")
    return "\n".join(lines) + "\n"


def parse_script(text: str) -> Script:
    """The script written in `text`."""
    script = Script([])
    levels = [script.steps]
    for line in text.splitlines():
        code, _, expected = line.partition("#> ")
        if not code.strip() and expected:
            script.ends = expected.strip()
        elif line.startswith("#"):
            script.comments.append(line)
        elif code.strip() and code.strip() != "pass":
            depth = (len(code) - len(code.lstrip())) // len(INDENT)
            step = parse_step(code.strip())
            step.expected = expected.strip()
            del levels[depth + 1 :]
            levels[depth].append(step)
            levels.append(step.body)
    return script


def parse_step(code: str) -> Step:
    """The step of one line."""
    if fork := re.fullmatch(r"with fork\(\) as (\w+):", code):
        return Step("fork", [], fork[1])
    node = ast.parse(code).body[0]
    name = ""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
    if not isinstance(node, ast.Assign | ast.Expr):
        raise TypeError(f"not a call: {code}")
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise TypeError(f"not a call: {code}")
    return Step(call.func.id, [ast.get_source_segment(code, arg) or "" for arg in call.args], name)
