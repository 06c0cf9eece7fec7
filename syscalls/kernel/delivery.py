"""Delivery of signals: what happens on the way back to user mode (kernel/signal.c, arch/*/kernel/signal.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.errno import SysError
from syscalls.abi.numbers import NUMBER
from syscalls.abi.signal import (
    DEFAULT_IGNORE,
    DEFAULT_STOP,
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SIG_DFL,
    SIG_IGN,
    SIGKILL,
    SS_AUTODISARM,
    SS_DISABLE,
    bit,
)
from syscalls.kernel import jobs, rseq, sigframe_arm64, sigframe_x86
from syscalls.kernel.exit import killed_by
from syscalls.kernel.signals import AltStack, SigAction, SigInfo, force_sigsegv, put_back, set_mask, take
from syscalls.spec import Restart

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

#: Bytes of the instruction that traps into the kernel: what a restarted call goes back by.
TRAP_LENGTH = {"x86_64": 2, "i386": 2, "arm64": 4}
PUSH_FRAME = {X86_64: sigframe_x86.push_x86_64, I386: sigframe_x86.push_i386, ARM64: sigframe_arm64.push}
POP_FRAME = {X86_64: sigframe_x86.pop_x86_64, I386: sigframe_x86.pop_rt_i386, ARM64: sigframe_arm64.pop}


def deliver(task: Task) -> None:
    """Act on all pending signals (arch_do_signal_or_restart)."""
    while task.alive and not task.group.stopped:
        info = take(task, ~task.signals.mask)
        if info is None:
            break
        action = task.group.signals.action(info.signo)
        if task.kernel.observer is not None and info.signo != SIGKILL:  # which no tracer can stop at
            task.kernel.observer.signal(task, info)
        if action.handler == SIG_IGN or (action.handler == SIG_DFL and DEFAULT_IGNORE & bit(info.signo)):
            continue
        if action.handler != SIG_DFL:
            _handle(task, info, action)
        elif DEFAULT_STOP & bit(info.signo):
            jobs.stop(task, info.signo)
        else:
            task.exit_group(killed_by(task, info.signo))
    if task.group.stopped:
        return  # the rest when it goes on
    if task.interrupted is not None:
        _restart(task, block=task.interrupted.restart is Restart.BLOCK)
    put_back(task)


def _handle(task: Task, info: SigInfo, action: SigAction) -> None:
    """Let the program's handler run (handle_signal)."""
    state, signo = task.signals, info.signo
    if task.interrupted is not None:
        policy = task.interrupted.restart
        if policy is Restart.NOINTR or (policy is Restart.SYS and action.flags & SA_RESTART):
            _restart(task)
        task.interrupted = None
    if action.flags & SA_RESETHAND:
        task.group.signals.actions[signo] = replace(action, handler=SIG_DFL)
    mask = state.mask if state.saved_mask is None else state.saved_mask
    try:
        rseq.abort_section(task)
        PUSH_FRAME[task.arch](task, info, action, mask)
    except SysError:
        force_sigsegv(task, signo)
        return
    state.saved_mask = None
    if state.altstack.flags & SS_AUTODISARM:
        state.altstack = AltStack(flags=SS_DISABLE)
    set_mask(task, state.mask | action.mask | (0 if action.flags & SA_NODEFER else bit(signo)))


def _restart(task: Task, *, block: bool = False) -> None:
    """Let the thread execute the trap instruction again; `block`: as restart_syscall(2)."""
    assert task.interrupted is not None
    arch, cpu, interrupted = task.arch, task.cpu, task.interrupted
    task.interrupted = None
    cpu.set(arch.result, interrupted.register)
    if block:
        abi = interrupted.call[0] if interrupted.call is not None else arch
        cpu.set(arch.number, NUMBER[abi.name]["restart_syscall"])
    cpu.set(arch.pc, cpu.get(arch.pc) - TRAP_LENGTH[arch.name] & arch.mask)


def leave(task: Task, *, old: bool = False) -> int:
    """Go on where the handler has interrupted the program; what the result register holds then.

    `old`: the frame is i386's without siginfo. One that makes no sense is a SIGSEGV (bad_frame).
    """
    task.restart_block = None
    try:
        if old:
            sigframe_x86.pop_i386(task)
        else:
            POP_FRAME[task.arch](task)
    except SysError:
        force_sigsegv(task)
        return 0
    value = task.cpu.get(task.arch.result)
    return value - task.arch.mask - 1 if value > task.arch.mask >> 1 else value
