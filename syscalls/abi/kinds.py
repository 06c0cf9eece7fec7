"""Kinds: what a parameter of a system call is.

A handler's parameters carry kinds as annotations: a type checker sees an int, bytes or a pointer object; `spec.py`
sees how to take the value out of the argument registers, and the tracer what it means. A kind is data: it says

- `slots`: how many argument registers it takes (a 64-bit integer takes two on i386),
- `decode`: the expression that the compiled decoder evaluates, in terms of the registers `a0`..`a5`,
- `out`: does the kernel write through it (so that a tracer shows it at the exit),
- `scalar`: can seccomp compare it (only what is in the registers).

Printing is the tracer's business (emu/trace): it chooses by the kind's class. Generic aliases do most of the work:
`In[Timespec]`, `Out[Stat]`, `InOut[...]` are pointers to structs; NULL is false; `.get()` and `.put()` raise EFAULT.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from syscalls.abi.arch import Arch
from syscalls.abi.cstruct import Layout, layout
from syscalls.abi.errno import EFAULT, SysError

if TYPE_CHECKING:
    from syscalls.kernel.ports import Memory

T = TypeVar("T")
PATH_MAX = 4096
U32_MASK = 0xFFFFFFFF


class Kind:
    """Base of all kinds: an unsigned number as wide as a register, taken as it is."""

    out = False
    scalar = True

    def slots(self, arch: Arch) -> int:
        """Argument registers it takes."""
        del arch
        return 1

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        """Python expression for the value; `mem` is the caller's memory; constants it needs go into `names`."""
        del arch, names
        return registers[0]


# --- numbers ----------------------------------------------------------------------------------------------------------


class IntKind(Kind):
    """A C int (or an unsigned one) of 32 bits, whatever the register held above."""

    def __init__(self, *, signed: bool = True) -> None:
        self.signed = signed

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        del arch, names
        if self.signed:
            return f"(({registers[0]} & 0xffffffff) ^ 0x80000000) - 0x80000000"
        return f"{registers[0]} & 0xffffffff"


class LongKind(Kind):
    """A C long: as wide as a register, signed."""

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        del names
        sign = 1 << arch.bits - 1
        return f"({registers[0]} ^ {sign:#x}) - {sign:#x}"


class ULongKind(Kind):
    """A C unsigned long or size_t: as wide as a register."""


class Int64Kind(Kind):
    """A 64-bit integer (loff_t, u64): one register, or two of them (low, high) on a 32-bit architecture."""

    def __init__(self, *, signed: bool = True) -> None:
        self.signed = signed

    def slots(self, arch: Arch) -> int:
        return 8 // arch.word

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        del names
        value = registers[0] if arch.word == 8 else f"({registers[0]} | {registers[1]} << 32)"
        return f"({value} ^ {1 << 63:#x}) - {1 << 63:#x}" if self.signed else value


class FlagsKind(IntKind):
    """Or-ed bits or an enumeration: `table` (syscalls/abi/flags.py) names them. 32 bits unless `wide`."""

    def __init__(self, table: Any, *, wide: bool = False, signed: bool = False) -> None:
        super().__init__(signed=signed)
        self.table = table
        self.wide = wide

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        return registers[0] if self.wide else super().decode(arch, registers, names)


class OpenFlagsKind(IntKind):
    """O_* of open(2): the handler sees x86's values on every architecture."""

    def __init__(self) -> None:
        super().__init__(signed=False)

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        from syscalls.abi.fcntl import open_flags_to_generic

        value = super().decode(arch, registers, names)
        if arch.name != "arm64":
            return value
        names["open_flags_to_generic"] = open_flags_to_generic
        return f"open_flags_to_generic({value})"


class ModeKind(IntKind):
    """mode_t: permission bits in octal. `when` names the flags parameter that decides whether it is shown at all."""

    def __init__(self, *, when: str = "", file_type: bool = False) -> None:
        super().__init__(signed=False)
        self.when = when
        self.file_type = file_type  # mknod(2): S_IFREG|0644


class FdKind(IntKind):
    """A file descriptor."""


class DirFdKind(FdKind):
    """A directory descriptor, or AT_FDCWD."""


class IdKind(IntKind):
    """A process, thread, user, group or session id; `what` is "pid", "uid" ..., for those who normalise traces."""

    def __init__(self, what: str, *, signed: bool = True, bits: int = 32) -> None:
        super().__init__(signed=signed)
        self.what = what
        self.bits = bits  # 16: the old uid_t of i386

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        if self.bits == 16:
            return f"{registers[0]} & 0xffff"
        return super().decode(arch, registers, names)


class SignalKind(IntKind):
    """A signal number."""


class SwitchKind(ULongKind):
    """A register whose meaning depends on the parameter `on` (fcntl's and ioctl's third, prctl's second ...).

    The handler gets the raw register. For the tracer, `cases` maps the other's value to the Kind that this one then
    has, or to None when it is not shown.
    """

    def __init__(self, on: str, cases: dict[int, Kind | None], default: Kind | None = None) -> None:
        self.on = on
        self.cases = cases
        self.default = default


# --- pointers ---------------------------------------------------------------------------------------------------------


class AddressKind(Kind):
    """An address that the call itself interprets (mmap, brk) or does not follow; shown in hexadecimal, NULL for 0."""

    scalar = False


class StringKind(Kind):
    """A NUL-terminated string, read before the handler runs: EFAULT, or ENAMETOOLONG beyond `limit`."""

    scalar = False

    def __init__(self, limit: int = PATH_MAX, *, nullable: bool = False) -> None:
        self.limit = limit
        self.nullable = nullable

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        del arch, names
        read = f"mem.cstr({registers[0]}, {self.limit})"
        return f"({read} if {registers[0]} else None)" if self.nullable else read


class PathKind(StringKind):
    """A pathname. Shown whole, never cut."""


class LateStringKind(StringKind):
    """A string of a call that checks other arguments first: an unreadable one is an `UnreadPath`."""

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        del arch
        names["path_at"] = path_at
        read = f"path_at(mem, {registers[0]}, {self.limit})"
        return f"({read} if {registers[0]} else None)" if self.nullable else read


class LatePathKind(LateStringKind, PathKind):
    """A pathname of such a call."""


class UnreadPath(bytes):
    """Stands for a pathname that could not be copied in, as getname's ERR_PTR does.

    Whoever resolves a path asks first whether it is empty: that is when `error` is raised.
    """

    error: SysError

    def __bool__(self) -> bool:
        raise SysError(self.error.errno)


def path_at(memory: Memory, address: int, limit: int) -> bytes:
    """The pathname at an address, or why there is none."""
    try:
        return memory.cstr(address, limit)
    except SysError as error:
        return unread_path(error)


def unread_path(error: SysError) -> UnreadPath:
    """A path that raises `error` when it is resolved."""
    path = UnreadPath(b"?")
    path.error = error
    return path


class BufferKind(Kind):
    """Bytes at an address; the parameter `count` is how many, and for an output the result says how many were put."""

    scalar = False

    def __init__(self, count: str, *, out: bool) -> None:
        self.count = count
        self.out = out

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        del arch
        names["Buffer"] = Buffer
        return f"Buffer(mem, {registers[0]})"


class PointerKind(Kind):
    """A pointer to a struct or a scalar; `item` is the Struct class or scalar type."""

    scalar = False

    def __init__(self, item: Any, *, out: bool, inout: bool = False) -> None:
        self.item = item
        self.out = out
        self.inout = inout

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        name = f"L{len(names)}"
        names[name] = layout(self.item, arch)
        names["Pointer"] = Pointer
        return f"Pointer(mem, {registers[0]}, {name})"


class ArrayKind(PointerKind):
    """A pointer to `count` items (iovec, pollfd ...); `count` names a parameter, or is a number.

    For an output, `filled` says how many are shown: "count", or "result" for the call's own result.
    """

    def __init__(
        self, item: Any, *, count: str | int, out: bool = False, inout: bool = False, filled: str = "count"
    ) -> None:
        super().__init__(item, out=out, inout=inout)
        self.count = count
        self.filled = filled


class StringsKind(Kind):
    """A NULL-terminated array of strings (argv, envp); the handler reads it."""

    scalar = False

    def __init__(self, *, brief: bool = False) -> None:
        self.brief = brief  # envp: strace shows only how many


class FdSetKind(Kind):
    """A pointer to an fd_set: one bit per descriptor below the parameter `count`, changed to those that are ready."""

    scalar = False

    def __init__(self, count: str = "nfds") -> None:
        self.count = count

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        names["FdSet"] = FdSet
        return f"FdSet(mem, {registers[0]}, {arch.word})"


# --- what handlers receive --------------------------------------------------------------------------------------------


class Buffer:
    """User memory at an address, of a length that another parameter tells."""

    __slots__ = ("address", "memory")

    def __init__(self, memory: Memory, address: int) -> None:
        self.memory = memory
        self.address = address

    def __bool__(self) -> bool:
        return self.address != 0

    def get(self, count: int) -> bytes:
        """`count` bytes."""
        return self.memory.read(self.address, count)

    def put(self, data: bytes) -> int:
        """Store `data`; its length."""
        if data:
            self.memory.write(self.address, data)
        return len(data)


class FdSet:
    """A user's fd_set, in whole longs. Absent (NULL) it is an empty one."""

    __slots__ = ("address", "memory", "word")

    def __init__(self, memory: Memory, address: int, word: int) -> None:
        self.memory = memory
        self.address = address
        self.word = word

    def get(self, count: int) -> frozenset[int]:
        """The descriptors below `count` that are in it."""
        if not self.address or count <= 0:
            return frozenset()
        bits = int.from_bytes(self.memory.read(self.address, self._size(count)), "little")
        return frozenset(fd for fd in range(count) if bits >> fd & 1)

    def put(self, count: int, fds: Iterable[int]) -> None:
        """Store which of the descriptors below `count` are in it."""
        if self.address and count > 0:
            bits = sum(1 << fd for fd in fds)
            self.memory.write(self.address, bits.to_bytes(self._size(count), "little"))

    def _size(self, count: int) -> int:
        return -(-count // (8 * self.word)) * self.word


class Pointer(Generic[T]):
    """A user pointer to a T. False when NULL."""

    __slots__ = ("address", "layout", "memory")

    def __init__(self, memory: Memory, address: int, layout: Layout[Any]) -> None:
        self.memory = memory
        self.address = address
        self.layout = layout

    def __bool__(self) -> bool:
        return self.address != 0

    @property
    def size(self) -> int:
        """sizeof(T)."""
        return self.layout.size

    def get(self) -> T:
        """copy_from_user: the value; EFAULT."""
        if not self.address:
            raise SysError(EFAULT)
        value: T = self.layout.unpack(self.memory.read(self.address, self.layout.size))
        return value

    def put(self, value: object) -> None:
        """copy_to_user of any object with the struct's fields as attributes (or an int, for a scalar)."""
        if not self.address:
            raise SysError(EFAULT)
        self.memory.write(self.address, self.layout.pack(value))

    def array(self, count: int) -> list[T]:
        """`count` values, one behind the other."""
        if not count:
            return []
        size = self.layout.size
        data = memoryview(self.memory.read(self.address, size * count))
        return [self.layout.unpack(data[i * size : (i + 1) * size]) for i in range(count)]

    def put_array(self, values: list[T]) -> None:
        """Store values one behind the other."""
        if values:
            self.memory.write(self.address, b"".join([self.layout.pack(value) for value in values]))

    def at(self, index: int) -> Pointer[T]:
        """Pointer to the item `index`."""
        return Pointer(self.memory, self.address + index * self.layout.size, self.layout)


class In(Pointer[T]):
    """Annotation: a pointer that the call reads."""


class Out(Pointer[T]):
    """Annotation: a pointer that the call writes."""


class InOut(Pointer[T]):
    """Annotation: a pointer that the call reads and writes."""


# --- the customary ones, ready to annotate with -----------------------------------------------------------------------

Int = Annotated[int, IntKind()]
UInt = Annotated[int, IntKind(signed=False)]
Long = Annotated[int, LongKind()]
ULong = Annotated[int, ULongKind()]
Size = Annotated[int, ULongKind()]
Int64 = Annotated[int, Int64Kind()]
UInt64 = Annotated[int, Int64Kind(signed=False)]
Address = Annotated[int, AddressKind()]
Fd = Annotated[int, FdKind()]
DirFd = Annotated[int, DirFdKind()]
Path = Annotated[bytes, PathKind()]
LatePath = Annotated[bytes, LatePathKind()]
OptionalLatePath = Annotated[bytes | None, LatePathKind(nullable=True)]
OptionalPath = Annotated[bytes | None, PathKind(nullable=True)]
String = Annotated[bytes, StringKind()]
Pid = Annotated[int, IdKind("pid")]
Uid = Annotated[int, IdKind("uid")]
Gid = Annotated[int, IdKind("gid")]
Uid16 = Annotated[int, IdKind("uid", bits=16)]
Gid16 = Annotated[int, IdKind("gid", bits=16)]
Signal = Annotated[int, SignalKind()]
Mode = Annotated[int, ModeKind()]
OpenFlags = Annotated[int, OpenFlagsKind()]
InBuf = Annotated[Buffer, BufferKind("count", out=False)]
OutBuf = Annotated[Buffer, BufferKind("count", out=True)]
Strings = Annotated[int, StringsKind()]


# --- results ----------------------------------------------------------------------------------------------------------


class Hex:
    """Result shown in hexadecimal (mmap, brk)."""


class Octal:
    """Result shown in octal (umask)."""


HexResult = Annotated[int, Hex()]
OctalResult = Annotated[int, Octal()]
FdResult = Annotated[int, FdKind()]
PidResult = Annotated[int, IdKind("pid")]
UidResult = Annotated[int, IdKind("uid")]
GidResult = Annotated[int, IdKind("gid")]
