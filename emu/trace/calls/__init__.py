"""The calls that strace shows otherwise than parameter by parameter: one function per peculiarity changes the plan.

    @calls("umask")
    def _umask(plan: Plan) -> None: ...

Parameters are found by their place, as in the prototype, whatever their names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emu.trace.structs import base_of
from emu.trace.value import Address, Int, Named, Remark, Value

if TYPE_CHECKING:
    from emu.trace.plan import Context, Decoder, Plan

#: Call -> what to change in its plan.
_ADJUST: dict[str, Callable[[Plan], None]] = {}


def calls(*names: str) -> Callable[[Callable[[Plan], None]], Callable[[Plan], None]]:
    """Register the peculiarities of the calls `names`."""

    def register(change: Callable[[Plan], None]) -> Callable[[Plan], None]:
        _ADJUST.update(dict.fromkeys(names, change))
        return change

    return register


def adjust(plan: Plan) -> None:
    """Give a plan the peculiarities of its call."""
    from emu.trace.calls import clone, fcntl, files, ioctl, memory, mqueue, poll, prctl, process, signals, time, vectors  # noqa: F401

    change = _ADJUST.get(plan.name)
    if change is not None:
        change(plan)


# --- building blocks --------------------------------------------------------------------------------------------------


def show(plan: Plan, place: int, decode: Decoder, *, at_exit: bool | None = None) -> None:
    """Let the parameter at `place` be decoded by `decode`; `at_exit`: only once the call is over (None: as before)."""
    if place < len(plan.steps):
        step = plan.steps[place]
        step.decode = decode
        if at_exit is not None:
            step.exit = at_exit


def hide(plan: Plan, place: int) -> None:
    """Do not show the parameter at `place`."""
    show(plan, place, lambda _context, _number: None, at_exit=False)
    if place < len(plan.steps):
        plan.steps[place].hidden = True


def result(plan: Plan, how: Callable[[Context, int], tuple[Value, Remark]]) -> None:
    """Let a successful result be shown by `how`: (value, explanation in parentheses)."""
    plan.result = how


def result_named(plan: Plan, table: Any) -> None:
    """A number, and its name in parentheses."""
    plan.result = lambda _context, number: (Int(number), table.format(number))


def named(number: int, table: Any) -> Named:
    """A number that a table names."""
    return Named(number, table.format(number), base_of(table))


def at_success(decode: Decoder) -> Decoder:
    """What the call filled in; where it failed, only the address."""
    return lambda context, at: decode(context, at) if at and (context.result or 0) >= 0 else Address(at)
