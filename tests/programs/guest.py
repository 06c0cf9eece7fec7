"""The one place where the program suites meet the public API: run a program in the sandbox, or traced."""

from __future__ import annotations

from pathlib import Path

from sample_cases import Case, Outcome, end_of

from emu import Sandbox
from emu.config import Bind


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
    raise NotImplementedError
