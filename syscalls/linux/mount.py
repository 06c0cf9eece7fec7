"""mount(2) and umount2(2): tmpfs, bind mounts, remounting (fs/namespace.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from syscalls.abi import mount as abi
from syscalls.abi.errno import EBUSY, EINVAL, ENOENT, EPERM, SysError
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
from syscalls.fs.propagate import make_private, make_shared, make_slave, tree
from syscalls.kernel.fstypes import root_of
from syscalls.kernel.lookup import lookup
from syscalls.kernel.task import Task
from syscalls.spec import syscall

PARTIAL = "tmpfs, proc, mqueue, devtmpfs, devpts; no MNT_EXPIRE"
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
    table = may_mount(task)
    if mountflags & abi.MS_MGC_MSK == abi.MS_MGC_VAL:
        mountflags &= ~abi.MS_MGC_MSK
    if mountflags & abi.MS_REMOUNT:
        _remount(task, place, _mount_flags(mountflags))
    elif mountflags & abi.MS_BIND:
        _bind(task, table, source, place, recursive=bool(mountflags & abi.MS_REC))
    elif mountflags & _PROPAGATION:
        _change_propagation(place, mountflags)
    elif mountflags & abi.MS_MOVE:
        _move(task, table, source, place)
    else:
        _mount_new(task, table, source, place, filesystemtype, _mount_flags(mountflags), options)
    return 0


def may_mount(task: Task) -> MountTable:
    """The caller's mounts; EPERM."""
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
    table.mount(root_of(task, table, kind, options), at, flags, source or b"none")


def _change_propagation(place: Place, flags: int) -> None:
    """MS_SHARED, MS_PRIVATE, MS_SLAVE or MS_UNBINDABLE, with MS_REC for all below; EINVAL (do_change_type)."""
    if place.dentry is not place.mount.root or flags & ~(_PROPAGATION | abi.MS_REC | abi.MS_SILENT):
        raise SysError(EINVAL)
    kind = flags & _PROPAGATION
    if kind & kind - 1:
        raise SysError(EINVAL)
    for mount in list(tree(place.mount)) if flags & abi.MS_REC else [place.mount]:
        if kind == abi.MS_SHARED:
            make_shared(mount)
        elif kind == abi.MS_SLAVE:
            make_slave(mount)
        else:
            make_private(mount, unbindable=kind == abi.MS_UNBINDABLE)


def _move(task: Task, table: MountTable, source: bytes | None, at: Place) -> None:
    """MS_MOVE (do_move_mount_old)."""
    if not source:
        raise SysError(EINVAL)
    old = lookup(task, source)
    if old.dentry is not old.mount.root or old.mount.table is not table:
        raise SysError(EINVAL)
    table.move(old.mount, at)


def _bind(task: Task, table: MountTable, source: bytes | None, at: Place, *, recursive: bool) -> None:
    """The same part of the tree at another place too (do_loopback)."""
    if not source:
        raise SysError(EINVAL if source is None else ENOENT)
    old = lookup(task, source)
    if old.mount.table is not table:
        raise SysError(EINVAL)
    table.bind(old, at, recursive=recursive)


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
    table = may_mount(task)
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
