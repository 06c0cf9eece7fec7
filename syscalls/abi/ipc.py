"""sys/ipc.h, sys/msg.h, sys/sem.h, sys/shm.h: System V IPC.

Sources: linux/ipc.h, linux/msg.h, linux/sem.h, linux/shm.h.
"""

from __future__ import annotations

from syscalls.abi.flags import Enum, Flags, octal

IPC_PRIVATE = 0
IPC_CREAT = 0o1000
IPC_EXCL = 0o2000
IPC_NOWAIT = 0o4000
IPC_RMID = 0
IPC_SET = 1
IPC_STAT = 2
IPC_INFO = 3
IPC_64 = 0x100
GETPID = 11
GETVAL = 12
GETALL = 13
GETNCNT = 14
GETZCNT = 15
SETVAL = 16
SETALL = 17
SEM_STAT = 18
SEM_INFO = 19
SEM_STAT_ANY = 20
SHM_LOCK = 11
SHM_UNLOCK = 12
SHM_STAT = 13
SHM_INFO = 14
SHM_STAT_ANY = 15
MSG_STAT = 11
MSG_INFO = 12
MSG_STAT_ANY = 13

_COMMON = "IPC_RMID IPC_SET IPC_STAT IPC_INFO"


class IpcCommand(Enum):
    """A command of semctl(2), shmctl(2) or msgctl(2); i386 programs add IPC_64: `IPC_64|IPC_STAT`."""

    def format(self, value: int) -> str:
        """The command, its version bit first."""
        version = "IPC_64|" if value & IPC_64 else ""
        return version + super().format(value & ~IPC_64)


SEMCTL_COMMANDS = IpcCommand(
    globals(),
    "SEM_???",
    f"{_COMMON} GETPID GETVAL GETALL GETNCNT GETZCNT SETVAL SETALL SEM_STAT SEM_INFO SEM_STAT_ANY",
)
SHMCTL_COMMANDS = IpcCommand(
    globals(),
    "SHM_???",
    f"{_COMMON} SHM_LOCK SHM_UNLOCK SHM_STAT SHM_INFO SHM_STAT_ANY",
)
MSGCTL_COMMANDS = IpcCommand(globals(), "MSG_???", f"{_COMMON} MSG_STAT MSG_INFO MSG_STAT_ANY")


class GetFlags(Flags):
    """The flags of msgget(2), semget(2) or shmget(2): bits, and the permissions last: `IPC_CREAT|0600`."""

    def format(self, value: int) -> str:
        """Bits, then always the permissions."""
        value &= 0xFFFFFFFF
        bits = self.split(value & ~0o777)
        if bits and bits[0].endswith("*/"):
            bits[0] = bits[0].split()[0]
        return "|".join([*bits, octal(value & 0o777)])


MSGGET_FLAGS = GetFlags(globals(), "", "IPC_CREAT IPC_EXCL IPC_NOWAIT")
SEMGET_FLAGS = MSGGET_FLAGS
SHM_HUGETLB = 0o4000
SHM_NORESERVE = 0o10000
SHM_HUGE_SHIFT = 26
SHMGET_FLAGS = GetFlags(
    globals(),
    "",
    "IPC_CREAT IPC_EXCL SHM_HUGETLB SHM_NORESERVE",
    shift="SHM_HUGE_SHIFT",
    shift_bit=SHM_HUGE_SHIFT,
)
SHM_RDONLY = 0o10000
SHM_RND = 0o20000
SHM_REMAP = 0o40000
SHM_EXEC = 0o100000
SHMAT_FLAGS = Flags(globals(), "SHM_???", "SHM_RDONLY SHM_RND SHM_REMAP SHM_EXEC")
MSG_NOERROR = 0o10000
MSG_EXCEPT = 0o20000
MSG_COPY = 0o40000
MSG_FLAGS = Flags(globals(), "MSG_???", "MSG_NOERROR MSG_EXCEPT MSG_COPY IPC_NOWAIT")
SEM_UNDO = 0o10000
SEMOP_FLAGS = Flags(globals(), "SEM_???", "SEM_UNDO IPC_NOWAIT")

#: The call that each number of i386's ipc(2) stands for (linux/ipc.h).
IPC_CALLS: dict[int, str] = {
    1: "semop", 2: "semget", 3: "semctl", 4: "semtimedop", 11: "msgsnd", 12: "msgrcv", 13: "msgget", 14: "msgctl",
    21: "shmat", 22: "shmdt", 23: "shmget", 24: "shmctl",
}  # fmt: skip
