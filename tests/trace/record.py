"""Record what strace prints for the calls of cases.py, with the memory they saw: `python tests/trace/record.py`.

Needs strace 6.1, gcc with -m32, and an x86_64 machine. Writes golden/ARCH.jsonl, one call per line: name, number,
arguments, result, the arena before and (where it differs) after, strace's options and strace's line.
"""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

from cases import ARENA, CASES, SIZE, Arena  # noqa: E402  # needs the path

from syscalls.abi.arch import ARCHES, Arch  # noqa: E402  # needs the path
from syscalls.abi.numbers import NUMBER  # noqa: E402  # needs the path

GCC = {"x86_64": ["-m64"], "i386": ["-m32", "-fno-pic"]}
OPTIONS = {"": [], "-v": ["-v"], "-X verbose": ["-X", "verbose"], "-X raw": ["-X", "raw"], "-s 5 -x": ["-s", "5", "-x"]}


def main() -> None:
    for name in GCC:
        known: set[tuple[str, str]] = set()
        lines = []
        for options, flags in OPTIONS.items():
            for entry in record(ARCHES[name], options, flags):
                what = (entry["name"], re.sub(r"0x[0-9a-f]+|\d+", "N", entry["line"]))
                if not options or what not in known:  # an option that makes no difference is not worth a line
                    known.add(what)
                    lines.append(json.dumps(entry) + "\n")
        (HERE / "golden" / f"{name}.jsonl").write_text("".join(lines))
        print(name, len(lines), "calls")  # noqa: T201  # a script


def record(arch: Arch, options: str, flags: list[str]) -> list[dict[str, Any]]:
    numbers = NUMBER[arch.name]
    cases = [case for case in CASES if isinstance(case[0], int) or case[0] in numbers]
    if "-X" in flags:  # strace 6.1 itself ends at this one
        cases = [case for case in cases if case[:2] != ("rt_sigprocmask", 9)]
    commands, inputs = b"", []
    for name, *arguments in cases:
        arena = Arena(arch)
        args = [arena.place(argument) for argument in arguments]
        args += [0] * (6 - len(args))
        number = name if isinstance(name, int) else numbers[name]
        commands += struct.pack("<7Q", number, *args) + arena.data
        inputs.append((name, number, args, bytes(arena.data)))
    with tempfile.TemporaryDirectory() as top:
        results, lines = replay(arch, Path(top), commands, flags)
    assert len(results) == len(lines) == len(inputs), (len(results), len(lines), len(inputs), lines[-1])
    recorded = []
    for (name, number, args, before), (result, after), line in zip(inputs, results, lines, strict=True):
        entry = {"name": name, "number": number, "args": args, "result": result, "before": pieces(before)}
        if after != before:
            entry["after"] = pieces(after)
        recorded.append({**entry, "options": options, "line": line})
    return recorded


def replay(arch: Arch, top: Path, commands: bytes, flags: list[str]) -> tuple[list[tuple[int, bytes]], list[str]]:
    program, trace, work = top / "replay", top / "trace", top / "w"
    source = str(HERE / "replay.c")
    compiler = ["gcc", *GCC[arch.name], "-O1", "-static", "-nostdlib", "-no-pie", "-fno-stack-protector"]
    subprocess.run([*compiler, "-o", program, source], check=True)
    work.mkdir()
    (work / "file").write_bytes(b"some content of a file, and more than 32 bytes of it\n")
    (work / "link").symlink_to("file")
    (work / "long").symlink_to("x" * 50)
    (top / "in").write_bytes(commands)
    with (top / "in").open("rb") as given, (top / "out").open("wb") as taken:
        os.dup2(given.fileno(), 900)
        os.dup2(taken.fileno(), 901)
        command = ["strace", *flags, "-e", "signal=none", "-o", trace, program]
        devnull = subprocess.DEVNULL
        subprocess.run(
            command, cwd=work, stdin=devnull, stdout=devnull, stderr=devnull, pass_fds=(900, 901), timeout=60,
            check=False,
        )  # fmt: skip
    data = (top / "out").read_bytes()
    step = 8 + SIZE
    results = [(struct.unpack_from("<q", data, at)[0], data[at + 8 : at + step]) for at in range(0, len(data), step)]
    text = trace.read_text(encoding="latin-1").splitlines()
    start = next(i for i, line in enumerate(text) if line.startswith("read(900,"))
    lines = [line for line in text[start:] if not line.startswith(("read(900,", "write(901,"))]
    return results, [line for line in lines if not line.startswith(("exit(", "+++"))]


def pieces(data: bytes) -> dict[str, str]:
    """The parts of the arena that are not zero: {address: hex}."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        if not any(data[at : at + 16]):
            at += 16
            continue
        end = at
        while end < len(data) and any(data[end : end + 16]):
            end += 16
        found[f"{ARENA + at:#x}"] = data[at:end].hex()
        at = end
    return found


if __name__ == "__main__":
    main()
