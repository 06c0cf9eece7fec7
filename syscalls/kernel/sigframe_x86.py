"""Signal frames of x86_64 and i386 (arch/x86/kernel/signal.c, signal_64.c, signal_32.c, fpu/signal.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from syscalls.abi.arch import I386, X86_64
from syscalls.abi.errno import EFAULT, SysError
from syscalls.abi.numbers import NUMBER
from syscalls.abi.signal import SA_RESTORER, SA_SIGINFO
from syscalls.abi.structs.sigframe import UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
from syscalls.abi.structs.siginfo import SIGINFO_SIZE
from syscalls.kernel import siginfo
from syscalls.kernel.fxsave import FSAVE_SIZE, FXSAVE_SIZE, check, fresh, merge_fsave, to_fsave
from syscalls.kernel.sigframe import restore_altstack, stack_for
from syscalls.kernel.signals import AltStack, SigAction, SigInfo, set_mask

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1
RED_ZONE = 128
USER_CS, USER32_CS, USER_DS = 0x33, 0x23, 0x2B
_TF, _DF, _RF = 0x100, 0x400, 0x10000
#: What a frame may change of the flags: AC, OF, DF, TF, SF, ZF, AF, PF, CF (and RF, which the next instruction clears).
FIX_EFLAGS = 0x40000 | 0x800 | _DF | _TF | 0x80 | 0x40 | 0x10 | 0x4 | 0x1

#: struct ucontext: uc_flags, uc_link, uc_stack, the registers, eflags, cs, gs, fs, ss, err, trapno, oldmask, cr2,
#: fpstate, reserved1, uc_sigmask. In struct rt_sigframe, the return address stands in front of it, and siginfo behind.
UCONTEXT64 = struct.Struct("<QQ QI4xQ 17Q Q4H QQQQQ64x Q")
_FRAME_HEAD64 = struct.Struct("<Q" + UCONTEXT64.format[1:])
_REGISTERS64 = (
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip",
)  # fmt: skip
_SAVED64 = (*_REGISTERS64, "eflags", "cs", "ss")
_RSP, _RIP, _FLAGS = 15, 16, 17  # in _SAVED64
_ENTRY64 = ("rdi", "rsi", "rdx", "rax", "rsp", "rip")
FRAME64 = _FRAME_HEAD64.size + SIGINFO_SIZE

#: struct sigcontext of i386: gs, fs, es, ds, the registers, trapno, err, eip, cs, eflags, esp_at_signal, ss, fpstate,
#: oldmask, cr2.
SIGCONTEXT32 = struct.Struct("<H2xH2xH2xH2x 8I III H2x II H2x III")
#: struct ucontext_ia32: uc_flags, uc_link, uc_stack, the sigcontext, uc_sigmask.
_UCONTEXT_HEAD32 = struct.Struct("<II III")
UCONTEXT32_SIZE = _UCONTEXT_HEAD32.size + SIGCONTEXT32.size + 8
_REGISTERS32 = ("edi", "esi", "ebp", "esp", "ebx", "edx", "ecx", "eax")
_SEGMENTS32 = ("gs", "fs", "es", "ds")
_SAVED32 = (*_REGISTERS32, "eip", *_SEGMENTS32, "eflags", "cs", "ss")
_RESTORED32 = (*_REGISTERS32, "eip")
_ENTRY32 = ("eax", "edx", "ecx", "esp", "eip")
_ESP = 3  # in _SAVED32
#: struct rt_sigframe_ia32: return address, signal, two pointers, siginfo, ucontext, eight bytes of code.
FRAME32 = 16 + SIGINFO_SIZE + UCONTEXT32_SIZE + 8
#: struct sigframe_ia32: return address, signal, sigcontext, room where the FPU's state once was, extramask, code.
_UNUSED_FPSTATE = FSAVE_SIZE + FXSAVE_SIZE
OLD_FRAME32 = 8 + SIGCONTEXT32.size + _UNUSED_FPSTATE + 4 + 8
#: What the trampolines of old kernels looked like; debuggers still look for it.
_RETCODE = b"\x58\xb8" + NUMBER["i386"]["sigreturn"].to_bytes(4, "little") + b"\xcd\x80"
_RT_RETCODE = b"\xb8" + NUMBER["i386"]["rt_sigreturn"].to_bytes(4, "little") + b"\xcd\x80\x00"


def _check_overflow(alternate: AltStack | None, sp: int) -> None:
    """A frame that does not fit on the alternate stack would be written over something else."""
    if alternate is not None and not alternate.covers(sp):
        raise SysError(EFAULT)


def _enter_flags(task: Task, flags: int) -> None:
    """A handler begins with the direction upwards and without single steps."""
    if flags & (_DF | _RF | _TF):
        task.cpu.set("eflags", flags & ~(_DF | _RF | _TF))


def _restore_flags(task: Task, flags: int) -> None:
    now = task.cpu.get("eflags")
    new = now & ~(FIX_EFLAGS | _RF) | flags & FIX_EFLAGS
    if new != now:
        task.cpu.set("eflags", new)


def _restore_segment(task: Task, name: str, selector: int) -> None:
    """Selectors of the kernel's rings cannot come back; loading one that is none faults (EFAULT: SIGSEGV)."""
    if task.cpu.get(name) != selector:
        task.cpu.set(name, selector)


# --- x86_64 -----------------------------------------------------------------------------------------------------------


def push_x86_64(task: Task, info: SigInfo, action: SigAction, mask: int) -> None:
    """x64_setup_rt_frame. Only C libraries' own restorers lead back: without one there is no frame."""
    if not action.flags & SA_RESTORER:
        raise SysError(EFAULT)
    mm, cpu, stack = task.mm, task.cpu, task.signals.altstack
    values = cpu.get_all(_SAVED64)
    sp, alternate = stack_for(task, action, values[_RSP] - RED_ZONE)
    fpstate = sp - FXSAVE_SIZE & -64
    frame = (fpstate - FRAME64 & -16) - 8
    _check_overflow(alternate, frame)
    trapno, error, address = task.fault
    head = _FRAME_HEAD64.pack(
        action.restorer, UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS, 0, stack.sp, stack.flags, stack.size,
        *values[: _FLAGS + 2], 0, 0, values[-1], error, trapno, mask, address, fpstate, mask,
    )  # fmt: skip
    mm.write(fpstate & MASK64, cpu.get_fp())
    mm.write(frame & MASK64, head + siginfo.pack(info, X86_64) if action.flags & SA_SIGINFO else head)
    entry = (info.signo, frame + _FRAME_HEAD64.size, frame + 8, 0, frame, action.handler)
    cpu.set_all(_ENTRY64, entry)
    _enter_flags(task, values[_FLAGS])
    _restore_segment(task, "cs", USER_CS)


def pop_x86_64(task: Task) -> None:
    """rt_sigreturn: the handler's `ret` has taken the return address."""
    mm, cpu = task.mm, task.cpu
    values = UCONTEXT64.unpack(mm.read(cpu.get("rsp"), UCONTEXT64.size))
    _, _, stack, stack_flags, stack_size = values[:5]
    flags, cs, _, _, ss, _, _, _, _, fpstate, mask = values[22:]
    set_mask(task, mask)
    fp = mm.read(fpstate, FXSAVE_SIZE) if fpstate else fresh()
    if cs | 3 not in (USER_CS, USER32_CS) or ss | 3 != USER_DS or not check(fp):
        raise SysError(EFAULT)
    cpu.set_all(_REGISTERS64, values[5:22])
    _restore_flags(task, flags)
    _restore_segment(task, "cs", cs | 3)
    cpu.set_fp(fp)
    restore_altstack(task, stack, stack_flags, stack_size)


# --- i386 -------------------------------------------------------------------------------------------------------------


def push_i386(task: Task, info: SigInfo, action: SigAction, mask: int) -> None:
    """ia32_setup_rt_frame with SA_SIGINFO, ia32_setup_frame without."""
    mm, cpu = task.mm, task.cpu
    values = cpu.get_all(_SAVED32)
    *registers, eip, gs, fs, es, ds, flags, cs, ss = values
    rt = bool(action.flags & SA_SIGINFO)
    sp, alternate = _stack_i386(task, action, registers[_ESP], ss)
    fxsave = sp - FXSAVE_SIZE & -64
    fpstate = fxsave - FSAVE_SIZE
    frame = ((fpstate - (FRAME32 if rt else OLD_FRAME32) + 4) & -16) - 4
    _check_overflow(alternate, frame)
    if frame < 0:
        raise SysError(EFAULT)
    image = cpu.get_fp()
    mm.write(fpstate, to_fsave(image, cs, ds) + image)
    trapno, error, address = task.fault
    context = SIGCONTEXT32.pack(
        gs, fs, es, ds, *registers, trapno, error, eip, cs, flags, registers[_ESP], ss, fpstate, mask & MASK32,
        address & MASK32,
    )  # fmt: skip
    back = _restorer_i386(task, action, frame, rt=rt)
    if rt:
        second, third = _write_rt_frame(task, frame, back, info, context, mask)
    else:
        second = third = 0
        mm.write(frame, back.to_bytes(4, "little") + info.signo.to_bytes(4, "little") + context)
        mm.write(frame + OLD_FRAME32 - 12, (mask >> 32).to_bytes(4, "little") + _RETCODE)
    cpu.set_all(_ENTRY32, (info.signo, second, third, frame, action.handler & MASK32))
    _enter_flags(task, flags)
    for name, old in (("ds", ds), ("es", es)):
        if old != USER_DS:
            cpu.set(name, USER_DS)


def _stack_i386(task: Task, action: SigAction, esp: int, ss: int) -> tuple[int, AltStack | None]:
    """As everywhere; and with a strange stack segment and no SA_RESTORER, `restorer` is a stack (get_sigframe)."""
    sp, alternate = stack_for(task, action, esp)
    if ss != USER_DS and alternate is None and not action.flags & SA_RESTORER and action.restorer:
        sp = action.restorer
    return sp, alternate


def _restorer_i386(task: Task, action: SigAction, frame: int, *, rt: bool) -> int:
    """Where the handler returns to."""
    if action.flags & SA_RESTORER:
        return action.restorer
    on_stack = frame + (FRAME32 if rt else OLD_FRAME32) - 8
    return task.group.vdso.get("rt_sigreturn" if rt else "sigreturn", on_stack)


def _write_rt_frame(task: Task, frame: int, back: int, info: SigInfo, context: bytes, mask: int) -> tuple[int, int]:
    """Addresses of the siginfo and of the ucontext."""
    stack = task.signals.altstack
    information = frame + 16
    ucontext = information + SIGINFO_SIZE
    head = struct.pack("<4I", back, info.signo, information, ucontext)
    body = _UCONTEXT_HEAD32.pack(0, 0, stack.sp, stack.flags, stack.size) + context + mask.to_bytes(8, "little")
    task.mm.write(frame, head + siginfo.pack(info, I386) + body + _RT_RETCODE)
    return information, ucontext


def pop_rt_i386(task: Task) -> None:
    """rt_sigreturn: `ret` has taken the return address."""
    ucontext = task.cpu.get("esp") + 12 + SIGINFO_SIZE
    data = task.mm.read(ucontext, UCONTEXT32_SIZE)
    set_mask(task, int.from_bytes(data[-8:], "little"))
    _restore_i386(task, SIGCONTEXT32.unpack_from(data, _UCONTEXT_HEAD32.size))
    _, _, sp, flags, size = _UCONTEXT_HEAD32.unpack_from(data)
    restore_altstack(task, sp, flags, size)


def pop_i386(task: Task) -> None:
    """sigreturn: `ret` and the trampoline's `pop eax` have taken eight bytes."""
    frame = task.cpu.get("esp") - 8
    context = SIGCONTEXT32.unpack(task.mm.read(frame + 8, SIGCONTEXT32.size))
    high = task.mm.read(frame + OLD_FRAME32 - 12, 4)
    set_mask(task, context[-2] | int.from_bytes(high, "little") << 32)
    _restore_i386(task, context)


def _restore_i386(task: Task, saved: tuple[int, ...]) -> None:
    """ia32_restore_sigcontext."""
    cpu = task.cpu
    segments, registers, (_, _, eip, cs, flags, _, ss, fpstate, _, _) = saved[:4], saved[4:12], saved[12:]
    fp = fresh()
    if fpstate:
        data = task.mm.read(fpstate, FSAVE_SIZE + FXSAVE_SIZE)
        fp = merge_fsave(data[FSAVE_SIZE:], data[:FSAVE_SIZE])
    if cs | 3 not in (USER_CS, USER32_CS) or ss | 3 != USER_DS or not check(fp):
        raise SysError(EFAULT)
    cpu.set_all(_RESTORED32, (*registers, eip))
    _restore_flags(task, flags)
    for name, selector in zip(_SEGMENTS32, segments, strict=True):
        _restore_segment(task, name, selector | 3 if selector & ~3 else selector)
    _restore_segment(task, "cs", cs | 3)
    cpu.set_fp(fp)
