"""Calls about signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import at_success, calls, result, result_named, show
from emu.trace.shapes import handler
from emu.trace.siginfo import read_siginfo
from emu.trace.structs import signal_set
from emu.trace.value import Address, Hex, Struct, Value
from syscalls.abi.errno import SysError
from syscalls.abi.signal import HANDLERS, SIGNAL

if TYPE_CHECKING:
    from emu.trace.plan import Context, Plan


def _mask(context: Context, at: int) -> Value:
    """A set of signals of the size that the last argument gives."""
    size = context.values[-1]
    if not at or not size or size > 8 or size % context.arch.word:
        return Address(at)
    try:
        return signal_set(int.from_bytes(context.memory.read(at, size), "little"))
    except SysError:
        return Address(at)


@calls("rt_sigprocmask")
def _sigprocmask(plan: Plan) -> None:
    show(plan, 1, _mask)
    show(plan, 2, at_success(_mask), at_exit=True)


@calls("rt_sigpending")
def _sigpending(plan: Plan) -> None:
    show(plan, 0, at_success(_mask), at_exit=True)


@calls("rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64")
def _sigwait(plan: Plan) -> None:
    show(plan, 0, _mask)
    if plan.name != "rt_sigsuspend":
        show(plan, 1, at_success(lambda context, at: read_siginfo(context.memory, at, context.arch)), at_exit=True)
        result_named(plan, SIGNAL)


@calls("signalfd", "signalfd4")
def _signalfd(plan: Plan) -> None:
    def mask(context: Context, at: int) -> Value:
        try:
            return signal_set(int.from_bytes(context.memory.read(at, 8), "little")) if at else Address(0)
        except SysError:
            return Address(at)

    show(plan, 1, mask)


@calls("rt_sigqueueinfo", "rt_tgsigqueueinfo")
def _queueinfo(plan: Plan) -> None:
    place = len(plan.steps) - 1
    show(plan, place, lambda context, at: read_siginfo(context.memory, at, context.arch), at_exit=False)


@calls("waitid")
def _waitid(plan: Plan) -> None:
    show(plan, 2, at_success(lambda context, at: read_siginfo(context.memory, at, context.arch)), at_exit=True)


@calls("signal")
def _signal(plan: Plan) -> None:
    """Handlers, given and previous."""
    show(plan, 1, lambda _context, number: handler(number))
    result(plan, lambda _context, number: (Hex(number), HANDLERS.names.get(number, "")))


@calls("ssetmask")
def _ssetmask(plan: Plan) -> None:
    show(plan, 0, lambda _context, number: signal_set(number, 32))
    result(plan, lambda _context, number: (Hex(number), ("old mask ", signal_set(number, 32))))


@calls("sgetmask")
def _sgetmask(plan: Plan) -> None:
    result(plan, lambda _context, number: (Hex(number), ("mask ", signal_set(number, 32))))


@calls("rt_sigreturn", "sigreturn")
def _sigreturn(plan: Plan) -> None:
    """The mask that the frame on the stack puts back."""
    from emu.trace.plan import Step

    def frame(context: Context, _number: int) -> Value:
        return Struct((("mask", signal_set(context.notes.get("mask", 0))),))

    plan.take = lambda _args: (0,)
    plan.steps = [Step("frame", frame, exit=True)]
    plan.shows_mask = True
