"""Dentries: the names by which inodes have been reached. They know parent and name; mounts hang on them.

There is one dentry for a name of a directory as long as anybody holds it, so that renaming a directory renames it for
everybody (getcwd(2), /proc/self/fd), as in Linux. See Documentation/filesystems/vfs.rst.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from weakref import WeakValueDictionary

from syscalls.abi.errno import ENAMETOOLONG, ENOTDIR, SysError
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT
from syscalls.fs import notify
from syscalls.fs.inode import Inode


class Dentry:
    """A name of an inode; the root of a file system is its own parent."""

    __slots__ = ("__weakref__", "children", "deleted", "inode", "is_dir", "is_symlink", "mounts", "name", "parent")

    def __init__(self, parent: Dentry | None, name: bytes, inode: Inode) -> None:
        kind = inode.mode & S_IFMT
        self.parent = parent or self
        self.name = name
        self.inode = inode
        self.is_dir = kind == S_IFDIR
        self.is_symlink = kind == S_IFLNK
        self.deleted = False
        self.mounts = 0  # how many mounts hang here
        self.children: MutableMapping[bytes, Dentry] | None = None
        if self.is_dir:
            self.children = {} if inode.fs.pinned else WeakValueDictionary()

    def __del__(self) -> None:
        """Nobody uses the name any more: when the object has no other one, it ends here (dentry_unlink_inode)."""
        inode = self.inode
        if (inode.marks is not None or inode.fs.marks is not None) and not inode.nlink:
            notify.on_last_name(inode)

    def child(self, name: bytes) -> Dentry | None:
        """The dentry of `name` here, None when there is none; ENOTDIR, ENAMETOOLONG (lookup_fast, lookup_slow)."""
        children = self.children
        if children is None:
            raise SysError(ENOTDIR)
        known = children.get(name)
        if known is not None and known.inode.fs.pinned:
            return known
        if self.deleted:
            return None
        if len(name) > self.inode.fs.max_name:
            raise SysError(ENAMETOOLONG)
        inode = self.inode.lookup(name)
        if known is not None:
            if inode is not None and inode.ino == known.inode.ino:
                return known
            known.drop()
        return None if inode is None else self.add(name, inode)

    def add(self, name: bytes, inode: Inode) -> Dentry:
        """A dentry for a child that the file system has."""
        assert self.children is not None
        dentry = self.children[name] = Dentry(self, name, inode)
        return dentry

    def drop(self) -> None:
        """The name is gone; those who hold the dentry see "(deleted)" (d_delete)."""
        self._unhook()
        self.deleted = True

    def move(self, parent: Dentry, name: bytes) -> None:
        """The object has got another name (d_move)."""
        self._unhook()
        self._hook(parent, name)

    def exchange(self, other: Dentry) -> None:
        """Both swap names (d_exchange)."""
        mine, theirs = (self.parent, self.name), (other.parent, other.name)
        self._unhook()
        other._unhook()
        self._hook(*theirs)
        other._hook(*mine)

    def _hook(self, parent: Dentry, name: bytes) -> None:
        assert parent.children is not None
        self.parent, self.name = parent, name
        parent.children[name] = self

    def _unhook(self) -> None:
        siblings = self.parent.children
        if siblings is not None and siblings.get(self.name) is self:
            del siblings[self.name]

    def is_under(self, other: Dentry) -> bool:
        """Is it `other`, or somewhere below?"""
        return self is other or self.step_below(other) is not None

    def step_below(self, ancestor: Dentry) -> Dentry | None:
        """The child of `ancestor` on the way to here; None when it is no ancestor (d_ancestor)."""
        dentry = self
        while (parent := dentry.parent) is not dentry:
            if parent is ancestor:
                return dentry
            dentry = parent
        return None

    def __repr__(self) -> str:
        return f"<Dentry {self.name!r} ino {self.inode.ino}>"
