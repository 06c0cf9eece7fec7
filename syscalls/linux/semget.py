"""System V semaphores: semget(2), semop(2), semtimedop(2), semctl(2) (ipc/sem.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from syscalls.abi import ipc
from syscalls.abi.cstruct import U16, layout
from syscalls.abi.errno import E2BIG, EINVAL, ERANGE, SysError
from syscalls.abi.kinds import Address, ArrayKind, FlagsKind, In, Int, Pointer, UInt
from syscalls.abi.structs.ipc import Sembuf, Semid, Seminfo
from syscalls.abi.structs.time import Timespec, Timespec64
from syscalls.kernel.ipc import S_IRUGO, S_IWUGO
from syscalls.kernel.ipc_sem import SEMVMX, SemaphoreSet
from syscalls.kernel.task import Task
from syscalls.kernel.time import to_ns
from syscalls.spec import syscall

GetFlags = Annotated[int, FlagsKind(ipc.SEMGET_FLAGS)]
Command = Annotated[int, FlagsKind(ipc.SEMCTL_COMMANDS, signed=True)]
Steps = Annotated[Pointer[Sembuf], ArrayKind(Sembuf, count="nsops")]


@syscall()
def semget(task: Task, key: Int, nsems: Int, semflg: GetFlags) -> int:
    """The id of a set of semaphores (semget(2))."""
    return task.ns.ipc.semaphores.open(task, key, nsems, semflg)


@syscall()
async def semop(task: Task, semid: Int, sops: Steps, nsops: UInt) -> int:
    """Change semaphores, all at once (semop(2))."""
    return await do_semtimedop(task, semid, sops, nsops, None)


@syscall()
async def semtimedop(task: Task, semid: Int, sops: Steps, nsops: UInt, timeout: In[Timespec]) -> int:
    """The same, waiting only so long (semtimedop(2))."""
    return await do_semtimedop(task, semid, sops, nsops, timeout)


@syscall()
async def semtimedop_time64(task: Task, semid: Int, sops: Steps, nsops: UInt, timeout: In[Timespec64]) -> int:
    """The same with 64-bit seconds (semtimedop(2))."""
    return await do_semtimedop(task, semid, sops, nsops, timeout)


async def do_semtimedop(task: Task, semid: int, sops: Pointer[Sembuf], nsops: int, timeout: Pointer[Any] | None) -> int:
    """EFAULT, E2BIG, EINVAL, EFAULT, EINVAL (do_semtimedop)."""
    given = timeout.get() if timeout else None
    semaphores = task.ns.ipc.semaphores
    if nsops > semaphores.ns.semopm:
        raise SysError(E2BIG)
    if nsops < 1:
        raise SysError(EINVAL)
    steps = sops.array(nsops)
    if semid < 0:
        raise SysError(EINVAL)
    deadline = None
    if given is not None:
        deadline = task.kernel.clock.monotonic() + to_ns(given.tv_sec, given.tv_nsec)
    await semaphores.operate(task, semid, steps, deadline)
    return 0


@syscall()
def semctl(task: Task, semid: Int, semnum: Int, op: Command, arg: Address) -> int:
    """Look at a set or its semaphores, change or remove it (semctl(2))."""
    return do_semctl(task, semid, semnum, op, arg, Semid)


def do_semctl(task: Task, semid: int, semnum: int, op: int, arg: int, struct: Any) -> int:
    """semctl(2) with the struct of either version."""
    sets = task.ns.ipc.semaphores
    if semid < 0:
        raise SysError(EINVAL)
    ds = Pointer[Any](task.mm, arg, layout(struct, task.arch))
    if op in (ipc.IPC_INFO, ipc.SEM_INFO):
        info = Pointer[Seminfo](task.mm, arg, layout(Seminfo, task.arch))
        info.put(sets.info(usage=op == ipc.SEM_INFO))
        return sets.highest
    if op in (ipc.IPC_STAT, ipc.SEM_STAT, ipc.SEM_STAT_ANY):
        found = sets.get(semid) if op == ipc.IPC_STAT else sets.at(semid)
        if op != ipc.SEM_STAT_ANY:
            found.check(task.cred, S_IRUGO)
        ds.put(found.ds())
        return 0 if op == ipc.IPC_STAT else found.id
    if op == ipc.IPC_SET:
        sets.change(task, semid, ds.get())
    elif op == ipc.IPC_RMID:
        sets.destroy(task, semid)
    elif op == ipc.SETVAL:
        _set_value(task, semid, semnum, (arg & 0xFFFFFFFF ^ 1 << 31) - (1 << 31))
    elif op in (ipc.GETALL, ipc.SETALL):
        _all_values(task, semid, arg, setting=op == ipc.SETALL)
    else:
        return _one_value(task, semid, semnum, op)
    return 0


def _number(found: SemaphoreSet, semnum: int) -> int:
    if not 0 <= semnum < len(found.values):
        raise SysError(EINVAL)
    return semnum


def _set_value(task: Task, semid: int, semnum: int, value: int) -> None:
    """SETVAL: ERANGE, EINVAL, EACCES (semctl_setval)."""
    if not 0 <= value <= SEMVMX:
        raise SysError(ERANGE)
    sets = task.ns.ipc.semaphores
    found = sets.get(semid)
    number = _number(found, semnum)
    found.check(task.cred, S_IWUGO)
    sets.set_values(task, found, {number: value})


def _all_values(task: Task, semid: int, arg: int, *, setting: bool) -> None:
    """GETALL and SETALL: EINVAL, EACCES, EFAULT, ERANGE (semctl_main)."""
    sets = task.ns.ipc.semaphores
    found = sets.get(semid)
    found.check(task.cred, S_IWUGO if setting else S_IRUGO)
    array = Pointer[int](task.mm, arg, layout(U16, task.arch))
    if not setting:
        array.put_array(found.values)
        return
    values = array.array(len(found.values))
    if max(values) > SEMVMX:
        raise SysError(ERANGE)
    sets.set_values(task, found, dict(enumerate(values)))


_QUERIES: dict[int, Callable[[SemaphoreSet, int], int]] = {
    ipc.GETVAL: lambda found, number: found.values[number],
    ipc.GETPID: lambda found, number: found.pids[number],
    ipc.GETNCNT: lambda found, number: found.waiting(number, for_zero=False),
    ipc.GETZCNT: lambda found, number: found.waiting(number, for_zero=True),
}


def _one_value(task: Task, semid: int, semnum: int, op: int) -> int:
    query = _QUERIES.get(op)
    if query is None:
        raise SysError(EINVAL)
    found = task.ns.ipc.semaphores.get(semid)
    found.check(task.cred, S_IRUGO)
    return query(found, _number(found, semnum))
