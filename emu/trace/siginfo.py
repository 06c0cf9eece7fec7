"""siginfo_t as strace shows it at `--- SIGxxx {...} ---`: which fields mean something depends on si_code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.shapes import ticks
from emu.trace.value import Address, Hex, Id, Int, Named, Struct, Value
from syscalls.abi import signal as abi
from syscalls.abi.arch import ARCHES, Arch
from syscalls.abi.errno import SysError
from syscalls.abi.numbers import NAME

if TYPE_CHECKING:
    from emu.trace.plan import Memory
    from syscalls.kernel.signals import SigInfo

_SENT = {abi.SI_USER, abi.SI_TKILL, abi.SI_QUEUE, abi.SI_MESGQ}
_WITH_ADDRESS = {abi.SIGILL, abi.SIGFPE, abi.SIGSEGV, abi.SIGBUS, abi.SIGTRAP}
_AUDIT = {"x86_64": "AUDIT_ARCH_X86_64", "i386": "AUDIT_ARCH_I386", "arm64": "AUDIT_ARCH_AARCH64"}


def siginfo(info: SigInfo, arch: Arch) -> Value:
    """The fields that mean something."""
    fields: list[tuple[str, Value]] = [
        ("si_signo", Named(info.signo, abi.SIGNAL.format(info.signo), "d")),
        ("si_code", Named(info.code, abi.format_si_code(info.signo, info.code))),
    ]
    if info.errno:
        fields.append(("si_errno", Int(info.errno)))
    if info.code in _SENT:
        fields += [("si_pid", Id(info.pid, "pid")), ("si_uid", Id(info.uid, "uid"))]
        if info.code in {abi.SI_QUEUE, abi.SI_MESGQ} and info.value:
            fields += _value(info, arch)
    elif info.code == abi.SI_TIMER:
        fields += [("si_timerid", Hex(info.timer_id)), ("si_overrun", Int(info.overrun)), *_value(info, arch)]
    elif info.code > 0 and info.code != abi.SI_KERNEL:
        fields += _of_signal(info, arch)
    elif info.signo in _WITH_ADDRESS and info.code == abi.SI_KERNEL:
        fields.append(("si_addr", Address(info.address)))
    return Struct(tuple(fields))


def _value(info: SigInfo, arch: Arch) -> list[tuple[str, Value]]:
    """si_value, when it is not zero in all its parts."""
    low = info.value & 0xFFFFFFFF
    number = low - (1 << 32) if low >> 31 else low
    return [("si_int", Int(number)), ("si_ptr", Address(info.value & arch.mask))]


def _of_signal(info: SigInfo, caller: Arch) -> list[tuple[str, Value]]:
    if info.signo == abi.SIGCHLD:
        exited = info.code == abi.CLD_EXITED
        status = Int(info.status) if exited else Named(info.status, abi.SIGNAL.format(info.status), "d")
        return [
            ("si_pid", Id(info.pid, "pid")),
            ("si_uid", Id(info.uid, "uid")),
            ("si_status", status),
            ("si_utime", ticks(info.utime)),
            ("si_stime", ticks(info.stime)),
        ]
    if info.signo in _WITH_ADDRESS:
        return [("si_addr", Address(info.address))]
    if info.signo == abi.SIGIO:
        return [("si_band", Hex(info.band)), ("si_fd", Int(info.fd))]
    if info.signo == abi.SIGSYS:
        arch = next((arch for arch in ARCHES.values() if arch.audit == info.arch), None)
        name = NAME[arch.name].get(info.syscall) if arch else None
        return [
            ("si_call_addr", Address(info.call_address)),
            ("si_syscall", Named(info.syscall, f"__NR_{name}" if name else str(info.syscall))),
            ("si_arch", Named(info.arch, _AUDIT[arch.name] if arch else f"{info.arch:#x}")),
        ]
    fields: list[tuple[str, Value]] = []
    if info.pid or info.uid:  # a code that means nothing for this signal
        fields += [("si_pid", Id(info.pid, "pid")), ("si_uid", Id(info.uid, "uid"))]
    return fields + _value(info, caller) if info.value else fields


def read_siginfo(memory: Memory, at: int, arch: Arch) -> Value:
    """The same from a siginfo_t in memory."""
    if not at:
        return Address(0)
    try:
        return siginfo_of(memory.read(at, 128), arch)
    except SysError:
        return Address(at)


def siginfo_of(data: bytes, arch: Arch) -> Value:
    """The same from the bytes of a siginfo_t, as `arch` lays it out."""
    from syscalls.kernel.signals import SigInfo

    word = arch.word

    def field(offset: int, size: int = 4, *, signed: bool = True) -> int:
        return int.from_bytes(data[offset : offset + size], "little", signed=signed)

    signo, code, base = field(0), field(8), 16 if word == 8 else 12
    if not signo and not code:
        return Struct(())
    info = SigInfo(signo, code, field(4))
    if code == abi.SI_TIMER:
        info.timer_id, info.overrun = field(base), field(base + 4)
        info.value = field(base + 8, word, signed=False)
    elif code > 0 and signo in _WITH_ADDRESS:
        info.address = field(base, word, signed=False)
    elif code > 0 and signo == abi.SIGSYS:
        info.call_address = field(base, word, signed=False)
        info.syscall, info.arch = field(base + word), field(base + word + 4, signed=False)
    elif code > 0 and signo == abi.SIGIO:
        info.band, info.fd = field(base, word), field(base + word)
    else:
        info.pid, info.uid = field(base), field(base + 4, signed=False)
        if signo == abi.SIGCHLD:
            info.status = field(base + 8)
            clock = base + 16 if word == 8 else base + 12
            info.utime, info.stime = field(clock, word), field(clock + word, word)
        else:
            info.value = field(base + 8, word, signed=False)
    return siginfo(info, arch)
