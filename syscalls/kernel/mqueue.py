"""POSIX message queues: who sends, who receives, who is told (mq_overview(7), ipc/mqueue.c).

Names, descriptors and permissions are in mqueuefs.py. A queue is an inode; messages are taken by priority, and in the
order of their sending within one.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from syscalls.abi.errno import EAGAIN, EBUSY, ETIMEDOUT, SysError
from syscalls.abi.poll import POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM
from syscalls.abi.signal import SI_MESGQ, SIGEV_SIGNAL
from syscalls.abi.structs.ipc import MqAttr
from syscalls.fs.inode import Inode
from syscalls.kernel import signals
from syscalls.kernel.wait import Wait, WaitQueue

if TYPE_CHECKING:
    from syscalls.fs.fdtable import FdTable
    from syscalls.fs.file import File
    from syscalls.kernel.mqueuefs import MqueueFs
    from syscalls.kernel.task import Task, ThreadGroup

PRIORITIES = 32768  # MQ_PRIO_MAX
MESSAGE_OVERHEAD = TREE_NODE = 48  # sizeof(struct msg_msg), sizeof(struct posix_msg_tree_node)
STATUS_SIZE = 80  # FILENT_SIZE


class Message(NamedTuple):
    """What is sent."""

    priority: int
    text: bytes


class Waiter:
    """A task that sleeps until its message is taken, or one comes (struct ext_wait_queue)."""

    def __init__(self, task: Task, message: Message | None) -> None:
        policy, priority = task.scheduler
        self.order = 99 - priority if policy and priority else 120 + task.nice  # task_struct.prio
        self.message = message
        self.done = False
        self.queue = WaitQueue("room in a message queue" if message else "a message")

    def finish(self, message: Message | None) -> None:
        """It got what it waits for (__pipelined_op)."""
        self.message, self.done = message, True
        self.queue.wake()


class Notification(NamedTuple):
    """Whom the next message that comes to an empty queue is to be announced to (mq_notify(2))."""

    owner: ThreadGroup
    files: FdTable  # the owner's: closing any descriptor of the queue in there takes it back
    notify: int  # SIGEV_*
    signo: int
    value: int


class Queue(Inode):
    """A message queue (struct mqueue_inode_info)."""

    __slots__ = (
        "_size", "charged", "current", "maximum", "message_size", "messages", "notification", "openers", "payer",
        "queue", "receivers", "senders",
    )  # fmt: skip
    fs: MqueueFs

    def __init__(self, fs: MqueueFs, mode: int, uid: int, gid: int, maximum: int, message_size: int) -> None:
        super().__init__(fs, mode, uid, gid)
        self.maximum, self.message_size = maximum, message_size
        self.current = 0
        self.messages: dict[int, deque[bytes]] = {}
        self.senders: list[Waiter] = []
        self.receivers: list[Waiter] = []
        self.notification: Notification | None = None
        self.queue = WaitQueue("a message queue")  # those who poll
        self.openers = 0
        self.payer = 0  # whose RLIMIT_MSGQUEUE it counts against ...
        self.charged = maximum * message_size + maximum * MESSAGE_OVERHEAD + min(maximum, PRIORITIES) * TREE_NODE
        self._size = STATUS_SIZE

    @property
    def size(self) -> int:
        return self._size

    def open(self, flags: int) -> File:
        return self.fs.file(self, flags)

    def truncate(self, length: int) -> None:
        """It changes what stat(2) shows, and nothing else (simple_setattr)."""
        self._size = length

    def attributes(self, flags: int = 0) -> MqAttr:
        """struct mq_attr."""
        return MqAttr(
            mq_flags=flags, mq_maxmsg=self.maximum, mq_msgsize=self.message_size, mq_curmsgs=self.current
        )  # fmt: skip

    def events(self) -> int:
        """POLLIN, POLLOUT (mqueue_poll_file)."""
        ready = POLLIN | POLLRDNORM if self.current else 0
        return ready | (POLLOUT | POLLWRNORM if self.current < self.maximum else 0)

    def status(self) -> bytes:
        """What read(2) shows (mqueue_read_file)."""
        told = self.notification
        notify, signo, pid = (told.notify, told.signo, told.owner.tgid) if told else (0, 0, 0)
        signo = signo if notify == SIGEV_SIGNAL else 0
        held = sum(len(text) for texts in self.messages.values() for text in texts)
        return b"QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n" % (held, notify, signo, pid)

    # --- sending and receiving ----------------------------------------------------------------------------------------

    async def send(self, task: Task, message: Message, until: int | None, *, nowait: bool) -> None:
        """Add a message, sleeping while there is no room; EAGAIN, ETIMEDOUT. `until`: realtime ns."""
        if self.current >= self.maximum:
            if nowait:
                raise SysError(EAGAIN)
            await _sleep(task, self.senders, Waiter(task, message), until)
            return
        if self.receivers:
            self.receivers.pop(0).finish(message)
        else:
            self._insert(message)
            self._announce(task)
        self.atime = self.mtime = self.ctime = self.fs.now()

    async def receive(self, task: Task, until: int | None, *, nowait: bool) -> Message:
        """Take the first message of the highest priority, sleeping until there is one; EAGAIN, ETIMEDOUT."""
        if not self.current:
            if nowait:
                raise SysError(EAGAIN)
            waiter = Waiter(task, None)
            await _sleep(task, self.receivers, waiter, until)
            assert waiter.message is not None
            return waiter.message
        message = self._take()
        self.atime = self.mtime = self.ctime = self.fs.now()
        if self.senders:
            sender = self.senders.pop(0)
            assert sender.message is not None
            self._insert(sender.message)
            sender.finish(None)
        else:
            self.queue.wake(events=POLLOUT | POLLWRNORM)
        return message

    def _insert(self, message: Message) -> None:
        self.messages.setdefault(message.priority, deque()).append(message.text)
        self.current += 1

    def _take(self) -> Message:
        priority = max(self.messages)
        texts = self.messages[priority]
        text = texts.popleft()
        if not texts:
            del self.messages[priority]
        self.current -= 1
        return Message(priority, text)

    # --- announcing ---------------------------------------------------------------------------------------------------

    def notify(self, new: Notification) -> None:
        """Announce the next message; EBUSY when somebody else is to be told (do_mq_notify)."""
        if self.notification is not None:
            raise SysError(EBUSY)
        self.notification = new
        self.atime = self.ctime = self.fs.now()

    def forget(self) -> None:
        """Nobody is to be told any more (remove_notification)."""
        self.notification = None

    def _announce(self, sender: Task) -> None:
        """A message has come: who asked for it is told once, if it is the first one (__do_notify)."""
        told = self.notification
        if told is not None and self.current == 1:
            self.notification = None
            if told.notify == SIGEV_SIGNAL and told.signo and told.owner.tasks:
                info = signals.SigInfo(told.signo, SI_MESGQ, value=told.value)
                info.pid, info.uid = sender.group.tgid, sender.cred.uid
                signals.send(told.owner.tasks[0], info, whole_group=True)
        self.queue.wake(events=POLLIN | POLLRDNORM)

    # --- the end ------------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """A name or a descriptor is gone; with the last of them the queue goes (mqueue_evict_inode)."""
        if not self.nlink and not self.openers and self.maximum:
            self.fs.evicted(self)
            self.maximum = 0


async def _sleep(task: Task, waiters: list[Waiter], waiter: Waiter, until: int | None) -> None:
    """Stand in line, by scheduling priority, until served (wq_sleep); ETIMEDOUT on the realtime clock."""
    kernel = task.kernel
    place = next((index for index, other in enumerate(waiters) if other.order > waiter.order), len(waiters))
    waiters.insert(place, waiter)
    queues = (waiter.queue,) if until is None else (waiter.queue, kernel.clock_was_set)
    try:
        while not waiter.done:
            left = None if until is None else until - kernel.realtime()
            if left is not None and left <= 0:
                raise SysError(ETIMEDOUT)
            await Wait(queues, None if left is None else kernel.clock.monotonic() + left)
    finally:
        if not waiter.done:
            waiters.remove(waiter)
