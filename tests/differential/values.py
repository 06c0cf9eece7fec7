# ruff: noqa: E501  # tables of text
"""What the arguments of a script are made of: references to results, and blobs of memory that calls point at.

`b"x"` is a string with its NUL. `out(n)` is n bytes to be filled; `fill(n)` n bytes of 0xaa to be read; `ints(...)`,
`longs(...)` and `words(...)` are arrays of int, long and u64; `array(...)` of anything; `Timespec(tv_sec=1)`, like
every struct of syscalls/abi/structs, is that struct, read or filled; `iov(...)` an iovec for each blob in it; `edge(x)`
places x so that it ends where memory does; `at(x, n)` points n bytes behind its begin; `dirents(n)` are n bytes for
getdents64; `M(i)` is the address of page i of a region that a script may map; BAD and KERNEL point at nothing.
"""

from __future__ import annotations

import inspect
import struct
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from syscalls.abi import errno, fcntl
from syscalls.abi.arch import ARCHES, Arch
from syscalls.abi.cstruct import Chars, Layout, Struct, layout

if TYPE_CHECKING:
    from tests.differential.decode import Names
    from tests.differential.encode import Placer

FILLER = 0xAA
REGION, REGION_PAGES = 0x30000000, 64
BAD_ADDRESS = 0x22000000


class ScriptError(Exception):
    """A script that cannot be run: an unknown name, a call that is not on this architecture."""


@dataclass(frozen=True)
class Ref:
    """The result of an earlier step (index None), or an int that it stored."""

    name: str
    index: int | None = None
    negative: bool = False

    def __getitem__(self, index: int) -> Ref:
        return Ref(self.name, index)

    def __neg__(self) -> Ref:
        return Ref(self.name, self.index, not self.negative)


class Symbol:
    """An address inside the replaying program: 0 its signal handler, 1 the restorer."""

    def __init__(self, index: int) -> None:
        self.index = index


class Blob:
    """Bytes that a call points at."""

    align = 8

    def data(self, arch: Arch) -> bytes | None:
        """Its first content; None: filler."""
        raise NotImplementedError

    def size(self, arch: Arch) -> int:
        return len(self.data(arch) or b"")

    def place(self, placer: Placer) -> int:
        """Put it into the arena; its address."""
        data = self.data(placer.arch)
        return placer.alloc(self, self.size(placer.arch), data)

    def show(self, data: bytes, names: Names) -> str:
        """What the call left in it."""
        raise NotImplementedError


class Bytes(Blob):
    align = 1

    def __init__(self, value: bytes | str) -> None:
        self.value = (value.encode() if isinstance(value, str) else value) + b"\0"

    def data(self, arch: Arch) -> bytes:
        return self.value

    def show(self, data: bytes, names: Names) -> str:
        return repr(data)


class out(Blob):
    def __init__(self, size: int) -> None:
        self.count = size

    def data(self, arch: Arch) -> None:
        return None

    def size(self, arch: Arch) -> int:
        return self.count

    def show(self, data: bytes, names: Names) -> str:
        data = data.rstrip(bytes([FILLER]))
        return names.text(data if len(data) <= 80 else data[:40] + b"..." + data[-8:] + b"/%d" % len(data))


class fill(out):
    pass


class dirents(out):
    def show(self, data: bytes, names: Names) -> str:
        entries, at = [], 0
        while at + 19 < len(data) and data[at : at + 4] != bytes([FILLER] * 4):
            _, _, length, kind = struct.unpack_from("<QqHB", data, at)
            entries.append(f"{data[at + 19 : at + length].split(bytes(1))[0].decode('latin1')}:{kind}")
            at += length
            if not length:
                break
        return "{" + " ".join(sorted(entries)) + "}"


class Array(Blob):
    """Scalars of one width; references are stored when the call is made."""

    def __init__(self, width: str, values: tuple[Any, ...]) -> None:
        self.width, self.values = width, values

    def _width(self, arch: Arch) -> int:
        return {"int": 4, "long": arch.word, "word": 8}[self.width]

    def data(self, arch: Arch) -> bytes:
        width = self._width(arch)
        numbers = [value if isinstance(value, int) else 0 for value in self.values]
        return b"".join((number & (1 << 8 * width) - 1).to_bytes(width, "little") for number in numbers)

    def place(self, placer: Placer) -> int:
        address, width = super().place(placer), self._width(placer.arch)
        for index, value in enumerate(self.values):
            if not isinstance(value, int):
                placer.store(address + index * width, width, value)
        return address

    def show(self, data: bytes, names: Names) -> str:
        width = self._width(names.arch)
        numbers = [int.from_bytes(data[i : i + width], "little", signed=True) for i in range(0, len(data), width)]
        return "[" + " ".join(names.integer(number) for number in numbers) + "]"


class StructBlob(Blob):
    def __init__(self, type_: type[Struct], fields: dict[str, Any]) -> None:
        self.type, self.fields = type_, fields

    def _layout(self, arch: Arch) -> Layout[Any]:
        return layout(self.type, arch)

    def data(self, arch: Arch) -> bytes:
        known = {field.name for field in self._layout(arch).fields}
        if unknown := set(self.fields) - known:
            raise ScriptError(f"{self.type.__name__} has no {unknown} on {arch.name}")
        plain = {name: value for name, value in self.fields.items() if isinstance(value, int | bytes)}
        return self._layout(arch).pack(self._layout(arch).type(**plain))

    def place(self, placer: Placer) -> int:
        nested = {name: value for name, value in self.fields.items() if not isinstance(value, int | bytes)}
        addresses = {name: value.place(placer) for name, value in nested.items() if isinstance(value, Blob)}
        address = super().place(placer)
        for field in self._layout(placer.arch).fields:
            if field.name in nested:
                placer.store(address + field.offset, field.size, addresses.get(field.name, nested[field.name]))
        return address

    def show(self, data: bytes, names: Names) -> str:
        return names.struct(self._layout(names.arch).unpack(data))


class Many(Blob):
    """Blobs one behind the other."""

    def __init__(self, items: tuple[Blob, ...]) -> None:
        self.items = items

    def place(self, placer: Placer) -> int:
        return placer.array(self.items)


class Edge(Blob):
    def __init__(self, item: Blob) -> None:
        self.item = item

    def size(self, arch: Arch) -> int:
        return self.item.size(arch)

    def place(self, placer: Placer) -> int:
        return placer.at_edge(self.item)


class At(Blob):
    def __init__(self, item: Blob, offset: int) -> None:
        self.item, self.offset = item, offset

    def size(self, arch: Arch) -> int:
        return self.item.size(arch) - self.offset

    def place(self, placer: Placer) -> int:
        return self.item.place(placer) + self.offset


class Iov(Blob):
    """struct iovec for each item; (item, length) says another length than its own."""

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items

    def place(self, placer: Placer) -> int:
        arch, pairs = placer.arch, []
        for item in self.items:
            blob, length = item if isinstance(item, tuple) else (item, None)
            blob = as_blob(blob)
            if length is None and isinstance(blob, int):
                length = 1
            elif length is None:
                length = blob.size(arch) - isinstance(getattr(blob, "item", blob), Bytes)
            pairs += [blob if isinstance(blob, int) else blob.place(placer), length]
        return Array("long", tuple(pairs)).place(placer)


def as_blob(value: Any) -> Any:
    """Literal bytes and strings as blobs."""
    return Bytes(value) if isinstance(value, bytes | str) else value


def sockaddr(path: bytes) -> Blob:
    """sockaddr_un of `path`, without a NUL behind it unless given."""
    return exact(b"\1\0" + path)


class exact(Blob):
    """Just these bytes."""

    align = 8

    def __init__(self, value: bytes) -> None:
        self.value = value

    def data(self, arch: Arch) -> bytes:
        return self.value

    def show(self, data: bytes, names: Names) -> str:
        return names.text(data)


class Rights(Blob):
    """A control message with descriptors: SCM_RIGHTS."""

    def __init__(self, fds: tuple[Any, ...]) -> None:
        self.fds = fds

    def place(self, placer: Placer) -> int:
        word = placer.arch.word
        length = word + 8 + 4 * len(self.fds)
        head = length.to_bytes(word, "little") + struct.pack("<ii", 1, 1)
        address = placer.alloc(exact(b""), length + -length % word, head + bytes(length - len(head) + -length % word))
        for index, fd in enumerate(self.fds):
            placer.store(address + word + 8 + 4 * index, 4, fd)
        return address


_BUILDERS: dict[str, Any] = {
    "out": out, "fill": fill, "dirents": dirents, "exact": exact, "sockaddr": sockaddr, "edge": lambda x: Edge(as_blob(x)),
    "at": lambda item, offset: At(as_blob(item), offset), "iov": lambda *items: Iov(items),
    "array": lambda *items: Many(items), "ints": lambda *values: Array("int", values),
    "longs": lambda *values: Array("long", values), "words": lambda *values: Array("word", values),
    "rights": lambda *fds: Rights(fds), "M": lambda page, offset=0: REGION + page * 4096 + offset,
    "sigset": lambda *signals: Array("word", (sum(1 << signal - 1 for signal in signals),)),
    "mask": lambda *signals: sum(1 << signal - 1 for signal in signals),
    "NULL": 0, "BAD": BAD_ADDRESS, "KERNEL": -4096, "CONSTS": 0x23000000, "HANDLER": Symbol(0), "RESTORER": Symbol(1),
    "SIG_DFL": 0, "SIG_IGN": 1, "FIONREAD": 0x541B, "FIONBIO": 0x5421, "FIOCLEX": 0x5451, "FIONCLEX": 0x5450,
    "FIOASYNC": 0x5452, "FIOQSIZE": 0x5460, "GONE": 0x3FFFFFF0,
}  # fmt: skip
_MODULES = ["fcntl", "mman", "poll", "process", "resource", "sched", "signal", "socket", "sockopt", "stat", "time", "uio", "wait", "xattr", "prctl", "limits", "futex", "ioctl", "mount", "ipc", "random"]  # fmt: skip
_STRUCTS = [
    "dirent",
    "event",
    "file",
    "memory",
    "process",
    "siginfo",
    "signal",
    "socket",
    "stat",
    "system",
    "time",
    "uio",
]
#: structs that the calls' newer names on i386 take
_I386 = {"Timespec": "Timespec64", "Itimerspec": "Itimerspec64", "Stat": "Stat64"}


@cache
def vocabulary(arch: Arch) -> dict[str, Any]:
    """Every name that a script may use on `arch`."""
    names: dict[str, Any] = {}
    for module in _MODULES:
        for name, value in vars(import_module(f"syscalls.abi.{module}")).items():
            if name.isupper() and isinstance(value, int):
                names.setdefault(name, value)
    for name in [name for name in names if name.startswith("O_")]:
        names[name] = fcntl.to_arch(arch, names[name])
    structs: dict[str, type[Struct]] = {}
    for module in _STRUCTS:
        for name, value in vars(import_module(f"syscalls.abi.structs.{module}")).items():
            if inspect.isclass(value) and issubclass(value, Struct):
                structs[name] = value  # noqa: PERF403  # with a condition of two lines
    for name in list(structs):
        chosen = structs[_I386.get(name, name) if arch.name == "i386" else name]
        names[name] = lambda chosen=chosen, **fields: StructBlob(chosen, fields)
    return names | _BUILDERS


def errno_name(number: int) -> str:
    """ENOENT for 2."""
    return errno.TABLE[number][0] if number in errno.TABLE else f"errno {number}"


_ = (ARCHES, Chars)
