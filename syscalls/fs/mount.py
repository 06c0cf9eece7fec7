"""Mounts: which file system hangs where (mount_namespaces(7), fs/namespace.c)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from syscalls.abi.errno import EBUSY, EINVAL, ELOOP, ENOTDIR, EROFS, SysError
from syscalls.abi.fileattr import FS_NOATIME_FL
from syscalls.abi.stat import (
    S_IFDIR,
    ST_NOATIME,
    ST_NODEV,
    ST_NODIRATIME,
    ST_NOEXEC,
    ST_NOSUID,
    ST_NOSYMFOLLOW,
    ST_RDONLY,
    ST_RELATIME,
)
from syscalls.fs import notify, propagate
from syscalls.fs.dentry import Dentry
from syscalls.fs.inode import Inode

if TYPE_CHECKING:
    from syscalls.fs.notify import Marks

_OPTION_NAMES = (
    (ST_NOSUID, b"nosuid"), (ST_NODEV, b"nodev"), (ST_NOEXEC, b"noexec"), (ST_NOATIME, b"noatime"),
    (ST_NODIRATIME, b"nodiratime"), (ST_RELATIME, b"relatime"), (ST_NOSYMFOLLOW, b"nosymfollow"),
)  # fmt: skip

_DAY_NS = 24 * 3600 * 10**9


class Path(NamedTuple):
    """A place in the tree: a dentry seen through a mount (struct path). Equal when both are the same."""

    mount: Mount
    dentry: Dentry

    @property
    def inode(self) -> Inode:
        """What is there."""
        return self.dentry.inode


class Mount:
    """One file system (or a part of one) at one place."""

    __slots__ = (
        "children", "flags", "fs", "group", "id", "marks", "master", "mountpoint", "parent", "root", "source", "table",
        "unbindable",
    )  # fmt: skip

    def __init__(
        self, table: MountTable | None, id: int, root: Dentry, parent: Mount | None, mountpoint: Dentry | None
    ) -> None:
        self.table = table  # the namespace; None for what hangs nowhere
        self.id = id
        self.root = root
        self.fs = root.inode.fs
        self.parent = parent
        self.mountpoint = mountpoint
        self.flags = ST_RELATIME  # ST_* of statfs(2)
        self.source = b"none"
        self.children: dict[Dentry, Mount] = {}  # by mountpoint
        self.marks: Marks | None = None  # who watches what happens through it
        self.group = self.master = 0  # of which group it is a member, of which a slave (propagate.py)
        self.unbindable = False

    @property
    def read_only(self) -> bool:
        """Is writing refused here?"""
        return bool(self.flags & ST_RDONLY) or self.fs.read_only

    def want_write(self) -> None:
        """EROFS when nothing may be changed through this mount (mnt_want_write)."""
        if self.read_only:
            raise SysError(EROFS)

    def accessed(self, inode: Inode) -> None:
        """Update the access time, if the mount's options and its age ask for it (touch_atime, relatime_need_update)."""
        flags = self.flags
        if flags & (ST_RDONLY | ST_NOATIME) or inode.fs.read_only:
            return
        if inode.flags & FS_NOATIME_FL:
            return
        if flags & ST_NODIRATIME and inode.type == S_IFDIR:
            return
        now = inode.fs.now()
        if flags & ST_RELATIME:
            atime = inode.atime
            if atime > inode.mtime and atime > inode.ctime and now - atime < _DAY_NS:
                return
        inode.atime = now
        inode.changed()

    def option_text(self) -> bytes:
        """rw,nosuid ... as in the mount's own column of mountinfo."""
        names = [name for flag, name in _OPTION_NAMES if self.flags & flag]
        return b",".join([b"ro" if self.flags & ST_RDONLY else b"rw", *names])

    def __repr__(self) -> str:
        return f"<Mount {self.id} {self.fs.name}>"


class Family:
    """What all mount namespaces of a world have in common."""

    def __init__(self) -> None:
        self.ids = count(1)
        self._tables: list[ref[MountTable]] = []

    def add(self, table: MountTable) -> None:
        """A namespace that somebody is in, as long as it lasts."""
        self._tables.append(ref(table))

    @property
    def tables(self) -> list[MountTable]:
        """All of them, in the order of their making."""
        return [table for known in self._tables if (table := known()) is not None]


class MountTable:
    """A mount namespace: the root mount and all that hang below it, in the order of mounting."""

    def __init__(self, root: Inode, flags: int = ST_RELATIME, source: bytes = b"none") -> None:
        self.family = Family()
        self.family.add(self)
        # /proc/sys/fs/protected_*, with Debian's values (proc_sys_fs(5)).
        self.protected_symlinks = self.protected_hardlinks = 1
        self.protected_fifos, self.protected_regular = 1, 2
        self.mounts: list[Mount] = []
        self.root = self.add(Dentry(None, b"/", root), None, None, flags, source)

    @property
    def root_path(self) -> Path:
        """/ of the namespace."""
        return Path(self.root, self.root.root)

    def mount(self, root: Inode | Dentry, at: Path, flags: int = ST_RELATIME, source: bytes = b"none") -> Mount:
        """Let `root` (a Dentry: a bind mount) cover `at`; ENOTDIR when one is a directory and the other is not."""
        dentry = root if isinstance(root, Dentry) else Dentry(None, b"/", root)
        if dentry.is_dir != at.dentry.is_dir:
            raise SysError(ENOTDIR)
        if at.dentry in at.mount.children:
            raise SysError(EBUSY)
        mount = self.add(dentry, at.mount, at.dentry, flags, source)
        if at.mount.group:
            propagate.attached(mount)
        return mount

    def bind(self, source: Path, at: Path, *, recursive: bool) -> Mount:
        """Show a part of the tree at another place too; ENOTDIR, EBUSY, EINVAL for what is unbindable (do_loopback)."""
        if source.mount.unbindable:
            raise SysError(EINVAL)
        if source.dentry.is_dir != at.dentry.is_dir:
            raise SysError(ENOTDIR)
        if at.dentry in at.mount.children:
            raise SysError(EBUSY)
        twins = propagate.copy_tree(
            source.mount, source.dentry, self, at.mount, at.dentry, recursive=recursive, unbindable=False
        )
        top = twins[source.mount]
        if at.mount.group:
            propagate.attached(top)
        return top

    def move(self, mount: Mount, at: Path) -> None:
        """Hang a mount, with all below it, at another place; EINVAL, ELOOP (do_move_mount)."""
        parent = mount.parent
        if parent is None or parent.group or mount.root.is_dir != at.dentry.is_dir:
            raise SysError(EINVAL)
        if at.mount.group and any(other.unbindable for other in propagate.tree(mount)):
            raise SysError(EINVAL)
        if at.mount in propagate.tree(mount):
            raise SysError(ELOOP)
        self._hang(mount, at)
        if at.mount.group:
            propagate.attached(mount)

    def detached(self, root: Inode | Dentry, flags: int, source: bytes) -> Mount:
        """A mount that hangs nowhere: the only one in a namespace that nobody is in (fsmount(2))."""
        dentry = root if isinstance(root, Dentry) else Dentry(None, b"/", root)
        return self._nowhere().add(dentry, None, None, flags, source)

    def detached_copy(self, source: Path, *, recursive: bool) -> Mount:
        """A copy of the mounts at a place, which hangs nowhere (open_detached_copy)."""
        twins = propagate.copy_tree(
            source.mount, source.dentry, self._nowhere(), None, None, recursive=recursive, unbindable=False
        )
        return twins[source.mount]

    def _nowhere(self) -> MountTable:
        table = MountTable.__new__(MountTable)
        table.family, table.mounts = self.family, []
        table._take_settings(self)  # noqa: SLF001  # one of us
        return table

    def attach(self, mount: Mount, at: Path) -> None:
        """Let a tree that hung nowhere hang here; EINVAL (attach_recursive_mnt)."""
        if mount.root.is_dir != at.dentry.is_dir or at.dentry in at.mount.children:
            raise SysError(EINVAL)
        for member in propagate.tree(mount):
            member.table = self
            self.mounts.append(member)
        self._hang(mount, at)
        if at.mount.group:
            propagate.attached(mount)

    def _take_settings(self, other: MountTable) -> None:
        for name in ("protected_symlinks", "protected_hardlinks", "protected_fifos", "protected_regular"):
            setattr(self, name, getattr(other, name))

    def _hang(self, mount: Mount, at: Path | None) -> None:
        """Let a mount hang at a place, or (None) be the root."""
        if mount.parent is not None and mount.mountpoint is not None:
            del mount.parent.children[mount.mountpoint]
            mount.mountpoint.mounts -= 1
        mount.parent, mount.mountpoint = at or (None, None)
        if at is not None:
            at.mount.children[at.dentry] = mount
            at.dentry.mounts += 1

    def pivot(self, root: Mount, new: Mount, old: Path) -> None:
        """Let `new` take the place of `root`, which goes to `old` (pivot_root(2)); all has been checked."""
        place = Path(root.parent, root.mountpoint) if root.parent and root.mountpoint else None
        self._hang(new, None)
        self._hang(root, old)
        if place is not None:
            self._hang(new, place)
        else:
            self.root = new

    def add(self, root: Dentry, parent: Mount | None, point: Dentry | None, flags: int, source: bytes) -> Mount:
        """A mount of this namespace; it is not propagated."""
        mount = Mount(self, next(self.family.ids), root, parent, point)
        mount.flags, mount.source = flags, source
        if parent is not None and point is not None:
            parent.children[point] = mount
            point.mounts += 1
        self.mounts.append(mount)
        return mount

    def copy(self, *, slave: bool = False) -> tuple[MountTable, dict[Mount, Mount]]:
        """The same tree for another namespace, and which mount of it each one has become (copy_mnt_ns)."""
        twin = self._nowhere()
        self.family.add(twin)
        twins = propagate.copy_tree(self.root, self.root.root, twin, None, None, slave=slave)
        twin.root = twins[self.root]
        return twin, twins

    def unmount(self, mount: Mount) -> None:
        """Take a mount away; EBUSY when others hang below it, EINVAL for the root."""
        if mount.parent is None or mount.mountpoint is None:
            raise SysError(EINVAL)
        if mount.children:
            raise SysError(EBUSY)
        parent, point = mount.parent, mount.mountpoint
        self._remove(mount)
        for other in propagate.detached(parent, point) if parent.group else ():
            assert other.table is not None
            other.table._remove(other)  # noqa: SLF001  # one of us
        if not any(other.fs is mount.fs for other in self.mounts):
            notify.on_unmount(mount.fs)

    def _remove(self, mount: Mount) -> None:
        propagate.make_private(mount)
        assert mount.parent is not None
        assert mount.mountpoint is not None
        del mount.parent.children[mount.mountpoint]
        mount.mountpoint.mounts -= 1
        self.mounts.remove(mount)

    def rows(self, root: Path) -> Iterator[bytes]:
        """Lines of /proc/mounts (proc_pid_mounts(5)), for a process whose root directory is `root`."""
        for mount, place in self._visible(root):
            options = mount.option_text() + mount.fs.options
            yield b"%s %s %s %s 0 0\n" % (_escape(mount.source), place, mount.fs.name.encode(), options)

    def info_rows(self, root: Path) -> Iterator[bytes]:
        """Lines of /proc/self/mountinfo (proc_pid_mountinfo(5))."""
        for mount, place in self._visible(root):
            fs = mount.fs
            parent = mount.parent.id if mount.parent else mount.id
            top = _escape(b"/" + b"/".join(_names(mount.root, None)))
            device = b"%d:%d" % (fs.dev >> 8 & 0xFFF, fs.dev & 0xFF)
            shared = (b"ro" if fs.read_only else b"rw") + fs.options
            yield b"%d %d %s %s %s %s %s- %s %s %s\n" % (
                mount.id, parent, device, top, place, mount.option_text(), propagate.text(mount), fs.name.encode(),
                _escape(mount.source), shared,
            )  # fmt: skip

    def _visible(self, root: Path) -> Iterator[tuple[Mount, bytes]]:
        for mount in self.mounts:
            place = path_name(Path(mount, mount.root), root)
            if place.startswith(b"/"):
                yield mount, _escape(place)


def _escape(text: bytes) -> bytes:
    """Space, tab, newline and backslash as octal (mangle_path)."""
    for byte in b"\\ \t\n":
        text = text.replace(b"%c" % byte, b"\\%03o" % byte)
    return text


def _names(dentry: Dentry, top: Dentry | None) -> list[bytes]:
    """Components from `top` (None: the root of the file system) down to `dentry`."""
    names = []
    while dentry is not top and dentry.parent is not dentry:
        names.append(dentry.name)
        dentry = dentry.parent
    return names[::-1]


def path_name(path: Path, root: Path) -> bytes:
    """Absolute pathname of `path` as seen from `root`; "(unreachable)" in front when it is not below (d_path)."""
    mount, dentry = path
    names: list[bytes] = []
    while (mount, dentry) != root:
        if dentry is mount.root:
            if mount.parent is None or mount.mountpoint is None:
                break
            dentry = mount.mountpoint
            mount = mount.parent
        else:
            if dentry.parent is dentry:
                break
            names.append(dentry.name)
            dentry = dentry.parent
    text = b"/" + b"/".join(reversed(names))
    return text if (mount, dentry) == root else b"(unreachable)" + text


def anonymous(inode: Inode, name: bytes) -> Path:
    """The path of an object that is in no directory: a pipe, a socket, an anon_inode (alloc_file_pseudo)."""
    dentry = Dentry(None, name, inode)
    return Path(Mount(None, 0, dentry, None, None), dentry)
