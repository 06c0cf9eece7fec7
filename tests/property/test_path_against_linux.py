# ruff: noqa: PTH101, PTH103, PTH112, PTH114, PTH115, PTH123  # the calls of os are what is compared
"""Path resolution and every operation on names, against the kernel that runs this test.

A random sequence of operations is done twice: on a real temporary directory, and on a tmpfs of ours that has the same
pathname. Every result and errno must agree, and so must the trees at the end.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fakes import FakeRam
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syscalls.abi.errno import EINVAL, ENXIO, SysError
from syscalls.fs import attr, vfs
from syscalls.fs.cred import Credentials
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.fs.mount import MountTable, Path
from syscalls.fs.open import open as vfs_open
from syscalls.fs.open import openat2
from syscalls.fs.path import FsContext, resolve
from syscalls.fs.special import SpecialFiles
from syscalls.fs.tmpfs import TmpFs

NOBODY = 65534
LIBC = ctypes.CDLL(None, use_errno=True)
SYS_RENAMEAT2, SYS_OPENAT2 = 316, 437
UMASK = 0o022
DEPTH = b"/".join(b"d%d" % level for level in range(20))  # "..", however often, stays within what both sides have

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="knows x86_64's system call numbers")


def call(number: int, *args: Any) -> int:
    result: int = LIBC.syscall(number, *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


@contextmanager
def acting_as(uid: int) -> Iterator[None]:
    """File access as `uid` (setfsuid(2) drops the capabilities over files, too)."""
    if os.geteuid() == 0:
        LIBC.setfsgid(uid)
        LIBC.setfsuid(uid)
    try:
        yield
    finally:
        if os.geteuid() == 0:
            LIBC.setfsuid(0)
            LIBC.setfsgid(0)


def describe(mode: int, nlink: int, uid: int, gid: int, size: int) -> tuple[object, ...]:
    """What both sides must agree on; of directories, links and size would tell how full the machine's root is."""
    return (oct(mode), uid, gid) if stat.S_ISDIR(mode) else (oct(mode), uid, gid, nlink, size)


# --- the real side ----------------------------------------------------------------------------------------------------


class Real:
    def __init__(self, top: bytes) -> None:
        self.cwd = os.open(top + b"/" + DEPTH, os.O_PATH)

    def close(self) -> None:
        os.close(self.cwd)

    def stat(self, name: bytes) -> object:
        s = os.stat(name, dir_fd=self.cwd)
        return describe(s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_size)

    def lstat(self, name: bytes) -> object:
        s = os.lstat(name, dir_fd=self.cwd)
        return describe(s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_size)

    def open(self, name: bytes, flags: int, mode: int, resolve: int) -> object:
        if resolve:
            how = (ctypes.c_uint64 * 3)(flags, mode, resolve)
            fd = call(SYS_OPENAT2, self.cwd, name, how, 24)
        else:
            fd = os.open(name, flags, mode, dir_fd=self.cwd)
        s = os.fstat(fd)
        os.close(fd)
        return describe(s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_size)

    def mkdir(self, name: bytes, mode: int) -> None:
        os.mkdir(name, mode, dir_fd=self.cwd)

    def mkfifo(self, name: bytes) -> None:
        os.mknod(name, stat.S_IFIFO | 0o666, dir_fd=self.cwd)

    def rmdir(self, name: bytes) -> None:
        os.rmdir(name, dir_fd=self.cwd)

    def unlink(self, name: bytes) -> None:
        os.unlink(name, dir_fd=self.cwd)

    def symlink(self, target: bytes, name: bytes) -> None:
        os.symlink(target, name, dir_fd=self.cwd)

    def link(self, old: bytes, new: bytes, follow: bool) -> None:
        os.link(old, new, src_dir_fd=self.cwd, dst_dir_fd=self.cwd, follow_symlinks=follow)

    def rename(self, old: bytes, new: bytes, flags: int) -> None:
        call(SYS_RENAMEAT2, self.cwd, old, self.cwd, new, flags)

    def readlink(self, name: bytes) -> bytes:
        return os.readlink(name, dir_fd=self.cwd)

    def chmod(self, name: bytes, mode: int) -> None:
        # By way of O_PATH and /proc it would be another path: chmod(2) has no dir_fd form that follows in Python.
        os.chmod(name, mode, dir_fd=self.cwd)

    def truncate(self, name: bytes, length: int) -> None:
        fd = os.open(name, os.O_WRONLY | os.O_NONBLOCK, dir_fd=self.cwd)
        try:
            os.ftruncate(fd, length)
        finally:
            os.close(fd)


# --- our side ---------------------------------------------------------------------------------------------------------


def fake_fifo(inode: Inode, flags: int) -> File:
    if flags & os.O_ACCMODE in {os.O_WRONLY, os.O_ACCMODE}:
        raise SysError(ENXIO if flags & os.O_ACCMODE == os.O_WRONLY else EINVAL)
    return File(inode, flags)


class World:
    """The caller, too."""

    def __init__(self, top: bytes, cred: Credentials) -> None:
        special = SpecialFiles()
        special.register(stat.S_IFIFO, 0, fake_fifo)
        self.tmpfs = TmpFs(1, lambda: 0, FakeRam(64), special, mode=0o755, max_inodes=10000)
        mounts = MountTable(self.tmpfs.root)
        for name in ("symlinks", "hardlinks", "fifos", "regular"):
            with open(f"/proc/sys/fs/protected_{name}", encoding="ascii") as file:
                setattr(mounts, f"protected_{name}", int(file.read()))
        root = mounts.root_path
        self.cred = Credentials.of(0, 0)
        self.fs = FsContext(root, root, UMASK)
        prefix = b""
        for part in (top + b"/" + DEPTH).split(b"/")[1:]:
            prefix += b"/" + part
            vfs.mkdir(self, None, prefix, 0o755)
            if os.path.ismount(prefix):
                self.tmpfs = TmpFs(2, lambda: 0, FakeRam(64), special, max_inodes=10000)
                mounts.mount(self.tmpfs.root, self.path(prefix))
        for directory in _prefixes(top):
            attr.chmod(self, self.path(directory), 0o777)
        self.fs.cwd = self.path(prefix)
        self.cred = cred

    def path(self, name: bytes, **how: bool) -> Path:
        return resolve(self, None, name, **how)  # type: ignore[arg-type]

    def _describe(self, path: Path) -> object:
        inode = path.inode
        return describe(inode.mode, inode.nlink, inode.uid, inode.gid, inode.size)

    def stat(self, name: bytes) -> object:
        return self._describe(self.path(name))

    def lstat(self, name: bytes) -> object:
        return self._describe(self.path(name, follow=False))

    def open(self, name: bytes, flags: int, mode: int, resolve: int) -> object:
        if resolve:
            file = openat2(self, None, name, flags | os.O_LARGEFILE, mode, resolve)
        else:
            file = vfs_open(self, None, name, flags | os.O_LARGEFILE, mode)
        file.close()
        assert file.path is not None
        return self._describe(file.path)

    def mkdir(self, name: bytes, mode: int) -> None:
        vfs.mkdir(self, None, name, mode)

    def mkfifo(self, name: bytes) -> None:
        vfs.mknod(self, None, name, stat.S_IFIFO | 0o666, 0)

    def rmdir(self, name: bytes) -> None:
        vfs.rmdir(self, None, name)

    def unlink(self, name: bytes) -> None:
        vfs.unlink(self, None, name)

    def symlink(self, target: bytes, name: bytes) -> None:
        vfs.symlink(self, target, None, name)

    def link(self, old: bytes, new: bytes, follow: bool) -> None:
        vfs.link(self, self.path(old, follow=follow), None, new)

    def rename(self, old: bytes, new: bytes, flags: int) -> None:
        vfs.rename(self, None, old, None, new, flags)

    def readlink(self, name: bytes) -> bytes:
        return self.path(name, follow=False).inode.readlink()

    def chmod(self, name: bytes, mode: int) -> None:
        attr.chmod(self, self.path(name), mode)

    def truncate(self, name: bytes, length: int) -> None:
        file = vfs_open(self, None, name, os.O_WRONLY | os.O_NONBLOCK | os.O_LARGEFILE)
        try:
            attr.ftruncate(self, file, length)
        finally:
            file.close()


def _prefixes(top: bytes) -> list[bytes]:
    parts = DEPTH.split(b"/")
    return [top + b"/" + b"/".join(parts[:count]) for count in range(1, len(parts) + 1)]


# --- random operations ------------------------------------------------------------------------------------------------

COMPONENTS = st.sampled_from([*[b"a", b"b", b"c", b"a", b"b"] * 4, b"d", b".", b"..", b"", b"x" * 255, b"x" * 256])
TOP = b"@TOP@"  # stands for the temporary directory, in absolute paths


@st.composite
def names(draw: Callable[..., Any]) -> bytes:
    name: bytes = b"/".join(draw(st.lists(COMPONENTS, min_size=1, max_size=4))).lstrip(b"/")
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return b"/" * draw(st.integers(1, 2))
    if kind == 1:
        return TOP + b"/" + DEPTH + b"/" + name
    if kind == 2:
        return b""
    return name + b"/" * draw(st.sampled_from([0, 0, 0, 0, 1, 2]))


# openat2(2) with a path that leads out of the tree would look at other files of the machine: no bare "/" there.
SIMPLE = st.lists(st.sampled_from([b"a", b"b", b"c", b"..", b"."]), min_size=1, max_size=3).map(b"/".join)
OPEN_FLAGS = st.builds(
    lambda access, *bits: access | os.O_NONBLOCK | sum(bits),
    st.sampled_from([os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_ACCMODE]),
    *(
        st.sampled_from([0, 0, flag])
        for flag in (os.O_CREAT, os.O_EXCL, os.O_TRUNC, os.O_DIRECTORY, os.O_NOFOLLOW, os.O_NOATIME)
    ),
    st.sampled_from([0, 0, 0, 0, 0, os.O_PATH]),
)
MODES = st.sampled_from([0o644, 0o755, 0o777, 0o000, 0o500, 0o300, 0o1777, 0o2775, 0o4755, 0o6711])
OPERATIONS = st.one_of(
    st.tuples(st.just("stat"), names()),
    st.tuples(st.just("lstat"), names()),
    st.tuples(st.just("open"), names(), OPEN_FLAGS, MODES, st.just(0)),
    st.tuples(st.just("open"), SIMPLE, OPEN_FLAGS, st.just(0), st.sampled_from([1, 2, 4, 8, 16, 12, 24])),
    st.tuples(st.just("mkdir"), names(), MODES),
    st.tuples(st.just("mkdir"), SIMPLE, st.just(0o777)),
    st.tuples(st.just("mkfifo"), names()),
    st.tuples(st.just("rmdir"), names()),
    st.tuples(st.just("unlink"), names()),
    st.tuples(st.just("symlink"), names(), SIMPLE),
    st.tuples(st.just("symlink"), names(), names()),
    st.tuples(st.just("link"), names(), names(), st.booleans()),
    st.tuples(st.just("rename"), names(), names(), st.sampled_from([0, 0, 0, 0, 1, 2, 2, 3, 8])),
    st.tuples(st.just("rename"), SIMPLE, SIMPLE, st.sampled_from([0, 0, 1, 2])),
    st.tuples(st.just("readlink"), names()),
    st.tuples(st.just("chmod"), names(), MODES),
    st.tuples(st.just("truncate"), names(), st.sampled_from([0, 10, 5000])),
)


#: What there is to begin with, all kinds under few names, so that most paths lead somewhere.
BEGINNINGS: list[list[tuple[Any, ...]]] = [
    [("mkdir", b"a", 0o777), ("mkdir", b"a/b", 0o777), ("mkdir", b"c", 0o755), ("open", b"b", os.O_CREAT, 0o644, 0),
     ("open", b"a/a", os.O_CREAT, 0o600, 0), ("symlink", b"../b", b"a/c"), ("symlink", b"a/b/", b"d")],
    [("mkdir", b"b", 0o1777), ("mkdir", b"b/b", 0o777), ("mkdir", b"b/c", 0o2777), ("symlink", b"b/a", b"a"),
     ("symlink", b"../c", b"b/d"), ("open", b"b/b/a", os.O_CREAT, 0o4711, 0), ("symlink", b"b/b", b"c")],
    [("mkdir", b"a", 0o500), ("symlink", b"c", b"c"), ("symlink", TOP + b"/" + DEPTH, b"b"), ("mkfifo", b"d")],
    [],
]  # fmt: skip
LISTS = st.tuples(st.sampled_from(BEGINNINGS), st.lists(OPERATIONS, min_size=3, max_size=25)).map(
    lambda both: both[0] + both[1]
)


def outcome(function: Callable[[], object]) -> object:
    try:
        return function()
    except (OSError, SysError) as error:
        return errno_name(error.errno)


def errno_name(number: int | None) -> str:
    return str(SysError(number or 0))


def real_tree(top: bytes) -> dict[bytes, object]:
    tree: dict[bytes, object] = {}
    for directory, directories, files in os.walk(top):
        for name in directories + files:
            path = directory + b"/" + name
            s = os.lstat(path)
            link = os.readlink(path) if stat.S_ISLNK(s.st_mode) else b""
            tree[path] = describe(s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_size), s.st_nlink, link
    return tree


def our_tree(directory: Inode, prefix: bytes) -> dict[bytes, object]:
    tree: dict[bytes, object] = {}
    for name, ino, kind in directory.entries():
        inode = directory.lookup(name)
        assert inode is not None
        assert (inode.ino, inode.type) == (ino, kind)
        path = prefix + b"/" + name
        link = inode.readlink() if stat.S_ISLNK(inode.mode) else b""
        tree[path] = describe(inode.mode, inode.nlink, inode.uid, inode.gid, inode.size), inode.nlink, link
        if stat.S_ISDIR(inode.mode):
            tree |= our_tree(inode, path)
    return tree


def run(operations: list[tuple[Any, ...]], uid: int) -> None:
    where = "/dev/shm" if os.path.isdir("/dev/shm") else None
    top = os.fsencode(tempfile.mkdtemp(dir=where))
    os.chmod(top, 0o755)
    old_umask = os.umask(0)
    try:
        os.makedirs(top + b"/" + DEPTH, 0o777)
        for directory in _prefixes(top):
            os.chmod(directory, 0o777)
        os.umask(UMASK)
        cred = Credentials.of(uid, uid, tuple(os.getgroups()))
        real, ours = Real(top), World(top, cred)
        base = ours.fs.cwd
        try:
            for name, *arguments in operations:
                args = [a.replace(TOP, top) if isinstance(a, bytes) else a for a in arguments]
                if name not in {"stat", "lstat", "readlink"} and leads_out(args):
                    continue
                with acting_as(uid):
                    expected = outcome(lambda: getattr(real, name)(*args))  # noqa: B023 - called at once
                assert outcome(lambda: getattr(ours, name)(*args)) == expected, (name, args)  # noqa: B023
        finally:
            real.close()
        ours.cred = Credentials.of(0, 0)
        top_inode = resolve(ours, base, top).inode
        assert our_tree(top_inode, top) == real_tree(top)
    finally:
        os.umask(old_umask)
        for directory, names_, _ in os.walk(top):
            for name in names_:
                if not os.path.islink(directory + b"/" + name):
                    os.chmod(directory + b"/" + name, 0o700)
        shutil.rmtree(top)


def leads_out(args: list[Any]) -> bool:
    """Only looking is allowed at the machine's own root directory."""
    return any(isinstance(arg, bytes) and arg and not arg.strip(b"/") for arg in args)


LIMITS = settings(
    max_examples=int(os.environ.get("TRAPEZE_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@LIMITS
@given(LISTS)
@example([("symlink", b"b", b"a"), ("open", b"a", os.O_CREAT | os.O_WRONLY, 0o644, 0), ("stat", b"b")])
@example([("symlink", b"a", b"a"), ("stat", b"a"), ("open", b"a", os.O_PATH | os.O_NOFOLLOW, 0, 0)])
@example(
    [("mkdir", b"a/", 0o2775), ("mkdir", b"a/b", 0o755), ("rename", b"a", b"a/b/c", 0), ("rename", b"a/b", b"a", 0)]
)
def test_as_a_user(operations: list[tuple[Any, ...]]) -> None:
    run(operations, NOBODY if os.geteuid() == 0 else os.geteuid())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@LIMITS
@given(LISTS)
def test_as_root(operations: list[tuple[Any, ...]]) -> None:
    run(operations, 0)
