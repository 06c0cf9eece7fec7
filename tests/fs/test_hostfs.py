"""--bind: what either side does, the other sees. The host is a temporary directory."""

from __future__ import annotations

import os
import stat
from pathlib import Path as HostPath

import pytest

from emu.hosttree import HostNode, HostTree
from syscalls.abi.errno import EEXIST, EINVAL, ENODATA, ENOENT, ENOTEMPTY, EOPNOTSUPP, EPERM, EROFS, EXDEV, SysError
from syscalls.abi.fcntl import (
    FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE,
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_RDONLY,
    O_RDWR,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
)
from syscalls.abi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFSOCK, ST_NOATIME
from syscalls.fs import attr, vfs, xattr
from syscalls.fs.hostfs import HostFs
from syscalls.fs.open import openat2
from syscalls.fs.path import resolve
from syscalls.kernel.kstat import Kstat


@pytest.fixture
def host(tmp_path: HostPath) -> HostPath:
    """Outside is a secret; inside is what the guest is given."""
    (tmp_path / "secret").write_bytes(b"secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    return inside


def bind(world, directory: HostPath, *, writable: bool = True) -> HostFs:
    world.tmpfs.root.mkdir(b"h", 0o755, 0, 0)
    fs = HostFs(2, world.now, world.ram, world.special, HostTree.at(str(directory), writable=writable))
    world.mounts.mount(fs.root, world.path(b"/h"), ST_NOATIME)
    return fs


@pytest.fixture
def bound(world, host):
    world.bound = bind(world, host)
    return world


def refused(errno: int, function, *args, **options) -> None:
    with pytest.raises(SysError) as caught:
        function(*args, **options)
    assert caught.value.errno == errno


# --- content ----------------------------------------------------------------------------------------------------------


def test_writes_of_each_side_are_seen_by_the_other(bound, host) -> None:
    file = bound.open(b"/h/f", O_CREAT | O_RDWR)
    assert file.write(b"guest") == 5
    assert (host / "f").read_bytes() == b"guest"
    (host / "f").write_bytes(b"the host was here")
    assert file.pread(100, 0) == b"the host was here"
    assert file.seek(0, SEEK_END) == 17
    assert Kstat(file.inode).st_size == 17


def test_appending_goes_to_where_the_end_is_now(bound, host) -> None:
    (host / "log").write_bytes(b"one\n")
    file = bound.open(b"/h/log", O_WRONLY | O_APPEND)
    with (host / "log").open("ab") as log:
        log.write(b"two\n")
    file.write(b"three\n")
    assert (host / "log").read_bytes() == b"one\ntwo\nthree\n"
    assert file.position == 14


def test_a_file_without_permission_bits_can_be_written_by_who_made_it(bound, host) -> None:
    file = bound.open(b"/h/f", O_CREAT | O_EXCL | O_RDWR, 0)
    file.write(b"x")
    assert stat.S_IMODE((host / "f").stat().st_mode) == 0
    assert file.pread(1, 0) == b"x"


def test_truncating_and_holes(bound, host) -> None:
    (host / "f").write_bytes(b"0123456789")
    file = bound.open(b"/h/f", O_RDWR)
    file.truncate(4)
    assert (host / "f").read_bytes() == b"0123"
    file.pwrite(b"end", 1 << 20)
    assert file.seek(4096, SEEK_DATA) == 1 << 20
    assert file.seek(0, SEEK_HOLE) == 4096
    file.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096)
    assert file.pread(4, 0) == bytes(4)
    file.allocate(0, 0, 2 << 20)
    assert (host / "f").stat().st_size == 2 << 20
    bound.open(b"/h/f", O_WRONLY | O_TRUNC)
    assert (host / "f").stat().st_size == 0


def test_a_file_unlinked_while_open_keeps_working(bound, host) -> None:
    file = bound.open(b"/h/f", O_CREAT | O_RDWR)
    file.write(b"data")
    vfs.unlink(bound, None, b"/h/f")
    assert not (host / "f").exists()
    assert file.pread(10, 0) == b"data"
    assert file.pwrite(b"more", 4) == 4
    assert Kstat(file.inode).st_nlink == 0
    assert bound.fs.name(file.path) == b"/h/f (deleted)"


def test_a_file_unlinked_on_the_host_before_it_was_read(bound, host) -> None:
    (host / "f").write_bytes(b"data")
    path = bound.path(b"/h/f")
    (host / "f").unlink()
    assert path.inode.node.pread(0, 10) == b"data"


def test_unnamed_files_get_a_name(bound, host) -> None:
    file = bound.open(b"/h", O_TMPFILE | O_RDWR)
    file.write(b"x")
    assert list(host.iterdir()) == []
    vfs.link(bound, file.path, None, b"/h/named")
    assert (host / "named").read_bytes() == b"x"


# --- mappings ---------------------------------------------------------------------------------------------------------


def page(world, frame: int) -> memoryview:
    return world.ram.view[frame << 12 : frame + 1 << 12]


def test_stores_through_a_mapping_reach_the_host(bound, host) -> None:
    (host / "f").write_bytes(b"a" * 5000)
    file = bound.open(b"/h/f", O_RDWR)
    pages = file.inode.pages
    window = page(bound, file.frame(1))
    assert bytes(window) == b"a" * 904 + bytes(4096 - 904)
    pages.dirtied(1)
    window[0:3] = b"new"
    window[1000] = 1  # behind the end: never written
    assert file.pread(3, 4096) == b"new"  # read(2) sees the store
    assert (host / "f").read_bytes() == b"a" * 4096 + b"new" + b"a" * 901


def test_mappings_show_what_is_written(bound, host) -> None:
    (host / "f").write_bytes(b"a" * 4096)
    file = bound.open(b"/h/f", O_RDWR)
    window = page(bound, file.frame(0))
    file.pwrite(b"guest", 10)
    assert bytes(window[8:17]) == b"aaguestaa"
    (host / "f").write_bytes(b"b" * 4096)
    Kstat(file.inode)  # any look at the file
    assert bytes(window[8:17]) == b"b" * 9


def test_stores_are_not_lost_when_the_host_writes_too(bound, host) -> None:
    (host / "f").write_bytes(b"a" * 8192)
    file = bound.open(b"/h/f", O_RDWR)
    first, second = page(bound, file.frame(0)), page(bound, file.frame(1))
    file.inode.pages.dirtied(0)
    first[0] = ord("G")
    with (host / "f").open("r+b") as other:
        other.seek(4096)
        other.write(b"H")
    Kstat(file.inode)
    assert (first[0], second[0]) == (ord("G"), ord("H"))
    bound.bound.write_back()
    assert (host / "f").read_bytes()[::4096] == b"GH"


def test_a_file_that_the_host_cuts_loses_its_pages(bound, host) -> None:
    (host / "f").write_bytes(b"a" * 8192)
    file = bound.open(b"/h/f", O_RDWR)
    file.frame(1)
    gone = []
    file.inode.pages.unmap.append(lambda first, count: gone.append((first, count)))
    os.truncate(host / "f", 100)
    assert Kstat(file.inode).st_size == 100
    assert gone == [(1, None)]
    assert not file.inode.pages.resident(1)


def test_frames_are_given_back(bound, host) -> None:
    (host / "f").write_bytes(b"a" * 8192)
    used = bound.ram.used
    file = bound.open(b"/h/f", O_RDWR)
    file.frame(0)
    assert bound.ram.used == used + 1
    file.close()
    del file
    assert bound.ram.used == used


# --- names ------------------------------------------------------------------------------------------------------------


def names(world, directory: bytes) -> list[bytes]:
    file = world.open(directory, O_DIRECTORY)
    return [name for name, *_ in file.entries()][2:]


def test_both_sides_make_and_remove_names(bound, host) -> None:
    vfs.mkdir(bound, None, b"/h/d", 0o1777)
    bound.fs.umask = 0o077
    vfs.mkdir(bound, None, b"/h/private", 0o777)
    assert stat.S_IMODE((host / "private").stat().st_mode) == 0o700
    vfs.symlink(bound, b"../../secret", None, b"/h/d/link")
    assert (host / "d" / "link").readlink() == HostPath("../../secret")
    vfs.mknod(bound, None, b"/h/fifo", S_IFIFO | 0o600, 0)
    vfs.mknod(bound, None, b"/h/socket", S_IFSOCK | 0o600, 0)
    assert stat.S_ISFIFO((host / "fifo").stat().st_mode)
    assert names(bound, b"/h") == [os.fsencode(name) for name in os.listdir(host)]  # noqa: PTH208  # its order
    (host / "late").touch()
    assert b"late" in names(bound, b"/h")
    (host / "late").unlink()
    refused(ENOENT, bound.path, b"/h/late")
    refused(ENOTEMPTY, vfs.rmdir, bound, None, b"/h/d")
    vfs.unlink(bound, None, b"/h/d/link")
    vfs.rmdir(bound, None, b"/h/d")
    assert not (host / "d").exists()


@pytest.mark.parametrize("kind", [S_IFCHR, S_IFBLK])
def test_no_device_of_the_host_is_made(bound, host, kind) -> None:
    refused(EPERM, vfs.mknod, bound, None, b"/h/dev", kind | 0o666, 0x801)
    assert list(host.iterdir()) == []


def test_hard_links_are_one_inode_with_a_number_of_the_guest(bound, host) -> None:
    (host / "a").write_bytes(b"x")
    os.link(host / "a", host / "b")
    vfs.link(bound, bound.path(b"/h/a"), None, b"/h/c")
    inodes = {bound.path(b"/h/" + name).inode for name in (b"a", b"b", b"c")}
    assert len(inodes) == 1
    found = Kstat(inodes.pop())
    assert found.st_nlink == (host / "a").stat().st_nlink == 3
    assert found.st_ino < 10
    assert found.st_dev == 2
    entries = {name: ino for name, ino, *_ in bound.open(b"/h").entries()}
    assert entries[b"a"] == entries[b"c"] == found.st_ino


def test_renaming(bound, host) -> None:
    (host / "a").write_bytes(b"a")
    (host / "b").write_bytes(b"b")
    (host / "d").mkdir()
    inside = bound.open(b"/h/d")
    refused(EEXIST, vfs.rename, bound, None, b"/h/a", None, b"/h/b", RENAME_NOREPLACE)
    vfs.rename(bound, None, b"/h/a", None, b"/h/b", RENAME_EXCHANGE)
    assert ((host / "a").read_bytes(), (host / "b").read_bytes()) == (b"b", b"a")
    vfs.rename(bound, None, b"/h/a", None, b"/h/d/c")
    vfs.rename(bound, None, b"/h/d", None, b"/h/e")
    assert (host / "e" / "c").read_bytes() == b"b"
    assert bound.fs.name(inside.path) == b"/h/e"
    refused(EXDEV, vfs.rename, bound, None, b"/h/b", None, b"/b")
    (host / "e").rename(host / "f")  # on the host: the open directory goes with it
    assert [name for name, *_ in inside.entries()][2:] == [b"c"]


# --- attributes -------------------------------------------------------------------------------------------------------


def test_attributes_go_both_ways(bound, host) -> None:
    (host / "f").write_bytes(b"x")
    path = bound.path(b"/h/f")
    attr.chmod(bound, path, 0o4751)
    assert stat.S_IMODE((host / "f").stat().st_mode) == 0o4751
    attr.utimens(bound, path, attr.OMIT, 123_000_000_456)
    assert (host / "f").stat().st_mtime_ns == 123_000_000_456
    os.utime(host / "f", ns=(5, 6))
    (host / "f").chmod(0o640)
    found, real = Kstat(path.inode), (host / "f").stat()
    assert (found.st_mode, found.st_atime_nsec, found.st_mtime_nsec) == (real.st_mode, 5, 6)
    assert (found.st_size, found.st_blocks, found.st_uid) == (real.st_size, real.st_blocks, real.st_uid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owners(bound, host) -> None:
    (host / "f").touch()
    attr.chown(bound, bound.path(b"/h/f"), 12, 34)
    assert ((host / "f").stat().st_uid, (host / "f").stat().st_gid) == (12, 34)
    bound.cred = bound.cred.of(77, 88)
    (host / "open").mkdir(mode=0o777)
    (host / "open").chmod(0o777)
    bound.open(b"/h/open/new", O_CREAT | O_WRONLY)
    assert ((host / "open/new").stat().st_uid, (host / "open/new").stat().st_gid) == (77, 88)
    (host / "link").symlink_to("nowhere")
    bound.cred = bound.cred.of(0, 0)
    attr.chown(bound, resolve(bound, None, b"/h/link", follow=False), 5, 6)
    assert (host / "link").lstat().st_uid == 5


def test_extended_attributes_of_users_only(bound, host) -> None:
    (host / "f").touch()
    path = bound.path(b"/h/f")
    xattr.setxattr(bound, path, b"user.a", b"1")
    assert os.getxattr(host / "f", "user.a") == b"1"
    os.setxattr(host / "f", "user.b", b"2")
    assert set(xattr.listxattr(bound, path).split(b"\0")) == {b"user.a", b"user.b", b""}
    xattr.removexattr(bound, path, b"user.a")
    refused(ENODATA, xattr.getxattr, bound, path, b"user.a")
    refused(EOPNOTSUPP, xattr.setxattr, bound, path, b"security.evil", b"x")


# --- what the guest was not given -------------------------------------------------------------------------------------


def test_read_only_is_read_only(world, host) -> None:
    (host / "f").write_bytes(b"x")
    (host / "d").mkdir()
    fs = bind(world, host, writable=False)
    world.mounts.mounts[-1].flags = ST_NOATIME  # as if the mount's own flag had been lost
    before = sorted((path.name, path.stat().st_mtime_ns) for path in host.iterdir())
    file = world.open(b"/h/f", O_RDONLY)
    assert file.pread(1, 0) == b"x"
    node = fs.root.node
    for change in (
        lambda: world.open(b"/h/f", O_RDWR),
        lambda: world.open(b"/h/new", O_CREAT | O_RDWR),
        lambda: vfs.mkdir(world, None, b"/h/new", 0o777),
        lambda: vfs.unlink(world, None, b"/h/f"),
        lambda: vfs.rename(world, None, b"/h/f", None, b"/h/g"),
        lambda: attr.chmod(world, world.path(b"/h/f"), 0),
        lambda: attr.truncate(world, world.path(b"/h/f"), 0),
        lambda: node.create(b"new", 0o600, 0, 0),
        lambda: node.mkdir(b"new", 0o700, 0, 0),
        lambda: node.symlink(b"new", b"x", 0, 0),
        lambda: node.mknod(b"new", S_IFIFO, 0, 0),
        lambda: node.tmpfile(0o600, 0, 0),
        lambda: node.link(b"new", node.child(b"f")),
        lambda: node.unlink(b"f"),
        lambda: node.rmdir(b"d"),
        lambda: node.rename(b"f", node, b"g", 0),
        lambda: node.chmod(0o777),
        lambda: node.chown(1, 1),
        lambda: node.utimens(1, 1),
        lambda: node.set_xattr(b"user.x", b"1"),
        lambda: node.child(b"f").pwrite(0, b"y"),
        lambda: node.child(b"f").append(b"y"),
        lambda: node.child(b"f").truncate(0),
        lambda: node.child(b"f").allocate(0, 0, 10),
    ):
        refused(EROFS, change)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in host.iterdir()) == before


@pytest.mark.parametrize("name", [b"..", b".", b"", b"a/b", b"../secret", b"a\0b"])
def test_only_plain_names_reach_the_host(host, name) -> None:
    (host / "a").mkdir()
    top = HostTree.at(str(host), writable=True).top
    for operation in (
        top.child, top.unlink, top.rmdir, lambda name: top.create(name, 0o600, 0, 0),
        lambda name: top.mkdir(name, 0o700, 0, 0), lambda name: top.symlink(name, b"x", 0, 0),
        lambda name: top.mknod(name, S_IFIFO, 0, 0), lambda name: top.link(name, top),
        lambda name: top.rename(name, top, b"x", 0), lambda name: top.rename(b"a", top, name, 0),
    ):  # fmt: skip
        refused(EINVAL, operation, name)


@pytest.mark.parametrize("target", ["../secret", "../../../../../../../../etc", "/etc", "/proc/self/root"])
def test_symbolic_links_lead_nowhere_on_the_host(bound, host, target) -> None:
    (host / "evil").symlink_to(target)
    with pytest.raises(SysError):
        bound.open(b"/h/evil", O_RDONLY)
    with pytest.raises(SysError):
        bound.open(b"/h/evil/passwd", O_RDONLY)
    with pytest.raises(SysError):
        openat2(bound, None, b"/h/evil/x", O_CREAT | O_WRONLY, 0o600, 0)
    tree = HostTree.at(str(host), writable=True)
    with pytest.raises(SysError):
        tree.find(b"evil/passwd")
    assert tree.find(b"evil").readlink() == target.encode()


def test_a_directory_replaced_by_a_link_during_the_run_leads_nowhere(bound, host) -> None:
    (host / "d").mkdir()
    (host / "d" / "secret").write_bytes(b"harmless")
    directory = bound.path(b"/h/d")
    (host / "d").rename(host / "old")
    (host / "d").symlink_to("..")
    assert vfs.lookup(directory.dentry, b"secret").inode.node.pread(0, 99) == b"harmless"
    refused(ENOENT, bound.open, b"/h/d/secret/../../inside")
    with pytest.raises(SysError):
        HostTree.at(str(host), writable=False).find(b"d/secret")


def test_dotdot_ends_at_the_guests_root(bound) -> None:
    assert bound.path(b"/h/../../../..").inode is bound.tmpfs.root
    refused(ENOENT, bound.open, b"/h/../secret")


def test_a_single_file(world, host) -> None:
    (host / "f").write_bytes(b"x")
    bound_file = HostFs(3, world.now, world.ram, world.special, HostTree.at(str(host / "f"), writable=True))
    world.tmpfs.root.create(b"one", 0o100644, 0, 0)
    world.mounts.mount(bound_file.root, world.path(b"/one"), ST_NOATIME)
    world.open(b"/one", O_WRONLY | O_TRUNC).write(b"guest")
    assert (host / "f").read_bytes() == b"guest"
    assert isinstance(bound_file.root.node, HostNode)
    assert world.path(b"/one").inode.type != S_IFDIR


def test_fifos_connect_the_guest_with_itself(bound, host) -> None:
    os.mkfifo(host / "fifo")
    both = bound.open(b"/h/fifo", O_RDWR)
    both.write(b"hello")
    assert bound.open(b"/h/fifo", O_RDONLY).read(10) == b"hello"
