"""Credentials of a task: who it is, and what it may do regardless (credentials(7), capabilities(7))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syscalls.fs.userns import UserNamespace

# capabilities(7), linux/capability.h
CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL = range(6)
CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_LINUX_IMMUTABLE = range(6, 10)
CAP_IPC_LOCK, CAP_IPC_OWNER, CAP_SYS_RAWIO, CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_SYS_ADMIN = 14, 15, 17, 18, 19, 21
CAP_SYS_PACCT, CAP_AUDIT_WRITE = 20, 29
CAP_SYS_NICE, CAP_SYS_RESOURCE, CAP_SYS_TIME, CAP_SYS_TTY_CONFIG, CAP_MKNOD, CAP_SETFCAP = 23, 24, 25, 26, 27, 31
CAP_SYS_MODULE, CAP_SYS_BOOT, CAP_SYSLOG = 16, 22, 34
CAP_CHECKPOINT_RESTORE = CAP_LAST_CAP = 40
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
    user_ns: UserNamespace | None = None  # None: the first one

    @classmethod
    def of(cls, uid: int, gid: int, groups: tuple[int, ...] = ()) -> Credentials:
        """A user as login(1) would set it up: root has all capabilities, others none."""
        capabilities = 0 if uid else ALL_CAPABILITIES
        return cls(uid, uid, uid, uid, gid, gid, gid, gid, groups, capabilities, capabilities)

    def capable(self, capability: int) -> bool:
        """Is the capability in the effective set, and does it count everywhere (the first user namespace)?"""
        return self.user_ns is None and bool(self.effective >> capability & 1)

    def capable_here(self, capability: int) -> bool:
        """Does it count in its own user namespace? (ns_capable of current_user_ns)."""
        return bool(self.effective >> capability & 1)

    def ns_capable(self, ns: UserNamespace | None, capability: int) -> bool:
        """Does it count in `ns`: there, above it, or as the owner of it or of one above (cap_capable)?"""
        while ns is not self.user_ns:
            if ns is None:
                return False
            if ns.parent is self.user_ns and ns.owner == self.euid:
                return True
            ns = ns.parent
        return self.capable_here(capability)

    def capable_of(self, capability: int, uid: int, gid: int) -> bool:
        """Does it count for an object of these owners, by their having names here (capable_wrt_inode_uidgid)?"""
        if not self.effective >> capability & 1:
            return False
        ns = self.user_ns
        return ns is None or (ns.users.shown(uid) is not None and ns.groups.shown(gid) is not None)

    @property
    def root_uid(self) -> int | None:
        """User 0 of its user namespace."""
        return 0 if self.user_ns is None else self.user_ns.users.to_kernel(0)

    def in_group(self, gid: int) -> bool:
        """Does file access count as a member of `gid`? (in_group_p)."""
        return gid == self.fsgid or gid in self.groups
