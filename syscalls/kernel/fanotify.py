"""fanotify(7): groups that hear of events with open descriptors or file handles (fs/notify/fanotify).

There are no permission events, as in a kernel without CONFIG_FANOTIFY_ACCESS_PERMISSIONS.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls.abi.errno import EFAULT, EINVAL, EMFILE, ENOENT, ENOSPC, ENOTTY, SysError
from syscalls.abi.fanotify import (
    ALL_EVENTS,
    DIRENT_EVENTS,
    EVENT_FLAGS,
    FAN_EVENT_INFO_TYPE_DFID,
    FAN_EVENT_INFO_TYPE_DFID_NAME,
    FAN_EVENT_INFO_TYPE_FID,
    FAN_EVENT_INFO_TYPE_NEW_DFID_NAME,
    FAN_EVENT_INFO_TYPE_OLD_DFID_NAME,
    FAN_EVENT_INFO_TYPE_PIDFD,
    FAN_EVENT_METADATA_LEN,
    FAN_EVENT_ON_CHILD,
    FAN_MODIFY,
    FAN_NOFD,
    FAN_ONDIR,
    FAN_Q_OVERFLOW,
    FAN_RENAME,
    FAN_REPORT_DIR_FID,
    FAN_REPORT_FID,
    FAN_REPORT_NAME,
    FAN_REPORT_PIDFD,
    FAN_REPORT_TARGET_FID,
    FAN_REPORT_TID,
    FANOTIFY_METADATA_VERSION,
    FID_BITS,
)
from syscalls.abi.fcntl import O_CLOEXEC, O_RDWR
from syscalls.abi.ioctl import FIONREAD
from syscalls.abi.poll import POLLIN, POLLRDNORM
from syscalls.abi.signal import POLL_IN
from syscalls.abi.stat import S_IFDIR, S_IFREG
from syscalls.fs.anon import AnonFile
from syscalls.fs.fdtable import put
from syscalls.fs.file import WOULD_BLOCK, WouldBlock
from syscalls.fs.inode import FileSystem, Inode
from syscalls.fs.notify import Event, Group, Mark
from syscalls.fs.open import vfs_open
from syscalls.kernel.fileio import install
from syscalls.kernel.pidfd import PidFile
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.fs.mount import Mount, Path
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.ports import Memory
    from syscalls.kernel.task import Task

_METADATA = struct.Struct("<IBxHQii")  # struct fanotify_event_metadata
_INFO = struct.Struct("<BxHiiIi")  # struct fanotify_event_info_fid, and the head of its file_handle
_MERGED = 128  # how many events back one is looked for that says the same (FANOTIFY_MERGE_...)


class Limits:
    """/proc/sys/fs/fanotify, and what users have of it."""

    def __init__(self, memory_bytes: int) -> None:
        self.max_queued_events = 16384
        self.max_user_groups = 128
        self.max_user_marks = min(max(memory_bytes // 100 // 1248, 8192), 1048576)
        self.groups: dict[int, int] = {}
        self.marks: dict[int, int] = {}


class FanMark(Mark):
    """What a group asks for, and what it wants to hear nothing of."""

    __slots__ = ("evictable", "ignores_flags", "survives_modify")

    def __init__(self, group: Group, target: Inode | Mount | FileSystem) -> None:
        super().__init__(group, target, 0)
        self.survives_modify = False  # FAN_MARK_IGNORED_SURV_MODIFY
        self.ignores_flags = False  # FAN_MARK_IGNORE: FAN_ONDIR and FAN_EVENT_ON_CHILD count in the ignored mask
        self.evictable = False

    def effective_ignored(self, *, directory: bool, child: bool) -> int:
        """The events that it ignores, of a directory, of a child (fsnotify_effective_ignore_mask)."""
        ignored = self.ignored
        if not ignored or not (directory or child):
            return ignored & ~EVENT_FLAGS
        if not self.ignores_flags:
            ignored |= FAN_ONDIR | self.mask & FAN_EVENT_ON_CHILD
        return ignored & ~EVENT_FLAGS if _applies(ignored, directory=directory, child=child) else 0


def _applies(mask: int, *, directory: bool, child: bool) -> bool:
    """Is a mark's mask for such objects? (fsnotify_mask_applicable)."""
    return not (directory and not mask & FAN_ONDIR) and not (child and not mask & FAN_EVENT_ON_CHILD)


@dataclass(slots=True)
class Record:
    """An event as it waits to be read. Handles are (file system, number) of objects that may be gone by then."""

    mask: int
    pid: int
    task: Task | None = None
    path: Path | None = None
    directory: Inode | None = None
    name: bytes = b""
    new_directory: Inode | None = None
    new_name: bytes = b""
    object: Inode | None = None

    def same(self, other: Record) -> bool:
        """May it be told in one with the other? (fanotify_should_merge)."""
        return (
            self.pid == other.pid
            and not (self.mask ^ other.mask) & (FAN_ONDIR | FAN_RENAME)
            and self.path == other.path
            and self.name == other.name
            and self.new_name == other.new_name
            and self.directory is other.directory
            and self.new_directory is other.new_directory
            and self.object is other.object
        )


class FanotifyFile(AnonFile, Group):
    """A group: its marks, and the events that have not been read."""

    signals_io = True

    def __init__(
        self, kernel: Kernel, flags: int, status: int, event_flags: int, uid: int, *, privileged: bool
    ) -> None:
        """`flags`: FAN_* of fanotify_init(2); EMFILE when the user has too many groups."""
        AnonFile.__init__(self, kernel.anonfs, O_RDWR | status)
        Group.__init__(self)
        limits = kernel.fanotify
        if limits.groups.get(uid, 0) >= limits.max_user_groups:
            raise SysError(EMFILE)
        limits.groups[uid] = limits.groups.get(uid, 0) + 1
        self.kernel = kernel
        self.limits = limits
        self.uid = uid
        self.init_flags = flags
        self.event_flags = event_flags
        self.privileged = privileged
        self.max_events = limits.max_queued_events
        self.max_marks = limits.max_user_marks
        self.events: deque[Record] = deque()
        self.queue = WaitQueue("a fanotify event")

    def name(self) -> bytes:
        return b"anon_inode:[fanotify]"

    @property
    def fid_mode(self) -> int:
        """FAN_REPORT_*FID: are objects reported by handles?"""
        return self.init_flags & FID_BITS

    # --- marks --------------------------------------------------------------------------------------------------------

    def mark_of(self, target: Inode | Mount | FileSystem) -> FanMark | None:
        """The group's mark on an object."""
        mark = (target.marks or {}).get(self)
        return mark if isinstance(mark, FanMark) else None

    def new_mark(self, target: Inode | Mount | FileSystem) -> FanMark:
        """A mark that asks for nothing yet; ENOSPC (fanotify_add_new_mark)."""
        used = self.limits.marks.get(self.uid, 0)
        if used >= self.max_marks:
            raise SysError(ENOSPC)
        self.limits.marks[self.uid] = used + 1
        mark = FanMark(self, target)
        self.add(mark)
        return mark

    def removed(self, mark: Mark) -> None:
        del mark
        self.limits.marks[self.uid] -= 1

    # --- events -------------------------------------------------------------------------------------------------------

    def handle(self, event: Event, mark: Mark | None, parent: Mark | None, others: tuple[Mark, ...]) -> None:
        """Queue the event if the marks ask for it (fanotify_handle_event)."""
        if event.mask & FAN_MODIFY:
            for ignoring in (mark, parent, *others):
                if isinstance(ignoring, FanMark) and not ignoring.survives_modify:
                    ignoring.ignored = 0
        renamed = bool(event.mask & FAN_RENAME)
        reported = self._reported(event, [(mark, False), (parent, not renamed), *((other, False) for other in others)])
        if not reported:
            return
        task = self.kernel.current
        pid = 0
        if task is not None:
            pid = task.tid if self.init_flags & FAN_REPORT_TID else task.group.tgid
        record = Record(reported, pid, task)
        if not self.fid_mode:
            record.path = event.path
        else:
            self._identify(record, event, old=mark is not None or bool(others), new=parent is not None or bool(others))
        self._queue(record)

    def _reported(self, event: Event, marks: list[tuple[Mark | None, bool]]) -> int:
        """The part of an event's mask that is to be told, 0: nothing (fanotify_group_event_mask)."""
        directory = bool(event.mask & FAN_ONDIR)
        if not self.fid_mode:
            if event.path is None or event.path.inode.type not in (S_IFREG, S_IFDIR):
                return 0
        elif not self.fid_mode & FAN_REPORT_FID and event.directory is None and not directory:
            return 0
        wanted = ignored = 0
        for mark, child in marks:
            if isinstance(mark, FanMark):
                ignored |= mark.effective_ignored(directory=directory, child=child)
                if _applies(mark.mask, directory=directory, child=child):
                    wanted |= mark.mask
        told = event.mask & wanted & ~ignored
        if not self.fid_mode:
            return told & ALL_EVENTS
        return told & (ALL_EVENTS | FAN_ONDIR) if told & ~EVENT_FLAGS else 0

    def _identify(self, record: Record, event: Event, *, old: bool, new: bool) -> None:
        """Which handles and names the event has (fanotify_alloc_event)."""
        mode, dirent = self.fid_mode, bool(event.mask & DIRENT_EVENTS)
        on_directory = bool(event.mask & FAN_ONDIR)
        victim = event.inode
        place = event.directory
        if not dirent and victim is not None and victim.type == S_IFDIR:
            place = victim
        subject = event.directory if dirent and not mode & FAN_REPORT_TARGET_FID else victim
        if not mode & FAN_REPORT_DIR_FID or place is None:
            record.object = subject
            return
        with_child = mode & FAN_REPORT_TARGET_FID if dirent else mode & FAN_REPORT_FID and not on_directory
        child = subject if with_child and subject is not place else None
        named = bool(mode & FAN_REPORT_NAME) and (dirent or not on_directory)
        if event.moved_to is not None and event.mask & FAN_RENAME:
            record.object = child
            if old:
                record.directory, record.name = event.directory, event.name or b""
            if new:
                record.new_directory, record.new_name = event.moved_to.parent.inode, event.moved_to.name
        elif (named and event.name) or child is not None:
            record.directory, record.name, record.object = place, event.name or b"" if named else b"", child
        else:
            record.object = place

    def _queue(self, record: Record) -> None:
        """Merge an event into one that says the same of the same, or put it behind the others."""
        if len(self.events) >= self.max_events:
            if any(waiting.mask & FAN_Q_OVERFLOW for waiting in self.events):
                return
            record = Record(FAN_Q_OVERFLOW, 0)
        else:
            for index in range(len(self.events) - 1, max(-1, len(self.events) - 1 - _MERGED), -1):
                waiting = self.events[index]
                if waiting.same(record):
                    waiting.mask |= record.mask
                    return
        self.events.append(record)
        self.queue.wake(events=POLLIN | POLLRDNORM)
        self.kill_fasync(POLL_IN)

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self, count: int) -> bytes | WouldBlock:
        """As many whole events as fit; descriptors are the caller's (fanotify_read)."""
        reader = self.kernel.current
        if not self.events or reader is None:
            return WOULD_BLOCK
        parts: list[bytes] = []
        while self.events:
            infos = self._infos(self.events[0])
            length = FAN_EVENT_METADATA_LEN + len(infos) + (8 if self._wants_pidfd(self.events[0]) else 0)
            if length > count:
                break
            record = self.events.popleft()
            try:
                parts.append(self._render(reader, record, infos, length))
            except SysError:
                if not parts:
                    raise
                break
            count -= length
        if not parts:
            raise SysError(EINVAL)
        return b"".join(parts)

    def _wants_pidfd(self, record: Record) -> bool:
        return bool(self.init_flags & FAN_REPORT_PIDFD) and not record.mask & FAN_Q_OVERFLOW

    def _render(self, reader: Task, record: Record, infos: bytes, length: int) -> bytes:
        fd = FAN_NOFD if record.path is None else self._open(reader, record.path)
        own = record.pid == (reader.tid if self.init_flags & FAN_REPORT_TID else reader.group.tgid)
        pid = record.pid if self.privileged or own else 0
        if self._wants_pidfd(record):
            infos += struct.pack("<BxHi", FAN_EVENT_INFO_TYPE_PIDFD, 8, self._pidfd(reader, record))
        head = _METADATA.pack(length, FANOTIFY_METADATA_VERSION, FAN_EVENT_METADATA_LEN, record.mask, fd, pid)
        return head + infos

    def _open(self, reader: Task, path: Path) -> int:
        """The object, opened for the reader; nobody is told of what is done with it (create_fd)."""
        file: File = vfs_open(path, self.event_flags & ~O_CLOEXEC, silent=True)
        try:
            return install(reader, file, cloexec=bool(self.event_flags & O_CLOEXEC))
        except SysError:
            put(file)
            raise

    def _pidfd(self, reader: Task, record: Record) -> int:
        """FAN_NOPIDFD (-1) when the process is gone."""
        group = self.kernel.groups.get(record.pid)
        if group is None or not group.tasks:
            return -1
        return install(reader, PidFile(self.kernel, group, O_RDWR), cloexec=True)

    def _infos(self, record: Record) -> bytes:
        """The records behind the head: directory and name, new place, the object (copy_info_records_to_user)."""
        parts: list[bytes] = []
        if record.directory is not None:
            kind = FAN_EVENT_INFO_TYPE_DFID_NAME if record.name else FAN_EVENT_INFO_TYPE_DFID
            if record.mask & FAN_RENAME:
                kind = FAN_EVENT_INFO_TYPE_OLD_DFID_NAME
            parts.append(_info(kind, record.directory, record.name))
        if record.new_directory is not None:
            parts.append(_info(FAN_EVENT_INFO_TYPE_NEW_DFID_NAME, record.new_directory, record.new_name))
        if record.object is not None:
            parts.append(self._object_info(record, record.object, alone=not parts))
        return b"".join(parts)

    def _object_info(self, record: Record, inode: Inode, *, alone: bool) -> bytes:
        if not alone or self.fid_mode == FAN_REPORT_FID:
            return _info(FAN_EVENT_INFO_TYPE_FID, inode)
        if self.fid_mode & FAN_REPORT_NAME and record.mask & FAN_ONDIR:
            return _info(FAN_EVENT_INFO_TYPE_DFID_NAME, inode, b".")
        if record.mask & (DIRENT_EVENTS | FAN_ONDIR):
            return _info(FAN_EVENT_INFO_TYPE_DFID, inode)
        return _info(FAN_EVENT_INFO_TYPE_FID, inode)

    # --- the file -----------------------------------------------------------------------------------------------------

    def write(self, data: bytes | memoryview) -> int:
        """Answers to permission events, which there are none of (fanotify_write)."""
        if len(data) < 8:
            raise SysError(EINVAL)
        fd, answer = struct.unpack_from("<iI", data)
        if answer & ~0x33 or answer & 3 not in (1, 2) or fd < 0:
            raise SysError(EINVAL)
        raise SysError(ENOENT)

    def putback(self, data: bytes) -> None:
        del data
        raise SysError(EFAULT)

    def poll(self) -> int:
        return POLLIN | POLLRDNORM if self.events else 0

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self.queue,)

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """FIONREAD: how many bytes there are to read, reckoned without names and handles (fanotify_ioctl)."""
        if request != FIONREAD:
            raise SysError(ENOTTY)
        memory.write(argument, (FAN_EVENT_METADATA_LEN * len(self.events)).to_bytes(4, "little"))
        return 0

    def details(self) -> bytes:
        """The flags of the group; its marks are nobody's business yet."""
        return b"fanotify flags:%x event-flags:%x\n" % (self.init_flags, self.event_flags)

    def close(self) -> None:
        for mark in list(self.marks):
            self.remove(mark)
        self.limits.groups[self.uid] -= 1


def _info(kind: int, inode: Inode, name: bytes = b"") -> bytes:
    """A record with a handle, and perhaps a name behind it (copy_fid_info_to_user)."""
    handle_type, handle = inode.fs.handle(inode)
    text = name + b"\0" if name else b""
    length = -(-(_INFO.size + len(handle) + len(text)) // 4) * 4
    head = _INFO.pack(kind, length, inode.fs.dev, 0, len(handle), handle_type)
    return (head + handle + text).ljust(length, b"\0")
