"""Namespaces: unshare(2), setns(2) (kernel/fork.c, kernel/nsproxy.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from syscalls.abi import sched
from syscalls.abi.errno import EINVAL, EPERM, EUSERS, SysError
from syscalls.abi.kinds import Fd, FlagsKind
from syscalls.abi.sched import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VM,
)
from syscalls.fs.cred import CAP_SYS_ADMIN, CAP_SYS_CHROOT
from syscalls.fs.path import FsContext
from syscalls.kernel import namespaces
from syscalls.kernel.creds import commit
from syscalls.kernel.namespaces import FLAG, MADE, SINGLE, MountNamespace, Namespace, UserNs
from syscalls.kernel.nsfs import NsFile
from syscalls.kernel.pidfd import PidFile
from syscalls.kernel.ptrace_access import check_access
from syscalls.kernel.task import Task
from syscalls.spec import syscall

UnshareFlags = Annotated[int, FlagsKind(sched.UNSHARE_FLAGS)]
Types = Annotated[int, FlagsKind(sched.SETNS_TYPES)]

PARTIAL = "there is one PID and one time namespace; to ask for another is EINVAL"
_NAMESPACES = MADE | SINGLE | CLONE_NEWUSER
_KNOWN = CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM | _NAMESPACES
#: The order in which validate_nsset looks at them.
_ORDER = ("user", "mnt", "uts", "ipc", "pid", "cgroup", "net", "time")


@syscall(partial=PARTIAL)
def unshare(task: Task, flags: UnshareFlags) -> int:
    """Have for oneself what has been shared so far (unshare(2))."""
    flags |= CLONE_THREAD | CLONE_FS if flags & CLONE_NEWUSER else 0
    flags |= CLONE_SIGHAND if flags & CLONE_VM else 0
    flags |= CLONE_THREAD if flags & CLONE_SIGHAND else 0
    flags |= CLONE_FS if flags & CLONE_NEWNS else 0
    _check_flags(task, flags)
    fs = task.fs.copy() if flags & CLONE_FS and (_is_shared(task) or flags & CLONE_NEWNS) else task.fs
    cred = namespaces.new_user_namespace(task, task.cred) if flags & CLONE_NEWUSER else task.cred
    ns = namespaces.copy(task, flags, cred, fs)
    if flags & (CLONE_NEWIPC | CLONE_SYSVSEM):
        task.ns.ipc.semaphores.undo(task.group)
    task.ns, task.fs = ns, fs
    if flags & CLONE_FILES and task.files.users > 1:
        old, task.files = task.files, task.files.copy()
        old.release()
    if cred is not task.cred:
        commit(task, cred)
    return 0


def _check_flags(task: Task, flags: int) -> None:
    """EINVAL for unknown ones, and for what threads must share (check_unshare_flags)."""
    if flags & ~_KNOWN:
        raise SysError(EINVAL)
    if flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) and len(task.group.tasks) > 1:
        raise SysError(EINVAL)
    if flags & (CLONE_SIGHAND | CLONE_VM):
        others = [other for other in task.kernel.tasks.values() if other is not task]
        actions = task.group.signals.actions
        if any(other.group.signals.actions is actions for other in others):
            raise SysError(EINVAL)
        if flags & CLONE_VM and any(other.mm is task.mm for other in others):
            raise SysError(EINVAL)


def _is_shared(task: Task) -> bool:
    """Has somebody else the same root and working directory (fs->users)?"""
    return any(other.fs is task.fs for other in task.kernel.tasks.values() if other is not task)


@syscall(partial=PARTIAL)
def setns(task: Task, fd: Fd, nstype: Types) -> int:
    """Enter a namespace of a file of /proc/PID/ns, or some of a process by its pidfd (setns(2))."""
    file = task.file(fd)
    if isinstance(file, NsFile):
        if nstype and FLAG[file.namespace.kind] != nstype:
            raise SysError(EINVAL)
        chosen = [file.namespace]
    elif isinstance(file, PidFile):
        chosen = _of_process(task, file, nstype)
    else:
        raise SysError(EINVAL)
    cred, fs, ns = task.cred, task.fs.copy(), task.ns
    new: dict[str, Namespace] = {}
    for namespace in chosen:
        _check_entering(task, namespace, cred.user_ns)
        if isinstance(namespace, UserNs):
            cred = namespaces.with_user_namespace(cred, namespace.ns)
        else:
            new["ipcs" if namespace.kind == "ipc" else namespace.kind] = namespace
        if isinstance(namespace, MountNamespace) and namespace.table is not None:
            _enter_root(fs, namespace)
    if "ipcs" in new:
        ns.ipc.semaphores.undo(task.group)
    if "mnt" in new:
        task.fs.root, task.fs.cwd = fs.root, fs.cwd
    task.ns = replace(ns, **new)  # type: ignore[arg-type]  # each under the name of its kind
    if cred is not task.cred:
        commit(task, cred)
    return 0


def _of_process(task: Task, file: PidFile, flags: int) -> list[Namespace]:
    """Those of a process that `flags` ask for; EINVAL, ESRCH, EPERM (validate_nsset)."""
    if not flags or flags & ~_NAMESPACES:
        raise SysError(EINVAL)
    group = file.group
    if not group.tasks:
        raise SysError(EINVAL)
    other = group.tasks[0]
    check_access(task, other)
    return [task.kernel.nsfs.named(other, kind) for kind in _ORDER if flags & FLAG[kind]]


def _check_entering(task: Task, namespace: Namespace, mine: object) -> None:
    """May it be entered? (the `install` of struct proc_ns_operations)."""
    cred, flag = task.cred, FLAG[namespace.kind]
    if isinstance(namespace, UserNs):
        if namespace.ns is cred.user_ns or len(task.group.tasks) > 1 or _is_shared(task):
            raise SysError(EINVAL)
        if not cred.ns_capable(namespace.ns, CAP_SYS_ADMIN):
            raise SysError(EPERM)
        return
    entering = mine is not cred.user_ns  # its user namespace comes first, with all capabilities
    if not cred.ns_capable(namespace.owner, CAP_SYS_ADMIN):
        raise SysError(EPERM)
    if not entering and not cred.ns_capable(cred.user_ns, CAP_SYS_ADMIN):
        raise SysError(EPERM)
    if flag == CLONE_NEWNS:
        if not entering and not cred.ns_capable(cred.user_ns, CAP_SYS_CHROOT):
            raise SysError(EPERM)
        if _is_shared(task):
            raise SysError(EINVAL)
    if flag == CLONE_NEWTIME and len(task.group.tasks) > 1:
        raise SysError(EUSERS)


def _enter_root(fs: FsContext, namespace: MountNamespace) -> None:
    """Root and working directory are the namespace's (mntns_install)."""
    assert namespace.table is not None
    fs.root = fs.cwd = namespace.table.root_path
