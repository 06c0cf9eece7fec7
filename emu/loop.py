"""The loop: pick a task, run it, act on why it stopped. No policy lives here: the kernel decides, the engine runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from emu.engine.base import Args, Cpu, OnFault, OnSyscall, Stop, StopReason
from emu.errors import InternalError, TrapezeError
from emu.virtual import BLOCK_NS, VirtualClock
from syscalls.abi.arch import Arch
from syscalls.abi.numbers import NAME
from syscalls.abi.prctl import SECCOMP_MODE_DISABLED
from syscalls.kernel import delivery, jobs, seccomp, signals
from syscalls.kernel.dispatch import answer
from syscalls.kernel.signals import SigInfo
from syscalls.kernel.task import Task

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel


#: Basic blocks that a task may run while somebody else waits for the processor: about a millisecond.
SLICE_BLOCKS = 1 << 15
#: A program that is refused more tasks than so many times what there may be will not stop asking.
REFUSALS = 2


class DeadlockError(TrapezeError):
    """Every task waits for something that can never happen."""

    status = 124


class BombError(TrapezeError):
    """The guest goes on making tasks although there may be no more."""

    status = 124


class Machine:
    """Runs the tasks of one kernel on their processors until none is left."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.slice_blocks: Callable[[], int] = lambda: SLICE_BLOCKS
        self.on_death: Callable[[Task, Stop], None] | None = None  # sees a task that a fault is about to kill

    def run(self) -> None:
        """Until the last task has ended."""
        kernel = self.kernel
        while (task := kernel.scheduler.pick()) is not None:
            self._step(task)
            if kernel.refused_tasks > REFUSALS * kernel.max_tasks:
                raise BombError(
                    f"fork bomb: {len(kernel.tasks)} tasks live, which is all there may be (--max-tasks), and"
                    f" {kernel.refused_tasks} more were refused: the run is ended"
                )
        if kernel.tasks:
            from emu.deadlock import report

            raise DeadlockError(report(kernel))

    def _step(self, task: Task) -> None:
        """One turn of a task: finish the call it slept in, deliver its signals, run its instructions."""
        self.kernel.current = task
        self.kernel.meter.turn(task)
        if task.sleeping is not None:
            self._resume(task)
            if task.sleeping is not None:
                return
        if signals.has_pending(task):
            delivery.deliver(task)
        if task.alive and task.group.stopped:
            jobs.park(task)
        elif task.alive:
            cpu = _cpu(task)
            scheduler = self.kernel.scheduler
            scheduler.sliced = scheduler.contended
            scheduler.yielded = scheduler.goes_on = False
            blocks = self.slice_blocks() if scheduler.sliced else None
            stop = cpu.run(blocks)
            if stop.reason is StopReason.SIGNAL:
                self._fault(task, stop)
            elif stop.reason is StopReason.PREEMPTED:
                if isinstance(self.kernel.clock, VirtualClock):
                    self.kernel.clock.spend((blocks or 0) * BLOCK_NS)
                task.usage.involuntary += 1
                scheduler.hogged += 1
                scheduler.tick()
            if task.alive:
                self._requeue(task)

    def _requeue(self, task: Task) -> None:
        if task.sleeping is not None:
            self.kernel.scheduler.sleep(task)
        elif self.kernel.scheduler.goes_on:
            self.kernel.scheduler.ready_first(task)
        else:
            self.kernel.scheduler.ready(task)

    def _resume(self, task: Task) -> None:
        sleeping = task.sleeping
        assert sleeping is not None
        try:
            over = sleeping.resume(task, lambda result: self._finish(task, result))
        except TrapezeError:
            raise
        except Exception as error:
            raise internal_error(sleeping.call, error) from error
        if not over:
            self.kernel.scheduler.sleep(task)

    def _finish(self, task: Task, result: int | None) -> None:
        """A call that slept is over."""
        if self.kernel.observer is not None:
            self.kernel.observer.exit(task, result)
        if result is not None and task.alive:
            task.cpu.set(task.arch.result, result & task.arch.mask)

    def _fault(self, task: Task, stop: Stop) -> None:
        """An instruction raised a signal."""
        info = SigInfo(stop.signal, stop.code, address=stop.address)
        if stop.fault is not None:
            number, error, address = stop.fault
            task.fault = number, error, task.fault[2] if address is None else address
        if self.on_death is not None and signals.would_kill(task, info.signo):
            self.on_death(task, stop)
        signals.force(task, info)


def attach(task: Task) -> None:
    """Connect a task's processor with the kernel: its system calls and its page faults."""
    cpu = _cpu(task)
    on_syscall = _traced(task) if task.kernel.observer is not None else _plain(task)
    clock = task.kernel.clock
    cpu.on_syscall = clock.ticking(on_syscall) if isinstance(clock, VirtualClock) else on_syscall
    cpu.on_fault = _counted(task)


def _counted(task: Task) -> OnFault:
    fault, usage = task.mm.fault, task.usage

    def on_fault(address: int, access: int) -> tuple[int, int] | None:
        usage.faults += 1
        return fault(address, access)

    return on_fault


def _plain(task: Task, leave: Callable[[Task, int | None], None] | None = None) -> OnSyscall:
    """The hot way from trap to answer. `leave` is told the result of each call that does not sleep."""
    pending, group_pending = task.signals.pending, task.group.signals.pending
    kernel, usage = task.kernel, task.usage
    respond = answer if task.seccomp.mode == SECCOMP_MODE_DISABLED else seccomp.answer
    ready = kernel.scheduler.queue

    def on_syscall(arch: Arch, number: int, args: Args) -> int | None:
        usage.calls += 1
        try:
            result = respond(task, arch, number, args)
        except Exception as error:
            raise internal_error((arch, number, args), error) from error
        if result is None and task.sleeping is not None:
            task.sleeping.call = (arch, number, args)
            return None
        if leave is not None:
            leave(task, result)
        if result is not None and (pending or group_pending or ready or kernel.attention):
            return _stop_if_needed(task, arch, result)
        return result

    return on_syscall


def _traced(task: Task) -> OnSyscall:
    """The same with an observer told of each call."""
    observer = task.kernel.observer
    assert observer is not None

    def leave(task: Task, result: int | None) -> None:
        observer.exit(task, None if signals.is_killed(task) else result)

    plain = _plain(task, leave)

    def on_syscall(arch: Arch, number: int, args: Args) -> int | None:
        observer.enter(task, arch, number, args)
        return plain(arch, number, args)

    return on_syscall


def _stop_if_needed(task: Task, arch: Arch, result: int) -> int | None:
    """After a call: deliver signals, and end the run when it cannot go on or somebody waits for an endless turn."""
    kernel = task.kernel
    if kernel.attention:
        kernel.expire_timers()
    scheduler = kernel.scheduler
    if signals.has_pending(task):
        task.cpu.set(arch.result, result & arch.mask)
        if arch is not task.arch:  # whose result register is not all of the task's
            return None
        delivery.deliver(task)
        if not task.alive or task.group.stopped or (scheduler.contended and not scheduler.sliced):
            return None
        return task.cpu.get(arch.result)
    if scheduler.sliced or not scheduler.contended:
        return result
    if not scheduler.yielded and scheduler.choose is None:  # it has woken somebody, but may finish what it does
        if _cpu(task).begin_slice(SLICE_BLOCKS):
            scheduler.sliced = True
            return result
        scheduler.goes_on = True
    task.cpu.set(arch.result, result & arch.mask)
    return None


def registers_of(task: Task) -> dict[str, int]:
    """All registers of a task, for people."""
    return _cpu(task).registers()


def _cpu(task: Task) -> Cpu:
    cpu = task.cpu
    assert hasattr(cpu, "run")
    return cpu  # type: ignore[return-value]  # the kernel sees only the registers of it


def internal_error(call: tuple[Arch, int, tuple[int, ...]] | None, error: Exception) -> InternalError:
    """A fault of ours, named by the system call that met it."""
    where = "between system calls"
    if call is not None:
        arch, number, args = call
        name = NAME[arch.name].get(number & 0xFFFFFFFF, f"syscall_{number:#x}")
        where = f"in {name}({', '.join(f'{arg:#x}' for arg in args)}) of {arch.name}"
    return InternalError(f"internal error of trapeze {where}: {type(error).__name__}: {error}")
