"""The trace of a sample is line for line what strace 6.1 printed for the same binary natively."""

from __future__ import annotations

import pytest
from guest import trace_case
from sample_cases import CASES, Case
from strace_text import normalize

RECORDED = [
    pytest.param(case, arch, suffix, id=f"{case.name}{suffix}-{arch}")
    for case in CASES
    for arch in case.arches
    for suffix in ("", ".y")
    if case.strace_path(arch, suffix).exists()
]


@pytest.mark.parametrize(("case", "arch", "suffix"), RECORDED)
def test_trace_is_what_strace_prints(case: Case, arch: str, suffix: str) -> None:
    ours = trace_case(case, arch, paths=suffix == ".y")
    assert normalize(ours) == normalize(case.strace_path(arch, suffix).read_text())
