"""From what happens to events: the part of a tracer that does not depend on who answers the system calls.

`Stream` is fed with entries and exits of calls, signals, stops and ends of tasks, keeps what is open in between, and
tells the sinks. emu/trace/tracer.py feeds it from our kernel, emu/ptrace/stream.py from the host's.
Only selected calls are decoded; the others cost one look into a dictionary.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from emu.trace.decode import bare_plan, plan_of
from emu.trace.event import CallEvent, ExitEvent, SignalEvent, Sink, StopEvent
from emu.trace.lessen import hide_structures, make_raw
from emu.trace.options import TraceOptions
from emu.trace.plan import Context, Limits, Memory, Plan
from emu.trace.value import Fd, Str, Value
from syscalls import spec as specs
from syscalls.abi.arch import Arch
from syscalls.abi.errno import TABLE, SysError
from syscalls.abi.numbers import NAME
from syscalls.abi.signal import SIGKILL, SIGNAL

MAX_ERRNO = 4095

#: Calls whose data -e read= and -e write= dump: descriptor, buffer, and the result says how much.
READS = frozenset({"read", "pread64", "recv", "recvfrom"})
WRITES = frozenset({"write", "pwrite64", "send", "sendto"})
DATA = READS | WRITES


class Pending:
    """A call that has begun and not ended."""

    __slots__ = ("args", "begun", "context", "number", "plan", "pointer", "seq", "start", "unfinished", "wall")

    def __init__(self, plan: Plan, context: Context, seq: int, number: int, wall: int, start: int) -> None:
        self.plan = plan
        self.context = context
        self.seq = seq
        self.number = number
        self.args = plan.begin(context)
        self.wall = wall
        self.start = start
        self.pointer = 0
        self.begun = 0  # when the kernel began to work on it
        self.unfinished: CallEvent | None = None  # its event, once an unfinished line was shown


class Group(Protocol):
    """The process of a task."""

    @property
    def tgid(self) -> int: ...


class Traced(Protocol):
    """A task, as far as a stream of events needs it."""

    @property
    def tid(self) -> int: ...
    @property
    def group(self) -> Group: ...

    @property
    def mm(self) -> Memory:
        """Its memory."""


T = TypeVar("T", bound=Traced)


class Stream(Generic[T]):
    """Feeds sinks. Subclasses say what a task's descriptors and program counter are."""

    def __init__(
        self,
        sinks: Iterable[Sink],
        options: TraceOptions | None,
        clocks: tuple[Callable[[], int], Callable[[], int]],
        now: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """`clocks` are realtime and monotonic in nanoseconds, `now` measures how long calls take."""
        self.sinks = tuple(sinks)
        self.options = options or TraceOptions()
        self._limits = Limits(self.options.string_limit, self.options.abbreviate)
        self._whole = Limits(self.options.string_limit, abbreviate=False)
        self._decodes = any(getattr(sink, "decodes", True) for sink in self.sinks)
        self._plans: dict[tuple[Arch, int], Plan | None] = {}
        self._pending: dict[T, Pending] = {}
        self._restarted: dict[T, str] = {}  # the call that a signal interrupted last
        self._open: T | None = None  # whose line has begun and could be torn apart
        self._arches: dict[int, Arch] = {}  # by thread id: to tell when it changes
        self._newborn: list[int] = []  # tasks that nobody was told of yet
        self._superseded: dict[T, int] = {}  # thread group leaders that end for an execve of that thread
        self._seq = 0
        self._now = now
        self._wall, self._start = clocks

    # --- what a subclass knows ----------------------------------------------------------------------------------------

    def _paths(self, task: T) -> Callable[[int], bytes | None]:
        """What the descriptors of a task lead to."""
        raise NotImplementedError

    def _pointer(self, task: T) -> int:
        """The program counter behind the trap instruction."""
        raise NotImplementedError

    # --- what happens -------------------------------------------------------------------------------------------------

    def born(self, tid: int, by: T | None) -> None:
        """There is a new task; when the line of the call by which `by` has made it is open, it is told of behind."""
        self._newborn.append(tid)
        if self._open is None or self._open is not by:
            self._tell_newborn()

    def superseded(self, leader: T, task: T) -> None:
        """The leader of a process ends, and the thread that executes a program gets its id."""
        self._superseded[leader] = task.tid
        arch = self._arches.pop(task.tid, None)
        if arch is not None:
            self._arches[leader.tid] = arch

    def enter(self, task: T, arch: Arch, number: int, args: tuple[int, ...]) -> None:
        """A call begins."""
        self._seq += 1
        try:
            plan = self._plans[arch, number]
        except KeyError:
            plan = self._plan(arch, number)
        if plan is None:
            return
        if self._open is not None and self._open is not task:
            self._announce()
        if self._newborn:
            self._tell_newborn()
        if self._arches.get(task.tid) is not arch and plan.name != "execve":  # told once the new program runs
            self._personality(task, arch)
        paths = self._paths(task) if self.options.paths else None
        context = Context(plan, task.mm, args, self._whole if plan.whole else self._limits, paths)
        if task in self._restarted and plan.name == "restart_syscall":
            context.previous = self._restarted.pop(task)
        pending = Pending(plan, context, self._seq, number, self._wall(), self._start())
        if self.options.only_paths and not self._touches_path(task, pending):
            return
        self._pending[task] = pending
        if self.options.pointer:
            pending.pointer = self._pointer(task)
        self._open = task
        pending.begun = self._now()

    def pending(self, task: T) -> Pending | None:
        """The call that the task is in, if it is one that is shown."""
        return self._pending.get(task)

    def leave(self, task: T, result: int | None, restart: str = "", mask: int = 0) -> None:
        """A call is over: its result or -errno, None if it does not return, and the kernel's own restart code.

        `mask` is the task's signal mask now, for the calls that show it.
        """
        pending = self._pending.pop(task, None)
        if pending is None:
            return
        duration = self._now() - pending.begun
        pending.context.notes["mask"] = mask
        if restart:
            self._restarted[task] = pending.plan.name
        event = pending.unfinished or self._event(task, pending)
        if event.tid != task.tid:  # the thread has executed a program; its line began under its former id
            event.tid, event.announced = task.tid, True
        event.duration = duration
        event.torn = result is None and pending.plan.outputs > 0
        complete(event, pending.context, result, restart)
        event.dump = self._dump(pending, result or 0)
        if self._open is task:
            self._open = None
        elif self._open is not None:
            self._announce()
        if self._shown(event):
            for sink in self.sinks:
                sink.call(event)
        if self._newborn:
            self._tell_newborn()

    def delivered(self, task: T, signo: int, info: Callable[[], Value]) -> None:
        """A signal is delivered; `info` makes its siginfo."""
        name = SIGNAL.format(signo)
        if signo == SIGKILL or not self.options.signals.has(name):  # SIGKILL cannot be watched
            return
        self._announce()
        event = SignalEvent(task.group.tgid, task.tid, signo, name, info(), self._wall(), self._start())
        for sink in self.sinks:
            sink.signal(event)

    def stopped(self, task: T, signo: int) -> None:
        """The task has stopped with its process."""
        name = SIGNAL.format(signo)
        if not self.options.signals.has(name):
            return
        self._announce()
        event = StopEvent(task.group.tgid, task.tid, name, self._wall(), self._start())
        for sink in self.sinks:
            sink.stopped(event)

    def exited(self, task: T, status: int) -> None:
        """A task has ended."""
        ending = self._open
        if ending is not None and ending is not task and self._pending[ending].plan.name == "exit_group":
            self.leave(ending, None)  # which never comes back, whoever goes first
        self.leave(task, None)
        self._restarted.pop(task, None)
        by = self._superseded.pop(task, None)
        if by is None:
            self._arches.pop(task.tid, None)
        self._announce()
        signo = status & 0x7F
        event = ExitEvent(
            task.group.tgid,
            task.tid,
            status >> 8 & 0xFF,
            SIGNAL.format(signo) if signo else "",
            bool(status & 0x80),
            self._wall(),
            self._start(),
        )
        for sink in self.sinks:
            if by is None:
                sink.exited(event)
            else:
                sink.superseded(event, by)

    def detach(self) -> None:
        """Nobody will look any more: show the calls that the tasks are in."""
        for task in list(self._pending):
            pending = self._pending.pop(task)
            event = pending.unfinished or self._event(task, pending)
            event.detached = True
            for sink in self.sinks:
                sink.unfinished(event)
        self._open = None

    def close(self) -> None:
        """Show the calls that nobody will finish, and let the sinks end."""
        self._announce()
        for sink in self.sinks:
            sink.close()

    # --- parts --------------------------------------------------------------------------------------------------------

    def _plan(self, arch: Arch, number: int) -> Plan | None:
        """The plan of a call when it is selected; remembered, unless a guest could fill the table with garbage."""
        known = number & 0xFFFFFFFF
        name = NAME[arch.name].get(known) or f"syscall_{known:#x}"
        plan = None
        if self.options.trace.has(name, arch):
            spec = specs.find(arch, name)
            plan = self._decoding_plan(name, known, arch, spec) if self._decodes else bare_plan(name, known, arch, spec)
        if len(self._plans) < 4096:
            self._plans[arch, number] = plan
        return plan

    def _decoding_plan(self, name: str, number: int, arch: Arch, spec: specs.Spec | None) -> Plan:
        """How the arguments are shown, by -e raw=, verbose= and abbrev=."""
        options = self.options
        plan = plan_of(name, number, arch, spec)
        plan.whole = not options.abbrev.has(name, arch)
        if options.raw is not None and options.raw.has(name, arch):
            make_raw(plan)
        elif not options.verbose.has(name, arch):
            hide_structures(plan)
        return plan

    def _touches_path(self, task: T, pending: Pending) -> bool:
        """-P: is one of the paths an argument, or what a descriptor among them leads to?"""
        wanted, path_of = self.options.only_paths, self._paths(task)
        return any(
            (isinstance(value, Str) and value.path and value.data in wanted)
            or (isinstance(value, Fd) and path_of(value.value) in wanted)
            for _, value in pending.args
        )

    def _dump(self, pending: Pending, result: int) -> bytes:
        """-e read= and write=: the data of a call that moved some."""
        if result <= 0 or pending.plan.name not in DATA:
            return b""
        chosen = self.options.dump_write if pending.plan.name in WRITES else self.options.dump_read
        fd, at = pending.context.args[:2]
        if chosen is not None and fd not in chosen:
            return b""
        try:
            return pending.context.memory.read(at, result)
        except SysError:
            return b""

    def _personality(self, task: T, arch: Arch) -> None:
        known = self._arches.get(task.tid)
        self._arches[task.tid] = arch
        if (known is None or known.bits == arch.bits) and (known is not None or arch.bits == 64):
            return
        if "personality" not in self.options.quiet:
            for sink in self.sinks:
                sink.personality(task.tid, arch, self._wall(), self._start())

    def _event(self, task: T, pending: Pending) -> CallEvent:
        plan, args = pending.plan, pending.args
        spec = plan.spec
        return CallEvent(
            pending.seq,
            task.group.tgid,
            task.tid,
            plan.arch,
            plan.name,
            plan.number,
            pending.context.args,
            args,
            known=len(args),
            more=plan.outputs > 0 and not plan.late_comma,
            support="" if spec is None or spec.support is specs.Support.FULL else spec.partial or spec.support.value,
            wall=pending.wall,
            start=pending.start,
            pointer=pending.pointer,
            whole=plan.whole,
        )

    def _announce(self) -> None:
        """Show that the call whose line is open is not over."""
        task, self._open = self._open, None
        pending = self._pending.get(task) if task is not None else None
        if task is None or pending is None:
            return
        event = pending.unfinished = self._event(task, pending)
        event.announced = not self.options.separately  # nobody else writes to its file
        for sink in self.sinks:
            sink.unfinished(event)
        if self._newborn:
            self._tell_newborn()

    def _tell_newborn(self) -> None:
        newborn, self._newborn = self._newborn, []
        for tid in newborn:
            for sink in self.sinks:
                sink.attached(tid)

    def _shown(self, event: CallEvent) -> bool:
        status = self.options.status
        if status is None:
            return True
        if event.result is None:
            return "unfinished" in status
        return ("failed" if event.error else "successful") in status


def complete(event: CallEvent, context: Context, result: int | None, restart: str = "") -> None:
    """The call is over: add what is known only now. `restart` is the kernel's restart code, when it has one."""
    context.result = result
    context.restarting = bool(restart)
    event.done = True
    event.result = result
    context.plan.end(context, event.args)
    if result is None:
        return
    if -MAX_ERRNO <= result < 0:
        event.error = restart or error_name(-result)
    else:
        event.value, event.note = context.plan.result(context, result & context.arch.mask if result < 0 else result)


def error_name(errno: int) -> str:
    """ENOENT, or `errno 530` where there is no name."""
    return TABLE[errno][0] if errno in TABLE else f"errno {errno}"
