"""Dispositions, masks, sending, waiting, frames and restarts."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, SCRATCH_SIZE, begin, call, finish, make_task

from syscalls.abi.arch import ARCHES, ARM64, I386, X86_64
from syscalls.abi.errno import EAGAIN, EFAULT, EINTR, EINVAL, ENOMEM, EPERM, ESRCH
from syscalls.abi.signal import (
    SA_NODEFER,
    SA_ONSTACK,
    SA_RESETHAND,
    SA_RESTART,
    SA_RESTORER,
    SA_SIGINFO,
    SIG_IGN,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGRTMIN,
    SIGSEGV,
    SIGTERM,
    SIGTSTP,
    SIGUSR1,
    SIGUSR2,
    bit,
)
from syscalls.kernel import signals
from syscalls.kernel.delivery import deliver
from syscalls.kernel.fxsave import fresh
from syscalls.kernel.signals import SigAction, SigInfo

HANDLER, RESTORER = 0x40_1000, 0x40_2000
STACK = SCRATCH + SCRATCH_SIZE - 64


@pytest.fixture(params=ARCHES.values(), ids=str)
def task(request):
    return prepared(request.param)


def prepared(arch):
    """A task in the middle of user code."""
    task = make_task(arch)
    task.cpu.fp = bytes(range(256)) * 2 + bytes(8) if arch is ARM64 else fresh()
    task.group.vdso = {"sigreturn": 0x7000, "rt_sigreturn": 0x7010}
    names = {
        X86_64: ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", *(f"r{n}" for n in range(8, 16))],
        I386: ["eax", "ebx", "ecx", "edx", "esi", "edi", "ebp"],
        ARM64: [f"x{n}" for n in range(31)],
    }[arch]
    task.cpu.registers = {name: 0x1000 + place for place, name in enumerate(names)}
    task.cpu.registers |= {task.arch.pc: 0x40_0000, task.arch.sp: STACK}
    if arch is ARM64:
        task.cpu.registers["pstate"] = 0x6000_0000
    else:
        code = 0x33 if arch is X86_64 else 0x23
        task.cpu.registers |= {"eflags": 0x246, "cs": code, "ss": 0x2B, "ds": 0x2B, "es": 0x2B, "fs": 0, "gs": 0x63}
    return task


def handle(task, signo=SIGUSR1, flags=0, mask=0):
    task.group.signals.actions[signo] = SigAction(HANDLER, flags | SA_RESTORER, RESTORER, mask)


def leave_handler(task):
    """What `ret` and the trampoline do, and then the call that takes the frame down."""
    name = "rt_sigreturn"
    if task.arch is not ARM64:
        task.cpu.registers[task.arch.sp] += task.arch.word
    if task.arch is I386 and not task.group.signals.action(SIGUSR1).flags & SA_SIGINFO:
        task.cpu.registers["esp"] += 4
        name = "sigreturn"
    call(task, name)


@pytest.mark.parametrize("flags", [0, SA_SIGINFO])
def test_a_handler_runs_and_everything_is_as_before(task, flags):
    handle(task, flags=flags, mask=bit(SIGUSR2))
    before, fp = dict(task.cpu.registers), task.cpu.fp
    task.signals.mask = bit(SIGTERM)
    signals.send(task, SigInfo(SIGUSR1, -1, pid=7, uid=8, value=0x1234))
    deliver(task)
    assert task.cpu.get(task.arch.pc) == HANDLER
    assert task.signals.mask == bit(SIGUSR1) | bit(SIGUSR2) | bit(SIGTERM)
    first = {X86_64: "rdi", I386: "eax", ARM64: "x0"}[task.arch]
    assert task.cpu.get(first) == SIGUSR1
    sp = task.cpu.get(task.arch.sp)
    assert (sp + (0 if task.arch is ARM64 else task.arch.word)) % 16 == 0
    if task.arch is not ARM64:
        assert int.from_bytes(task.mm.read(sp, task.arch.word), "little") == RESTORER
    if flags:
        second = {X86_64: "rsi", I386: "edx", ARM64: "x1"}[task.arch]
        head = task.mm.read(task.cpu.get(second), 32)
        assert struct.unpack_from("<iii", head) == (SIGUSR1, 0, -1)
        assert struct.unpack_from("<iiI", head, 16 if task.arch.word == 8 else 12) == (7, 8, 0x1234)
    for name in before:
        if name not in (task.arch.sp, task.arch.pc, "cs", "ss", "ds", "es", "fs", "gs", "eflags", "pstate"):
            task.cpu.registers[name] = 0
    task.cpu.fp = b"changed"
    leave_handler(task)
    assert task.cpu.registers == before
    assert task.cpu.fp == fp
    assert task.signals.mask == bit(SIGTERM)


def test_where_the_frame_lies_on_x86_64():
    """The red zone is left alone, the FPU's state is 64-byte aligned, the frame's return address ends at 8 of 16."""
    task = prepared(X86_64)
    handle(task, flags=SA_SIGINFO)
    signals.send(task, SigInfo(SIGUSR1))
    deliver(task)
    fpstate = (STACK - 128 - 512) & -64
    frame = ((fpstate - 440) & -16) - 8
    assert task.cpu.get("rsp") == frame
    context = task.cpu.get("rdx")
    assert context == frame + 8
    assert int.from_bytes(task.mm.read(context + 40 + 184, 8), "little") == fpstate
    assert int.from_bytes(task.mm.read(context + 40 + 120, 8), "little") == STACK  # gregs[REG_RSP]
    assert task.mm.read(fpstate, 512) == fresh()


def test_without_restorer():
    """x86_64 needs one; i386 and arm64 return through the vDSO."""
    for arch in ARCHES.values():
        task = prepared(arch)
        task.group.signals.actions[SIGUSR1] = SigAction(HANDLER)
        signals.send(task, SigInfo(SIGUSR1))
        deliver(task)
        if arch is X86_64:
            assert task.group.exit_code == SIGSEGV
        elif arch is I386:
            assert int.from_bytes(task.mm.read(task.cpu.get("esp"), 4), "little") == 0x7000
        else:
            assert task.cpu.get("x30") == 0x7010


def test_a_stack_that_cannot_be_written_is_fatal(task):
    handle(task)
    task.cpu.registers[task.arch.sp] = NOWHERE
    signals.send(task, SigInfo(SIGUSR1))
    deliver(task)
    assert task.group.exit_code == SIGSEGV


def test_alternate_stack(task):
    alternate = SCRATCH + 0x2000
    layout = "<QiiQ" if task.arch.word == 8 else "<IiI"
    values = (alternate, 0, 0, 0x4000) if task.arch.word == 8 else (alternate, 0, 0x4000)
    task.mm.write(SCRATCH, struct.pack(layout, *values))
    assert call(task, "sigaltstack", SCRATCH, SCRATCH + 64) == 0
    assert struct.unpack_from("<i", task.mm.read(SCRATCH + 64 + task.arch.word, 4))[0] == 2  # SS_DISABLE
    handle(task, flags=SA_ONSTACK)
    signals.send(task, SigInfo(SIGUSR1))
    deliver(task)
    assert alternate < task.cpu.get(task.arch.sp) < alternate + 0x4000
    assert call(task, "sigaltstack", SCRATCH, 0) == -EPERM
    assert call(task, "sigaltstack", 0, SCRATCH + 64) == 0
    assert struct.unpack_from("<i", task.mm.read(SCRATCH + 64 + task.arch.word, 4))[0] == 1  # SS_ONSTACK
    leave_handler(task)
    assert call(task, "sigaltstack", SCRATCH, 0) == 0
    small = (alternate, 0, 0, 1000) if task.arch.word == 8 else (alternate, 0, 1000)
    task.mm.write(SCRATCH, struct.pack(layout, *small))
    assert call(task, "sigaltstack", SCRATCH, 0) == -ENOMEM


def test_flags_of_sigaction():
    task = prepared(X86_64)
    handle(task, flags=SA_RESETHAND | SA_NODEFER)
    signals.send(task, SigInfo(SIGUSR1))
    deliver(task)
    assert task.group.signals.action(SIGUSR1).handler == 0
    assert task.signals.mask == 0


# --- interrupted calls ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flags", "again"), [(0, False), (SA_RESTART, True)])
def test_an_interrupted_read_is_made_again_only_if_the_handler_says_so(task, flags, again):
    handle(task, flags=flags)
    assert call(task, "pipe2", SCRATCH, 0) == 0
    fd = int.from_bytes(task.mm.read(SCRATCH, 4), "little")
    task.cpu.registers[task.arch.result] = 77
    assert begin(task, "read", fd, SCRATCH, 1) is None
    signals.send(task, SigInfo(SIGUSR1))
    assert finish(task) == -EINTR
    task.cpu.set(task.arch.result, -EINTR & task.arch.mask)
    assert signals.has_pending(task)
    deliver(task)
    assert task.interrupted is None
    leave_handler(task)
    trap = 4 if task.arch is ARM64 else 2
    assert task.cpu.get(task.arch.pc) == (0x40_0000 - trap if again else 0x40_0000)
    assert task.cpu.get(task.arch.result) == (77 if again else -EINTR & task.arch.mask)


def test_a_sleep_goes_on_after_a_signal_without_handler(task):
    task.mm.write(SCRATCH, struct.pack("<qq" if task.arch.word == 8 else "<ii", 5, 0))
    assert begin(task, "nanosleep", SCRATCH, 0) is None
    task.kernel.scheduler.interrupt(task)
    assert finish(task) == -EINTR
    deliver(task)
    assert task.cpu.get(task.arch.number) == {X86_64: 219, I386: 0, ARM64: 128}[task.arch]
    assert call(task, "restart_syscall") == 0


def test_sigsuspend_puts_the_mask_back_behind_the_handler():
    task = prepared(X86_64)
    handle(task)
    task.signals.mask = bit(SIGUSR1)
    signals.send(task, SigInfo(SIGUSR1))
    task.mm.write(SCRATCH, bytes(8))
    assert call(task, "rt_sigsuspend", SCRATCH, 8) == -EINTR
    deliver(task)
    assert task.cpu.get("rip") == HANDLER
    leave_handler(task)
    assert task.signals.mask == bit(SIGUSR1)
    assert call(task, "rt_sigsuspend", SCRATCH, 4) == -EINVAL


# --- sending and waiting ----------------------------------------------------------------------------------------------


def test_kill():
    task = make_task(uid=5)
    assert call(task, "kill", task.tid, 0) == 0
    assert call(task, "kill", task.tid, 65) == -EINVAL
    assert call(task, "kill", 4711, 99) == -ESRCH
    assert call(task, "kill", -(1 << 31), 1) == -ESRCH
    assert call(task, "kill", -1, 1) == -ESRCH
    assert call(task, "tgkill", 0, task.tid, 1) == -EINVAL
    assert call(task, "tkill", 4711, 1) == -ESRCH
    task.signals.mask = bit(SIGUSR1)
    assert call(task, "kill", 0, SIGUSR1) == 0
    info = task.group.signals.pending[SIGUSR1][0]
    assert (info.code, info.pid, info.uid) == (0, task.tid, 5)


def test_sigqueueinfo():
    task = make_task()
    task.signals.mask = bit(SIGRTMIN)
    task.mm.write(SCRATCH, struct.pack("<iiiiiIQ", 0, 0, -1, 0, 1, 2, 3).ljust(128, b"\0"))
    for _ in range(2):
        assert call(task, "rt_sigqueueinfo", task.tid, SIGRTMIN, SCRATCH) == 0
    assert [info.value for info in task.group.signals.pending[SIGRTMIN]] == [3, 3]
    assert call(task, "rt_sigqueueinfo", 4711, SIGRTMIN, SCRATCH) == -ESRCH
    task.mm.write(SCRATCH + 8, struct.pack("<i", 0))
    assert call(task, "rt_sigqueueinfo", 4711, SIGRTMIN, SCRATCH) == -EPERM
    assert call(task, "rt_sigqueueinfo", task.tid, SIGRTMIN, NOWHERE) == -EFAULT


def test_sigtimedwait():
    task = make_task()
    task.signals.mask = bit(SIGUSR1)
    task.mm.write(SCRATCH, bit(SIGUSR1).to_bytes(8, "little") + struct.pack("<qq", 1, 0))
    assert call(task, "rt_sigtimedwait", SCRATCH, 0, SCRATCH + 8, 8) == -EAGAIN
    assert begin(task, "rt_sigtimedwait", SCRATCH, SCRATCH + 64, 0, 8) is None
    signals.send(task, SigInfo(SIGUSR1, pid=9))
    assert finish(task) == SIGUSR1
    assert struct.unpack("<5i", task.mm.read(SCRATCH + 64, 20)) == (SIGUSR1, 0, 0, 0, 9)
    assert not task.signals.pending
    assert begin(task, "rt_sigtimedwait", SCRATCH, 0, 0, 8) is None
    handle(task, SIGUSR2)
    signals.send(task, SigInfo(SIGUSR2))
    assert finish(task) == -EINTR


def test_ignored_signals_are_dropped_unless_blocked():
    task = make_task()
    signals.send(task, SigInfo(SIGCHLD))
    assert not signals.has_pending(task)
    task.signals.mask = bit(SIGCHLD)
    signals.send(task, SigInfo(SIGCHLD))
    assert signals.blocked_and_pending(task) == bit(SIGCHLD)
    task.mm.write(SCRATCH, struct.pack("<4Q", SIG_IGN, 0, 0, 0))
    assert call(task, "rt_sigaction", SIGCHLD, SCRATCH, 0, 8) == 0
    assert signals.blocked_and_pending(task) == 0


def test_stop_and_continue_cancel_each_other():
    task = make_task()
    task.signals.mask = bit(SIGTSTP) | bit(SIGCONT)
    signals.send(task, SigInfo(SIGTSTP))
    signals.send(task, SigInfo(SIGCONT))
    assert signals.blocked_and_pending(task) == bit(SIGCONT)
    signals.send(task, SigInfo(SIGTSTP))
    assert signals.blocked_and_pending(task) == bit(SIGTSTP)


def test_sigaction(task):
    word = task.arch.word
    packed = [n.to_bytes(word, "little") for n in (HANDLER, SA_RESTORER | 0x4000, RESTORER)]
    task.mm.write(SCRATCH, b"".join(packed) + ((1 << 64) - 1).to_bytes(8, "little"))
    assert call(task, "rt_sigaction", SIGUSR1, SCRATCH, 0, 8) == 0
    action = task.group.signals.action(SIGUSR1)
    assert (action.handler, action.flags) == (HANDLER, SA_RESTORER)  # unknown flags are not kept
    assert not action.mask & bit(SIGKILL)
    assert call(task, "rt_sigaction", SIGUSR1, 0, SCRATCH + 64, 8) == 0
    assert task.mm.read(SCRATCH + 64, word) == packed[0]
    assert call(task, "rt_sigaction", SIGKILL, SCRATCH, 0, 8) == -EINVAL
    assert call(task, "rt_sigaction", SIGKILL, 0, 0, 8) == 0
    assert call(task, "rt_sigaction", 65, 0, 0, 8) == -EINVAL
    assert call(task, "rt_sigaction", SIGUSR1, NOWHERE, 0, 4) == -EINVAL


def test_old_calls_of_i386():
    task = make_task(I386)
    assert call(task, "signal", SIGUSR1, HANDLER) == 0
    assert call(task, "signal", SIGUSR1, SIG_IGN) == HANDLER
    task.signals.mask = 5 | 1 << 40
    assert call(task, "ssetmask", 9) == 5
    assert task.signals.mask == 9
    task.mm.write(SCRATCH, struct.pack("<I", 6))
    task.signals.mask = 1 << 40
    assert call(task, "sigprocmask", 2, SCRATCH, 0) == 0
    assert task.signals.mask == 6 | 1 << 40
    assert call(task, "sigprocmask", 3, SCRATCH, 0) == -EINVAL


def test_those_outside_of_this_world_are_roots():
    root, user = make_task(), make_task(uid=1000)
    for pid in (77, 78):
        root.kernel.outer_session = user.kernel.outer_session = pid
        assert call(root, "kill", pid, 0) == 0
        assert call(root, "kill", pid, SIGUSR1) == -EPERM  # nothing leaves this world
        assert call(user, "kill", pid, 0) == -EPERM
        assert call(user, "sched_setscheduler", pid, 0, SCRATCH) == -EPERM
    assert call(root, "kill", 4711, 0) == -ESRCH
