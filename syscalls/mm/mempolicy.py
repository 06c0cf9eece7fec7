"""NUMA memory policies on a machine of one node: they are kept, and change nothing (numa(7), mm/mempolicy.c)."""

from __future__ import annotations

from typing import NamedTuple

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.mempolicy import (
    MPOL_BIND,
    MPOL_DEFAULT,
    MPOL_F_NUMA_BALANCING,
    MPOL_F_RELATIVE_NODES,
    MPOL_F_STATIC_NODES,
    MPOL_LOCAL,
    MPOL_MAX,
    MPOL_MODE_FLAGS,
    MPOL_PREFERRED,
    MPOL_PREFERRED_MANY,
)

#: The nodes that there are, as a bit mask.
NODES = 1
_USER_NODES = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES


class Policy(NamedTuple):
    """A mode with its flags, and the nodes that get_mempolicy(2) shows."""

    mode: int
    flags: int
    nodes: int


def split_mode(mode: int) -> tuple[int, int]:
    """Mode and mode flags; EINVAL (sanitize_mpol_flags)."""
    flags, mode = mode & MPOL_MODE_FLAGS, mode & ~MPOL_MODE_FLAGS & 0xFFFFFFFF
    if mode >= MPOL_MAX or flags & _USER_NODES == _USER_NODES:
        raise SysError(EINVAL)
    if flags & MPOL_F_NUMA_BALANCING and mode not in {MPOL_BIND, MPOL_PREFERRED_MANY}:
        raise SysError(EINVAL)
    return mode, flags


def new(mode: int, flags: int, nodes: int) -> Policy | None:
    """A policy, None for the default; EINVAL when its nodes make no sense (mpol_new, mpol_set_nodemask)."""
    if mode == MPOL_DEFAULT:
        if nodes:
            raise SysError(EINVAL)
        return None
    if mode == MPOL_PREFERRED and not nodes:
        mode = MPOL_LOCAL
        if flags & _USER_NODES:
            raise SysError(EINVAL)
        return Policy(mode, flags, 0)
    if mode == MPOL_LOCAL:
        if nodes or flags & _USER_NODES:
            raise SysError(EINVAL)
        return Policy(mode, flags, 0)
    usable = NODES if flags & MPOL_F_RELATIVE_NODES and nodes else nodes & NODES
    if not usable:
        raise SysError(EINVAL)
    return Policy(mode, flags, nodes if flags & _USER_NODES else usable)
