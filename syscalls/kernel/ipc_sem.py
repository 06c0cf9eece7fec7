"""System V semaphores (ipc/sem.c): sets of counters that change together, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls.abi.errno import EAGAIN, EFBIG, EIDRM, EINTR, EINVAL, ENOSPC, ERANGE, SysError
from syscalls.abi.ipc import IPC_NOWAIT, SEM_UNDO
from syscalls.abi.structs.ipc import Sembuf, Semid, Seminfo
from syscalls.kernel.ipc import S_IRUGO, S_IWUGO, IpcIds, IpcObject, now
from syscalls.kernel.wait import Interrupted, WaitQueue, Woken

if TYPE_CHECKING:
    from syscalls.kernel.ipc_namespace import IpcNamespace
    from syscalls.kernel.task import Task, ThreadGroup

SEMVMX = 32767
SEMAEM = SEMVMX  # the largest adjustment
SEMMNS, SEMOPM, SEMUSZ = 1024000000, 500, 20  # the kernel's defaults, which seminfo shows

#: What a process will add to each semaphore of a set when it ends.
Adjustments = list[int]


@dataclass(eq=False)
class Operation:
    """One semop(2): all its steps, and once it is over its error (0: none)."""

    steps: Sequence[Sembuf]
    pid: int
    adjustments: Adjustments | None
    done: WaitQueue
    error: int | None = None
    blocking: Sembuf | None = None  # the step that could not be taken

    @property
    def alters(self) -> bool:
        """Does it change a semaphore?"""
        return any(step.sem_op for step in self.steps)


class UndoList:
    """Those who undo together when the last one ends: a process, or what CLONE_SYSVSEM joins (struct sem_undo_list)."""

    def __init__(self) -> None:
        self.users = 1


class SemaphoreSet(IpcObject):
    """The semaphores of one id (struct sem_array)."""

    def __init__(self, task: Task, key: int, mode: int, count: int) -> None:
        super().__init__(task, key, mode)
        self.values = [0] * count
        self.pids = [0] * count
        self.otime = 0
        self.pending: list[Operation] = []
        self.adjustments: dict[UndoList, Adjustments] = {}

    def attempt(self, operation: Operation) -> int | None:
        """Take all steps or none: 0, an errno, None when it has to wait (perform_atomic_semop)."""
        values = list(self.values)
        adjustments = list(operation.adjustments or ())
        for step in operation.steps:
            old, new = values[step.sem_num], values[step.sem_num] + step.sem_op
            if new < 0 or (not step.sem_op and old):
                operation.blocking = step
                return EAGAIN if step.sem_flg & IPC_NOWAIT else None
            if new > SEMVMX:
                return ERANGE
            if step.sem_flg & SEM_UNDO:
                adjustment = adjustments[step.sem_num] - step.sem_op
                if not -SEMAEM - 1 <= adjustment <= SEMAEM:
                    return ERANGE
                adjustments[step.sem_num] = adjustment
            values[step.sem_num] = new
        self.values = values
        if operation.adjustments is not None:
            operation.adjustments[:] = adjustments
        for step in operation.steps:
            self.pids[step.sem_num] = operation.pid
        return 0

    def update(self, seconds: int) -> None:
        """Something has changed: finish what can be finished now, in order of arrival (do_smart_update)."""
        again = True
        while again:
            again = False
            for operation in list(self.pending):
                error = self.attempt(operation)
                if error is None:
                    continue
                self.end(operation, error)
                if not error:
                    self.otime = seconds
                if not error and operation.alters:
                    again = True
                    break

    def end(self, operation: Operation, error: int) -> None:
        """A waiting operation is over."""
        self.pending.remove(operation)
        operation.error = error
        operation.done.wake()

    def waiting(self, number: int, *, for_zero: bool) -> int:
        """How many wait for a semaphore to grow, or to become 0 (count_semcnt)."""
        steps = [operation.blocking for operation in self.pending]
        return sum(1 for step in steps if step and step.sem_num == number and (step.sem_op == 0) == for_zero)

    def ds(self) -> Semid:
        """struct semid64_ds."""
        return Semid(sem_perm=self.perm(), sem_otime=self.otime, sem_ctime=self.ctime, sem_nsems=len(self.values))


class Semaphores(IpcIds[SemaphoreSet]):
    """All sets of semaphores."""

    def __init__(self, ns: IpcNamespace) -> None:
        super().__init__()
        self.ns = ns

    @property
    def used(self) -> int:
        """Semaphores in all sets."""
        return sum(len(item.values) for item in self)

    def open(self, task: Task, key: int, count: int, flags: int) -> int:
        """semget(2)."""
        if not 0 <= count <= self.ns.semmsl:
            raise SysError(EINVAL)

        def make() -> int:
            if not count:
                raise SysError(EINVAL)
            if self.used + count > self.ns.semmns:
                raise SysError(ENOSPC)
            return self.add(SemaphoreSet(task, key, flags, count), self.ns.semmni)

        return self.find_or_make(task, key, flags, make, lambda known: count <= len(known.values))

    async def operate(self, task: Task, id: int, steps: Sequence[Sembuf], deadline: int | None) -> None:
        """semtimedop(2), from the lookup on (__do_semtimedop)."""
        found = self.get(id)
        if max(step.sem_num for step in steps) >= len(found.values):
            raise SysError(EFBIG)
        alters = any(step.sem_op for step in steps)
        found.check(task.cred, S_IWUGO if alters else S_IRUGO)
        adjustments = None
        if any(step.sem_flg & SEM_UNDO for step in steps):
            adjustments = found.adjustments.setdefault(task.group.undo_list, [0] * len(found.values))
        operation = Operation(steps, task.group.tgid, adjustments, WaitQueue("a semaphore"))
        error = found.attempt(operation)
        if error is None:
            error = await _sleep(found, operation, deadline)
        elif not error:
            found.otime = now(task.kernel)
            if alters:
                found.update(found.otime)
        if error:
            raise SysError(error)

    def set_values(self, task: Task, found: SemaphoreSet, values: dict[int, int]) -> None:
        """SETVAL and SETALL: adjustments of these semaphores are forgotten."""
        for number, value in values.items():
            found.values[number] = value
            found.pids[number] = task.group.tgid
            for adjustments in found.adjustments.values():
                adjustments[number] = 0
        found.ctime = now(task.kernel)
        found.update(found.ctime)

    def change(self, task: Task, id: int, ds: Semid) -> None:
        """IPC_SET."""
        found = self.owned(id, task.cred)
        found.set_owner(ds.sem_perm)
        found.ctime = now(task.kernel)

    def destroy(self, task: Task, id: int) -> None:
        """IPC_RMID: who waits gets EIDRM (freeary)."""
        found = self.owned(id, task.cred)
        self.remove(found)
        for operation in list(found.pending):
            found.end(operation, EIDRM)

    def has_undo(self, group: ThreadGroup) -> bool:
        """Has the process adjustments to undo (SEM_UNDO)?"""
        return any(group.undo_list in found.adjustments for found in self)

    def undo(self, group: ThreadGroup) -> None:
        """The process has ended: add its adjustments, as far as the range goes; the last one who shares them does."""
        undo_list, group.undo_list = group.undo_list, UndoList()
        undo_list.users -= 1
        if undo_list.users:
            return
        for found in self:
            adjustments = found.adjustments.pop(undo_list, None)
            if adjustments is None:
                continue
            for number, adjustment in enumerate(adjustments):
                if adjustment:
                    found.values[number] = min(max(0, found.values[number] + adjustment), SEMVMX)
                    found.pids[number] = group.tgid
            found.update(now(group.kernel))

    def info(self, *, usage: bool) -> Seminfo:
        """IPC_INFO's limits, or with SEM_INFO what is in use (semctl_info)."""
        ns = self.ns
        return Seminfo(
            semmap=SEMMNS, semmni=ns.semmni, semmns=ns.semmns, semmnu=SEMMNS, semmsl=ns.semmsl, semopm=ns.semopm,
            semume=SEMOPM, semusz=len(self) if usage else SEMUSZ, semvmx=SEMVMX, semaem=self.used if usage else SEMAEM,
        )  # fmt: skip


async def _sleep(found: SemaphoreSet, operation: Operation, deadline: int | None) -> int:
    """Until somebody else has finished the operation: its error. A signal always ends it (EINTR)."""
    found.pending.append(operation)
    try:
        while operation.error is None:
            if await operation.done.wait(deadline) is Woken.DEADLINE and operation.error is None:
                return EAGAIN
    except Interrupted:
        return EINTR if operation.error is None else operation.error
    finally:
        if operation in found.pending:
            found.pending.remove(operation)
    return operation.error


HEADER = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"


def table(sets: Semaphores) -> str:
    """/proc/sysvipc/sem."""
    rows = [
        f"{(s.key & 0xFFFFFFFF ^ 1 << 31) - (1 << 31):10} {s.id:10}  {s.mode:4o} {len(s.values):10} {s.uid:5} "
        f"{s.gid:5} {s.cuid:5} {s.cgid:5} {s.otime:10} {s.ctime:10}\n"
        for s in sets
    ]
    return HEADER + "".join(rows)
