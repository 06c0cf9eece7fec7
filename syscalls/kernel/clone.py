"""fork(2), vfork(2), clone(2), clone3(2): a copy of the calling task, sharing what the flags say (kernel/fork.c)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EAGAIN, EBADF, EEXIST, EINVAL, EPERM, SysError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.limits import PID_MAX
from syscalls.abi.resource import RLIMIT_NPROC
from syscalls.abi.sched import (
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_CLEAR_SIGHAND,
    CLONE_DETACHED,
    CLONE_FILES,
    CLONE_FS,
    CLONE_INTO_CGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
)
from syscalls.abi.signal import SIG_IGN
from syscalls.abi.structs.process import UserDesc
from syscalls.fs.cred import CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from syscalls.kernel import descriptors, namespaces, usage
from syscalls.kernel.creds import count_processes
from syscalls.kernel.fileio import install as install_file
from syscalls.kernel.pidfd import PidFile
from syscalls.kernel.signals import AltStack
from syscalls.kernel.task import Task, ThreadGroup

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel


@dataclass(frozen=True, slots=True)
class CloneArgs:
    """struct kernel_clone_args: `stack` is where the stack pointer goes, 0 to keep it; 0 addresses are not used."""

    flags: int
    exit_signal: int = 0
    stack: int = 0
    parent_tid: int = 0
    child_tid: int = 0
    tls: int = 0
    pidfd: int = 0
    set_tid: tuple[int, ...] = ()  # ids to have, from the innermost namespace outwards
    cgroup: int = -1


def check(task: Task, args: CloneArgs) -> None:
    """Combinations that make no sense, and limits, in the order of copy_process."""
    flags = args.flags
    if flags & (CLONE_NEWNS | CLONE_FS) == CLONE_NEWNS | CLONE_FS:
        raise SysError(EINVAL)
    if flags & (CLONE_NEWUSER | CLONE_FS) == CLONE_NEWUSER | CLONE_FS:
        raise SysError(EINVAL)
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND:
        raise SysError(EINVAL)
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise SysError(EINVAL)
    if flags & CLONE_THREAD and flags & (CLONE_NEWUSER | CLONE_NEWPID):
        raise SysError(EINVAL)
    if flags & CLONE_PIDFD and flags & CLONE_DETACHED:
        raise SysError(EINVAL)
    _check_limits(task)


def _check_limits(task: Task) -> None:
    cred, kernel = task.cred, task.kernel
    if len(kernel.tasks) >= kernel.max_tasks:
        kernel.refused_tasks += 1
        raise SysError(EAGAIN)
    privileged = cred.uid == 0 or cred.capable(CAP_SYS_RESOURCE) or cred.capable(CAP_SYS_ADMIN)
    if not privileged and count_processes(kernel, cred.uid) >= task.group.limit(RLIMIT_NPROC):
        raise SysError(EAGAIN)
    task.too_many = False


def copy(task: Task, args: CloneArgs) -> Task:
    """Make the child, not yet running (copy_process)."""
    check(task, args)
    kernel, flags = task.kernel, args.flags
    assert kernel.processors is not None
    fs = task.fs if flags & CLONE_FS else task.fs.copy()
    cred = namespaces.new_user_namespace(task, task.cred) if flags & CLONE_NEWUSER else replace(task.cred)
    if flags & (CLONE_NEWIPC | CLONE_SYSVSEM) == CLONE_NEWIPC | CLONE_SYSVSEM and cred.ns_capable(
        cred.user_ns, CAP_SYS_ADMIN
    ):
        raise SysError(EINVAL)
    ns = namespaces.copy(task, flags, cred, fs)
    tid = _chosen_pid(task, args.set_tid) if args.set_tid else kernel.new_pid()
    if flags & CLONE_INTO_CGROUP:
        task.file(args.cgroup)
        raise SysError(EBADF)  # no file is a cgroup
    group = task.group if flags & CLONE_THREAD else _new_group(task, tid, args)
    mm = task.mm.share() if flags & CLONE_VM else task.mm.fork(kernel.processors.new_mmu(task.arch))
    files = task.files.share() if flags & CLONE_FILES else task.files.copy()
    cpu = kernel.processors.copy_cpu(task.cpu, mm)
    child = Task(group, tid, task.arch, mm=mm, files=files, fs=fs, cred=cred, cpu=cpu, ns=ns)
    mm.limits = task.mm.limits if flags & CLONE_VM else group.limits
    _inherit(task, child, flags)
    cpu.set(task.arch.result, 0)
    if args.stack:
        cpu.set(task.arch.sp, args.stack)
    try:
        if flags & CLONE_SETTLS:
            _set_tls(task, child, args.tls)
        if flags & CLONE_PIDFD:
            _give_pidfd(task, child, args)
    except SysError:
        _discard(child)
        raise
    _store(task, flags & CLONE_PARENT_SETTID, args.parent_tid, tid)
    _store(child, flags & CLONE_CHILD_SETTID, args.child_tid, tid)
    if flags & CLONE_CHILD_CLEARTID:
        child.clear_child_tid = args.child_tid
    return child


def _chosen_pid(task: Task, ids: tuple[int, ...]) -> int:
    """An id that clone3's set_tid wants (alloc_pid). There is one namespace of ids."""
    kernel, tid = task.kernel, ids[0]
    if len(ids) > 1 or not 1 <= tid < PID_MAX:
        raise SysError(EINVAL)
    if not (task.cred.capable(CAP_CHECKPOINT_RESTORE) or task.cred.capable(CAP_SYS_ADMIN)):
        raise SysError(EPERM)
    if kernel.is_outside(tid) or kernel.is_pid_taken(tid):
        raise SysError(EEXIST)
    return tid


def _give_pidfd(task: Task, child: Task, args: CloneArgs) -> None:
    """A descriptor for the child, closed again when the caller cannot be told (pidfd_prepare)."""
    thread = child if args.flags & CLONE_THREAD else None
    fd = install_file(task, PidFile(task.kernel, child.group, O_RDWR, thread), cloexec=True)
    try:
        task.mm.write(args.pidfd, fd.to_bytes(4, "little"))
    except SysError:
        task.files.close(fd)
        raise


def _store(task: Task, wanted: int, address: int, tid: int) -> None:
    """Where nothing can be stored, nothing is."""
    if wanted:
        with suppress(SysError):
            task.mm.write(address, tid.to_bytes(4, "little"))


def _discard(child: Task) -> None:
    """The child will not be, after all (the bad_fork labels of copy_process)."""
    group = child.group
    group.tasks.remove(child)
    if not group.tasks and group.parent is not None:
        group.parent.children.remove(group)
    child.mm.release()
    child.files.release()


def _set_tls(task: Task, child: Task, tls: int) -> None:
    """The new thread's thread-local storage: a base address, or on i386 a struct user_desc (copy_thread)."""
    if task.arch.word == 8:
        child.cpu.set_thread_pointer(tls)
        return
    struct = layout(UserDesc, task.arch)
    info = struct.unpack(task.mm.read(tls, struct.size))
    descriptors.check(info)
    if info.entry_number not in descriptors.TLS_ENTRIES:
        raise SysError(EINVAL)
    child.cpu.set_tls_descriptor(info.entry_number, 0 if descriptors.is_empty(info) else descriptors.pack(info))


def start(kernel: Kernel, child: Task) -> None:
    """Let the child run (wake_up_new_task)."""
    assert kernel.processors is not None
    kernel.processors.connect(child)
    kernel.add(child)


def _new_group(task: Task, tid: int, args: CloneArgs) -> ThreadGroup:
    flags, parent = args.flags, task.group
    if flags & CLONE_PARENT:
        group = ThreadGroup(task.kernel, tid, parent.parent, like=parent)
        group.parent_outside = parent.parent_outside
        group.exit_signal, group.forked_by = parent.exit_signal, parent.forked_by
    else:
        group = ThreadGroup(task.kernel, tid, parent, like=parent)
        group.exit_signal, group.forked_by = args.exit_signal, task
    if flags & CLONE_SYSVSEM:
        group.undo_list = parent.undo_list
        group.undo_list.users += 1
    usage.watch_limit(group)
    actions = parent.signals.actions
    if flags & CLONE_CLEAR_SIGHAND:
        group.signals.actions = {signo: action for signo, action in actions.items() if action.handler == SIG_IGN}
    else:
        group.signals.actions = actions if flags & CLONE_SIGHAND else dict(actions)
    return group


def _inherit(task: Task, child: Task, flags: int) -> None:
    """What a new task has from its maker (dup_task_struct, copy_signal)."""
    child.comm = task.comm
    child.signals.mask = task.signals.mask if task.signals.saved_mask is None else task.signals.saved_mask
    if not flags & CLONE_VM or flags & CLONE_VFORK:
        child.signals.altstack = replace(task.signals.altstack)
    else:
        child.signals.altstack = AltStack()
    if not flags & CLONE_VM:
        child.rseq = task.rseq
    child.personality = task.personality
    child.memory_policy = task.memory_policy
    child.no_new_privs = task.no_new_privs
    child.seccomp = task.seccomp
    child.timer_slack_ns = child.default_timer_slack_ns = task.timer_slack_ns
    child.io_priority = task.io_priority
    if task.reset_on_fork:
        child.nice = max(task.nice, 0)
    else:
        child.nice, child.scheduler = task.nice, task.scheduler
