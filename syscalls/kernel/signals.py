"""Signals: who has which pending, what is blocked, and what happens at delivery (signal(7), kernel/signal.c)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syscalls.abi.signal import (
    SIG_DFL,
    SIG_IGN,
    SIGABRT,
    SIGBUS,
    SIGCHLD,
    SIGCONT,
    SIGFPE,
    SIGILL,
    SIGKILL,
    SIGQUIT,
    SIGRTMIN,
    SIGSEGV,
    SIGSTOP,
    SIGSYS,
    SIGTRAP,
    SIGTSTP,
    SIGTTIN,
    SIGTTOU,
    SIGURG,
    SIGWINCH,
    SIGXCPU,
    SIGXFSZ,
)

if TYPE_CHECKING:
    from syscalls.kernel.task import Task, ThreadGroup

CORE_SIGNALS = frozenset(
    {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS}
)  # fmt: skip
IGNORED_SIGNALS = frozenset({SIGCHLD, SIGCONT, SIGURG, SIGWINCH})
STOP_SIGNALS = frozenset({SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU})
UNBLOCKABLE = 1 << SIGKILL - 1 | 1 << SIGSTOP - 1
#: Faults are delivered before anything else (synchronous signals, kernel/signal.c SYNCHRONOUS_MASK).
SYNCHRONOUS = (SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS)
CORE_DUMPED = 0x80


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
    trapno: int = 0  # for the signal frame only
    error: int = 0


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


@dataclass(slots=True)
class SignalState:
    """Pending signals of a task or of a process; a task's also has its mask, a process's the dispositions."""

    group: SignalState | None = None
    pending: dict[int, list[SigInfo]] = field(default_factory=dict)
    mask: int = 0
    actions: dict[int, SigAction] = field(default_factory=dict)
    altstack: AltStack = field(default_factory=AltStack)
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
        """Queue a signal: a standard one at most once, real-time ones each."""
        queue = self.pending.setdefault(info.signo, [])
        if info.signo >= SIGRTMIN or not queue:
            queue.append(info)

    def take(self, blocked: int) -> SigInfo | None:
        """Dequeue the first signal that is not blocked: faults first, then by number."""
        for signo in (*SYNCHRONOUS, *sorted(self.pending)):
            if signo in self.pending and not blocked >> signo - 1 & 1:
                queue = self.pending[signo]
                info = queue.pop(0)
                if not queue:
                    del self.pending[signo]
                return info
        return None


def is_ignored(group: ThreadGroup, signo: int) -> bool:
    """Would the signal do nothing at all? (sig_ignored)."""
    handler = group.signals.action(signo).handler
    return handler == SIG_IGN or (handler == SIG_DFL and signo in IGNORED_SIGNALS)


def send(task: Task, info: SigInfo, *, whole_group: bool = False) -> None:
    """Make a signal pending for a thread, or for its process; ignored ones are dropped unless blocked."""
    blocked = task.signals.mask >> info.signo - 1 & 1
    if is_ignored(task.group, info.signo) and not blocked:
        return
    (task.group.signals if whole_group else task.signals).add(info)
    candidates = task.group.tasks if whole_group else [task]
    for candidate in candidates:
        if not candidate.signals.mask >> info.signo - 1 & 1:
            task.kernel.scheduler.interrupt(candidate)
            break


def force(task: Task, info: SigInfo) -> None:
    """A fault of the task itself: it cannot be blocked or ignored (force_sig_info)."""
    action = task.group.signals.action(info.signo)
    bit = 1 << info.signo - 1
    if task.signals.mask & bit or action.handler == SIG_IGN:
        task.group.signals.actions.pop(info.signo, None)
        task.signals.mask &= ~bit
    task.signals.add(info)


def has_pending(task: Task) -> bool:
    """Is there a signal that `deliver` would act on?"""
    return bool((task.signals.pending_mask() | task.group.signals.pending_mask()) & ~task.signals.mask)


def deliver(task: Task) -> None:
    """Act on all pending signals, as on the way back to user mode (get_signal, handle_signal)."""
    from syscalls.kernel import sigframe

    while task.alive:
        info = task.signals.take(task.signals.mask) or task.group.signals.take(task.signals.mask)
        if info is None:
            return
        action = task.group.signals.action(info.signo)
        default = action.handler == SIG_DFL
        if action.handler == SIG_IGN or (default and info.signo in IGNORED_SIGNALS):
            continue
        if task.kernel.observer is not None:
            task.kernel.observer.signal(task, info)
        if not default:
            sigframe.push(task, info, action)
            continue
        if info.signo in STOP_SIGNALS:
            continue  # job control comes with processes: nobody could continue this one
        core = info.signo in CORE_SIGNALS and bool(task.group.dumpable)
        task.exit_group(info.signo | (CORE_DUMPED if core and _core_limit(task) else 0))


def _core_limit(task: Task) -> int:
    from syscalls.abi.resource import RLIMIT_CORE

    return task.group.limit(RLIMIT_CORE)
