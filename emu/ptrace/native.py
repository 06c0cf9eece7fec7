"""Trace programs on the machine's own kernel: `trapeze trace --native` and `-p`, as functions.

status = trace_program("/bin/ls", ["-l"], sinks=[recording])
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import syscalls.linux  # noqa: F401  # declares all calls
from emu.errors import NotExecutableError, NotFoundError, TraceDeniedError, TrapezeError
from emu.ptrace.filter import program as filter_program
from emu.ptrace.start import start
from emu.ptrace.stream import NativeStream
from emu.ptrace.tracer import FOLLOW, HOST, OPTIONS, ExecError, Interrupted, NativeTracer, process_of
from syscalls.abi.arch import ARM64, BY_ELF_MACHINE, I386, X86_64
from syscalls.abi.errno import EACCES, EIO, ENOENT, EPERM, ESRCH
from syscalls.abi.ptrace import PTRACE_O_EXITKILL, PTRACE_O_TRACESECCOMP

if TYPE_CHECKING:
    from emu.trace.event import Sink
    from emu.trace.options import TraceOptions

#: What a kernel executes besides its own architecture's programs.
RUNS = {X86_64: (X86_64, I386), ARM64: (ARM64,), I386: (I386,)}
ENDING = (signal.SIGTERM, signal.SIGHUP)
FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


def trace_program(
    program: str,
    args: Sequence[str] = (),
    *,
    sinks: Iterable[Sink],
    options: TraceOptions | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    argv0: str | None = None,
    streams: tuple[int, int, int] | None = None,
    follow: bool = True,
    seccomp: bool = False,
) -> int:
    """Run a program of this machine to its end, and show the sinks what it and its children do.

    It has our streams (or the descriptors `streams`), environment and directory; nothing confines it. `follow` its
    children and threads. `seccomp`: stop only at the calls that `options` select, where a filter can do it. Returns
    the exit status as a shell has it, 128 + N for signal N. TrapezeError says why it could not be run or traced.
    While it runs, every child of this process is taken for a tracee.
    """
    path = find_program(program, env, cwd)
    stream = NativeStream(sinks, options)
    wanted = OPTIONS | PTRACE_O_EXITKILL | (FOLLOW if follow else 0)
    code = None
    if seccomp and follow and not stream.options.trace.inverted:
        code = filter_program(stream.options.trace, RUNS[HOST])
        wanted |= PTRACE_O_TRACESECCOMP
    try:
        argv = [program if argv0 is None else argv0, *args]
        started = start(path, argv, options=wanted, env=env, cwd=cwd, streams=streams, seccomp=code)
    except OSError as error:
        if error.errno == EPERM:
            raise TraceDeniedError(f"{program}: this process may not trace: {_why_denied()}") from None
        if cwd is not None and error.errno != ESRCH:
            raise TrapezeError(f"--cwd {cwd}: {error.strerror}") from None
        raise TrapezeError(f"{program}: cannot be traced: {error.strerror}") from None
    tracer = NativeTracer(stream, filtered=started.filtered)
    tracer.first = started.tracee.pid
    task = tracer.add(tracer.first, hidden=True)
    with _signals(tracer, ENDING, ignored=FROM_TERMINAL):
        try:
            tracer.resume(task)
            status = tracer.run()
        except ExecError as error:
            tracer.kill()
            raise _not_executed(program, error) from None
        except Interrupted as error:
            stream.detach()
            stream.close()
            return 128 + error.signo
        finally:
            tracer.kill()
    stream.close()
    return 128 + (status & 0x7F) if status & 0x7F else status >> 8


def trace_processes(
    pids: Iterable[int],
    *,
    sinks: Iterable[Sink],
    options: TraceOptions | None = None,
    follow: bool = True,
    detached: Callable[[int], object] = int,
) -> int:
    """Watch running processes, with all their threads if `follow`, until they end or a signal (Ctrl-C) tells us to go.

    They go on untraced then, and `detached` is told each one's id. Returns 0, or 128 + N for the signal.
    TrapezeError says which one cannot be traced; those that already were are let go.
    """
    stream = NativeStream(sinks, options)
    tracer = NativeTracer(stream)
    with _signals(tracer, (*ENDING, *FROM_TERMINAL)):
        try:
            for pid in pids:
                _attach(tracer, pid, follow=follow)
            tracer.run()
        except Interrupted as error:
            stream.detach()
            gone = sorted(tracer.tasks)
            tracer.release()
            for tid in gone:
                detached(tid)
            return 128 + error.signo
        finally:
            tracer.release()
            stream.close()
    return 0


# --- programs ---------------------------------------------------------------------------------------------------------


def find_program(program: str, env: Mapping[str, str] | None = None, cwd: str | None = None) -> str:
    """The path of a program: as a shell finds it, and one that this machine can execute. Else TrapezeError."""
    path = program
    if "/" not in program:
        search = (os.environ if env is None else env).get("PATH", os.defpath)
        found = shutil.which(program, path=search)
        if found is None:
            raise NotFoundError(f"{program}: not found in PATH")
        path = found
    file = Path(cwd or "", path)
    try:
        if file.is_dir():
            raise NotExecutableError(f"{program}: Is a directory")
        with file.open("rb") as opened:
            head = opened.read(20)
    except FileNotFoundError:
        raise NotFoundError(f"{program}: No such file or directory") from None
    except NotADirectoryError as error:
        raise NotFoundError(f"{program}: {error.strerror}") from None
    except OSError as error:  # it may be executable without being readable
        if error.errno != EACCES or not os.access(file, os.X_OK):
            raise NotExecutableError(f"{program}: {error.strerror}") from None
        return path
    if not os.access(file, os.X_OK):
        raise NotExecutableError(f"{program}: Permission denied")
    _check_machine(program, head)
    return path


def _check_machine(program: str, head: bytes) -> None:
    """A program of another architecture would be executed by an emulator at best, and that one be traced."""
    if not head.startswith(b"\x7fELF") or len(head) < 20:
        return
    arch = BY_ELF_MACHINE.get(int.from_bytes(head[18:20], "little"))
    if arch not in RUNS[HOST]:
        what = f"of {arch.name}" if arch else "of another architecture"
        raise NotExecutableError(f"{program}: a program {what} does not run natively on {HOST.name}")


def _not_executed(program: str, error: ExecError) -> TrapezeError:
    if error.errno == ENOENT:
        return NotFoundError(f"{program}: its interpreter does not exist")
    return NotExecutableError(f"{program}: {error}")


# --- processes --------------------------------------------------------------------------------------------------------


def _attach(tracer: NativeTracer, pid: int, *, follow: bool) -> None:
    """Seize a process; new threads may appear while we look, so look until there are none."""
    if process_of(pid) == os.getpid():
        raise TraceDeniedError(f"-p {pid}: trapeze cannot trace itself")
    wanted = OPTIONS | (FOLLOW if follow else 0)
    while True:
        new = [tid for tid in _threads(pid, follow=follow) if tid not in tracer.tasks]
        if not new:
            return
        for tid in new:
            _seize(tracer, tid, pid, wanted)


def _threads(pid: int, *, follow: bool) -> list[int]:
    if not follow:
        return [pid]
    try:
        return sorted(int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        raise TraceDeniedError(f"-p {pid}: there is no such process") from None


def _seize(tracer: NativeTracer, tid: int, pid: int, options: int) -> None:
    task = tracer.add(tid)
    try:
        task.tracee.seize(options)
        task.tracee.interrupt()
    except OSError as error:
        del tracer.tasks[tid]
        if error.errno == ESRCH and tid != pid:
            return  # a thread that has just ended
        raise TraceDeniedError(f"-p {pid}: {_why_not(tid, error)}") from None
    tracer.stream.born(tid, None)


def _why_not(pid: int, error: OSError) -> str:
    if error.errno == ESRCH:
        return "there is no such process"
    if error.errno not in (EPERM, EIO, EACCES):
        return error.strerror or str(error)
    status = _status(pid)
    tracer = status.get("TracerPid", "0")
    if tracer != "0":
        return f"it is already traced, by process {tracer}"
    if status.get("Kthread") == "1" or ("VmSize" not in status and status.get("State", "").startswith(("I", "S"))):
        return "it is a thread of the kernel"
    return _why_denied()


def _why_denied() -> str:
    """The machine's reason, as far as one can see it."""
    try:
        scope = YAMA.read_text().strip()
    except OSError:
        scope = "0"
    if scope != "0":
        return f"not permitted (kernel.yama.ptrace_scope is {scope}: see ptrace(2))"
    if _status(os.getpid()).get("Seccomp", "0") == "2":
        return "not permitted (a seccomp filter, as containers have, forbids ptrace)"
    return "not permitted (it belongs to somebody else, or CAP_SYS_PTRACE is missing)"


def _status(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


# --- signals ----------------------------------------------------------------------------------------------------------


@contextmanager
def _signals(
    tracer: NativeTracer, ending: Sequence[signal.Signals], ignored: Sequence[signal.Signals] = ()
) -> Iterator[None]:
    """Signals that end the tracing, and those of the terminal, which the program gets itself and answers as it likes.

    What was ignored before (nohup) stays so. Outside of the main thread nothing is changed.
    """
    handlers: dict[signal.Signals, Any] = dict.fromkeys(ending, tracer.interrupt)
    handlers |= dict.fromkeys(ignored, signal.SIG_IGN)
    handlers[signal.SIGTTOU] = signal.SIG_IGN  # the program may have put us into the terminal's background
    before = {}
    try:
        for number, handler in handlers.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    except ValueError:  # not the main thread
        pass
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
