"""ioctl(2): what the third argument is depends on the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import calls, show
from emu.trace.decode import decoder_of
from emu.trace.value import Hex, Value
from syscalls.abi import ioctl as io
from syscalls.abi.cstruct import I32
from syscalls.abi.kinds import PointerKind
from syscalls.abi.structs.termios import Winsize

if TYPE_CHECKING:
    from emu.trace.plan import Context, Plan

_NO_ARGUMENT = {io.FIOCLEX, io.FIONCLEX}
_IN_INT = {io.FIONBIO, io.FIOASYNC}
_OUT_INT = {io.FIONREAD}


@calls("ioctl")
def _ioctl(plan: Plan) -> None:
    takes = decoder_of(PointerKind(I32, out=False), plan)
    gives = decoder_of(PointerKind(I32, out=True), plan)
    window_in = decoder_of(PointerKind(Winsize, out=False), plan)
    window_out = decoder_of(PointerKind(Winsize, out=True), plan)
    out_int = _OUT_INT | {getattr(io, name) for name in ("TIOCGPGRP", "TIOCGSID", "TIOCOUTQ") if hasattr(io, name)}
    in_int = _IN_INT | {getattr(io, name) for name in ("TIOCSPGRP",) if hasattr(io, name)}

    def decode(context: Context, number: int) -> Value | None:
        request = context.values[1] & 0xFFFFFFFF
        if request in _NO_ARGUMENT:
            return None
        if request in in_int:
            return takes(context, number)
        if request in out_int:
            return gives(context, number)
        if request == io.TIOCGWINSZ:
            return window_out(context, number)
        if request == io.TIOCSWINSZ:
            return window_in(context, number)
        return Hex(number)

    show(plan, 2, decode, at_exit=True)
