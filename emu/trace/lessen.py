"""Showing less than everything: registers alone, or structures only by their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.decode import address
from emu.trace.plan import Step
from emu.trace.value import Hex, Value
from syscalls.abi.kinds import ArrayKind, PointerKind, StringsKind

if TYPE_CHECKING:
    from emu.trace.plan import Context, Plan


def _hex(_context: Context, number: int) -> Value:
    return Hex(number)


def make_raw(plan: Plan) -> None:
    """Show registers: -e raw=."""
    if plan.spec is None:
        return
    used = sum(len(indexes) for _, indexes in plan.spec.registers(plan.arch))
    plan.take = lambda args: args
    plan.steps = [Step(f"arg{i}", _hex) for i in range(used)]
    plan.at_entry = None
    plan.ready()


def hide_structures(plan: Plan) -> None:
    """Show where structures and arrays are, not what is in them: -e verbose=."""
    params = plan.spec.params if plan.spec is not None else ()
    if len(params) == len(plan.steps):
        for step, param in zip(plan.steps, params, strict=True):
            if isinstance(param.kind, PointerKind | ArrayKind | StringsKind):
                step.decode, step.exit = address, False
        plan.ready()
