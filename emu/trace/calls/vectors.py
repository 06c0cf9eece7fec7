"""readv(2), writev(2) and their relatives: the pieces of memory with their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import calls, show
from emu.trace.decode import read_bytes
from emu.trace.shapes import iovec
from emu.trace.value import Address, List, Value
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import SysError
from syscalls.abi.structs.uio import Iovec

if TYPE_CHECKING:
    from emu.trace.plan import Context, Plan


def pieces(context: Context, at: int, count: int, room: int | None) -> Value:
    """`count` pieces; `room`: how many bytes of content there are in all (None: all, -1: do not look)."""
    if not at:
        return Address(0)
    if not count:
        return List(())
    place, form = at, layout(Iovec, context.arch)
    if at + count * form.size >> 64:
        return Address(at)
    shown: list[Value] = []
    limit = context.limits.string if context.limits.abbreviate else 1024
    for _ in range(min(count, limit)):
        try:
            piece = form.unpack(context.memory.read(place, form.size))
        except SysError:
            return List(tuple(shown), bad=place) if shown else Address(at)
        length = piece.iov_len if room is None else min(room, piece.iov_len)
        content = Address(piece.iov_base)
        shown.append(
            iovec(
                content if room == -1 else read_bytes(context.memory, piece.iov_base, length, context.limits.string),
                piece.iov_len,
            )
        )
        if room is not None and room >= 0:
            room -= length
        place += form.size
    return List(tuple(shown), cut=count > limit)


@calls("writev", "pwritev", "pwritev2", "vmsplice")
def _writing(plan: Plan) -> None:
    show(plan, 1, lambda context, at: pieces(context, at, context.values[2], None))


@calls("readv", "preadv", "preadv2")
def _reading(plan: Plan) -> None:
    def read(context: Context, at: int) -> Value:
        room = -1 if context.result is None or context.result < 0 else context.result
        return pieces(context, at, context.values[2], room)

    show(plan, 1, read, at_exit=True)


@calls("process_vm_readv")
def _other_memory(plan: Plan) -> None:
    def local(context: Context, at: int) -> Value:
        room = -1 if context.result is None or context.result < 0 else context.result
        return pieces(context, at, context.values[2], room)

    show(plan, 1, local, at_exit=True)
    show(plan, 3, lambda context, at: pieces(context, at, context.values[4], -1))


@calls("process_vm_writev")
def _to_other_memory(plan: Plan) -> None:
    show(plan, 1, lambda context, at: pieces(context, at, context.values[2], None))
    show(plan, 3, lambda context, at: pieces(context, at, context.values[4], -1))
