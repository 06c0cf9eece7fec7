"""Supplementary groups: getgroups(2), setgroups(2) (kernel/groups.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from syscalls.abi.arch import I386
from syscalls.abi.cstruct import U16, U32
from syscalls.abi.errno import EINVAL, EPERM, SysError
from syscalls.abi.kinds import ArrayKind, Int, Pointer
from syscalls.fs.cred import CAP_SETGID
from syscalls.fs.userns import shown
from syscalls.kernel.creds import GROUP, commit, from_16_bits, to_16_bits
from syscalls.kernel.task import Task
from syscalls.spec import syscall

NGROUPS_MAX = 65536
INVALID_GID = 0xFFFFFFFF

Groups = Annotated[Pointer[int], ArrayKind(U32, count="size")]
GroupsOut = Annotated[Pointer[int], ArrayKind(U32, count="size", out=True, filled="result")]
Groups16 = Annotated[Pointer[int], ArrayKind(U16, count="size")]
GroupsOut16 = Annotated[Pointer[int], ArrayKind(U16, count="size", out=True, filled="result")]


def _store(size: int, target: Pointer[int], groups: list[int]) -> int:
    if size < 0 or 0 < size < len(groups):
        raise SysError(EINVAL)
    if size:
        target.put_array(groups)
    return len(groups)


def _check(task: Task, size: int) -> None:
    ns = task.cred.user_ns
    allowed = ns is None or (ns.setgroups_allowed and ns.groups.extents)
    if not task.cred.capable_here(CAP_SETGID) or not allowed:
        raise SysError(EPERM)
    if not 0 <= size <= NGROUPS_MAX:
        raise SysError(EINVAL)


def _set(task: Task, groups: list[int]) -> None:
    known = [GROUP.kernel(task.cred, gid) for gid in groups]
    commit(task, replace(task.cred, groups=tuple(sorted(known))))


def _shown(task: Task) -> list[int]:
    """The groups as the caller sees them."""
    return [shown(task.cred.user_ns, gid, group=True) for gid in task.cred.groups]


@syscall("getgroups", "getgroups32")
def getgroups(task: Task, size: Int, list: GroupsOut) -> int:
    """Store the supplementary groups, or with size 0 only count them (getgroups(2))."""
    return _store(size, list, _shown(task))


@syscall("getgroups", only=I386)
def getgroups16(task: Task, size: Int, list: GroupsOut16) -> int:
    """Store the supplementary groups in 16 bits each (getgroups(2))."""
    return _store(size, list, [to_16_bits(gid) for gid in _shown(task)])


@syscall("setgroups", "setgroups32")
def setgroups(task: Task, size: Int, list: Groups) -> int:
    """Replace the supplementary groups (setgroups(2))."""
    _check(task, size)
    groups = list.array(size)
    if INVALID_GID in groups:
        raise SysError(EINVAL)
    _set(task, groups)
    return 0


@syscall("setgroups", only=I386)
def setgroups16(task: Task, size: Int, list: Groups16) -> int:
    """Replace the supplementary groups by 16-bit ones (setgroups(2))."""
    _check(task, size)
    groups = [from_16_bits(gid) for gid in list.array(size)]
    if -1 in groups:
        raise SysError(EINVAL)
    _set(task, groups)
    return 0
