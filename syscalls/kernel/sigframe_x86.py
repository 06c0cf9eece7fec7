"""Signal frames of x86_64 and i386 (arch/x86/kernel/signal.c, signal_64.c, signal_32.c, fpu/signal.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syscalls.abi.arch import I386, X86_64
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EFAULT, SysError
from syscalls.abi.numbers import NUMBER
from syscalls.abi.signal import SA_RESTORER, SA_SIGINFO
from syscalls.abi.structs.sigframe import UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS, Sigcontext, SigcontextI386, Ucontext
from syscalls.abi.structs.siginfo import SIGINFO_SIZE
from syscalls.kernel import siginfo
from syscalls.kernel.fxsave import FSAVE_SIZE, FXSAVE_SIZE, check, fresh, merge_fsave, to_fsave
from syscalls.kernel.sigframe import restore_altstack, saved_altstack, stack_for
from syscalls.kernel.signals import AltStack, SigAction, SigInfo, set_mask

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

RED_ZONE = 128
USER_CS, USER32_CS, USER_DS = 0x33, 0x23, 0x2B
_TF, _DF, _RF = 0x100, 0x400, 0x10000
#: What a frame may change of the flags: AC, OF, DF, TF, SF, ZF, AF, PF, CF (and RF, which the next instruction clears).
FIX_EFLAGS = 0x40000 | 0x800 | _DF | _TF | 0x80 | 0x40 | 0x10 | 0x4 | 0x1

_REGISTERS64 = (
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip",
)  # fmt: skip
_REGISTERS32 = ("edi", "esi", "ebp", "esp", "ebx", "edx", "ecx", "eax", "eip")
_SEGMENTS32 = ("gs", "fs", "es", "ds")

UCONTEXT64, UCONTEXT32 = layout(Ucontext, X86_64), layout(Ucontext, I386)
SIGCONTEXT32 = layout(Sigcontext, I386)
#: struct rt_sigframe: return address, ucontext, siginfo.
FRAME64 = 8 + UCONTEXT64.size + SIGINFO_SIZE
#: struct rt_sigframe_ia32: return address, signal, two pointers, siginfo, ucontext, eight bytes of code.
FRAME32 = 16 + SIGINFO_SIZE + UCONTEXT32.size + 8
#: struct sigframe_ia32: return address, signal, sigcontext, room where the FPU's state once was, extramask, code.
_UNUSED_FPSTATE = FSAVE_SIZE + FXSAVE_SIZE
OLD_FRAME32 = 8 + SIGCONTEXT32.size + _UNUSED_FPSTATE + 4 + 8
#: What the trampolines of old kernels looked like; debuggers still look for it.
_RETCODE = b"\x58\xb8" + NUMBER["i386"]["sigreturn"].to_bytes(4, "little") + b"\xcd\x80"
_RT_RETCODE = b"\xb8" + NUMBER["i386"]["rt_sigreturn"].to_bytes(4, "little") + b"\xcd\x80\x00"


def _saved(task: Task, names: tuple[str, ...], mask: int, fpstate: int) -> dict[str, Any]:
    """The fields that both sigcontexts have (unsafe_put_sigcontext)."""
    trapno, error, address = task.fault
    values: dict[str, Any] = {name: task.cpu.get(name) for name in (*names, "eflags", "cs", "ss")}
    values |= {"trapno": trapno, "err": error, "oldmask": mask, "fpstate": fpstate}
    return values | {"cr2": address}


def _check_overflow(alternate: AltStack | None, sp: int) -> None:
    """A frame that does not fit on the alternate stack would be written over something else."""
    if alternate is not None and not alternate.covers(sp):
        raise SysError(EFAULT)


def _enter(task: Task, handler: int, registers: dict[str, int]) -> None:
    cpu = task.cpu
    for name, value in registers.items():
        cpu.set(name, value)
    cpu.set(task.arch.pc, handler)
    cpu.set("eflags", cpu.get("eflags") & ~(_DF | _RF | _TF))


def _restore_flags(task: Task, flags: int) -> None:
    cpu = task.cpu
    cpu.set("eflags", cpu.get("eflags") & ~(FIX_EFLAGS | _RF) | flags & FIX_EFLAGS)


def _restore_segment(task: Task, name: str, selector: int) -> None:
    """Selectors of the kernel's rings cannot come back; loading one that is none faults (EFAULT: SIGSEGV)."""
    if task.cpu.get(name) != selector:
        task.cpu.set(name, selector)


# --- x86_64 -----------------------------------------------------------------------------------------------------------


def push_x86_64(task: Task, info: SigInfo, action: SigAction, mask: int) -> None:
    """x64_setup_rt_frame. Only C libraries' own restorers lead back: without one there is no frame."""
    if not action.flags & SA_RESTORER:
        raise SysError(EFAULT)
    mm, cpu = task.mm, task.cpu
    sp, alternate = stack_for(task, action, cpu.get("rsp") - RED_ZONE)
    fpstate = sp - FXSAVE_SIZE & -64
    frame = (fpstate - FRAME64 & -16) - 8
    _check_overflow(alternate, frame)
    context = Ucontext(
        uc_flags=UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
        uc_stack=saved_altstack(task),
        uc_mcontext=Sigcontext(**_saved(task, _REGISTERS64, mask, fpstate)),
        uc_sigmask=mask,
    )
    mm.write(fpstate, cpu.get_fp())
    ucontext, information = frame + 8, frame + 8 + UCONTEXT64.size
    mm.write(frame, action.restorer.to_bytes(8, "little") + UCONTEXT64.pack(context))
    if action.flags & SA_SIGINFO:
        mm.write(information, siginfo.pack(info, X86_64))
    registers = {"rdi": info.signo, "rax": 0, "rsi": information, "rdx": ucontext, "rsp": frame}
    _enter(task, action.handler, registers)


def pop_x86_64(task: Task) -> None:
    """rt_sigreturn: the handler's `ret` has taken the return address."""
    mm, cpu = task.mm, task.cpu
    frame = cpu.get("rsp") - 8
    context = UCONTEXT64.unpack(mm.read(frame + 8, UCONTEXT64.size))
    set_mask(task, context.uc_sigmask)
    saved = context.uc_mcontext
    fp = mm.read(saved.fpstate, FXSAVE_SIZE) if saved.fpstate else fresh()
    if saved.cs | 3 not in (USER_CS, USER32_CS) or not check(fp):
        raise SysError(EFAULT)
    for name in _REGISTERS64:
        cpu.set(name, getattr(saved, name))
    _restore_flags(task, saved.eflags)
    _restore_segment(task, "cs", saved.cs | 3)
    cpu.set_fp(fp)
    restore_altstack(task, context.uc_stack)


# --- i386 -------------------------------------------------------------------------------------------------------------


def push_i386(task: Task, info: SigInfo, action: SigAction, mask: int) -> None:
    """ia32_setup_rt_frame with SA_SIGINFO, ia32_setup_frame without."""
    rt = bool(action.flags & SA_SIGINFO)
    sp, alternate = _stack_i386(task, action)
    fxsave = sp - FXSAVE_SIZE & -64
    fpstate = fxsave - FSAVE_SIZE
    frame = ((fpstate - (FRAME32 if rt else OLD_FRAME32) + 4) & -16) - 4
    _check_overflow(alternate, frame)
    if frame < 0:
        raise SysError(EFAULT)
    image = task.cpu.get_fp()
    task.mm.write(fpstate, to_fsave(image, task.cpu.get("cs"), task.cpu.get("ds")) + image)
    values = _saved(task, _REGISTERS32, mask & 0xFFFFFFFF, fpstate)
    values |= {name: task.cpu.get(name) for name in _SEGMENTS32}
    context = SigcontextI386(**values, esp_at_signal=values["esp"])
    back = _restorer_i386(task, action, frame, rt=rt)
    if rt:
        arguments = _write_rt_frame(task, frame, back, info, context, mask)
    else:
        arguments = {"edx": 0, "ecx": 0}
        data = back.to_bytes(4, "little") + info.signo.to_bytes(4, "little") + SIGCONTEXT32.pack(context)
        task.mm.write(frame, data)
        task.mm.write(frame + OLD_FRAME32 - 12, (mask >> 32).to_bytes(4, "little") + _RETCODE)
    segments = {"ds": USER_DS, "es": USER_DS}
    _enter(task, action.handler, {"eax": info.signo, "esp": frame, **arguments})
    for name, selector in segments.items():
        _restore_segment(task, name, selector)


def _stack_i386(task: Task, action: SigAction) -> tuple[int, AltStack | None]:
    """As everywhere; and with a strange stack segment and no SA_RESTORER, `restorer` is a stack (get_sigframe)."""
    sp, alternate = stack_for(task, action, task.cpu.get("esp"))
    strange = task.cpu.get("ss") != USER_DS and alternate is None
    if strange and not action.flags & SA_RESTORER and action.restorer:
        sp = action.restorer
    return sp, alternate


def _restorer_i386(task: Task, action: SigAction, frame: int, *, rt: bool) -> int:
    """Where the handler returns to."""
    if action.flags & SA_RESTORER:
        return action.restorer
    on_stack = frame + (FRAME32 if rt else OLD_FRAME32) - 8
    return task.group.vdso.get("rt_sigreturn" if rt else "sigreturn", on_stack)


def _write_rt_frame(
    task: Task, frame: int, back: int, info: SigInfo, context: SigcontextI386, mask: int
) -> dict[str, int]:
    information = frame + 16
    ucontext = information + SIGINFO_SIZE
    head = b"".join(value.to_bytes(4, "little") for value in (back, info.signo, information, ucontext))
    body = Ucontext(uc_stack=saved_altstack(task), uc_mcontext=context, uc_sigmask=mask)
    task.mm.write(frame, head + siginfo.pack(info, I386) + UCONTEXT32.pack(body) + _RT_RETCODE)
    return {"edx": information, "ecx": ucontext}


def pop_rt_i386(task: Task) -> None:
    """rt_sigreturn: `ret` has taken the return address."""
    frame = task.cpu.get("esp") - 4
    context = UCONTEXT32.unpack(task.mm.read(frame + 16 + SIGINFO_SIZE, UCONTEXT32.size))
    set_mask(task, context.uc_sigmask)
    _restore_i386(task, context.uc_mcontext)
    restore_altstack(task, context.uc_stack)


def pop_i386(task: Task) -> None:
    """sigreturn: `ret` and the trampoline's `pop eax` have taken eight bytes."""
    frame = task.cpu.get("esp") - 8
    context = SIGCONTEXT32.unpack(task.mm.read(frame + 8, SIGCONTEXT32.size))
    high = task.mm.read(frame + OLD_FRAME32 - 12, 4)
    set_mask(task, context.oldmask | int.from_bytes(high, "little") << 32)
    _restore_i386(task, context)


def _restore_i386(task: Task, saved: SigcontextI386) -> None:
    """ia32_restore_sigcontext."""
    cpu = task.cpu
    fp = fresh()
    if saved.fpstate:
        data = task.mm.read(saved.fpstate, FSAVE_SIZE + FXSAVE_SIZE)
        fp = merge_fsave(data[FSAVE_SIZE:], data[:FSAVE_SIZE])
    if saved.cs | 3 not in (USER_CS, USER32_CS) or not check(fp):
        raise SysError(EFAULT)
    for name in _REGISTERS32:
        cpu.set(name, getattr(saved, name))
    _restore_flags(task, saved.eflags)
    for name in _SEGMENTS32:
        selector = getattr(saved, name)
        _restore_segment(task, name, selector | 3 if selector & ~3 else selector)
    _restore_segment(task, "cs", saved.cs | 3)
    cpu.set_fp(fp)
