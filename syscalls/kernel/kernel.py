"""The kernel of one guest world: what all its processes share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from syscalls.abi.arch import PAGE_SHIFT, Arch
from syscalls.abi.errno import EPERM, ESRCH, SysError
from syscalls.abi.limits import PID_MAX
from syscalls.fs import inotify
from syscalls.fs.anon import AnonInodeFs
from syscalls.fs.pipe import PipeFs
from syscalls.fs.special import SpecialFiles
from syscalls.fs.tmpfs import TmpFs
from syscalls.kernel import fanotify, namespaces
from syscalls.kernel.dnotify import DirectoryNotifier
from syscalls.kernel.futex import Futexes
from syscalls.kernel.klog import KernelLog
from syscalls.kernel.lease import LeaseSettings
from syscalls.kernel.namespaces import DYNAMIC
from syscalls.kernel.sched import Scheduler
from syscalls.kernel.timers import Timers
from syscalls.kernel.usage import Meter
from syscalls.kernel.wait import WaitQueue
from syscalls.net.message import Creds
from syscalls.net.sockfs import SocketFs

if TYPE_CHECKING:
    from syscalls.fs.mount import MountTable
    from syscalls.kernel.aio import Contexts
    from syscalls.kernel.nsfs import NsFs
    from syscalls.kernel.ports import Clock, Processors, Ram, Random
    from syscalls.kernel.signals import SigInfo
    from syscalls.kernel.task import Task, ThreadGroup

RESERVED_PIDS = 300  # not given out a second time
RELEASE = "6.12.0"
VERSION = "#1 SMP PREEMPT_DYNAMIC Trapeze"


class Observer(Protocol):
    """Who wants to see everything that happens: the tracer."""

    def started(self, task: Task) -> None:
        """A task that another one has made is about to run."""

    def superseded(self, leader: Task, task: Task) -> None:
        """A thread executes another program: it ends its leader, and takes that one's id."""

    def enter(self, task: Task, arch: Arch, number: int, args: tuple[int, ...]) -> None:
        """A call begins; its inputs are still in the guest's memory."""

    def exit(self, task: Task, result: int | None) -> None:
        """The call that last began in this task is over: its result or -errno; None: it does not return."""

    def signal(self, task: Task, info: SigInfo) -> None:
        """A signal is delivered."""

    def stopped(self, task: Task, signo: int) -> None:
        """The task does not go on before its process is continued (group-stop of ptrace(2))."""

    def exited(self, task: Task, status: int) -> None:
        """The task is gone; `status` as in wait(2)."""


class Kernel:
    """Tasks, clock, randomness, names, and the observer."""

    def __init__(self, ram: Ram, clock: Clock, random: Random) -> None:
        self.ram = ram
        self.clock = clock
        self.random = random
        self.attention = False  # must the loop look at timers and signals before the next instruction?
        self.timers = Timers(clock, self.notice)
        self.meter = Meter(clock)
        self.scheduler = Scheduler(clock, self.timers)
        self.futexes = Futexes()
        self.tasks: dict[int, Task] = {}  # by thread id
        self.groups: dict[int, ThreadGroup] = {}  # by process id
        self.current: Task | None = None  # whose turn it is
        self.last_pid = 0
        self.max_tasks = 4096  # that live at one time (kernel.threads-max)
        self.refused_tasks = 0  # EAGAIN because there were so many
        self.outer_session = 0  # of the shell that has started the first process, outside of this world
        self.msgqueue_bytes: dict[int, int] = {}  # POSIX message queues, by user (RLIMIT_MSGQUEUE)
        self.boot_ns = clock.monotonic()  # uptime counts from here
        self.boot_cpu_ns = clock.cputime()
        self.realtime_offset_ns = 0  # clock_settime(2)
        self.clock_was_set = WaitQueue("a change of the clock")
        self.timezone = (0, 0)  # minutes west, daylight saving: settimeofday(2) keeps it, nobody uses it
        self.observer: Observer | None = None
        self.processors: Processors | None = None  # what makes tasks and programs run
        self._last_namespace = DYNAMIC - 1
        self.namespaces = namespaces.first(self)  # those that the world begins with
        self.leases = LeaseSettings()
        self._last_dev = 0
        self.pipefs = PipeFs(self.new_dev(), self.realtime)

    @cached_property
    def anonfs(self) -> AnonInodeFs:
        """Where eventfds, epoll files, timerfds ... live."""
        return AnonInodeFs(self.new_dev(), self.realtime)

    @cached_property
    def inotify(self) -> inotify.Limits:
        """How many instances and watches users may have, and have."""
        return inotify.Limits(self.ram.limit << PAGE_SHIFT)

    @cached_property
    def dnotify(self) -> DirectoryNotifier:
        """F_NOTIFY of all directories."""
        return DirectoryNotifier(self)

    @property
    def mounts(self) -> MountTable | None:
        """The tree of files that the world begins with."""
        return self.namespaces.mnt.table

    @mounts.setter
    def mounts(self, table: MountTable) -> None:
        self.namespaces.mnt.table = table

    @cached_property
    def nsfs(self) -> NsFs:
        """Where namespaces are files."""
        from syscalls.kernel.nsfs import NsFs

        return NsFs(self)

    @cached_property
    def aio(self) -> Contexts:
        """Asynchronous input and output."""
        from syscalls.kernel.aio import Contexts

        return Contexts()

    @cached_property
    def log(self) -> KernelLog:
        """What the kernel has to say (syslog(2))."""
        return KernelLog(f"Linux version {RELEASE} (trapeze) {VERSION}".encode())

    def new_namespace_number(self) -> int:
        """The inode number of another namespace."""
        self._last_namespace += 1
        return self._last_namespace

    @cached_property
    def fanotify(self) -> fanotify.Limits:
        """How many groups and marks users may have, and have."""
        return fanotify.Limits(self.ram.limit << PAGE_SHIFT)

    @cached_property
    def sockfs(self) -> SocketFs:
        """Where sockets live, and their names."""
        return SocketFs(self.new_dev(), self.realtime, self._caller, self.clock.monotonic)

    def _caller(self) -> Creds:
        """The credentials of whose turn it is."""
        task = self.current
        return Creds() if task is None else Creds(task.group.tgid, task.cred.uid, task.cred.gid)

    @cached_property
    def shmem(self) -> TmpFs:
        """The tmpfs that is mounted nowhere, for memfd_create(2) (shm_mnt)."""
        return TmpFs(self.new_dev(), self.realtime, self.ram, SpecialFiles())

    def new_dev(self) -> int:
        """The device number of a file system that is on no device (get_anon_bdev)."""
        self._last_dev += 1
        return self._last_dev

    def new_pid(self) -> int:
        """The next free process id."""
        self.last_pid += 1
        while self.last_pid >= PID_MAX or self.is_pid_taken(self.last_pid):
            self.last_pid = self.last_pid + 1 if self.last_pid < PID_MAX else RESERVED_PIDS
        return self.last_pid

    def is_pid_taken(self, pid: int) -> bool:
        """Is it the id of a thread, a process, a process group or a session?"""
        if pid in self.tasks or pid in self.groups:
            return True
        return any(pid in (group.pgid, group.sid) for group in self.groups.values())

    def add(self, task: Task) -> None:
        """Make a task known, and ready to run."""
        self.tasks[task.tid] = task
        self.groups[task.group.tgid] = task.group
        self.scheduler.ready(task)
        if self.observer is not None:
            self.observer.started(task)

    def task(self, tid: int) -> Task:
        """The task with this thread id; ESRCH."""
        try:
            return self.tasks[tid]
        except KeyError:
            raise SysError(ESRCH) from None

    def find(self, tid: int) -> Task | None:
        """The task with this id, dead or alive: also a zombie, as find_task_by_vpid finds it."""
        task = self.tasks.get(tid)
        if task is None and (group := self.groups.get(tid)) is not None:
            return group.dead_leader
        return task

    def is_outside(self, pid: int) -> bool:
        """Is it init or the shell that has started the first process: root's, and out of reach?"""
        return pid in (1, self.outer_session)

    def missing(self, pid: int) -> SysError:
        """What to raise for an id that no task of this world has: EPERM for those outside, ESRCH for nobody."""
        return SysError(EPERM if self.is_outside(pid) else ESRCH)

    def exited(self, task: Task, status: int) -> None:
        """A task has ended."""
        self.tasks.pop(task.tid, None)
        self.scheduler.remove(task)
        if self.observer is not None:
            self.observer.exited(task, status)

    def realtime(self) -> int:
        """CLOCK_REALTIME in ns."""
        return self.clock.realtime() + self.realtime_offset_ns

    def set_realtime(self, nanoseconds: int) -> None:
        """Set CLOCK_REALTIME, for the guest only (clock_settime(2))."""
        self.realtime_offset_ns = nanoseconds - self.clock.realtime()
        self.clock_was_set.wake()

    def memory_bytes(self) -> tuple[int, int]:
        """Total and free memory of the guest's machine."""
        return self.ram.limit << PAGE_SHIFT, max(0, self.ram.limit - self.ram.used) << PAGE_SHIFT

    def notice(self) -> None:
        """Something has changed that the loop must know before the next instruction: a timer, a handler."""
        self.attention = True

    def expire_timers(self) -> None:
        """Fire the timers that are due."""
        self.timers.expire()
        self.attention = bool(self.timers)

    def next_timer_deadline(self) -> int | None:
        """When, on the monotonic clock, the next timer is due that needs no processor time to pass."""
        return self.timers.real.next_deadline()
