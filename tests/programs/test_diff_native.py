"""The kernel's hardest test: a sample does on it, call by call, what it does on Linux (`trapeze diff`).

Descriptors are compared by their numbers, structures with all their members. What is different is to be put right in
the kernel, not here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from sample_cases import CASES, SAMPLES, Case, fresh_directory, remove, runs_here

from emu import Sandbox
from emu.config import Config
from emu.errors import TrapezeError
from emu.trace.classify import Nature
from emu.trace.diff import Diff, compare
from emu.trace.diff_text import Report, verdict
from emu.trace.native_side import record_native
from emu.trace.options import TraceOptions
from emu.trace.recording import Recording

OPTIONS = TraceOptions(string_limit=48, abbreviate=False)
#: Cases whose traces strace's cannot be held against character by character (cases.tsv says why), but ours can.
ALSO = frozenset({"tasks-fork", "tasks-storm", "together-execute", "leases"})


@cache
def can_trace() -> bool:
    """Whether this machine lets us."""
    try:
        record_native(Config(str(SAMPLES / "bin" / "x86_64" / "hello")), b"", TraceOptions())
    except TrapezeError:
        return False
    return True


def diff_case(case: Case, arch: str) -> Diff:
    directory = fresh_directory()
    options = replace(OPTIONS, abbreviate=case.name == "fdio")  # which passes arrays of 4 GiB that are not there
    try:
        sandbox = Sandbox(str(case.binary(arch)), case.args, env=case.env, cwd=str(directory))
        sandbox.config = replace(sandbox.config, make_cwd=True)
        native, emulated = record_native(sandbox.config, case.stdin, options), Recording()
        sandbox.run(case.stdin, sinks=[emulated], options=options)
        return compare(native, emulated, keep=[Nature.FD])
    finally:
        remove(directory)


@pytest.mark.parametrize("arch", ["x86_64", "i386"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_sample_does_on_this_kernel_what_it_does_on_linux(case: Case, arch: str) -> None:
    if arch not in case.arches:
        pytest.skip("no program of this architecture")
    if case.strace != "yes" and case.name not in ALSO:
        pytest.skip(f"differs from run to run: {case.strace}")
    if not runs_here(arch) or not can_trace():
        pytest.skip("this machine does not run it, or does not let us trace")
    diff = diff_case(case, arch)
    assert diff.equal, Report(diff, "linux", "trapeze").text(everything=True)


def test_a_difference_would_show() -> None:
    if not runs_here("x86_64") or not can_trace():
        pytest.skip("this machine does not let us trace")
    config = Config(str(SAMPLES / "bin" / "x86_64" / "args"), ("a",), {})
    one = record_native(config, b"", OPTIONS)
    other = record_native(replace(config, args=("b",)), b"", OPTIONS)
    assert verdict(compare(one, one), "a", "b").startswith("equal")
    assert verdict(compare(one, other), "a", "b").startswith("different")


def test_the_list_names_cases() -> None:
    assert not ALSO - {case.name for case in CASES}


def test_the_native_side_gets_what_the_other_one_gets(tmp_path: Path) -> None:
    if not runs_here("x86_64") or not can_trace():
        pytest.skip("this machine does not let us trace")
    config = Config(str(SAMPLES / "bin" / "x86_64" / "filter"), (), {"A": "b"}, cwd=str(tmp_path))
    big = b"line\n" * 100_000
    events = record_native(config, big, OPTIONS).events
    read = sum(event.result or 0 for event in events if getattr(event, "name", "") in {"read", "readv"})
    assert read == len(big)
