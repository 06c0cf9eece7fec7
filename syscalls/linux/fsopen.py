"""Mounting in steps: fsopen(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2) ... (fs/namespace.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi import mount as abi
from syscalls.abi.cstruct import U64, Struct
from syscalls.abi.errno import E2BIG, EBUSY, EINVAL, ENODEV, EOPNOTSUPP, SysError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_RECURSIVE, AT_SYMLINK_NOFOLLOW
from syscalls.abi.kinds import (
    Address,
    ArrayKind,
    DirFd,
    Fd,
    FdResult,
    FlagsKind,
    Int,
    Path,
    Pointer,
    Size,
    String,
    UInt,
)
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
from syscalls.fs.mount import Mount
from syscalls.fs.mount import Path as Place
from syscalls.fs.propagate import make_private, make_shared, make_slave, tree
from syscalls.kernel.fileio import install
from syscalls.kernel.fscontext import FsContext, MountFile, detached_root
from syscalls.kernel.fstypes import KNOWN
from syscalls.kernel.lookup import lookup, lookup_at
from syscalls.kernel.task import Task
from syscalls.linux.mount import may_mount
from syscalls.linux.types import AtFlags
from syscalls.spec import syscall

OpenFlags = Annotated[int, FlagsKind(abi.FSOPEN_FLAGS)]
MountFlags = Annotated[int, FlagsKind(abi.FSMOUNT_FLAGS)]
Attributes = Annotated[int, FlagsKind(abi.MOUNT_ATTRIBUTES)]
MoveFlags = Annotated[int, FlagsKind(abi.MOVE_MOUNT_FLAGS)]

FLAG, STRING, BINARY, PATH, PATH_EMPTY, FD, CREATE, RECONFIGURE, CREATE_EXCL = range(9)
_ATIME = 0x70  # MOUNT_ATTR__ATIME: 0 is relatime
_ST_OF = {
    abi.MOUNT_ATTR_RDONLY: ST_RDONLY, abi.MOUNT_ATTR_NOSUID: ST_NOSUID, abi.MOUNT_ATTR_NODEV: ST_NODEV,
    abi.MOUNT_ATTR_NOEXEC: ST_NOEXEC, abi.MOUNT_ATTR_NODIRATIME: ST_NODIRATIME, 0x200000: ST_NOSYMFOLLOW,
}  # fmt: skip
_KNOWN = sum(_ST_OF) | _ATIME
_MOVE = (
    abi.MOVE_MOUNT_F_SYMLINKS | abi.MOVE_MOUNT_F_AUTOMOUNTS | abi.MOVE_MOUNT_F_EMPTY_PATH | abi.MOVE_MOUNT_T_SYMLINKS
    | abi.MOVE_MOUNT_T_AUTOMOUNTS | abi.MOVE_MOUNT_T_EMPTY_PATH
)  # fmt: skip
_LOOKUP = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW
_MAX_KEY, _MAX_STRING = 256, 256


class MountAttr(Struct):
    """struct mount_attr."""

    attr_set: U64
    attr_clr: U64
    propagation: U64
    userns_fd: U64


AttrPointer = Annotated[Pointer[MountAttr], ArrayKind(MountAttr, count=1)]


@syscall()
def fsopen(task: Task, fsname: String, flags: OpenFlags) -> FdResult:
    """A file system in the making (fsopen(2)); EPERM, EINVAL, ENODEV."""
    may_mount(task)
    if flags & ~abi.FSOPEN_CLOEXEC:
        raise SysError(EINVAL)
    if fsname not in KNOWN:
        raise SysError(ENODEV)
    return install(task, FsContext(task, fsname), cloexec=bool(flags & abi.FSOPEN_CLOEXEC))


@syscall(partial="strings, flags and FSCONFIG_CMD_CREATE only")
def fsconfig(task: Task, fd: Fd, cmd: UInt, key: Address, value: Address, aux: Int) -> int:
    """Give a parameter, or make the file system (fsconfig(2)); EINVAL, EOPNOTSUPP, EBADF, EBUSY."""
    _check_arguments(fd, cmd, key, value, aux)
    context = task.files.get(fd)
    if not isinstance(context, FsContext):
        raise SysError(EINVAL)
    name = task.mm.cstr(key, _MAX_KEY) if key else b""
    if cmd == FLAG:
        context.set(name, None)
    elif cmd == STRING:
        context.set(name, task.mm.cstr(value, _MAX_STRING))
    elif cmd in (CREATE, CREATE_EXCL):
        context.create(task, may_mount(task))
    else:
        raise SysError(EOPNOTSUPP if cmd != RECONFIGURE else EBUSY)
    return 0


def _check_arguments(fd: int, cmd: int, key: int, value: int, aux: int) -> None:
    """Which arguments go with which command."""
    if fd < 0:
        raise SysError(EINVAL)
    if cmd == FLAG:
        good = key and not value and not aux
    elif cmd == STRING:
        good = key and value and not aux
    elif cmd == BINARY:
        good = key and value and 0 < aux <= 1 << 20
    elif cmd in (PATH, PATH_EMPTY):
        good = key and value and (aux == AT_FDCWD or aux >= 0)
    elif cmd == FD:
        good = key and not value and aux >= 0
    elif cmd in (CREATE, RECONFIGURE, CREATE_EXCL):
        good = not key and not value and not aux
    else:
        raise SysError(EOPNOTSUPP)
    if not good:
        raise SysError(EINVAL)


@syscall()
def fsmount(task: Task, fsfd: Fd, flags: MountFlags, attr_flags: Attributes) -> FdResult:
    """A mount of a file system that was made; it hangs nowhere yet (fsmount(2))."""
    table = may_mount(task)
    if flags & ~abi.FSMOUNT_CLOEXEC or attr_flags & ~_KNOWN:
        raise SysError(EINVAL)
    kept = _flags_of(attr_flags)
    context = task.files.get(fsfd)
    if not isinstance(context, FsContext) or context.root is None:
        raise SysError(EINVAL)
    if context.mounted:
        raise SysError(EBUSY)
    mount = table.detached(context.root, kept, context.source or b"none")
    context.mounted = True
    return install(task, MountFile(Place(mount, mount.root)), cloexec=bool(flags & abi.FSMOUNT_CLOEXEC))


def _flags_of(attributes: int) -> int:
    """ST_* for MOUNT_ATTR_*; EINVAL for two ways to treat access times."""
    kept = sum(st for bit, st in _ST_OF.items() if attributes & bit)
    atime = attributes & _ATIME
    if atime not in (0, abi.MOUNT_ATTR_NOATIME, abi.MOUNT_ATTR_STRICTATIME):
        raise SysError(EINVAL)
    return kept | {0: ST_RELATIME, abi.MOUNT_ATTR_NOATIME: ST_NOATIME}.get(atime, 0)


@syscall()
def open_tree(task: Task, dirfd: DirFd, path: Path, flags: UInt) -> FdResult:
    """A place as an O_PATH descriptor, or with OPEN_TREE_CLONE a copy of the mounts there (open_tree(2))."""
    if flags & ~(_LOOKUP | AT_RECURSIVE | abi.OPEN_TREE_CLONE | abi.OPEN_TREE_CLOEXEC):
        raise SysError(EINVAL)
    clone = flags & abi.OPEN_TREE_CLONE
    if flags & AT_RECURSIVE and not clone:
        raise SysError(EINVAL)
    table = may_mount(task) if clone else None
    place = lookup_at(task, dirfd, path, flags & _LOOKUP, _LOOKUP)
    if table is not None:
        if place.mount.unbindable or (place.mount.table is not table and not detached_root(place.mount)):
            raise SysError(EINVAL)
        top = table.detached_copy(place, recursive=bool(flags & AT_RECURSIVE))
        place = Place(top, top.root)
    return install(task, MountFile(place), cloexec=bool(flags & abi.OPEN_TREE_CLOEXEC))


@syscall(partial="no MOVE_MOUNT_SET_GROUP and MOVE_MOUNT_BENEATH")
def move_mount(task: Task, from_dfd: DirFd, from_path: Path, to_dfd: DirFd, to_path: Path, flags: MoveFlags) -> int:
    """Let a mount hang somewhere (else) (move_mount(2)); EPERM, EINVAL, ENOENT, ELOOP."""
    table = may_mount(task)
    if flags & ~_MOVE:
        raise SysError(EINVAL)
    at = lookup(
        task, to_path, to_dfd, follow=bool(flags & abi.MOVE_MOUNT_T_SYMLINKS),
        empty=bool(flags & abi.MOVE_MOUNT_T_EMPTY_PATH),
    )  # fmt: skip
    place = lookup(
        task, from_path, from_dfd, follow=bool(flags & abi.MOVE_MOUNT_F_SYMLINKS),
        empty=bool(flags & abi.MOVE_MOUNT_F_EMPTY_PATH),
    )  # fmt: skip
    mount = place.mount
    attached = mount.table is table
    if place.dentry is not mount.root or at.mount.table is not table or not (attached or detached_root(mount)):
        raise SysError(EINVAL)
    if attached:
        table.move(mount, at)
    else:
        table.attach(mount, at)
    return 0


@syscall(partial="no MOUNT_ATTR_IDMAP")
def mount_setattr(task: Task, dirfd: DirFd, pathname: Path, flags: AtFlags, attr: AttrPointer, size: Size) -> int:
    """Change the attributes of a mount, or of a tree of them (mount_setattr(2))."""
    if flags & ~(_LOOKUP | AT_RECURSIVE):
        raise SysError(EINVAL)
    if size > 4096:
        raise SysError(E2BIG)
    if size < attr.size:
        raise SysError(EINVAL)
    may_mount(task)
    data = task.mm.read(attr.address, size)
    if any(data[attr.size :]):
        raise SysError(E2BIG)
    wanted = attr.layout.unpack(data)
    if not (wanted.attr_set or wanted.attr_clr or wanted.propagation):
        return 0
    _check_attributes(wanted)
    place = lookup_at(task, dirfd, pathname, flags & _LOOKUP, _LOOKUP)
    if place.dentry is not place.mount.root or (
        place.mount.table is not task.ns.mnt.table and not detached_root(place.mount)
    ):
        raise SysError(EINVAL)
    for mount in list(tree(place.mount)) if flags & AT_RECURSIVE else [place.mount]:
        _set_attributes(mount, wanted)
    return 0


def _check_attributes(wanted: MountAttr) -> None:
    """EINVAL (build_mount_kattr)."""
    if wanted.propagation not in (0, abi.MS_SHARED, abi.MS_SLAVE, abi.MS_PRIVATE, abi.MS_UNBINDABLE):
        raise SysError(EINVAL)
    if (wanted.attr_set | wanted.attr_clr) & ~_KNOWN:
        raise SysError(EINVAL)
    clears = wanted.attr_clr & _ATIME
    if clears not in (0, _ATIME) or (wanted.attr_set & _ATIME and not clears):
        raise SysError(EINVAL)
    _flags_of(wanted.attr_set)


def _set_attributes(mount: Mount, wanted: MountAttr) -> None:
    for bit, st in _ST_OF.items():
        mount.flags &= ~st if wanted.attr_clr & bit else -1
        mount.flags |= st if wanted.attr_set & bit else 0
    if wanted.attr_clr & _ATIME:
        mount.flags = mount.flags & ~(ST_RELATIME | ST_NOATIME) | _flags_of(wanted.attr_set & _ATIME)
    if wanted.propagation == abi.MS_SHARED:
        make_shared(mount)
    elif wanted.propagation == abi.MS_SLAVE:
        make_slave(mount)
    elif wanted.propagation:
        make_private(mount, unbindable=wanted.propagation == abi.MS_UNBINDABLE)
