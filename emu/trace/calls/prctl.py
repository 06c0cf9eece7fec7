"""prctl(2) and arch_prctl(2): what the arguments and the result are depends on the option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import calls, named, result, show
from emu.trace.decode import read_string
from emu.trace.value import Address, Hex, Int, List, Remark, Value
from syscalls.abi import prctl as pr
from syscalls.abi.errno import SysError
from syscalls.abi.signal import SIGNAL

if TYPE_CHECKING:
    from emu.trace.plan import Context, Decoder, Plan

#: Options that store an int, a long, or a pointer at the second argument.
_STORES_INT = {pr.PR_GET_CHILD_SUBREAPER, pr.PR_GET_ENDIAN, pr.PR_GET_FPEMU, pr.PR_GET_FPEXC}
_STORES_TABLE = {pr.PR_GET_TSC: pr.TSC, pr.PR_GET_UNALIGN: pr.UNALIGN, pr.PR_GET_PDEATHSIG: SIGNAL}
_RESULT_TABLES = {
    pr.PR_GET_DUMPABLE: pr.DUMPABLE,
    pr.PR_MCE_KILL_GET: pr.MCE_KILL_POLICY,
}
_RESULT_FLAGS = {pr.PR_GET_SECUREBITS: pr.SECUREBITS, pr.PR_GET_SPECULATION_CTRL: pr.SPECULATION_STATE}


@calls("prctl")
def _prctl(plan: Plan) -> None:
    declared = plan.steps[1].decode

    def second(context: Context, number: int) -> Value | None:
        option = context.values[0]
        if option == pr.PR_GET_NAME:
            return (
                Address(number)
                if context.failed
                else read_string(context.memory, number, min(16, context.limits.string))
            )
        if option in _STORES_INT or option in _STORES_TABLE or option == pr.PR_GET_TID_ADDRESS:
            return _stored(context, number, option)
        value = declared(context, number)
        return Int(0) if isinstance(value, Address) and not number else value

    show(plan, 1, second, at_exit=True)
    for place in (2, 3, 4):
        show(plan, place, _rest(plan, place))
    result(plan, _result)


def _rest(plan: Plan, place: int) -> Decoder:
    """Unused arguments that must be zero are numbers, not pointers."""
    declared = plan.steps[place].decode

    def decode(context: Context, number: int) -> Value | None:
        value = declared(context, number)
        return Int(0) if isinstance(value, Address) and not number else value

    return decode


def _stored(context: Context, at: int, option: int) -> Value:
    if context.failed or not at:
        return Address(at)
    size = context.arch.word if option == pr.PR_GET_TID_ADDRESS else 4
    try:
        number = int.from_bytes(context.memory.read(at, size), "little")
    except SysError:
        return Address(at)
    if option == pr.PR_GET_TID_ADDRESS:
        return List((Address(number),))
    table = _STORES_TABLE.get(option)
    return List((named(number, table) if table else Int(number),))


def _result(context: Context, number: int) -> tuple[Value, Remark]:
    option = context.values[0]
    if option in _RESULT_TABLES:
        return Int(number), _RESULT_TABLES[option].format(number)
    if option in _RESULT_FLAGS:
        return Hex(number), _RESULT_FLAGS[option].format(number) if number else ""
    return Int(number), ""


@calls("arch_prctl")
def _arch_prctl(plan: Plan) -> None:
    declared = plan.steps[1].decode

    def second(context: Context, number: int) -> Value | None:
        if context.values[0] not in {pr.ARCH_GET_FS, pr.ARCH_GET_GS}:
            return declared(context, number)
        if context.failed or not number:
            return Address(number)
        try:
            return List((Address(int.from_bytes(context.memory.read(number, context.arch.word), "little")),))
        except SysError:
            return Address(number)

    show(plan, 1, second, at_exit=True)
