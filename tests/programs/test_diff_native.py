"""The kernel's hardest test: a sample does on it, call by call, what it does on Linux (`trapeze diff`).

Descriptors are compared by their numbers, structures with all their members. What is different is to be put right in
the kernel, not here.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import debian
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


#: Programs that nobody here wrote, over a copy-on-write view of the machine's own files.
APPLETS = [
    "cat /etc/passwd", "awk {print} /etc/passwd", "sort /etc/passwd", "find /etc/apt", "cp /etc/passwd x",
    "mkdir -p a/b/c", "dd if=/etc/passwd of=y bs=100 count=3", "tar cf x.tar /etc/apt", "id", "ln -s a b",
    "gzip -c /etc/group", "chmod 600 missing",
]  # fmt: skip
SCRIPTS = [
    "for i in 1 2 3; do echo $i > f$i; done; echo *; read x < f2; echo $x",
    "trap 'echo got' USR1; kill -USR1 $$; cd /; pwd; umask 077; [[ abc =~ b(.) ]] && echo ${BASH_REMATCH[1]}",
]
#: What a machine has its own way with.
MACHINES = frozenset({"prlimit64", "getrlimit", "ugetrlimit"})


def diff_foreign(package: str, arch: str, args: tuple[str, ...]) -> Diff:
    try:
        program = debian.program(package, arch)
    except debian.UnavailableError as problem:
        pytest.skip(f"cannot be fetched: {problem}")
    with tempfile.TemporaryDirectory() as directory:
        emulated = Recording()
        sandbox = Sandbox(str(program), args, env={"PATH": "/bin"}, cwd=directory, root="/")
        sandbox.run(sinks=[emulated], options=OPTIONS)  # first: it changes nothing
        native = record_native(sandbox.config, b"", OPTIONS)
    return compare(native, emulated, keep=[Nature.FD], wanted=lambda event: getattr(event, "name", "") not in MACHINES)


FOREIGN = [("busybox-static", tuple(line.split())) for line in APPLETS] + [
    ("bash-static", ("-c", script)) for script in SCRIPTS
]


@pytest.mark.parametrize("arch", ["x86_64", "i386"])
@pytest.mark.parametrize(("package", "args"), FOREIGN, ids=lambda value: value if isinstance(value, str) else value[0])
def test_programs_of_debian_do_too(package: str, args: tuple[str, ...], arch: str) -> None:
    if not runs_here(arch) or not can_trace():
        pytest.skip("this machine does not run it, or does not let us trace")
    diff = diff_foreign(package, arch, args)
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
