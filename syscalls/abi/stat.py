"""sys/stat.h and sys/statfs.h: file types, permission bits, statx(2), statfs(2).

Sources: linux/stat.h, linux/magic.h, and include/linux/statfs.h of the kernel for the ST_* bits (statfs(2)).
"""

from __future__ import annotations

from syscalls.abi.flags import Enum, Flags, hexadecimal, octal

S_IFMT = 0o170000
S_IFSOCK = 0o140000
S_IFLNK = 0o120000
S_IFREG = 0o100000
S_IFBLK = 0o60000
S_IFDIR = 0o40000
S_IFCHR = 0o20000
S_IFIFO = 0o10000
S_ISUID = 0o4000
S_ISGID = 0o2000
S_ISVTX = 0o1000
S_IRWXU = 0o700
S_IRUSR = 0o400
S_IWUSR = 0o200
S_IXUSR = 0o100
S_IRWXG = 0o70
S_IRGRP = 0o40
S_IWGRP = 0o20
S_IXGRP = 0o10
S_IRWXO = 0o7
S_IROTH = 0o4
S_IWOTH = 0o2
S_IXOTH = 0o1
S_IALLUGO = 0o7777
S_IRWXUGO = 0o777

FILE_TYPES = Enum(globals(), "S_IF???", "S_IFREG S_IFSOCK S_IFIFO S_IFLNK S_IFDIR S_IFBLK S_IFCHR")
_SPECIAL_BITS = Flags(globals(), "", "S_ISUID S_ISGID S_ISVTX")


class FileMode:
    """A mode with its file type: `S_IFREG|S_ISUID|0755`."""

    def format(self, value: int) -> str:
        """As strace's print_symbolic_mode_t: an unknown type makes all of it a number."""
        value &= 0xFFFF
        file_type = value & S_IFMT
        if file_type and file_type not in FILE_TYPES.names:
            return octal(value)
        parts = [FILE_TYPES.names[file_type]] if file_type else []
        parts += _SPECIAL_BITS.split(value & (S_ISUID | S_ISGID | S_ISVTX))
        return "|".join([*parts, octal(value & S_IRWXUGO)])


#: st_mode, and the mode of mknod(2). Other modes are plain octal numbers (`flags.octal`).
FILE_MODE = FileMode()

# --- device numbers ---------------------------------------------------------------------------------------------------


def makedev(major: int, minor: int) -> int:
    """dev_t as system calls carry it: new_encode_dev and huge_encode_dev of the kernel's linux/kdev_t.h."""
    return (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12 | (major & ~0xFFF) << 32


def major(dev: int) -> int:
    """The driver's number."""
    return (dev >> 8 & 0xFFF) | (dev >> 32 & ~0xFFF)


def minor(dev: int) -> int:
    """The device's number within its driver."""
    return (dev & 0xFF) | (dev >> 12 & 0xFFFFFF00)


class Device:
    """`makedev(0x1, 0x3)`."""

    def format(self, value: int) -> str:
        """As strace prints st_dev, st_rdev and mknod(2)'s device."""
        return f"makedev({hexadecimal(major(value))}, {hexadecimal(minor(value))})"


DEVICE = Device()

# --- getdents(2): d_type ----------------------------------------------------------------------------------------------

DT_UNKNOWN = 0
DT_FIFO = 1
DT_CHR = 2
DT_DIR = 4
DT_BLK = 6
DT_REG = 8
DT_LNK = 10
DT_SOCK = 12
DT_WHT = 14
DIRENT_TYPES = Enum(globals(), "DT_???", "DT_*")

# --- statx(2) ---------------------------------------------------------------------------------------------------------

STATX_TYPE = 1
STATX_MODE = 2
STATX_NLINK = 4
STATX_UID = 8
STATX_GID = 0x10
STATX_ATIME = 0x20
STATX_MTIME = 0x40
STATX_CTIME = 0x80
STATX_INO = 0x100
STATX_SIZE = 0x200
STATX_BLOCKS = 0x400
STATX_BASIC_STATS = 0x7FF
STATX_BTIME = 0x800
STATX_ALL = 0xFFF
STATX_MNT_ID = 0x1000
STATX_DIOALIGN = 0x2000
_STATX_BITS = (
    "STATX_TYPE STATX_MODE STATX_NLINK STATX_UID STATX_GID STATX_ATIME STATX_MTIME STATX_CTIME STATX_INO STATX_SIZE "
    "STATX_BLOCKS STATX_BTIME STATX_MNT_ID STATX_DIOALIGN"
)
STATX_MASK = Flags(globals(), "STATX_???", f"STATX_ALL STATX_BASIC_STATS {_STATX_BITS}")
STATX_MNT_ID_UNIQUE = 0x4000
STATX_SUBVOL = 0x8000
STATX_WRITE_ATOMIC = 0x10000
STATX_DIO_READ_ALIGN = 0x20000
STATX__RESERVED = 0x80000000

STATX_ATTR_COMPRESSED = 4
STATX_ATTR_IMMUTABLE = 0x10
STATX_ATTR_APPEND = 0x20
STATX_ATTR_NODUMP = 0x40
STATX_ATTR_ENCRYPTED = 0x800
STATX_ATTR_AUTOMOUNT = 0x1000
STATX_ATTR_MOUNT_ROOT = 0x2000
STATX_ATTR_VERITY = 0x100000
STATX_ATTR_DAX = 0x200000
STATX_ATTRIBUTES = Flags(globals(), "STATX_ATTR_???", "STATX_ATTR_*")
STATX_ATTR_WRITE_ATOMIC = 0x400000

# --- utimensat(2) -----------------------------------------------------------------------------------------------------

UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2

# --- statfs(2) --------------------------------------------------------------------------------------------------------

ST_RDONLY = 0x0001
ST_NOSUID = 0x0002
ST_NODEV = 0x0004
ST_NOEXEC = 0x0008
ST_SYNCHRONOUS = 0x0010
ST_VALID = 0x0020
ST_MANDLOCK = 0x0040
ST_NOATIME = 0x0400
ST_NODIRATIME = 0x0800
ST_RELATIME = 0x1000
ST_NOSYMFOLLOW = 0x2000
STATFS_FLAGS = Flags(globals(), "ST_???", "ST_VALID ST_*")

ANON_INODE_FS_MAGIC = 0x9041934
AUTOFS_SUPER_MAGIC = 0x187
BINFMTFS_MAGIC = 0x42494E4D
BPF_FS_MAGIC = 0xCAFE4A11
BTRFS_SUPER_MAGIC = 0x9123683E
CGROUP_SUPER_MAGIC = 0x27E0EB
CGROUP2_SUPER_MAGIC = 0x63677270
CRAMFS_MAGIC = 0x28CD3D45
DEBUGFS_MAGIC = 0x64626720
DEVPTS_SUPER_MAGIC = 0x1CD1
EXT2_SUPER_MAGIC = 0xEF53
F2FS_SUPER_MAGIC = 0xF2F52010
FUSE_SUPER_MAGIC = 0x65735546
HUGETLBFS_MAGIC = 0x958458F6
ISOFS_SUPER_MAGIC = 0x9660
MSDOS_SUPER_MAGIC = 0x4D44
NFS_SUPER_MAGIC = 0x6969
NSFS_MAGIC = 0x6E736673
OVERLAYFS_SUPER_MAGIC = 0x794C7630
PIPEFS_MAGIC = 0x50495045
PROC_SUPER_MAGIC = 0x9FA0
RAMFS_MAGIC = 0x858458F6
REISERFS_SUPER_MAGIC = 0x52654973
SECURITYFS_MAGIC = 0x73636673
SELINUX_MAGIC = 0xF97CFF8C
SMB_SUPER_MAGIC = 0x517B
SOCKFS_MAGIC = 0x534F434B
SQUASHFS_MAGIC = 0x73717368
SYSFS_MAGIC = 0x62656572
TMPFS_MAGIC = 0x1021994
TRACEFS_MAGIC = 0x74726163
V9FS_MAGIC = 0x1021997
XENFS_SUPER_MAGIC = 0xABBA1974
XFS_SUPER_MAGIC = 0x58465342
MQUEUE_MAGIC = 0x19800202  # ipc/mqueue.c
FILESYSTEMS = Enum(globals(), "???", "*_MAGIC")
