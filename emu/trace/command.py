"""From the options of `trapeze trace` to sinks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from emu.errors import UsageError
from emu.trace import colour
from emu.trace.event import Sink
from emu.trace.options import Clock, Names, TraceOptions
from emu.trace.qualify import QUIET, Qualifiers, qualify
from emu.trace.select import SelectError

if TYPE_CHECKING:
    import click

#: Options that say what the guest of our kernel sees.
SANDBOX = ("root", "bind", "user", "memory", "max_tasks", "deterministic", "seed", "post_mortem")


@contextmanager
def tracing(settings: dict[str, Any]) -> Iterator[tuple[list[Sink], TraceOptions]]:
    """The sinks and the options that the command line asks for; the output file is closed at the end."""
    try:
        qualifiers = qualify(settings["expressions"])
    except SelectError as error:
        raise UsageError(str(error)) from None
    _status(settings, qualifiers)  # before a file is made
    if settings["follow"] > 1 and settings["output"] is not None:
        yield from _separately(settings, qualifiers)
        return
    out = _open(settings["output"])
    options = _options(settings, qualifiers, colour.wanted(out, os.environ))
    try:
        yield _sinks(settings, out, options), options
    finally:
        out.flush()
        if out is not sys.stderr:
            out.close()


def _separately(settings: dict[str, Any], qualifiers: Qualifiers) -> Iterator[tuple[list[Sink], TraceOptions]]:
    """-ff -o FILE: one file for each task."""
    if settings["json"] or settings["count"] or settings["count_too"]:
        raise UsageError("-ff makes a file of text for each task: it goes with neither --json nor -c nor -C")
    from emu.trace.separate import SeparateSink

    options = _options(settings, qualifiers, coloured=False)
    yield [SeparateSink(lambda tid: _open(f"{settings['output']}.{tid}"), options)], options


def _open(name: str | None) -> TextIO:
    if name is None:
        return sys.stderr
    try:
        return open(name, "w", encoding="utf-8", errors="surrogateescape")  # noqa: PTH123  # closed by tracing
    except OSError as error:
        raise UsageError(f"-o {name}: {error.strerror}") from None


def _options(settings: dict[str, Any], qualifiers: Qualifiers, coloured: bool) -> TraceOptions:
    clock = [Clock.NONE, Clock.SECONDS, Clock.MICROSECONDS, Clock.EPOCH][min(settings["clock"], 3)]
    quiet = set(qualifiers.quiet)
    to_file = settings["output"] is not None
    if settings["quiet"] or (to_file and not qualifiers.quiet_given):
        quiet |= {"attach", "personality"}
    if settings["quiet"] > 1:
        quiet |= {"exit", "thread-exit"}
    if settings["quiet"] > 2:
        quiet |= QUIET
    separately = to_file and settings["follow"] > 1
    return TraceOptions(
        trace=qualifiers.trace,
        signals=qualifiers.signals,
        status=_status(settings, qualifiers),
        quiet=frozenset(quiet),
        raw=qualifiers.raw,
        verbose=qualifiers.verbose,
        abbreviate=not settings["verbose"],
        abbrev=qualifiers.abbrev,
        dump_read=qualifiers.read,
        dump_write=qualifiers.write,
        only_paths=frozenset(os.fsencode(path) for path in settings["only_paths"]),
        relative=settings["relative"] and settings["clock"] > 0,
        number=settings["number"],
        pointer=settings["pointer"],
        string_limit=settings["string_limit"],
        hex_strings=min(settings["hexadecimal"], 2),
        names=Names(settings["names"]),
        paths=settings["paths"] > 0,
        clock=Clock.RELATIVE if settings["relative"] and not settings["clock"] else clock,
        duration=settings["duration"],
        column=settings["column"],
        always_pid=(to_file and settings["follow"] == 1) or settings["show_pid"],
        pid_column=to_file,
        separately=separately,
        colour=coloured,
    )


def _summary(settings: dict[str, Any], out: TextIO) -> Sink:
    from emu.trace.summary import DEFAULT_COLUMNS, SummarySink

    try:
        columns = tuple(settings["columns"].split(",")) if settings["columns"] else DEFAULT_COLUMNS
        return SummarySink(out, sort=settings["sort"], columns=columns)
    except SelectError as error:
        raise UsageError(str(error)) from None


def _status(settings: dict[str, Any], qualifiers: Qualifiers) -> frozenset[str] | None:
    """-z and -Z are short for two of them."""
    if settings["successful"] and settings["failed"]:
        raise UsageError("-z and -Z exclude each other")
    if settings["successful"] or settings["failed"]:
        return frozenset({"successful" if settings["successful"] else "failed"})
    return qualifiers.status


def _sinks(settings: dict[str, Any], out: TextIO, options: TraceOptions) -> list[Sink]:
    sinks: list[Sink] = []
    if settings["json"]:
        from emu.trace.jsonl import JsonSink

        sinks.append(JsonSink(out))
    elif not settings["count"]:
        from emu.trace.text import TextSink

        sinks.append(TextSink(out, options))
    if settings["count"] or settings["count_too"]:
        sinks.append(_summary(settings, out))
    return sinks


# --- on the machine's own kernel --------------------------------------------------------------------------------------


def trace_natively(settings: dict[str, Any], env: dict[str, str], context: click.Context) -> int:
    """--native, in the environment `env`, and -p: the exit status."""
    from emu.ptrace.native import trace_processes, trace_program

    _check_native(settings, context)
    pids = [_pid(text) for item in settings["attach"] for text in item.split(",")]
    follow = not settings["no_follow"]
    if not pids and not settings["quiet"]:
        sys.stderr.write("trapeze: the program runs natively: it is not sandboxed\n")
        sys.stderr.flush()
    with tracing(settings) as (sinks, options):
        if pids:
            said = sys.stderr if "attach" not in options.quiet else None
            return trace_processes(
                pids,
                sinks=sinks,
                options=options,
                follow=follow,
                detached=lambda pid: said and said.write(f"trapeze: process {pid} detached\n"),
            )
        return trace_program(
            settings["program"],
            settings["args"],
            sinks=sinks,
            options=options,
            env=env,
            cwd=settings["cwd"] if _given(context, "cwd") else None,
            argv0=settings["argv0"],
            follow=follow,
            seccomp=settings["seccomp_bpf"],
        )


def _check_native(settings: dict[str, Any], context: click.Context) -> None:
    for name in SANDBOX:
        if _given(context, name):
            raise UsageError(f"--{name.replace('_', '-')}: there is no sandbox around a native run")
    if settings["attach"] and settings["program"] is not None:
        raise UsageError("-p PID: goes with no PROGRAM")
    if settings["attach"] and settings["seccomp_bpf"]:
        raise UsageError("--seccomp-bpf: a running process cannot be given a filter (-p)")


def _given(context: click.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _pid(text: str) -> int:
    if not text.strip().isdigit() or not 0 < int(text) < 1 << 31:
        raise UsageError(f"-p {text}: expected a process id")
    return int(text)
