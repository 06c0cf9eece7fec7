"""The one place where the program suites meet the public API: run a program in the sandbox, or traced."""

from __future__ import annotations

import io
from pathlib import Path

from sample_cases import Case, Outcome, end_of

from emu import Bind, Sandbox
from emu.config import Config
from emu.host import BytesStream, CaptureStream
from emu.sandbox import Run
from emu.trace.options import TraceOptions
from emu.trace.text import TextSink
from emu.trace.tracer import Tracer


def run_guest(
    program: Path,
    args: tuple[str, ...] = (),
    *,
    env: dict[str, str] | None = None,
    cwd: str = "/tmp",
    stdin: bytes = b"",
    root: Path | None = None,
    binds: tuple[Bind, ...] = (),
) -> Outcome:
    """Run `program` with nothing of the host but what the arguments name."""
    sandbox = Sandbox(str(program), args, env=env or {}, cwd=cwd, root=None if root is None else str(root), binds=binds)
    result = sandbox.run(stdin=stdin)
    return Outcome(end_of(result.status), result.stdout, result.stderr)


def run_case(case: Case, arch: str) -> Outcome:
    return run_guest(case.binary(arch), case.args, env=case.env, stdin=case.stdin)


def trace_case(case: Case, arch: str, *, paths: bool = False) -> str:
    """The trace text of a case, as `trapeze trace -o FILE [-y]` writes it."""
    text = io.StringIO()
    options = TraceOptions(paths=paths, quiet=frozenset({"personality"}))  # with -o, strace tells it on stderr
    config = Config(str(case.binary(arch)), case.args, case.env, cwd="/tmp", argv0=f"/mnt/{case.program}")
    streams = (BytesStream(case.stdin), CaptureStream(), CaptureStream())
    run = Run(config, streams)
    run.observe(Tracer(run.kernel, [TextSink(text, options)], options))
    run.go()
    return text.getvalue()
