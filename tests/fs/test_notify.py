"""Marks and the hooks that look at them: who is told what, and what it costs when nobody watches."""

from __future__ import annotations

import pytest

from syscalls.abi.errno import EMFILE, ENOSPC, SysError
from syscalls.abi.fcntl import O_CREAT, O_RDONLY, O_RDWR
from syscalls.abi.poll import (
    IN_ALL_EVENTS,
    IN_ATTRIB,
    IN_CLOSE_NOWRITE,
    IN_CREATE,
    IN_DELETE,
    IN_DELETE_SELF,
    IN_IGNORED,
    IN_ISDIR,
    IN_MODIFY,
    IN_OPEN,
    IN_Q_OVERFLOW,
    IN_UNMOUNT,
)
from syscalls.fs import notify, vfs
from syscalls.fs.anon import AnonInodeFs
from syscalls.fs.fdtable import put
from syscalls.fs.file import WOULD_BLOCK
from syscalls.fs.inotify import InotifyFile, Limits
from syscalls.fs.tmpfs import TmpFs


class Instance(InotifyFile):
    """An inotify instance whose events are read as tuples."""

    def __init__(self, world, limits=None):
        super().__init__(AnonInodeFs(9, world.now), 0, limits or Limits(1 << 30), 0)

    def seen(self):
        events = [(record.wd, record.mask, record.name) for record in self.events]
        self.events.clear()
        return events


def test_a_directory_hears_of_its_children_by_name_and_the_child_without(world):
    instance = Instance(world)
    put(world.open(b"f", O_CREAT))
    assert instance.watch(world.path(b"/").inode, IN_ALL_EVENTS) == 1
    assert instance.watch(world.path(b"f").inode, IN_ALL_EVENTS) == 2
    put(world.open(b"f", O_RDONLY))
    assert instance.seen() == [
        (1, IN_OPEN, b"f"),
        (2, IN_OPEN, b""),
        (1, IN_CLOSE_NOWRITE, b"f"),
        (2, IN_CLOSE_NOWRITE, b""),
    ]


def test_groups_do_not_hear_what_others_have_asked_for(world):
    first, second = Instance(world), Instance(world)
    first.watch(world.path(b"/").inode, IN_CREATE)
    second.watch(world.path(b"/").inode, IN_DELETE)
    vfs.mkdir(world, None, b"d", 0o700)
    vfs.rmdir(world, None, b"d")
    assert first.seen() == [(1, IN_CREATE | IN_ISDIR, b"d")]
    assert second.seen() == [(1, IN_DELETE | IN_ISDIR, b"d")]


def test_the_object_ends_with_the_last_user_of_its_last_name(world):
    instance = Instance(world)
    file = world.open(b"f", O_CREAT | O_RDWR)
    instance.watch(file.inode, IN_DELETE_SELF)
    vfs.unlink(world, None, b"f")
    assert instance.seen() == []
    put(file)
    del file
    assert instance.seen() == [(1, IN_DELETE_SELF, b""), (1, IN_IGNORED, b"")]
    assert not instance.watches


def test_nothing_is_left_on_the_file_system_when_the_instance_closes(world):
    instance = Instance(world)
    inode = world.path(b"/").inode
    instance.watch(inode, IN_OPEN)
    assert inode.fs.watched
    instance.close()
    assert not inode.fs.watched
    assert inode.marks is None


def test_no_event_is_made_while_nobody_watches(world, monkeypatch):
    monkeypatch.setattr(notify, "Event", None)
    file = world.open(b"f", O_CREAT | O_RDWR)
    vfs.rename(world, None, b"f", None, b"g")
    put(file)
    vfs.unlink(world, None, b"g")


def test_equal_events_that_follow_each_other_are_one(world):
    instance = Instance(world)
    put(world.open(b"f", O_CREAT))
    put(world.open(b"g", O_CREAT))
    instance.watch(world.path(b"/").inode, IN_MODIFY)
    one, other = world.path(b"f").dentry, world.path(b"g").dentry
    for dentry in (one, one, other, one):
        notify.on_dentry(dentry, IN_MODIFY)
    assert [name for _, _, name in instance.seen()] == [b"f", b"g", b"f"]


def test_a_full_queue_says_so_once(world):
    limits = Limits(1 << 30)
    limits.max_queued_events = 2
    instance = Instance(world, limits)
    put(world.open(b"f", O_CREAT))
    instance.watch(world.path(b"/").inode, IN_MODIFY | IN_ATTRIB)
    for mask in (IN_MODIFY, IN_ATTRIB) * 3:
        notify.on_dentry(world.path(b"f").dentry, mask)
    assert instance.seen() == [(1, IN_MODIFY, b"f"), (1, IN_ATTRIB, b"f"), (-1, IN_Q_OVERFLOW, b"")]


def test_a_user_has_so_many_instances_and_watches(world):
    limits = Limits(1 << 30)
    limits.max_user_instances, limits.max_user_watches = 1, 1
    instance = Instance(world, limits)
    with pytest.raises(SysError) as failure:
        Instance(world, limits)
    assert failure.value.errno == EMFILE
    vfs.mkdir(world, None, b"d", 0o700)
    assert instance.watch(world.path(b"/").inode, IN_OPEN) == 1
    with pytest.raises(SysError) as failure:
        instance.watch(world.path(b"d").inode, IN_OPEN)
    assert failure.value.errno == ENOSPC
    instance.unwatch(1)
    assert instance.watch(world.path(b"d").inode, IN_OPEN) == 3  # the number that failed is not used again
    instance.close()
    assert Instance(world, limits).watch(world.path(b"d").inode, IN_OPEN) == 1


def test_unmounting_ends_all_watches_of_the_file_system(world):
    vfs.mkdir(world, None, b"m", 0o755)
    fs = TmpFs(7, world.now, world.ram, world.special)
    mount = world.mounts.mount(fs.root, world.path(b"m"))
    instance = Instance(world)
    instance.watch(world.path(b"m").inode, IN_OPEN)
    world.mounts.unmount(mount)
    assert instance.seen() == [(1, IN_UNMOUNT | IN_ISDIR, b""), (1, IN_IGNORED, b"")]


def test_reading_takes_whole_events(world):
    instance = Instance(world)
    instance.watch(world.path(b"/").inode, IN_CREATE)
    assert instance.read(100) is WOULD_BLOCK
    put(world.open(b"fifteen-letters", O_CREAT))
    put(world.open(b"sixteen-letters!", O_CREAT))
    with pytest.raises(SysError):
        instance.read(31)
    assert len(instance.read(32 + 47)) == 32
    assert len(instance.read(48)) == 48
