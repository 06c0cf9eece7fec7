"""siginfo_t: which member of the union a signal has, and its 128 bytes (siginfo_layout of kernel/signal.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from operator import and_, attrgetter
from typing import TYPE_CHECKING, Any

from syscalls.abi.cstruct import layout
from syscalls.abi.signal import (
    SI_KERNEL,
    SI_SIGIO,
    SI_TIMER,
    SI_USER,
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGIO,
    SIGSEGV,
    SIGSYS,
    SIGTRAP,
)
from syscalls.abi.structs.siginfo import (
    SIGINFO_SIZE,
    Siginfo,
    SiginfoChild,
    SiginfoFault,
    SiginfoKill,
    SiginfoPoll,
    SiginfoQueue,
    SiginfoSys,
    SiginfoTimer,
)

if TYPE_CHECKING:
    from syscalls.abi.arch import Arch
    from syscalls.kernel.signals import SigInfo

#: Signal -> (largest si_code of its own, the member that comes with those).
_OF_SIGNAL: dict[int, tuple[int, Any]] = {
    SIGILL: (11, SiginfoFault),
    SIGFPE: (15, SiginfoFault),
    SIGSEGV: (10, SiginfoFault),
    SIGBUS: (5, SiginfoFault),
    SIGTRAP: (6, SiginfoFault),
    SIGCHLD: (6, SiginfoChild),
    SIGIO: (6, SiginfoPoll),
    SIGSYS: (2, SiginfoSys),
}
_POLL_CODES = 6
#: Names of `SigInfo`'s fields in the structs, where it is not just si_ in front.
_NAMES = {"address": "si_addr", "call_address": "si_call_addr", "timer_id": "si_timerid"}
_FIELDS = (
    "signo", "errno", "code", "pid", "uid", "value", "status", "utime", "stime", "timer_id", "overrun", "band", "fd",
    "address", "call_address", "syscall", "arch",
)  # fmt: skip


def member_of(signo: int, code: int) -> Any:
    """The member of the union that means something."""
    if SI_USER < code < SI_KERNEL:
        limit, member = _OF_SIGNAL.get(signo, (0, SiginfoKill))
        if code <= limit:
            return member
        return SiginfoPoll if code <= _POLL_CODES else SiginfoKill
    if code == SI_TIMER:
        return SiginfoTimer
    if code == SI_SIGIO:
        return SiginfoPoll
    return SiginfoQueue if code < 0 else SiginfoKill


def pack(info: SigInfo, arch: Arch) -> bytes:
    """The bytes that a program sees (copy_siginfo_to_user)."""
    return _packer(member_of(info.signo, info.code), arch)(info)


@cache
def _packer(member: Any, arch: Arch) -> Callable[[SigInfo], bytes]:
    """Packs one member of the union, padded: signals must be quick."""
    known = {_NAMES.get(name, f"si_{name}"): name for name in _FIELDS}
    form, end, names, masks = "<", 0, [], []
    for field in layout(member, arch).fields:
        if field.name in known:
            form += f"{field.offset - end}x{field.ctype.letter(arch).upper()}"
            end = field.offset + field.size
            names.append(known[field.name])
            masks.append((1 << 8 * field.size) - 1)
    pack_all = struct.Struct(f"{form}{SIGINFO_SIZE - end}x").pack
    values = attrgetter(*names)
    return lambda info: pack_all(*map(and_, values(info), masks))


def unpack(data: bytes, arch: Arch) -> SigInfo:
    """What a program gives to rt_sigqueueinfo(2) (copy_siginfo_from_user)."""
    from syscalls.kernel.signals import SigInfo

    head = layout(Siginfo, arch).unpack(data)
    member = layout(member_of(head.si_signo, head.si_code), arch).unpack(data)
    values: dict[str, Any] = {name: getattr(member, _NAMES.get(name, f"si_{name}"), 0) for name in _FIELDS}
    return SigInfo(**values)
