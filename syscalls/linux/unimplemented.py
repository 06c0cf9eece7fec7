"""Every other system call: declared, so that traces show its arguments, and answered with ENOSYS.

unimplemented.txt has one line per call, `name(parameter: Kind, ...)`, as in a handler's signature. The kinds are those
of abi/kinds.py, tables and structs of abi, and the short ones below. A handler elsewhere takes a line's place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

from syscalls import spec as specs
from syscalls.abi import cstruct, kinds
from syscalls.abi.arch import ARCHES
from syscalls.abi.errno import ENOSYS, SysError
from syscalls.abi.kinds import ArrayKind, Buffer, BufferKind, FlagsKind, Pointer
from syscalls.spec import Spec, Support


def F(table: Any) -> Any:
    """Flags or an enumeration."""
    return Annotated[int, FlagsKind(table)]


def Read(count: str) -> Any:
    """A buffer that the call reads."""
    return Annotated[Buffer, BufferKind(count, out=False)]


def Write(count: str) -> Any:
    """A buffer that the call fills."""
    return Annotated[Buffer, BufferKind(count, out=True)]


def Array(item: Any, count: str) -> Any:
    """Several structs that the call reads."""
    return Annotated[Pointer[Any], ArrayKind(item, count=count)]


def Filled(item: Any, count: str) -> Any:
    """Several structs of which the call fills as many as its result says."""
    return Annotated[Pointer[Any], ArrayKind(item, count=count, out=True, filled="result")]


#: Modules of abi whose tables lines may name, and modules of structs.
_TABLES = "fcntl ipc mman mount poll process ptrace sched signal socket sockopt time wait"
_STRUCTS = "event process siginfo signal socket time uio ipc"
Environment = Annotated[int, kinds.StringsKind(brief=True)]


def _enosys(*_: object) -> NoReturn:
    """Not implemented."""
    raise SysError(ENOSYS)


class _Names(dict[str, Any]):
    """Where the kinds in a line are looked up; what they name is imported when a line is first used."""

    def __missing__(self, name: str) -> Any:
        if name in _TABLES.split():
            return import_module(f"syscalls.abi.{name}")
        structs = (import_module(f"syscalls.abi.structs.{module}") for module in _STRUCTS.split())
        for scope in (vars(kinds), *map(vars, structs), vars(cstruct), globals()):
            if name in scope:
                return scope[name]
        raise KeyError(name)


_NAMES = _Names()


@dataclass(eq=False)
class Declaration(Spec):
    """A Spec whose parameters are text until somebody asks for them."""

    prototype: dict[str, str] = field(default_factory=dict)

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return {name: eval(kind, {}, _NAMES) for name, kind in self.prototype.items()}  # noqa: S307  # our own file


def declare(line: str) -> Spec:
    """The declaration that a line stands for."""
    arch, _, rest = line.rpartition("@")[2].partition(" ") if line.startswith("@") else ("", "", line)
    absent = rest.startswith("- ")
    name, _, parameters = rest.removeprefix("- ").partition("(")
    parameters, _, result = parameters.rpartition(")")
    prototype = _annotations(parameters)
    if result:
        prototype["return"] = result.removeprefix(" -> ")
    support = Support.ABSENT if absent else Support.NONE
    return Declaration(_enosys, (name,), (ARCHES[arch],) if arch else (), support=support, prototype=prototype)


def _annotations(parameters: str) -> dict[str, str]:
    """Name -> kind, as text; commas within parentheses belong to the kind."""
    found: dict[str, str] = {}
    for part in parameters.split(", "):
        name, colon, kind = part.partition(": ")
        if colon:
            found[name] = kind
        elif part:
            last = next(reversed(found))
            found[last] += f", {part}"
    return found


def lines() -> list[str]:
    """The declarations, without blank lines and comments."""
    text = Path(__file__).with_name("unimplemented.txt").read_text(encoding="ascii")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


for _line in lines():
    specs.register(declare(_line))
