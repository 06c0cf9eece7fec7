"""What stat(2), statx(2) and statfs(2) tell, once for the structs of all architectures (struct kstat)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls.abi.stat import (
    ST_RDONLY,
    ST_VALID,
    STATX_ATTR_APPEND,
    STATX_ATTR_AUTOMOUNT,
    STATX_ATTR_DAX,
    STATX_ATTR_IMMUTABLE,
    STATX_ATTR_MOUNT_ROOT,
    STATX_ATTR_NODUMP,
    STATX_BASIC_STATS,
    STATX_BTIME,
    STATX_CTIME,
    STATX_MNT_ID,
    STATX_MNT_ID_UNIQUE,
    STATX_MTIME,
)
from syscalls.abi.structs.stat import StatxTimestamp
from syscalls.abi.time import NSEC_PER_SEC
from syscalls.fs.userns import shown

if TYPE_CHECKING:
    from syscalls.fs.inode import Inode
    from syscalls.fs.mount import Path
    from syscalls.fs.userns import UserNamespace


class Kstat:
    """Attributes of an inode, under the names of struct stat's fields."""

    __slots__ = (
        "_Stat64__st_ino", "st_atime", "st_atime_nsec", "st_blksize", "st_blocks", "st_ctime", "st_ctime_nsec",
        "st_dev", "st_gid", "st_ino", "st_mode", "st_mtime", "st_mtime_nsec", "st_nlink", "st_rdev", "st_size",
        "st_uid",
    )  # fmt: skip

    def __init__(self, inode: Inode, viewer: UserNamespace | None = None) -> None:
        inode.refresh()
        self.st_dev = inode.fs.dev
        self.st_ino = self._Stat64__st_ino = inode.ino
        self.st_mode = inode.mode
        self.st_nlink = inode.nlink
        self.st_uid = shown(viewer, inode.uid)
        self.st_gid = shown(viewer, inode.gid, group=True)
        self.st_rdev = inode.rdev
        self.st_size = inode.size
        self.st_blksize = inode.blksize
        self.st_blocks = inode.blocks
        self.st_atime, self.st_atime_nsec = divmod(inode.atime, NSEC_PER_SEC)
        self.st_mtime, self.st_mtime_nsec = divmod(inode.mtime, NSEC_PER_SEC)
        self.st_ctime, self.st_ctime_nsec = divmod(inode.ctime, NSEC_PER_SEC)


def major(dev: int) -> int:
    """Major number of a dev_t as programs see it (new_encode_dev)."""
    return dev >> 8 & 0xFFF


def minor(dev: int) -> int:
    """Minor number of a dev_t as programs see it."""
    return dev & 0xFF | dev >> 12 & 0xFFF00


class Kstatx:
    """The same under the names of struct statx's fields; birth time and change count wait to be asked for."""

    def __init__(self, path: Path, mask: int, viewer: UserNamespace | None = None) -> None:
        inode = path.inode
        inode.refresh()
        self.stx_mask = STATX_BASIC_STATS | STATX_MNT_ID | (mask & STATX_BTIME)  # shmem_getattr, ext4_getattr
        changes = mask & (STATX_CTIME | STATX_MTIME)  # not wanted: fill_mg_cmtime leaves them out
        if not changes:
            self.stx_mask &= ~(STATX_CTIME | STATX_MTIME)
        if mask & STATX_MNT_ID_UNIQUE:
            self.stx_mask ^= STATX_MNT_ID | STATX_MNT_ID_UNIQUE
        self.stx_blksize = inode.blksize
        self.stx_attributes_mask = STATX_ATTR_AUTOMOUNT | STATX_ATTR_MOUNT_ROOT | STATX_ATTR_DAX
        if inode.fs.has_flags:
            self.stx_attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP
        self.stx_attributes = inode.flags & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP)
        if path.dentry is path.mount.root and path.mount.table is not None:
            self.stx_attributes |= STATX_ATTR_MOUNT_ROOT
        self.stx_nlink = inode.nlink
        self.stx_uid = shown(viewer, inode.uid)
        self.stx_gid = shown(viewer, inode.gid, group=True)
        self.stx_mode = inode.mode
        self.stx_ino = inode.ino
        self.stx_size = inode.size
        self.stx_blocks = inode.blocks
        self.stx_atime = _timestamp(inode.atime)
        self.stx_btime = _timestamp(inode.btime if mask & STATX_BTIME else 0)
        self.stx_ctime = _timestamp(inode.ctime if changes else 0)
        self.stx_mtime = _timestamp(inode.mtime if changes else 0)
        self.stx_rdev_major, self.stx_rdev_minor = major(inode.rdev), minor(inode.rdev)
        self.stx_dev_major, self.stx_dev_minor = major(inode.fs.dev), minor(inode.fs.dev)
        self.stx_mnt_id = path.mount.id
        self.stx_dio_mem_align = self.stx_dio_offset_align = self.stx_dio_read_offset_align = 0
        self.stx_subvol = 0
        self.stx_atomic_write_unit_min = self.stx_atomic_write_unit_max = 0
        self.stx_atomic_write_segments_max = self.stx_atomic_write_unit_max_opt = 0
        self._spare3 = ()


def _timestamp(nanoseconds: int) -> StatxTimestamp:
    seconds, rest = divmod(nanoseconds, NSEC_PER_SEC)
    return StatxTimestamp(tv_sec=seconds, tv_nsec=rest)


@dataclass(slots=True)
class Kstatfs:
    """What statfs(2) tells of a mounted file system."""

    f_type: int
    f_bsize: int
    f_blocks: int
    f_bfree: int
    f_bavail: int
    f_files: int
    f_ffree: int
    f_fsid: tuple[int, int]
    f_namelen: int
    f_frsize: int
    f_flags: int
    _spare: tuple[int, ...] = ()


def statfs(path: Path) -> Kstatfs:
    """The file system that `path` is on (vfs_statfs)."""
    fs = path.mount.fs
    counts = fs.statfs()
    flags = path.mount.flags | ST_VALID | (ST_RDONLY if fs.read_only else 0)
    return Kstatfs(
        fs.magic, 4096, counts.blocks, counts.bfree, counts.bavail, counts.files, counts.ffree, (fs.dev, 0),
        fs.max_name, 4096, flags,
    )  # fmt: skip
