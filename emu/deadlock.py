"""Who waits for what, when nobody can ever go on: one line for each task, with what it waits for and who has that."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emu.trace.decode import plan_of
from emu.trace.options import TraceOptions
from emu.trace.plan import Context, Limits
from emu.trace.text import Writer
from emu.trace.tracer import task_paths
from emu.trace.value import Fd
from syscalls.abi.errno import SysError
from syscalls.abi.fcntl import O_ACCMODE, O_RDONLY, O_WRONLY
from syscalls.abi.numbers import NAME
from syscalls.abi.signal import SIGNAL
from syscalls.mm.show import maps

if TYPE_CHECKING:
    from emu.trace.value import Value
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task

SHOWN = 20  # tasks; of a bomb nobody wants to see all
WAITS = frozenset({"wait4", "waitpid", "waitid"})


def report(kernel: Kernel) -> str:
    """Several lines, the first of them says it all."""
    tasks = list(kernel.tasks.values())
    lines = [f"deadlock: {_count(len(tasks))} and nothing can ever wake {'it' if len(tasks) == 1 else 'them'}"]
    lines += [f"  {_who(task)} {_what(task)}" for task in tasks[:SHOWN]]
    if len(tasks) > SHOWN:
        lines.append(f"  and {len(tasks) - SHOWN} more")
    return "\n".join(lines)


def _count(number: int) -> str:
    return "the only task waits" if number == 1 else f"all {number} tasks wait"


def _who(task: Task) -> str:
    thread = f" thread {task.tid}" if task.tid != task.group.tgid else ""
    return f"{task.group.tgid}{thread} ({task.comm.decode(errors='replace')})"


def _what(task: Task) -> str:
    if task.group.stopped:
        return f"is stopped by {SIGNAL.format(task.group.stopped)}; only SIGCONT or SIGKILL from another process help"
    sleeping = task.sleeping
    if sleeping is None or sleeping.call is None:
        return "sleeps"
    arch, number, registers = sleeping.call
    number &= 0xFFFFFFFF
    plan = plan_of(NAME[arch.name].get(number, sleeping.spec.name), number, arch, sleeping.spec)
    args = plan.begin(Context(plan, task.mm, registers, Limits(), task_paths(task)))
    more = ", ..." if plan.outputs and args else "..." if plan.outputs else ""
    text = f"sleeps in {plan.name}({Writer(TraceOptions(paths=True)).arguments(args)}{more})"
    details = list(_details(task, plan.name, registers[0], [value for _, value in args]))
    return f"{text}: {'; '.join(details)}" if details else text


def _details(task: Task, name: str, first: int, values: list[Value]) -> Iterator[str]:
    """What is behind the arguments."""
    if name.startswith("futex"):
        yield f"the futex is {_place(task, first)}"
    if name in WAITS:
        children = ", ".join(str(child.tgid) for child in task.group.children)
        yield f"its children are {children}" if children else "it has no children"
    for value in values:
        if isinstance(value, Fd) and value.value >= 0:
            yield from _holders(task, value.value)


def _place(task: Task, address: int) -> str:
    """The mapping that an address is in, and what stands there."""
    word = "?"
    with contextlib.suppress(SysError):
        word = str(int.from_bytes(task.mm.read(address, 4), "little"))
    for row in maps(task.mm):
        if row.start <= address < row.end:
            path = row.path.decode(errors="replace") or "anonymous memory"
            return (
                f"{address - row.start:#x} bytes into {path} ({row.start:x}-{row.end:x} {row.perms}) and holds {word}"
            )
    return f"at {address:#x}"


def _holders(task: Task, fd: int) -> Iterator[str]:
    """Who has the same file open, and for what."""
    try:
        inode = task.files.get_any(fd).inode
    except SysError:
        return
    held: dict[int, list[str]] = {}
    for other in task.kernel.tasks.values():
        if other.group.tgid in held:
            continue
        for number in other.files:
            file = other.files.get_any(number)
            if file.inode is inode:
                access = file.flags & O_ACCMODE
                use = "reads" if access == O_RDONLY else "writes" if access == O_WRONLY else "reads and writes"
                held.setdefault(other.group.tgid, []).append(f"{number} {use}")
    for pid, uses in held.items():
        yield f"open in {pid} (descriptor {', '.join(uses)})"
