# ruff: noqa: ARG002  # what refuses ignores its arguments
"""Directories and files of the host that were given to the guest: `ports.HostDirectory` and `ports.HostObject`.

An object is held by a descriptor (O_PATH), not by its name: it stays the same whatever happens to names on either side.
Children are opened one plain name at a time with O_NOFOLLOW, so no symbolic link, "..", or rename during the run leads
out of the tree. What needs a pathname goes through /proc/self/fd/N of that descriptor, which is no name either.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import stat
from collections.abc import Iterator

from emu import libc
from syscalls.abi.errno import SysError
from syscalls.kernel.ports import HostObject, HostStat

NODE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
#: Whatever is opened for its content: it must never make us wait, nor become our terminal.
CONTENT = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
XATTRS = b"user."  # the only namespace shown: the others are about the host's security


@contextlib.contextmanager
def host_errors() -> Iterator[None]:
    """OSError of the host becomes SysError of the guest: the numbers are Linux's on both sides."""
    try:
        yield
    except OSError as error:
        raise SysError(error.errno or errno.EIO) from error


class HostTree:
    """What --root or --bind names, as a descriptor of it, which is kept."""

    def __init__(self, fd: int, *, writable: bool) -> None:
        _want_descriptors()
        self.writable = writable
        self.fixed_ns: int | None = None  # what all times are said to be, and names are sorted: for repeatable runs
        self.top = HostNode(self, fd)

    @classmethod
    def at(cls, path: str, *, writable: bool) -> HostTree:
        """A host path; OSError when it is not there, or a directory that we may not even look into."""
        tree = cls(os.open(path, os.O_PATH | os.O_CLOEXEC), writable=writable)
        mode = os.R_OK | os.X_OK if stat.S_ISDIR(os.stat(path).st_mode) else os.R_OK  # noqa: PTH116
        if not os.access(tree.top.path, mode, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return tree

    @classmethod
    def of_stream(cls, fd: int, access: int) -> HostTree:
        """An open regular file: its content, for what it was opened for."""
        tree = cls(os.dup(fd), writable=access != os.O_RDONLY)
        tree.top = StreamNode(tree, tree.top.release(), access)
        return tree

    def find(self, path: bytes) -> HostNode:
        """Walk plain names separated by slashes, b"" is the top; ENOENT, ENOTDIR."""
        node = self.top
        for name in path.split(b"/") if path else ():
            child = node.child(name)
            if child is None:
                raise SysError(errno.ENOENT)
            node = child
        return node


def _want_descriptors() -> None:
    """Each object in use takes descriptors of ours: ask for as many as we may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _plain(name: bytes) -> bytes:
    """Path resolution gives nothing else; if it ever did, it would end here."""
    if not name or b"/" in name or b"\0" in name or name in {b".", b".."}:
        raise SysError(errno.EINVAL)
    return name


class FixedTimes:
    """Attributes of a host file, but for its times: those depend on who has looked at it before."""

    def __init__(self, found: os.stat_result, fixed_ns: int) -> None:
        self._found = found
        self.st_atime_ns = self.st_mtime_ns = self.st_ctime_ns = fixed_ns

    def __getattr__(self, name: str) -> int:
        return getattr(self._found, name)  # type: ignore[no-any-return]  # all that is used are numbers


class HostNode:
    """One object. Every method raises SysError with the host's errno."""

    __slots__ = ("_reader", "_tree", "_writer", "fd")

    def __init__(self, tree: HostTree, fd: int) -> None:
        self._tree = tree
        self.fd = fd
        self._reader = self._writer = -1  # descriptors for content, once they were needed

    def __del__(self) -> None:
        for fd in {self.fd, self._reader, self._writer} - {-1}:
            os.close(fd)

    def release(self) -> int:
        """Give the descriptor away."""
        fd, self.fd = self.fd, -1
        return fd

    @property
    def path(self) -> str:
        """A pathname that leads to the object itself."""
        return f"/proc/self/fd/{self.fd}"

    def _want_write(self) -> None:
        """The mount says so too: this is the second bolt."""
        if not self._tree.writable:
            raise SysError(errno.EROFS)

    def stat(self) -> HostStat:
        """Its attributes now."""
        with host_errors():
            found = os.fstat(self.fd)
        fixed = self._tree.fixed_ns
        return found if fixed is None else FixedTimes(found, fixed)

    # --- directories --------------------------------------------------------------------------------------------------

    def child(self, name: bytes) -> HostNode | None:
        """The object of that name, itself when it is a symbolic link; None when there is none."""
        with host_errors():
            try:
                return HostNode(self._tree, os.open(_plain(name), NODE, dir_fd=self.fd))
            except FileNotFoundError:
                return None

    def entries(self) -> Iterator[tuple[bytes, int, int]]:
        """(name, st_ino, S_IFMT type) in the host's order."""
        with self._opened(os.O_RDONLY | os.O_DIRECTORY) as fd, os.scandir(fd) as listing:
            ordered = listing if self._tree.fixed_ns is None else sorted(listing, key=lambda entry: entry.name)
            for entry in ordered:
                yield os.fsencode(entry.name), entry.inode(), _type(entry)

    def create(self, name: bytes, mode: int, uid: int, gid: int) -> HostNode:
        """A new regular file, open for reading and writing whatever its mode."""
        self._want_write()
        with host_errors():
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | CONTENT
            fd = os.open(_plain(name), flags, 0o600, dir_fd=self.fd)
        node = HostNode(self._tree, fd)
        node._reader = node._writer = fd
        return node.born(mode, uid, gid)

    def tmpfile(self, mode: int, uid: int, gid: int) -> HostNode:
        """A regular file without a name (O_TMPFILE)."""
        self._want_write()
        with host_errors():
            fd = os.open(self.path, os.O_TMPFILE | os.O_RDWR | CONTENT, 0o600)
        node = HostNode(self._tree, fd)
        node._reader = node._writer = fd
        return node.born(mode, uid, gid)

    def mknod(self, name: bytes, mode: int, uid: int, gid: int) -> HostNode:
        """A new FIFO or socket; never a device, which would be one of the host's."""
        self._want_write()
        if stat.S_IFMT(mode) not in {stat.S_IFIFO, stat.S_IFSOCK}:
            raise SysError(errno.EPERM)
        with host_errors():
            os.mknod(_plain(name), stat.S_IFMT(mode) | 0o600, dir_fd=self.fd)
        return self._made(name, mode, uid, gid)

    def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> HostNode:
        """A new directory."""
        self._want_write()
        with host_errors():
            os.mkdir(_plain(name), 0o700, dir_fd=self.fd)
        return self._made(name, mode, uid, gid)

    def symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> HostNode:
        """A new symbolic link."""
        self._want_write()
        with host_errors():
            os.symlink(target, _plain(name), dir_fd=self.fd)
        return self._made(name, None, uid, gid)

    def _made(self, name: bytes, mode: int | None, uid: int, gid: int) -> HostNode:
        node = self.child(name)
        if node is None:
            raise SysError(errno.ENOENT)
        return node.born(mode, uid, gid)

    def born(self, mode: int | None, uid: int, gid: int) -> HostNode:
        """Give it its owner, where the host lets us, and exactly its mode, whatever our own umask is."""
        made = self.stat()
        if (made.st_uid, made.st_gid) != (uid, gid):
            with contextlib.suppress(SysError):  # unprivileged: it belongs to whoever runs us
                self.chown(uid, gid)
        if mode is not None:
            self.chmod(mode & 0o7777)
        return self

    def link(self, name: bytes, node: HostObject) -> None:
        """Another name for `node`."""
        self._want_write()
        assert isinstance(node, HostNode)
        with host_errors():
            os.link(node.path, _plain(name), dst_dir_fd=self.fd, follow_symlinks=True)

    def unlink(self, name: bytes) -> None:
        """Remove the name of a non-directory."""
        self._want_write()
        with host_errors():
            os.unlink(_plain(name), dir_fd=self.fd)

    def rmdir(self, name: bytes) -> None:
        """Remove an empty directory."""
        self._want_write()
        with host_errors():
            os.rmdir(_plain(name), dir_fd=self.fd)

    def rename(self, name: bytes, directory: HostObject, new_name: bytes, flags: int) -> None:
        """renameat2(2)."""
        self._want_write()
        assert isinstance(directory, HostNode)
        with host_errors():
            libc.renameat2(self.fd, _plain(name), directory.fd, _plain(new_name), flags)

    # --- content ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        with host_errors():
            fd = os.open(self.path, flags | CONTENT)
            try:
                yield fd
            finally:
                os.close(fd)

    def readlink(self) -> bytes:
        """Target of a symbolic link."""
        with host_errors():
            return os.fsencode(os.readlink(b"", dir_fd=self.fd))

    def open(self, *, reading: bool, writing: bool) -> None:
        """Make sure that the content can be read or written from now on: EACCES, ETXTBSY ..."""
        if writing:
            self._want_write()
        with host_errors():
            if reading and self._reader < 0:
                self._reader = os.open(self.path, os.O_RDONLY | CONTENT)
            if writing and self._writer < 0:
                self._writer = os.open(self.path, os.O_WRONLY | CONTENT)

    def pread(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes."""
        self.open(reading=True, writing=False)
        with host_errors():
            return os.pread(self._reader, count, offset)

    def pwrite(self, offset: int, data: bytes | memoryview) -> int:
        """How many bytes were stored."""
        self.open(reading=False, writing=True)
        with host_errors():
            return os.pwrite(self._writer, data, offset)

    def append(self, data: bytes | memoryview) -> int:
        """Store at the end, wherever that is by now."""
        self.open(reading=False, writing=True)
        with host_errors():
            return os.pwritev(self._writer, [data], 0, os.RWF_APPEND)

    def truncate(self, length: int) -> None:
        """Set the size."""
        self._want_write()
        with host_errors():
            os.truncate(self.path if self._writer < 0 else self._writer, length)

    def allocate(self, mode: int, offset: int, length: int) -> None:
        """fallocate(2)."""
        self.open(reading=False, writing=True)
        with host_errors():
            libc.fallocate(self._writer, mode, offset, length)

    def seek(self, offset: int, whence: int) -> int:
        """Where SEEK_DATA or SEEK_HOLE leads; ENXIO."""
        self.open(reading=True, writing=False)
        with host_errors():
            return os.lseek(self._reader, offset, whence)

    def sync(self) -> None:
        """fsync(2)."""
        with host_errors():
            if self._writer >= 0:
                os.fsync(self._writer)

    # --- attributes ---------------------------------------------------------------------------------------------------

    def chmod(self, mode: int) -> None:
        """Permission bits."""
        self._want_write()
        with host_errors():
            os.chmod(self.path, mode)  # noqa: PTH101  # the name is not for people

    def chown(self, uid: int, gid: int) -> None:
        """Owner and group."""
        self._want_write()
        with host_errors():
            os.chown(self.path, uid, gid)

    def utimens(self, atime_ns: int, mtime_ns: int) -> None:
        """Times."""
        self._want_write()
        with host_errors():
            os.utime(self.path, ns=(atime_ns, mtime_ns))

    def xattrs(self) -> dict[bytes, bytes]:
        """Extended attributes; none where the file system, or the kind of object, has none."""
        try:
            names = [os.fsencode(name) for name in os.listxattr(self.path)]
            return {name: os.getxattr(self.path, name) for name in names if name.startswith(XATTRS)}
        except OSError:
            return {}

    def set_xattr(self, name: bytes, value: bytes | None) -> None:
        """Store or (None) remove an extended attribute; EOPNOTSUPP outside of user.*."""
        self._want_write()
        if not name.startswith(XATTRS):
            raise SysError(errno.EOPNOTSUPP)
        with host_errors():
            if value is None:
                os.removexattr(self.path, name)
            else:
                os.setxattr(self.path, name, value)

    def space(self) -> tuple[int, int, int, int, int]:
        """Blocks of 4096 bytes, free ones, available ones, inodes, free ones of its file system."""
        with host_errors():
            found = os.fstatvfs(self.fd)
        blocks = (count * found.f_frsize // 4096 for count in (found.f_blocks, found.f_bfree, found.f_bavail))
        return *blocks, found.f_files, found.f_ffree  # type: ignore[return-value]  # three of them


class StreamNode(HostNode):
    """A file that was given as a stream: there is no more to it than its content and its looks."""

    __slots__ = ()

    def __init__(self, tree: HostTree, fd: int, access: int) -> None:
        super().__init__(tree, fd)
        self._reader = fd if access != os.O_WRONLY else -1
        self._writer = fd if access != os.O_RDONLY else -1

    def open(self, *, reading: bool, writing: bool) -> None:
        if (reading and self._reader < 0) or (writing and self._writer < 0):
            raise SysError(errno.EACCES)

    def truncate(self, length: int) -> None:
        self.open(reading=False, writing=True)
        super().truncate(length)

    def chmod(self, mode: int) -> None:
        raise SysError(errno.EPERM)

    def chown(self, uid: int, gid: int) -> None:
        raise SysError(errno.EPERM)

    def utimens(self, atime_ns: int, mtime_ns: int) -> None:
        raise SysError(errno.EPERM)

    def set_xattr(self, name: bytes, value: bytes | None) -> None:
        raise SysError(errno.EPERM)


def _type(entry: os.DirEntry[str]) -> int:
    if entry.is_symlink():
        return stat.S_IFLNK
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    return stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
