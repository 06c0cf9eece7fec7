"""Credentials of a task: who it is, and what it may do regardless (credentials(7), capabilities(7))."""

from __future__ import annotations

from dataclasses import dataclass

# capabilities(7), linux/capability.h
CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL = range(6)
CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_LINUX_IMMUTABLE = range(6, 10)
CAP_IPC_LOCK, CAP_IPC_OWNER, CAP_SYS_RAWIO, CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_SYS_ADMIN = 14, 15, 17, 18, 19, 21
CAP_SYS_PACCT = 20
CAP_SYS_NICE, CAP_SYS_RESOURCE, CAP_SYS_TIME, CAP_SYS_TTY_CONFIG, CAP_MKNOD, CAP_SETFCAP = 23, 24, 25, 26, 27, 31
CAP_LAST_CAP = 40
ALL_CAPABILITIES = (1 << CAP_LAST_CAP + 1) - 1


@dataclass(slots=True)
class Credentials:
    """User and group ids, supplementary groups, and the five capability sets as bit masks."""

    uid: int = 0
    euid: int = 0
    suid: int = 0
    fsuid: int = 0
    gid: int = 0
    egid: int = 0
    sgid: int = 0
    fsgid: int = 0
    groups: tuple[int, ...] = ()
    effective: int = 0
    permitted: int = 0
    inheritable: int = 0
    bounding: int = ALL_CAPABILITIES
    ambient: int = 0
    securebits: int = 0

    @classmethod
    def of(cls, uid: int, gid: int, groups: tuple[int, ...] = ()) -> Credentials:
        """A user as login(1) would set it up: root has all capabilities, others none."""
        capabilities = 0 if uid else ALL_CAPABILITIES
        return cls(uid, uid, uid, uid, gid, gid, gid, gid, groups, capabilities, capabilities)

    def capable(self, capability: int) -> bool:
        """Is the capability in the effective set?"""
        return bool(self.effective >> capability & 1)

    def in_group(self, gid: int) -> bool:
        """Does file access count as a member of `gid`? (in_group_p)."""
        return gid == self.fsgid or gid in self.groups
