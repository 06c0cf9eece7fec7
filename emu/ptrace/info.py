"""What the kernel says of a stop: struct ptrace_syscall_info, and the status word of wait(2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from syscalls.abi.arch import ARCHES, Arch
from syscalls.abi.ptrace import PTRACE_EVENT_SECCOMP, PTRACE_EVENT_STOP
from syscalls.abi.signal import SIGTRAP

BY_AUDIT: dict[int, Arch] = {arch.audit: arch for arch in ARCHES.values()}

SIZE = 88  # of the struct since Linux 6.16; older kernels fill less
HEAD = struct.Struct("<BBHIQQ")  # op, reserved, flags, arch, instruction pointer, stack pointer
ENTRY = struct.Struct("<7Q")  # number, six arguments
EXIT = struct.Struct("<qB")  # result, is it an error?
SECCOMP = struct.Struct("<7QI")  # as ENTRY, and the filter's data
AT = HEAD.size


class Op(IntEnum):
    """Where the thread stopped (PTRACE_SYSCALL_INFO_*)."""

    NONE = 0
    ENTRY = 1
    EXIT = 2
    SECCOMP = 3


@dataclass(slots=True)
class SyscallInfo:
    """PTRACE_GET_SYSCALL_INFO: `number` and `args` mean something at ENTRY and SECCOMP, `result` at EXIT."""

    op: Op
    audit: int  # AUDIT_ARCH_* of the instruction that made the call
    pc: int
    sp: int
    number: int = 0
    args: tuple[int, ...] = field(default=(0,) * 6)
    result: int = 0  # -errno when it failed
    is_error: bool = False
    data: int = 0  # SECCOMP_RET_DATA of the filter

    @property
    def arch(self) -> Arch | None:
        """The architecture, when it is one of ours."""
        return BY_AUDIT.get(self.audit)

    @classmethod
    def unpack(cls, view: memoryview) -> SyscallInfo:
        """From the kernel's struct."""
        op, _, _, audit, pc, sp = HEAD.unpack_from(view)
        info = cls(Op(op), audit, pc, sp)
        if op == Op.ENTRY:
            info.number, *args = ENTRY.unpack_from(view, AT)
            info.args = tuple(args)
        elif op == Op.EXIT:
            info.result, error = EXIT.unpack_from(view, AT)
            info.is_error = bool(error)
        elif op == Op.SECCOMP:
            info.number, *args, info.data = SECCOMP.unpack_from(view, AT)
            info.args = tuple(args)
        return info

    def pack(self) -> bytes:
        """The kernel's struct, all 88 bytes of it."""
        head = HEAD.pack(self.op, 0, 0, self.audit, self.pc, self.sp)
        mask = (1 << 64) - 1
        if self.op is Op.EXIT:
            body = EXIT.pack(self.result, self.is_error)
        elif self.op is Op.NONE:
            body = b""
        else:
            body = SECCOMP.pack(self.number & mask, *(arg & mask for arg in self.args), self.data)
        return (head + body).ljust(SIZE, b"\0")


class Kind(Enum):
    """What wait(2) reports of a tracee."""

    SYSCALL = "entry or exit of a system call"
    SECCOMP = "a seccomp filter said RET_TRACE"
    SIGNAL = "a signal is about to be delivered"
    EVENT = "PTRACE_EVENT_* other than STOP and SECCOMP"
    STOP = "PTRACE_EVENT_STOP: attached, interrupted, or continued"
    GROUP_STOP = "stopped by a signal, with its whole process"
    EXITED = "it has ended"
    KILLED = "a signal has killed it"


@dataclass(frozen=True, slots=True)
class Stop:
    """A wait status taken apart."""

    pid: int
    status: int
    kind: Kind
    signal: int = 0  # SIGNAL, GROUP_STOP, KILLED
    event: int = 0  # EVENT: PTRACE_EVENT_*
    code: int = 0  # EXITED

    @classmethod
    def of(cls, pid: int, status: int) -> Stop:
        """For a tracee that was seized, with PTRACE_O_TRACESYSGOOD."""
        if status & 0x7F != 0x7F:
            signo = status & 0x7F
            return cls(pid, status, Kind.KILLED, signo) if signo else cls(pid, status, Kind.EXITED, code=status >> 8)
        signo, event = status >> 8 & 0xFF, status >> 16
        if signo == SIGTRAP | 0x80:
            return cls(pid, status, Kind.SYSCALL)
        if event == PTRACE_EVENT_STOP:
            return cls(pid, status, Kind.STOP) if signo == SIGTRAP else cls(pid, status, Kind.GROUP_STOP, signo)
        if event == PTRACE_EVENT_SECCOMP:
            return cls(pid, status, Kind.SECCOMP, event=event)
        return cls(pid, status, Kind.EVENT, event=event) if event else cls(pid, status, Kind.SIGNAL, signo)
