"""Other processes' memory: process_vm_readv(2), process_vm_writev(2), process_madvise(2), process_mrelease(2).

Sources: mm/process_vm_access.c, mm/madvise.c, mm/oom_kill.c.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi import mman
from syscalls.abi.errno import EACCES, EFAULT, EINVAL, EPERM, ESRCH, SysError
from syscalls.abi.kinds import ArrayKind, Fd, FlagsKind, Pid, Pointer, Size, UInt, ULong
from syscalls.abi.mman import MADV_COLD, MADV_COLLAPSE, MADV_PAGEOUT, MADV_WILLNEED
from syscalls.abi.structs.uio import Iovec
from syscalls.abi.uio import UIO_MAXIOV
from syscalls.fs.cred import CAP_SYS_NICE
from syscalls.kernel.fileio import Segments, store
from syscalls.kernel.ports import READ
from syscalls.kernel.ptrace_access import check_access, may_access
from syscalls.kernel.signals import is_killed
from syscalls.kernel.task import Task
from syscalls.linux.pidfd import group_of
from syscalls.linux.read import import_iovec
from syscalls.mm.madvise import do_madvise
from syscalls.spec import syscall

LocalOut = Annotated[Pointer[Iovec], ArrayKind(Iovec, count="liovcnt", out=True)]
Local = Annotated[Pointer[Iovec], ArrayKind(Iovec, count="liovcnt")]
Remote = Annotated[Pointer[Iovec], ArrayKind(Iovec, count="riovcnt")]
Ranges = Annotated[Pointer[Iovec], ArrayKind(Iovec, count="vlen")]
Advice = Annotated[int, FlagsKind(mman.MADVICE, signed=True)]


@syscall()
def process_vm_readv(
    task: Task, pid: Pid, local_iov: LocalOut, liovcnt: ULong, remote_iov: Remote, riovcnt: ULong, flags: ULong
) -> int:
    """Copy from another process's memory; how many bytes, up to the first bad page (process_vm_readv(2))."""
    local = _local(task, local_iov, liovcnt, flags)
    other, remote = _remote(task, pid, local, remote_iov, riovcnt)
    room, done = sum(length for _, length in local), 0
    for address, length in remote if other else ():
        wanted = min(length, room - done)
        data = b"".join(map(bytes, other.mm.views(address, wanted, READ))) if other and wanted else b""
        stored = store(task.mm, _behind(local, done, len(data)), data)
        done += stored
        if stored < wanted:
            break
    return _result(done, local, remote)


@syscall()
def process_vm_writev(
    task: Task, pid: Pid, local_iov: Local, liovcnt: ULong, remote_iov: Remote, riovcnt: ULong, flags: ULong
) -> int:
    """Copy into another process's memory; how many bytes, up to the first bad page (process_vm_writev(2))."""
    local = _local(task, local_iov, liovcnt, flags)
    other, remote = _remote(task, pid, local, remote_iov, riovcnt)
    room, done = sum(length for _, length in local), 0
    for address, length in remote if other else ():
        wanted = min(length, room - done)
        data = _fetch(task, _behind(local, done, wanted))
        stored = store(other.mm, [(address, len(data))], data) if other else 0
        done += stored
        if stored < wanted:
            break
    return _result(done, local, remote)


def _local(task: Task, iov: Pointer[Iovec], count: int, flags: int) -> Segments:
    """The caller's pieces; EINVAL, EFAULT (process_vm_rw)."""
    if flags:
        raise SysError(EINVAL)
    return import_iovec(task, iov, count)


def _remote(task: Task, pid: int, local: Segments, iov: Pointer[Iovec], count: int) -> tuple[Task | None, Segments]:
    """The other process and its pieces; nobody when there is nothing to do. EINVAL, EFAULT, ESRCH, EPERM."""
    if not sum(length for _, length in local):
        return None, []
    if count > UIO_MAXIOV:
        raise SysError(EINVAL)
    items = [(item.iov_base, item.iov_len) for item in iov.array(count)]
    if any(length >> task.arch.bits - 1 for _, length in items):
        raise SysError(EINVAL)
    if not any(length for _, length in items):
        return None, []
    other = task.kernel.tasks.get(pid)
    if other is None:
        raise task.kernel.missing(pid)
    check_access(task, other)
    return other, items


def _behind(segments: Segments, skip: int, count: int) -> Segments:
    """What is left of the pieces behind the first `skip` bytes, and at most `count` bytes of it."""
    rest = []
    for address, length in segments:
        passed = min(skip, length)
        skip -= passed
        part = min(length - passed, count)
        count -= part
        if part:
            rest.append((address + passed, part))
    return rest


def _fetch(task: Task, segments: Segments) -> bytes:
    """The caller's bytes, up to the first page that cannot be read."""
    parts = []
    for address, length in segments:
        part = b"".join(map(bytes, task.mm.views(address, length, READ)))
        parts.append(part)
        if len(part) < length:
            break
    return b"".join(parts)


def _result(done: int, local: Segments, remote: Segments) -> int:
    """EFAULT only when nothing at all was copied."""
    if not done and any(length for _, length in local) and any(length for _, length in remote):
        raise SysError(EFAULT)
    return done


@syscall()
def process_madvise(task: Task, pidfd: Fd, iovec: Ranges, vlen: Size, advice: Advice, flags: UInt) -> int:
    """Say how a process's memory will be used; how many bytes were advised about (process_madvise(2))."""
    if flags:
        raise SysError(EINVAL)
    ranges = import_iovec(task, iovec, vlen)
    other = _member(task, pidfd)
    if not may_access(task, other, fs_ids=True):
        raise SysError(EACCES)
    if other.mm is not task.mm:
        if advice not in (MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_COLLAPSE):
            raise SysError(EINVAL)
        if not task.cred.capable(CAP_SYS_NICE):
            raise SysError(EPERM)
    done = 0
    for address, length in ranges:
        try:
            do_madvise(other.mm, address, length, advice)
        except SysError:
            if not done:
                raise
            break
        done += length
    return done


@syscall()
def process_mrelease(task: Task, pidfd: Fd, flags: UInt) -> int:
    """Free the memory of a process that is being killed; EINVAL for one that lives on (process_mrelease(2))."""
    if flags:
        raise SysError(EINVAL)
    if not is_killed(_member(task, pidfd)):
        raise SysError(EINVAL)
    return 0


def _member(task: Task, pidfd: int) -> Task:
    """A task of the process behind a pidfd; EBADF, ESRCH (pidfd_get_task)."""
    group = group_of(task, pidfd)
    if not group.tasks:
        raise SysError(ESRCH)
    return group.tasks[0]
