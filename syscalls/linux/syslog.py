"""The kernel's log: syslog(2), which the C library calls klogctl (kernel/printk/printk.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi import process
from syscalls.abi.errno import EFAULT, EINVAL, EPERM, SysError
from syscalls.abi.kinds import Buffer, BufferKind, FlagsKind, Int
from syscalls.abi.process import (
    SYSLOG_ACTION_CLEAR,
    SYSLOG_ACTION_CLOSE,
    SYSLOG_ACTION_CONSOLE_LEVEL,
    SYSLOG_ACTION_CONSOLE_OFF,
    SYSLOG_ACTION_CONSOLE_ON,
    SYSLOG_ACTION_OPEN,
    SYSLOG_ACTION_READ,
    SYSLOG_ACTION_READ_ALL,
    SYSLOG_ACTION_READ_CLEAR,
    SYSLOG_ACTION_SIZE_BUFFER,
    SYSLOG_ACTION_SIZE_UNREAD,
)
from syscalls.fs.cred import CAP_SYSLOG
from syscalls.kernel.klog import SIZE
from syscalls.kernel.task import Task
from syscalls.spec import syscall

Action = Annotated[int, FlagsKind(process.SYSLOG_ACTIONS, signed=True)]
Text = Annotated[Buffer, BufferKind("len", out=True)]

_READS = {SYSLOG_ACTION_READ, SYSLOG_ACTION_READ_ALL, SYSLOG_ACTION_READ_CLEAR}
_IGNORED = {SYSLOG_ACTION_CLOSE, SYSLOG_ACTION_OPEN, SYSLOG_ACTION_CONSOLE_OFF, SYSLOG_ACTION_CONSOLE_ON}


@syscall()
async def syslog(task: Task, type: Action, bufp: Text, len: Int) -> int:
    """Read or clear the kernel's log; only with CAP_SYSLOG (kernel.dmesg_restrict is 1) (syslog(2))."""
    if not task.cred.capable(CAP_SYSLOG):
        raise SysError(EPERM)
    log = task.kernel.log
    if type in _READS:
        if not bufp or len < 0:
            raise SysError(EINVAL)
        if not len:
            return 0
        if bufp.address + len > task.arch.task_size:
            raise SysError(EFAULT)
        while type == SYSLOG_ACTION_READ and log.read_to == log.size:
            await log.queue.wait()
        data = log.take(len) if type == SYSLOG_ACTION_READ else log.last(len)
        if type == SYSLOG_ACTION_READ_CLEAR:
            log.cleared_to = log.size
        return bufp.put(data)
    if type == SYSLOG_ACTION_CLEAR:
        log.cleared_to = log.size
    elif type == SYSLOG_ACTION_CONSOLE_LEVEL:
        if not 1 <= len <= 8:
            raise SysError(EINVAL)
    elif type == SYSLOG_ACTION_SIZE_UNREAD:
        return log.size - log.read_to
    elif type == SYSLOG_ACTION_SIZE_BUFFER:
        return SIZE
    elif type not in _IGNORED:
        raise SysError(EINVAL)
    return 0
