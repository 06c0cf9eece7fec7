"""`@syscall`: the single source of truth about each system call.

    @syscall()
    def getcwd(task: Task, buf: OutBuf, size: Size) -> int:
        \"\"\"Store the absolute pathname of the working directory (getcwd(2)).\"\"\"

The function's parameters are the C prototype with the man page's names; their annotations are kinds (abi/kinds.py).
Numbers are not here: they come from abi/numbers.tsv by name. From a `Spec` come the dispatch table, the trace, the
support table, seccomp's comparable arguments and the generic tests.

A plain `def` never sleeps; an `async def` may, and `restart` says what a signal then does to it (signal(7)). Success is
a non-negative int, failure raises SysError; `NO_RETURN` means that the call does not come back to where it was made.

Declaring costs next to nothing: annotations are read when a call is first used.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from syscalls.abi.arch import ARCHES, Arch
from syscalls.abi.kinds import In, InOut, IntKind, Kind, Out, PointerKind
from syscalls.abi.numbers import NUMBER

#: Result of a call after which the registers are not touched: exit, execve, rt_sigreturn.
NO_RETURN: Final = None

Handler = Callable[..., Any]
#: (task, the six raw arguments) -> result, or None: no result yet (asleep) or none at all.
Compiled = Callable[[Any, tuple[int, ...]], "int | None"]


class Restart(Enum):
    """What a call that a signal interrupts says to the kernel (include/linux/errno.h); seen only by tracers."""

    SYS = "ERESTARTSYS"
    NOINTR = "ERESTARTNOINTR"
    NOHAND = "ERESTARTNOHAND"
    BLOCK = "ERESTART_RESTARTBLOCK"


class Support(Enum):
    """How far a call is implemented."""

    FULL = "implemented"
    PARTIAL = "partial"
    NONE = "not yet"
    ABSENT = "obsolete"  # Linux itself answers ENOSYS


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: the man page's name and its kind."""

    name: str
    kind: Kind


@dataclass(eq=False)
class Spec:
    """One system call (or several names of one), on some or all architectures."""

    handler: Handler
    names: tuple[str, ...]
    only: tuple[Arch, ...] = ()
    partial: str = ""
    restart: Restart = Restart.SYS
    support: Support = Support.FULL
    source: dict[str, str] = field(default_factory=dict)  # the generated decoder, per architecture, for debugging

    @property
    def name(self) -> str:
        """The first name."""
        return self.names[0]

    @property
    def doc(self) -> str:
        """One line for people."""
        return (inspect.getdoc(self.handler) or "").split("\n", 1)[0]

    @property
    def weak(self) -> bool:
        """Does it only say that there is no implementation?"""
        return self.support in (Support.NONE, Support.ABSENT)

    @cached_property
    def is_async(self) -> bool:
        """May it sleep?"""
        return inspect.iscoroutinefunction(self.handler)

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.handler, self.handler.__globals__, _NAMES, include_extras=True)

    @cached_property
    def params(self) -> tuple[Param, ...]:
        """The parameters behind `task`."""
        hints = {name: hint for name, hint in self._hints.items() if name not in {"task", "return"}}
        return tuple(Param(name, kind_of(hint)) for name, hint in hints.items())

    @cached_property
    def result(self) -> Any:
        """What the result is: Hex, Octal, an FdKind ..., or None for a plain number."""
        hint = self._hints.get("return")
        return get_args(hint)[1] if get_origin(hint) is Annotated else None

    def registers(self, arch: Arch) -> list[tuple[Param, list[int]]]:
        """Each parameter with the indexes of the argument registers that hold it."""
        placed, index = [], 0
        for param in self.params:
            slots = param.kind.slots(arch)
            placed.append((param, list(range(index, index + slots))))
            index += slots
        return placed

    def compile(self, arch: Arch, start: Callable[..., int | None]) -> Compiled:
        """The decoder for `arch`, as one generated function. `start` runs the coroutine of an async handler."""
        if self.weak:
            return self.handler  # it answers ENOSYS without a look at the arguments
        names: dict[str, Any] = {"fn": self.handler, "start": start, "spec": self}
        values = [
            param.kind.decode(arch, [f"a[{i}]" for i in indexes], names) for param, indexes in self.registers(arch)
        ]
        call = f"fn({', '.join(['task', *values])})"
        lines = ["def decode(task, a):"]
        if any("mem" in value for value in values):
            lines.append("    mem = task.mm")
        lines.append(f"    return start(task, spec, {call})" if self.is_async else f"    return {call}")
        self.source[arch.name] = "\n".join(lines)
        exec(self.source[arch.name], names)  # noqa: S102  # generated from the declaration alone
        return names["decode"]  # type: ignore[no-any-return]  # generated

    def __repr__(self) -> str:
        return f"<Spec {self.name}>"


#: Names that annotations may use although handlers import them for type checking only.
_NAMES: dict[str, Any] = {"Task": object}

#: (architecture name, call name) -> Spec
_SPECS: dict[str, dict[str, Spec]] = {name: {} for name in ARCHES}


def syscall(
    *names: str,
    only: Arch | Iterable[Arch] = (),
    partial: str = "",
    restart: Restart = Restart.SYS,
) -> Callable[[Handler], Handler]:
    """Declare the decorated function as the answer to the calls `names` (default: its own name).

    `only` limits the declaration to some architectures, and wins over one without; `partial` is a sentence that users
    read about what is missing.
    """

    def declare(handler: Handler) -> Handler:
        arches = (only,) if isinstance(only, Arch) else tuple(only)
        support = Support.PARTIAL if partial else Support.FULL
        register(Spec(handler, names or (handler.__name__,), arches, partial, restart, support))
        return handler

    return declare


def register(spec: Spec) -> None:
    """File a declaration; a name may be declared once per architecture. An implementation replaces its absence."""
    for arch in spec.only or ARCHES.values():
        specs = _SPECS[arch.name]
        for name in spec.names:
            known = specs.get(name)
            if known is not None and known.weak != spec.weak:
                specs[name] = known if spec.weak else spec
                continue
            if known is not None and bool(known.only) == bool(spec.only):
                raise ValueError(f"{name} is declared twice on {arch.name}")
            if known is None or spec.only:
                specs[name] = spec


def specs(arch: Arch) -> dict[str, Spec]:
    """Every declared call that has a number on `arch`, by name."""
    if _loader is not None:
        _loader(None)
    numbers = NUMBER[arch.name]
    return {name: spec for name, spec in _SPECS[arch.name].items() if name in numbers}


def find(arch: Arch, name: str) -> Spec | None:
    """The declaration of a call on `arch`."""
    if name not in NUMBER[arch.name]:
        return None
    if name not in _loaded:
        _loaded.add(name)
        if _loader is not None:
            _loader(name)
    return _SPECS[arch.name].get(name)


#: Imports the modules that declare a call (None: all calls), so that a run loads only the handlers that it uses.
_loader: Callable[[str | None], None] | None = None
_loaded: set[str] = set()


def provide(loader: Callable[[str | None], None]) -> None:
    """Let `loader` be asked for each call when it is first looked up; `syscalls.linux` does so."""
    global _loader  # noqa: PLW0603  # one kernel in a process
    _loader = loader


def kind_of(hint: Any) -> Kind:
    """The kind that an annotation stands for."""
    origin = get_origin(hint)
    if origin is Annotated:
        for item in hint.__metadata__:
            if isinstance(item, Kind):
                return item
    if origin in (In, Out, InOut):
        return PointerKind(get_args(hint)[0], out=origin is not In, inout=origin is InOut)
    if hint is int:
        return IntKind()
    raise TypeError(f"{hint!r} is not the kind of a system call's parameter")
