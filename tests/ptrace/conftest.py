"""Tests that trace need a machine that lets them."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "programs"))  # strace_text, sample_cases


@functools.cache
def refusal() -> str:
    """Why this machine does not let us trace; "" when it does."""
    from emu.errors import TrapezeError
    from emu.ptrace.native import trace_program

    try:
        trace_program("/bin/true", sinks=[])
    except TrapezeError as error:
        return str(error)
    return ""


@pytest.fixture(autouse=True)
def _may_trace() -> None:
    if refusal():
        pytest.skip(refusal())
