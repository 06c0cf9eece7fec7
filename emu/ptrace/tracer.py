"""Follow programs on the host's kernel, stop by stop, and feed the stream of events.

Whether a stop is the entry or the exit of a call, and of which architecture, is what the kernel says of it
(PTRACE_GET_SYSCALL_INFO), never what was counted or remembered. Tasks are seized, so that a program that stops really
stops (PTRACE_LISTEN), and those that we have started die with us (PTRACE_O_EXITKILL).
"""

from __future__ import annotations

import os
import signal
import struct
from contextlib import suppress
from types import FrameType

from emu.ptrace import libc
from emu.ptrace.info import BY_AUDIT, EXIT, SIZE, Kind, Op, Stop
from emu.ptrace.stream import NativeStream, NativeTask
from emu.ptrace.tracee import WALL
from emu.trace.siginfo import siginfo_of
from syscalls.abi import ptrace as abi
from syscalls.abi.arch import ARCHES, X86_64
from syscalls.abi.errno import EINTR, ESRCH
from syscalls.abi.numbers import NUMBER

OPTIONS = abi.PTRACE_O_TRACESYSGOOD | abi.PTRACE_O_TRACEEXEC | abi.PTRACE_O_TRACEEXIT
FOLLOW = abi.PTRACE_O_TRACEFORK | abi.PTRACE_O_TRACEVFORK | abi.PTRACE_O_TRACECLONE
#: The kernel's own codes for an interrupted call (include/linux/errno.h).
RESTARTS = {512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND", 516: "ERESTART_RESTARTBLOCK"}
_SYSCALL_STOP = (signal.SIGTRAP | 0x80) << 8 | 0x7F
_request, _GET_SYSCALL_INFO = libc.request, abi.PTRACE_GET_SYSCALL_INFO
_ENTRY, _EXIT, _SECCOMP = int(Op.ENTRY), int(Op.EXIT), int(Op.SECCOMP)
#: op, arch, program counter, stack pointer, number, six arguments
_INFO = struct.Struct("<B3xIQQQ6Q")
#: siginfo_t comes in the layout of the host.
HOST = next((arch for arch in ARCHES.values() if arch.machine == os.uname().machine), X86_64)


class Interrupted(Exception):  # noqa: N818  # no error: somebody wants it so
    """A signal tells us to stop tracing."""

    def __init__(self, signo: int) -> None:
        super().__init__(signal.Signals(signo).name)
        self.signo = signo


class ExecError(Exception):
    """The program that was to be traced cannot be executed."""

    def __init__(self, errno: int) -> None:
        super().__init__(os.strerror(errno))
        self.errno = errno


class NativeTracer:
    """Waits for stops and answers each."""

    def __init__(self, stream: NativeStream, *, filtered: bool = False) -> None:
        """`filtered`: a seccomp filter stops the calls that are of interest, and nothing else does."""
        self.stream = stream
        self.filtered = filtered
        self.tasks: dict[int, NativeTask] = {}
        self.first = 0  # the process that was started
        self.status = 0  # wait(2)'s word of its end
        self._executing: NativeTask | None = None  # in the execve of the program that was asked for
        self._info = libc.Buffer(SIZE)
        self._waiting = False
        self._interrupted = 0

    # --- the tasks ----------------------------------------------------------------------------------------------------

    def add(self, tid: int, *, hidden: bool = False) -> NativeTask:
        """A task is traced from now on."""
        task = self.tasks[tid] = NativeTask(tid, process_of(tid), hidden=hidden)
        return task

    def resume(self, task: NativeTask, signo: int = 0) -> None:
        """Let a stopped task go on; that it was killed meanwhile, its end will tell."""
        request = abi.PTRACE_CONT if self.filtered and not task.in_call else abi.PTRACE_SYSCALL
        task.signal = 0
        _request(request, task.tid, 0, signo)

    # --- the loop -----------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Until no task is left; wait(2)'s status word of the process that was started. Interrupted, ExecError."""
        wait, tasks = os.waitpid, self.tasks
        while tasks:
            self._waiting = True
            if self._interrupted:
                raise Interrupted(self._interrupted)
            try:
                pid, status = wait(-1, WALL)
            except ChildProcessError:
                break
            self._waiting = False
            task = tasks.get(pid)
            if task is None:
                if status & 0x7F == 0x7F:
                    task = self._newborn(pid)
                else:
                    continue
            if status == _SYSCALL_STOP:
                self._call(task)
            else:
                self._other(task, status)
        return self.status

    def interrupt(self, signo: int, _frame: FrameType | None = None) -> None:
        """Handler of a signal that ends the tracing: `run` raises Interrupted."""
        self._interrupted = signo
        if self._waiting:
            raise Interrupted(signo)

    def _newborn(self, tid: int) -> NativeTask:
        """A new task has stopped before its parent's event told of it."""
        self.stream.born(tid, None)
        return self.add(tid)

    # --- calls --------------------------------------------------------------------------------------------------------

    def _call(self, task: NativeTask) -> None:
        """A stop at the entry or the exit of a call, or of a filter at an entry."""
        info = self._info
        if _request(_GET_SYSCALL_INFO, task.tid, SIZE, info.address) < 0:
            return
        op, audit, task.pc, _, number, *args = _INFO.unpack_from(info.view)
        if op == _EXIT:
            task.in_call = False
            self._exit(task)
        elif op in (_ENTRY, _SECCOMP):
            task.in_call = True
            self._enter(task, audit, number, tuple(args))
        self.resume(task)

    def _enter(self, task: NativeTask, audit: int, number: int, args: tuple[int, ...]) -> None:
        arch = BY_AUDIT.get(audit)
        if arch is None:
            return
        if task.hidden:
            if number != NUMBER[arch.name]["execve"]:
                return
            task.hidden = False
            self._executing = task
        self.stream.enter(task, arch, number, args)

    def _exit(self, task: NativeTask) -> None:
        result, failed = EXIT.unpack_from(self._info.view, 24)
        if self._executing is task:
            if failed:
                raise ExecError(-result)
            self._executing = None
        pending = self.stream.pending(task)
        if pending is None:
            return
        restart = RESTARTS.get(-result, "") if failed else ""
        mask = task.tracee.sigmask() if pending.plan.shows_mask else 0
        self.stream.leave(task, -EINTR if restart else result, restart, mask)

    # --- everything else ----------------------------------------------------------------------------------------------

    def _other(self, task: NativeTask, status: int) -> None:
        stop = Stop.of(task.tid, status)
        try:
            if stop.kind in (Kind.EXITED, Kind.KILLED):
                self._ended(task, status)
            elif stop.kind is Kind.SIGNAL:
                self._signal(task, stop.signal)
            elif stop.kind is Kind.GROUP_STOP:
                self.stream.stopped(task, stop.signal)
                _request(abi.PTRACE_LISTEN, task.tid)
            elif stop.kind is Kind.SECCOMP:
                self._call(task)
            else:
                if stop.kind is Kind.EVENT:
                    self._event(task, stop.event)
                self.resume(self.tasks.get(stop.pid, task))
        except OSError as error:
            if error.errno != ESRCH:  # killed while we looked at it
                raise

    def _signal(self, task: NativeTask, signo: int) -> None:
        task.signal = signo
        info = task.tracee.siginfo()
        self.stream.delivered(task, signo, lambda: siginfo_of(info, HOST))
        self.resume(task, signo)

    def _event(self, task: NativeTask, event: int) -> None:
        if event == abi.PTRACE_EVENT_EXIT:
            self.stream.leave(task, None)
            return
        message = task.tracee.event_message()
        if event == abi.PTRACE_EVENT_EXEC:
            if message != task.tid:
                self._supersede(task, self.tasks.pop(message))
        elif message not in self.tasks and event in _BIRTHS:
            self.stream.born(message, task)
            self.add(message)

    def _supersede(self, leader: NativeTask, task: NativeTask) -> None:
        """A thread has executed a program: the leader is gone, and its id is the thread's."""
        self.stream.superseded(leader, task)
        self.stream.exited(leader, 0)
        task.rename(leader.tid)
        self.tasks[leader.tid] = task

    def _ended(self, task: NativeTask, status: int) -> None:
        del self.tasks[task.tid]
        if task.tid == self.first:
            self.status = status
        if not task.hidden:
            self.stream.exited(task, status)

    # --- the end ------------------------------------------------------------------------------------------------------

    def release(self) -> None:
        """Let every task go on without us, whatever it is doing; a signal that it was to get, it gets."""
        for task in list(self.tasks.values()):
            with suppress(OSError):  # it has ended
                self._release(task)
        self.tasks.clear()

    def _release(self, task: NativeTask) -> None:
        tid, status = os.waitpid(task.tid, WALL | os.WNOHANG)
        if not tid:
            try:
                task.tracee.detach(task.signal)
            except OSError:  # it runs, or listens
                task.tracee.interrupt()
                tid, status = os.waitpid(task.tid, WALL)
        if tid and status & 0x7F == 0x7F:
            stop = Stop.of(tid, status)
            task.tracee.detach(stop.signal if stop.kind is Kind.SIGNAL else 0)

    def kill(self) -> None:
        """End every task."""
        for task in self.tasks.values():
            with suppress(ProcessLookupError):
                os.kill(task.group.tgid, signal.SIGKILL)
        for task in self.tasks.values():
            with suppress(OSError):  # it is not stopped
                task.tracee.detach()
            with suppress(ChildProcessError):
                while os.waitpid(task.tid, WALL)[1] & 0x7F == 0x7F:
                    with suppress(OSError):  # who is stopped on its way out does not hear SIGKILL
                        task.tracee.detach()
        self.tasks.clear()


_BIRTHS = frozenset({abi.PTRACE_EVENT_FORK, abi.PTRACE_EVENT_VFORK, abi.PTRACE_EVENT_CLONE})


def process_of(tid: int) -> int:
    """The id of the process that a thread belongs to; the thread's own when it is gone."""
    try:
        with open(f"/proc/{tid}/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123  # no Path needed
            for line in file:
                if line.startswith("Tgid:"):
                    return int(line[5:])
    except OSError:
        pass
    return tid
