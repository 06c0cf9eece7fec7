"""System V message queues: msgget(2), msgsnd(2), msgrcv(2), msgctl(2) (ipc/msg.c)."""

from __future__ import annotations

from typing import Annotated, Any

from syscalls.abi import ipc
from syscalls.abi.cstruct import CLong, layout
from syscalls.abi.errno import EFAULT, EINVAL, SysError
from syscalls.abi.kinds import Address, FlagsKind, Int, Long, Pointer, Size
from syscalls.abi.structs.ipc import Msginfo, Msqid
from syscalls.kernel.ipc import S_IRUGO
from syscalls.kernel.ipc_msg import Message, check_copy
from syscalls.kernel.task import Task
from syscalls.spec import Restart, syscall

GetFlags = Annotated[int, FlagsKind(ipc.MSGGET_FLAGS)]
MessageFlags = Annotated[int, FlagsKind(ipc.MSG_FLAGS)]
Command = Annotated[int, FlagsKind(ipc.MSGCTL_COMMANDS, signed=True)]


@syscall()
def msgget(task: Task, key: Int, msgflg: GetFlags) -> int:
    """The id of a message queue (msgget(2))."""
    return task.ns.ipc.messages.open(task, key, msgflg)


@syscall(restart=Restart.NOHAND)
async def msgsnd(task: Task, msqid: Int, msgp: Address, msgsz: Size, msgflg: MessageFlags) -> int:
    """Add a message to a queue (msgsnd(2))."""
    head = layout(CLong, task.arch)
    type = head.unpack(task.mm.read(msgp, head.size))
    ns = task.ns.ipc
    if msgsz > ns.msgmax or msgsz >> task.arch.bits - 1 or msqid < 0 or type < 1:
        raise SysError(EINVAL)
    message = Message(type, task.mm.read(msgp + head.size, msgsz))
    await ns.messages.send(task, msqid, message, msgflg)
    return 0


@syscall(restart=Restart.NOHAND)
async def msgrcv(task: Task, msqid: Int, msgp: Address, msgsz: Size, msgtyp: Long, msgflg: MessageFlags) -> int:
    """Take a message from a queue; the length of its text (msgrcv(2))."""
    if msqid < 0 or msgsz >> task.arch.bits - 1:
        raise SysError(EINVAL)
    check_copy(msgflg)
    message = await task.ns.ipc.messages.receive(task, msqid, msgsz, msgtyp, msgflg)
    head = layout(CLong, task.arch)
    try:
        task.mm.write(msgp, head.pack(message.type) + message.text)
    except SysError:
        raise SysError(EFAULT) from None
    return len(message.text)


@syscall()
def msgctl(task: Task, msqid: Int, op: Command, buf: Address) -> int:
    """Look at a queue, change or remove it (msgctl(2))."""
    return do_msgctl(task, msqid, op, buf, Msqid)


def do_msgctl(task: Task, msqid: int, op: int, buf: int, struct: Any) -> int:
    """msgctl(2) with the struct of either version."""
    queues = task.ns.ipc.messages
    if msqid < 0 or op < 0:
        raise SysError(EINVAL)
    ds = Pointer[Any](task.mm, buf, layout(struct, task.arch))
    if op in (ipc.IPC_INFO, ipc.MSG_INFO):
        info = Pointer[Msginfo](task.mm, buf, layout(Msginfo, task.arch))
        info.put(queues.info(usage=op == ipc.MSG_INFO))
        return queues.highest
    if op in (ipc.IPC_STAT, ipc.MSG_STAT, ipc.MSG_STAT_ANY):
        found = queues.get(msqid) if op == ipc.IPC_STAT else queues.at(msqid)
        if op != ipc.MSG_STAT_ANY:
            found.check(task.cred, S_IRUGO)
        ds.put(found.ds())
        return 0 if op == ipc.IPC_STAT else found.id
    if op == ipc.IPC_SET:
        queues.change(task, msqid, ds.get())
    elif op == ipc.IPC_RMID:
        queues.destroy(task, msqid)
    else:
        raise SysError(EINVAL)
    return 0
