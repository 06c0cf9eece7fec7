"""System V message queues (ipc/msg.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from syscalls.abi.errno import E2BIG, EAGAIN, EIDRM, EINVAL, ENOMSG, EPERM, SysError
from syscalls.abi.ipc import IPC_NOWAIT, MSG_COPY, MSG_EXCEPT, MSG_NOERROR
from syscalls.abi.structs.ipc import Msginfo, Msqid
from syscalls.fs.cred import CAP_SYS_RESOURCE
from syscalls.kernel.ipc import S_IRUGO, S_IWUGO, IpcIds, IpcObject, now
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.kernel.ipc_namespace import IpcNamespace
    from syscalls.kernel.task import Task

MSGSSZ, MSGSEG = 16, 0xFFFF
MSGMNI, MSGMNB = 32000, 16384  # the kernel's defaults, which msginfo shows whatever the limits are


class Message(NamedTuple):
    """One message: a type above 0, and bytes."""

    type: int
    text: bytes


class MessageQueue(IpcObject):
    """Messages in the order of their arrival (struct msg_queue)."""

    def __init__(self, task: Task, key: int, mode: int, qbytes: int) -> None:
        super().__init__(task, key, mode)
        self.qbytes = qbytes
        self.messages: list[Message] = []
        self.cbytes = 0
        self.stime = self.rtime = self.lspid = self.lrpid = 0
        self.senders = WaitQueue("room in a message queue")
        self.receivers = WaitQueue("a message")

    def fits(self, length: int) -> bool:
        """Is there room for a message (msg_fits_inqueue)?"""
        return self.cbytes + length <= self.qbytes and len(self.messages) < self.qbytes

    def find(self, type: int, flags: int) -> int | None:
        """Index of the message that msgrcv(2) wants; None when there is none (convert_mode, find_msg)."""
        if flags & MSG_COPY:
            return type if 0 <= type < len(self.messages) else None
        types = [message.type for message in self.messages]
        if type > 0:
            wanted = [at for at, kind in enumerate(types) if (kind == type) != bool(flags & MSG_EXCEPT)]
            return wanted[0] if wanted else None
        if type < 0:
            lowest = min(types, default=1 - type)
            return types.index(lowest) if lowest <= -type else None
        return 0 if types else None

    def ds(self) -> Msqid:
        """struct msqid64_ds."""
        return Msqid(
            msg_perm=self.perm(), msg_stime=self.stime, msg_rtime=self.rtime, msg_ctime=self.ctime,
            msg_cbytes=self.cbytes, msg_qnum=len(self.messages), msg_qbytes=self.qbytes, msg_lspid=self.lspid,
            msg_lrpid=self.lrpid,
        )  # fmt: skip


class MessageQueues(IpcIds[MessageQueue]):
    """All message queues."""

    def __init__(self, ns: IpcNamespace) -> None:
        super().__init__()
        self.ns = ns

    def open(self, task: Task, key: int, flags: int) -> int:
        """msgget(2)."""
        return self.find_or_make(
            task, key, flags, lambda: self.add(MessageQueue(task, key, flags, self.ns.msgmnb), self.ns.msgmni)
        )

    async def send(self, task: Task, id: int, message: Message, flags: int) -> None:
        """msgsnd(2), from the lookup on: EINVAL, EACCES, EIDRM, EAGAIN."""
        queue = self.get(id)
        while True:
            queue.check(task.cred, S_IWUGO)
            if queue.fits(len(message.text)):
                break
            if flags & IPC_NOWAIT:
                raise SysError(EAGAIN)
            await queue.senders.wait()
            if queue.removed:
                raise SysError(EIDRM)
        queue.messages.append(message)
        queue.cbytes += len(message.text)
        queue.lspid, queue.stime = task.group.tgid, now(task.kernel)
        queue.receivers.wake()

    async def receive(self, task: Task, id: int, size: int, type: int, flags: int) -> Message:
        """msgrcv(2): a message, its text cut to `size`; EINVAL, EACCES, E2BIG, ENOMSG, EIDRM."""
        queue = self.get(id)
        while True:
            queue.check(task.cred, S_IRUGO)
            at = queue.find(type, flags)
            if at is not None:
                break
            if flags & IPC_NOWAIT:
                raise SysError(ENOMSG)
            await queue.receivers.wait()
            if queue.removed:
                raise SysError(EIDRM)
        found = queue.messages[at]
        if size < len(found.text) and not flags & MSG_NOERROR:
            raise SysError(E2BIG)
        if not flags & MSG_COPY:
            del queue.messages[at]
            queue.cbytes -= len(found.text)
            queue.lrpid, queue.rtime = task.group.tgid, now(task.kernel)
            queue.senders.wake()
        return Message(found.type, found.text[:size])

    def change(self, task: Task, id: int, ds: Msqid) -> None:
        """IPC_SET: EINVAL, EPERM (msgctl_down)."""
        queue = self.owned(id, task.cred)
        if ds.msg_qbytes > self.ns.msgmnb and not task.cred.capable(CAP_SYS_RESOURCE):
            raise SysError(EPERM)
        queue.set_owner(ds.msg_perm)
        queue.qbytes, queue.ctime = ds.msg_qbytes, now(task.kernel)
        queue.receivers.wake()  # they may no longer be allowed to
        queue.senders.wake()

    def destroy(self, task: Task, id: int) -> None:
        """IPC_RMID: who waits gets EIDRM (freeque)."""
        queue = self.owned(id, task.cred)
        self.remove(queue)
        queue.receivers.wake()
        queue.senders.wake()

    def info(self, *, usage: bool) -> Msginfo:
        """IPC_INFO's limits, or MSG_INFO's sums (msgctl_info)."""
        ns = self.ns
        pool, headers, size = MSGMNI * MSGMNB // 1024, MSGMNB, MSGMNB
        if usage:
            queues = list(self)
            pool, headers = len(queues), sum(len(queue.messages) for queue in queues)
            size = sum(queue.cbytes for queue in queues)
        return Msginfo(
            msgpool=pool, msgmap=headers, msgmax=ns.msgmax, msgmnb=ns.msgmnb, msgmni=ns.msgmni, msgssz=MSGSSZ,
            msgtql=size, msgseg=MSGSEG,
        )  # fmt: skip


def check_copy(flags: int) -> None:
    """MSG_COPY goes with IPC_NOWAIT, and without MSG_EXCEPT; EINVAL."""
    if flags & MSG_COPY and (flags & MSG_EXCEPT or not flags & IPC_NOWAIT):
        raise SysError(EINVAL)


HEADER = (
    "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime"
    "      ctime\n"
)


def table(queues: MessageQueues) -> str:
    """/proc/sysvipc/msg."""
    rows = [
        f"{_signed(q.key):10} {q.id:10}  {q.mode:4o}  {q.cbytes:10} {len(q.messages):10} {q.lspid:5} {q.lrpid:5} "
        f"{q.uid:5} {q.gid:5} {q.cuid:5} {q.cgid:5} {q.stime:10} {q.rtime:10} {q.ctime:10}\n"
        for q in queues
    ]
    return HEADER + "".join(rows)


def _signed(key: int) -> int:
    return (key & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)
