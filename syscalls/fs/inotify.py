"""inotify(7): a file that tells what happens to other files (fs/notify/inotify)."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from syscalls.abi.errno import EEXIST, EFAULT, EINVAL, EMFILE, ENOSPC, ENOTTY, SysError
from syscalls.abi.fcntl import O_RDONLY
from syscalls.abi.ioctl import FIONREAD
from syscalls.abi.poll import (
    IN_ALL_EVENTS,
    IN_DELETE_SELF,
    IN_EXCL_UNLINK,
    IN_IGNORED,
    IN_ISDIR,
    IN_MASK_ADD,
    IN_MASK_CREATE,
    IN_MOVE_SELF,
    IN_ONESHOT,
    IN_Q_OVERFLOW,
    IN_UNMOUNT,
    POLLIN,
    POLLRDNORM,
)
from syscalls.abi.signal import POLL_IN
from syscalls.abi.stat import S_IFDIR
from syscalls.fs.anon import AnonFile, AnonInodeFs
from syscalls.fs.file import WOULD_BLOCK, WouldBlock
from syscalls.fs.inode import Inode
from syscalls.fs.notify import EVENT_ON_CHILD, Event, Group, Mark
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.kernel.ports import Memory

_HEAD = struct.Struct("<iIII")  # struct inotify_event without the name
_SHOWN = IN_ALL_EVENTS | IN_ISDIR | IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW
#: Memory that a watch is reckoned to take, when the number of watches is made to fit the machine (INOTIFY_WATCH_COST).
_WATCH_BYTES = 1248


class Limits:
    """/proc/sys/fs/inotify, and who has used how much of it: instances and watches are counted by user."""

    def __init__(self, memory_bytes: int) -> None:
        self.max_queued_events = 16384
        self.max_user_instances = 128
        self.max_user_watches = min(max(memory_bytes // 100 // _WATCH_BYTES, 8192), 1048576)
        self.instances: dict[int, int] = {}
        self.watches: dict[int, int] = {}


class Record(NamedTuple):
    """An event as it is read; those that are equal are told once when they follow each other."""

    wd: int
    mask: int
    name: bytes
    cookie: int = 0

    def pack(self) -> bytes:
        """struct inotify_event: the name is padded with NULs to a multiple of the head's size."""
        length = -(-(len(self.name) + 1) // _HEAD.size) * _HEAD.size if self.name else 0
        return _HEAD.pack(self.wd, self.mask, self.cookie, length) + self.name.ljust(length, b"\0")


OVERFLOW = Record(-1, IN_Q_OVERFLOW, b"")


class Watch(Mark):
    """One object that an instance watches."""

    __slots__ = ("oneshot", "wd")

    def __init__(self, group: InotifyFile, target: Inode, wd: int) -> None:
        super().__init__(group, target, 0)
        self.wd = wd
        self.oneshot = False

    def ask(self, mask: int) -> None:
        """What user space asks for, beside what it has asked for already (inotify_arg_to_mask)."""
        assert isinstance(self.target, Inode)
        self.mask |= IN_UNMOUNT | mask & IN_ALL_EVENTS | (EVENT_ON_CHILD if self.target.type == S_IFDIR else 0)
        self.excl_unlink |= bool(mask & IN_EXCL_UNLINK)
        self.oneshot |= bool(mask & IN_ONESHOT)

    def forget(self) -> None:
        """Ask for nothing."""
        self.mask, self.excl_unlink, self.oneshot = 0, False, False

    def asked(self) -> int:
        """What user space has asked for (inotify_mark_user_mask)."""
        flags = (IN_EXCL_UNLINK if self.excl_unlink else 0) | (IN_ONESHOT if self.oneshot else 0)
        return self.mask & IN_ALL_EVENTS | flags


class InotifyFile(AnonFile, Group):
    """An instance: its watches, and the events that have not been read."""

    signals_io = True

    def __init__(self, fs: AnonInodeFs, flags: int, limits: Limits, uid: int) -> None:
        """EMFILE when the user has too many."""
        AnonFile.__init__(self, fs, O_RDONLY | flags)
        Group.__init__(self)
        if limits.instances.get(uid, 0) >= limits.max_user_instances:
            raise SysError(EMFILE)
        limits.instances[uid] = limits.instances.get(uid, 0) + 1
        self.limits = limits
        self.uid = uid
        self.max_events = limits.max_queued_events
        self.watches: dict[int, Watch] = {}
        self.last_wd = 0
        self.events: deque[Record] = deque()
        self.taken: list[Record] = []  # what the last read took, should its buffer prove bad
        self.queue = WaitQueue("an inotify event")

    def name(self) -> bytes:
        return b"anon_inode:inotify"

    # --- watches ------------------------------------------------------------------------------------------------------

    def watch(self, inode: Inode, mask: int) -> int:
        """Watch an inode, or change what of it is watched: its descriptor; EEXIST, ENOSPC (inotify_update_watch)."""
        known = (inode.marks or {}).get(self)
        if isinstance(known, Watch):
            if mask & IN_MASK_CREATE:
                raise SysError(EEXIST)
            if not mask & IN_MASK_ADD:
                known.forget()
            known.ask(mask)
            return known.wd
        self.last_wd += 1  # also when the limit is reached, as in Linux
        used = self.limits.watches.get(self.uid, 0)
        if used >= self.limits.max_user_watches:
            raise SysError(ENOSPC)
        self.limits.watches[self.uid] = used + 1
        watch = self.watches[self.last_wd] = Watch(self, inode, self.last_wd)
        watch.ask(mask)
        self.add(watch)
        return watch.wd

    def unwatch(self, wd: int) -> None:
        """Watch no more; EINVAL for a descriptor that is not there."""
        if wd not in self.watches:
            raise SysError(EINVAL)
        self.remove(self.watches[wd])

    def removed(self, mark: Mark) -> None:
        assert isinstance(mark, Watch)
        self._queue(Record(mark.wd, IN_IGNORED, b""))
        del self.watches[mark.wd]
        self.limits.watches[self.uid] -= 1

    # --- events -------------------------------------------------------------------------------------------------------

    def tell(self, mark: Mark, event: Event) -> None:
        assert isinstance(mark, Watch)
        mask = event.mask & _SHOWN
        if mask & (IN_MOVE_SELF | IN_DELETE_SELF):
            mask &= ~IN_ISDIR  # it never was there, and programs rely on that
        self._queue(Record(mark.wd, mask, event.name or b"", event.cookie))
        if mark.oneshot:
            self.remove(mark)

    def _queue(self, record: Record) -> None:
        """Put an event behind the others, unless it says the same as the last one (inotify_merge, cookies aside)."""
        events = self.events
        if len(events) >= self.max_events:
            if OVERFLOW in events:
                return
            record = OVERFLOW
        elif events and events[-1][:3] == record[:3] and not record.mask & IN_IGNORED:
            return
        events.append(record)
        self.queue.wake(events=POLLIN | POLLRDNORM)
        self.kill_fasync(POLL_IN)

    # --- the file -----------------------------------------------------------------------------------------------------

    def read(self, count: int) -> bytes | WouldBlock:
        """As many whole events as fit; EINVAL when not even one does (inotify_read)."""
        if not self.events:
            return WOULD_BLOCK
        parts: list[bytes] = []
        self.taken = []
        while self.events and len(part := self.events[0].pack()) <= count:
            parts.append(part)
            count -= len(part)
            self.taken.append(self.events.popleft())
        if not parts:
            raise SysError(EINVAL)
        return b"".join(parts)

    def putback(self, data: bytes) -> None:
        """The event that did not fit into memory is lost, those behind it are not; EFAULT whatever was stored."""
        rest = len(data)
        for record in reversed(self.taken):
            rest -= len(record.pack())
            if rest <= 0:
                break
            self.events.appendleft(record)
        raise SysError(EFAULT)

    def poll(self) -> int:
        return POLLIN | POLLRDNORM if self.events else 0

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self.queue,)

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """FIONREAD: how many bytes there are to read."""
        if request != FIONREAD:
            raise SysError(ENOTTY)
        memory.write(argument, sum(len(record.pack()) for record in self.events).to_bytes(4, "little"))
        return 0

    def details(self) -> bytes:
        """A line for each watch, the last one first (inotify_show_fdinfo)."""
        return b"".join(self._line(watch) for watch in reversed(self.watches.values()))

    def _line(self, watch: Watch) -> bytes:
        inode = watch.target
        assert isinstance(inode, Inode)
        device = (inode.fs.dev >> 8 & 0xFFF) << 20 | inode.fs.dev & 0xFF
        text = b"inotify wd:%x ino:%x sdev:%x mask:%x ignored_mask:0 " % (watch.wd, inode.ino, device, watch.asked())
        kind, handle = inode.fs.handle(inode)
        return text + b"fhandle-bytes:%x fhandle-type:%x f_handle:%s\n" % (len(handle), kind, handle.hex().encode())

    def close(self) -> None:
        for watch in list(self.watches.values()):
            self.remove(watch)
        self.limits.instances[self.uid] -= 1
