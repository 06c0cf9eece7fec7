"""From a call's number to its answer: the table of one architecture, and the two ways through it.

`answer` is called by the engine for every trap, so its way is short: a dict, a generated decoder, the handler.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syscalls import spec as specs
from syscalls.abi.arch import Arch
from syscalls.abi.errno import EINTR, ENOSYS, SysError
from syscalls.abi.numbers import NAME
from syscalls.kernel.wait import Interrupted, Wait

if TYPE_CHECKING:
    from syscalls.kernel.task import Task


class Table(dict[int, specs.Compiled]):
    """Number -> decoder and handler, compiled when a number is first used."""

    def __init__(self, arch: Arch) -> None:
        super().__init__()
        self.arch = arch

    def __missing__(self, number: int) -> specs.Compiled:
        spec = spec_of(self.arch, number)
        if spec is None:
            return _enosys
        compiled = spec.compile(self.arch, start)
        if number <= 0xFFFFFFFF:  # a guest must not fill the table with garbage in the upper bits
            self[number] = compiled
        return compiled


def spec_of(arch: Arch, number: int) -> specs.Spec | None:
    """The declaration behind a number; the kernel looks only at 32 bits of it (do_syscall_64, el0_svc)."""
    name = NAME[arch.name].get(number & 0xFFFFFFFF)
    return specs.find(arch, name) if name else None


def _enosys(task: Task, args: tuple[int, ...]) -> int:
    del task, args
    raise SysError(ENOSYS)


class _Tables(dict[Arch, Table]):
    def __missing__(self, arch: Arch) -> Table:
        table = self[arch] = Table(arch)
        return table


_TABLES = _Tables()


def answer(task: Task, arch: Arch, number: int, args: tuple[int, ...]) -> int | None:
    """The result of a call: -errno on failure, None when there is none (yet).

    `task.sleeping` is then set when the call sleeps; otherwise it never returns.
    """
    try:
        return _TABLES[arch][number](task, args)
    except SysError as error:
        return -error.errno
    except Interrupted as interrupted:  # it would have slept, were it not for a signal that it raised itself
        restart = interrupted.restart or specs.Restart.SYS
        task.interrupted = Interruption(restart, (arch, number, args), task.cpu.get(task.arch.result))
        return -EINTR


def start(task: Task, spec: specs.Spec, coroutine: Coroutine[Wait, None, int | None]) -> int | None:
    """Run an async handler up to its result or its first sleep."""
    try:
        wait = coroutine.send(None)
    except StopIteration as done:
        result: int | None = done.value
        return result
    task.sleeping = Sleeping(spec, coroutine, wait)
    return None


@dataclass(frozen=True, slots=True)
class Interruption:
    """A call that a signal has ended: how it wants to go on, and what it takes to make it again."""

    restart: specs.Restart
    call: tuple[Arch, int, tuple[int, ...]] | None
    register: int  # what the result register held: the number (x86), or the first argument (arm64)


class Sleeping:
    """A call that waits: its coroutine and what it waits for now."""

    __slots__ = ("call", "coroutine", "spec", "wait")

    def __init__(self, spec: specs.Spec, coroutine: Coroutine[Wait, None, int | None], wait: Wait) -> None:
        self.spec = spec
        self.coroutine = coroutine
        self.wait = wait
        self.call: tuple[Arch, int, tuple[int, ...]] | None = None  # as it was made, for reports and for a restart

    def resume(self, task: Task, then: Callable[[Any], None]) -> bool:
        """Go on after a wake-up. True: the call is over and `then` has its result. False: it sleeps again."""
        try:
            self.wait = self.coroutine.send(None)
        except StopIteration as done:
            result = done.value
        except SysError as error:
            result = -error.errno
        except Interrupted as interrupted:
            task.interrupted = Interruption(
                interrupted.restart or self.spec.restart, self.call, task.cpu.get(task.arch.result)
            )
            result = -EINTR
        else:
            return False
        task.sleeping = None
        then(result)
        return True
