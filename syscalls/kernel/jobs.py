"""Job control: processes that stop and go on, and process groups that nobody can continue any more.

Follows kernel/signal.c (do_signal_stop, prepare_signal, do_notify_parent_cldstop) and kernel/exit.c
(kill_orphaned_pgrp).
A stopped process keeps its tasks out of the run queue: whoever's turn it would be is parked until SIGCONT or SIGKILL.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from syscalls.abi.signal import (
    CLD_CONTINUED,
    CLD_STOPPED,
    SA_NOCLDSTOP,
    SI_KERNEL,
    SIG_IGN,
    SIGCHLD,
    SIGCONT,
    SIGHUP,
    SIGSTOP,
)
from syscalls.kernel import signals
from syscalls.kernel.signals import SigInfo

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task, ThreadGroup


def stop(task: Task, signo: int) -> None:
    """Take a stop signal: the whole process stops, unless its orphaned process group makes it meaningless."""
    group = task.group
    if signo != SIGSTOP and is_orphaned(group.kernel, group.pgid):
        return
    group.stopped, group.stop_unreported, group.continue_unreported = signo, True, False
    for other in group.tasks:
        if other is not task:
            group.kernel.scheduler.interrupt(other)
    _notify(group, SigInfo(SIGCHLD, CLD_STOPPED, pid=group.tgid, uid=task.cred.uid, status=signo))


def park(task: Task) -> None:
    """A task of a stopped process does not run: it waits for `resume`."""
    group, observer = task.group, task.kernel.observer
    if observer is not None:
        observer.stopped(task, group.stopped)
    group.parked.append(task)


def resume(group: ThreadGroup, *, killed: bool = False) -> None:
    """Let a stopped process go on; its parent is told, unless it goes on only to die of SIGKILL."""
    if not group.stopped:
        return
    group.stopped, group.stop_unreported = 0, False
    parked, group.parked = group.parked, []
    for task in parked:
        if task.alive:
            group.kernel.scheduler.ready(task)
    if not killed:
        group.continue_unreported = True
        uid = group.tasks[0].cred.uid if group.tasks else 0
        _notify(group, SigInfo(SIGCHLD, CLD_CONTINUED, pid=group.tgid, uid=uid, status=SIGCONT))


def _notify(group: ThreadGroup, info: SigInfo) -> None:
    """SIGCHLD for the parent unless it has said SA_NOCLDSTOP; a wait of it looks in any case."""
    parent = group.parent
    if parent is None or not parent.tasks:
        return
    action = parent.signals.action(SIGCHLD)
    if action.handler != SIG_IGN and not action.flags & SA_NOCLDSTOP:
        signals.send(parent.tasks[0], info, whole_group=True)
    parent.child_changed.wake()


def members(kernel: Kernel, pgid: int) -> Iterator[ThreadGroup]:
    """The processes of a process group, zombies too."""
    return (group for group in kernel.groups.values() if group.pgid == pgid)


def is_orphaned(kernel: Kernel, pgid: int, ignored: ThreadGroup | None = None) -> bool:
    """Has no member a parent in the same session but outside of the group? (will_become_orphaned_pgrp)."""
    return pgid != kernel.outer_session and not any(
        group.tasks and group is not ignored and _connects(*_home_of_parent(group), group.sid, pgid)
        for group in members(kernel, pgid)
    )


def _connects(parent_pgid: int, parent_sid: int, sid: int, pgid: int) -> bool:
    return parent_pgid != pgid and parent_sid == sid


def _home_of_parent(group: ThreadGroup) -> tuple[int, int]:
    """Process group and session of the parent.

    The shell outside leads its session and group; init, who takes orphans, has session 1.
    """
    parent = group.parent
    if parent is not None:
        return parent.pgid, parent.sid
    outer = group.kernel.outer_session
    return (outer, outer) if group.ppid == outer else (1, 1)


def group_exists(kernel: Kernel, pgid: int, sid: int) -> bool:
    """Is there such a process group in a session? The outer shell's is there for ever."""
    return pgid == sid == kernel.outer_session or any(group.sid == sid for group in members(kernel, pgid))


def left(group: ThreadGroup) -> None:
    """A process has ended: perhaps it was what connected its process group with others (exit_notify)."""
    _hang_up(group, *_home_of_parent(group), ignored=group)


def abandoned(child: ThreadGroup, father: ThreadGroup) -> None:
    """A process has lost its parent, perhaps its group's only connection outside (reparent_leader)."""
    if child.tasks:
        _hang_up(child, father.pgid, father.sid, ignored=None)


def _hang_up(group: ThreadGroup, pgid: int, sid: int, ignored: ThreadGroup | None) -> None:
    """SIGHUP and SIGCONT for a newly orphaned process group that has a stopped member (kill_orphaned_pgrp)."""
    kernel = group.kernel
    if not _connects(pgid, sid, group.sid, group.pgid) or not is_orphaned(kernel, group.pgid, ignored):
        return
    if any(member.stopped for member in members(kernel, group.pgid)):
        signal_group(kernel, group.pgid, SIGHUP)
        signal_group(kernel, group.pgid, SIGCONT)


def signal_group(kernel: Kernel, pgid: int, signo: int) -> bool:
    """The kernel itself sends a signal to a process group; is there anybody in it? (kill_pgrp with priv 1)."""
    targets = [group for group in members(kernel, pgid) if group.tasks]
    for group in targets:
        signal_process(group, signo)
    return bool(targets)


def signal_process(group: ThreadGroup, signo: int) -> None:
    """The kernel itself sends a signal to a process, if it still lives."""
    if group.tasks:
        signals.send(group.tasks[0], SigInfo(signo, SI_KERNEL), whole_group=True)
