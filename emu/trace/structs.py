"""From structs of the ABI to values: field by field from the declaration.

shapes.py registers the structs that strace shows otherwise: in another order, abbreviated, or not as a struct at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, get_origin

from emu.trace.value import Address, Bits, Hex, Int, List, Named, Str, Struct, Value
from syscalls.abi.arch import Arch
from syscalls.abi.cstruct import Chars, CType, Layout, Repeat, ScalarLayout, layout
from syscalls.abi.errno import SysError
from syscalls.abi.kinds import Kind
from syscalls.abi.signal import SignalNumber, SignalSet
from syscalls.abi.stat import FileMode

if TYPE_CHECKING:
    from emu.trace.plan import Context

#: (call, the unpacked struct, its fields as values) -> value
Shape = Callable[["Context", Any, dict[str, Value]], Value]
#: (call, one raw field or item) -> value
Convert = Callable[["Context", Any], Value]

#: Struct class -> how to show it, where that is not field by field. Filled by shapes.py.
SHAPES: dict[str, Shape] = {}


def shape(*names: str) -> Callable[[Shape], Shape]:
    """Register how to show the Struct classes of these names."""

    def register(function: Shape) -> Shape:
        SHAPES.update(dict.fromkeys(names, function))
        return function

    return register


class Item:
    """What a pointer points to: its layout, and how one of it is shown."""

    __slots__ = ("alone", "convert", "layout", "size")

    def __init__(self, item: Any, arch: Arch) -> None:
        self.layout: Layout[Any] = layout(item, arch)
        self.size = self.layout.size
        self.alone = isinstance(self.layout, ScalarLayout)  # a lone number is shown as an array of one
        metadata = item.__metadata__ if get_origin(item) is Annotated else ()
        kind = next((extra for extra in metadata if not isinstance(extra, CType)), None)
        self.convert: Convert = _scalar(kind, arch) if self.alone else struct_of(self.layout)


@cache
def item_layout(item: Any, arch: Arch) -> Item:
    """How to read what a pointer points to."""
    return Item(item, arch)


def decode_item(context: Context, item: Item, data: bytes, *, alone: bool = False) -> Value:
    """One struct or number; `alone`: it is not in an array. A lone number is shown as an array of one, a set is not."""
    value = item.convert(context, item.layout.unpack(data))
    return List((value,)) if alone and item.alone and not isinstance(value, Bits) else value


def array_items(context: Context, item: Item, at: int, count: int) -> Value:
    """An array in memory: as many items as can be read, at most as many as strings have bytes."""
    if not at:
        return Address(0)
    if count <= 0:
        return List(()) if count == 0 else Address(at)
    if at + count * item.size >> 64:
        return Address(at)
    items: list[Value] = []
    shown = min(count, context.limits.string) if context.limits.abbreviate else min(count, 1 << 16)
    for index in range(shown):
        place = at + index * item.size
        try:
            data = context.memory.read(place, item.size)
        except SysError:
            return List(tuple(items), bad=place) if items else Address(at)
        items.append(decode_item(context, item, data))
    return List(tuple(items), cut=shown < count)


@cache
def struct_of(layout_: Layout[Any]) -> Convert:
    """How to show a struct."""
    from emu.trace import shapes  # noqa: F401  # registers them

    fields = [
        (field.name, _field(field.ctype, field.kind, layout_.arch))
        for field in layout_.fields
        if not field.name.startswith("_")
    ]
    shaped = SHAPES.get(layout_.type.__name__)

    def convert(context: Context, value: Any) -> Value:
        values = value.__dict__
        shown = [(name, show(context, values[name])) for name, show in fields]
        return shaped(context, value, dict(shown)) if shaped else Struct(tuple(shown))

    return convert


def _field(ctype: Any, kind: Any, arch: Arch) -> Convert:
    """How to show one field."""
    if isinstance(ctype, CType):
        return _scalar(kind, arch)
    if isinstance(ctype, Chars):
        return lambda _context, data: Str(data.split(b"\0", 1)[0])
    if isinstance(ctype, Repeat):
        item = item_layout(ctype.item, arch)
        show = item.convert if not item.alone or kind is None else _scalar(kind, arch)
        return lambda context, values: List(tuple([show(context, value) for value in values]))
    return struct_of(ctype)


def _scalar(kind: Any, arch: Arch) -> Convert:
    """How to show a number, by the kind or table that it carries."""
    if kind is None:
        return lambda _context, number: Int(number)
    if isinstance(kind, Kind):
        from emu.trace.decode import decoder_of
        from emu.trace.plan import Plan

        decoder = decoder_of(kind, Plan("", 0, arch, None))
        return lambda context, number: decoder(context, number) or Int(number)
    if isinstance(kind, SignalSet):
        return lambda _context, number: signal_set(number, kind.bits)
    if hasattr(kind, "format"):
        name = names_of(kind)
        return lambda _context, number: name(number)
    return lambda _context, number: Hex(number)


@cache
def names_of(table: Any) -> Callable[[int], Named]:
    """Numbers to values with the names of a table, worked out once for each."""
    base = base_of(table)
    return lru_cache(4096)(lambda number: Named(number, table.format(number), base))


def base_of(table: Any) -> str:
    """How the bare numbers of a table are written."""
    if isinstance(table, SignalNumber):
        return "d"
    return "o" if isinstance(table, FileMode) else "x"


@lru_cache(4096)
def signal_set(mask: int, bits: int = 64) -> Bits:
    """A set of signals."""
    names = SignalSet(bits).format(mask)
    inverted = names.startswith("~")
    shown = mask ^ ((1 << bits) - 1) if inverted else mask
    numbers = tuple(bit + 1 for bit in range(bits) if shown >> bit & 1)
    return Bits(tuple(names.lstrip("~")[1:-1].split()), mask, inverted, numbers)
