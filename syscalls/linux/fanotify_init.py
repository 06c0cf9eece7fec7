"""fanotify_init(2), fanotify_mark(2) (fs/notify/fanotify/fanotify_user.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi import fanotify as abi
from syscalls.abi.errno import EBADF, EEXIST, EINVAL, EISDIR, ENODEV, ENOENT, ENOTDIR, EOPNOTSUPP, EPERM, SysError
from syscalls.abi.fcntl import AT_FDCWD, O_ACCMODE, O_NONBLOCK, from_arch
from syscalls.abi.kinds import DirFd, Fd, FdResult, FlagsKind, OptionalPath, UInt, UInt64
from syscalls.abi.stat import S_IFDIR
from syscalls.fs.cred import CAP_AUDIT_WRITE, CAP_SYS_ADMIN
from syscalls.fs.fdtable import path_of
from syscalls.fs.inode import FileSystem, Inode
from syscalls.fs.mount import Mount, Path
from syscalls.fs.path import resolve
from syscalls.fs.perm import MAY_READ, permission
from syscalls.kernel.fanotify import FanMark, FanotifyFile
from syscalls.kernel.fileio import install
from syscalls.kernel.task import Task
from syscalls.spec import syscall

InitFlags = Annotated[int, FlagsKind(abi.FAN_INIT_FLAGS)]
MarkFlags = Annotated[int, FlagsKind(abi.FAN_MARK_FLAGS)]
_MISSING = "no permission events, no events of mounts"


@syscall(partial=_MISSING)
def fanotify_init(task: Task, flags: InitFlags, event_f_flags: UInt) -> FdResult:
    """A new group; without CAP_SYS_ADMIN one that reports handles only (fanotify_init(2))."""
    admin = task.cred.capable(CAP_SYS_ADMIN)
    mode = flags & abi.FID_BITS
    if not admin and (flags & abi.ADMIN_INIT_FLAGS or not mode):
        raise SysError(EPERM)
    event_flags = from_arch(task.arch, event_f_flags)
    if (
        flags & ~abi.INIT_FLAGS
        or (flags & abi.FAN_REPORT_PIDFD and flags & abi.FAN_REPORT_TID)
        or event_flags & ~abi.EVENT_F_FLAGS
        or event_flags & O_ACCMODE == O_ACCMODE
        or (mode and flags & abi.CLASS_BITS)
        or (mode & abi.FAN_REPORT_NAME and not mode & abi.FAN_REPORT_DIR_FID)
        or (mode & abi.FAN_REPORT_TARGET_FID and mode != abi.FID_BITS)
        or flags & abi.CLASS_BITS == abi.CLASS_BITS
    ):
        raise SysError(EINVAL)
    if flags & abi.FAN_ENABLE_AUDIT and not task.cred.capable(CAP_AUDIT_WRITE):
        raise SysError(EPERM)
    status = O_NONBLOCK if flags & abi.FAN_NONBLOCK else 0
    group = FanotifyFile(task.kernel, flags, status, event_flags, task.cred.euid, privileged=admin)
    if flags & abi.FAN_UNLIMITED_QUEUE:
        group.max_events = 1 << 32
    if flags & abi.FAN_UNLIMITED_MARKS:
        group.max_marks = 1 << 32
    try:
        return install(task, group, cloexec=bool(flags & abi.FAN_CLOEXEC))
    except SysError:
        group.close()
        raise


@syscall(partial=_MISSING)
def fanotify_mark(
    task: Task, fanotify_fd: Fd, flags: MarkFlags, mask: UInt64, dirfd: DirFd, pathname: OptionalPath
) -> int:
    """Let a group hear, or hear no more, of an object, a mount, a file system (fanotify_mark(2), do_fanotify_mark)."""
    ignore = flags & (abi.FAN_MARK_IGNORED_MASK | abi.FAN_MARK_IGNORE)
    _check_flags(flags, mask)
    if ignore == abi.FAN_MARK_IGNORED_MASK:
        mask &= ~abi.EVENT_FLAGS
    group = task.file(fanotify_fd)
    if not isinstance(group, FanotifyFile):
        raise SysError(EINVAL)
    _check_group(task, group, flags, mask)
    if flags & abi.FAN_MARK_FLUSH:
        _flush(group, flags)
        return 0
    place = _find(task, dirfd, pathname, flags)
    adding = bool(flags & abi.FAN_MARK_ADD)
    if adding:
        strict = group.fid_mode & abi.FAN_REPORT_TARGET_FID or mask & abi.FAN_RENAME or flags & abi.FAN_MARK_IGNORE
        if strict and place.inode.type != S_IFDIR and mask & abi.DIR_ONLY:
            raise SysError(ENOTDIR)
        if flags & abi.MARK_TYPES and place.mount.table is None:
            raise SysError(EINVAL)
    if group.fid_mode:
        _check_handles(place, flags)
    target = _target(place, flags)
    if adding and ignore and not flags & abi.FAN_MARK_IGNORED_SURV_MODIFY and _ignores_nothing(target, ignore):
        return 0
    mask, forced = _child_flag(group, target, flags, mask, ignored=bool(ignore))
    if adding:
        _add(group, target, flags, mask)
    else:
        _remove(group, target, mask | forced, ignored=bool(ignore))
    return 0


# --- checks -----------------------------------------------------------------------------------------------------------


def _check_flags(flags: int, mask: int) -> None:
    command = flags & abi.MARK_CALLS
    ignore = flags & (abi.FAN_MARK_IGNORED_MASK | abi.FAN_MARK_IGNORE)
    if (
        mask >> 32
        or flags & ~abi.MARK_FLAGS
        or flags & abi.MARK_TYPES == abi.MARK_TYPES
        or command not in (abi.FAN_MARK_ADD, abi.FAN_MARK_REMOVE, abi.FAN_MARK_FLUSH)
        or (command != abi.FAN_MARK_FLUSH and not mask)
        or (command == abi.FAN_MARK_FLUSH and flags & ~(abi.MARK_TYPES | abi.FAN_MARK_FLUSH))
        or mask & ~(abi.ALL_EVENTS | abi.EVENT_FLAGS)
        or ignore == abi.FAN_MARK_IGNORED_MASK | abi.FAN_MARK_IGNORE
    ):
        raise SysError(EINVAL)


def _check_group(task: Task, group: FanotifyFile, flags: int, mask: int) -> None:
    """What the group's own flags, and who has made it, allow."""
    kind, mode = flags & abi.MARK_TYPES, group.fid_mode
    if kind and not (task.cred.capable(CAP_SYS_ADMIN) and group.privileged):
        raise SysError(EPERM)
    if (
        (mask & abi.FAN_FS_ERROR and kind != abi.FAN_MARK_FILESYSTEM)
        or (flags & abi.FAN_MARK_EVICTABLE and kind)
        or (mask & ~(abi.PATH_EVENTS | abi.EVENT_FLAGS) and (not mode or kind == abi.FAN_MARK_MOUNT))
        or (mask & abi.FAN_RENAME and not mode & abi.FAN_REPORT_NAME)
    ):
        raise SysError(EINVAL)


def _find(task: Task, dirfd: int, pathname: bytes | None, flags: int) -> Path:
    """What is to be marked; its reader only may (fanotify_find_path)."""
    only_directory = bool(flags & abi.FAN_MARK_ONLYDIR)
    if pathname is None:
        if dirfd == AT_FDCWD:
            raise SysError(EBADF)
        place = path_of(task.file(dirfd))
        if only_directory and place.inode.type != S_IFDIR:
            raise SysError(ENOTDIR)
    else:
        base = task.files.at(dirfd, pathname)
        place = resolve(
            task, base, pathname, follow=not flags & abi.FAN_MARK_DONT_FOLLOW, directory=only_directory
        )  # fmt: skip
    permission(place.inode, task.cred, MAY_READ)
    return place


def _check_handles(place: Path, flags: int) -> None:
    """Can objects there be told apart, and found again? (fanotify_test_fsid, fanotify_test_fid)."""
    if not place.inode.fs.dev:
        raise SysError(ENODEV)
    if flags & abi.MARK_TYPES and not place.inode.fs.has_handles:
        raise SysError(EOPNOTSUPP)


# --- marks ------------------------------------------------------------------------------------------------------------


def _target(place: Path, flags: int) -> Inode | Mount | FileSystem:
    if flags & abi.FAN_MARK_MOUNT:
        return place.mount
    return place.inode.fs if flags & abi.FAN_MARK_FILESYSTEM else place.inode


def _child_flag(
    group: FanotifyFile, target: Inode | Mount | FileSystem, flags: int, mask: int, *, ignored: bool
) -> tuple[int, int]:
    """FAN_EVENT_ON_CHILD has its meaning for directories only; elsewhere it asks for names (do_fanotify_mark)."""
    if isinstance(target, Inode) and target.type == S_IFDIR:
        return mask, 0
    mask &= ~abi.FAN_EVENT_ON_CHILD
    if group.fid_mode & abi.FAN_REPORT_DIR_FID and flags & abi.FAN_MARK_ADD and not ignored:
        mask |= abi.FAN_EVENT_ON_CHILD
    return mask, abi.FAN_EVENT_ON_CHILD


def _ignores_nothing(target: Inode | Mount | FileSystem, ignore: int) -> bool:
    """An ignored mask that the next modification ends: is there a writer already? EISDIR, EINVAL for many files."""
    single = isinstance(target, Inode) and target.type != S_IFDIR
    if ignore == abi.FAN_MARK_IGNORE and not single:
        raise SysError(EISDIR if isinstance(target, Inode) else EINVAL)
    return isinstance(target, Inode) and single and target.writers > 0


def _add(group: FanotifyFile, target: Inode | Mount | FileSystem, flags: int, mask: int) -> None:
    """FAN_MARK_ADD (fanotify_add_mark)."""
    mark = group.mark_of(target)
    if mark is not None:
        _may_update(mark, flags)
    mark = mark or group.new_mark(target)
    if not mark.mask and not mark.ignored:
        mark.evictable = bool(flags & abi.FAN_MARK_EVICTABLE)
    if not flags & (abi.FAN_MARK_IGNORED_MASK | abi.FAN_MARK_IGNORE):
        mark.mask |= mask
        return
    mark.ignored |= mask
    mark.ignores_flags |= bool(flags & abi.FAN_MARK_IGNORE)
    mark.survives_modify |= bool(flags & abi.FAN_MARK_IGNORED_SURV_MODIFY)


def _may_update(mark: FanMark, flags: int) -> None:
    """What cannot be taken back: EEXIST (fanotify_may_update_existing_mark)."""
    if flags & abi.FAN_MARK_EVICTABLE and not mark.evictable:
        raise SysError(EEXIST)
    if mark.ignores_flags and flags & abi.FAN_MARK_IGNORED_MASK:
        raise SysError(EEXIST)
    if flags & abi.FAN_MARK_IGNORE and not flags & abi.FAN_MARK_IGNORED_SURV_MODIFY and mark.survives_modify:
        raise SysError(EEXIST)


def _remove(group: FanotifyFile, target: Inode | Mount | FileSystem, mask: int, *, ignored: bool) -> None:
    """FAN_MARK_REMOVE: ENOENT without a mark (fanotify_remove_mark)."""
    mark = group.mark_of(target)
    if mark is None:
        raise SysError(ENOENT)
    if ignored:
        mark.ignored &= ~mask
    else:
        mark.mask &= ~mask
    if not (mark.mask | mark.ignored) & ~abi.EVENT_FLAGS:
        group.remove(mark)


def _flush(group: FanotifyFile, flags: int) -> None:
    """FAN_MARK_FLUSH: all marks of one kind go."""
    kind: type = Inode
    if flags & abi.FAN_MARK_MOUNT:
        kind = Mount
    elif flags & abi.FAN_MARK_FILESYSTEM:
        kind = FileSystem
    for mark in [mark for mark in group.marks if isinstance(mark.target, kind)]:
        group.remove(mark)
