"""C structs, declared once, laid out per architecture.

    class Timespec(Struct):
        sec: Long
        nsec: Long

    layout(Timespec, I386).size        # 8
    layout(Timespec, X86_64).pack(ts)  # bytes; any object with the attributes `sec` and `nsec` will do
    layout(Timespec, ARM64).unpack(b)  # a Timespec

Offsets and padding follow the architecture's psABI: natural alignment, but 4 bytes for 64-bit integers on i386.
`class EpollEvent(Struct, packed={"x86_64"})` drops the padding there. A struct whose fields themselves differ is one
class per architecture: `class StatI386(Struct, variant_of=Stat, arches={"i386"})`; `layout(Stat, I386)` finds it.
A field may carry how to print it, behind its C type: `mode: Annotated[U32, FILE_MODE]`. Fields whose names begin with
an underscore are padding: zero, neither read nor shown.

Declaring costs nothing at import; a layout is computed when it is first used.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args, get_origin, get_type_hints

from syscalls.abi.arch import Arch


class CType:
    """A scalar C type: `code` is its struct(3) letter, "l" and "P" are as wide as the architecture's word."""

    __slots__ = ("code",)

    def __init__(self, code: str) -> None:
        self.code = code

    def letter(self, arch: Arch) -> str:
        """The struct module's letter on `arch`."""
        if self.code in "lLP":
            return {("l", 8): "q", ("l", 4): "i"}.get((self.code, arch.word), "Q" if arch.word == 8 else "I")
        return self.code

    def __repr__(self) -> str:
        return f"CType({self.code!r})"


class Chars:
    """char[count], as bytes (padded with zeros)."""

    __slots__ = ("count",)

    def __init__(self, count: int) -> None:
        self.count = count


class Repeat:
    """T[count], as a tuple of `count` values; T is a scalar type below or a Struct."""

    __slots__ = ("count", "item")

    def __init__(self, item: Any, count: int) -> None:
        self.item = item
        self.count = count


U8 = Annotated[int, CType("B")]
I8 = Annotated[int, CType("b")]
U16 = Annotated[int, CType("H")]
I16 = Annotated[int, CType("h")]
U32 = Annotated[int, CType("I")]
I32 = Annotated[int, CType("i")]
U64 = Annotated[int, CType("Q")]
I64 = Annotated[int, CType("q")]
CLong = Annotated[int, CType("l")]
CULong = Annotated[int, CType("L")]
CPtr = Annotated[int, CType("P")]

_SIZES = {"B": 1, "b": 1, "H": 2, "h": 2, "I": 4, "i": 4, "Q": 8, "q": 8}


class Struct:
    """Base of all declared structs. Every field is 0 (b"" for chars, zeros for arrays) unless given."""

    packed: ClassVar[frozenset[str]] = frozenset()
    variants: ClassVar[dict[str, type[Struct]]] = {}

    def __init_subclass__(
        cls, *, packed: set[str] | None = None, variant_of: type[Struct] | None = None, arches: set[str] | None = None
    ) -> None:
        cls.packed = frozenset(packed or ())
        cls.variants = {}
        if variant_of is not None:
            variant_of.variants.update(dict.fromkeys(arches or (), cls))

    def __init__(self, **values: Any) -> None:
        plain, nested = _defaults(type(self))  # type: ignore[arg-type]  # a class is hashable
        self.__dict__.update(plain)
        for name, type_ in nested:
            self.__dict__[name] = values[name] if name in values else type_()
        self.__dict__.update(values)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # mutable, compared by value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


S = TypeVar("S")


class Field:
    """One field of a layout: its place, its C type, and the optional kind that prints it."""

    __slots__ = ("ctype", "kind", "name", "offset", "size")

    def __init__(self, name: str, offset: int, size: int, ctype: Any, kind: Any) -> None:
        self.name = name
        self.offset = offset
        self.size = size
        self.ctype = ctype  # CType, Chars, Repeat or a Layout
        self.kind = kind  # what the tracer prints it as; None: a plain number

    def __repr__(self) -> str:
        return f"Field({self.name} @{self.offset}+{self.size})"


class Layout(Generic[S]):
    """A struct (or scalar) on one architecture: `size`, `align`, `fields`, and conversion from and to bytes."""

    def __init__(self, type_: type[S], arch: Arch) -> None:
        self.type = type_
        self.arch = arch
        self.fields: list[Field] = []
        self.align = 1
        packed = arch.name in type_.packed  # type: ignore[attr-defined]  # S is a Struct
        offset = 0
        for name, ctype, kind in _fields(type_):  # type: ignore[arg-type]  # a class is hashable
            size, align, placed = _measure(ctype, arch)
            align = 1 if packed else align
            offset = (offset + align - 1) // align * align
            self.fields.append(Field(name, offset, size, placed, kind))
            self.align = max(self.align, align)
            offset += size
        self.size = (offset + self.align - 1) // self.align * self.align
        self._compile()

    def pack(self, value: Any) -> bytes:
        """Bytes of any object that has the fields as attributes; integers are cut to their width."""
        return self._pack(value)  # type: ignore[no-any-return]  # generated

    def unpack(self, data: bytes | memoryview) -> S:
        """The struct held in the first `size` bytes of `data`."""
        return self._unpack(data)  # type: ignore[no-any-return]  # generated

    def _compile(self) -> None:
        """Generate straight-line code: three times as fast as walking the fields."""
        pack_format, unpack_format, values, arguments = ["<"], ["<"], [], []
        names: dict[str, Any] = {"T": self.type, "new": object.__new__}
        position = 0
        shown = [field for field in self.fields if field.name[0] != "_"]  # the others become part of a gap
        for index, field in enumerate(shown):
            gap = f"{field.offset - position}x" if field.offset > position else ""
            position = field.offset + field.size
            ctype, item = field.ctype, f"v.{field.name}"
            if isinstance(ctype, CType):
                letter = ctype.letter(self.arch)
                pack_format.append(gap + letter.upper())
                unpack_format.append(gap + letter)
                values.append(f"{item} & {(1 << 8 * field.size) - 1}")
                arguments.append((field.name, f"t[{index}]"))
            else:
                pack_format.append(f"{gap}{field.size}s")
                unpack_format.append(f"{gap}{field.size}s")
                names[f"f{index}"] = ctype
                if isinstance(ctype, Chars):
                    values.append(item)
                    arguments.append((field.name, f"t[{index}]"))
                else:
                    names[f"f{index}"] = ctype if isinstance(ctype, Layout) else RepeatLayout(ctype, self.arch)
                    values.append(f"f{index}.pack({item})")
                    arguments.append((field.name, f"f{index}.unpack(t[{index}])"))
        tail = f"{self.size - position}x" if self.size > position else ""
        names["p"] = struct.Struct("".join(pack_format) + tail).pack
        names["u"] = struct.Struct("".join(unpack_format) + tail).unpack_from
        assigns = "".join(f" d[{name!r}] = {value}\n" for name, value in arguments)
        source = f"def pack(v): return p({', '.join(values)})\n"
        source += f"def unpack(data):\n t = u(data)\n o = new(T)\n d = o.__dict__\n{assigns} return o\n"
        exec(source, names)  # noqa: S102  # generated from the declaration alone
        self._pack, self._unpack = names["pack"], names["unpack"]


class RepeatLayout:
    """An array inside a struct."""

    def __init__(self, repeat: Repeat, arch: Arch) -> None:
        self.item = layout(repeat.item, arch)
        self.count = repeat.count

    def pack(self, values: Any) -> bytes:
        """All items, missing ones as zeros."""
        data = b"".join([self.item.pack(value) for value in values])
        return data.ljust(self.item.size * self.count, b"\0")

    def unpack(self, data: bytes) -> tuple[Any, ...]:
        """All items."""
        size = self.item.size
        return tuple(self.item.unpack(data[i * size : (i + 1) * size]) for i in range(self.count))


class ScalarLayout(Layout[int]):
    """A lone integer, for pointers to int, long, size_t ..."""

    def __init__(self, ctype: CType, arch: Arch) -> None:
        letter = ctype.letter(arch)
        self.type = int
        self.arch = arch
        self.fields = []
        self.size = _SIZES[letter]
        self.align = arch.int64_align if self.size == 8 else self.size
        self.ctype = ctype
        self._get = struct.Struct("<" + letter).unpack_from
        self._put = struct.Struct("<" + letter.upper()).pack
        self._mask = (1 << 8 * self.size) - 1

    def pack(self, value: Any) -> bytes:
        """The integer's bytes."""
        return self._put(value & self._mask)

    def unpack(self, data: bytes | memoryview) -> int:
        """The integer."""
        return self._get(data)[0]  # type: ignore[no-any-return]  # struct


@cache
def layout(type_: Any, arch: Arch) -> Layout[Any]:
    """The layout of a Struct or of a scalar type (U32, CLong ...) on `arch`."""
    if get_origin(type_) is Annotated:
        ctype = next(item for item in type_.__metadata__ if isinstance(item, CType))
        return ScalarLayout(ctype, arch)
    return Layout(type_.variants.get(arch.name, type_), arch)


@cache
def _fields(type_: type) -> list[tuple[str, Any, Any]]:
    """(name, C type or Struct class, printing kind) of each field, in order."""
    result = []
    for name, hint in get_type_hints(type_, include_extras=True).items():
        if get_origin(hint) is ClassVar or hint is ClassVar or name in {"packed", "variants"}:
            continue
        if get_origin(hint) is Annotated:
            base, *extras = get_args(hint)
            ctypes = [item for item in extras if isinstance(item, CType | Chars | Repeat)]
            kinds = [item for item in extras if item not in ctypes]
            result.append((name, ctypes[0] if ctypes else base, kinds[0] if kinds else None))
        else:
            result.append((name, hint, None))
    return result


@cache
def _defaults(type_: type) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Values of the fields that may be shared between instances, in order, and the nested structs."""
    values: dict[str, Any] = {}
    nested = []
    for name, ctype, _ in _fields(type_):
        if isinstance(ctype, CType):
            values[name] = 0
        elif isinstance(ctype, Chars):
            values[name] = b""
        elif isinstance(ctype, Repeat):
            values[name] = ()
        else:
            values[name] = None  # keeps the order of the fields
            nested.append((name, ctype))
    return values, nested


def _measure(ctype: Any, arch: Arch) -> tuple[int, int, Any]:
    """(size, alignment, what Field.ctype becomes)."""
    if isinstance(ctype, CType):
        size = _SIZES[ctype.letter(arch)]
        return size, arch.int64_align if size == 8 else size, ctype
    if isinstance(ctype, Chars):
        return ctype.count, 1, ctype
    if isinstance(ctype, Repeat):
        inner = layout(ctype.item, arch)
        return inner.size * ctype.count, inner.align, ctype
    inner = layout(ctype, arch)
    return inner.size, inner.align, inner
