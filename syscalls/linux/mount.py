"""mount(2) and umount2(2): tmpfs, bind mounts, remounting (fs/namespace.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from syscalls.abi import mount as abi
from syscalls.abi.errno import EBUSY, EINVAL, ENODEV, ENOENT, ENOTDIR, EPERM, SysError
from syscalls.abi.kinds import Address, FlagsKind, OptionalPath, Path
from syscalls.abi.stat import (
    ST_NOATIME,
    ST_NODEV,
    ST_NODIRATIME,
    ST_NOEXEC,
    ST_NOSUID,
    ST_NOSYMFOLLOW,
    ST_RDONLY,
    ST_RELATIME,
)
from syscalls.fs.cred import CAP_SYS_ADMIN
from syscalls.fs.mount import Mount, MountTable
from syscalls.fs.mount import Path as Place
from syscalls.fs.special import SpecialFiles
from syscalls.fs.tmpfs import TmpFs
from syscalls.kernel.lookup import lookup
from syscalls.kernel.task import Task
from syscalls.spec import syscall

PARTIAL = "tmpfs, MS_BIND, MS_REMOUNT and MNT_DETACH; no MS_MOVE, propagation, recursive binds or MNT_EXPIRE"
MountFlags = Annotated[int, FlagsKind(abi.MOUNT_FLAGS)]
UmountFlags = Annotated[int, FlagsKind(abi.UMOUNT_FLAGS)]
_PAGE = 4096
_PROPAGATION = abi.MS_SHARED | abi.MS_PRIVATE | abi.MS_SLAVE | abi.MS_UNBINDABLE
_ST_OF_MS = {
    abi.MS_RDONLY: ST_RDONLY, abi.MS_NOSUID: ST_NOSUID, abi.MS_NODEV: ST_NODEV, abi.MS_NOEXEC: ST_NOEXEC,
    abi.MS_NOATIME: ST_NOATIME, abi.MS_NODIRATIME: ST_NODIRATIME, abi.MS_NOSYMFOLLOW: ST_NOSYMFOLLOW,
}  # fmt: skip


@syscall(partial=PARTIAL)
def mount(
    task: Task, source: OptionalPath, target: Path, filesystemtype: OptionalPath, mountflags: MountFlags, data: Address
) -> int:
    """Let a file system, or another part of the tree, cover a place (mount(2), path_mount)."""
    options = task.mm.cstr(data, _PAGE) if data else b""
    place = lookup(task, target)
    table = _may_mount(task)
    if mountflags & abi.MS_MGC_MSK == abi.MS_MGC_VAL:
        mountflags &= ~abi.MS_MGC_MSK
    if mountflags & abi.MS_REMOUNT:
        _remount(task, place, _mount_flags(mountflags))
    elif mountflags & abi.MS_BIND:
        _bind(task, table, source, place, recursive=bool(mountflags & abi.MS_REC))
    elif mountflags & (_PROPAGATION | abi.MS_MOVE):
        raise SysError(EINVAL)
    else:
        _mount_new(task, table, source, place, filesystemtype, _mount_flags(mountflags), options)
    return 0


def _may_mount(task: Task) -> MountTable:
    table = task.ns.mnt.table
    if table is None or not task.cred.ns_capable(task.ns.mnt.owner, CAP_SYS_ADMIN):
        raise SysError(EPERM)
    return table


def _mount_flags(flags: int) -> int:
    """MS_* as a mount keeps them; relatime unless something else is asked for."""
    kept = sum(st for ms, st in _ST_OF_MS.items() if flags & ms)
    return kept if flags & (abi.MS_NOATIME | abi.MS_STRICTATIME) else kept | ST_RELATIME


def _mount_new(
    task: Task, table: MountTable, source: bytes | None, at: Place, kind: bytes | None, flags: int, options: bytes
) -> None:
    """A new file system; EINVAL without a type, ENODEV for one that is not there (do_new_mount)."""
    if kind is None:
        raise SysError(EINVAL)
    kernel = task.kernel
    if kind == b"mqueue":
        table.mount(task.ns.ipc.mqueues.mount.root, at, flags, source or b"none")
        return
    if kind not in {b"tmpfs", b"ramfs"}:
        raise SysError(ENODEV)
    root_fs = table.root.fs
    special = root_fs.special if isinstance(root_fs, TmpFs) else SpecialFiles()
    mode, pages = _tmpfs_options(options)
    fs = TmpFs(kernel.new_dev(), kernel.realtime, kernel.ram, special, mode=mode, max_pages=pages)
    table.mount(fs.root, at, flags, source or b"none")


def _tmpfs_options(text: bytes) -> tuple[int, int | None]:
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
                pages = -(-size // _PAGE) or None
            else:
                raise SysError(EINVAL)
        except ValueError:
            raise SysError(EINVAL) from None
    return mode, pages


def _bind(task: Task, table: MountTable, source: bytes | None, at: Place, *, recursive: bool) -> None:
    """The same part of the tree at another place too (do_loopback)."""
    if not source:
        raise SysError(EINVAL if source is None else ENOENT)
    old = lookup(task, source)
    if old.mount.table is not table or (recursive and old.mount.children):
        raise SysError(EINVAL)
    if old.dentry.is_dir != at.dentry.is_dir:
        raise SysError(ENOTDIR)
    table.mount(old.dentry, at, old.mount.flags, old.mount.source)


def _remount(task: Task, at: Place, flags: int) -> None:
    """Other flags for a mount; EINVAL where none is, EBUSY when files are open for writing (do_remount)."""
    if at.dentry is not at.mount.root:
        raise SysError(EINVAL)
    if flags & ST_RDONLY and any(writes for mount, writes in _uses(task) if mount is at.mount):
        raise SysError(EBUSY)
    at.mount.flags = flags


def _uses(task: Task) -> Iterator[tuple[Mount, bool]]:
    """The mounts that somebody holds: root and working directories, open files; is it for writing?"""
    for other in task.kernel.tasks.values():
        yield other.fs.cwd.mount, False
        yield other.fs.root.mount, False
        for fd in other.files:
            file = other.files.get_any(fd)
            if file.path is not None:
                yield file.path.mount, file.writable


@syscall(partial=PARTIAL)
def umount2(task: Task, target: Path, flags: UmountFlags) -> int:
    """Take a mount away; EBUSY while it is in use, unless MNT_DETACH (umount2(2))."""
    return _umount(task, target, flags)


def _umount(task: Task, target: bytes, flags: int) -> int:
    if flags & ~(abi.MNT_FORCE | abi.MNT_DETACH | abi.MNT_EXPIRE | abi.UMOUNT_NOFOLLOW):
        raise SysError(EINVAL)
    place = lookup(task, target, follow=not flags & abi.UMOUNT_NOFOLLOW)
    table = _may_mount(task)
    if place.dentry is not place.mount.root or place.mount.table is not table or flags & abi.MNT_EXPIRE:
        raise SysError(EINVAL)
    if flags & abi.MNT_DETACH:
        _detach(table, place.mount)
    elif place.mount is not table.root and any(mount is place.mount for mount, _ in _uses(task)):
        raise SysError(EBUSY)
    else:
        table.unmount(place.mount)
    return 0


def _detach(table: MountTable, mount: Mount) -> None:
    """Away with it and all that hangs below; who is in there may stay."""
    for child in list(mount.children.values()):
        _detach(table, child)
    table.unmount(mount)


@syscall(partial=PARTIAL)
def umount(task: Task, target: Path) -> int:
    """Take a mount away (umount(2))."""
    return _umount(task, target, 0)
