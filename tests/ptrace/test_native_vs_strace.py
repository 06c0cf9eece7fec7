"""Our native trace is line for line what Debian's strace prints of the same program, each on this machine's kernel."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from against_strace import STRACE, Comparison, compare, ours, theirs
from sample_cases import CASES, Case, fresh_directory, remove, runs_here

from emu.trace.options import TraceOptions

QUIET = TraceOptions(separately=True, quiet=frozenset({"personality", "attach"}))
TOTAL = Comparison()

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


@pytest.fixture
def bases() -> Iterator[tuple[Path, Path]]:
    both = fresh_directory(), fresh_directory()
    for base in both:
        (base / "w").mkdir()
    yield both
    for base in both:
        remove(base)


def check(bases: tuple[Path, Path], argv: list[str], env: dict[str, str], stdin: bytes = b"") -> None:
    one, other = bases
    found = compare(
        theirs(argv, env, one / "w", stdin, ()),
        ours(argv, env, other / "w", stdin, QUIET),
        (str(one), str(other)),
    )
    different = found.different
    TOTAL.compared += found.compared
    TOTAL.different += different
    assert found.compared
    assert not different, "\n".join(f"task {task}\n  strace: {a}\n  ours:   {b}" for task, a, b in different[:20])


#: Cases that an emulated run cannot be held against strace with, but a native one can.
ALSO = frozenset({"gates-x86_64", "together-execute"})  # int 0x80 in a 64-bit program; execve by a thread
SAMPLES = [
    pytest.param(case, arch, id=f"{case.name}-{arch}")
    for case in CASES
    for arch in ("x86_64", "i386")
    if arch in case.arches and (case.strace == "yes" or case.name in ALSO)
]


@pytest.mark.parametrize(("case", "arch"), SAMPLES)
def test_sample(case: Case, arch: str, bases: tuple[Path, Path]) -> None:
    if not runs_here(arch):
        pytest.skip(f"programs of {arch} do not run here")
    check(bases, [str(case.binary(arch)), *case.args], case.env, case.stdin)


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["busybox", "ls", "-l", "/etc"], id="busybox-ls"),
        pytest.param(["busybox", "sh", "-c", "cd /; pwd; (exit 3); echo $?; exec busybox true"], id="busybox-sh"),
        pytest.param(["bash", "-c", "(exit 3); echo $?; trap : TERM; kill $$; exit 5"], id="bash"),
        pytest.param(["bash", "-c", "kill -KILL $$"], id="bash-killed"),
        pytest.param(["bash", "-c", "exec /bin/true"], id="bash-exec"),
    ],
)
def test_program(argv: list[str], bases: tuple[Path, Path]) -> None:
    path = shutil.which(argv[0])
    if path is None:
        pytest.skip(f"{argv[0]} is not installed")
    check(bases, [path, *argv[1:]], {"PATH": os.defpath, "LC_ALL": "C"})


def test_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\nnative against strace: {TOTAL.compared} lines compared, {len(TOTAL.different)} differ\n")
    assert not TOTAL.different
