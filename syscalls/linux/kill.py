"""Sending signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2) (kernel/signal.c)."""

from __future__ import annotations

from collections.abc import Iterable

from syscalls.abi.errno import EINVAL, EPERM, ESRCH, SysError
from syscalls.abi.kinds import In, Pid, Pointer, Signal
from syscalls.abi.prctl import CAP_KILL
from syscalls.abi.signal import NSIG, SI_TKILL, SI_USER, SIGCONT
from syscalls.abi.structs.siginfo import SIGINFO_SIZE, Siginfo
from syscalls.kernel import siginfo, signals, sigqueue
from syscalls.kernel.signals import SigInfo
from syscalls.kernel.task import Task, ThreadGroup
from syscalls.spec import syscall

INT_MIN = -(1 << 31)


def _check_number(signo: int) -> None:
    if not 0 <= signo <= NSIG:
        raise SysError(EINVAL)


def _check(task: Task, other: Task, signo: int) -> None:
    """EINVAL for no signal, EPERM for somebody else's process (check_kill_permission)."""
    _check_number(signo)
    mine, theirs = task.cred, other.cred
    if task.group is other.group or {mine.euid, mine.uid} & {theirs.suid, theirs.uid}:
        return
    if mine.ns_capable(theirs.user_ns, CAP_KILL):
        return
    if signo != SIGCONT or task.group.sid != other.group.sid:
        raise SysError(EPERM)


def send_to_group(task: Task, group: ThreadGroup, signo: int, info: SigInfo) -> None:
    """To a process; EINVAL, EPERM (kill_pid_info)."""
    leader = group.tasks[0] if group.tasks else group.dead_leader
    if leader is None:  # it is not quite there yet
        _check_number(signo)
        return
    _check(task, leader, signo)
    if signo and group.tasks:  # a signal does a zombie no harm
        sigqueue.check_signal(leader, info)
        signals.send(leader, info, whole_group=True)


def _send_to_some(task: Task, groups: Iterable[ThreadGroup], signo: int, info: SigInfo) -> int:
    """All of them; it is enough that one may be sent to (__kill_pgrp_info)."""
    error: int | None = ESRCH
    succeeded = False
    for group in groups:
        try:
            send_to_group(task, group, signo, info)
            succeeded = True
        except SysError as failure:
            error = failure.errno
    if not succeeded and error is not None:
        raise SysError(error)
    return 0


def _group(task: Task, pid: int) -> ThreadGroup:
    """The process of a process or thread id; ESRCH, EPERM."""
    other = task.kernel.tasks.get(pid)
    group = other.group if other is not None else task.kernel.groups.get(pid)  # a zombie
    if group is None:
        raise task.kernel.missing(pid)
    return group


@syscall()
def kill(task: Task, pid: Pid, sig: Signal) -> int:
    """Send a signal to a process, a process group (0, -pgid), or everybody (-1) (kill(2))."""
    info = SigInfo(sig, SI_USER, pid=task.group.tgid, uid=task.cred.uid)
    if pid > 0:
        if not sig and task.kernel.is_outside(pid) and task.cred.capable(CAP_KILL):
            return 0
        send_to_group(task, _group(task, pid), sig, info)
        return 0
    if pid == INT_MIN:
        raise SysError(ESRCH)
    groups = list(task.kernel.groups.values())
    if pid == -1:
        return _send_to_some(task, [group for group in groups if group.tgid > 1 and group is not task.group], sig, info)
    pgid = -pid or task.group.pgid
    return _send_to_some(task, [group for group in groups if group.pgid == pgid], sig, info)


def _send_to_thread(task: Task, tgid: int | None, tid: int, signo: int, info: SigInfo) -> int:
    """do_send_specific."""
    other = task.kernel.tasks.get(tid)
    if other is None:
        raise task.kernel.missing(tid)
    if tgid not in (None, other.group.tgid):
        raise SysError(ESRCH)
    _check(task, other, signo)
    if signo:
        sigqueue.check_signal(other, info)
        signals.send(other, info)
    return 0


@syscall()
def tgkill(task: Task, tgid: Pid, tid: Pid, sig: Signal) -> int:
    """Send a signal to one thread of a process (tgkill(2))."""
    if tgid <= 0 or tid <= 0:
        raise SysError(EINVAL)
    info = SigInfo(sig, SI_TKILL, pid=task.group.tgid, uid=task.cred.uid)
    return _send_to_thread(task, tgid, tid, sig, info)


@syscall()
def tkill(task: Task, tid: Pid, sig: Signal) -> int:
    """Send a signal to a thread (tkill(2))."""
    if tid <= 0:
        raise SysError(EINVAL)
    info = SigInfo(sig, SI_TKILL, pid=task.group.tgid, uid=task.cred.uid)
    return _send_to_thread(task, None, tid, sig, info)


def _given(task: Task, uinfo: Pointer[Siginfo], signo: int, pid: int) -> SigInfo:
    """The caller's siginfo; nobody may pretend to others that the kernel or kill(2) had sent it."""
    data = task.mm.read(uinfo.address, SIGINFO_SIZE)
    info = siginfo.unpack(signo.to_bytes(4, "little", signed=True) + data[4:], uinfo.layout.arch)
    if (info.code >= 0 or info.code == SI_TKILL) and pid != task.tid:
        raise SysError(EPERM)
    return info


@syscall()
def rt_sigqueueinfo(task: Task, tgid: Pid, sig: Signal, uinfo: In[Siginfo]) -> int:
    """Send a signal with data to a process (rt_sigqueueinfo(2))."""
    info = _given(task, uinfo, sig, tgid)
    if tgid <= 0:
        raise SysError(ESRCH)
    send_to_group(task, _group(task, tgid), sig, info)
    return 0


@syscall()
def rt_tgsigqueueinfo(task: Task, tgid: Pid, tid: Pid, sig: Signal, uinfo: In[Siginfo]) -> int:
    """Send a signal with data to a thread (rt_tgsigqueueinfo(2))."""
    info = _given(task, uinfo, sig, tid)
    if tgid <= 0 or tid <= 0:
        raise SysError(EINVAL)
    return _send_to_thread(task, tgid, tid, sig, info)
