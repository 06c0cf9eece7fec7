"""Directory notifications: F_NOTIFY of fcntl(2), a signal when something happens in a directory (fs/notify/dnotify)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, ENOTDIR, SysError
from syscalls.abi.fcntl import (
    DN_ACCESS,
    DN_ATTRIB,
    DN_CREATE,
    DN_DELETE,
    DN_MODIFY,
    DN_MULTISHOT,
    DN_RENAME,
    F_OWNER_PID,
)
from syscalls.abi.poll import (
    IN_ACCESS,
    IN_ATTRIB,
    IN_CREATE,
    IN_DELETE,
    IN_ISDIR,
    IN_MODIFY,
    IN_MOVED_FROM,
    IN_MOVED_TO,
)
from syscalls.abi.signal import POLL_MSG
from syscalls.abi.stat import S_IFDIR
from syscalls.fs.notify import EVENT_ON_CHILD, RENAME, Event, Group, Mark
from syscalls.kernel.sigio import send_sigio, set_default_owner

if TYPE_CHECKING:
    from syscalls.fs.fdtable import FdTable
    from syscalls.fs.file import File
    from syscalls.fs.inode import Inode
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task

_EVENTS = {
    DN_DELETE: IN_DELETE | IN_MOVED_FROM, DN_MODIFY: IN_MODIFY, DN_ACCESS: IN_ACCESS, DN_ATTRIB: IN_ATTRIB,
    DN_RENAME: RENAME, DN_CREATE: IN_CREATE | IN_MOVED_TO,
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Request:
    """Who wants to know: an open directory, in one table of descriptors (struct dnotify_struct)."""

    file: File
    files: FdTable
    fd: int
    mask: int
    multishot: bool


class DirectoryMark(Mark):
    """All requests for one directory, the last one first."""

    __slots__ = ("requests",)

    def __init__(self, group: Group, target: Inode) -> None:
        super().__init__(group, target, EVENT_ON_CHILD)
        self.requests: list[Request] = []

    def keep(self, requests: list[Request]) -> None:
        """These are left; without any the mark goes."""
        self.requests = requests
        self.mask = EVENT_ON_CHILD
        for request in requests:
            self.mask |= request.mask
        if not requests:
            self.group.remove(self)


class DirectoryNotifier(Group):
    """The one group of all these marks."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self.kernel = kernel
        self.enabled = 1  # /proc/sys/fs/dir-notify-enable

    def tell(self, mark: Mark, event: Event) -> None:
        assert isinstance(mark, DirectoryMark)
        if event.directory is None and not event.mask & IN_ISDIR:
            return
        kept = []
        for request in mark.requests:
            wanted = request.mask & event.mask & ~EVENT_ON_CHILD
            if wanted:
                send_sigio(self.kernel, request.file, request.fd, POLL_MSG)
            if not wanted or request.multishot:
                kept.append(request)
        mark.keep(kept)

    def descriptor_closed(self, file: File, files: FdTable) -> None:
        """A descriptor of an open directory is closed (dnotify_flush)."""
        mark = (file.inode.marks or {}).get(self)
        if isinstance(mark, DirectoryMark):
            mark.keep([request for request in mark.requests if (request.file, request.files) != (file, files)])


def request_notification(task: Task, fd: int, file: File, arg: int) -> None:
    """F_NOTIFY: signal the owner of an open directory at events; DN_* add up until they are 0 (fcntl_dirnotify)."""
    group = task.kernel.dnotify
    if not group.enabled:
        raise SysError(EINVAL)
    if not arg & ~DN_MULTISHOT & 0xFFFFFFFF:
        group.descriptor_closed(file, task.files)
        return
    inode = file.inode
    if inode.type != S_IFDIR:
        raise SysError(ENOTDIR)
    mask = EVENT_ON_CHILD
    for bit, events in _EVENTS.items():
        mask |= events if arg & bit else 0
    multishot = bool(arg & DN_MULTISHOT)
    set_default_owner(task, file, F_OWNER_PID)
    mark = (inode.marks or {}).get(group)
    if not isinstance(mark, DirectoryMark):
        mark = DirectoryMark(group, inode)
        group.add(mark)
    for request in mark.requests:
        if request.file is file and request.files is task.files:
            request.fd, request.mask, request.multishot = fd, request.mask | mask, request.multishot or multishot
            mark.keep(mark.requests)
            return
    mark.keep([Request(file, task.files, fd, mask, multishot), *mark.requests])
