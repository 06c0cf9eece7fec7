"""System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2) (ipc/shm.c)."""

from __future__ import annotations

from typing import Annotated, Any

from syscalls.abi import ipc
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.kinds import Address, FlagsKind, HexResult, Int, Pointer, Size
from syscalls.abi.structs.ipc import Shmid, ShmInfo, Shminfo
from syscalls.kernel.ipc import S_IRUGO
from syscalls.kernel.task import Task
from syscalls.spec import syscall

GetFlags = Annotated[int, FlagsKind(ipc.SHMGET_FLAGS)]
AttachFlags = Annotated[int, FlagsKind(ipc.SHMAT_FLAGS)]
Command = Annotated[int, FlagsKind(ipc.SHMCTL_COMMANDS, signed=True)]
INT_MAX = (1 << 31) - 1


@syscall()
def shmget(task: Task, key: Int, size: Size, shmflg: GetFlags) -> int:
    """The id of a segment of shared memory (shmget(2))."""
    return task.ns.ipc.segments.open(task, key, size, shmflg)


@syscall()
def shmat(task: Task, shmid: Int, shmaddr: Address, shmflg: AttachFlags) -> HexResult:
    """Attach a segment; its address (shmat(2))."""
    return task.ns.ipc.segments.attach(task, shmid, shmaddr, shmflg)


@syscall()
def shmdt(task: Task, shmaddr: Address) -> int:
    """Detach the segment at an address (shmdt(2))."""
    task.ns.ipc.segments.detach(task.mm, shmaddr)
    return 0


@syscall()
def shmctl(task: Task, shmid: Int, op: Command, buf: Address) -> int:
    """Look at a segment, change or remove it (shmctl(2))."""
    return do_shmctl(task, shmid, op, buf, Shmid, Shminfo)


def do_shmctl(task: Task, shmid: int, op: int, buf: int, struct: Any, info_struct: Any) -> int:
    """shmctl(2) with the structs of either version."""
    segments = task.ns.ipc.segments
    if shmid < 0 or op < 0:
        raise SysError(EINVAL)
    ds = Pointer[Any](task.mm, buf, layout(struct, task.arch))
    if op in (ipc.IPC_INFO, ipc.SHM_INFO):
        _info(task, op, buf, info_struct)
        return segments.highest
    if op in (ipc.IPC_STAT, ipc.SHM_STAT, ipc.SHM_STAT_ANY):
        found = segments.get(shmid) if op == ipc.IPC_STAT else segments.at(shmid)
        if op != ipc.SHM_STAT_ANY:
            found.check(task.cred, S_IRUGO)
        ds.put(found.ds())
        return 0 if op == ipc.IPC_STAT else found.id
    if op == ipc.IPC_SET:
        segments.change(task, shmid, ds.get())
    elif op == ipc.IPC_RMID:
        segments.destroy(task, shmid)
    elif op in (ipc.SHM_LOCK, ipc.SHM_UNLOCK):
        segments.lock(task, shmid, on=op == ipc.SHM_LOCK)
    else:
        raise SysError(EINVAL)
    return 0


def _info(task: Task, op: int, buf: int, info_struct: Any) -> None:
    """The limits; a 32-bit program sees the largest size that it can express (copy_compat_shminfo_to_user)."""
    segments = task.ns.ipc.segments
    if op == ipc.SHM_INFO:
        Pointer[ShmInfo](task.mm, buf, layout(ShmInfo, task.arch)).put(segments.usage())
        return
    limits = segments.limits()
    if task.arch.word == 4:
        limits.shmmax = min(limits.shmmax, INT_MAX)
    Pointer[Any](task.mm, buf, layout(info_struct, task.arch)).put(limits)
