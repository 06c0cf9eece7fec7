"""pidfds: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2) (kernel/pid.c, kernel/signal.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EBADF, EINVAL, ENOENT, EPERM, ESRCH, SysError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.kinds import Fd, FdResult, FlagsKind, In, Pid, Pointer, Signal, UInt
from syscalls.abi.signal import SI_TKILL, SI_USER
from syscalls.abi.structs.siginfo import SIGINFO_SIZE, Siginfo
from syscalls.abi.wait import PIDFD_FLAGS, PIDFD_NONBLOCK
from syscalls.kernel import siginfo
from syscalls.kernel.fileio import install
from syscalls.kernel.pidfd import PidFile
from syscalls.kernel.ptrace_access import check_access
from syscalls.kernel.signals import SigInfo
from syscalls.kernel.task import Task, ThreadGroup
from syscalls.linux.kill import send_to_group
from syscalls.spec import syscall

PidfdFlags = Annotated[int, FlagsKind(PIDFD_FLAGS)]


@syscall(partial="PIDFD_THREAD is refused.")
def pidfd_open(task: Task, pid: Pid, flags: PidfdFlags) -> FdResult:
    """A descriptor that stands for a process (pidfd_open(2)); ENOENT for a thread that leads none."""
    if flags & ~PIDFD_NONBLOCK or pid <= 0:
        raise SysError(EINVAL)
    kernel = task.kernel
    group = kernel.groups.get(pid)
    if group is None:
        raise SysError(ENOENT if pid in kernel.tasks else ESRCH)
    return install(task, PidFile(kernel, group, O_RDWR | flags), cloexec=True)


def group_of(task: Task, pidfd: int) -> ThreadGroup:
    """The process of a pidfd; EBADF for another descriptor."""
    file = task.file(pidfd)
    if not isinstance(file, PidFile):
        raise SysError(EBADF)
    return file.group


@syscall(partial="Flags other than 0 and directories of /proc are refused.")
def pidfd_send_signal(task: Task, pidfd: Fd, sig: Signal, info: In[Siginfo], flags: UInt) -> int:
    """Send a signal to the process of a pidfd (pidfd_send_signal(2))."""
    if flags:
        raise SysError(EINVAL)
    group = group_of(task, pidfd)
    sent = _given(task, group, sig, info) if info else SigInfo(sig, SI_USER, pid=task.group.tgid, uid=task.cred.uid)
    if task.kernel.groups.get(group.tgid) is not group:
        raise SysError(ESRCH)
    send_to_group(task, group, sig, sent)
    return 0


def _given(task: Task, group: ThreadGroup, signo: int, info: Pointer[Siginfo]) -> SigInfo:
    """The caller's own siginfo; EFAULT, EINVAL, EPERM when it lies to others about where it comes from."""
    given = siginfo.unpack(task.mm.read(info.address, SIGINFO_SIZE), info.layout.arch)
    if given.signo != signo:
        raise SysError(EINVAL)
    if group is not task.group and (given.code >= 0 or given.code == SI_TKILL):
        raise SysError(EPERM)
    return given


@syscall()
def pidfd_getfd(task: Task, pidfd: Fd, targetfd: Fd, flags: UInt) -> FdResult:
    """A descriptor of our own for an open file of another process (pidfd_getfd(2))."""
    if flags:
        raise SysError(EINVAL)
    group = group_of(task, pidfd)
    if not group.tasks:
        raise SysError(ESRCH)
    check_access(task, group.tasks[0])
    return install(task, group.tasks[0].files.get_any(targetfd), cloexec=True)
