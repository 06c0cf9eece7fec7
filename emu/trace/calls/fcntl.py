"""fcntl(2): the third argument and the result depend on the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emu.trace.calls import calls, named, result, show
from emu.trace.decode import decoder_of, fd
from emu.trace.value import Address, Hex, Int, Remark, Value
from syscalls.abi import fcntl as f
from syscalls.abi.kinds import PointerKind
from syscalls.abi.signal import SIGNAL
from syscalls.abi.structs.file import Flock, Flock64, FOwnerEx

if TYPE_CHECKING:
    from emu.trace.plan import Context, Decoder, Plan

_NO_ARGUMENT = {f.F_GETFD, f.F_GETFL, f.F_GETOWN, f.F_GETSIG, f.F_GETLEASE, f.F_GETPIPE_SZ, f.F_GET_SEALS}
_TABLES: dict[int, Any] = {
    f.F_SETFD: f.FD_FLAGS,
    f.F_SETFL: f.OPEN_FLAGS,
    f.F_SETSIG: SIGNAL,
    f.F_SETLEASE: f.LOCK_TYPES,
    f.F_NOTIFY: f.NOTIFY_FLAGS,
    f.F_ADD_SEALS: f.SEALS,
}
_NUMBERS = {f.F_DUPFD, f.F_DUPFD_CLOEXEC, f.F_SETPIPE_SZ}
_LOCKS = {f.F_GETLK, f.F_SETLK, f.F_SETLKW}
_LOCKS64 = {f.F_GETLK64, f.F_SETLK64, f.F_SETLKW64, f.F_OFD_GETLK, f.F_OFD_SETLK, f.F_OFD_SETLKW}
_ANSWERS = {f.F_GETLK, f.F_GETLK64, f.F_OFD_GETLK, f.F_GETOWN_EX}


@calls("fcntl", "fcntl64")
def _fcntl(plan: Plan) -> None:
    show(plan, 2, _argument(plan), at_exit=True)
    result(plan, _result)


def _argument(plan: Plan) -> Decoder:
    flock64 = Flock64 if plan.arch.bits == 32 else Flock
    pointers: dict[int, Decoder] = {}
    for commands, item in ((_LOCKS, Flock), (_LOCKS64, flock64), ({f.F_SETOWN_EX, f.F_GETOWN_EX}, FOwnerEx)):
        for command in commands:
            pointers[command] = decoder_of(PointerKind(item, out=command in _ANSWERS), plan)

    def decode(context: Context, number: int) -> Value | None:
        command = context.values[1]
        if command in _NO_ARGUMENT:
            return None
        if command == f.F_SETFL and context.arch.name == "arm64":
            number = f.open_flags_to_generic(number & 0xFFFFFFFF)
        if command in _TABLES:
            return named(number & 0xFFFFFFFF, _TABLES[command])
        if command in _NUMBERS:
            return Int(number)
        if command == f.F_SETOWN:
            number &= 0xFFFFFFFF
            return Int(number - (1 << 32) if number >> 31 else number)
        if command in pointers:
            return _pointed(context, number, command, pointers[command])
        return Address(number) if command == f.F_GETOWNER_UIDS else Hex(number)

    return decode


def _pointed(context: Context, at: int, command: int, decode: Decoder) -> Value | None:
    """What was asked for is an input until the answer is there."""
    if command in _ANSWERS:
        return decode(context, at)
    kept, context.result = context.result, None
    try:
        return decode(context, at)
    finally:
        context.result = kept


def _result(context: Context, number: int) -> tuple[Value, Remark]:
    command = context.values[1]
    if command in {f.F_DUPFD, f.F_DUPFD_CLOEXEC}:
        return fd(context, number), ""
    if command == f.F_GETFD:
        return Hex(number), ("flags ", named(number, f.FD_FLAGS)) if number else ""
    if command == f.F_GETFL:
        flags = f.open_flags_to_generic(number) if context.arch.name == "arm64" else number
        return Hex(number), f"flags {f.OPEN_FLAGS.format(flags)}"
    if command == f.F_GETLEASE:
        return Hex(number), f.LOCK_TYPES.format(number)
    if command == f.F_GET_SEALS:
        return Hex(number), ("seals ", named(number, f.SEALS)) if number else ""
    if command == f.F_GETSIG:
        return Int(number), SIGNAL.format(number) if number else ""
    return Int(number), ""
