"""fcntl.h: open(2), fcntl(2), access(2), the *at calls, lseek(2), flock(2), fallocate(2), posix_fadvise(2).

Sources: asm-generic/fcntl.h, linux/fcntl.h, linux/openat2.h, linux/falloc.h, linux/fadvise.h, linux/fs.h, splice(2).
Values are x86's; four bits of open(2) differ on arm64 (asm/fcntl.h), see `open_flags_to_generic`.
"""

from __future__ import annotations

from syscalls.abi.arch import ARM64, Arch
from syscalls.abi.flags import Enum, Flags

# --- open(2) ----------------------------------------------------------------------------------------------------------

O_RDONLY = 0
O_WRONLY = 0o1
O_RDWR = 0o2
O_ACCMODE = 0o3
O_CREAT = 0o100
O_EXCL = 0o200
O_NOCTTY = 0o400
O_TRUNC = 0o1000
O_APPEND = 0o2000
O_NONBLOCK = 0o4000
O_NDELAY = O_NONBLOCK
__O_SYNC = 0o4000000
O_DSYNC = 0o10000
O_SYNC = __O_SYNC | O_DSYNC
FASYNC = 0o20000
O_ASYNC = FASYNC
O_DIRECT = 0o40000
O_LARGEFILE = 0o100000
O_DIRECTORY = 0o200000
O_NOFOLLOW = 0o400000
O_NOATIME = 0o1000000
O_CLOEXEC = 0o2000000
O_PATH = 0o10000000
__O_TMPFILE = 0o20000000
O_TMPFILE = __O_TMPFILE | O_DIRECTORY

#: Every bit that open(2) knows (VALID_OPEN_FLAGS of linux/fcntl.h in the kernel): it ignores others, openat2 does not.
VALID_OPEN_FLAGS = (
    O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC | FASYNC | O_DIRECT
    | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE
)  # fmt: skip

_OPEN_BITS = (
    "O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_SYNC __O_SYNC O_DSYNC O_DIRECT O_LARGEFILE O_NOFOLLOW "
    "O_NOATIME O_CLOEXEC O_PATH O_TMPFILE __O_TMPFILE O_DIRECTORY FASYNC"
)
ACCESS_MODES = Enum(globals(), "O_???", "O_RDONLY O_WRONLY O_RDWR O_ACCMODE")
OPEN_FLAGS = Flags(globals(), "O_???", _OPEN_BITS, part=ACCESS_MODES, mask=O_ACCMODE)
#: O_* where no access mode belongs: pipe2(2), dup3(2).
CREATION_FLAGS = Flags(globals(), "O_???", _OPEN_BITS)
#: What mq_getsetattr(2) knows.
MQ_FLAGS = Flags(globals(), "O_???", "O_NONBLOCK")

#: arm64's bit -> the bit that everybody else has (arch/arm64/include/uapi/asm/fcntl.h).
OPEN_FLAGS_ARM64_TO_GENERIC = {
    0o40000: O_DIRECTORY,
    0o100000: O_NOFOLLOW,
    0o200000: O_DIRECT,
    0o400000: O_LARGEFILE,
}
_SWAPPED = O_DIRECTORY | O_NOFOLLOW | O_DIRECT | O_LARGEFILE


def open_flags_to_generic(flags: int) -> int:
    """O_* bits of an arm64 program, as x86 numbers them."""
    if not flags & _SWAPPED:
        return flags
    return (flags & ~_SWAPPED) | sum(theirs for ours, theirs in OPEN_FLAGS_ARM64_TO_GENERIC.items() if flags & ours)


def open_flags_to_arm64(flags: int) -> int:
    """The way back, for F_GETFL and /proc/PID/fdinfo."""
    if not flags & _SWAPPED:
        return flags
    return (flags & ~_SWAPPED) | sum(ours for ours, theirs in OPEN_FLAGS_ARM64_TO_GENERIC.items() if flags & theirs)


def from_arch(arch: Arch, flags: int) -> int:
    """O_* bits of a program of `arch`, as x86 numbers them."""
    return open_flags_to_generic(flags) if arch is ARM64 else flags


def to_arch(arch: Arch, flags: int) -> int:
    """O_* bits as a program of `arch` numbers them."""
    return open_flags_to_arm64(flags) if arch is ARM64 else flags


# --- openat2(2) -------------------------------------------------------------------------------------------------------

RESOLVE_NO_XDEV = 1
RESOLVE_NO_MAGICLINKS = 2
RESOLVE_NO_SYMLINKS = 4
RESOLVE_BENEATH = 8
RESOLVE_IN_ROOT = 0x10
RESOLVE_CACHED = 0x20
RESOLVE_FLAGS = Flags(globals(), "RESOLVE_???", "RESOLVE_*")

# --- *at(2) -----------------------------------------------------------------------------------------------------------

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_REMOVEDIR = 0x200
AT_SYMLINK_FOLLOW = 0x400
AT_NO_AUTOMOUNT = 0x800
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
AT_EACCESS = AT_REMOVEDIR  # faccessat2(2) uses the bit differently
AT_HANDLE_FID = AT_REMOVEDIR  # name_to_handle_at(2) too
AT_HANDLE_MNT_ID_UNIQUE = 1
AT_HANDLE_CONNECTABLE = 2
AT_STATX_SYNC_TYPE = 0x6000
AT_STATX_SYNC_AS_STAT = 0
AT_STATX_FORCE_SYNC = 0x2000
AT_STATX_DONT_SYNC = 0x4000
_AT_BITS = "AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH AT_RECURSIVE"
AT_FLAGS = Flags(globals(), "AT_???", _AT_BITS)
FACCESSAT_FLAGS = Flags(globals(), "AT_???", "AT_SYMLINK_NOFOLLOW AT_EACCESS AT_EMPTY_PATH")
NAME_TO_HANDLE_FLAGS = Flags(globals(), "AT_???", "AT_SYMLINK_FOLLOW AT_EMPTY_PATH")
_STATX_SYNC = Enum(globals(), "AT_???", "AT_STATX_SYNC_AS_STAT AT_STATX_FORCE_SYNC AT_STATX_DONT_SYNC")
STATX_FLAGS = Flags(
    globals(), "AT_???", f"AT_STATX_FORCE_SYNC AT_STATX_DONT_SYNC {_AT_BITS}", part=_STATX_SYNC, mask=AT_STATX_SYNC_TYPE
)

# --- fcntl(2) ---------------------------------------------------------------------------------------------------------

F_DUPFD = 0
F_GETFD = 1
F_SETFD = 2
F_GETFL = 3
F_SETFL = 4
F_GETLK = 5
F_SETLK = 6
F_SETLKW = 7
F_SETOWN = 8
F_GETOWN = 9
F_SETSIG = 10
F_GETSIG = 11
F_GETLK64 = 12
F_SETLK64 = 13
F_SETLKW64 = 14
F_SETOWN_EX = 15
F_GETOWN_EX = 16
F_GETOWNER_UIDS = 17
F_OFD_GETLK = 36
F_OFD_SETLK = 37
F_OFD_SETLKW = 38
F_SETLEASE = 1024
F_GETLEASE = 1025
F_NOTIFY = 1026
F_CANCELLK = 1029
F_DUPFD_CLOEXEC = 1030
F_SETPIPE_SZ = 1031
F_GETPIPE_SZ = 1032
F_ADD_SEALS = 1033
F_GET_SEALS = 1034
FCNTL_COMMANDS = Enum(globals(), "F_???", "F_*")
F_DUPFD_QUERY = 1027
F_CREATED_QUERY = 1028
F_GET_RW_HINT = 1035
F_SET_RW_HINT = 1036
F_GET_FILE_RW_HINT = 1037
F_SET_FILE_RW_HINT = 1038

FD_CLOEXEC = 1
FD_FLAGS = Flags(globals(), "FD_???", "FD_CLOEXEC")

F_RDLCK = 0
F_WRLCK = 1
F_UNLCK = 2
F_EXLCK = 4
F_SHLCK = 8
LOCK_TYPES = Enum(globals(), "F_???", "F_*LCK")
F_OWNER_TID = 0
F_OWNER_PID = 1
F_OWNER_PGRP = 2
OWNER_TYPES = Enum(globals(), "F_???", "F_OWNER_*")
F_SEAL_SEAL = 1
F_SEAL_SHRINK = 2
F_SEAL_GROW = 4
F_SEAL_WRITE = 8
F_SEAL_FUTURE_WRITE = 0x10
SEALS = Flags(globals(), "F_SEAL_???", "F_SEAL_*")
F_SEAL_EXEC = 0x20
DN_ACCESS = 1
DN_MODIFY = 2
DN_CREATE = 4
DN_DELETE = 8
DN_RENAME = 0x10
DN_ATTRIB = 0x20
DN_MULTISHOT = 0x80000000
NOTIFY_FLAGS = Flags(globals(), "DN_???", "DN_*")

# --- access(2) --------------------------------------------------------------------------------------------------------

F_OK = 0
X_OK = 1
W_OK = 2
R_OK = 4
ACCESS_FLAGS = Flags(globals(), "?_OK", "R_OK W_OK X_OK", zero="F_OK")

# --- the others -------------------------------------------------------------------------------------------------------

SEEK_SET = 0
SEEK_CUR = 1
SEEK_END = 2
SEEK_DATA = 3
SEEK_HOLE = 4
SEEK_MAX = SEEK_HOLE
WHENCE = Enum(globals(), "SEEK_???", "SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE")

LOCK_SH = 1
LOCK_EX = 2
LOCK_NB = 4
LOCK_UN = 8
LOCK_MAND = 32
LOCK_RW = 192
LOCK_READ = 64
LOCK_WRITE = 128
FLOCK_OPERATIONS = Flags(globals(), "LOCK_???", "LOCK_*")

FALLOC_FL_KEEP_SIZE = 1
FALLOC_FL_PUNCH_HOLE = 2
FALLOC_FL_NO_HIDE_STALE = 4
FALLOC_FL_COLLAPSE_RANGE = 8
FALLOC_FL_ZERO_RANGE = 0x10
FALLOC_FL_INSERT_RANGE = 0x20
FALLOC_FL_UNSHARE_RANGE = 0x40
FALLOC_FL_WRITE_ZEROES = 0x80
FALLOCATE_MODES = Flags(globals(), "FALLOC_FL_???", "FALLOC_FL_*")

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4
RENAME_FLAGS = Flags(globals(), "RENAME_??", "RENAME_*")

POSIX_FADV_NORMAL = 0
POSIX_FADV_RANDOM = 1
POSIX_FADV_SEQUENTIAL = 2
POSIX_FADV_WILLNEED = 3
POSIX_FADV_DONTNEED = 4
POSIX_FADV_NOREUSE = 5
FADVISE = Enum(globals(), "POSIX_FADV_???", "POSIX_FADV_*")

SYNC_FILE_RANGE_WAIT_BEFORE = 1
SYNC_FILE_RANGE_WRITE = 2
SYNC_FILE_RANGE_WAIT_AFTER = 4
SYNC_FILE_RANGE_FLAGS = Flags(globals(), "SYNC_FILE_RANGE_???", "SYNC_FILE_RANGE_*")

SPLICE_F_MOVE = 1
SPLICE_F_NONBLOCK = 2
SPLICE_F_MORE = 4
SPLICE_F_GIFT = 8
SPLICE_FLAGS = Flags(globals(), "SPLICE_F_???", "SPLICE_F_*")

CLOSE_RANGE_UNSHARE = 2
CLOSE_RANGE_CLOEXEC = 4
CLOSE_RANGE_FLAGS = Flags(globals(), "CLOSE_RANGE_???", "CLOSE_RANGE_*")
