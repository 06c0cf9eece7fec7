"""Run a program under Debian's strace and under our tracer, and compare line by line, task by task."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from strace_text import normalize

from emu.ptrace.native import trace_program
from emu.trace.options import TraceOptions
from emu.trace.separate import SeparateSink

STRACE = shutil.which("strace")
#: What is never the same twice besides addresses: renamed on both sides, by its place in the line.
_VARYING = (
    (re.compile(r"(?<=_utime=)\d+|(?<=_stime=)\d+|(?<=_utime=)\d+ /\* .*? \*/|(?<=_stime=)\d+ /\* .*? \*/"), "T"),
    (re.compile(r"\b(tv_n?u?sec|st_[amc]time(?:_nsec)?)=-?\d+(?: /\* \S+ \*/)?"), r"\1=T"),
    (re.compile(r"(?<=st_ino=)\d+|(?<=d_ino=)\d+"), "INO"),
    (re.compile(r'(?<=^getrandom\()"[^"]*"'), "RANDOM"),
)
#: Differences that stay, with the reason: of these calls only the results are compared.
KEPT = (
    (r"(?:connect|getpeername)\(.*", "socket addresses are shown as bytes, without strace's names"),
    (r"sysinfo\(.*", "the machine's own figures, which change between two runs"),
    (r"openat2\(.*, 5000", "what is behind the struct is shown as ???, strace shows the bytes"),
)
_KEPT = tuple(re.compile(rf"^({pattern})\)(?=\s+= )") for pattern, _ in KEPT)
_PID = re.compile(r"\b\d{2,}\b")


@dataclass
class Comparison:
    """How many lines were compared, and those that differ: (task, strace's, ours)."""

    compared: int = 0
    different: list[tuple[int, str, str]] = field(default_factory=list)


class _File(io.StringIO):
    """A file whose text is still there when it was closed."""

    text = ""

    def close(self) -> None:
        self.text = self.getvalue()


def quiet_streams(stdin: bytes = b"") -> tuple[int, int, int]:
    """Input from a file without a name, output to nowhere."""
    given = os.memfd_create("stdin")
    os.write(given, stdin)
    os.lseek(given, 0, os.SEEK_SET)
    return given, os.open(os.devnull, os.O_WRONLY), os.open(os.devnull, os.O_WRONLY)


def ours(argv: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: bytes, options: TraceOptions) -> dict[int, str]:
    """Text of each task, by id; ids ascend in order of birth."""
    files: dict[int, _File] = {}

    def open_for(tid: int) -> _File:
        return files.setdefault(tid, _File())

    for entry in list(Path("/proc/self/fd").iterdir()):  # what was left open to us is not for the program
        with suppress(OSError):
            os.set_inheritable(int(entry.name), int(entry.name) < 3)
    streams = quiet_streams(stdin)
    try:
        trace_program(
            argv[0], argv[1:], sinks=[SeparateSink(open_for, options)], options=options, env=env, cwd=str(cwd),
            streams=streams,
        )  # fmt: skip
    finally:
        for fd in streams:
            os.close(fd)
    return {tid: file.text for tid, file in files.items()}


def theirs(
    argv: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: bytes, flags: Sequence[str]
) -> dict[int, str]:
    """The same of strace -ff."""
    assert STRACE is not None
    output = cwd.parent / f"{cwd.name}-strace"
    streams = quiet_streams(stdin)
    try:
        subprocess.run(
            [STRACE, "-ff", "-o", str(output), *flags, *argv],
            stdin=streams[0], stdout=streams[1], stderr=streams[2], env=dict(env), cwd=cwd, timeout=60, check=False,
        )  # fmt: skip
    finally:
        for fd in streams:
            os.close(fd)
    return {
        int(file.name.rpartition(".")[2]): file.read_text(errors="surrogateescape")
        for file in output.parent.glob(f"{output.name}.*")
    }


def lines(text: str, tids: Sequence[int], base: str) -> list[str]:
    """Comparable lines: task ids are named in order of birth, and what the clock says has no say."""
    names = {str(tid): f"TASK{n}" for n, tid in enumerate(tids)}
    told = []
    for line in text.replace(base, "BASE").splitlines():
        renamed = _PID.sub(lambda match: names.get(match.group(), match.group()), line)
        for pattern, name in _VARYING:
            renamed = pattern.sub(name, renamed)
        for kept in _KEPT:
            renamed = kept.sub(lambda match: f"{match.group().partition('(')[0]}(...)", renamed)
        told.append(renamed)
    return normalize("\n".join(told))


def compare(theirs: dict[int, str], ours: dict[int, str], bases: tuple[str, str] = ("", "")) -> Comparison:
    """Tasks in order of birth."""
    found = Comparison()
    left, right = sorted(theirs), sorted(ours)
    if len(left) != len(right):
        found.different.append((0, f"{len(left)} tasks", f"{len(right)} tasks"))
    for number, (one, other) in enumerate(zip(left, right, strict=False)):
        a = lines(theirs[one], left, bases[0] or "\0")
        b = lines(ours[other], right, bases[1] or "\0")
        found.compared += max(len(a), len(b))
        found.different += [(number, x, y) for x, y in zip(a, b, strict=False) if x != y]
        if len(a) != len(b):
            found.different.append((number, f"{len(a)} lines", f"{len(b)} lines"))
    return found
