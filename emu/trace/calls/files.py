"""Calls about files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import at_success, calls, hide, named, show
from emu.trace.decode import decoder_of, fd, read_bytes, read_path
from emu.trace.quote import quote
from emu.trace.shapes import dated
from emu.trace.structs import decode_item, item_layout
from emu.trace.value import Address, Change, Hex, Int, List, Named, Note, Str, Struct, Value, Words
from syscalls.abi import stat
from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.cstruct import I32, I64, CLong
from syscalls.abi.errno import SysError
from syscalls.abi.kinds import PointerKind
from syscalls.abi.structs.file import OpenHow
from syscalls.abi.structs.time import Timespec, Timespec64, Timeval

if TYPE_CHECKING:
    from emu.trace.plan import Context, Plan


@calls("mknod", "mknodat")
def _mknod(plan: Plan) -> None:
    """The device only where the mode says that it is one."""
    mode = len(plan.steps) - 2

    def device(context: Context, number: int) -> Value | None:
        kind = context.values[mode] & stat.S_IFMT
        return named(number & 0xFFFFFFFF, stat.DEVICE) if kind in {stat.S_IFCHR, stat.S_IFBLK} else None

    show(plan, mode + 1, device)


@calls("getcwd")
def _getcwd(plan: Plan) -> None:
    show(plan, 0, at_success(lambda context, at: read_path(context.memory, at)), at_exit=True)


@calls("getrandom")
def _getrandom(plan: Plan) -> None:
    """Random bytes are always shown in hexadecimal."""

    def random(context: Context, at: int) -> Value:
        value = read_bytes(context.memory, at, context.result or 0, context.limits.string)
        return Str(value.data, value.cut, hexadecimal=True) if isinstance(value, Str) else value

    show(plan, 0, at_success(random), at_exit=True)


@calls("truncate", "ftruncate")
def _truncate(plan: Plan) -> None:
    """An unsigned number, as strace has it."""
    show(plan, 1, lambda context, _length: Int(context.args[1]))


@calls("truncate64", "ftruncate64")
def _truncate64(plan: Plan) -> None:
    show(plan, 1, lambda _context, length: Int(length & (1 << 64) - 1))


@calls("pipe", "pipe2")
def _pipe(plan: Plan) -> None:
    """Descriptors, not just numbers."""
    declared = plan.steps[0].decode

    def pair(context: Context, at: int) -> Value | None:
        value = declared(context, at)
        if not isinstance(value, List):
            return value
        return List(tuple(fd(context, item.value) for item in value.items if isinstance(item, Int)), bad=value.bad)

    show(plan, 0, pair)


@calls("_llseek")
def _llseek(plan: Plan) -> None:
    """The two halves of the offset are one number."""
    show(plan, 1, lambda context, _high: Int(_signed64(context.args[1] << 32 | context.args[2])))
    hide(plan, 2)


def _signed64(number: int) -> int:
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number


@calls("openat2")
def _openat2(plan: Plan) -> None:
    """A size that is too small: nothing can be said about the struct."""
    item = item_layout(OpenHow, plan.arch)

    def how(context: Context, at: int) -> Value:
        if not at or context.values[3] < item.size:
            return Address(at)
        try:
            value = decode_item(context, item, context.memory.read(at, item.size))
        except SysError:
            return Address(at)
        return _with_rest(context, value, at + item.size, context.values[3] - item.size)

    show(plan, 2, how)


def _with_rest(context: Context, value: Value, at: int, count: int) -> Value:
    """A struct that is larger than the one we know: the bytes behind it, unless they are all zero."""
    if count <= 0 or not isinstance(value, Struct):
        return value
    try:
        rest = context.memory.read(at, count) if count < PAGE_SIZE else None
    except SysError:
        rest = None
    if rest is None:
        return Struct((*value.fields, ("", Words("???", 0))))
    if not any(rest):
        return value
    place = item_layout(OpenHow, context.arch).size
    text = quote(rest, 2)
    return Struct((*value.fields, ("", Words(f"/* bytes {place}..{place + count - 1} */ {text}", 0))))


@calls("sendfile", "sendfile64")
def _sendfile(plan: Plan) -> None:
    """Where it began and, when it moved, where it ended."""
    item = item_layout(I64 if plan.name == "sendfile64" else CLong, plan.arch)
    place = 2

    def offset(context: Context, at: int) -> Value:
        before = context.notes.get("offset")
        if before is None:
            return Address(at)
        shown = List((Int(before),))
        try:
            after = item.layout.unpack(context.memory.read(at, item.size))
        except SysError:
            return shown
        return Change(shown, List((Int(after),))) if context.result and not context.failed else shown

    def remember(context: Context) -> None:
        if at := context.values[place]:
            try:
                context.notes["offset"] = item.layout.unpack(context.memory.read(at, item.size))
            except SysError:
                return

    plan.at_entry = remember
    show(plan, place, offset, at_exit=True)


# --- directories ------------------------------------------------------------------------------------------------------


@calls("getdents", "getdents64")
def _getdents(plan: Plan) -> None:
    """How many entries; all of them with -v."""
    show(plan, 1, at_success(_entries), at_exit=True)


def _entries(context: Context, at: int) -> Value:
    new = context.plan.name == "getdents64"
    word = 8 if new else context.arch.word
    try:
        data = context.memory.read(at, context.result or 0)
    except SysError:
        return Address(at)
    entries: list[Value] = []
    place = 0
    while place + 2 * word + 2 <= len(data):
        ino, offset = (int.from_bytes(data[place + i * word : place + (i + 1) * word], "little") for i in (0, 1))
        size = int.from_bytes(data[place + 2 * word : place + 2 * word + 2], "little")
        if size < 2 * word + 2 or place + size > len(data):
            break
        name = data[place + 2 * word + (3 if new else 2) : place + size].split(b"\0", 1)[0]
        kind = data[place + 2 * word + 2] if new else data[place + size - 1]
        common: list[tuple[str, Value]] = [
            ("d_ino", Int(ino)),
            ("d_off", Int(_signed64(offset))),
            ("d_reclen", Int(size)),
        ]
        last: list[tuple[str, Value]] = [("d_type", named(kind, stat.DIRENT_TYPES)), ("d_name", Str(name))]
        entries.append(Struct(tuple(common + (last if new else last[::-1]))))
        place += size
    if context.limits.abbreviate:
        count = len(entries)
        return Note(Address(at), f"{count} entr{'y' if count == 1 else 'ies'}")
    return List(tuple(entries))


# --- times ------------------------------------------------------------------------------------------------------------


def _moments(plan: Plan, place: int, type_: type, digits: int) -> None:
    """Two times with their dates; UTIME_NOW and UTIME_OMIT by name."""
    item = item_layout(type_, plan.arch)

    def moment(context: Context, data: bytes) -> Value:
        raw = item.layout.unpack(data)
        part = raw.tv_nsec if digits == 9 else raw.tv_usec
        if digits == 9 and part in {stat.UTIME_NOW, stat.UTIME_OMIT}:
            return Named(part, "UTIME_NOW" if part == stat.UTIME_NOW else "UTIME_OMIT")
        return dated(decode_item(context, item, data), raw.tv_sec, part, digits)

    def times(context: Context, at: int) -> Value:
        if not at:
            return Address(0)
        try:
            data = context.memory.read(at, 2 * item.size)
        except SysError:
            return Address(at)
        return List((moment(context, data[: item.size]), moment(context, data[item.size :])))

    show(plan, place, times)


@calls("utimes", "futimesat")
def _utimes(plan: Plan) -> None:
    _moments(plan, 2 if plan.name == "futimesat" else 1, Timeval, 6)


@calls("utimensat", "utimensat_time64")
def _utimensat(plan: Plan) -> None:
    _moments(plan, 2, Timespec64 if plan.name.endswith("64") else Timespec, 9)


# --- positions and handles --------------------------------------------------------------------------------------------


@calls("copy_file_range", "splice")
def _two_positions(plan: Plan) -> None:
    for place in (1, 3):
        show(plan, place, decoder_of(PointerKind(I64, out=False), plan), at_exit=False)


@calls("name_to_handle_at")
def _name_to_handle(plan: Plan) -> None:
    """The size that was given, and the one that is needed; then the handle itself."""

    def remember(context: Context) -> None:
        try:
            context.notes["bytes"] = int.from_bytes(context.memory.read(context.values[2], 4), "little")
        except SysError:
            return

    def handle(context: Context, at: int) -> Value:
        before = context.notes.get("bytes")
        if before is None:
            return Address(at)
        try:
            data = context.memory.read(at, 8)
            size, kind = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:], "little", signed=True)
            rest = context.memory.read(at + 8, size) if not context.failed else b""
        except SysError:
            return Address(at)
        shown: Value = Int(before) if size == before else Change(Int(before), Int(size))
        fields: list[tuple[str, Value]] = [("handle_bytes", shown)]
        if not context.failed:
            fields += [("handle_type", Hex(kind)), ("f_handle", Words(f"0x{rest.hex()}", 0))]
        return Struct(tuple(fields))

    plan.at_entry = remember
    show(plan, 2, handle, at_exit=True)
    show(plan, 3, at_success(decoder_of(PointerKind(I32, out=True), plan)), at_exit=True)
