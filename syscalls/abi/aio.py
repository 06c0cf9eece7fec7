"""linux/aio_abi.h: asynchronous input and output."""

from __future__ import annotations

from syscalls.abi.flags import Enum

IOCB_CMD_PREAD = 0
IOCB_CMD_PWRITE = 1
IOCB_CMD_FSYNC = 2
IOCB_CMD_FDSYNC = 3
IOCB_CMD_POLL = 5
IOCB_CMD_NOOP = 6
IOCB_CMD_PREADV = 7
IOCB_CMD_PWRITEV = 8
IOCB_COMMANDS = Enum(globals(), "IOCB_CMD_???", "IOCB_CMD_*")
IOCB_FLAG_RESFD = 1
IOCB_FLAG_IOPRIO = 2
