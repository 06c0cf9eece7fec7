"""nsfs: namespaces as files, for /proc/PID/ns and setns(2) (ioctl_ns(2), fs/nsfs.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, ENOTTY, EPERM, SysError
from syscalls.abi.ioctl import NS_GET_NSTYPE, NS_GET_OWNER_UID, NS_GET_PARENT, NS_GET_USERNS
from syscalls.abi.stat import S_IFREG
from syscalls.fs.file import File
from syscalls.fs.inode import FileSystem, Inode
from syscalls.fs.mount import anonymous
from syscalls.fs.userns import shown
from syscalls.kernel.fileio import install
from syscalls.kernel.namespaces import FLAG, Namespace, UserNs

if TYPE_CHECKING:
    from syscalls.fs.mount import Path
    from syscalls.fs.userns import UserNamespace
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.ports import Memory
    from syscalls.kernel.task import Task

NSFS_MAGIC = 0x6E736673


class NsFs(FileSystem):
    """Where all namespaces are files."""

    name = "nsfs"
    magic = NSFS_MAGIC
    has_xattrs = False

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel.new_dev(), kernel.realtime)
        self.kernel = kernel
        self._paths: dict[Namespace, Path] = {}
        self._users: dict[UserNamespace | None, UserNs] = {None: UserNs(kernel, "user", None, first=True)}

    def path(self, namespace: Namespace) -> Path:
        """The one object that stands for a namespace."""
        if namespace not in self._paths:
            name = b"%s:[%d]" % (namespace.kind.encode(), namespace.number)
            self._paths[namespace] = anonymous(NsInode(self, namespace), name)
        return self._paths[namespace]

    def of_users(self, ns: UserNamespace | None) -> UserNs:
        """A user namespace as one of all kinds."""
        if ns not in self._users:
            found = self._users[ns] = UserNs(self.kernel, "user", ns.parent if ns else None)
            found.ns = ns
        return self._users[ns]

    def named(self, task: Task, kind: str) -> Namespace:
        """A task's namespace by the name that it has in /proc/PID/ns."""
        kind = kind.removesuffix("_for_children")
        return self.of_users(task.cred.user_ns) if kind == "user" else task.ns.of(kind)


class NsInode(Inode):
    """A namespace; its number is its inode's."""

    __slots__ = ("namespace",)
    fs: NsFs

    def __init__(self, fs: NsFs, namespace: Namespace) -> None:
        super().__init__(fs, S_IFREG | 0o444, ino=namespace.number)
        self.namespace = namespace

    def open(self, flags: int) -> File:
        return NsFile(self, flags)


class NsFile(File):
    """An open one."""

    inode: NsInode

    @property
    def namespace(self) -> Namespace:
        """What it stands for."""
        return self.inode.namespace

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """NS_GET_* (ns_ioctl)."""
        fs, ns = self.inode.fs, self.namespace
        task = fs.kernel.current
        assert task is not None
        if request == NS_GET_NSTYPE:
            return FLAG[ns.kind]
        if request == NS_GET_USERNS:
            return _open(fs, task, fs.of_users(_visible(task, ns.owner, is_first=ns is fs.of_users(None))))
        if request == NS_GET_PARENT:
            if not isinstance(ns, UserNs):
                raise SysError(EPERM if ns.kind == "pid" else EINVAL)
            return _open(fs, task, fs.of_users(_visible(task, ns.owner, is_first=ns.ns is None)))
        if request == NS_GET_OWNER_UID:
            if not isinstance(ns, UserNs):
                raise SysError(EINVAL)
            owner = shown(task.cred.user_ns, ns.ns.owner if ns.ns else 0)
            memory.write(argument, owner.to_bytes(4, "little"))
            return 0
        raise SysError(ENOTTY)


def _visible(task: Task, ns: UserNamespace | None, *, is_first: bool) -> UserNamespace | None:
    """EPERM for what lies outside of the caller's own user namespace (ns_get_owner)."""
    mine = task.cred.user_ns
    if is_first or (mine is not None and (ns is None or not ns.is_within(mine))):
        raise SysError(EPERM)
    return ns


def _open(fs: NsFs, task: Task, namespace: Namespace) -> int:
    path = fs.path(namespace)
    file = path.inode.open(0)
    file.path = path
    return install(task, file, cloexec=True)
