"""The samples print natively what was recorded: the recordings are true, here and now."""

from __future__ import annotations

import os
import sys

import pytest
from sample_cases import CASES, Case, fresh_directory, remove, run_native, runs_here

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the real kernel is not Linux"),
    pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="the samples were recorded as root"),
]

NATIVE = [arch for arch in ("x86_64", "i386") if runs_here(arch)]


@pytest.mark.parametrize(
    ("case", "arch"), [pytest.param(c, a, id=f"{c.name}-{a}") for c in CASES for a in c.arches if a != "arm64"]
)
def test_prints_natively_what_was_recorded(case: Case, arch: str) -> None:
    if arch not in NATIVE:
        pytest.skip(f"this machine does not run {arch} programs itself")
    directory = fresh_directory()
    try:
        outcome = run_native(case, arch, directory)
    finally:
        remove(directory)
    assert outcome.stdout.decode() == case.expected("out").decode()
    assert outcome.stderr.decode() == case.expected("err").decode()
    assert outcome.end == case.end
