"""`trapeze diff`: from its arguments to two recordings, and from their comparison to a report and an exit status."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emu.errors import UsageError
from emu.trace import colour
from emu.trace.canonical import canonical, canonical_name
from emu.trace.classify import NAMES, Nature
from emu.trace.diff import Diff, compare
from emu.trace.diff_text import Colours, Report, verdict
from emu.trace.event import CallEvent, SignalEvent
from emu.trace.options import TraceOptions
from emu.trace.qualify import qualify
from emu.trace.recording import Event, Recording, is_program, read_trace
from emu.trace.select import SelectError

if TYPE_CHECKING:
    from emu.sandbox import Sandbox

#: How much of strings and arrays is compared.
LIMIT = 4096


@dataclass(slots=True)
class Side:
    """One side of the comparison."""

    name: str
    recording: Recording


def run_diff(settings: dict[str, Any], make: Callable[[dict[str, Any]], Sandbox]) -> int:
    """Carry out the command: 0 when nothing is different, 1 otherwise."""
    sides, canonically = _sides(settings, make)
    same_start = not settings["programs"] and (_is_trace(settings["program"]) is _is_trace(sides[1].name))
    wanted = _filter(settings)
    keep = [_nature(word) for word in settings["keep"].split(",") if word]
    for name in settings["ignore"].split(","):
        _known_call(name)
    diffs = [
        (
            left,
            right,
            compare(
                left.recording,
                right.recording,
                keep=keep,
                wanted=wanted,
                canonical=canonical if canonically or _architectures(left, right) > 1 else None,
                same_start=same_start,
            ),
        )
        for left, right in zip([sides[0]] * (len(sides) - 1), sides[1:], strict=True)
    ]
    if settings["html"]:
        _write_html(settings["html"], diffs)
    for left, right, diff in diffs:
        _show(settings, left.name, right.name, diff)
    return 0 if all(diff.equal for _, _, diff in diffs) else 1


def _show(settings: dict[str, Any], left: str, right: str, diff: Diff) -> None:
    if settings["json"]:
        from emu.trace.diff_json import diff_json

        sys.stdout.write(diff_json(diff, left, right))
    elif settings["quiet"]:
        sys.stdout.write(verdict(diff, left, right) + "\n")
    else:
        colours = Colours.of(colour=colour.wanted(sys.stdout, os.environ))
        report = Report(diff, left, right, colours, settings["context"])
        sys.stdout.write(report.text(everything=settings["everything"]))


def _write_html(path: str, diffs: Sequence[tuple[Side, Side, Diff]]) -> None:
    from emu.trace.diff_html import diff_html

    if len(diffs) > 1:
        raise UsageError("--html: shows two sides, not more")
    left, right, diff = diffs[0]
    try:
        Path(path).write_text(diff_html(diff, left.name, right.name), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--html {path}: {error.strerror}") from None


# --- sides ------------------------------------------------------------------------------------------------------------


def _sides(settings: dict[str, Any], make: Callable[[dict[str, Any]], Sandbox]) -> tuple[list[Side], bool]:
    """The recordings, and whether calls are compared by their canonical names."""
    program, args = settings["program"], list(settings["args"])
    if settings["programs"]:
        return _programs([program, *args], settings, make), True
    if _is_trace(program):
        if len(args) == 1 and not is_program(args[0]):
            return [Side(name, read_trace(name)) for name in (program, args[0])], settings["canonical"]
        if not args:
            raise UsageError(f"{program} is a trace: with what shall it be compared? (see trapeze diff --help)")
        emulated = _emulated({**settings, "program": args[0], "args": tuple(args[1:])}, make, standard_input())
        return [Side(program, read_trace(program)), Side("trapeze", emulated)], settings["canonical"]
    return _both(settings, make), settings["canonical"]


def _both(settings: dict[str, Any], make: Callable[[dict[str, Any]], Sandbox]) -> list[Side]:
    """The same run twice: natively, and emulated over a copy-on-write view of the same files.

    Emulated first, since that one changes nothing. In a new directory that is removed, unless --cwd names another.
    """
    from emu.trace.native_side import native_tracer, record_native

    data = standard_input()
    with tempfile.TemporaryDirectory(prefix="trapeze-") as fresh:
        cwd = fresh if settings["cwd"] == "/" else settings["cwd"]
        config = make({**settings, "cwd": cwd}).config
        program = str(Path(native_tracer().find_program(config.program, config.env)).absolute())
        config = replace(config, program=program, root=config.root or "/", argv0=config.argv0 or settings["program"])
        if (config.uid, config.gid) == (0, 0):
            config = replace(config, uid=os.getuid(), gid=os.getgid())
        sandbox = make(settings)
        sandbox.config = config
        emulated = Recording()
        sandbox.run(data, sinks=[emulated], options=_options())
        sys.stderr.write(f"trapeze: {settings['program']} runs natively as well: not sandboxed\n")
        native = record_native(config, data, _options())
    return [Side("linux", native), Side("trapeze", emulated)]


def run_portability(settings: dict[str, Any], make: Callable[[dict[str, Any]], Sandbox]) -> int:
    """Carry out `trapeze portability`: 0 when our kernel implements every call that was made, 1 otherwise."""
    from emu.trace import portability

    names, args = split_words([settings["program"], *settings["args"]])
    data = b"" if all(_is_trace(name) for name in names) else standard_input()
    builds = []
    for name in names:
        if _is_trace(name):
            recording = read_trace(name)
        else:
            recording = _emulated({**settings, "program": name, "args": tuple(args)}, make, data)
        builds.append(portability.Build.of(name, recording))
    show = portability.portability_json if settings["json"] else portability.portability_text
    sys.stdout.write(show(builds))
    return 1 if any(use.missing for use in portability.uses(builds)) else 0


def split_words(words: list[str]) -> tuple[list[str], list[str]]:
    """PROGRAM... -- ARGS."""
    end = words.index("--") if "--" in words else len(words)
    return words[:end], words[end + 1 :]


def _programs(words: list[str], settings: dict[str, Any], make: Callable[[dict[str, Any]], Sandbox]) -> list[Side]:
    """--programs A B C -- ARGS."""
    programs, args = split_words(words)
    if len(programs) < 2:
        raise UsageError("--programs: at least two programs, then -- and their arguments")
    data = standard_input()
    argv0 = settings["argv0"] or Path(programs[0]).name
    return [
        Side(program, _emulated({**settings, "program": program, "args": tuple(args), "argv0": argv0}, make, data))
        for program in programs
    ]


def _is_trace(name: str) -> bool:
    return Path(name).is_file() and not is_program(name)


def standard_input() -> bytes:
    """What both sides read: everything from a pipe or a file, nothing from a terminal."""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return b""
    return sys.stdin.buffer.read()


def _options() -> TraceOptions:
    return TraceOptions(string_limit=LIMIT, abbreviate=False)


def _emulated(settings: dict[str, Any], make: Callable[[dict[str, Any]], Sandbox], data: bytes) -> Recording:
    recording = Recording()
    make(settings).run(data, sinks=[recording], options=_options())
    return recording


def _architectures(left: Side, right: Side) -> int:
    found = [{e.arch for e in side.recording.events if isinstance(e, CallEvent)} for side in (left, right)]
    return 1 if found[0] & found[1] or not all(found) else 2


# --- filters ----------------------------------------------------------------------------------------------------------


def _filter(settings: dict[str, Any]) -> Callable[[Event], bool]:
    try:
        chosen = qualify(settings["expressions"])
    except SelectError as error:
        raise UsageError(f"-e: {error}") from None
    ignored = {name for name in settings["ignore"].split(",") if name}
    ignored |= {canonical_name(name) for name in ignored} if settings["programs"] else set()

    def wanted(event: Event) -> bool:
        if isinstance(event, CallEvent):
            names = {event.name, canonical_name(event.name)} if settings["programs"] else {event.name}
            return chosen.trace.has(event.name, event.arch) and not names & ignored
        return not isinstance(event, SignalEvent) or chosen.signals.has(event.name)

    return wanted


def _known_call(name: str) -> None:
    from syscalls.abi.numbers import CALLS

    if name and name not in CALLS:
        raise UsageError(f"--ignore: no system call is named {name!r} on x86_64, i386 or arm64")


def _nature(word: str) -> Nature:
    known = {nature.value: nature for nature in NAMES | {Nature.TIME, Nature.RANDOM, Nature.HOST}}
    if word not in known:
        raise UsageError(f"--keep {word}: expected one of {', '.join(sorted(known))}")
    return known[word]
