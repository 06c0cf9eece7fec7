"""Pathname resolution, component by component, as fs/namei.c of Linux does it (path_resolution(7), openat2(2))."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from syscalls.abi.errno import EACCES, EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV, SysError
from syscalls.abi.fcntl import (
    RESOLVE_BENEATH,
    RESOLVE_CACHED,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV,
)
from syscalls.abi.stat import S_ISVTX, S_IWOTH, ST_NOSYMFOLLOW
from syscalls.fs.cred import Credentials
from syscalls.fs.dentry import Dentry
from syscalls.fs.inode import Inode
from syscalls.fs.mount import Mount, Path, anonymous, path_name
from syscalls.fs.perm import may_search

__all__ = ["Caller", "FsContext", "Parent", "Path", "Walk", "anonymous", "path_name", "resolve", "resolve_parent"]

PATH_MAX = 4096  # with the NUL
MAX_LINKS = 40  # symbolic links followed in one resolution (MAXSYMLINKS)
_SCOPED = RESOLVE_BENEATH | RESOLVE_IN_ROOT


class FsContext:
    """Root, working directory and umask, which clone(2)'s CLONE_FS shares (struct fs_struct)."""

    __slots__ = ("cwd", "root", "umask")

    def __init__(self, root: Path, cwd: Path, umask: int = 0o022) -> None:
        self.root = root
        self.cwd = cwd
        self.umask = umask

    def copy(self) -> FsContext:
        """What fork(2) gives the child."""
        return FsContext(self.root, self.cwd, self.umask)

    def name(self, path: Path) -> bytes:
        """What /proc/self/fd/N and the like show: " (deleted)" behind what has no name any more (d_path)."""
        if path.mount.table is None and path.dentry.parent is path.dentry:
            return path.dentry.name
        if path.mount.table is None:  # mounted by the kernel alone: an open message queue
            return path_name(path, Path(path.mount, path.mount.root)) + (b" (deleted)" if path.dentry.deleted else b"")
        return path_name(path, self.root) + (b" (deleted)" if path.dentry.deleted else b"")

    def getcwd(self) -> bytes:
        """The working directory; ENOENT when it was removed (getcwd(2))."""
        if self.cwd.dentry.deleted:
            raise SysError(ENOENT)
        return path_name(self.cwd, self.root)


class Caller(Protocol):
    """On whose behalf a path is walked. A Task is one."""

    fs: FsContext
    cred: Credentials


class Parent(NamedTuple):
    """All but the last component of a path, resolved (filename_parentat)."""

    path: Path
    name: bytes  # the last component; b"" when the path was nothing but slashes
    slash: bool  # did slashes follow it?

    @property
    def normal(self) -> bool:
        """Is the last component an ordinary name (LAST_NORM)?"""
        return self.name not in {b"", b".", b".."}


class Walk:
    """A resolution under way (struct nameidata): where it is, and what it may still do."""

    __slots__ = ("cred", "dentry", "directory", "flags", "follow", "last", "links", "mount", "root", "slash")

    def __init__(self, caller: Caller, base: Path | None, name: bytes, *, follow: bool, flags: int) -> None:
        """Find the start (path_init). `base` None: the working directory; flags: RESOLVE_* of openat2(2)."""
        if len(name) >= PATH_MAX:
            raise SysError(ENAMETOOLONG)
        self.cred = caller.cred
        self.follow = follow
        self.flags = flags
        self.links = 0  # symbolic links followed so far
        self.directory = False  # must the result be a directory?
        self.last = b""
        self.slash = False
        self.root = caller.fs.root
        if name[:1] == b"/" and not flags & RESOLVE_IN_ROOT:
            if flags & RESOLVE_BENEATH:
                raise SysError(EXDEV)
            self.mount, self.dentry = self.root
            return
        self.mount, self.dentry = start = base or caller.fs.cwd
        if name and not self.dentry.is_dir:
            raise SysError(ENOTDIR)
        if flags & _SCOPED:
            self.root = start

    @property
    def path(self) -> Path:
        """Where it stands."""
        return Path(self.mount, self.dentry)

    def to_parent(self, body: bytes) -> None:
        """Walk all but the last component of `body`; leave that in `last` and `slash` (link_path_walk)."""
        self.last = b""
        self.slash = body[-1:] == b"/"
        names = [name for name in body.split(b"/") if name]
        if not names:
            return
        last = names.pop()
        for name in names:
            may_search(self.dentry.inode, self.cred)
            link = self._step(name, trailing=False)
            if link is not None:
                self._to_end(link)
            if not self.dentry.is_dir:
                raise SysError(ENOTDIR)
        may_search(self.dentry.inode, self.cred)
        self.last = last
        self.slash = body[-1:] == b"/"

    def _to_end(self, body: bytes | None) -> None:
        """Walk the whole of a symbolic link that is not the end of the path."""
        while body is not None:
            self.to_parent(body)
            body = self._step(self.last, trailing=False)

    def lookup_last(self) -> bytes | None:
        """Step to the last component; the body of a symbolic link that must be walked next, if it was one."""
        if self.slash and self.last not in {b"", b".", b".."}:
            self.follow = self.directory = True
        return self._step(self.last, trailing=True)

    def finish(self, body: bytes) -> Path:
        """Walk the whole of `body` (path_lookupat)."""
        link: bytes | None = body
        while link is not None:
            self.to_parent(link)
            link = self.lookup_last()
        if self.directory and not self.dentry.is_dir:
            raise SysError(ENOTDIR)
        return Path(self.mount, self.dentry)

    # --- one component ------------------------------------------------------------------------------------------------

    def _step(self, name: bytes, *, trailing: bool) -> bytes | None:
        """Go to one component (walk_component); the body of the symbolic link found there, if it is to be followed."""
        if name in {b"", b"."}:
            return None
        if name == b"..":
            self._to_dotdot()
            return None
        dentry = self.dentry.child(name)
        if dentry is None:
            raise SysError(EAGAIN if self.flags & RESOLVE_CACHED else ENOENT)
        return self.enter(dentry, trailing=trailing)

    def enter(self, dentry: Dentry, *, trailing: bool) -> bytes | None:
        """Go to a child: across mounts, and through a symbolic link unless it ends the path (step_into)."""
        mount, dentry = self._covering(self.mount, dentry)
        if dentry.is_symlink and (self.follow or not trailing):
            return self._pick_link(mount, dentry.inode, trailing=trailing)
        self.mount, self.dentry = mount, dentry
        return None

    def _covering(self, mount: Mount, dentry: Dentry) -> tuple[Mount, Dentry]:
        """What is mounted there, or the place itself (handle_mounts)."""
        while dentry.mounts and (upper := mount.children.get(dentry)) is not None:
            if self.flags & RESOLVE_NO_XDEV:
                raise SysError(EXDEV)
            mount, dentry = upper, upper.root
        return mount, dentry

    def _to_dotdot(self) -> None:
        """Go to the parent directory; the root is its own (follow_dotdot)."""
        mount, dentry = self.mount, self.dentry
        while dentry is mount.root and (mount, dentry) != self.root:
            if mount.parent is None or mount.mountpoint is None:
                return
            if self.flags & RESOLVE_NO_XDEV:
                raise SysError(EXDEV)
            dentry = mount.mountpoint
            mount = mount.parent
        if (mount, dentry) == self.root:
            if self.flags & RESOLVE_BENEATH:
                raise SysError(EXDEV)
            return
        self.mount, self.dentry = self._covering(mount, dentry.parent)

    # --- symbolic links -----------------------------------------------------------------------------------------------

    def _pick_link(self, mount: Mount, inode: Inode, *, trailing: bool) -> bytes | None:
        """Follow a link: jump where a magic one leads, or give the text of an ordinary one (pick_link)."""
        self.links += 1
        if self.links > MAX_LINKS:
            raise SysError(ELOOP)
        if trailing and self._protected(inode):
            raise SysError(EACCES)
        if self.flags & RESOLVE_NO_SYMLINKS or mount.flags & ST_NOSYMFOLLOW:
            raise SysError(ELOOP)
        mount.accessed(inode)
        target = inode.follow()
        if target is not None:
            if self.flags & RESOLVE_CACHED:  # it cannot be followed without a look at more than names
                raise SysError(EAGAIN)
            self._jump(target)
            return None
        body = inode.readlink()
        if body[:1] != b"/":
            return body
        self._to_root()
        return body.lstrip(b"/") or None

    def _protected(self, inode: Inode) -> bool:
        """Is it somebody else's link in a sticky directory that all may write to? (may_follow_link)."""
        table = self.root.mount.table
        directory = self.dentry.inode
        return (
            table is not None
            and bool(table.protected_symlinks)
            and self.cred.fsuid != inode.uid
            and directory.mode & (S_ISVTX | S_IWOTH) == S_ISVTX | S_IWOTH
            and directory.uid != inode.uid
        )

    def _to_root(self) -> None:
        """An absolute link (nd_jump_root)."""
        if self.flags & RESOLVE_BENEATH:
            raise SysError(EXDEV)
        if self.flags & RESOLVE_NO_XDEV and self.mount is not self.root.mount:
            raise SysError(EXDEV)
        self.mount, self.dentry = self.root

    def _jump(self, target: Path) -> None:
        """A magic link (nd_jump_link)."""
        if self.flags & RESOLVE_NO_MAGICLINKS:
            raise SysError(ELOOP)
        if self.flags & _SCOPED or (self.flags & RESOLVE_NO_XDEV and target.mount is not self.mount):
            raise SysError(EXDEV)
        self.mount, self.dentry = target


def resolve(
    caller: Caller,
    base: Path | None,
    name: bytes,
    *,
    follow: bool = True,
    empty: bool = False,
    directory: bool = False,
    flags: int = 0,
) -> Path:
    """The object that `name` leads to (filename_lookup); ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG.

    `base`: what a relative name starts at (FdTable.at), None: the working directory. `follow`: also a symbolic link at
    the end. `empty`: b"" means `base` itself (AT_EMPTY_PATH). `flags`: RESOLVE_* of openat2(2).
    """
    if not name and not empty:
        raise SysError(ENOENT)
    walk = Walk(caller, base, name, follow=follow, flags=flags)
    walk.directory = directory
    return walk.finish(name)


def resolve_parent(caller: Caller, base: Path | None, name: bytes) -> Parent:
    """The directory that holds (or will hold) the last component of `name`, and that component (filename_parentat)."""
    if not name:
        raise SysError(ENOENT)
    walk = Walk(caller, base, name, follow=False, flags=0)
    walk.to_parent(name)
    return Parent(walk.path, walk.last, walk.slash)
