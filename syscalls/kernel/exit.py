"""How tasks end, and who is told (kernel/exit.c, do_notify_parent in kernel/signal.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import SysError
from syscalls.abi.resource import RLIMIT_CORE
from syscalls.abi.signal import (
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
    DEFAULT_CORE,
    NSIG,
    SA_NOCLDWAIT,
    SI_USER,
    SIG_IGN,
    SIGCHLD,
    bit,
)
from syscalls.abi.time import USER_TICK_NS
from syscalls.fs.path import FsContext
from syscalls.kernel import ctty, futex, jobs, signals, usage
from syscalls.kernel.signals import SigInfo
from syscalls.kernel.timers import disarm_all

if TYPE_CHECKING:
    from syscalls.kernel.task import Task, ThreadGroup

CORE_DUMPED = 0x80


def exit_task(task: Task, status: int) -> None:
    """End a thread; `status` as in wait(2). The last one ends the process (do_exit)."""
    group, kernel = task.group, task.kernel
    task.alive = False
    task.release_thread_pointers()
    group.tasks.remove(task)
    if task.sleeping is not None and task is not kernel.current:
        task.sleeping.coroutine.close()  # its `finally` takes it out of the queues it waits in
    if task.tid == group.tgid and not group.group_exit:
        group.exit_code = status
    group.uid = task.cred.uid
    if task.tid == group.tgid:
        group.dead_leader = task
    task.vfork_done()
    usage.ended(task)
    task.mm.release()
    task.files.release()
    task.fs = FsContext(task.fs.root, task.fs.root)  # whoever removes its working directory need not wait for us
    _leave_children(task)
    if not group.tasks:
        task.ns.ipc.semaphores.undo(group)
        _end_process(group)
    kernel.exited(task, status)
    if not group.tasks:
        _notify_parent(group)


def exit_group(task: Task, status: int) -> None:
    """End every thread of the process (do_group_exit)."""
    group = task.group
    if group.group_exit:
        return
    group.group_exit = True
    group.exit_code = status
    for other in [other for other in group.tasks if other is not task]:
        exit_task(other, status)
    exit_task(task, status)


def killed_by(task: Task, signo: int) -> int:
    """What wait(2) tells of a process that a signal ends: also whether its memory is dumped."""
    dumped = DEFAULT_CORE & bit(signo) and task.group.dumpable == 1 and task.group.limit(RLIMIT_CORE)
    return signo | (CORE_DUMPED if dumped else 0)


def _leave_children(task: Task) -> None:
    """Children of a thread become those of another one of its process; some are told (forget_original_parent)."""
    group = task.group
    for child in [child for child in group.children if child.forked_by is task]:
        child.forked_by = group.tasks[0] if group.tasks else None
        for orphan in child.tasks:
            if orphan.death_signal:
                info = SigInfo(orphan.death_signal, SI_USER, pid=group.tgid, uid=task.cred.uid)
                signals.send(orphan, info, whole_group=True)


def _end_process(group: ThreadGroup) -> None:
    """What goes with the last thread: timers; children get another parent (forget_original_parent, reparent_leader)."""
    group.exe = None
    disarm_all(group)
    ctty.leave(group, ending=True)
    heir = _reaper(group)
    children, group.children = group.children, []
    for child in children:
        child.parent, child.parent_outside = heir, 1
        child.exit_signal = SIGCHLD
        if heir is not None:
            heir.children.append(child)
            child.forked_by = heir.tasks[0]
            if child.zombie:
                _notify_parent(child)
        elif child.zombie:
            reap(child)
        jobs.abandoned(child, group)
    jobs.left(group)


def _reaper(group: ThreadGroup) -> ThreadGroup | None:
    """The nearest ancestor that has made itself a subreaper; None: nobody in this world."""
    ancestor = group.parent
    while ancestor is not None and not (ancestor.child_subreaper and ancestor.tasks):
        ancestor = ancestor.parent
    return ancestor


def _notify_parent(group: ThreadGroup) -> None:
    """Become a zombie and tell the parent, unless it does not want to know."""
    group.zombie = True
    group.ended.wake()
    parent = group.parent
    if parent is None or not parent.tasks:
        reap(group)
        return
    action = parent.signals.action(SIGCHLD)
    unwanted = group.exit_signal == SIGCHLD and (action.handler == SIG_IGN or action.flags & SA_NOCLDWAIT)
    if unwanted:
        reap(group)
    silent = not 1 <= group.exit_signal <= NSIG or (unwanted and action.handler == SIG_IGN)
    if not silent:
        signals.send(parent.tasks[0], child_info(group, group.exit_signal), whole_group=True)
    parent.child_changed.wake()


def child_info(group: ThreadGroup, signo: int = SIGCHLD) -> SigInfo:
    """The siginfo that says how a process ended."""
    code = group.exit_code or 0
    number = code & 0x7F
    kind = CLD_EXITED if not number else CLD_DUMPED if code & CORE_DUMPED else CLD_KILLED
    used = usage.of_group(group)
    return SigInfo(
        signo, kind, pid=group.tgid, uid=group.uid, status=number or code >> 8 & 0xFF,
        utime=used.user_ns // USER_TICK_NS, stime=used.system_ns // USER_TICK_NS,
    )  # fmt: skip


def reap(group: ThreadGroup) -> None:
    """Forget a process that has ended and been waited for (release_task)."""
    group.kernel.groups.pop(group.tgid, None)
    if group.parent is not None and group in group.parent.children:
        group.parent.children.remove(group)


def clear_child_tid(task: Task) -> None:
    """Tell those who join the thread that it has gone: zero, and wake a futex (mm_release)."""
    address, task.clear_child_tid = task.clear_child_tid, 0
    if not address or task.mm.users < 2:
        return
    try:
        task.mm.write(address, bytes(4))
        task.kernel.futexes.wake(futex.key_of(task, address, private=False), 1)
    except SysError:
        return  # the program's own affair
