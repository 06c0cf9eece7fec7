"""The calls that strace shows otherwise than parameter by parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from emu.trace.plan import Plan

#: Call -> what to change in its plan.
ADJUST: dict[str, Callable[[Plan], None]] = {}


def adjust(plan: Plan) -> None:
    """Give a plan the peculiarities of its call."""
    change = ADJUST.get(plan.name)
    if change is not None:
        change(plan)
