"""From kinds to values: what each kind of parameter is decoded into, at the entry or at the exit of a call.

One function per Kind class makes the decoder of a parameter (`functools.singledispatch`), so that everything that can
be known beforehand is. The rules are strace's: what the call writes is shown after it, and only when it succeeded;
what cannot be read is shown as an address.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, singledispatch
from typing import Any

from emu.trace.plan import Context, Decoder, Memory, Plan, Step, compile_take
from emu.trace.structs import array_items, decode_item, item_layout, names_of, signal_set
from emu.trace.value import (
    Address,
    Fd,
    Hex,
    Id,
    Int,
    List,
    Note,
    Octal,
    Remark,
    Str,
    Value,
)
from syscalls.abi import fcntl
from syscalls.abi.arch import Arch
from syscalls.abi.errno import SysError
from syscalls.abi.kinds import (
    PATH_MAX,
    AddressKind,
    ArrayKind,
    BufferKind,
    DirFdKind,
    FdKind,
    FlagsKind,
    IdKind,
    Int64Kind,
    IntKind,
    Kind,
    LongKind,
    ModeKind,
    OpenFlagsKind,
    PathKind,
    PointerKind,
    SignalKind,
    StringKind,
    StringsKind,
    SwitchKind,
    ULongKind,
)
from syscalls.abi.kinds import (
    Hex as HexKind,
)
from syscalls.abi.kinds import (
    Octal as OctalKind,
)
from syscalls.abi.mman import FileOffset
from syscalls.abi.signal import SIGNAL, SignalSet
from syscalls.abi.stat import FILE_MODE
from syscalls.spec import Spec


def plan_of(name: str, number: int, arch: Arch, spec: Spec | None) -> Plan:
    """The plan of a call; one that is not declared shows its six registers."""
    from emu.trace.calls import adjust

    plan = Plan(name, number, arch, spec)
    if spec is None:
        plan.steps = [Step(f"arg{i}", _hex) for i in range(6)]
        plan.ready()
        return plan
    plan.take = compile_take(spec, arch)
    plan.index = {param.name: i for i, param in enumerate(spec.params)}
    for param in spec.params:
        plan.steps.append(Step(param.name, decoder_of(param.kind, plan), param.kind.out))
    plan.result = result_of(spec.result)
    adjust(plan)
    plan.ready()
    return plan


def bare_plan(name: str, number: int, arch: Arch, spec: Spec | None) -> Plan:
    """A plan that decodes nothing, for who only counts."""
    plan = Plan(name, number, arch, spec)
    plan.take = lambda _args: ()
    plan.ready()
    return plan


def named(table: Any) -> Decoder:
    """Decoder of a number that a table names; the text of a value is worked out once."""
    name = names_of(table)
    return lambda _context, number: name(number)


def _int(_context: Context, number: int) -> Value:
    return Int(number)


def _hex(_context: Context, number: int) -> Value:
    return Hex(number)


def _octal(_context: Context, number: int) -> Value:
    return Octal(number)


def address(_context: Context, number: int) -> Value:
    """A pointer that is not followed."""
    return Address(number)


def fd(context: Context, number: int) -> Value:
    """A descriptor."""
    return Fd(number, context.fd_path(number) if context.fd_path and number >= 0 else None)


def _dirfd(context: Context, number: int) -> Value:
    if context.fd_path and (number >= 0 or number == fcntl.AT_FDCWD):
        return Fd(number, context.fd_path(number), directory=True)
    return Fd(number, None, directory=True)


# --- the kinds --------------------------------------------------------------------------------------------------------


@singledispatch
def decoder_of(kind: Kind, plan: Plan) -> Decoder:
    """The decoder of a parameter."""
    del kind, plan
    return _hex


@decoder_of.register(IntKind)
@decoder_of.register(LongKind)
@decoder_of.register(ULongKind)
@decoder_of.register(Int64Kind)
def _(kind: Kind, plan: Plan) -> Decoder:
    del kind, plan
    return _int


@decoder_of.register
def _(kind: FlagsKind, plan: Plan) -> Decoder:
    del plan
    if isinstance(kind.table, SignalSet):
        bits = kind.table.bits
        return lambda _context, number: signal_set(number, bits)
    if isinstance(kind.table, FileOffset):
        unit = kind.table.unit
        return lambda _context, number: Hex(number * unit)
    return named(kind.table)


@decoder_of.register
def _(kind: OpenFlagsKind, plan: Plan) -> Decoder:
    del kind, plan
    return named(fcntl.OPEN_FLAGS)


@decoder_of.register
def _(kind: ModeKind, plan: Plan) -> Decoder:
    if kind.file_type:
        return named(FILE_MODE)
    if kind.when and kind.when in {param.name for param in (plan.spec.params if plan.spec else ())}:
        when = kind.when

        def decode(context: Context, number: int) -> Value | None:
            flags = context.number(when)
            creates = flags & fcntl.O_CREAT or flags & fcntl.__dict__["__O_TMPFILE"]
            return Octal(number & 0xFFFF) if creates else None

        return decode
    return lambda _context, number: Octal(number & 0xFFFF)


@decoder_of.register
def _(kind: FdKind, plan: Plan) -> Decoder:
    del kind, plan
    return fd


@decoder_of.register
def _(kind: DirFdKind, plan: Plan) -> Decoder:
    del kind, plan
    return _dirfd


@decoder_of.register
def _(kind: IdKind, plan: Plan) -> Decoder:
    del plan
    what = kind.what
    if what in {"uid", "gid"}:
        none = (1 << kind.bits) - 1  # -1: "leave it as it is"

        def decode(_context: Context, number: int) -> Value:
            number &= none
            return Id(-1 if number == none else number, what)

        return decode
    return lambda _context, number: Id(number, what)


@decoder_of.register
def _(kind: SignalKind, plan: Plan) -> Decoder:
    del kind, plan
    return named(SIGNAL)


@decoder_of.register
def _(kind: SwitchKind, plan: Plan) -> Decoder:
    cases = {value: decoder_of(case, plan) if case else None for value, case in kind.cases.items()}
    default = decoder_of(kind.default, plan) if kind.default else None
    on = kind.on

    def decode(context: Context, number: int) -> Value | None:
        decoder = cases.get(context.number(on), default)
        return decoder(context, number) if decoder else None

    return decode


@decoder_of.register
def _(kind: AddressKind, plan: Plan) -> Decoder:
    del kind, plan
    return address


def read_string(memory: Memory, at: int, limit: int) -> Value:
    """A NUL-terminated string of which at most `limit` bytes are shown."""
    if not at:
        return Address(0)
    try:
        data = memory.read_some(at, limit + 1)
    except SysError:
        return Address(at)
    end = data.find(0)
    if end >= 0:
        return Str(data[:end])
    return Str(data[:limit], cut=True) if len(data) > limit else Address(at)


def read_path(memory: Memory, at: int) -> Value:
    """A pathname: all of it."""
    if not at:
        return Address(0)
    try:
        return Str(memory.cstr(at, PATH_MAX), path=True)
    except SysError:
        value = read_string(memory, at, PATH_MAX - 1)
        return Str(value.data, cut=value.cut, path=True) if isinstance(value, Str) else value


def read_bytes(memory: Memory, at: int, count: int, limit: int) -> Value:
    """`count` bytes, of which at most `limit` are shown."""
    if not at:
        return Address(0)
    if count < 0:
        return Address(at)
    try:
        return Str(memory.read(at, min(count, limit)), cut=count > limit)
    except SysError:
        return Address(at)


@decoder_of.register
def _(kind: StringKind, plan: Plan) -> Decoder:
    del kind, plan
    return lambda context, at: read_string(context.memory, at, context.limits.string)


@decoder_of.register
def _(kind: PathKind, plan: Plan) -> Decoder:
    del kind, plan
    return lambda context, at: read_path(context.memory, at)


@decoder_of.register
def _(kind: BufferKind, plan: Plan) -> Decoder:
    if not kind.out:
        count = plan.index.get(kind.count)
        if count is None:
            return address
        position: int = count
        return lambda context, at: read_bytes(context.memory, at, context.values[position], context.limits.string)

    def decode(context: Context, at: int) -> Value:
        if context.result is None or context.result < 0:
            return Address(at)
        return read_bytes(context.memory, at, context.result, context.limits.string)

    return decode


@decoder_of.register
def _(kind: PointerKind, plan: Plan) -> Decoder:
    layout = item_layout(kind.item, plan.arch)
    out = kind.out and not kind.inout

    def decode(context: Context, at: int) -> Value:
        if not at or (kind.out and context.failed) or (out and context.result is None):
            return Address(at)
        try:
            data = context.memory.read(at, layout.size)
        except SysError:
            return Address(at)
        return decode_item(context, layout, data, alone=True)

    return decode


@decoder_of.register
def _(kind: ArrayKind, plan: Plan) -> Decoder:
    layout = item_layout(kind.item, plan.arch)
    position = plan.index.get(kind.count) if isinstance(kind.count, str) else None

    def decode(context: Context, at: int) -> Value:
        if kind.out and (context.failed or context.result is None):
            return Address(at)
        count = kind.count if isinstance(kind.count, int) else context.values[position] if position is not None else 0
        if kind.filled == "result" and context.result is not None:
            count = min(count, context.result) if position is not None else context.result
        return array_items(context, layout, at, count)

    return decode


@decoder_of.register
def _(kind: StringsKind, plan: Plan) -> Decoder:
    word = plan.arch.word

    def decode(context: Context, at: int) -> Value:
        if not at:
            return Address(0)
        if kind.brief and context.limits.abbreviate:
            return _count_strings(context.memory, at, word)
        return _strings(context, at, word)

    return decode


def _pointer(memory: Memory, at: int, word: int) -> int | None:
    try:
        return int.from_bytes(memory.read(at, word), "little")
    except SysError:
        return None


def _count_strings(memory: Memory, at: int, word: int) -> Value:
    """How many strings: `0x7ffc... /* 12 vars */`."""
    count = 0
    while (pointer := _pointer(memory, at + count * word, word)) and count < 1 << 20:
        count += 1
    end = ", unterminated" if pointer is None else ""
    if pointer is None and not count:
        return Address(at)
    return Note(Address(at), f"{count} var{'' if count == 1 else 's'}{end}")


def _strings(context: Context, at: int, word: int) -> Value:
    items: list[Value] = []
    limit = context.limits.string if context.limits.abbreviate else 1 << 20
    while True:
        pointer = _pointer(context.memory, at + len(items) * word, word)
        if pointer is None:
            return List(tuple(items), bad=at + len(items) * word) if items else Address(at)
        if not pointer:
            return List(tuple(items))
        if len(items) >= limit:
            return List(tuple(items), cut=True)
        items.append(read_string(context.memory, pointer, context.limits.string))


# --- results ----------------------------------------------------------------------------------------------------------


@cache
def result_of(kind: Any) -> Callable[[Context, int], tuple[Value, Remark]]:
    """How a successful result is shown: (value, strace's explanation)."""
    if isinstance(kind, HexKind):
        return lambda _context, number: (Hex(number), "")
    if isinstance(kind, OctalKind):
        return lambda _context, number: (Octal(number), "")
    if isinstance(kind, FdKind):
        return lambda context, number: (fd(context, number), "")
    if isinstance(kind, IdKind):
        return lambda _context, number: (Id(number, kind.what), "")
    return lambda _context, number: (Int(number), "")
