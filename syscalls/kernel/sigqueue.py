"""How many signals a user may have waiting: RLIMIT_SIGPENDING (sig_get_ucounts and __send_signal_locked)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EAGAIN, SysError
from syscalls.abi.resource import RLIMIT_SIGPENDING
from syscalls.abi.signal import SI_USER, SIGRTMIN

if TYPE_CHECKING:
    from syscalls.kernel.signals import SigInfo
    from syscalls.kernel.task import Task, ThreadGroup


def queued(group: ThreadGroup) -> int:
    """Signals queued for, and timers of, all processes of the user of this one."""
    if not group.tasks:
        return 0
    uid, count = group.tasks[0].cred.uid, 0
    for other in group.kernel.groups.values():
        if other.tasks and other.tasks[0].cred.uid == uid:
            states = (other.signals, *(task.signals for task in other.tasks))
            count += sum(len(queue) for state in states for queue in state.pending.values()) + len(other.posix_timers)
    return count


def check(group: ThreadGroup) -> None:
    """EAGAIN when no more fit."""
    if queued(group) >= group.limit(RLIMIT_SIGPENDING):
        raise SysError(EAGAIN)


def check_signal(target: Task, info: SigInfo) -> None:
    """The same for a signal that must not be lost: a real-time one that does not come from kill(2)."""
    if info.signo >= SIGRTMIN and info.code != SI_USER:
        check(target.group)
