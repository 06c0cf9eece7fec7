"""Who wants to know what happens to files: marks and the hooks that look at them (fs/notify/fsnotify.c).

A group (an inotify instance, dnotify, a fanotify group) puts marks on inodes, mounts or file systems. Whatever changes
a file calls one of the hooks `on_*`; each costs next to nothing while nobody watches the file system (`watched`).
Events are numbered as in <linux/fsnotify_backend.h>, which for those of inotify(7) means IN_*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from syscalls.abi.fcntl import O_PATH
from syscalls.abi.poll import (
    IN_ACCESS,
    IN_ATTRIB,
    IN_CLOSE_NOWRITE,
    IN_CLOSE_WRITE,
    IN_CREATE,
    IN_DELETE,
    IN_DELETE_SELF,
    IN_ISDIR,
    IN_MODIFY,
    IN_MOVE_SELF,
    IN_MOVED_FROM,
    IN_MOVED_TO,
    IN_OPEN,
    IN_UNMOUNT,
)
from syscalls.abi.stat import S_IFDIR, S_IFMT
from syscalls.fs.inode import FileSystem, Inode

if TYPE_CHECKING:
    from syscalls.fs.dentry import Dentry
    from syscalls.fs.fdtable import FdTable
    from syscalls.fs.file import File
    from syscalls.fs.mount import Mount, Path

OPEN_EXEC = 0x1000
EVENT_ON_CHILD = 0x0800_0000  # in a mark: it wants events of children; in an event: it is one
RENAME = 0x1000_0000  # old and new place in one event
#: Names that come and go in a directory (ALL_FSNOTIFY_DIRENT_EVENTS).
DIRENT_EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | RENAME
#: Events of objects that have parents (FS_EVENTS_POSS_ON_CHILD).
POSSIBLE_ON_CHILD = IN_ACCESS | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_OPEN | OPEN_EXEC
#: What may be asked for (ALL_FSNOTIFY_EVENTS, without permission events).
ALL_EVENTS = 0xFFF | OPEN_EXEC | IN_UNMOUNT | RENAME


class Event(NamedTuple):
    """Something that has happened."""

    mask: int
    inode: Inode | None  # what it happened to
    directory: Inode | None = None  # where its name is or was
    name: bytes | None = None
    cookie: int = 0  # the same in both halves of a rename
    path: Path | None = None  # of an open file
    dentry: Dentry | None = None
    moved_to: Dentry | None = None  # RENAME: the object at its new place


class Mark:
    """A group's interest in one object (struct fsnotify_mark)."""

    __slots__ = ("excl_unlink", "group", "ignored", "mask", "target")

    def __init__(self, group: Group, target: Inode | Mount | FileSystem, mask: int) -> None:
        self.group = group
        self.target = target
        self.mask = mask
        self.ignored = 0  # events that the group wants to hear nothing of (fanotify(7))
        self.excl_unlink = False  # no events of files that have lost their name (IN_EXCL_UNLINK)


#: The marks of one object, in the order of their making.
Marks = dict["Group", Mark]


class Group:
    """Somebody who is told (struct fsnotify_group)."""

    def __init__(self) -> None:
        self.marks: dict[Mark, None] = {}

    def add(self, mark: Mark) -> None:
        """Begin to watch; there is no other mark of the group on the object."""
        target = mark.target
        target.marks = {**(target.marks or {}), self: mark}
        _file_system(target).watched[mark] = None
        self.marks[mark] = None

    def remove(self, mark: Mark) -> None:
        """Watch no more (fsnotify_destroy_mark)."""
        if mark not in self.marks:
            return
        target = mark.target
        target.marks = {group: other for group, other in (target.marks or {}).items() if other is not mark} or None
        del _file_system(target).watched[mark]
        del self.marks[mark]
        self.removed(mark)

    def descriptor_closed(self, file: File, files: FdTable) -> None:
        """A descriptor of an object that the group has marked is closed."""

    def removed(self, mark: Mark) -> None:
        """A mark has gone, for whatever reason (freeing_mark)."""

    def handle(self, event: Event, mark: Mark | None, parent: Mark | None, others: tuple[Mark, ...]) -> None:
        """An event that one of the marks asks for: of the object, of its parent directory, of mount or file system.

        What this does is right for groups that know inodes only: each mark is told by itself, first the parent's, with
        the name (fsnotify_handle_event).
        """
        del others
        if event.mask & RENAME:
            if event.moved_to is None or event.moved_to.parent.inode is not event.directory:
                return
            parent = None  # it is the same directory
        if parent is not None:
            self._tell(parent, event)
        if mark is not None:
            if not event.mask & DIRENT_EVENTS:  # the object itself hears no name
                event = event._replace(mask=event.mask & ~EVENT_ON_CHILD, directory=None, name=None)
            self._tell(mark, event)

    def _tell(self, mark: Mark, event: Event) -> None:
        if mark.excl_unlink and event.path is not None and event.path.dentry.deleted:
            return
        if event.mask & mark.mask & ALL_EVENTS:
            self.tell(mark, event)

    def tell(self, mark: Mark, event: Event) -> None:
        """One mark's event (handle_inode_event)."""
        raise NotImplementedError


def _file_system(target: Inode | Mount | FileSystem) -> FileSystem:
    return target if isinstance(target, FileSystem) else target.fs


# --- delivery ---------------------------------------------------------------------------------------------------------


def _send(event: Event, target: Inode, parent: Inode | None = None) -> None:
    """Tell every group that has a mark on the object, its parent, its mount or its file system (fsnotify)."""
    mount = event.path.mount if event.path is not None else None
    own = target.marks or {}
    above = parent.marks or {} if parent is not None else {}
    mounted = mount.marks or {} if mount is not None else {}
    general = target.fs.marks or {}
    wanted = event.mask & ALL_EVENTS
    modified = event.mask & IN_MODIFY
    for group in dict.fromkeys((*own, *above, *mounted, *general)):
        mark, over = own.get(group), above.get(group)
        others = tuple(marks[group] for marks in (mounted, general) if group in marks)
        asked = 0
        for each in (mark, over, *others):
            if each is not None:
                asked |= each.mask | (modified if each.ignored else 0)
        if wanted & asked:
            group.handle(event, mark, over, others)


def _on_child(dentry: Dentry, mask: int, path: Path | None = None) -> None:
    """Something was done to what a dentry names: told to it, and to its parent (__fsnotify_parent)."""
    inode = dentry.inode
    is_dir = inode.mode & S_IFMT == S_IFDIR
    if is_dir:
        mask |= IN_ISDIR
    directory = dentry.parent.inode
    watched = directory is not inode and _wants_children(directory)
    if watched & mask & ALL_EVENTS:
        event = Event(mask | EVENT_ON_CHILD, inode, directory, dentry.name, path=path, dentry=dentry)
        _send(event, inode, directory)
    elif directory is not inode and (watched or not is_dir) and _wants_name(inode, path) & mask & POSSIBLE_ON_CHILD:
        _send(Event(mask, inode, directory, dentry.name, path=path, dentry=dentry), inode)
    else:
        _send(Event(mask, inode, path=path, dentry=dentry), inode)


def _wants_children(target: Inode | Mount | FileSystem) -> int:
    """The events of children that somebody wants to hear of, or the events of files with their names."""
    interest = 0
    for mark in (target.marks or {}).values():
        if mark.mask & EVENT_ON_CHILD:
            interest |= mark.mask
    return interest


def _wants_name(inode: Inode, path: Path | None) -> int:
    """The events that marks of an object, its mount or file system need its parent for (_event_needs_parent)."""
    interest = _wants_children(inode) | _wants_children(inode.fs)
    return interest | _wants_children(path.mount) if path is not None else interest


# --- hooks: open files ------------------------------------------------------------------------------------------------


def on_file(file: File, mask: int) -> None:
    """An open file was used (fsnotify_file)."""
    if not file.inode.fs.watched or file.flags & O_PATH or file.silent:
        return
    path = file.path
    if path is not None and path.dentry.inode is file.inode:
        _on_child(path.dentry, mask, path)
    else:
        _send(Event(mask, file.inode, path=path), file.inode)


def on_open(file: File, *, execute: bool = False) -> None:
    """A file was opened (fsnotify_open)."""
    on_file(file, IN_OPEN | OPEN_EXEC if execute else IN_OPEN)


def on_access(file: File) -> None:
    """Something was read (fsnotify_access)."""
    on_file(file, IN_ACCESS)


def on_modify(file: File) -> None:
    """Something was written (fsnotify_modify)."""
    on_file(file, IN_MODIFY)


def on_close(file: File) -> None:
    """The open file description goes (fsnotify_close)."""
    on_file(file, IN_CLOSE_WRITE if file.writable else IN_CLOSE_NOWRITE)


def on_flush(file: File, files: FdTable) -> None:
    """A descriptor is closed, perhaps not the last one (filp_flush)."""
    for group in file.inode.marks or ():
        group.descriptor_closed(file, files)


# --- hooks: objects ---------------------------------------------------------------------------------------------------


def on_dentry(dentry: Dentry, mask: int) -> None:
    """An object was changed through a name (fsnotify_dentry)."""
    if dentry.inode.fs.watched:
        _on_child(dentry, mask)


def on_inode(inode: Inode, mask: int) -> None:
    """An object has changed, whatever its names (fsnotify_inode)."""
    if inode.fs.watched:
        _send(Event(mask | _isdir(inode), inode), inode)


def _isdir(inode: Inode) -> int:
    return IN_ISDIR if inode.type == S_IFDIR else 0


def on_name(mask: int, directory: Inode, name: bytes, inode: Inode, cookie: int = 0) -> None:
    """A name came to a directory or left it (fsnotify_name)."""
    if directory.fs.watched:
        _send(Event(mask | _isdir(inode), inode, directory, name, cookie), directory)


def on_create(dentry: Dentry) -> None:
    """A new object (fsnotify_create, fsnotify_mkdir)."""
    on_name(IN_CREATE, dentry.parent.inode, dentry.name, dentry.inode)


def on_link(dentry: Dentry) -> None:
    """A new name of an object (fsnotify_link)."""
    on_inode(dentry.inode, IN_ATTRIB)
    on_create(dentry)


def on_unlink(inode: Inode) -> None:
    """An object has lost a name (fsnotify_link_count)."""
    on_inode(inode, IN_ATTRIB)


def on_delete(directory: Inode, name: bytes, inode: Inode) -> None:
    """A name has left a directory (fsnotify_delete)."""
    on_name(IN_DELETE, directory, name, inode)


_last_cookie = 0


def on_move(directory: Inode, name: bytes, moved: Dentry, target: Inode | None) -> None:
    """An object was at `name` of `directory`, and is where `moved` says; `target`: what was there (fsnotify_move)."""
    inode, new_dir = moved.inode, moved.parent.inode
    if not inode.fs.watched:
        return
    global _last_cookie  # noqa: PLW0603  # one counter for all, as fsnotify_sync_cookie
    _last_cookie = cookie = _last_cookie % 0xFFFFFFFF + 1
    event = Event(RENAME | _isdir(inode), inode, directory, name, moved_to=moved)
    _send(event, directory, new_dir)
    on_name(IN_MOVED_FROM, directory, name, inode, cookie)
    on_name(IN_MOVED_TO, new_dir, moved.name, inode, cookie)
    if target is not None:
        on_unlink(target)
    on_inode(inode, IN_MOVE_SELF)


# --- the end of objects -----------------------------------------------------------------------------------------------


def on_last_name(inode: Inode) -> None:
    """Nobody uses a name any more of an object that has none left (fsnotify_inoderemove)."""
    on_inode(inode, IN_DELETE_SELF)
    _drop_marks(inode)


def on_unmount(fs: FileSystem) -> None:
    """A file system goes away with all its objects (fsnotify_sb_delete)."""
    inodes = {mark.target for mark in fs.watched if isinstance(mark.target, Inode)}
    for inode in sorted(inodes, key=lambda inode: inode.ino, reverse=True):  # the newest first, as in s_inodes
        on_inode(inode, IN_UNMOUNT)
        _drop_marks(inode)
    for mark in tuple(fs.watched):
        _drop_marks(mark.target)


def _drop_marks(target: Inode | Mount | FileSystem) -> None:
    for group, mark in tuple((target.marks or {}).items()):
        group.remove(mark)
