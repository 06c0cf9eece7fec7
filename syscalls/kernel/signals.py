"""Signals: who has which pending, what is blocked, and what happens at delivery (signal(7), kernel/signal.c)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, ENOMEM, EPERM, SysError
from syscalls.abi.poll import POLLIN
from syscalls.abi.signal import (
    DEFAULT_IGNORE,
    DEFAULT_STOP,
    MINSIGSTKSZ,
    SI_KERNEL,
    SI_USER,
    SIG_DFL,
    SIG_IGN,
    SIGBUS,
    SIGCONT,
    SIGFPE,
    SIGILL,
    SIGKILL,
    SIGRTMIN,
    SIGSEGV,
    SIGSYS,
    SIGTRAP,
    SS_AUTODISARM,
    SS_DISABLE,
    SS_ONSTACK,
    UNBLOCKABLE,
    bit,
)
from syscalls.kernel.wait import Interrupted

if TYPE_CHECKING:
    from syscalls.abi.structs.signal import SigaltStack
    from syscalls.kernel.posixtimer import PosixTimer
    from syscalls.kernel.task import Task, ThreadGroup

#: Faults are delivered before anything else (SYNCHRONOUS_MASK of kernel/signal.c).
SYNCHRONOUS = (SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS)
_STOPPING = DEFAULT_STOP | bit(SIGCONT) | bit(SIGKILL)


@dataclass(slots=True)
class SigInfo:
    """siginfo_t: which fields mean something depends on `code` (sigaction(2))."""

    signo: int
    code: int = 0
    errno: int = 0
    pid: int = 0
    uid: int = 0
    address: int = 0  # si_addr of faults
    value: int = 0  # si_value, as wide as a pointer
    status: int = 0  # si_status of SIGCHLD
    utime: int = 0
    stime: int = 0
    timer_id: int = 0
    overrun: int = 0
    band: int = 0
    fd: int = 0
    call_address: int = 0  # SIGSYS
    syscall: int = 0
    arch: int = 0
    timer: PosixTimer | None = None  # that has sent it


@dataclass(slots=True)
class SigAction:
    """struct sigaction: SIG_DFL, SIG_IGN or the handler's address."""

    handler: int = SIG_DFL
    flags: int = 0
    restorer: int = 0
    mask: int = 0


@dataclass(slots=True)
class AltStack:
    """sigaltstack(2)."""

    sp: int = 0
    flags: int = 0
    size: int = 0

    def holds(self, sp: int) -> bool:
        """Is a stack pointer on it? One that disarms itself never counts (on_sig_stack)."""
        return not self.flags & SS_AUTODISARM and self.covers(sp)

    def covers(self, sp: int) -> bool:
        """Is a stack pointer within it? (__on_sig_stack)."""
        return self.sp < sp <= self.sp + self.size


@dataclass(slots=True)
class SignalState:
    """Pending signals of a task or of a process; a task's also has its mask, a process's the dispositions."""

    group: SignalState | None = None
    pending: dict[int, list[SigInfo]] = field(default_factory=dict)
    mask: int = 0
    actions: dict[int, SigAction] = field(default_factory=dict)
    altstack: AltStack = field(default_factory=AltStack)
    waiting: int = 0  # what sigtimedwait(2) waits for: blocked, but it wakes the task
    saved_mask: int | None = None  # sigsuspend, ppoll ...: put back once the handler's frame is built

    def action(self, signo: int) -> SigAction:
        """Disposition of a signal."""
        return (self.group or self).actions.get(signo) or SigAction()

    def pending_mask(self) -> int:
        """Bits of the signals pending here."""
        bits = 0
        for signo in self.pending:
            bits |= 1 << signo - 1
        return bits

    def add(self, info: SigInfo) -> None:
        """Queue a signal: a standard one at most once, real-time ones and those of timers each."""
        queue = self.pending.setdefault(info.signo, [])
        if info.signo >= SIGRTMIN or not queue or info.timer is not None:
            queue.append(info)

    def take(self, blocked: int) -> SigInfo | None:
        """Dequeue the first signal that is not blocked: faults first, then by number."""
        for signo in self.pending if len(self.pending) == 1 else (*SYNCHRONOUS, *sorted(self.pending)):
            if signo in self.pending and not blocked >> signo - 1 & 1:
                queue = self.pending[signo]
                info = queue.pop(0)
                if not queue:
                    del self.pending[signo]
                if info.timer is not None:
                    info.timer.taken(info)
                return info
        return None


def is_ignored(group: ThreadGroup, signo: int) -> bool:
    """Would the signal do nothing at all? (sig_ignored)."""
    handler = group.signals.action(signo).handler
    return handler == SIG_IGN or (handler == SIG_DFL and bool(DEFAULT_IGNORE & bit(signo)))


def would_kill(task: Task, signo: int) -> bool:
    """Does a fault with this signal end the process? It cannot be blocked or ignored."""
    return bool(task.signals.mask & bit(signo)) or task.group.signals.action(signo).handler in (SIG_DFL, SIG_IGN)


def send(task: Task, info: SigInfo, *, whole_group: bool = False) -> None:
    """Make a signal pending for a thread, or for its process (send_signal).

    One that is ignored is dropped, unless it is blocked or somebody watches: a tracer sees it (sig_ignored).
    """
    signo = info.signo
    _stop_and_continue(task.group, signo)
    watched = task.kernel.observer is not None
    if not watched and is_ignored(task.group, signo) and not task.signals.mask & bit(signo):
        return
    (task.group.signals if whole_group else task.signals).add(info)
    task.group.signal_sent.wake(events=POLLIN)
    for candidate in [task, *task.group.tasks] if whole_group else [task]:
        if not candidate.signals.mask & ~candidate.signals.waiting & bit(signo):
            task.kernel.scheduler.interrupt(candidate)
            break


def send_to_self(task: Task, signo: int) -> None:
    """A signal by which the kernel tells a thread what its own call did: SIGPIPE, SIGXFSZ (send_sig with priv 0)."""
    send(task, SigInfo(signo, SI_USER, pid=task.group.tgid, uid=task.cred.uid))


def _stop_and_continue(group: ThreadGroup, signo: int) -> None:
    """SIGCONT takes back pending stops, and a stop a pending SIGCONT (prepare_signal)."""
    if not _STOPPING & bit(signo):
        return
    from syscalls.kernel import jobs

    if signo == SIGCONT:
        flush(group, DEFAULT_STOP)
        jobs.resume(group)
    elif signo == SIGKILL:
        jobs.resume(group, killed=True)
    elif DEFAULT_STOP & bit(signo):
        flush(group, bit(SIGCONT))


def flush(group: ThreadGroup, mask: int) -> None:
    """Forget pending signals, those of all threads too (flush_sigqueue_mask)."""
    for state in (group.signals, *(task.signals for task in group.tasks)):
        for signo in [signo for signo in state.pending if mask & bit(signo)]:
            del state.pending[signo]


def force(task: Task, info: SigInfo) -> None:
    """A fault of the task itself: it cannot be blocked or ignored (force_sig_info)."""
    if would_kill(task, info.signo):
        task.group.signals.actions.pop(info.signo, None)
        task.signals.mask &= ~bit(info.signo)
    task.signals.pending.pop(info.signo, None)
    task.signals.add(info)


def force_sigsegv(task: Task, signo: int = 0) -> None:
    """No frame could be built or taken down. The program may handle that, unless it is SIGSEGV's own frame."""
    if signo == SIGSEGV:
        task.group.signals.actions.pop(SIGSEGV, None)
    force(task, SigInfo(SIGSEGV, SI_KERNEL))


def set_mask(task: Task, mask: int) -> None:
    """What the task blocks from now on; SIGKILL and SIGSTOP cannot be (set_current_blocked)."""
    task.signals.mask = mask & ~UNBLOCKABLE


def take(task: Task, wanted: int) -> SigInfo | None:
    """Dequeue a signal out of a set, the thread's own before the process's (dequeue_signal)."""
    return task.signals.take(~wanted) or task.group.signals.take(~wanted)


def blocked_and_pending(task: Task) -> int:
    """What sigpending(2) shows."""
    return (task.signals.pending_mask() | task.group.signals.pending_mask()) & task.signals.mask


def has_pending(task: Task) -> bool:
    """Is there a signal that `deliver` would act on?"""
    if task.interrupted is not None:
        return True
    if not task.signals.pending and not task.group.signals.pending:
        return False
    return bool((task.signals.pending_mask() | task.group.signals.pending_mask()) & ~task.signals.mask)


def is_killed(task: Task) -> bool:
    """Is SIGKILL pending, so that the task will not see the result of its call? (fatal_signal_pending)."""
    return SIGKILL in task.signals.pending or SIGKILL in task.group.signals.pending


def new_altstack(task: Task, new: SigaltStack, *, on_it: bool) -> AltStack:
    """The stack that a stack_t describes; EPERM while the current one is in use, EINVAL, ENOMEM."""
    if on_it:
        raise SysError(EPERM)
    flags = new.ss_flags & 0xFFFFFFFF
    mode = flags & ~SS_AUTODISARM
    if mode not in (SS_DISABLE, SS_ONSTACK, 0):
        raise SysError(EINVAL)
    if AltStack(new.ss_sp, flags, new.ss_size) == task.signals.altstack:
        return task.signals.altstack
    if mode == SS_DISABLE:
        return AltStack(0, flags, 0)
    if new.ss_size < MINSIGSTKSZ[task.arch.name]:
        raise SysError(ENOMEM)
    return AltStack(new.ss_sp, flags, new.ss_size)


@contextmanager
def temporary_mask(task: Task, mask: int | None) -> Iterator[None]:
    """Block other signals during a call; None: no others (set_user_sigmask, restore_saved_sigmask_unless).

    When a signal interrupts the call, the mask is put back only after its handler's frame was built.
    """
    if mask is None:
        yield
        return
    task.signals.saved_mask = task.signals.mask
    set_mask(task, mask)
    try:
        yield
    except Interrupted:
        raise
    except BaseException:
        put_back(task)
        raise
    put_back(task)


def put_back(task: Task) -> None:
    """Restore the mask that `temporary_mask` has replaced."""
    if task.signals.saved_mask is not None:
        task.signals.mask = task.signals.saved_mask
        task.signals.saved_mask = None
