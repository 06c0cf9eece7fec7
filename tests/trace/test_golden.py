"""Every recorded line of strace comes out of our decoder, byte for byte, from the same registers and memory."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

import syscalls.linux  # noqa: F401  # declares the calls
from emu.trace.decode import plan_of
from emu.trace.event import CallEvent
from emu.trace.options import Names, TraceOptions
from emu.trace.plan import Context, Limits
from emu.trace.stream import complete
from emu.trace.text import TextSink
from syscalls import spec as specs
from syscalls.abi.arch import ARCHES
from syscalls.abi.errno import EFAULT, ENAMETOOLONG, SysError

ARENA, SIZE = 0x10000000, 8192
OPTIONS = {
    "": TraceOptions(),
    "-v": TraceOptions(abbreviate=False),
    "-X verbose": TraceOptions(names=Names.VERBOSE),
    "-X raw": TraceOptions(names=Names.RAW),
    "-s 5 -x": TraceOptions(string_limit=5, hex_strings=1),
}
GOLDEN = {
    arch: [json.loads(line) for line in (Path(__file__).parent / "golden" / f"{arch}.jsonl").read_text().splitlines()]
    for arch in ("x86_64", "i386")
}
#: strace composes these of several numbers, each with its own comment (-X verbose); we say the whole number once.
COMPOSED = {"statx", "utimensat", "utimensat_time64", "capget", "capset", "ioprio_get", "ioprio_set"}


class Pieces:
    """Memory made from what the recording says: the arena, zero where nothing is said."""

    def __init__(self, pieces: dict[str, str]) -> None:
        self.data = bytearray(SIZE)
        for address, text in pieces.items():
            data = bytes.fromhex(text)
            at = int(address, 16) - ARENA
            self.data[at : at + len(data)] = data

    def read(self, address: int, length: int) -> bytes:
        if not ARENA <= address <= address + length <= ARENA + SIZE:
            raise SysError(EFAULT)
        return bytes(self.data[address - ARENA : address - ARENA + length])

    def read_some(self, address: int, length: int) -> bytes:
        if not ARENA <= address < ARENA + SIZE:
            raise SysError(EFAULT)
        return self.read(address, min(length, ARENA + SIZE - address))

    def cstr(self, address: int, limit: int) -> bytes:
        data = self.read_some(address, limit)
        end = data.find(0)
        if end < 0:
            raise SysError(ENAMETOOLONG if len(data) == limit else EFAULT)
        return data[:end]


def composed(entry: dict[str, Any]) -> bool:
    """Is the line one of those that -X shows in another way here?"""
    return entry["name"] in COMPOSED or "FUTEX_OP_" in entry["line"] or entry["line"].startswith("prctl(0x1b)")


def render(arch_name: str, entry: dict[str, Any]) -> str:
    """Our line for a recorded call."""
    arch = ARCHES[arch_name]
    options = OPTIONS[entry["options"]]
    spec = specs.find(arch, entry["name"]) if isinstance(entry["name"], str) else None
    assert spec or not isinstance(entry["name"], str), f"{entry['name']} is not declared"
    name = entry["name"] if spec else f"syscall_{entry['number']:#x}"
    plan = plan_of(name, entry["number"], arch, spec)
    context = Context(
        plan, Pieces(entry["before"]), tuple(entry["args"]), Limits(options.string_limit, options.abbreviate)
    )
    context.previous = "read"
    event = CallEvent(1, 1, 1, arch, name, entry["number"], context.args, plan.begin(context))
    context.memory = Pieces(entry.get("after", entry["before"]))
    context.previous = "read"
    result = entry["result"]
    restart = "ERESTARTNOHAND" if "ERESTARTNOHAND" in entry["line"] else ""
    complete(event, context, result, restart)
    out = io.StringIO()
    TextSink(out, options).call(event)
    return out.getvalue().rstrip("\n")


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("arch", GOLDEN)
def test_lines_are_those_of_strace(arch, options):
    wrong = []
    for entry in GOLDEN[arch]:
        if entry["options"] == options and not (options.startswith("-X") and composed(entry)):
            line = render(arch, entry)
            if line != entry["line"]:
                wrong.append(f"strace: {entry['line']}\n  ours: {line}")
    assert not wrong, f"{len(wrong)} lines differ\n" + "\n".join(wrong[:40])
