"""Who a program runs as: set-user-ID, set-group-ID, file capabilities, root's ways (execve(2), capabilities(7)).

Follows bprm_fill_uid of fs/exec.c and cap_bprm_creds_from_file of security/commoncap.c.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, EPERM, SysError
from syscalls.abi.stat import S_ISGID, S_ISUID, ST_NOSUID
from syscalls.fs.attr import SECURITY_CAPABILITY
from syscalls.fs.cred import ALL_CAPABILITIES, CAP_SETUID, Credentials
from syscalls.kernel.creds import SECURE_KEEP_CAPS, SECURE_NOROOT

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.kernel.task import Task

S_IXGRP = 0o010
#: linux/capability.h: the first word of the extended attribute, and how long it is by its revision.
VFS_CAP_FLAGS_EFFECTIVE = 1
REVISION_MASK = 0xFF000000
REVISION_SIZES = {0x01000000: 12, 0x02000000: 20, 0x03000000: 24}


@dataclass(frozen=True, slots=True)
class Becoming:
    """What execve makes of the caller's credentials."""

    cred: Credentials
    secure: bool  # AT_SECURE: the program must not trust its environment
    set_id: bool  # some of personality(2) is not for it


def becoming(task: Task, file: File) -> Becoming:
    """The credentials that a program runs with; EPERM when it needs file capabilities that it cannot have."""
    old = task.cred
    new = replace(old, securebits=old.securebits & ~SECURE_KEEP_CAPS)
    set_id = _set_ids(task, file, new)
    effective, has_file_caps = _file_capabilities(task, file, new)
    root = None if old.securebits & SECURE_NOROOT else new.root_uid
    suid_root = has_file_caps and new.euid == root and new.uid != root
    if root is not None and not suid_root and root in (new.euid, new.uid):
        new.permitted = old.bounding | old.inheritable
        effective = effective or new.euid == root
    changes_id = new.euid != old.euid or not old.in_group(new.egid)
    gained = new.permitted & ~old.permitted
    if (changes_id or gained) and (task.no_new_privs or _shares_fs(task)):
        if task.no_new_privs or not old.capable_here(CAP_SETUID):
            new.euid, new.egid = new.uid, new.gid
        new.permitted &= old.permitted
    new.suid = new.fsuid = new.euid
    new.sgid = new.fsgid = new.egid
    if has_file_caps or changes_id:
        new.ambient = 0
    new.permitted |= new.ambient
    new.effective = new.permitted if effective else new.ambient
    is_root = new.uid == new.root_uid
    differs = changes_id or (new.euid, new.egid) != (old.uid, old.gid)
    secure = differs or (not is_root and (effective or bool(new.permitted & ~new.ambient)))
    return Becoming(new, secure, set_id or bool(gained))


def _set_ids(task: Task, file: File, new: Credentials) -> bool:
    """Take the owner's ids from a program that has the bits for it (bprm_fill_uid)."""
    inode, path = file.inode, file.path
    if path is None or path.mount.flags & ST_NOSUID or task.no_new_privs:
        return False
    by_group = inode.mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP
    if inode.mode & S_ISUID:
        new.euid = inode.uid
    if by_group:
        new.egid = inode.gid
    return by_group or bool(inode.mode & S_ISUID)


def _shares_fs(task: Task) -> bool:
    """Could somebody of another process change the program's root meanwhile? (LSM_UNSAFE_SHARE)."""
    return any(other.fs is task.fs and other.group is not task.group for other in task.kernel.tasks.values())


def _file_capabilities(task: Task, file: File, new: Credentials) -> tuple[bool, bool]:
    """pP' = (X & fP) | (pI & fI) of capabilities(7) into `new`; are they effective, and are there any?"""
    old, path = task.cred, file.path
    new.permitted = 0
    data = file.inode.xattrs.get(SECURITY_CAPABILITY)
    if data is None or path is None or path.mount.flags & ST_NOSUID or task.no_new_privs:
        return False, False
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
    if not words or REVISION_SIZES.get(words[0] & REVISION_MASK) != len(data):
        raise SysError(EINVAL)
    high = (words[3], words[4]) if len(words) >= 5 else (0, 0)
    permitted = (words[1] | high[0] << 32) & ALL_CAPABILITIES
    inheritable = (words[2] | high[1] << 32) & ALL_CAPABILITIES
    effective = bool(words[0] & VFS_CAP_FLAGS_EFFECTIVE)
    new.permitted = old.bounding & permitted | old.inheritable & inheritable
    if effective and permitted & ~new.permitted:
        raise SysError(EPERM)
    return effective, True
