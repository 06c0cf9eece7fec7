"""The file systems that mount(2) and fsopen(2) know by name (filesystems(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.errno import EINVAL, ENODEV, SysError
from syscalls.fs.procfs import ProcFs
from syscalls.fs.special import SpecialFiles
from syscalls.fs.tmpfs import TmpFs
from syscalls.kernel import proc

if TYPE_CHECKING:
    from syscalls.fs.dentry import Dentry
    from syscalls.fs.inode import Inode
    from syscalls.fs.mount import MountTable
    from syscalls.kernel.task import Task

#: Those of which there is one, which every mount shows.
_SINGLE = {b"devtmpfs", b"devpts"}
KNOWN = {b"tmpfs", b"ramfs", b"proc", b"mqueue", *_SINGLE}


def root_of(task: Task, table: MountTable, kind: bytes, options: bytes) -> Inode | Dentry:
    """The root of a new instance (or of the only one); ENODEV for an unknown name, EINVAL for bad options."""
    kernel = task.kernel
    if kind in {b"tmpfs", b"ramfs"}:
        root_fs = table.root.fs
        special = root_fs.special if isinstance(root_fs, TmpFs) else SpecialFiles()
        mode, pages = tmpfs_options(options)
        return TmpFs(kernel.new_dev(), kernel.realtime, kernel.ram, special, mode=mode, max_pages=pages).root
    if kind == b"proc":
        return ProcFs(kernel.new_dev(), kernel.realtime, proc.root(kernel)).root
    if kind == b"mqueue":
        return task.ns.ipc.mqueues.mount.root
    if kind in _SINGLE:
        for mount in kernel.mounts.mounts if kernel.mounts else ():
            if mount.fs.name.encode() == kind and mount.root.parent is mount.root:
                return mount.root
    raise SysError(ENODEV)


def tmpfs_options(text: bytes) -> tuple[int, int | None]:
    """mode= and size= of tmpfs(5); EINVAL for others."""
    mode, pages = 0o1777, None
    for option in filter(None, text.split(b",")):
        name, _, value = option.partition(b"=")
        try:
            if name == b"mode":
                mode = int(value, 8) & 0o7777
            elif name == b"size":
                unit = b"kmg".find(value[-1:].lower()) + 1 if value else 0
                size = int(value[:-1] if unit else value) << 10 * unit
                pages = -(-size // PAGE_SIZE) or None
            else:
                raise SysError(EINVAL)
        except ValueError:
            raise SysError(EINVAL) from None
    return mode, pages
