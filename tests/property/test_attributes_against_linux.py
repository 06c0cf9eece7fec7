# ruff: noqa: PTH101, PTH102, PTH106, PTH108, PTH116, PTH211  # the calls of os are what is compared
"""Owners, modes, times, sizes and extended attributes, against the kernel that runs this test.

Three users do random things to one file of each kind, on a real tmpfs and on ours. Errors, attributes, and which of the
times change must agree.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from fakes import FakeRam
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syscalls.abi.errno import SysError
from syscalls.fs import attr, vfs, xattr
from syscalls.fs.cred import ALL_CAPABILITIES, Credentials
from syscalls.fs.mount import MountTable, Path
from syscalls.fs.open import open as vfs_open
from syscalls.fs.path import FsContext, resolve
from syscalls.fs.special import SpecialFiles
from syscalls.fs.tmpfs import TmpFs

LIBC = ctypes.CDLL(None, use_errno=True)
SHM = "/dev/shm"
RELEASE = tuple(int(part) for part in os.uname().release.split(".")[:2])
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.ismount(SHM) or RELEASE < (6, 13),
    reason="needs root, a tmpfs, and timestamps fine enough to tell two changes apart",
)

#: What setfsuid(2) takes away with the user id (CAP_FS_SET).
FS_CAPABILITIES = sum(1 << number for number in (0, 1, 2, 3, 4, 9, 27, 32))
OMIT = (1 << 30) - 2
UIDS = st.sampled_from([0, 1234, 65534])
NAMES = st.sampled_from([b"f", b"f", b"g", b"d", b"s", b"l", b"p"])
MODES = st.sampled_from([0o644, 0o600, 0o666, 0o777, 0o6777, 0o4755, 0o2755, 0o2644, 0o1777, 0o2775, 0o0])
OWNERS = st.sampled_from([-1, -1, 0, 1234, 65534])
ATTRIBUTES = st.sampled_from(
    [b"user.a", b"user.b", b"user.", b"trusted.t", b"security.x", b"system.y", b"plain", b"user." + b"x" * 251]
)
STEPS = st.one_of(
    st.tuples(st.just("chmod"), NAMES, MODES),
    st.tuples(st.just("chmod"), NAMES, MODES),
    st.tuples(st.just("chown"), NAMES, OWNERS, OWNERS),
    st.tuples(st.just("utime"), NAMES, st.sampled_from([None, (5, 6), (5, OMIT), (OMIT, 6)])),
    st.tuples(st.just("truncate"), NAMES, st.sampled_from([0, 3, 5000])),
    st.tuples(st.just("ftruncate"), NAMES, st.sampled_from([0, 3, 5000])),
    st.tuples(st.just("write"), NAMES, st.sampled_from([0, os.O_TRUNC, os.O_APPEND])),
    st.tuples(st.just("access"), NAMES, st.integers(0, 7)),
    st.tuples(st.just("create"), NAMES, st.sampled_from([b"/n1", b"/n2"]), MODES),
    st.tuples(
        st.just("setxattr"), NAMES, ATTRIBUTES, st.sampled_from([b"", b"1", b"22"]), st.sampled_from([0, 0, 1, 2])
    ),
    st.tuples(st.just("getxattr"), NAMES, ATTRIBUTES),
    st.tuples(st.just("removexattr"), NAMES, ATTRIBUTES),
    st.tuples(st.just("listxattr"), NAMES),
)


class Real:
    def __init__(self, top: bytes) -> None:
        self.top = top

    def act_as(self, uid: int) -> None:
        LIBC.setfsgid(uid)
        LIBC.setfsuid(uid)

    def at(self, name: bytes) -> bytes:
        return self.top + b"/" + name

    def state(self, name: bytes) -> tuple[Any, ...]:
        s = os.lstat(self.at(name))
        return oct(s.st_mode), s.st_uid, s.st_gid, s.st_size, s.st_mtime_ns, s.st_ctime_ns

    def chmod(self, name: bytes, mode: int) -> None:
        os.chmod(self.at(name), mode)

    def chown(self, name: bytes, uid: int, gid: int) -> None:
        os.chown(self.at(name), uid, gid, follow_symlinks=False)

    def utime(self, name: bytes, times: tuple[int, int] | None) -> None:
        specs = None if times is None else (ctypes.c_long * 4)(*([0, times[0], 0, times[1]]))
        if LIBC.utimensat(-100, self.at(name), specs, 0):
            raise OSError(ctypes.get_errno(), "")

    def truncate(self, name: bytes, length: int) -> None:
        os.truncate(self.at(name), length)

    def ftruncate(self, name: bytes, length: int) -> None:
        self._with(name, os.O_RDWR, lambda fd: os.ftruncate(fd, length))

    def write(self, name: bytes, flags: int) -> None:
        self._with(name, os.O_WRONLY | flags, lambda fd: os.write(fd, b"w"))

    def _with(self, name: bytes, flags: int, function: Callable[[int], Any]) -> None:
        fd = os.open(self.at(name), flags | os.O_NONBLOCK)
        try:
            function(fd)
        finally:
            os.close(fd)

    def access(self, name: bytes, mode: int) -> None:
        if not os.access(self.at(name), mode, effective_ids=True):
            raise OSError(13, "")

    def create(self, name: bytes, child: bytes, mode: int) -> object:
        path = self.at(name) + child
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
            os.mkdir(path + b"d", mode)
            first, second = os.stat(path), os.stat(path + b"d")
            return [(oct(s.st_mode), s.st_uid, s.st_gid) for s in (first, second)]
        finally:
            self._forget(path)

    def _forget(self, path: bytes) -> None:
        self.act_as(0)
        if os.path.lexists(path):
            os.unlink(path)
        if os.path.lexists(path + b"d"):
            os.rmdir(path + b"d")

    def setxattr(self, name: bytes, key: bytes, value: bytes, flags: int) -> None:
        os.setxattr(self.at(name), key, value, flags)

    def getxattr(self, name: bytes, key: bytes) -> bytes:
        return os.getxattr(self.at(name), key)

    def removexattr(self, name: bytes, key: bytes) -> None:
        os.removexattr(self.at(name), key)

    def listxattr(self, name: bytes) -> list[str]:
        return os.listxattr(self.at(name))


class Ours:
    def __init__(self) -> None:
        clock = itertools.count(1000)
        fs = TmpFs(1, lambda: next(clock), FakeRam(64), SpecialFiles(), mode=0o755)
        root = MountTable(fs.root).root_path
        self.fs = FsContext(root, root, 0o022)
        self.act_as(0)

    def act_as(self, uid: int) -> None:
        self.cred = Credentials.of(uid, uid, tuple(os.getgroups()))
        if uid:
            self.cred.effective = ALL_CAPABILITIES & ~FS_CAPABILITIES

    def at(self, name: bytes, *, follow: bool = True) -> Path:
        return resolve(self, None, name, follow=follow)

    def state(self, name: bytes) -> tuple[Any, ...]:
        inode = self.at(name, follow=False).inode
        return oct(inode.mode), inode.uid, inode.gid, inode.size, inode.mtime, inode.ctime

    def chmod(self, name: bytes, mode: int) -> None:
        attr.chmod(self, self.at(name), mode)

    def chown(self, name: bytes, uid: int, gid: int) -> None:
        attr.chown(self, self.at(name, follow=False), uid, gid)

    def utime(self, name: bytes, times: tuple[int, int] | None) -> None:
        atime, mtime = (attr.OMIT if time == OMIT else time for time in times) if times else (attr.NOW, attr.NOW)
        attr.utimens(self, self.at(name), atime, mtime)

    def truncate(self, name: bytes, length: int) -> None:
        attr.truncate(self, self.at(name), length)

    def ftruncate(self, name: bytes, length: int) -> None:
        file = vfs_open(self, None, name, os.O_RDWR | os.O_NONBLOCK | os.O_LARGEFILE)
        attr.ftruncate(self, file, length)
        file.close()

    def write(self, name: bytes, flags: int) -> None:
        file = vfs_open(self, None, name, os.O_WRONLY | flags | os.O_NONBLOCK | os.O_LARGEFILE)
        attr.write_checks(self, file, 1)
        file.write(b"w")
        file.close()

    def access(self, name: bytes, mode: int) -> None:
        attr.access(self.at(name), self.cred, mode)

    def create(self, name: bytes, child: bytes, mode: int) -> object:
        path = name + child
        try:
            vfs_open(self, None, path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode).close()
            vfs.mkdir(self, None, path + b"d", mode)
            inodes = [self.at(path).inode, self.at(path + b"d").inode]
            return [(oct(inode.mode), inode.uid, inode.gid) for inode in inodes]
        finally:
            self._forget(path)

    def _forget(self, path: bytes) -> None:
        self.act_as(0)
        for remove, name in ((vfs.unlink, path), (vfs.rmdir, path + b"d")):
            try:
                remove(self, None, name)
            except SysError:
                continue

    def setxattr(self, name: bytes, key: bytes, value: bytes, flags: int) -> None:
        xattr.setxattr(self, self.at(name), key, value, flags)

    def getxattr(self, name: bytes, key: bytes) -> bytes:
        return xattr.getxattr(self, self.at(name), key)

    def removexattr(self, name: bytes, key: bytes) -> None:
        xattr.removexattr(self, self.at(name), key)

    def listxattr(self, name: bytes) -> list[str]:
        return xattr.listxattr(self, self.at(name)).decode().split("\0")[:-1]


def outcome(side: Real | Ours, uid: int, name: str, arguments: list[Any]) -> tuple[object, ...]:
    """The result, the attributes afterwards, and whether mtime and ctime have changed."""
    before = side.state(arguments[0])
    side.act_as(uid)
    result: object
    try:
        result = getattr(side, name)(*arguments)
    except (OSError, SysError) as error:
        result = str(SysError(error.errno or 0))
    side.act_as(0)
    after = side.state(arguments[0])
    return (
        result,
        after[:4] if stat.S_IFMT(int(after[0], 8)) != stat.S_IFDIR else after[:3],
        (
            before[4] != after[4],
            before[5] != after[5],
        ),
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(UIDS, STEPS), min_size=5, max_size=30))
@example([(0, ("chmod", b"f", 0o4755)), (1234, ("chown", b"f", -1, -1)), (0, ("chown", b"f", 1234, 1234))])
def test_attributes(steps: list[tuple[int, tuple[Any, ...]]]) -> None:
    top = os.fsencode(tempfile.mkdtemp(dir=SHM))
    old_umask = os.umask(0o022)
    try:
        os.chmod(top, 0o755)
        real, ours = Real(top), Ours()
        for directory, mode in ((b"d", 0o777), (b"s", 0o2775)):
            os.mkdir(top + b"/" + directory)
            vfs.mkdir(ours, None, directory, 0o755)
            for side in (real, ours):
                side.chmod(directory, mode)  # type: ignore[attr-defined]
        for file, owner in ((b"f", 1234), (b"g", 0)):
            os.close(os.open(top + b"/" + file, os.O_CREAT, 0o666))
            vfs_open(ours, None, file, os.O_CREAT, 0o666).close()
            for side in (real, ours):
                side.chown(file, owner, owner)  # type: ignore[attr-defined]
        os.symlink(b"f", top + b"/l")
        vfs.symlink(ours, b"f", None, b"l")
        os.mkfifo(top + b"/p", 0o666)
        vfs.mknod(ours, None, b"p", stat.S_IFIFO | 0o666, 0)
        for uid, (name, *arguments) in steps:
            if arguments[0] == b"p" and name in {"write", "ftruncate"}:
                continue  # what a FIFO answers is the pipe's business
            expected = outcome(real, uid, name, arguments)
            assert outcome(ours, uid, name, arguments) == expected, (uid, name, arguments)
    finally:
        os.umask(old_umask)
        LIBC.setfsuid(0)
        shutil.rmtree(top)
