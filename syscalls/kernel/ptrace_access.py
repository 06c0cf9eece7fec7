"""Who may look into a process, or change it (ptrace(2), "Ptrace access mode checking"; kernel/ptrace.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EPERM, SysError
from syscalls.fs.cred import CAP_SYS_PTRACE

if TYPE_CHECKING:
    from syscalls.kernel.task import Task


def may_access(task: Task, other: Task, *, fs_ids: bool = False) -> bool:
    """May `task` do so with `other`? `fs_ids`: by its file system ids, not the real ones (__ptrace_may_access).

    There is no difference between reading and attaching: that is what security modules make.
    """
    mine, theirs = task.cred, other.cred
    if task.group is other.group or mine.ns_capable(theirs.user_ns, CAP_SYS_PTRACE):
        return True
    uid, gid = (mine.fsuid, mine.fsgid) if fs_ids else (mine.uid, mine.gid)
    same = {uid} == {theirs.uid, theirs.euid, theirs.suid} and {gid} == {theirs.gid, theirs.egid, theirs.sgid}
    return (
        same
        and other.group.dumpable == 1
        and not (theirs.permitted & ~mine.permitted and theirs.user_ns is mine.user_ns)
    )


def check_access(task: Task, other: Task) -> None:
    """EPERM unless it may, by its real ids."""
    if not may_access(task, other):
        raise SysError(EPERM)
