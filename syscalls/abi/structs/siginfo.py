"""siginfo_t and what else carries a signal: struct sigevent, struct signalfd_siginfo.

Sources: asm-generic/siginfo.h, linux/signalfd.h. siginfo_t is a union: there is one class per member here, each to be
padded with zeros to SIGINFO_SIZE.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I32, U8, U16, U32, U64, CLong, CPtr, Repeat, Struct
from syscalls.abi.kinds import AddressKind, SignalKind
from syscalls.abi.ptrace import AUDIT_ARCHES
from syscalls.abi.signal import SIGEV_NOTIFY

SIGINFO_SIZE = 128

_Address = Annotated[CPtr, AddressKind()]
_Signal = Annotated[I32, SignalKind()]
#: Makes what follows begin where a pointer could: the alignment of the union inside siginfo_t.
_Align = Annotated[tuple[int, ...], Repeat(CPtr, 0)]


class Sigevent(Struct):
    """struct sigevent, for timer_create(2) and mq_notify(2)."""

    sigev_value: _Address
    sigev_signo: _Signal
    sigev_notify: Annotated[I32, SIGEV_NOTIFY]
    sigev_tid: I32
    _pad: Annotated[tuple[int, ...], Repeat(I32, 11)]


class SigeventI386(Struct, variant_of=Sigevent, arches={"i386"}):
    """struct sigevent where a pointer has four bytes."""

    sigev_value: _Address
    sigev_signo: _Signal
    sigev_notify: Annotated[I32, SIGEV_NOTIFY]
    sigev_tid: I32
    _pad: Annotated[tuple[int, ...], Repeat(I32, 12)]


class Siginfo(Struct):
    """The head of every siginfo_t."""

    si_signo: _Signal
    si_errno: I32
    si_code: I32


class SiginfoKill(Siginfo):
    """SI_USER, SI_TKILL: kill(2), tgkill(2)."""

    _align: _Align
    si_pid: I32
    si_uid: U32


class SiginfoTimer(Siginfo):
    """SI_TIMER: timer_create(2)."""

    _align: _Align
    si_timerid: I32
    si_overrun: I32
    si_value: _Address


class SiginfoQueue(Siginfo):
    """SI_QUEUE: rt_sigqueueinfo(2)."""

    _align: _Align
    si_pid: I32
    si_uid: U32
    si_value: _Address


class SiginfoChild(Siginfo):
    """SIGCHLD, and what waitid(2) stores. Times in clock ticks."""

    _align: _Align
    si_pid: I32
    si_uid: U32
    si_status: I32
    si_utime: CLong
    si_stime: CLong


class SiginfoFault(Siginfo):
    """SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP."""

    si_addr: _Address
    si_addr_lsb: U16


class SiginfoPoll(Siginfo):
    """SIGIO."""

    si_band: CLong
    si_fd: I32


class SiginfoSys(Siginfo):
    """SIGSYS of seccomp(2)."""

    si_call_addr: _Address
    si_syscall: I32
    si_arch: Annotated[U32, AUDIT_ARCHES]


class SignalfdSiginfo(Struct):
    """struct signalfd_siginfo."""

    ssi_signo: _Signal
    ssi_errno: I32
    ssi_code: I32
    ssi_pid: U32
    ssi_uid: U32
    ssi_fd: I32
    ssi_tid: U32
    ssi_band: U32
    ssi_overrun: U32
    ssi_trapno: U32
    ssi_status: I32
    ssi_int: I32
    ssi_ptr: U64
    ssi_utime: U64
    ssi_stime: U64
    ssi_addr: U64
    ssi_addr_lsb: U16
    _pad2: U16
    ssi_syscall: I32
    ssi_call_addr: U64
    ssi_arch: U32
    _pad: Annotated[tuple[int, ...], Repeat(U8, 28)]
