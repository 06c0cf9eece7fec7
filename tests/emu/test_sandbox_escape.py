"""Nothing outside of what was given can be reached: every operation that takes a path, on every trick we know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeClock, FakeRam, FakeRandom

from emu.config import Bind, Config
from emu.world import World
from syscalls.abi.errno import SysError
from syscalls.abi.fcntl import O_CREAT, O_DIRECTORY, O_PATH, O_RDONLY, O_TMPFILE, O_TRUNC, O_WRONLY, RENAME_EXCHANGE
from syscalls.abi.stat import S_IFIFO, S_IFREG
from syscalls.fs import attr, vfs, xattr
from syscalls.fs import open as fs_open
from syscalls.fs.path import resolve
from syscalls.kernel.kernel import Kernel
from syscalls.kernel.kstat import Kstat

SECRET = b"the host's secret"


@pytest.fixture
def host(tmp_path: Path):
    """`given` is the guest's; everything beside it must stay as it is, and unread."""
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "secret").write_bytes(SECRET)
    (tmp_path / "given elsewhere").mkdir()
    given = tmp_path / "given"
    (given / "d").mkdir(parents=True)
    (given / "f").write_bytes(b"given")
    before = outside(tmp_path)
    yield given
    assert outside(tmp_path) == before


def outside(top: Path) -> dict[str, tuple[object, ...]]:
    paths = [path for path in [top, *top.rglob("*")] if "given" not in str(path.relative_to(top))]
    return {
        str(path): (s.st_mode, s.st_uid, s.st_nlink, s.st_ctime_ns, path.read_bytes() if path.is_file() else b"")
        for path in paths
        for s in [path.stat()]
    }


def bound_world(host: Path) -> World:
    return World(Kernel(FakeRam(1024), FakeClock(), FakeRandom()), Config("x", binds=(Bind(str(host), "/g", True),)))


def rooted_world(host: Path) -> World:
    return World(Kernel(FakeRam(1024), FakeClock(), FakeRandom()), Config("x", root=str(host)))


#: Where a guest may try to get to `secret`; {outside} is the host's absolute path of the directory above.
TRICKS = (
    "../secret", "../../secret", "d/../../secret", "d/../../../../../../../../{outside}/secret", "{outside}/secret",
    "link/secret", "absolute/secret", "chain/secret", "secretlink", "deep/beside/secret", "fd/secret", "f/../../secret",
    "//../secret", "./.././secret", "loop/secret", "root/{outside}/secret",
)  # fmt: skip


def plant(host: Path) -> None:
    """Links that lead out, as the guest itself might make them, or as they were there before."""
    top = host.parent
    links = {
        "link": "..", "absolute": str(top), "chain": "link", "secretlink": "../secret", "deep": "d/../../",
        "fd": "/proc/self/fd/3", "loop": "loop", "root": "/proc/self/root",
    }  # fmt: skip
    for name, target in links.items():
        (host / name).symlink_to(target)


def operations(world: World, path: bytes) -> dict[str, Callable[[], object]]:
    """Every operation with a path, on `path`."""
    here = b"/tmp/x" if world.root_fs.name == "tmpfs" else b"/d/x"
    return {
        "open": lambda: fs_open.open(world, None, path, O_RDONLY).pread(100, 0),
        "write": lambda: fs_open.open(world, None, path, O_WRONLY | O_TRUNC).write(b"owned"),
        "create": lambda: fs_open.open(world, None, path, O_CREAT | O_WRONLY, 0o600).write(b"owned"),
        "directory": lambda: list(fs_open.open(world, None, path, O_DIRECTORY).entries()),
        "tmpfile": lambda: fs_open.open(world, None, path, O_TMPFILE | O_WRONLY),
        "path": lambda: fs_open.open(world, None, path, O_PATH),
        "stat": lambda: Kstat(resolve(world, None, path).inode),
        "lstat": lambda: Kstat(resolve(world, None, path, follow=False).inode),
        "readlink": lambda: str(resolve(world, None, path, follow=False).inode.readlink()),
        "truncate": lambda: attr.truncate(world, resolve(world, None, path), 0),
        "chmod": lambda: attr.chmod(world, resolve(world, None, path), 0o777),
        "chown": lambda: attr.chown(world, resolve(world, None, path), 1, 1),
        "lchown": lambda: attr.chown(world, resolve(world, None, path, follow=False), 1, 1),
        "utimens": lambda: attr.utimens(world, resolve(world, None, path), 1, 1),
        "setxattr": lambda: xattr.setxattr(world, resolve(world, None, path), b"user.x", b"1"),
        "link from": lambda: vfs.link(world, resolve(world, None, path), None, here),
        "link to": lambda: vfs.link(world, resolve(world, None, b"/etc/passwd"), None, path),
        "rename from": lambda: vfs.rename(world, None, path, None, here),
        "rename to": lambda: vfs.rename(world, None, b"/etc/passwd", None, path),
        "exchange": lambda: vfs.rename(world, None, path, None, b"/etc/passwd", RENAME_EXCHANGE),
        "symlink": lambda: vfs.symlink(world, b"x", None, path),
        "mkdir": lambda: vfs.mkdir(world, None, path, 0o777),
        "mknod": lambda: vfs.mknod(world, None, path, S_IFREG | 0o666, 0),
        "mkfifo": lambda: vfs.mknod(world, None, path, S_IFIFO | 0o666, 0),
        "rmdir": lambda: vfs.rmdir(world, None, path),
        "unlink": lambda: vfs.unlink(world, None, path),
    }


@pytest.mark.parametrize("make", [bound_world, rooted_world])
@pytest.mark.parametrize("trick", TRICKS)
def test_no_operation_leaves_the_given_directory(host, make, trick) -> None:
    """The fixture compares all that is outside; reading it is looked for here."""
    plant(host)
    base = "/g/" if make is bound_world else "/"
    path = (base + trick.format(outside=str(host.parent).lstrip("/"))).encode()
    for name in operations(make(host), path):
        world = make(host)
        world.kernel.current = None
        try:
            found = operations(world, path)[name]()
        except (SysError, StopIteration):
            continue
        assert found != SECRET, name
        if isinstance(found, Kstat):
            assert found.st_size != len(SECRET), name


def test_links_that_the_guest_makes_are_for_the_guest(host) -> None:
    world = bound_world(host)
    vfs.symlink(world, str(host.parent).encode(), None, b"/g/out")
    vfs.symlink(world, b"..", None, b"/g/up")
    assert resolve(world, None, b"/g/up").dentry is world.mounts.root.root
    with pytest.raises(SysError):
        fs_open.open(world, None, b"/g/out/secret", O_RDONLY)


def test_a_directory_moved_within_the_given_one_keeps_its_parent(host) -> None:
    """The classic: hold a directory, have it moved, and go up from there."""
    (host / "a" / "b" / "c").mkdir(parents=True)
    world = bound_world(host)
    inner = resolve(world, None, b"/g/a/b/c")
    (host / "a" / "b" / "c").rename(host / "c")
    for name in (b"../../secret", b"../../../../secret", b"../../../../../../../../secret"):
        with pytest.raises(SysError):
            fs_open.open(world, inner, name, O_RDONLY)


def test_a_directory_moved_out_by_the_host_does_not_lead_out(host) -> None:
    world = bound_world(host)
    inner = resolve(world, None, b"/g/d")
    (host / "d").rename(host.parent / "given elsewhere" / "d")
    try:
        with pytest.raises(SysError):
            fs_open.open(world, inner, b"../secret", O_RDONLY)
    finally:
        (host.parent / "given elsewhere" / "d").rename(host / "d")


def test_two_binds_do_not_mix(host, tmp_path) -> None:
    other = tmp_path / "given" / "d"
    kernel = Kernel(FakeRam(1024), FakeClock(), FakeRandom())
    binds = (Bind(str(host), "/rw", True), Bind(str(other), "/ro"))
    world = World(kernel, Config("x", binds=binds))
    (host / "d" / "f").write_bytes(b"read only by this name")
    for change in (
        lambda: fs_open.open(world, None, b"/ro/f", O_WRONLY),
        lambda: vfs.link(world, resolve(world, None, b"/ro/f"), None, b"/rw/f2"),
        lambda: vfs.rename(world, None, b"/ro/f", None, b"/rw/f2"),
        lambda: vfs.rename(world, None, b"/rw/f", None, b"/ro/f2"),
    ):
        with pytest.raises(SysError):
            change()
