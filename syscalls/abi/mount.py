"""sys/mount.h: mount(2), umount2(2) and the newer mount calls. Source: linux/mount.h."""

from __future__ import annotations

from syscalls.abi.flags import Flags

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_SYNCHRONOUS = 1 << 4
MS_REMOUNT = 1 << 5
MS_MANDLOCK = 1 << 6
MS_DIRSYNC = 1 << 7
MS_NOSYMFOLLOW = 1 << 8
MS_NOATIME = 1 << 10
MS_NODIRATIME = 1 << 11
MS_BIND = 1 << 12
MS_MOVE = 1 << 13
MS_REC = 1 << 14
MS_SILENT = 1 << 15
MS_POSIXACL = 1 << 16
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MS_RELATIME = 1 << 21
MS_KERNMOUNT = 1 << 22
MS_I_VERSION = 1 << 23
MS_STRICTATIME = 1 << 24
MS_LAZYTIME = 1 << 25
MS_SUBMOUNT = 1 << 26
MS_NOREMOTELOCK = 1 << 27
MS_NOSEC = 1 << 28
MS_BORN = 1 << 29
MS_ACTIVE = 1 << 30
MS_NOUSER = 1 << 31


class MountFlags(Flags):
    """mount(2)'s flags; the magic number that old programs put into the upper half comes first."""

    def split(self, value: int) -> list[str]:
        """The names."""
        if value & MS_MGC_MSK == MS_MGC_VAL:
            return ["MS_MGC_VAL", *super().split(value & ~MS_MGC_MSK)]
        return super().split(value)


MOUNT_FLAGS = MountFlags(globals(), "MS_???", "MS_*")
MS_MGC_VAL = 0xC0ED0000
MS_MGC_MSK = 0xFFFF0000

MNT_FORCE = 1
MNT_DETACH = 2
MNT_EXPIRE = 4
UMOUNT_NOFOLLOW = 8
UMOUNT_FLAGS = Flags(globals(), "MNT_???", "MNT_FORCE MNT_DETACH MNT_EXPIRE UMOUNT_NOFOLLOW")

FSOPEN_CLOEXEC = 1
FSOPEN_FLAGS = Flags(globals(), "FSOPEN_???", "FSOPEN_*")
FSMOUNT_CLOEXEC = 1
FSMOUNT_FLAGS = Flags(globals(), "FSMOUNT_???", "FSMOUNT_*")
FSPICK_CLOEXEC = 1
FSPICK_SYMLINK_NOFOLLOW = 2
FSPICK_NO_AUTOMOUNT = 4
FSPICK_EMPTY_PATH = 8
FSPICK_FLAGS = Flags(globals(), "FSPICK_???", "FSPICK_*")
OPEN_TREE_CLONE = 1
OPEN_TREE_CLOEXEC = 0o2000000
MOVE_MOUNT_F_SYMLINKS = 1
MOVE_MOUNT_F_AUTOMOUNTS = 2
MOVE_MOUNT_F_EMPTY_PATH = 4
MOVE_MOUNT_T_SYMLINKS = 0x10
MOVE_MOUNT_T_AUTOMOUNTS = 0x20
MOVE_MOUNT_T_EMPTY_PATH = 0x40
MOVE_MOUNT_SET_GROUP = 0x100
MOVE_MOUNT_FLAGS = Flags(globals(), "MOVE_MOUNT_???", "MOVE_MOUNT_*")
MOUNT_ATTR_RDONLY = 1
MOUNT_ATTR_NOSUID = 2
MOUNT_ATTR_NODEV = 4
MOUNT_ATTR_NOEXEC = 8
MOUNT_ATTR_NOATIME = 0x10
MOUNT_ATTR_STRICTATIME = 0x20
MOUNT_ATTR_NODIRATIME = 0x80
MOUNT_ATTRIBUTES = Flags(globals(), "MOUNT_ATTR_???", "MOUNT_ATTR_*")
