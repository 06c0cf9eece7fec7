"""POSIX message queues: mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2) ... (ipc/mqueue.c)."""

from __future__ import annotations

from typing import Annotated, Any

from syscalls.abi.cstruct import U32
from syscalls.abi.errno import EBADF, EINVAL, EMSGSIZE, SysError
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.kinds import (
    Buffer,
    BufferKind,
    Fd,
    FdResult,
    In,
    ModeKind,
    OpenFlags,
    Out,
    Path,
    Pointer,
    Size,
    UInt,
)
from syscalls.abi.signal import NSIG, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD
from syscalls.abi.structs.ipc import MqAttr
from syscalls.abi.structs.siginfo import Sigevent
from syscalls.abi.structs.time import Timespec, Timespec64
from syscalls.kernel.fileio import nofile_limit
from syscalls.kernel.mqueue import PRIORITIES, Message, Notification
from syscalls.kernel.mqueuefs import QueueFile
from syscalls.kernel.sockio import socket_of
from syscalls.kernel.task import Task
from syscalls.linux.poll import timespec_ns
from syscalls.spec import syscall

OpenMode = Annotated[int, ModeKind(when="oflag")]
InMessage = Annotated[Buffer, BufferKind("msg_len", out=False)]
OutMessage = Annotated[Buffer, BufferKind("msg_len", out=True)]
COOKIE_SIZE = 32  # NOTIFY_COOKIE_LEN
NO_THREAD = "SIGEV_THREAD is refused: it takes a netlink socket"


@syscall()
def mq_open(task: Task, name: Path, oflag: OpenFlags, mode: OpenMode, attr: In[MqAttr]) -> FdResult:
    """Open a message queue, perhaps a new one (mq_open(2)); the name comes without the slash of the C library's."""
    given = attr.get() if attr else None
    limit = nofile_limit(task)
    task.files.lowest_free(limit)
    file = task.ns.ipc.mqueues.open(task, name, oflag, mode, given)
    return task.files.install(file, limit, cloexec=True)


@syscall()
def mq_unlink(task: Task, name: Path) -> int:
    """Remove a message queue's name; it ends with its last descriptor (mq_unlink(2))."""
    task.ns.ipc.mqueues.unlink(task, name)
    return 0


def _queue(task: Task, mqdes: int) -> QueueFile:
    """EBADF for what is no message queue."""
    file = task.file(mqdes)
    if not isinstance(file, QueueFile):
        raise SysError(EBADF)
    return file


@syscall()
async def mq_timedsend(
    task: Task, mqdes: Fd, msg_ptr: InMessage, msg_len: Size, msg_prio: UInt, abs_timeout: In[Timespec]
) -> int:
    """Send a message, waiting for room until some time of day (mq_timedsend(2))."""
    return await _send(task, mqdes, msg_ptr, msg_len, msg_prio, abs_timeout)


@syscall()
async def mq_timedsend_time64(
    task: Task, mqdes: Fd, msg_ptr: InMessage, msg_len: Size, msg_prio: UInt, abs_timeout: In[Timespec64]
) -> int:
    """The same with 64-bit seconds (mq_timedsend(2))."""
    return await _send(task, mqdes, msg_ptr, msg_len, msg_prio, abs_timeout)


async def _send(task: Task, mqdes: int, text: Buffer, length: int, priority: int, timeout: Pointer[Any]) -> int:
    """EFAULT, EINVAL, EBADF, EMSGSIZE, EFAULT, EAGAIN, ETIMEDOUT (do_mq_timedsend)."""
    until = timespec_ns(timeout)
    if priority >= PRIORITIES:
        raise SysError(EINVAL)
    file = _queue(task, mqdes)
    if not file.writable:
        raise SysError(EBADF)
    if length > file.inode.message_size:
        raise SysError(EMSGSIZE)
    message = Message(priority, text.get(length) if length else b"")
    await file.inode.send(task, message, until, nowait=file.nonblocking)
    return 0


@syscall()
async def mq_timedreceive(
    task: Task, mqdes: Fd, msg_ptr: OutMessage, msg_len: Size, msg_prio: Out[U32], abs_timeout: In[Timespec]
) -> int:
    """Take the oldest message of the highest priority, waiting until some time of day (mq_timedreceive(2))."""
    return await _receive(task, mqdes, msg_ptr, msg_len, msg_prio, abs_timeout)


@syscall()
async def mq_timedreceive_time64(
    task: Task, mqdes: Fd, msg_ptr: OutMessage, msg_len: Size, msg_prio: Out[U32], abs_timeout: In[Timespec64]
) -> int:
    """The same with 64-bit seconds (mq_timedreceive(2))."""
    return await _receive(task, mqdes, msg_ptr, msg_len, msg_prio, abs_timeout)


async def _receive(
    task: Task, mqdes: int, text: Buffer, length: int, priority: Pointer[int], timeout: Pointer[Any]
) -> int:
    """EFAULT, EINVAL, EBADF, EMSGSIZE, EAGAIN, ETIMEDOUT, EFAULT: then the message is lost (do_mq_timedreceive)."""
    until = timespec_ns(timeout)
    file = _queue(task, mqdes)
    if not file.readable:
        raise SysError(EBADF)
    if length < file.inode.message_size:
        raise SysError(EMSGSIZE)
    message = await file.inode.receive(task, until, nowait=file.nonblocking)
    if priority:
        priority.put(message.priority)
    return text.put(message.text)


@syscall(partial=NO_THREAD)
def mq_notify(task: Task, mqdes: Fd, sevp: In[Sigevent]) -> int:
    """Ask to be told when a message comes to the empty queue, or not any more (mq_notify(2))."""
    event = sevp.get() if sevp else None
    if event is not None:
        if event.sigev_notify not in (SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD):
            raise SysError(EINVAL)
        if event.sigev_notify == SIGEV_SIGNAL and not 0 <= event.sigev_signo <= NSIG:
            raise SysError(EINVAL)
        if event.sigev_notify == SIGEV_THREAD:
            task.mm.read(event.sigev_value, COOKIE_SIZE)
            socket_of(task, event.sigev_signo)
            raise SysError(EINVAL)  # it is no netlink socket
    queue = _queue(task, mqdes).inode
    if event is not None:
        what = event.sigev_notify, event.sigev_signo, event.sigev_value
        queue.notify(Notification(task.group, task.files, *what))
    elif queue.notification is not None and queue.notification.owner is task.group:
        queue.forget()
        queue.atime = queue.ctime = queue.fs.now()
    return 0


@syscall()
def mq_getsetattr(task: Task, mqdes: Fd, newattr: In[MqAttr], oldattr: Out[MqAttr]) -> int:
    """Store a queue's attributes; set or clear O_NONBLOCK (mq_getsetattr(2))."""
    new = newattr.get() if newattr else None
    if new is not None and new.mq_flags & ~O_NONBLOCK:
        raise SysError(EINVAL)
    file = _queue(task, mqdes)
    old = file.inode.attributes(file.flags & O_NONBLOCK)
    if new is not None:
        file.flags = file.flags & ~O_NONBLOCK | new.mq_flags
        file.inode.atime = file.inode.ctime = file.inode.fs.now()
    if oldattr:
        oldattr.put(old)
    return 0
