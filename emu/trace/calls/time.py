"""Calls about time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import calls, result, result_named, show
from emu.trace.shapes import date, dated
from emu.trace.value import Address, Int, List, Value
from syscalls.abi.errno import SysError
from syscalls.abi.time import ADJTIMEX_STATES

if TYPE_CHECKING:
    from emu.trace.plan import Context, Plan


@calls("time")
def _time(plan: Plan) -> None:
    """The date, too."""

    def stored(context: Context, at: int) -> Value:
        if not at or context.failed:
            return Address(at)
        try:
            seconds = int.from_bytes(context.memory.read(at, context.arch.word), "little", signed=True)
        except SysError:
            return Address(at)
        return List((dated(Int(seconds), seconds),))

    show(plan, 0, stored, at_exit=True)
    result(plan, lambda _context, number: (Int(number), date(number)))


@calls("nanosleep", "clock_nanosleep", "clock_nanosleep_time64")
def _sleeping(plan: Plan) -> None:
    """What remains is there only when a signal ended the sleep."""
    place = len(plan.steps) - 1
    remaining = plan.steps[place].decode

    def shown(context: Context, at: int) -> Value | None:
        if not context.restarting:
            return Address(at)
        failed, context.result = context.result, 0  # it was filled in although the call failed
        try:
            return remaining(context, at)
        finally:
            context.result = failed

    show(plan, place, shown, at_exit=True)


@calls("adjtimex", "clock_adjtime", "clock_adjtime64")
def _adjtimex(plan: Plan) -> None:
    result_named(plan, ADJTIMEX_STATES)
