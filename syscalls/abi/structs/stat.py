"""struct stat in its forms, struct statx, struct statfs. Sources: asm/stat.h, linux/stat.h, asm/statfs.h."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I32, I64, U16, U32, U64, CLong, CULong, Repeat, Struct
from syscalls.abi.stat import DEVICE, FILE_MODE, FILESYSTEMS, STATFS_FLAGS, STATX_ATTRIBUTES, STATX_MASK


class Stat(Struct):
    """struct stat, as x86_64 has it."""

    st_dev: Annotated[U64, DEVICE]
    st_ino: U64
    st_nlink: U64
    st_mode: Annotated[U32, FILE_MODE]
    st_uid: U32
    st_gid: U32
    _pad0: U32
    st_rdev: Annotated[U64, DEVICE]
    st_size: I64
    st_blksize: I64
    st_blocks: I64
    st_atime: U64
    st_atime_nsec: U64
    st_mtime: U64
    st_mtime_nsec: U64
    st_ctime: U64
    st_ctime_nsec: U64
    _unused0: I64
    _unused1: I64
    _unused2: I64


class StatArm64(Struct, variant_of=Stat, arches={"arm64"}):
    """struct stat of asm-generic/stat.h."""

    st_dev: Annotated[U64, DEVICE]
    st_ino: U64
    st_mode: Annotated[U32, FILE_MODE]
    st_nlink: U32
    st_uid: U32
    st_gid: U32
    st_rdev: Annotated[U64, DEVICE]
    _pad1: U64
    st_size: I64
    st_blksize: I32
    _pad2: I32
    st_blocks: I64
    st_atime: I64
    st_atime_nsec: U64
    st_mtime: I64
    st_mtime_nsec: U64
    st_ctime: I64
    st_ctime_nsec: U64
    _unused4: U32
    _unused5: U32


class StatI386(Struct, variant_of=Stat, arches={"i386"}):
    """struct stat of i386: 32-bit sizes, 16-bit ids."""

    st_dev: Annotated[U32, DEVICE]
    st_ino: U32
    st_mode: Annotated[U16, FILE_MODE]
    st_nlink: U16
    st_uid: U16
    st_gid: U16
    st_rdev: Annotated[U32, DEVICE]
    st_size: U32
    st_blksize: U32
    st_blocks: U32
    st_atime: I32
    st_atime_nsec: U32
    st_mtime: I32
    st_mtime_nsec: U32
    st_ctime: I32
    st_ctime_nsec: U32
    _unused4: U32
    _unused5: U32


class Stat64(Struct):
    """struct stat64 of i386; the inode number is there twice."""

    st_dev: Annotated[U64, DEVICE]
    _pad0: U32
    _st_ino: U32  # its low half; nothing reads it, and it stays 0
    st_mode: Annotated[U32, FILE_MODE]
    st_nlink: U32
    st_uid: U32
    st_gid: U32
    st_rdev: Annotated[U64, DEVICE]
    _pad3: U32
    st_size: I64
    st_blksize: U32
    st_blocks: U64
    st_atime: I32
    st_atime_nsec: U32
    st_mtime: I32
    st_mtime_nsec: U32
    st_ctime: I32
    st_ctime_nsec: U32
    st_ino: U64


class OldStat(Struct):
    """struct __old_kernel_stat."""

    st_dev: Annotated[U16, DEVICE]
    st_ino: U16
    st_mode: Annotated[U16, FILE_MODE]
    st_nlink: U16
    st_uid: U16
    st_gid: U16
    st_rdev: Annotated[U16, DEVICE]
    st_size: U32
    st_atime: U32
    st_mtime: U32
    st_ctime: U32


class StatxTimestamp(Struct):
    """struct statx_timestamp."""

    tv_sec: I64
    tv_nsec: U32
    _reserved: I32


class Statx(Struct):
    """struct statx."""

    stx_mask: Annotated[U32, STATX_MASK]
    stx_blksize: U32
    stx_attributes: Annotated[U64, STATX_ATTRIBUTES]
    stx_nlink: U32
    stx_uid: U32
    stx_gid: U32
    stx_mode: Annotated[U16, FILE_MODE]
    _spare0: U16
    stx_ino: U64
    stx_size: U64
    stx_blocks: U64
    stx_attributes_mask: Annotated[U64, STATX_ATTRIBUTES]
    stx_atime: StatxTimestamp
    stx_btime: StatxTimestamp
    stx_ctime: StatxTimestamp
    stx_mtime: StatxTimestamp
    stx_rdev_major: U32
    stx_rdev_minor: U32
    stx_dev_major: U32
    stx_dev_minor: U32
    stx_mnt_id: U64
    stx_dio_mem_align: U32
    stx_dio_offset_align: U32
    stx_subvol: U64
    stx_atomic_write_unit_min: U32
    stx_atomic_write_unit_max: U32
    stx_atomic_write_segments_max: U32
    stx_dio_read_offset_align: U32
    stx_atomic_write_unit_max_opt: U32
    _spare2: U32
    _spare3: Annotated[tuple[int, ...], Repeat(U64, 8)]


class Statfs(Struct):
    """struct statfs; on i386 its numbers have 32 bits."""

    f_type: Annotated[CULong, FILESYSTEMS]
    f_bsize: CLong
    f_blocks: CULong
    f_bfree: CULong
    f_bavail: CULong
    f_files: CULong
    f_ffree: CULong
    f_fsid: Annotated[tuple[int, ...], Repeat(I32, 2)]
    f_namelen: CLong
    f_frsize: CLong
    f_flags: Annotated[CLong, STATFS_FLAGS]
    _spare: Annotated[tuple[int, ...], Repeat(CLong, 4)]


class Statfs64(Struct):
    """struct statfs64: counts of 64 bits, also on i386."""

    f_type: Annotated[CULong, FILESYSTEMS]
    f_bsize: CLong
    f_blocks: U64
    f_bfree: U64
    f_bavail: U64
    f_files: U64
    f_ffree: U64
    f_fsid: Annotated[tuple[int, ...], Repeat(I32, 2)]
    f_namelen: CLong
    f_frsize: CLong
    f_flags: Annotated[CLong, STATFS_FLAGS]
    _spare: Annotated[tuple[int, ...], Repeat(CLong, 4)]
