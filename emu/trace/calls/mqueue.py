"""POSIX message queues: mode and attributes only where a queue may be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import calls, show
from emu.trace.shapes import Fields
from emu.trace.structs import shape
from emu.trace.value import Hex, Struct, Value
from syscalls.abi.fcntl import O_CREAT

if TYPE_CHECKING:
    from typing import Any

    from emu.trace.plan import Context, Plan


@calls("mq_open")
def _mq_open(plan: Plan) -> None:
    plain = plan.steps[3].decode

    def attributes(context: Context, at: int) -> Value | None:
        return plain(context, at) if context.number("oflag") & O_CREAT else None

    show(plan, 3, attributes)


@shape("MqAttr")
def _attributes(context: Context, raw: Any, fields: Fields) -> Value:
    """mq_open(2) does not look at the flags, and they have no names there."""
    if context.plan.name == "mq_open":
        fields["mq_flags"] = Hex(raw.mq_flags)
    return Struct(tuple(fields.items()))
