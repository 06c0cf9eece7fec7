"""ioctl(2): what the third argument is depends on the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emu.trace.calls import calls, named, show
from emu.trace.decode import decoder_of
from emu.trace.value import Hex, Int, Value
from syscalls.abi import ioctl as io
from syscalls.abi import termios
from syscalls.abi.cstruct import I32
from syscalls.abi.kinds import PointerKind
from syscalls.abi.structs.termios import Termios, Winsize

if TYPE_CHECKING:
    from emu.trace.plan import Context, Decoder, Plan

_NO_ARGUMENT = "FIOCLEX FIONCLEX TIOCEXCL TIOCNXCL TIOCNOTTY TIOCCONS"
_NUMBER = "TCSBRK TCSBRKP TIOCSCTTY"
#: Requests -> (what the argument points to, whether the call fills it in).
_POINTERS: tuple[tuple[str, Any, bool], ...] = (
    ("FIONBIO FIOASYNC TIOCSPGRP TIOCSETD TIOCPKT", I32, False),
    ("FIONREAD TIOCGPGRP TIOCGSID TIOCOUTQ TIOCGETD", I32, True),
    ("TIOCSWINSZ", Winsize, False),
    ("TIOCGWINSZ", Winsize, True),
    ("TCSETS TCSETSW TCSETSF", Termios, False),
    ("TCGETS", Termios, True),
)


def _requests(names: str) -> list[int]:
    """The numbers of the requests that the ABI declares."""
    return [getattr(io, name) for name in names.split() if hasattr(io, name)]


@calls("ioctl")
def _ioctl(plan: Plan) -> None:
    nothing, numbers = set(_requests(_NO_ARGUMENT)), set(_requests(_NUMBER))
    tables = {io.TCFLSH: termios.FLUSH_QUEUES, io.TCXONC: termios.FLOW_ACTIONS}
    pointers: dict[int, Decoder] = {
        request: decoder_of(PointerKind(item, out=out), plan)
        for names, item, out in _POINTERS
        for request in _requests(names)
    }

    def decode(context: Context, number: int) -> Value | None:
        request = context.values[1] & 0xFFFFFFFF
        if request in nothing:
            return None
        if request in numbers:
            return Int(number)
        if request in tables:
            return named(number, tables[request])
        return pointers[request](context, number) if request in pointers else Hex(number)

    show(plan, 2, decode, at_exit=True)
