"""linux/futex.h: operations of futex(2), robust lists, futex_waitv(2)."""

from __future__ import annotations

from syscalls.abi.flags import Enum, Flags

FUTEX_WAIT = 0
FUTEX_WAKE = 1
FUTEX_FD = 2
FUTEX_REQUEUE = 3
FUTEX_CMP_REQUEUE = 4
FUTEX_WAKE_OP = 5
FUTEX_LOCK_PI = 6
FUTEX_UNLOCK_PI = 7
FUTEX_TRYLOCK_PI = 8
FUTEX_WAIT_BITSET = 9
FUTEX_WAKE_BITSET = 10
FUTEX_WAIT_REQUEUE_PI = 11
FUTEX_CMP_REQUEUE_PI = 12
FUTEX_LOCK_PI2 = 13
FUTEX_COMMANDS = Enum(globals(), "FUTEX_???", "FUTEX_*")
FUTEX_PRIVATE_FLAG = 128
FUTEX_CLOCK_REALTIME = 256
FUTEX_CMD_MASK = ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)

#: Commands that strace knows together with FUTEX_CLOCK_REALTIME.
_TIMED = {FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI}


class FutexOperation:
    """`FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME`."""

    def format(self, value: int) -> str:
        """The command, _PRIVATE joined to it, the clock behind."""
        value &= 0xFFFFFFFF
        command = value & FUTEX_CMD_MASK & 0xFFFFFFFF
        name = FUTEX_COMMANDS.names.get(command)
        if name is None or (value & FUTEX_CLOCK_REALTIME and command not in _TIMED):
            return FUTEX_COMMANDS.format(value) if name is None else f"{value:#x} /* FUTEX_??? */"
        if value & FUTEX_PRIVATE_FLAG:
            name += "|FUTEX_PRIVATE_FLAG" if command == FUTEX_FD else "_PRIVATE"
        return name + ("|FUTEX_CLOCK_REALTIME" if value & FUTEX_CLOCK_REALTIME else "")


FUTEX_OPERATION = FutexOperation()

FUTEX_OP_SET = 0
FUTEX_OP_ADD = 1
FUTEX_OP_OR = 2
FUTEX_OP_ANDN = 3
FUTEX_OP_XOR = 4
FUTEX_WAKE_OPS = Enum(globals(), "FUTEX_OP_???", "FUTEX_OP_*")
FUTEX_OP_OPARG_SHIFT = 8
FUTEX_OP_CMP_EQ = 0
FUTEX_OP_CMP_NE = 1
FUTEX_OP_CMP_LT = 2
FUTEX_OP_CMP_LE = 3
FUTEX_OP_CMP_GT = 4
FUTEX_OP_CMP_GE = 5
FUTEX_WAKE_CMPS = Enum(globals(), "FUTEX_OP_CMP_???", "FUTEX_OP_CMP_*")

FUTEX_WAITERS = 0x80000000
FUTEX_OWNER_DIED = 0x40000000
FUTEX_TID_MASK = 0x3FFFFFFF
FUTEX_BITSET_MATCH_ANY = 0xFFFFFFFF
ROBUST_LIST_LIMIT = 2048

FUTEX_32 = 2
FUTEX_WAITV_MAX = 128
FUTEX2_FLAGS = Flags(globals(), "FUTEX_???", "FUTEX_32 FUTEX_PRIVATE_FLAG")
