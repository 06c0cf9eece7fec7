"""The samples print natively what was recorded: the recordings are true, here and now."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from sample_cases import CASES, Case, fresh_directory, remove, run_native, runs_here

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the real kernel is not Linux"),
    pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="the samples were recorded as root"),
]

#: Samples that show what older kernels do otherwise: case -> the first release that agrees.
SINCE = {"inotify": (6, 11), "fanotify": (6, 1)}
RELEASE = (
    tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2]) if hasattr(os, "uname") else (0, 0)
)
#: Samples for an administrator of the machine, not of a container.
FOR_ADMINISTRATORS = {"fanotify"}
CAP_SYS_ADMIN = 21

NATIVE = [arch for arch in ("x86_64", "i386") if runs_here(arch)]


def _administrator() -> bool:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return bool(int(re.findall(r"CapEff:\s*([0-9a-f]+)", status)[0], 16) >> CAP_SYS_ADMIN & 1)


@pytest.mark.parametrize(
    ("case", "arch"), [pytest.param(c, a, id=f"{c.name}-{a}") for c in CASES for a in c.arches if a != "arm64"]
)
def test_prints_natively_what_was_recorded(case: Case, arch: str) -> None:
    if arch not in NATIVE:
        pytest.skip(f"this machine does not run {arch} programs itself")
    if SINCE.get(case.name, (0, 0)) > RELEASE:
        pytest.skip("an older kernel does something else")
    if case.name in FOR_ADMINISTRATORS and not _administrator():
        pytest.skip("needs CAP_SYS_ADMIN")
    directory = fresh_directory()
    try:
        outcome = run_native(case, arch, directory)
    finally:
        remove(directory)
    assert outcome.stdout.decode() == case.expected("out").decode()
    assert outcome.stderr.decode() == case.expected("err").decode()
    assert outcome.end == case.end
