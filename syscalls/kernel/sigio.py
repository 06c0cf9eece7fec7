"""Signals by which open files tell their owner that something has happened: O_ASYNC, F_NOTIFY, leases (send_sigio)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from syscalls.abi.fcntl import F_OWNER_PGRP, F_OWNER_TID, O_ASYNC
from syscalls.abi.poll import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLMSG,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from syscalls.abi.signal import (
    POLL_ERR,
    POLL_HUP,
    POLL_IN,
    POLL_MSG,
    POLL_OUT,
    POLL_PRI,
    SI_KERNEL,
    SI_SIGIO,
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGIO,
    SIGSEGV,
    SIGSYS,
    SIGTRAP,
)
from syscalls.kernel.signals import SigInfo, send

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task

#: si_code -> si_band (band_table).
_BANDS = {
    POLL_IN: POLLIN | POLLRDNORM, POLL_OUT: POLLOUT | POLLWRNORM | POLLWRBAND,
    POLL_MSG: POLLIN | POLLRDNORM | POLLMSG, POLL_ERR: POLLERR, POLL_PRI: POLLPRI | POLLRDBAND,
    POLL_HUP: POLLHUP | POLLERR,
}  # fmt: skip
#: Signals whose si_code means something else already (SIG_SPECIFIC_SICODES_MASK, but SIGPOLL).
_OWN_CODES = {SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP, SIGCHLD, SIGSYS}


def send_sigio(kernel: Kernel, file: File, fd: int, code: int) -> None:
    """Signal the owner of an open file. `code`: POLL_*; `fd`: what si_fd says, when a signal was chosen (F_SETSIG)."""
    signo = file.owner_signal
    type, pid = file.owner
    for task in _owners(kernel, type, pid):
        if not _permitted(file, task):
            continue
        info = SigInfo(SIGIO, SI_KERNEL)
        if signo:
            info = SigInfo(signo, SI_SIGIO if signo in _OWN_CODES else code, band=_BANDS[code], fd=fd)
        send(task, info, whole_group=type != F_OWNER_TID)


def set_async(kernel: Kernel, fd: int, file: File, *, on: bool) -> None:
    """O_ASYNC of a file that knows it: signals will say `fd` (fasync_helper)."""
    if on:
        file.flags |= O_ASYNC
        file.fasync = partial(send_sigio, kernel, file, fd)
    else:
        file.flags &= ~O_ASYNC
        file.fasync = None


def set_default_owner(task: Task, file: File, type: int) -> None:
    """The caller becomes the owner of a file that has none (__f_setown without force)."""
    if not file.owner[1]:
        file.owner = type, task.group.tgid
        file.owner_ids = task.cred.uid, task.cred.euid


def _owners(kernel: Kernel, type: int, pid: int) -> Iterator[Task]:
    if not pid:
        return
    if type == F_OWNER_PGRP:
        yield from [group.tasks[0] for group in kernel.groups.values() if group.pgid == pid and group.tasks]
        return
    task = kernel.tasks.get(pid)
    if task is None and type != F_OWNER_TID and (group := kernel.groups.get(pid)) is not None and group.tasks:
        task = group.tasks[0]
    if task is not None:
        yield task


def _permitted(file: File, task: Task) -> bool:
    """Whoever set the owner might have killed it (sigio_perm)."""
    uid, euid = file.owner_ids
    return euid == 0 or bool({uid, euid} & {task.cred.uid, task.cred.suid})
