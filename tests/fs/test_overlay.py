"""--root: the host directory as it is, and never written."""

from __future__ import annotations

import os
from pathlib import Path as HostPath

import pytest
from fakes import FakeRam

from emu.hosttree import HostTree
from syscalls.abi.errno import EACCES, ENOENT, SysError
from syscalls.abi.fcntl import (
    FALLOC_FL_COLLAPSE_RANGE,
    FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE,
    O_APPEND,
    O_CREAT,
    O_LARGEFILE,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
    RENAME_EXCHANGE,
    SEEK_DATA,
    SEEK_HOLE,
)
from syscalls.abi.stat import S_IFCHR
from syscalls.fs import attr, vfs
from syscalls.fs.cred import Credentials
from syscalls.fs.mount import MountTable
from syscalls.fs.open import open as vfs_open
from syscalls.fs.overlay import OverlayFs
from syscalls.fs.path import FsContext, resolve
from syscalls.fs.special import SpecialFiles
from syscalls.kernel.kstat import Kstat


class Rooted:
    """A caller whose root is a host directory."""

    def __init__(self, directory: HostPath) -> None:
        self.ram = FakeRam(512)
        self.overlay = OverlayFs(
            1, lambda: 10**18, self.ram, SpecialFiles(), HostTree.at(str(directory), writable=False)
        )
        self.mounts = MountTable(self.overlay.root)
        self.fs = FsContext(self.mounts.root_path, self.mounts.root_path)
        self.cred = Credentials.of(0, 0)

    def open(self, name: bytes, flags: int = O_RDONLY, mode: int = 0o644):
        return vfs_open(self, None, name, flags, mode)

    def path(self, name: bytes, *, follow: bool = True):
        return resolve(self, None, name, follow=follow)

    def read(self, name: bytes) -> bytes:
        return self.open(name).pread(1 << 20, 0)


@pytest.fixture
def host(tmp_path: HostPath):
    """A tree with one of everything; after the test it must be what it was."""
    (tmp_path / "secret").write_bytes(b"secret")
    top = tmp_path / "root"
    (top / "etc").mkdir(parents=True)
    (top / "etc" / "passwd").write_bytes(b"the guest's own")
    (top / "d" / "e").mkdir(parents=True)
    (top / "d" / "f").write_bytes(b"0123456789" * 1000)
    os.link(top / "d" / "f", top / "hard")
    os.mkfifo(top / "fifo")
    with (top / "sparse").open("wb") as sparse:
        sparse.truncate(1 << 40)
        sparse.seek(1 << 39)
        sparse.write(b"island")
    for name, target in {
        "relative": "d/f", "absolute": "/d/f", "up": "../../../../../../etc/passwd", "out": "../secret",
        "top": "/etc/passwd", "magic": "/proc/self/root/etc/passwd",
    }.items():  # fmt: skip
        (top / name).symlink_to(target)
    (top / "d" / "f").chmod(0o2641)
    os.utime(top / "d" / "f", ns=(10**18 + 1, 10**18 + 2))
    before = snapshot(top)
    yield top
    assert snapshot(top) == before


def snapshot(top: HostPath) -> dict[str, tuple[object, ...]]:
    found = {}
    for path in [top, *sorted(top.rglob("*"))]:
        s = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() and s.st_size < 1 << 20 else b""
        found[str(path)] = (s.st_mode, s.st_uid, s.st_gid, s.st_nlink, s.st_size, s.st_mtime_ns, s.st_ctime_ns, content)
    return found


@pytest.fixture
def guest(host):
    return Rooted(host)


def refused(errno: int, function, *args, **options) -> None:
    with pytest.raises(SysError) as caught:
        function(*args, **options)
    assert caught.value.errno == errno


def test_attributes_are_the_hosts(guest, host) -> None:
    for path in host.rglob("*"):
        found = Kstat(guest.path(b"/" + bytes(path.relative_to(host)), follow=False).inode)
        real = path.lstat()
        for field in ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_blocks"):
            assert getattr(found, field) == getattr(real, field), (path, field)
        for field in ("mtime", "ctime"):
            assert (getattr(found, f"st_{field}") * 10**9 + getattr(found, f"st_{field}_nsec")) == getattr(
                real, f"st_{field}_ns"
            )


def test_listing_in_the_hosts_order(guest, host) -> None:
    for directory in (host, host / "d"):
        entries = guest.open(b"/" + bytes(directory.relative_to(host))).entries()
        assert [name for name, *_ in entries][2:] == [os.fsencode(name) for name in os.listdir(directory)]  # noqa: PTH208  # its order


def test_links_resolve_in_the_guest(guest) -> None:
    assert guest.read(b"/relative") == guest.read(b"/absolute") == guest.read(b"/d/f")
    assert guest.read(b"/up") == guest.read(b"/top") == b"the guest's own"
    refused(ENOENT, guest.open, b"/out")
    refused(ENOENT, guest.open, b"/magic")
    refused(ENOENT, guest.open, b"/../../secret")
    refused(ENOENT, guest.open, b"/d/../../secret")


def test_hard_links_stay_one_inode(guest) -> None:
    one, other = guest.path(b"/d/f").inode, guest.path(b"/hard").inode
    assert one is other
    guest.open(b"/hard", O_WRONLY).write(b"changed")
    assert guest.read(b"/d/f")[:10] == b"changed789"
    vfs.unlink(guest, None, b"/hard")
    assert Kstat(one).st_nlink == 1


@pytest.mark.parametrize("offset", [0, 4095, 4096, 9_990, 10_000, 20_000])
def test_writing_copies_up(guest, host, offset) -> None:
    expected = bytearray(host.joinpath("d/f").read_bytes())
    expected.extend(bytes(max(0, offset + 10 - len(expected))))
    expected[offset : offset + 10] = b"overwrites"
    file = guest.open(b"/d/f", O_RDWR)
    assert file.pwrite(b"overwrites", offset) == 10
    assert guest.read(b"/d/f") == expected
    assert file.inode.mtime == 10**18


def test_truncating_and_growing_again(guest, host) -> None:
    file = guest.open(b"/d/f", O_RDWR)
    file.truncate(4100)
    file.truncate(9000)
    assert guest.read(b"/d/f") == host.joinpath("d/f").read_bytes()[:4100] + bytes(4900)
    guest.open(b"/d/f", O_WRONLY | O_TRUNC)
    assert guest.read(b"/d/f") == b""
    guest.open(b"/d/f", O_WRONLY | O_APPEND).write(b"end")
    assert guest.read(b"/d/f") == b"end"


def test_punching_and_collapsing(guest, host) -> None:
    data = host.joinpath("d/f").read_bytes()
    file = guest.open(b"/d/f", O_RDWR)
    file.allocate(FALLOC_FL_COLLAPSE_RANGE, 4096, 4096)
    assert guest.read(b"/d/f") == data[:4096] + data[8192:]
    file.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10, 100)
    assert guest.read(b"/d/f")[:120] == data[:10] + bytes(100) + data[110:120]


def test_names_change_in_memory_only(guest) -> None:
    vfs.rename(guest, None, b"/d/f", None, b"/moved")
    vfs.rename(guest, None, b"/d", None, b"/etc", RENAME_EXCHANGE)
    vfs.rmdir(guest, None, b"/etc/e")
    vfs.rmdir(guest, None, b"/etc")
    vfs.unlink(guest, None, b"/d/passwd")
    guest.open(b"/d/passwd", O_CREAT | O_WRONLY).write(b"mine")
    attr.chmod(guest, guest.path(b"/d"), 0o700)
    attr.chown(guest, guest.path(b"/moved"), 7, 8)
    attr.utimens(guest, guest.path(b"/moved"), 1, 2)
    vfs.mknod(guest, None, b"/null", S_IFCHR | 0o666, 0x103)
    assert guest.read(b"/moved")[:5] == b"01234"
    assert guest.read(b"/d/passwd") == b"mine"
    refused(ENOENT, guest.path, b"/etc")


def test_reading_keeps_nothing_in_memory(guest) -> None:
    used = guest.ram.used
    file = guest.open(b"/sparse", O_RDONLY | O_LARGEFILE)
    assert file.pread(10, (1 << 39) - 2) == b"\0\0island\0\0"
    assert file.pread(10, (1 << 40) - 2) == b"\0\0"
    assert guest.ram.used == used


def test_mapping_a_file(guest, host) -> None:
    pages = guest.open(b"/d/f").inode.pages
    frame = pages.frame(2)
    assert bytes(guest.ram.view[frame << 12 : (frame << 12) + 1808]) == host.joinpath("d/f").read_bytes()[8192:]
    guest.ram.view[frame << 12] = ord("S")  # a store through a shared mapping
    assert guest.read(b"/d/f")[8190:8194] == b"01S3"


def test_data_and_holes_of_changed_files(guest) -> None:
    file = guest.open(b"/d/f", O_RDWR)
    file.pwrite(b"x", 1 << 20)
    assert file.seek(5, SEEK_DATA) == 5
    assert file.seek(5, SEEK_HOLE) == 12288
    assert file.seek(12288, SEEK_DATA) == 1 << 20


class Locked:
    """A host object that the host does not let us open."""

    def __init__(self, node) -> None:
        self._node = node

    def __getattr__(self, name: str):
        return getattr(self._node, name)

    def open(self, **_: bool) -> None:
        raise SysError(EACCES)


def test_what_the_host_does_not_let_us_read(guest, monkeypatch) -> None:
    guest.path(b"/d/f")
    monkeypatch.setattr(guest.overlay.tree, "find", lambda path: Locked(guest.overlay.tree.top))
    refused(EACCES, guest.open, b"/d/f")


def test_a_file_that_vanished_on_the_host(tmp_path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    guest = Rooted(tmp_path)
    guest.path(b"/f")
    (tmp_path / "f").unlink()
    refused(ENOENT, guest.open, b"/f")
