"""The guest's world: the tree of files it starts with (filesystems(5), hier(7)).

By default everything is in memory, and what a small Linux has is there. `--root` puts a host directory under a
copy-on-write layer instead; `--bind` shows more of the host at chosen places.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emu.config import Bind, Config
from emu.errors import UsageError
from emu.hosttree import HostTree
from emu.virtual import EPOCH_NS
from syscalls.abi.errno import EEXIST, SysError
from syscalls.abi.fcntl import O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY
from syscalls.abi.stat import S_IFCHR, S_IFDIR, S_IFMT, ST_NOATIME, ST_RDONLY
from syscalls.fs import devices, vfs
from syscalls.fs import open as fs_open
from syscalls.fs import path as fs_path
from syscalls.fs.cred import Credentials
from syscalls.fs.devpts import CURRENT_TTY, PTMX, DevPts
from syscalls.fs.hostfs import HostFs
from syscalls.fs.mount import MountTable, Path
from syscalls.fs.overlay import LowerRegular, OverlayFs
from syscalls.fs.path import FsContext
from syscalls.fs.procfs import ProcFs
from syscalls.fs.regular import RegularInode
from syscalls.fs.special import SpecialFiles
from syscalls.fs.tmpfs import TmpDirectory, TmpFs
from syscalls.kernel import proc
from syscalls.kernel.ctty import Terminals

if TYPE_CHECKING:
    from syscalls.fs.inode import Inode
    from syscalls.kernel.kernel import Kernel

#: What is longer is not collected from memory after the run.
LARGEST_RESULT = 256 << 20

#: Directories of the built-in root and their modes.
DIRECTORIES = {
    "bin": 0o755, "etc": 0o755, "home": 0o755, "lib": 0o755, "root": 0o700, "run": 0o755, "sbin": 0o755,
    "tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755, "usr/lib": 0o755, "usr/local": 0o755, "usr/local/bin": 0o755,
    "usr/sbin": 0o755, "var": 0o755, "var/log": 0o755, "var/tmp": 0o1777,
}  # fmt: skip

#: tzfile(5) of UTC: version 1, one type, its name.
UTC = b"TZif" + bytes(16) + b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4" + b"\0\0\0\0\0\0UTC\0"

FILES = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": b"root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "etc/hosts": b"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n",
    "etc/hostname": b"trapeze\n",
    "etc/resolv.conf": b"",
    "etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
    "etc/localtime": UTC,
}

DEVICE_LINKS = {
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
}  # fmt: skip


class World:
    """The mounts of one run, and root's view of them for setting things up."""

    def __init__(self, kernel: Kernel, config: Config) -> None:
        self.kernel = kernel
        self._deterministic = config.seed is not None
        self.special = SpecialFiles()
        for rdev, factory in devices.factories(kernel.random).items():
            self.special.register(S_IFCHR, rdev, factory)
        self.devpts = DevPts(kernel.new_dev(), kernel.realtime, Terminals(kernel))
        if config.root is None:
            self.root_fs: TmpFs = TmpFs(kernel.new_dev(), kernel.realtime, kernel.ram, self.special, mode=0o755)
        else:
            tree = _directory(config.root, f"--root {config.root}")
            self._fix(tree)
            self.root_fs = OverlayFs(kernel.new_dev(), kernel.realtime, kernel.ram, self.special, tree)
        self.mounts = MountTable(self.root_fs.root, source=self.root_fs.name.encode())
        kernel.mounts = self.mounts
        self.fs = FsContext(self.mounts.root_path, self.mounts.root_path, umask=0)
        self.cred = Credentials.of(0, 0)
        if config.root is None:
            self._fill()
        self._mount_system()
        self.bound: list[HostFs] = []  # host files outside of the root
        for bind in config.binds:
            self._bind(bind)
        self._untouched: dict[Inode, bytes] = {}  # digests of contents
        for name, _ in list(self._files()):
            self.forget_change(name)

    def _fix(self, tree: HostTree) -> None:
        """In a deterministic run, files that the guest cannot change on the host have no times of the host."""
        if self._deterministic and not tree.writable:
            tree.fixed_ns = EPOCH_NS

    def _fill(self) -> None:
        for name, mode in DIRECTORIES.items():
            self.mkdir("/" + name, mode)
        for name, data in FILES.items():
            self.write("/" + name, data, 0o644)

    def _mount_system(self) -> None:
        kernel = self.kernel
        dev = TmpFs(kernel.new_dev(), kernel.realtime, kernel.ram, self.special, mode=0o755)
        dev.name = "devtmpfs"
        self.mkdir("/dev", 0o755)
        self.mounts.mount(dev.root, self.path("/dev"), source=b"dev")
        for node, (rdev, mode) in devices.NODES.items():
            vfs.mknod(self, None, b"/dev/" + node, S_IFCHR | mode, rdev)
        for link, target in DEVICE_LINKS.items():
            vfs.symlink(self, target.encode(), None, f"/dev/{link}".encode())
        self.mkdir("/dev/shm", 0o1777)  # noqa: S108  # the guest's
        shm = TmpFs(kernel.new_dev(), kernel.realtime, kernel.ram, self.special, mode=0o1777)
        self.mounts.mount(shm.root, self.path("/dev/shm"), source=b"tmpfs")  # noqa: S108  # the guest's
        self.mkdir("/dev/pts", 0o755)
        devpts = self.devpts
        devpts.mount = self.mounts.mount(devpts.root, self.path("/dev/pts"), source=b"devpts")
        self.special.register(S_IFCHR, PTMX, devpts.open_master)
        self.special.register(S_IFCHR, CURRENT_TTY, devpts.open_current)
        self.mkdir("/proc", 0o555)
        procfs = ProcFs(kernel.new_dev(), kernel.realtime, proc.root(kernel))
        self.mounts.mount(procfs.root, self.path("/proc"), source=b"proc")

    def _bind(self, bind: Bind) -> None:
        """Show a host directory or file."""
        kernel = self.kernel
        option = f"--bind {bind.host}:{bind.guest}"
        tree = _tree(bind.host, option, writable=bind.writable)
        self._fix(tree)
        fs = HostFs(kernel.new_dev(), kernel.realtime, kernel.ram, self.special, tree)
        self.bound.append(fs)
        flags = ST_NOATIME | (0 if bind.writable else ST_RDONLY)  # access times are the host's business
        try:
            if fs.root.type == S_IFDIR:
                self.mkdir(bind.guest, 0o755)
            else:
                self._placeholder(bind.guest)
            self.mounts.mount(fs.root, self.path(bind.guest), flags, source=b"host")
        except SysError as error:
            raise UsageError(f"{option}: {os.strerror(error.errno)} in the guest") from None

    def _placeholder(self, name: str) -> None:
        """Something to mount a file upon."""
        try:
            self.path(name)
        except SysError:
            self.mkdir(posixpath.dirname(name), 0o755)
            self.write(name, b"", 0o644)

    # --- root's hands -------------------------------------------------------------------------------------------------

    def path(self, name: str) -> Path:
        """Where a name leads; SysError."""
        return fs_path.resolve(self, None, os.fsencode(name))

    def mkdir(self, name: str, mode: int) -> None:
        """Make a directory and those above it, where they are missing."""
        parent = posixpath.dirname(name)
        if parent != name:
            self.mkdir(parent, 0o755)
        try:
            vfs.mkdir(self, None, os.fsencode(name), mode)
        except SysError as error:
            if error.errno != EEXIST:
                raise

    def write(self, name: str, data: bytes, mode: int) -> None:
        """Make a file with this content."""
        file = fs_open.open(self, None, os.fsencode(name), O_CREAT | O_WRONLY | O_TRUNC, mode)
        file.write(data)
        file.close()

    def read(self, name: str) -> bytes:
        """The whole content of a file."""
        file = fs_open.open(self, None, os.fsencode(name), O_RDONLY)
        data = file.pread(file.inode.size, 0)
        file.close()
        assert isinstance(data, bytes)
        return data

    def write_back(self) -> None:
        """The run is over: what mappings still hold of host files goes there."""
        for fs in self.bound:
            fs.write_back()

    # --- what the guest did -------------------------------------------------------------------------------------------

    def changed_files(self) -> dict[str, bytes]:
        """Regular files of the root file system that the guest made or changed, by path; none above LARGEST_RESULT."""
        return {
            name: data
            for name, inode in self._files()
            if inode.size <= LARGEST_RESULT
            and self._untouched.get(inode) != _digest(data := inode.pages.read(0, inode.size))
        }

    def forget_change(self, name: str) -> None:
        """Do not count the present content of a file as a change by the guest."""
        inode = self.path(name).inode
        assert isinstance(inode, RegularInode)
        self._untouched[inode] = _digest(inode.pages.read(0, inode.size))

    def _files(self) -> Iterator[tuple[str, RegularInode]]:
        """Regular files in memory: of a host directory, only what has been looked into."""
        pending: list[tuple[str, TmpDirectory]] = [("", self.root_fs.root)]
        while pending:
            path, directory = pending.pop()
            for name, inode in directory.known().items():
                place = f"{path}/{name.decode(errors='surrogateescape')}"
                if isinstance(inode, TmpDirectory):
                    pending.append((place, inode))
                elif isinstance(inode, RegularInode) and not (isinstance(inode, LowerRegular) and inode.pristine):
                    yield place, inode


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _tree(path: str, option: str, *, writable: bool) -> HostTree:
    try:
        return HostTree.at(path, writable=writable)
    except OSError as error:
        raise UsageError(f"{option}: {error.strerror}") from None


def _directory(path: str, option: str) -> HostTree:
    tree = _tree(path, option, writable=False)
    if tree.top.stat().st_mode & S_IFMT != S_IFDIR:
        raise UsageError(f"{option}: Not a directory")
    return tree
