"""Signal frames of arm64 (arch/arm64/kernel/signal.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from syscalls.abi.arch import ARM64
from syscalls.abi.errno import EFAULT, SysError
from syscalls.abi.signal import SA_RESTORER, SA_SIGINFO
from syscalls.abi.structs.sigframe import ESR_MAGIC, FPSIMD_MAGIC
from syscalls.abi.structs.siginfo import SIGINFO_SIZE
from syscalls.kernel import siginfo
from syscalls.kernel.sigframe import restore_altstack, stack_for
from syscalls.kernel.signals import SigAction, SigInfo, set_mask

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

#: struct ucontext up to its records: uc_flags, uc_link, uc_stack, uc_sigmask, fault_address, x0 to x30, sp, pc, pstate.
UCONTEXT_HEAD = struct.Struct("<QQ QI4xQ Q120x8x Q 31Q QQQ8x")
RECORDS = 4096
#: struct rt_sigframe: siginfo, ucontext. Below it on the stack lies a frame record: x29, x30.
FRAME = SIGINFO_SIZE + UCONTEXT_HEAD.size + RECORDS
FRAME_RECORD = 16
VECTORS = 512  # bytes of the 32 vector registers in CpuState.get_fp, before FPSR and FPCR
_RECORD, _ESR = struct.Struct("<II"), struct.Struct("<IIQ")  # struct _aarch64_ctx; with a syndrome
_FPSIMD_SIZE = _RECORD.size + 8 + VECTORS
_FPSIMD_HEAD = _RECORD.pack(FPSIMD_MAGIC, _FPSIMD_SIZE)
_NO_INFO = bytes(SIGINFO_SIZE)
#: Condition flags; and what of PSTATE a program may not choose (valid_user_regs).
_NZCV = 0xF000_0000
_FORBIDDEN = 0x10 | 0x3C0 | 0xF
_BTYPE, _TCO = 0xC00, 1 << 25
_RESTORED = (*(f"x{number}" for number in range(31)), "sp", "pc")
_SAVED = (*_RESTORED, "pstate")
_SP = 31  # in _SAVED
_ENTRY, _ARGUMENTS = ("x0", "x29", "x30", "sp", "pc"), ("x1", "x2")


def push(task: Task, info: SigInfo, action: SigAction, mask: int) -> None:
    """setup_rt_frame: registers x1 and x2 are arguments only with SA_SIGINFO."""
    cpu, mm, stack = task.cpu, task.mm, task.signals.altstack
    values = cpu.get_all(_SAVED)
    sp, _ = stack_for(task, action, values[_SP])
    record = sp - FRAME_RECORD & -16
    frame = record - (-(-FRAME // 16) * 16)
    if frame < 0:
        raise SysError(EFAULT)
    _, error, address = task.fault
    wants_info = action.flags & SA_SIGINFO
    information = siginfo.pack(info, ARM64) if wants_info else _NO_INFO
    head = UCONTEXT_HEAD.pack(0, 0, stack.sp, stack.flags, stack.size, mask, address, *values)
    mm.write(frame, b"".join((information, head, _records(task, error))))
    mm.write(record, struct.pack("<QQ", values[29], values[30]))
    back = action.restorer if action.flags & SA_RESTORER else task.group.vdso["rt_sigreturn"]
    cpu.set_all(_ENTRY, (info.signo, record, back, frame, action.handler))
    if wants_info:
        cpu.set_all(_ARGUMENTS, (frame, frame + SIGINFO_SIZE))
    if values[-1] & (_BTYPE | _TCO):
        cpu.set("pstate", values[-1] & ~(_BTYPE | _TCO))


def _records(task: Task, error: int) -> bytes:
    """The vector registers, and behind a fault its syndrome; filled up with zeros."""
    image = task.cpu.get_fp()
    parts = [_FPSIMD_HEAD, image[VECTORS:], image[:VECTORS]]
    if error:
        parts.append(_ESR.pack(ESR_MAGIC, _ESR.size, error))
    return b"".join(parts).ljust(RECORDS, b"\0")


def pop(task: Task) -> None:
    """rt_sigreturn."""
    cpu = task.cpu
    frame = cpu.get("sp")
    if frame % 16:
        raise SysError(EFAULT)
    data = task.mm.read(frame + SIGINFO_SIZE, UCONTEXT_HEAD.size + RECORDS)
    _, _, stack, stack_flags, stack_size, mask, _, *registers, pstate = UCONTEXT_HEAD.unpack_from(data)
    set_mask(task, mask)
    image = _find_vectors(data[UCONTEXT_HEAD.size :])
    if pstate & _FORBIDDEN:
        raise SysError(EFAULT)
    cpu.set_all(_RESTORED, registers)
    flags = cpu.get("pstate")
    if (flags ^ pstate) & _NZCV:
        cpu.set("pstate", flags & ~_NZCV | pstate & _NZCV)
    cpu.set_fp(image)
    restore_altstack(task, stack, stack_flags, stack_size)


def _find_vectors(records: bytes) -> bytes:
    """What the record of the vector registers holds; without one a frame is bad (parse_user_sigframe)."""
    found = b""
    offset = 0
    while offset + _RECORD.size <= len(records):
        magic, size = _RECORD.unpack_from(records, offset)
        if magic == 0 and size == 0:
            break
        if size < _RECORD.size or size % 16 or offset + size > len(records):
            raise SysError(EFAULT)
        if magic == FPSIMD_MAGIC:
            if found or size != _FPSIMD_SIZE:
                raise SysError(EFAULT)
            found = records[offset + 16 : offset + size] + records[offset + 8 : offset + 16]
        elif magic != ESR_MAGIC:
            raise SysError(EFAULT)
        offset += size
    if not found:
        raise SysError(EFAULT)
    return found
