from __future__ import annotations

import os

import pytest

from syscalls.abi.errno import EBUSY, ELOOP, ENOENT, EROFS, EXDEV, SysError
from syscalls.abi.fcntl import RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV
from syscalls.abi.stat import S_IFLNK, ST_NOEXEC, ST_NOSUID, ST_RDONLY
from syscalls.fs import attr, vfs
from syscalls.fs.inode import FileSystem, Inode
from syscalls.fs.open import openat2
from syscalls.fs.path import anonymous, resolve
from syscalls.fs.tmpfs import TmpFs


def fails(errno, function, *arguments, **keywords):
    with pytest.raises(SysError) as caught:
        function(*arguments, **keywords)
    assert caught.value.errno == errno, caught.value


@pytest.fixture
def other(world):
    """/m, another file system with a directory d in it."""
    vfs.mkdir(world, None, b"/m", 0o755)
    fs = TmpFs(2, world.now, world.ram, world.special, mode=0o755)
    mount = world.mounts.mount(fs.root, world.path(b"/m"), ST_NOSUID, b"other fs")
    vfs.mkdir(world, None, b"/m/d", 0o755)
    return mount


def test_dotdot_leaves_a_mount(world, other):
    assert world.path(b"/m/d/../..") == world.mounts.root_path
    assert world.path(b"/m").inode is other.root.inode
    world.fs.cwd = world.path(b"/m/d")
    assert world.fs.getcwd() == b"/m/d"
    assert world.path(b"..") == (other, other.root)


def test_a_changed_root_is_the_top(world, other):
    vfs.mkdir(world, None, b"/m/d/e", 0o755)
    world.fs.root = world.path(b"/m/d")
    assert world.path(b"/../../e/..") == world.fs.root
    assert world.fs.name(world.path(b"/e")) == b"/e"
    assert world.fs.getcwd() == b"(unreachable)/"


def test_names_follow_a_renamed_directory(world):
    vfs.mkdir(world, None, b"/a", 0o755)
    vfs.mkdir(world, None, b"/a/b", 0o755)
    world.fs.cwd = world.path(b"/a/b")
    vfs.rename(world, None, b"/a", None, b"/z")
    assert world.fs.getcwd() == b"/z/b"
    vfs.rmdir(world, None, b"/z/b")
    fails(ENOENT, world.fs.getcwd)
    assert world.fs.name(world.fs.cwd) == b"/z/b (deleted)"
    assert world.path(b"..") == world.path(b"/z")
    fails(ENOENT, world.path, b"x")
    fails(ENOENT, vfs.mkdir, world, None, b"x", 0o755)
    fails(ENOENT, world.open(b".").entries)


def test_a_mount_point_stays(world, other):
    fails(EBUSY, vfs.rmdir, world, None, b"/m")
    fails(EBUSY, vfs.rename, world, None, b"/m", None, b"/n")
    fails(EXDEV, vfs.rename, world, None, b"/m/d", None, b"/d")
    fails(EXDEV, vfs.link, world, world.path(b"/m/d"), None, b"/d")
    fails(EBUSY, world.mounts.unmount, world.mounts.root) if other.children else None
    world.mounts.unmount(other)
    vfs.rmdir(world, None, b"/m")


def test_a_read_only_mount_refuses_every_change(world, other):
    world.open(b"/m/f", os.O_CREAT | os.O_WRONLY)
    other.flags |= ST_RDONLY
    there = world.path(b"/m/f")
    fails(EROFS, world.open, b"/m/f", os.O_WRONLY)
    fails(EROFS, world.open, b"/m/new", os.O_CREAT)
    fails(EROFS, vfs.mkdir, world, None, b"/m/new", 0o755)
    fails(EROFS, vfs.unlink, world, None, b"/m/f")
    fails(EROFS, vfs.rmdir, world, None, b"/m/d")
    fails(EROFS, vfs.symlink, world, b"x", None, b"/m/l")
    fails(EROFS, vfs.rename, world, None, b"/m/f", None, b"/m/g")
    fails(EROFS, attr.chmod, world, there, 0o600)
    fails(EROFS, attr.chown, world, there, 1, 1)
    fails(EROFS, attr.truncate, world, there, 0)
    fails(EROFS, attr.utimens, world, there, attr.NOW, attr.NOW)
    fails(EROFS, attr.access, there, world.cred, os.W_OK)
    world.open(b"/m/f").read(1)


def test_the_lines_of_proc_mounts(world, other):
    other.flags |= ST_NOEXEC
    root = world.mounts.root_path
    assert list(world.mounts.rows(root)) == [
        b"root\\040fs / tmpfs rw,relatime 0 0\n",
        b"other\\040fs /m tmpfs rw,nosuid,noexec 0 0\n",
    ]
    assert list(world.mounts.info_rows(root))[1] == b"2 1 0:2 / /m rw,nosuid,noexec - tmpfs other\\040fs rw\n"
    assert list(world.mounts.rows(world.path(b"/m"))) == [b"other\\040fs / tmpfs rw,nosuid,noexec 0 0\n"]


def test_resolve_flags_of_openat2(world, other):
    vfs.symlink(world, b"/m/d", None, b"/m/abs")
    base = world.path(b"/m")

    def go(name, resolve):
        return openat2(world, base, name, os.O_RDONLY, 0, resolve).inode

    assert go(b"d/..", RESOLVE_BENEATH) is base.inode
    fails(EXDEV, go, b"..", RESOLVE_BENEATH)
    fails(EXDEV, go, b"/m/d", RESOLVE_BENEATH)
    fails(EXDEV, go, b"abs", RESOLVE_BENEATH)
    assert go(b"/../d", RESOLVE_IN_ROOT) is world.path(b"/m/d").inode
    fails(ENOENT, go, b"abs", RESOLVE_IN_ROOT)
    fails(EXDEV, go, b"../m", RESOLVE_NO_XDEV)
    fails(EXDEV, go, b"abs", RESOLVE_NO_XDEV)
    fails(EXDEV, go, b"/m", RESOLVE_NO_XDEV)


class MagicLink(Inode):
    """A link as in /proc/self/fd."""

    target = None

    def readlink(self):
        return b"pipe:[7]"

    def follow(self):
        return self.target


def test_magic_links_jump(world):
    pipe = Inode(FileSystem(9, world.now), 0o010600)
    link = MagicLink(world.tmpfs, S_IFLNK | 0o777)
    link.target = anonymous(pipe, b"pipe:[7]")
    world.tmpfs.root.link(b"magic", link)
    path = world.path(b"/magic")
    assert (path.inode, world.fs.name(path)) == (pipe, b"pipe:[7]")
    fails(ELOOP, resolve, world, None, b"/magic", flags=RESOLVE_NO_MAGICLINKS)
    fails(EXDEV, resolve, world, None, b"/magic", flags=RESOLVE_NO_XDEV)


class Volatile(FileSystem):
    """A file system whose names come and go by themselves."""

    pinned = False


class VolatileDirectory(Inode):
    children: dict[bytes, Inode]

    def lookup(self, name):
        return self.children.get(name)


def test_names_that_change_by_themselves(world):
    fs = Volatile(3, world.now)
    top = VolatileDirectory(fs, 0o40755)
    inside = VolatileDirectory(fs, 0o40755)
    top.children, inside.children = {b"d": inside}, {}
    vfs.mkdir(world, None, b"/v", 0o755)
    world.mounts.mount(top, world.path(b"/v"))
    held = world.path(b"/v/d")
    assert world.path(b"/v/d").dentry is held.dentry
    top.children = {b"d": VolatileDirectory(fs, 0o40755)}
    assert world.path(b"/v/d").dentry is not held.dentry
    assert world.fs.name(held) == b"/v/d (deleted)"
    top.children = {}
    fails(ENOENT, world.path, b"/v/d")
