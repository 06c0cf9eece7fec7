"""`Sandbox`: a few lines run a program, feed its input, and give back what it did. The one place that wires it all up.

from emu import Sandbox

result = Sandbox("samples/bin/arm64/hello", ["world"]).run(stdin=b"")
print(result.status, result.stdout)
"""

from __future__ import annotations

import os
import posixpath
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import syscalls.linux  # noqa: F401  # declares all handlers
from emu.config import Bind, Config
from emu.errors import NotExecutableError, NotFoundError, TrapezeError, UsageError
from emu.host import BytesStream, CaptureStream, FdStream, HostClock, HostRandom
from emu.loop import Machine, attach, registers_of
from emu.memory import GuestRam
from emu.programs import FormatError, InterpreterError, Programs
from emu.seccomp.enforce import container_filter
from emu.stdio import open_streams
from emu.virtual import SeededRandom, SeededTurns, VirtualClock
from emu.world import World
from syscalls.abi.arch import PAGE_SHIFT
from syscalls.abi.errno import EACCES, EISDIR, ELOOP, ENOENT, ENOTDIR, SysError
from syscalls.abi.fcntl import O_RDONLY
from syscalls.abi.numbers import NUMBER
from syscalls.abi.resource import RLIMIT_STACK
from syscalls.abi.stat import S_IFDIR, S_IFREG
from syscalls.fs import open as fs_open
from syscalls.fs.cred import Credentials
from syscalls.fs.fdtable import FdTable
from syscalls.fs.file import File
from syscalls.fs.path import FsContext
from syscalls.kernel import seccomp
from syscalls.kernel.exec import Invocation, Program, check_size, comm_of, follow_scripts, install
from syscalls.kernel.kernel import Kernel
from syscalls.kernel.task import Task, ThreadGroup

if TYPE_CHECKING:
    from emu.engine.base import Stop
    from emu.trace.event import CallEvent, ExitEvent, SignalEvent, Sink, StopEvent
    from emu.trace.options import TraceOptions
    from emu.trace.tracer import Tracer
    from syscalls.kernel.kernel import Observer
    from syscalls.kernel.ports import HostStream

    Event = CallEvent | SignalEvent | StopEvent | ExitEvent

FIRST_PID = 1000
RAM_BYTES = 8 << 30
LAST_CALLS = 8


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended."""

    status: int  #: as a shell reports it: the exit code, or 128 + the number of the signal
    signal: int | None  #: what killed it
    stdout: bytes = b""
    stderr: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)  #: regular files that the guest made or changed
    events: list[Event] = field(default_factory=list)  #: its system calls, signals and end, when they were asked for
    post_mortem: str = ""  #: a report, when a fault killed it


class Sandbox:
    """A program and what it may see.

    `program` is looked up in the guest first, then on the host. `env` is the guest's whole environment. `root` is a
    host directory under the guest's copy-on-write root, `binds` show more of the host; nothing else can be reached.
    """

    def __init__(
        self,
        program: str | os.PathLike[str],
        args: Sequence[str | bytes] = (),
        *,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        root: str | os.PathLike[str] | None = None,
        binds: Iterable[Bind] = (),
        user: int | tuple[int, int] = 0,
        memory: int = 4 << 30,
        argv0: str | None = None,
        seed: int | None = None,
        max_tasks: int = 4096,
        seccomp: str | os.PathLike[str] | None = None,
    ) -> None:
        """`seed` makes runs repeatable: virtual time, seeded chance. `max_tasks` may live at one time.

        `seccomp` is the file of a container profile that is enforced (docs/seccomp.md).
        """
        uid, gid = user if isinstance(user, tuple) else (user, user)
        self.config = Config(
            os.fspath(program), tuple(args), dict(env or {}), cwd, os.fspath(root) if root is not None else None,
            tuple(binds), uid, gid, memory, argv0, seed, max_tasks,
            os.fspath(seccomp) if seccomp is not None else None,
        )  # fmt: skip

    def run(
        self,
        stdin: bytes = b"",
        *,
        inherit: bool = False,
        events: bool = False,
        sinks: Sequence[Sink] = (),
        options: TraceOptions | None = None,
        post_mortem: bool = False,
    ) -> Result:
        """Run the program to its end with `stdin`, and collect what it prints and does.

        `inherit` gives the guest this process's own standard streams instead. `events` keeps the system calls in the
        result, `sinks` are shown each as it happens, and `options` select and shape them (emu.trace). `post_mortem`
        makes a report when a fault kills the program. TrapezeError, with a shell's exit status, says why it could not
        run.
        """
        out, err = CaptureStream(), CaptureStream()
        streams = (FdStream(0), FdStream(1), FdStream(2)) if inherit else (BytesStream(stdin), out, err)
        collected: list[Event] = []
        shown = list(sinks)
        if events:
            from emu.trace.collect import Collector

            shown.append(Collector(collected))
        recent: deque[str] = deque(maxlen=LAST_CALLS)
        if post_mortem:
            from emu.trace.collect import RecentLines

            shown.append(RecentLines(recent))
        run = Run(self.config, streams)
        if shown:  # an untraced run pays nothing
            from emu.trace.tracer import Tracer

            now = time.perf_counter_ns if self.config.seed is None else run.clock.monotonic
            run.observe(Tracer(run.kernel, shown, options, now=now))
        if post_mortem:
            run.watch_for_death(recent)
        code = run.go()
        if not inherit:  # a command line ends with the run
            run.programs.close()
        return Result(
            exit_status(code), code & 0x7F or None, bytes(out.data), bytes(err.data),
            {} if inherit else run.world.changed_files(),
            collected, run.post_mortem,
        )  # fmt: skip


def exit_status(code: int) -> int:
    """A shell's exit status for wait(2)'s status word."""
    return 128 + (code & 0x7F) if code & 0x7F else code >> 8


class Run:
    """One run: the machine, the kernel, the first process."""

    def __init__(
        self,
        config: Config,
        streams: tuple[HostStream, HostStream, HostStream],
    ) -> None:
        self.config = config
        self.ram = GuestRam(RAM_BYTES, config.memory >> PAGE_SHIFT)
        self.clock = HostClock() if config.seed is None else VirtualClock()
        self.kernel = Kernel(self.ram, self.clock, HostRandom() if config.seed is None else SeededRandom(config.seed))
        self.kernel.max_tasks = config.max_tasks
        self.kernel.last_pid = FIRST_PID - 1
        self.world = World(self.kernel, config)
        self.machine = Machine(self.kernel)
        if config.seed is not None:
            turns = SeededTurns(config.seed)
            self.machine.slice_blocks, self.kernel.scheduler.choose = turns.slice_blocks, turns.choose
        counter = self.clock.counter if isinstance(self.clock, VirtualClock) else self.clock.monotonic
        self.programs = Programs(self.ram, self.kernel.random, counter)
        self.kernel.processors = self.programs
        self.post_mortem = ""
        self.tracer: Tracer | None = None
        restriction = container_filter(config.seccomp) if config.seccomp is not None else None
        self.task = self._first_process(streams)
        if restriction is not None:
            # Without no_new_privs, as docker starts containers; the execve that runc makes itself is not judged.
            seccomp.attach(self.task, restriction(self.task.arch), all_threads=False)

    def observe(self, tracer: Tracer) -> None:
        """Let a tracer see everything from the first instruction on."""
        self.tracer = self.kernel.observer = tracer

    def watch_for_death(self, recent: Iterable[str]) -> None:
        """Make a report when a fault is about to kill a task; `recent` are the last lines of its trace."""

        def on_death(task: Task, stop: Stop) -> None:
            from emu.postmortem import report

            self.post_mortem = report(task, stop, registers_of(task), recent)

        self.machine.on_death = on_death

    def go(self) -> int:
        """Run to the end; wait(2)'s status word of the first process."""
        attach(self.task)
        try:
            if self.console is not None:
                self.console.enter()
            if self.tracer is not None:
                self._announce_exec(self.tracer)
            self.machine.run()
        finally:
            if self.console is not None:
                self.console.restore()
            self.world.write_back()
            if self.tracer is not None:
                self.tracer.close()
        code = self.task.group.exit_code
        assert code is not None
        return code

    # --- the first process --------------------------------------------------------------------------------------------

    def _first_process(self, streams: tuple[HostStream, HostStream, HostStream]) -> Task:
        config, kernel = self.config, self.kernel
        context = self._context()
        file, guest_path = self._open_program()
        argv0 = config.argv0 if config.argv0 is not None else config.program
        args = [os.fsencode(argv0), *(arg if isinstance(arg, bytes) else os.fsencode(arg) for arg in config.args)]
        env = [os.fsencode(f"{name}={value}") for name, value in config.env.items()]
        cred = Credentials.of(config.uid, config.gid)
        group = ThreadGroup(kernel, kernel.new_pid())
        invocation = Invocation(file, os.fsencode(config.program), args, env)
        self.program = program = self._load(invocation, cred, group)
        task = Task(
            group, group.tgid, program.arch, mm=program.mm, files=FdTable(), fs=context, cred=cred, cpu=program.cpu
        )  # fmt: skip
        install(task, program)
        task.comm = comm_of(os.fsencode(guest_path))
        files, self.console = open_streams(self.world, streams, cred.uid, cred.gid)
        for stream in files:
            task.files.install(stream, limit=1024)
        if self.console is not None:
            group.tty = self.console.slave
        kernel.add(task)
        return task

    def _load(self, invocation: Invocation, cred: Credentials, group: ThreadGroup) -> Program:
        """Bring the program into memory; what is wrong with it is one line for the user."""
        name = self.config.program
        try:
            check_size(invocation.args, invocation.env, group.limit(RLIMIT_STACK))
            return self.programs.load(self.world, follow_scripts(self.world, invocation), cred, group.limits)
        except FormatError as error:
            raise NotExecutableError(f"{name}: {error.reason}") from None
        except InterpreterError as error:
            loader = os.fsdecode(error.name)
            raise NotFoundError(
                f"{name}: needs the dynamic loader {loader}, which is not in the guest (see --root)"
            ) from None
        except SysError as error:
            raise NotExecutableError(f"{name}: {error.message}") from None

    def _context(self) -> FsContext:
        if self.config.make_cwd:
            self.world.mkdir(self.config.cwd, 0o755)
        try:
            cwd = self.world.path(self.config.cwd)
        except SysError as error:
            raise UsageError(f"--cwd {self.config.cwd}: {error.message}") from None
        return FsContext(self.world.fs.root, cwd, umask=0o022)

    def _announce_exec(self, observer: Observer) -> None:
        """A trace begins with the execve that a shell would have made."""
        task = self.task
        observer.enter(task, task.arch, NUMBER[task.arch.name]["execve"], (*self.program.vectors, 0, 0, 0))
        observer.exit(task, 0)

    # --- finding the program ------------------------------------------------------------------------------------------

    def _open_program(self) -> tuple[File, str]:
        """The program's file in the guest, and its path there."""
        program = self.config.program
        guest_path = posixpath.normpath(posixpath.join(self.config.cwd, program))
        try:
            return self._open_executable(guest_path), guest_path
        except SysError as error:
            if error.errno in (EACCES, EISDIR, ELOOP):
                raise NotExecutableError(f"{program}: {error.message}") from None
            if error.errno not in (ENOENT, ENOTDIR):
                raise NotFoundError(f"{program}: {error.message}") from None
        self._import_program(program, guest_path)
        return self._open_executable(guest_path), guest_path

    def _open_executable(self, guest_path: str) -> File:
        file = fs_open.open(self.world, None, os.fsencode(guest_path), O_RDONLY)
        if file.inode.type != S_IFREG:
            raise SysError(EISDIR if file.inode.type == S_IFDIR else EACCES)
        if not file.inode.mode & 0o111:
            raise SysError(EACCES)
        return file

    def _import_program(self, program: str, guest_path: str) -> None:
        """Bring the program, and nothing else, in from the host, to the place that its name means in the guest."""
        try:
            with open(program, "rb") as source:  # noqa: PTH123  # as the user wrote it
                data = source.read()
                mode = os.fstat(source.fileno()).st_mode
        except FileNotFoundError:
            raise NotFoundError(f"{program}: No such file or directory") from None
        except IsADirectoryError:
            raise NotExecutableError(f"{program}: Is a directory") from None
        except OSError as error:
            raise NotExecutableError(f"{program}: {error.strerror}") from None
        if not mode & 0o111:
            raise NotExecutableError(f"{program}: Permission denied (it is not executable)")
        self.world.mkdir(posixpath.dirname(guest_path), 0o755)
        self.world.write(guest_path, data, 0o755)
        self.world.forget_change(guest_path)


__all__ = ["Bind", "Result", "Sandbox", "TrapezeError"]
