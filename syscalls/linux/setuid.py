"""Changing user and group ids: setuid(2), setreuid(2), setresuid(2), setfsuid(2), and those for groups (kernel/sys.c).

The id -1, which nobody has, means EINVAL in setuid and "as it is" in the others. i386 has each call twice: its old
number takes 16-bit ids.
"""

from __future__ import annotations

from syscalls.abi.arch import I386
from syscalls.abi.cstruct import U16, U32
from syscalls.abi.kinds import Gid, Gid16, GidResult, Out, Uid, Uid16, UidResult
from syscalls.kernel import creds
from syscalls.kernel.creds import GROUP, KEEP, USER, from_16_bits, to_16_bits
from syscalls.kernel.task import Task
from syscalls.spec import syscall


def _id(id: int) -> int:
    """A 32-bit id argument: unsigned, but -1 stays KEEP."""
    return id if id == KEEP else id & 0xFFFFFFFF


@syscall("setuid", "setuid32")
def setuid(task: Task, uid: Uid) -> int:
    """Set the effective user id, and when privileged the others too (setuid(2))."""
    creds.set_id(task, USER, _id(uid))
    return 0


@syscall("setreuid", "setreuid32")
def setreuid(task: Task, ruid: Uid, euid: Uid) -> int:
    """Set the real and effective user ids (setreuid(2))."""
    creds.set_real_and_effective(task, USER, _id(ruid), _id(euid))
    return 0


@syscall("setresuid", "setresuid32")
def setresuid(task: Task, ruid: Uid, euid: Uid, suid: Uid) -> int:
    """Set the real, effective and saved user ids (setresuid(2))."""
    creds.set_all(task, USER, _id(ruid), _id(euid), _id(suid))
    return 0


@syscall("setfsuid", "setfsuid32")
def setfsuid(task: Task, fsuid: Uid) -> UidResult:
    """Set the user id that file access counts by; the previous one (setfsuid(2))."""
    return creds.set_fs_id(task, USER, _id(fsuid))


@syscall("getresuid", "getresuid32")
def getresuid(task: Task, ruid: Out[U32], euid: Out[U32], suid: Out[U32]) -> int:
    """Store the real, effective and saved user ids (getresuid(2))."""
    for pointer, id in zip((ruid, euid, suid), USER.shown(task.cred), strict=True):
        pointer.put(id)
    return 0


@syscall("setuid", only=I386)
def setuid16(task: Task, uid: Uid16) -> int:
    """Set the effective user id, and when privileged the others too (setuid(2)), in 16 bits."""
    creds.set_id(task, USER, from_16_bits(uid))
    return 0


@syscall("setreuid", only=I386)
def setreuid16(task: Task, ruid: Uid16, euid: Uid16) -> int:
    """Set the real and effective user ids (setreuid(2)), in 16 bits."""
    creds.set_real_and_effective(task, USER, from_16_bits(ruid), from_16_bits(euid))
    return 0


@syscall("setresuid", only=I386)
def setresuid16(task: Task, ruid: Uid16, euid: Uid16, suid: Uid16) -> int:
    """Set the real, effective and saved user ids (setresuid(2)), in 16 bits."""
    creds.set_all(task, USER, from_16_bits(ruid), from_16_bits(euid), from_16_bits(suid))
    return 0


@syscall("setfsuid", only=I386)
def setfsuid16(task: Task, fsuid: Uid16) -> UidResult:
    """Set the user id that file access counts by; the previous one (setfsuid(2)), in 16 bits."""
    previous = creds.set_fs_id(task, USER, from_16_bits(fsuid))
    return to_16_bits(previous)


@syscall("getresuid", only=I386)
def getresuid16(task: Task, ruid: Out[U16], euid: Out[U16], suid: Out[U16]) -> int:
    """Store the real, effective and saved user ids (getresuid(2)), in 16 bits."""
    for pointer, id in zip((ruid, euid, suid), USER.shown(task.cred), strict=True):
        pointer.put(to_16_bits(id))
    return 0


@syscall("setgid", "setgid32")
def setgid(task: Task, gid: Gid) -> int:
    """Set the effective group id, and when privileged the others too (setgid(2))."""
    creds.set_id(task, GROUP, _id(gid))
    return 0


@syscall("setregid", "setregid32")
def setregid(task: Task, rgid: Gid, egid: Gid) -> int:
    """Set the real and effective group ids (setregid(2))."""
    creds.set_real_and_effective(task, GROUP, _id(rgid), _id(egid))
    return 0


@syscall("setresgid", "setresgid32")
def setresgid(task: Task, rgid: Gid, egid: Gid, sgid: Gid) -> int:
    """Set the real, effective and saved group ids (setresgid(2))."""
    creds.set_all(task, GROUP, _id(rgid), _id(egid), _id(sgid))
    return 0


@syscall("setfsgid", "setfsgid32")
def setfsgid(task: Task, fsgid: Gid) -> GidResult:
    """Set the group id that file access counts by; the previous one (setfsgid(2))."""
    return creds.set_fs_id(task, GROUP, _id(fsgid))


@syscall("getresgid", "getresgid32")
def getresgid(task: Task, rgid: Out[U32], egid: Out[U32], sgid: Out[U32]) -> int:
    """Store the real, effective and saved group ids (getresgid(2))."""
    for pointer, id in zip((rgid, egid, sgid), GROUP.shown(task.cred), strict=True):
        pointer.put(id)
    return 0


@syscall("setgid", only=I386)
def setgid16(task: Task, gid: Gid16) -> int:
    """Set the effective group id, and when privileged the others too (setgid(2)), in 16 bits."""
    creds.set_id(task, GROUP, from_16_bits(gid))
    return 0


@syscall("setregid", only=I386)
def setregid16(task: Task, rgid: Gid16, egid: Gid16) -> int:
    """Set the real and effective group ids (setregid(2)), in 16 bits."""
    creds.set_real_and_effective(task, GROUP, from_16_bits(rgid), from_16_bits(egid))
    return 0


@syscall("setresgid", only=I386)
def setresgid16(task: Task, rgid: Gid16, egid: Gid16, sgid: Gid16) -> int:
    """Set the real, effective and saved group ids (setresgid(2)), in 16 bits."""
    creds.set_all(task, GROUP, from_16_bits(rgid), from_16_bits(egid), from_16_bits(sgid))
    return 0


@syscall("setfsgid", only=I386)
def setfsgid16(task: Task, fsgid: Gid16) -> GidResult:
    """Set the group id that file access counts by; the previous one (setfsgid(2)), in 16 bits."""
    previous = creds.set_fs_id(task, GROUP, from_16_bits(fsgid))
    return to_16_bits(previous)


@syscall("getresgid", only=I386)
def getresgid16(task: Task, rgid: Out[U16], egid: Out[U16], sgid: Out[U16]) -> int:
    """Store the real, effective and saved group ids (getresgid(2)), in 16 bits."""
    for pointer, id in zip((rgid, egid, sgid), GROUP.shown(task.cred), strict=True):
        pointer.put(to_16_bits(id))
    return 0
