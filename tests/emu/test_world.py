"""The guest's world as it starts, and what is told of it afterwards."""

from __future__ import annotations

import os
import pwd
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeClock, FakeRam, FakeRandom

from emu.config import Bind, Config
from emu.errors import TrapezeError, UsageError
from emu.virtual import EPOCH_NS
from emu.world import DIRECTORIES, FILES, World
from syscalls.abi.errno import EROFS, SysError
from syscalls.abi.fcntl import O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY
from syscalls.abi.stat import S_IFCHR, ST_RDONLY
from syscalls.fs import attr, vfs
from syscalls.fs import open as fs_open
from syscalls.kernel.kernel import Kernel
from syscalls.kernel.kstat import Kstat, statfs


def make_world(root: Path | None = None, *binds: Bind) -> World:
    kernel = Kernel(FakeRam(2048), FakeClock(), FakeRandom())
    return World(kernel, Config("x", root=None if root is None else str(root), binds=binds))


def append(world: World, name: bytes, data: bytes) -> None:
    file = fs_open.open(world, None, name, O_CREAT | O_WRONLY | O_APPEND, 0o644)
    file.write(data)
    file.close()


def test_a_small_linux() -> None:
    world = make_world()
    for name, mode in DIRECTORIES.items():
        assert Kstat(world.path("/" + name).inode).st_mode & 0o7777 == mode
    for name, data in FILES.items():
        assert world.read("/" + name) == data
    for name, rdev in {"null": 0x103, "zero": 0x105, "full": 0x107, "random": 0x108, "urandom": 0x109}.items():
        found = Kstat(world.path(f"/dev/{name}").inode)
        assert (found.st_mode, found.st_rdev) == (S_IFCHR | 0o666, rdev)
    assert Kstat(world.path("/dev/shm").inode).st_mode & 0o7777 == 0o1777
    assert world.path("/tmp").inode.fs.name == "tmpfs"
    assert world.path("/proc").inode.fs.name == "proc"


def test_statfs_of_each_mount(tmp_path) -> None:
    world = make_world(None, Bind(str(tmp_path), "/b"))
    real = os.statvfs(tmp_path)
    found = statfs(world.path("/b"))
    assert found.f_blocks * 4096 == real.f_blocks * real.f_frsize
    assert found.f_flags & ST_RDONLY
    assert statfs(world.path("/tmp")).f_type == 0x01021994
    assert statfs(world.path("/proc")).f_blocks == 0


def test_changed_files_without_a_root() -> None:
    world = make_world()
    assert world.changed_files() == {}
    append(world, b"/tmp/new", b"1")
    append(world, b"/etc/hosts", b"2")
    vfs.rename(world, None, b"/etc/group", None, b"/tmp/moved")
    assert world.changed_files() == {"/tmp/new": b"1", "/etc/hosts": FILES["etc/hosts"] + b"2"}


def test_changed_files_over_a_host_root(tmp_path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "old").write_bytes(b"old")
    (tmp_path / "read").write_bytes(b"read")
    world = make_world(tmp_path)
    assert world.read("/read") == b"read"
    append(world, b"/d/old", b"+new")
    append(world, b"/d/new", b"1")
    assert world.changed_files() == {"/d/old": b"old+new", "/d/new": b"1"}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["d", "old", "read"]


def test_binds_make_the_places_they_need(tmp_path) -> None:
    (tmp_path / "f").write_bytes(b"one")
    world = make_world(None, Bind(str(tmp_path), "/deep/down/here"), Bind(str(tmp_path / "f"), "/etc/passwd"))
    assert world.read("/deep/down/here/f") == b"one"
    assert world.read("/etc/passwd") == b"one"
    names = [mount.fs.name for mount in world.mounts.mounts]
    assert names == ["tmpfs", "devtmpfs", "tmpfs", "devpts", "proc", "9p", "9p"]


def test_binds_over_a_host_root_leave_it_alone(tmp_path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    (root / "f").write_bytes(b"root's")
    (other / "f").write_bytes(b"other's")
    world = make_world(root, Bind(str(other), "/new/place", writable=True), Bind(str(other / "f"), "/f"))
    assert world.read("/f") == b"other's"
    append(world, b"/new/place/f", b"!")
    assert (other / "f").read_bytes() == b"other's!"
    assert (root / "f").read_bytes() == b"root's"
    assert [path.name for path in root.iterdir()] == ["f"]


def test_a_bind_is_read_only_unless_told_otherwise(tmp_path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    world = make_world(None, Bind(str(tmp_path), "/b"))
    for change in (
        lambda: fs_open.open(world, None, b"/b/f", O_RDWR),
        lambda: append(world, b"/b/new", b"x"),
        lambda: vfs.unlink(world, None, b"/b/f"),
        lambda: attr.chmod(world, world.path("/b/f"), 0),
    ):
        with pytest.raises(SysError) as caught:
            change()
        assert caught.value.errno == EROFS


@pytest.mark.parametrize("writable", [False, True])
def test_a_bind_that_is_not_there(tmp_path, writable) -> None:
    with pytest.raises(UsageError) as caught:
        make_world(None, Bind(str(tmp_path / "missing"), "/b", writable=writable))
    assert str(caught.value) == f"--bind {tmp_path}/missing:/b: No such file or directory"


def test_a_bind_that_has_no_place(tmp_path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"--bind .*:/etc/passwd: Not a directory in the guest$"):
        make_world(None, Bind(str(tmp_path), "/etc/passwd"))
    with pytest.raises(UsageError, match=r"Not a directory in the guest$"):
        make_world(None, Bind(str(tmp_path / "f"), "/etc/passwd/x"))


def test_a_root_that_is_none(tmp_path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    for root, why in ((tmp_path / "missing", "No such file or directory"), (tmp_path / "f", "Not a directory")):
        with pytest.raises(TrapezeError) as caught:
            make_world(root)
        assert str(caught.value) == f"--root {root}: {why}"


def as_nobody(function) -> None:
    """Run in a child without privileges; AssertionErrors count."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            nobody = pwd.getpwnam("nobody")
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            function()
            status = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture
def public_path() -> Iterator[Path]:
    """A directory that everybody may search (pytest's own tmp_path is its user's alone)."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become somebody else")
def test_what_the_host_forbids_us_it_forbids_the_guest(public_path) -> None:
    (public_path / "locked").mkdir(mode=0o700)
    shared = public_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (shared / "secret").write_bytes(b"secret")
    (shared / "secret").chmod(0o600)

    def check() -> None:
        for config in ({"root": public_path / "locked"}, {}):
            with pytest.raises(UsageError, match=r"Permission denied$"):
                make_world(config.get("root"), *([] if config else [Bind(str(public_path / "locked"), "/b")]))
        for world, name in (
            (make_world(shared), b"/secret"),
            (make_world(None, Bind(str(shared), "/b")), b"/b/secret"),
        ):
            assert world.cred.fsuid == 0
            with pytest.raises(SysError) as caught:  # the guest's root is nobody here
                fs_open.open(world, None, name, O_RDONLY)
            assert caught.value.errno == 13
        world = make_world(None, Bind(str(shared), "/b", writable=True))
        append(world, b"/b/mine", b"x")
        for change in (
            lambda: attr.chown(world, world.path("/b/mine"), 0, 0),
            lambda: attr.chmod(world, world.path("/b/secret"), 0o644),
        ):
            with pytest.raises(SysError) as caught:
                change()
            assert caught.value.errno == 1
        assert Kstat(world.path("/b/mine").inode).st_uid == os.getuid()
        assert Kstat(world.path("/b/secret").inode).st_mode & 0o777 == 0o600

    as_nobody(check)
    assert (shared / "mine").read_bytes() == b"x"


def test_a_deterministic_world_has_no_times_of_the_host(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(name)
    kernel = Kernel(FakeRam(2048), FakeClock(), FakeRandom())
    world = World(kernel, Config("x", root=str(tmp_path), binds=(Bind(str(tmp_path), "/ro"),), seed=0))
    for name in ("/a", "/ro/b"):
        inode = world.path(name).inode
        assert inode.atime == inode.mtime == inode.ctime == EPOCH_NS
    assert world.read("/a") == b"a"
