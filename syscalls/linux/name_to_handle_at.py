"""name_to_handle_at(2), open_by_handle_at(2): names of files that survive renaming (fs/fhandle.c)."""

from __future__ import annotations

import struct
from typing import Annotated

from syscalls.abi.errno import EINVAL, EOPNOTSUPP, EOVERFLOW, EPERM, ESTALE, SysError
from syscalls.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_HANDLE_CONNECTABLE,
    AT_HANDLE_FID,
    AT_HANDLE_MNT_ID_UNIQUE,
    AT_SYMLINK_FOLLOW,
    NAME_TO_HANDLE_FLAGS,
    O_LARGEFILE,
)
from syscalls.abi.kinds import Address, DirFd, FdResult, FlagsKind, OpenFlags, Path
from syscalls.fs import open as fs
from syscalls.fs.cred import CAP_DAC_READ_SEARCH
from syscalls.fs.fdtable import path_of
from syscalls.fs.path import Path as Place
from syscalls.kernel.fileio import nofile_limit
from syscalls.kernel.lookup import lookup
from syscalls.kernel.task import Task
from syscalls.linux.open import open_when_free
from syscalls.spec import syscall

HandleFlags = Annotated[int, FlagsKind(NAME_TO_HANDLE_FLAGS)]
_HEAD = struct.Struct("<Ii")  # struct file_handle: bytes, type
MAX_HANDLE_SZ = 128
FILEID_INVALID = 0xFF
#: What the type may say beside its number: FILEID_IS_CONNECTABLE, FILEID_IS_DIR.
_USER_FLAGS = 0x3_0000


@syscall()
def name_to_handle_at(
    task: Task, dirfd: DirFd, pathname: Path, handle: Address, mount_id: Address, flags: HandleFlags
) -> int:
    """Store a handle of a file, and the id of its mount; EOVERFLOW when there is no room (name_to_handle_at(2))."""
    known = AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID | AT_HANDLE_MNT_ID_UNIQUE | AT_HANDLE_CONNECTABLE
    if flags & ~known or (flags & AT_HANDLE_FID and flags & AT_HANDLE_CONNECTABLE):
        raise SysError(EINVAL)
    place = lookup(task, pathname, dirfd, follow=bool(flags & AT_SYMLINK_FOLLOW), empty=bool(flags & AT_EMPTY_PATH))
    system = place.inode.fs
    if not flags & AT_HANDLE_FID and (not system.has_handles or flags & AT_HANDLE_CONNECTABLE):
        raise SysError(EOPNOTSUPP)
    room, _ = _HEAD.unpack(task.mm.read(handle, _HEAD.size))
    if room > MAX_HANDLE_SZ:
        raise SysError(EINVAL)
    kind, data = system.handle(place.inode)
    fits = len(data) <= room // 4 * 4
    width = 8 if flags & AT_HANDLE_MNT_ID_UNIQUE else 4
    task.mm.write(mount_id, place.mount.id.to_bytes(width, "little"))
    task.mm.write(handle, _HEAD.pack(len(data), kind if fits else FILEID_INVALID) + (data if fits else b""))
    if not fits:
        raise SysError(EOVERFLOW)
    system.handles[place.inode.ino] = place.dentry
    return 0


@syscall()
async def open_by_handle_at(task: Task, mount_fd: DirFd, handle: Address, flags: OpenFlags) -> FdResult:
    """Open what a handle stands for; ESTALE when it is gone (open_by_handle_at(2))."""
    size, kind = _HEAD.unpack(task.mm.read(handle, _HEAD.size))
    if not 0 < size <= MAX_HANDLE_SZ or kind < 0 or kind & ~0xFFFF & ~_USER_FLAGS:
        raise SysError(EINVAL)
    anchor = task.fs.cwd if mount_fd == AT_FDCWD else path_of(task.file(mount_fd))
    if not task.cred.capable(CAP_DAC_READ_SEARCH):
        raise SysError(EPERM)
    data = task.mm.read(handle + _HEAD.size, size)
    dentry = anchor.inode.fs.by_handle(data[: size // 4 * 4], anchor.mount.root)
    if dentry is None:
        raise SysError(ESTALE)
    place = Place(anchor.mount, dentry)
    task.files.lowest_free(nofile_limit(task))
    return await open_when_free(task, lambda: fs.reopen(task, place, flags | O_LARGEFILE), flags)
