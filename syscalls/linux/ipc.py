"""i386's one call for all of System V IPC: ipc(2) (ipc/syscall.c, compat_ksys_ipc)."""

from __future__ import annotations

from typing import Any

from syscalls.abi.arch import I386
from syscalls.abi.cstruct import U32, CLong, layout
from syscalls.abi.errno import EFAULT, EINVAL, ENOSYS, SysError
from syscalls.abi.ipc import IPC_64
from syscalls.abi.kinds import Address, Long, Pointer, UInt, ULong
from syscalls.abi.structs.ipc import Msqid, Sembuf, Semid, Shmid, Shminfo
from syscalls.abi.structs.ipc_old import OldMsqid, OldSemid, OldShmid, OldShminfo
from syscalls.abi.structs.time import Timespec
from syscalls.kernel.task import Task
from syscalls.linux import msgget, semget, shmget
from syscalls.spec import Restart, syscall

SEMOP, SEMGET, SEMCTL, SEMTIMEDOP = range(1, 5)
MSGSND, MSGRCV, MSGGET, MSGCTL = range(11, 15)
SHMAT, SHMDT, SHMGET, SHMCTL = range(21, 25)
_STRUCTS = {
    True: (Semid, Msqid, Shmid, Shminfo),
    False: (OldSemid, OldMsqid, OldShmid, OldShminfo),
}  # fmt: skip


@syscall(only=I386, restart=Restart.NOHAND)
async def ipc(task: Task, call: UInt, first: Long, second: ULong, third: ULong, ptr: Address, fifth: Long) -> int:
    """Any call of System V IPC, by its number (ipc(2))."""
    version, call = call >> 16, call & 0xFFFF
    if call in (SEMOP, SEMTIMEDOP):
        return await _semop(task, first, second, ptr, fifth & 0xFFFFFFFF if call == SEMTIMEDOP else 0)
    if call == MSGSND:
        return await _msgsnd(task, first, ptr, second, third)
    if call == MSGRCV:
        return await _msgrcv(task, version, first, ptr, second, third, fifth)
    if call in (SEMCTL, MSGCTL, SHMCTL):
        return _control(task, call, first, second, third, ptr)
    if call == SHMAT:
        return _shmat(task, version, first, second, third, ptr)
    if call == SHMDT:
        task.ns.ipc.segments.detach(task.mm, ptr)
        return 0
    return _get(task, call, first, second, third)


def _int(value: int) -> int:
    return (value & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)


def _get(task: Task, call: int, key: int, second: int, third: int) -> int:
    ns = task.ns.ipc
    if call == SEMGET:
        return ns.semaphores.open(task, key, _int(second), third)
    if call == MSGGET:
        return ns.messages.open(task, key, second)
    if call == SHMGET:
        return ns.segments.open(task, key, second, third)
    raise SysError(ENOSYS)


def _control(task: Task, call: int, id: int, second: int, third: int, ptr: int) -> int:
    """IPC_64 in the command chooses the structs (compat_ipc_parse_version)."""
    command = third if call == SEMCTL else second
    semid, msqid, shmid, shminfo = _STRUCTS[bool(command & IPC_64)]
    command = _int(command & ~IPC_64)
    if call == SEMCTL:
        if not ptr:
            raise SysError(EINVAL)
        argument = _word(task, ptr)
        return semget.do_semctl(task, id, _int(second), command, argument, semid)
    if call == MSGCTL:
        return msgget.do_msgctl(task, id, command, ptr, msqid)
    return shmget.do_shmctl(task, id, command, ptr, shmid, shminfo)


def _word(task: Task, address: int) -> int:
    if not address:
        raise SysError(EFAULT)
    return Pointer[int](task.mm, address, layout(U32, task.arch)).get()


async def _semop(task: Task, semid: int, nsops: int, ptr: int, timeout: int) -> int:
    steps = Pointer[Sembuf](task.mm, ptr, layout(Sembuf, task.arch))
    given = Pointer[Any](task.mm, timeout, layout(Timespec, task.arch))
    return await semget.do_semtimedop(task, semid, steps, nsops, given)


async def _msgsnd(task: Task, msqid: int, ptr: int, size: int, flags: int) -> int:
    if msqid < 0 or _int(size) < 0:
        raise SysError(EINVAL)
    sent: int = await msgget.msgsnd(task, msqid, ptr, size, flags)
    return sent


async def _msgrcv(task: Task, version: int, msqid: int, ptr: int, size: int, flags: int, type: int) -> int:
    """Version 0 has the pointer and the type in memory (struct compat_ipc_kludge)."""
    if msqid < 0 or _int(size) < 0:
        raise SysError(EINVAL)
    if not version:
        if not ptr:
            raise SysError(EINVAL)
        ptr, type = _word(task, ptr), Pointer[int](task.mm, ptr + 4, layout(CLong, task.arch)).get()
    received: int = await msgget.msgrcv(task, msqid, ptr, size, type, flags)
    return received


def _shmat(task: Task, version: int, shmid: int, flags: int, result: int, address: int) -> int:
    """The address goes to where `third` points."""
    if version == 1:
        raise SysError(EINVAL)
    attached = task.ns.ipc.segments.attach(task, shmid, address, flags)
    Pointer[int](task.mm, result, layout(U32, task.arch)).put(attached)
    return 0
