"""File systems in the making, and mounts that hang nowhere yet: fsopen(2), open_tree(2) (fs/fsopen.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EBUSY, EINVAL, ENODATA, SysError
from syscalls.abi.fcntl import O_PATH, O_RDWR
from syscalls.fs.anon import AnonFile
from syscalls.fs.file import File
from syscalls.kernel.fstypes import root_of

if TYPE_CHECKING:
    from syscalls.fs.dentry import Dentry
    from syscalls.fs.inode import Inode
    from syscalls.fs.mount import Mount, MountTable
    from syscalls.fs.path import Path
    from syscalls.kernel.task import Task


class FsContext(AnonFile):
    """What fsopen(2) opens: parameters are given, then the file system is made, then mounted once."""

    kind = b"[fscontext]"

    def __init__(self, task: Task, type: bytes) -> None:
        super().__init__(task.kernel.anonfs, O_RDWR)
        self.type = type
        self.source: bytes | None = None
        self.options: list[bytes] = []
        self.root: Inode | Dentry | None = None
        self.mounted = False

    def read(self, count: int) -> bytes:
        """Messages of the file system: there are none (fscontext_read)."""
        del count
        raise SysError(ENODATA)

    def set(self, key: bytes, value: bytes | None) -> None:
        """A parameter; EBUSY once it is made, EINVAL for a second source (vfs_parse_fs_param)."""
        if self.root is not None:
            raise SysError(EBUSY)
        if key == b"source":
            if value is None or self.source is not None:
                raise SysError(EINVAL)
            self.source = value
        else:
            self.options.append(key if value is None else key + b"=" + value)

    def create(self, task: Task, table: MountTable) -> None:
        """FSCONFIG_CMD_CREATE."""
        if self.root is not None:
            raise SysError(EBUSY)
        self.root = root_of(task, table, self.type, b",".join(self.options))


class MountFile(File):
    """An O_PATH descriptor of a mount."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.inode, O_PATH)
        self.path = path


def detached_root(mount: Mount) -> bool:
    """Is it the top of a tree that hangs nowhere?"""
    return mount.parent is None and mount.table is not None and mount.table not in mount.table.family.tables
