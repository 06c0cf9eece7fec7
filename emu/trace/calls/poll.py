"""poll(2) and select(2): the answer stands behind the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emu.trace.calls import calls, named, result, show
from emu.trace.decode import decoder_of, fd
from emu.trace.structs import signal_set
from emu.trace.value import Address, Bits, Int, List, Remark, Struct, Value
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import SysError
from syscalls.abi.kinds import PointerKind
from syscalls.abi.poll import POLL_EVENTS
from syscalls.abi.structs.event import Pollfd
from syscalls.abi.structs.time import Timespec, Timespec64, Timeval

if TYPE_CHECKING:
    from emu.trace.plan import Context, Plan

FD_SETSIZE = 1024


def _pollfds(context: Context, at: int, count: int) -> list[Any]:
    form = layout(Pollfd, context.arch)
    return [form.unpack(context.memory.read(at + i * form.size, form.size)) for i in range(count)]


@calls("poll", "ppoll", "ppoll_time64")
def _poll(plan: Plan) -> None:
    show(plan, 0, _asked, at_exit=False)
    timed = plan.name != "poll"
    if timed:
        item = Timespec64 if plan.name.endswith("64") else Timespec
        show(plan, 2, decoder_of(PointerKind(item, out=False), plan), at_exit=False)
        show(plan, 3, _mask_at, at_exit=False)

    def answer(context: Context, number: int) -> tuple[Value, Remark]:
        if not number:
            return Int(0), "Timeout"
        note: tuple[str | Value, ...] = (_ready(context),)
        if timed and context.values[2]:
            note += (", left ", plan.steps[2].decode(context, context.values[2]) or Int(0))
        return Int(number), note

    result(plan, answer)


def _asked(context: Context, at: int) -> Value:
    """What was asked for."""
    count = context.values[1] & 0xFFFFFFFF
    if not at:
        return Address(0)
    shown = min(count, context.limits.string) if context.limits.abbreviate else min(count, 4096)
    try:
        items = _pollfds(context, at, shown)
    except SysError:
        return Address(at)
    return List(
        tuple(Struct((("fd", _fd(context, item.fd)), *_events(item))) for item in items),
        cut=shown < count,
    )


def _fd(context: Context, number: int) -> Value:
    return fd(context, number)


def _events(item: Any) -> tuple[tuple[str, Value], ...]:
    """A negative descriptor is not asked about."""
    return () if item.fd < 0 else (("events", named(item.events & 0xFFFF, POLL_EVENTS)),)


def _ready(context: Context) -> Value:
    """Those that have an answer."""
    try:
        items = _pollfds(context, context.values[0], min(context.values[1] & 0xFFFFFFFF, 4096))
    except SysError:
        return Address(context.values[0])
    shown = [
        Struct((("fd", _fd(context, item.fd)), ("revents", named(item.revents & 0xFFFF, POLL_EVENTS))))
        for item in items
        if item.revents
    ]
    limit = context.limits.string if context.limits.abbreviate else len(shown)
    return List(tuple(shown[:limit]), cut=len(shown) > limit)


def _mask_at(context: Context, at: int) -> Value:
    if not at:
        return Address(0)
    try:
        return signal_set(int.from_bytes(context.memory.read(at, 8), "little"))
    except SysError:
        return Address(at)


# --- select -----------------------------------------------------------------------------------------------------------


def _set(context: Context, at: int) -> Value:
    """A set of descriptors."""
    if not at:
        return Address(0)
    count = min(max(context.values[0], 0), FD_SETSIZE)
    word = context.arch.word
    try:
        mask = int.from_bytes(context.memory.read(at, (count + word * 8 - 1) // (word * 8) * word), "little")
    except SysError:
        return Address(at)
    mask &= (1 << count) - 1
    return Bits(tuple(str(bit) for bit in range(count) if mask >> bit & 1), mask)


@calls("select", "_newselect", "pselect6", "pselect6_time64")
def _select(plan: Plan) -> None:
    if len(plan.steps) < 5:  # i386's old select, of which the argument is a struct
        return
    items = {"pselect6": Timespec, "pselect6_time64": Timespec64}
    timeout = decoder_of(PointerKind(items.get(plan.name, Timeval), out=False), plan)
    for place in (1, 2, 3):
        show(plan, place, _set, at_exit=False)
    show(plan, 4, timeout, at_exit=False)
    if plan.name in items:
        show(plan, 5, _packed_mask, at_exit=False)

    def answer(context: Context, number: int) -> tuple[Value, Remark]:
        if not number:
            return Int(0), "Timeout"
        parts: list[str | Value] = []
        for place, name in ((1, "in"), (2, "out"), (3, "except")):
            ready = _set(context, context.values[place]) if context.values[place] else None
            if isinstance(ready, Bits) and ready.value:
                parts += [", " if parts else "", f"{name} ", ready]
        if context.values[4]:
            parts += [", " if parts else "", "left ", timeout(context, context.values[4]) or Int(0)]
        return Int(number), tuple(parts)

    result(plan, answer)


def _packed_mask(context: Context, at: int) -> Value:
    """{sigmask=[TERM], sigsetsize=8}."""
    if not at:
        return Address(0)
    word = context.arch.word
    try:
        data = context.memory.read(at, 2 * word)
    except SysError:
        return Address(at)
    mask, size = int.from_bytes(data[:word], "little"), int.from_bytes(data[word:], "little")
    return Struct((("sigmask", _mask_at(context, mask)), ("sigsetsize", Int(size))))
