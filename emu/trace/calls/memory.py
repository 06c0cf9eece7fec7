"""Calls about memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import at_success, calls, show
from emu.trace.value import Address, Int, List, Value
from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.errno import SysError

if TYPE_CHECKING:
    from emu.trace.plan import Context, Plan


@calls("mincore")
def _mincore(plan: Plan) -> None:
    """One number for each page."""

    def pages(context: Context, at: int) -> Value:
        count = -(-context.values[1] // PAGE_SIZE)
        shown = min(count, context.limits.string) if context.limits.abbreviate else count
        try:
            data = context.memory.read(at, shown)
        except SysError:
            return Address(at)
        return List(tuple(Int(byte & 1) for byte in data), cut=shown < count)

    show(plan, 2, at_success(pages), at_exit=True)
