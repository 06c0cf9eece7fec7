"""numaif.h: memory policies. Source: linux/mempolicy.h."""

from __future__ import annotations

from syscalls.abi.flags import Enum, Flags

MPOL_DEFAULT = 0
MPOL_PREFERRED = 1
MPOL_BIND = 2
MPOL_INTERLEAVE = 3
MPOL_LOCAL = 4
MPOL_POLICIES = Enum(globals(), "MPOL_???", "MPOL_*")
MPOL_PREFERRED_MANY = 5  # behind the table: strace 6.1 does not know them
MPOL_WEIGHTED_INTERLEAVE = 6
MPOL_MAX = 7
MPOL_F_NUMA_BALANCING = 1 << 13
MPOL_F_RELATIVE_NODES = 1 << 14
MPOL_F_STATIC_NODES = 1 << 15
MPOL_MODE_FLAGS = MPOL_F_NUMA_BALANCING | MPOL_F_RELATIVE_NODES | MPOL_F_STATIC_NODES
MPOL_F_NODE = 1
MPOL_F_ADDR = 2
MPOL_F_MEMS_ALLOWED = 4
GET_MEMPOLICY_FLAGS = Flags(globals(), "MPOL_F_???", "MPOL_F_NODE MPOL_F_ADDR")
MPOL_MF_STRICT = 1
MPOL_MF_MOVE = 2
MPOL_MF_MOVE_ALL = 4
MPOL_MF_FLAGS = Flags(globals(), "MPOL_MF_???", "MPOL_MF_*")


class PolicyMode:
    """`MPOL_BIND|MPOL_F_STATIC_NODES`."""

    def format(self, value: int) -> str:
        """The flags behind the mode."""
        parts = [MPOL_POLICIES.format(value & ~MPOL_MODE_FLAGS)]
        parts += [
            name
            for name in ("MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES", "MPOL_F_NUMA_BALANCING")
            if value & int(globals()[name])
        ]
        return "|".join(parts)


POLICY_MODE = PolicyMode()
