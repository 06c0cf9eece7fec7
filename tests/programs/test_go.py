"""Programs of samples/go on the three architectures: the recorded output, which is also that of a native run.

Building all of them takes a while, so `make test` takes one of them; `make test-go` takes all.
"""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import gotools
import pytest
from guest import run_guest
from sample_cases import ARCHES, Outcome, end_of

QUICK = ["workers"]
PROGRAMS = gotools.PROGRAMS if os.environ.get("TEST_GO_ALL") else QUICK
ENDS = {"signals": "SIGTERM"}


def build(program: str, arch: str) -> Path:
    try:
        return gotools.built(program, arch)
    except gotools.UnavailableError as problem:
        pytest.skip(str(problem))


def expected(program: str) -> Outcome:
    text = (gotools.SOURCES / "expected" / f"{program}.txt").read_bytes()
    return Outcome(ENDS.get(program, "0"), text, b"")


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_go_program(program, arch):
    assert run_guest(build(program, arch)) == expected(program)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the binary is of another architecture")
@pytest.mark.parametrize("program", PROGRAMS)
def test_go_program_natively(program, tmp_path):
    done = subprocess.run([build(program, "x86_64")], capture_output=True, cwd=tmp_path, check=False, timeout=60)
    assert Outcome(end_of(done.returncode), done.stdout, done.stderr) == expected(program)


def test_every_program_has_its_output():
    assert sorted(each.stem for each in (gotools.SOURCES / "expected").iterdir()) == gotools.PROGRAMS
