"""Tasks and thread groups: what Linux calls task_struct and signal_struct.

A task is one thread of the guest. What threads share is in its own object, as in Linux, so that clone(2) can share or
copy each by itself: the address space (`mm`), descriptors (`files`), root, working directory and umask (`fs`), and the
thread group (process).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from syscalls.abi.arch import Arch
from syscalls.abi.prctl import PR_MCE_KILL_DEFAULT
from syscalls.abi.resource import (
    RLIM_INFINITY,
    RLIMIT_CORE,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RTPRIO,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
)
from syscalls.kernel import exit, robust
from syscalls.kernel.ipc_sem import UndoList
from syscalls.kernel.seccomp import Seccomp
from syscalls.kernel.signals import SignalState
from syscalls.kernel.usage import Account, Usage
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.fs.cred import Credentials
    from syscalls.fs.fdtable import FdTable
    from syscalls.fs.file import File
    from syscalls.fs.path import FsContext, Path
    from syscalls.fs.tty import Tty
    from syscalls.kernel.dispatch import Interruption, Sleeping
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.namespaces import NsProxy
    from syscalls.kernel.ports import CpuState
    from syscalls.kernel.posixtimer import PosixTimer
    from syscalls.kernel.timers import Timer, TimerQueue
    from syscalls.kernel.wait import Wait
    from syscalls.mm.mempolicy import Policy
    from syscalls.mm.space import AddressSpace

#: (soft, hard) of a process that init starts on Debian.
DEFAULT_LIMITS: dict[int, tuple[int, int]] = {
    RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
    RLIMIT_CORE: (0, RLIM_INFINITY),
    RLIMIT_NPROC: (4096, 4096),
    RLIMIT_NOFILE: (1024, 1 << 20),
    RLIMIT_MEMLOCK: (8 << 20, 8 << 20),
    RLIMIT_SIGPENDING: (4096, 4096),
    RLIMIT_MSGQUEUE: (819200, 819200),
    RLIMIT_NICE: (0, 0),
    RLIMIT_RTPRIO: (0, 0),
}


class ThreadGroup:
    """A process: what its threads share whatever flags they were cloned with."""

    def __init__(
        self, kernel: Kernel, tgid: int, parent: ThreadGroup | None = None, like: ThreadGroup | None = None
    ) -> None:
        """`parent` waits for it; `like` is the process it is a copy of (CLONE_PARENT tells them apart)."""
        self.kernel = kernel
        self.tgid = tgid
        self.parent = parent
        self.children: list[ThreadGroup] = []
        if parent is not None:
            parent.children.append(self)
        self.tasks: list[Task] = []
        #: The parent's id when it is not in this world: the shell that has started the first process, or init.
        self.parent_outside = 1 if like else tgid - 1
        if like is None:
            kernel.outer_session = self.parent_outside
        self.forked_by: Task | None = None  # the thread of the parent that has made it
        self.pgid: int = like.pgid if like else self.parent_outside  # as of a program run by a shell's script
        self.sid: int = like.sid if like else self.parent_outside
        self.tty: Tty | None = like.tty if like else None  # the controlling terminal
        self.old_foreground = 0  # whom its hang-up left behind, until the session's leader ends
        self.stopped = 0  # by this signal (job control)
        self.parked: list[Task] = []  # those whose turn came meanwhile
        self.stop_unreported = self.continue_unreported = False  # what wait(2) has yet to tell
        self.limits: dict[int, tuple[int, int]] = dict(like.limits if like else DEFAULT_LIMITS)
        self.exit_signal = 0  # what the parent is sent at the end
        self.group_exit = self.zombie = False  # is it ending; has it ended, and not yet been waited for?
        self.uid = 0  # real user id at the end, for siginfo
        self.dead_leader: Task | None = None  # the first thread when it has ended: until the process is reaped
        self.child_changed = WaitQueue("a child")
        self.ended = WaitQueue("the end of a process")
        self.signals = SignalState()  # pending for the whole process, and the dispositions
        self.exe: Path | None = None  # what /proc/self/exe leads to
        self.arguments: list[bytes] = []  # argv and environment as execve got them, for /proc
        self.environment: list[bytes] = []
        self.arguments_at = self.environment_at = (0, 0)  # where their strings begin and end in memory
        self.auxv = b""
        self.vdso: dict[str, int] = {}  # addresses in the [vdso] page: "rt_sigreturn", "sigreturn"
        self.account = Account()
        self.itimers: dict[int, Timer] = {}  # setitimer(2)
        self.posix_timers: dict[int, PosixTimer] = {}  # timer_create(2)
        self.next_timer_id = 0
        self.signal_sent = WaitQueue("a signal")  # those who read a signalfd
        self.start_ns = kernel.clock.monotonic()
        self.dumpable = 1
        self.oom_score_adj: int = like.oom_score_adj if like else 0  # /proc/PID/oom_score_adj
        self.coredump_filter: int = like.coredump_filter if like else 0x33
        self.has_executed = like is None  # False between fork and execve (PF_FORKNOEXEC)
        self.undo_list = UndoList()
        self.membarrier: set[int] = set()  # what membarrier(2) has registered
        self.child_subreaper = self.thp_disable = False  # PR_SET_CHILD_SUBREAPER, PR_SET_THP_DISABLE
        self.mce_kill = PR_MCE_KILL_DEFAULT
        self.exit_code: int | None = None  # wait(2)'s status word: code << 8, or the signal
        if like is not None:
            self._copy(like)

    def _copy(self, like: ThreadGroup) -> None:
        """What execve gave the process that this one is a copy of."""
        self.exe, self.auxv, self.vdso = like.exe, like.auxv, like.vdso
        self.arguments, self.environment = like.arguments, like.environment
        self.arguments_at, self.environment_at = like.arguments_at, like.environment_at
        self.dumpable, self.thp_disable, self.mce_kill = like.dumpable, like.thp_disable, like.mce_kill

    @property
    def ppid(self) -> int:
        """The parent's process id."""
        return self.parent.tgid if self.parent is not None else self.parent_outside

    def limit(self, resource: int) -> int:
        """Soft limit, RLIM_INFINITY when there is none (getrlimit(2))."""
        return self.limits.get(resource, (RLIM_INFINITY, RLIM_INFINITY))[0]


class Task:
    """One guest thread."""

    def __init__(
        self,
        group: ThreadGroup,
        tid: int,
        arch: Arch,
        *,
        mm: AddressSpace,
        files: FdTable,
        fs: FsContext,
        cred: Credentials,
        cpu: CpuState,
        ns: NsProxy | None = None,
    ) -> None:
        self.kernel = group.kernel
        self.group = group
        self.tid = tid
        self.arch = arch
        self.mm = mm
        self.files = files
        self.fs = fs
        self.cred = cred
        self.ns = ns or group.kernel.namespaces  # those that a world begins with
        self.cpu = cpu
        self.comm = b""  # thread name, at most 15 bytes
        self.signals = SignalState(group.signals)  # pending for this thread, its mask, its alternate stack
        self.sleeping: Sleeping | None = None  # the call that waits, if one does
        self.interrupted: Interruption | None = None  # the call that a signal has just ended
        self.restart_block: Callable[[], Coroutine[Wait, None, int]] | None = None  # restart_syscall(2) goes on here
        self.fault = (0, 0, 0)  # trap number, error code and address of the last fault, for signal frames
        self.alive = True
        self.clear_child_tid = 0  # set_tid_address(2)
        self.robust_list = 0  # set_robust_list(2)
        self.rseq = (0, 0, 0)  # address, length, signature of rseq(2)
        self.personality = 0
        self.no_new_privs = False
        self.seccomp = Seccomp()
        self.death_signal = 0  # PR_SET_PDEATHSIG
        self.timer_slack_ns = self.default_timer_slack_ns = 50_000
        self.usage = Usage()
        self.cpu_clocks: dict[int, TimerQueue] = {}  # by CPUCLOCK_*
        self.memory_policy: Policy | None = None  # set_mempolicy(2)
        self.nice = 0
        self.io_priority = 0
        self.too_many = False  # it became a user who has more processes than allowed (PF_NPROC_EXCEEDED)
        self.io_flusher = False  # PR_SET_IO_FLUSHER
        self.scheduler = (0, 0)  # policy, priority
        self.reset_on_fork = False  # SCHED_RESET_ON_FORK
        self.borrows_memory = False  # made by vfork(2): the parent waits until it executes or ends
        self.gave_memory_back = WaitQueue("a vforked child")
        group.tasks.append(self)

    def file(self, fd: int) -> File:
        """The open file description of a descriptor; EBADF, also for one opened with O_PATH (fdget)."""
        return self.files.get(fd)

    def exit(self, status: int) -> None:
        """End this thread; the group's last one leaves `status` (wait(2)'s encoding) behind."""
        exit.exit_task(self, status)

    def exit_group(self, status: int) -> None:
        """End every thread of the process (do_group_exit)."""
        exit.exit_group(self, status)

    def release_thread_pointers(self) -> None:
        """The thread leaves its address space: those who wait for that are told (exec_mm_release)."""
        robust.release(self)
        exit.clear_child_tid(self)

    def vfork_done(self) -> None:
        """The parent of a vfork(2) may go on."""
        self.borrows_memory = False
        self.gave_memory_back.wake()
