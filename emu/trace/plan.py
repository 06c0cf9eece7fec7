"""Plans: how to decode the calls of one number on one architecture, worked out once and then only carried out.

A plan knows the call's parameters, which registers hold them, and a decoder for each. A `Context` is one call being
decoded: the plan, the caller's memory, the numbers in the registers, and later the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from emu.trace.value import Int, Remark, Value
from syscalls.abi.kinds import Kind, SwitchKind
from syscalls.spec import Spec

if TYPE_CHECKING:
    from syscalls.abi.arch import Arch


class Memory(Protocol):
    """The caller's memory, as far as decoding needs it (syscalls.kernel.ports.Memory, or a process of the host)."""

    def read(self, address: int, length: int) -> bytes: ...
    def read_some(self, address: int, length: int) -> bytes: ...
    def cstr(self, address: int, limit: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the memory is read."""

    string: int = 32  # bytes of a string, items of an array
    abbreviate: bool = True


class Context:
    """One call being decoded."""

    __slots__ = ("args", "fd_path", "limits", "memory", "notes", "plan", "previous", "restarting", "result", "values")

    def __init__(
        self,
        plan: Plan,
        memory: Memory,
        args: tuple[int, ...],
        limits: Limits,
        fd_path: Callable[[int], bytes | None] | None = None,
    ) -> None:
        self.plan = plan
        self.memory = memory
        self.args = args
        self.values: tuple[int, ...] = plan.take(args)  # one number per parameter
        self.limits = limits
        self.fd_path = fd_path
        self.result: int | None = None
        self.restarting = False  # the call ends with one of the kernel's restart codes
        self.previous = ""  # the call that was interrupted, for restart_syscall
        self.notes: dict[str, Any] = {}  # what was seen at the entry and is needed at the exit

    @property
    def arch(self) -> Arch:
        """Architecture of the call."""
        return self.plan.arch

    @property
    def failed(self) -> bool:
        """Is it over, with an error?"""
        return self.result is not None and self.result < 0

    def number(self, name: str) -> int:
        """The number in the registers of the parameter `name`."""
        return self.values[self.plan.index[name]]


#: (call, number in the registers) -> value; None: the argument is not shown.
Decoder = Callable[[Context, int], Value | None]


@dataclass(slots=True)
class Step:
    """One parameter: its name, its decoder, and whether that must wait for the end of the call."""

    name: str
    decode: Decoder
    exit: bool = False
    hidden: bool = False  # never shown


class Plan:
    """How the calls of one declaration are decoded on one architecture."""

    def __init__(self, name: str, number: int, arch: Arch, spec: Spec | None) -> None:
        self.name = name
        self.number = number
        self.arch = arch
        self.spec = spec
        self.index: dict[str, int] = {}
        self.steps: list[Step] = []
        self.take: Callable[[tuple[int, ...]], tuple[int, ...]] = tuple
        self.outputs = 0  # how many steps, from the first that is known only at the exit
        self.result: Callable[[Context, int], tuple[Value, Remark]] = _plain_result
        self.late_comma = False  # the comma before them is shown with them, not at the entry
        self.whole = False  # structures with all their members
        self.shows_mask = False  # context.notes["mask"] is to be the signal mask after the call
        self.at_entry: Callable[[Context], None] | None = None  # looks at what the call is going to change

    def ready(self) -> None:
        """All steps are there: find the first that waits for the exit."""
        known = next((i for i, step in enumerate(self.steps) if step.exit), len(self.steps))
        self.outputs = len(self.steps) - known
        self._entry = [(step.name, step.decode, i) for i, step in enumerate(self.steps[:known])]
        self._exit = [(step.name, step.decode, i) for i, step in enumerate(self.steps) if i >= known]

    def begin(self, context: Context) -> list[tuple[str, Value]]:
        """The arguments that are known when the call begins: those before the first that is not."""
        if self.at_entry is not None:
            self.at_entry(context)
        numbers = context.values
        args = []
        for name, decode, i in self._entry:
            value = decode(context, numbers[i])
            if value is not None:
                args.append((name, value))
        return args

    def end(self, context: Context, args: list[tuple[str, Value]]) -> None:
        """Add the others."""
        numbers = context.values
        for name, decode, i in self._exit:
            value = decode(context, numbers[i])
            if value is not None:
                args.append((name, value))

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kind of each parameter."""
        return {param.name: param.kind for param in self.spec.params} if self.spec else {}


def compile_take(spec: Spec, arch: Arch) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
    """registers -> one number per parameter, as one generated function: what is no scalar stays an address."""
    names: dict[str, Any] = {}
    items = []
    for param, indexes in spec.registers(arch):
        registers = [f"a[{i}]" for i in indexes]
        plain = param.kind.scalar and not isinstance(param.kind, SwitchKind)
        items.append(param.kind.decode(arch, registers, names) if plain else registers[0])
    source = "def take(a):\n return (" + "".join(f"{item}, " for item in items) + ")"
    exec(source, names)  # noqa: S102  # generated from the declaration alone
    return names["take"]  # type: ignore[no-any-return]  # generated


def _plain_result(_context: Context, number: int) -> tuple[Value, Remark]:
    return Int(number), ""
