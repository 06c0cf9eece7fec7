"""Signal frames of arm64 (arch/arm64/kernel/signal.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.arch import ARM64
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EFAULT, SysError
from syscalls.abi.signal import SA_RESTORER, SA_SIGINFO
from syscalls.abi.structs.sigframe import (
    ESR_MAGIC,
    FPSIMD_MAGIC,
    ContextRecord,
    EsrContext,
    FpsimdContext,
    SigcontextArm64,
    Ucontext,
    UcontextArm64,
)
from syscalls.abi.structs.siginfo import SIGINFO_SIZE
from syscalls.kernel import siginfo
from syscalls.kernel.sigframe import restore_altstack, saved_altstack, stack_for
from syscalls.kernel.signals import SigAction, SigInfo, set_mask

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

UCONTEXT, RECORD = layout(Ucontext, ARM64), layout(ContextRecord, ARM64)
FPSIMD, ESR = layout(FpsimdContext, ARM64), layout(EsrContext, ARM64)
#: struct rt_sigframe: siginfo, ucontext. Below it on the stack lies a frame record: x29, x30.
FRAME = SIGINFO_SIZE + UCONTEXT.size
FRAME_RECORD = 16
VECTORS = 512  # bytes of the 32 vector registers in CpuState.get_fp, before FPSR and FPCR
#: Condition flags; and what of PSTATE a program may not choose (valid_user_regs).
_NZCV = 0xF000_0000
_FORBIDDEN = 0x10 | 0x3C0 | 0xF
_BTYPE, _BTYPE_CALL, _TCO = 0xC00, 0x800, 1 << 25
_REGISTERS = tuple(f"x{number}" for number in range(31))


def push(task: Task, info: SigInfo, action: SigAction, mask: int) -> None:
    """setup_rt_frame: registers x1 and x2 are arguments only with SA_SIGINFO."""
    cpu, mm = task.cpu, task.mm
    sp, _ = stack_for(task, action, cpu.get("sp"))
    record = sp - FRAME_RECORD & -16
    frame = record - (-(-FRAME // 16) * 16)
    if frame < 0:
        raise SysError(EFAULT)
    registers = tuple(cpu.get(name) for name in _REGISTERS)
    _, error, address = task.fault
    context = UcontextArm64(
        uc_stack=saved_altstack(task),
        uc_sigmask=mask,
        uc_mcontext=SigcontextArm64(
            fault_address=address, regs=registers, sp=cpu.get("sp"), pc=cpu.get("pc"), pstate=cpu.get("pstate"),
            records=_records(task, error),
        ),
    )  # fmt: skip
    information = siginfo.pack(info, ARM64) if action.flags & SA_SIGINFO else bytes(SIGINFO_SIZE)
    mm.write(frame, information + UCONTEXT.pack(context))
    mm.write(record, registers[29].to_bytes(8, "little") + registers[30].to_bytes(8, "little"))
    back = action.restorer if action.flags & SA_RESTORER else task.group.vdso["rt_sigreturn"]
    values = {"x0": info.signo, "sp": frame, "x29": record, "x30": back, "pc": action.handler}
    if action.flags & SA_SIGINFO:
        values |= {"x1": frame, "x2": frame + SIGINFO_SIZE}
    for name, value in values.items():
        cpu.set(name, value)
    cpu.set("pstate", cpu.get("pstate") & ~(_BTYPE | _TCO))


def _records(task: Task, error: int) -> bytes:
    """The vector registers, and behind a fault its syndrome."""
    image = task.cpu.get_fp()
    fpsr, fpcr = (int.from_bytes(image[start : start + 4], "little") for start in (VECTORS, VECTORS + 4))
    head = ContextRecord(magic=FPSIMD_MAGIC, size=FPSIMD.size)
    records = FPSIMD.pack(FpsimdContext(head=head, fpsr=fpsr, fpcr=fpcr, vregs=image[:VECTORS]))
    if error:
        records += ESR.pack(EsrContext(head=ContextRecord(magic=ESR_MAGIC, size=ESR.size), esr=error))
    return records


def pop(task: Task) -> None:
    """rt_sigreturn."""
    cpu = task.cpu
    frame = cpu.get("sp")
    if frame % 16:
        raise SysError(EFAULT)
    context = UCONTEXT.unpack(task.mm.read(frame + SIGINFO_SIZE, UCONTEXT.size))
    set_mask(task, context.uc_sigmask)
    saved = context.uc_mcontext
    vectors = _find_vectors(saved.records)
    if saved.pstate & _FORBIDDEN:
        raise SysError(EFAULT)
    for name, value in zip(_REGISTERS, saved.regs, strict=True):
        cpu.set(name, value)
    cpu.set("sp", saved.sp)
    cpu.set("pc", saved.pc)
    cpu.set("pstate", cpu.get("pstate") & ~_NZCV | saved.pstate & _NZCV)
    cpu.set_fp(vectors.vregs + vectors.fpsr.to_bytes(4, "little") + vectors.fpcr.to_bytes(4, "little"))
    restore_altstack(task, context.uc_stack)


def _find_vectors(records: bytes) -> FpsimdContext:
    """The record of the vector registers, without which a frame is bad (parse_user_sigframe)."""
    found: FpsimdContext | None = None
    offset = 0
    while offset + RECORD.size <= len(records):
        head = RECORD.unpack(records[offset:])
        if head.magic == 0 and head.size == 0:
            break
        if head.size < RECORD.size or head.size % 16 or offset + head.size > len(records):
            raise SysError(EFAULT)
        if head.magic == FPSIMD_MAGIC:
            if found is not None or head.size != FPSIMD.size:
                raise SysError(EFAULT)
            found = FPSIMD.unpack(records[offset:])
        elif head.magic != ESR_MAGIC:
            raise SysError(EFAULT)
        offset += head.size
    if found is None:
        raise SysError(EFAULT)
    return found
