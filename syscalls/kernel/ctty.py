"""Controlling terminals: which session has which, and what that means for its processes (drivers/tty/tty_jobctrl.c).

`Terminals` is what the terminals of a kernel know of processes; "the caller" is the task whose call is being answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EIO, ENOTTY, EPERM, ESRCH, SysError
from syscalls.abi.signal import SIG_IGN, SIGCONT, SIGHUP, SIGTTIN, bit
from syscalls.fs.cred import CAP_SYS_ADMIN
from syscalls.kernel import jobs
from syscalls.kernel.wait import Interrupted
from syscalls.spec import Restart

if TYPE_CHECKING:
    from syscalls.fs.tty import Tty
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task, ThreadGroup


class Terminals:
    """`fs.tty.Sessions` of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    @property
    def _caller(self) -> Task:
        assert self.kernel.current is not None
        return self.kernel.current

    def now(self) -> int:
        """The monotonic clock in ns."""
        return self.kernel.clock.monotonic()

    def signal(self, pgid: int, signo: int) -> None:
        """The kernel sends a process group a signal."""
        jobs.signal_group(self.kernel, pgid, signo)
        self.kernel.notice()

    def user(self) -> int:
        """Who makes a terminal."""
        return self._caller.cred.fsuid if self.kernel.current is not None else 0

    def privileged(self) -> bool:
        """Has the caller CAP_SYS_ADMIN?"""
        return self._caller.cred.capable(CAP_SYS_ADMIN)

    def current(self) -> Tty | None:
        """The caller's controlling terminal."""
        return self._caller.group.tty

    def is_terminal_of_caller(self, tty: Tty) -> bool:
        """Does it control the caller's session?"""
        return self._caller.group.tty is tty

    def check_change(self, tty: Tty, signo: int) -> None:
        """Who is in the background may not read, nor change modes (__tty_check_change)."""
        task = self._caller
        pgid = task.group.pgid
        if task.group.tty is not tty or not tty.foreground or pgid == tty.foreground:
            return
        if task.signals.mask & bit(signo) or task.group.signals.action(signo).handler == SIG_IGN:
            if signo == SIGTTIN:
                raise SysError(EIO)
        elif jobs.is_orphaned(self.kernel, pgid):
            raise SysError(EIO)
        else:
            self.signal(pgid, signo)
            raise Interrupted(Restart.SYS)

    def acquire(self, tty: Tty, *, readable: bool, steal: bool) -> None:
        """TIOCSCTTY: make it the terminal of the caller's session, perhaps taking it from another (tiocsctty)."""
        group, privileged = self._caller.group, self.privileged()
        leads = group.sid == group.tgid
        if leads and tty.session == group.sid and group.tty is tty:
            return
        if not leads or group.tty is not None:
            raise SysError(EPERM)
        if tty.session:
            if not (steal and privileged):
                raise SysError(EPERM)
            self.forget(tty.session)
        if not readable and not privileged:
            raise SysError(EPERM)
        _control(group, tty)

    def set_foreground(self, tty: Tty, pgid: int) -> None:
        """TIOCSPGRP; ENOTTY, ESRCH, EPERM (tiocspgrp)."""
        kernel, group = self.kernel, self._caller.group
        if group.tty is not tty or tty.session != group.sid:
            raise SysError(ENOTTY)
        session = _session_of(kernel, pgid)
        if session is None:
            raise SysError(ESRCH)
        if session != group.sid:
            raise SysError(EPERM)
        tty.foreground = pgid

    def forget(self, session: int) -> None:
        """No process of the session has a controlling terminal any more (session_clear_tty)."""
        for group in self.kernel.groups.values():
            if session and group.sid == session:
                group.tty = None

    def give_up(self, tty: Tty) -> None:
        """TIOCNOTTY; with the leader the whole session loses it (no_tty)."""
        del tty
        group = self._caller.group
        leave(group, ending=False)
        group.tty = None

    def hang_up(self, tty: Tty) -> None:
        """The session's leader gets SIGHUP and SIGCONT, and nobody has this terminal (tty_signal_session_leader)."""
        for group in list(self.kernel.groups.values()):
            if not tty.session or group.sid != tty.session:
                continue
            if group.tty is tty:
                group.tty = None
            if group.tgid == group.sid:
                jobs.signal_process(group, SIGHUP)
                jobs.signal_process(group, SIGCONT)
                group.old_foreground = tty.foreground
        tty.session = tty.foreground = 0
        self.kernel.notice()


def _control(group: ThreadGroup, tty: Tty) -> None:
    tty.session, tty.foreground = group.sid, group.pgid
    group.old_foreground = 0
    group.tty = tty


def opened(task: Task, tty: Tty, *, readable: bool) -> None:
    """A session leader without a terminal gets the first that it opens without O_NOCTTY (tty_open_proc_set_tty)."""
    group = task.group
    if not tty.master and group.sid == group.tgid and group.tty is None and not tty.session and readable:
        _control(group, tty)


def leave(group: ThreadGroup, *, ending: bool) -> None:
    """A session leader gives its terminal up, or ends: the foreground is hung up (disassociate_ctty)."""
    if group.sid != group.tgid:
        return
    tty, kernel = group.tty, group.kernel
    foreground = tty.foreground if tty is not None else group.old_foreground if ending else 0
    if foreground:
        jobs.signal_group(kernel, foreground, SIGHUP)
        if tty is None or not ending:
            jobs.signal_group(kernel, foreground, SIGCONT)
    group.old_foreground = 0
    if tty is not None:
        tty.session = tty.foreground = 0
        for other in kernel.groups.values():
            if other.sid == group.sid:
                other.tty = None


def _session_of(kernel: Kernel, pgid: int) -> int | None:
    """The session of a process group, or of the process with that id (session_of_pgrp); None: there is neither."""
    if pgid == kernel.outer_session:
        return pgid
    member = next(jobs.members(kernel, pgid), None)
    if member is not None:
        return member.sid
    task = kernel.tasks.get(pgid)
    return task.group.sid if task is not None else None
