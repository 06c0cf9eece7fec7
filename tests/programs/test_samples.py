"""The samples print the same bytes and end the same way in the sandbox as natively, on all three architectures."""

from __future__ import annotations

import pytest
from guest import run_case
from sample_cases import CASES, Case


@pytest.mark.parametrize(("case", "arch"), [pytest.param(c, a, id=f"{c.name}-{a}") for c in CASES for a in c.arches])
def test_prints_what_linux_makes_it_print(case: Case, arch: str) -> None:
    outcome = run_case(case, arch)
    assert outcome.stdout.decode(errors="backslashreplace") == case.expected("out").decode()
    assert outcome.stderr.decode(errors="backslashreplace") == case.expected("err").decode()
    assert outcome.end == case.end
