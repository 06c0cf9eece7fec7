"""set_robust_list(2), get_robust_list(2): the locks that the kernel frees when a thread dies."""

from __future__ import annotations

from syscalls.abi.cstruct import CPtr, CULong
from syscalls.abi.errno import EINVAL, EPERM, ESRCH, SysError
from syscalls.abi.kinds import Address, Out, Pid, Size
from syscalls.fs.cred import CAP_SYS_PTRACE
from syscalls.kernel.task import Task
from syscalls.spec import syscall


@syscall()
def set_robust_list(task: Task, head: Address, len: Size) -> int:
    """Where the locks are that the kernel must free when the thread dies (set_robust_list(2))."""
    if len != 3 * task.arch.word:
        raise SysError(EINVAL)
    task.robust_list = head
    return 0


@syscall()
def get_robust_list(task: Task, pid: Pid, head_ptr: Out[CPtr], len_ptr: Out[CULong]) -> int:
    """Store where a thread's list of locks is, and its size (get_robust_list(2))."""
    other = task.kernel.tasks.get(pid) if pid else task
    if other is None:
        raise SysError(ESRCH)
    if not _may_read(task, other):
        raise SysError(EPERM)
    len_ptr.put(3 * other.arch.word)
    head_ptr.put(other.robust_list)
    return 0


def _may_read(task: Task, other: Task) -> bool:
    """ptrace_may_access with PTRACE_MODE_READ_REALCREDS."""
    mine, theirs = task.cred, other.cred
    if other.group is task.group or mine.capable(CAP_SYS_PTRACE):
        return True
    same = {mine.uid} == {theirs.uid, theirs.euid, theirs.suid} and {mine.gid} == {theirs.gid, theirs.egid, theirs.sgid}
    return same and other.group.dumpable == 1
