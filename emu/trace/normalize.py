"""Events without what cannot be the same twice: addresses, ids, inode numbers become names, times become nothing.

A `Record` is one event as it is compared. Its arguments and result are trees of nodes:

- `int`, `str`: numbers and words, however they were written;
- `Text`: bytes; `Group`: an array or a structure; either may be cut short;
- `Name`: a number that stands for something, of which only who is who is compared (diff.py);
- `Volatile`: something that is another in every run.

What is what is told by the declarations (classify.py), never by the look of the text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import syscalls.linux  # noqa: F401  # declares all calls
from emu.trace.classify import FRESH, MEMBERS, NAMES, VOLATILE, Nature, is_pointer, nature_of_parameter
from emu.trace.classify import nature_of_result as result_nature
from emu.trace.decode import plan_of
from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
from emu.trace.options import TraceOptions
from emu.trace.recording import Event, SupersededEvent
from emu.trace.strace_value import ScanError, Scanner, parse_value
from emu.trace.text import RESTARTS, Writer
from emu.trace.value import (
    Address,
    Bits,
    Change,
    Fd,
    Hex,
    Id,
    Int,
    Labelled,
    List,
    Named,
    Note,
    Octal,
    Str,
    Struct,
    Value,
    Words,
)
from syscalls import spec as specs
from syscalls.abi.arch import Arch
from syscalls.abi.kinds import FlagsKind, Kind

#: Below are no mappings (vm.mmap_min_addr): such a number is a flag, or a wild pointer that the program has made up.
FIRST_ADDRESS = 0x10000
READS = frozenset({"read", "readv", "pread64"})


@dataclass(frozen=True, slots=True)
class Name:
    """A number that stands for something."""

    nature: Nature
    value: int | str  # devices are words: makedev(0x8, 0x1)


@dataclass(frozen=True, slots=True)
class Volatile:
    """Another in every run."""

    nature: Nature


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes. `cut`: there are more."""

    data: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Members with names ("" in arrays). `cut`: there are more; `brief`: of the names, some are left out."""

    members: tuple[tuple[str, Node], ...]
    cut: bool = False
    brief: bool = False
    sign: str = ""  # "~" for what is missing in a set, "=>" for a change, "/*" for a commented value


Node = int | str | Name | Volatile | Text | Group


@dataclass(slots=True)
class Record:
    """An event as it is compared: a call, or (`what` says it) a signal, a stop, an end."""

    event: Event
    what: str
    name: str
    args: list[tuple[str, Node]]
    result: Node = ""
    note: Node = ""
    fresh: bool = False  # the result is a new name
    interrupted: bool = False  # the kernel is going to restart it
    asynchronous: bool = False  # a signal that comes from somebody else, at whatever moment
    original: str = ""  # the call's own name, where `name` is the canonical one
    seq: int = 0  # counts the events of its side, in the order in which they were told
    key: tuple[Any, ...] = ()  # equal for calls that are probably the same one


class Normalizer:
    """Makes records. `keep`: what is compared as it is, after all (Nature.FD: descriptors by their numbers)."""

    def __init__(self, keep: Iterable[Nature] = ()) -> None:
        self.keep = frozenset(keep)
        self._kinds: dict[tuple[Arch, str], tuple[dict[str, Kind], Any]] = {}
        self._sources: dict[tuple[int, int], str] = {}  # process and descriptor -> where what is read comes from
        self._writer = Writer(TraceOptions())

    def call(self, event: CallEvent) -> Record:
        """The record of a call."""
        kinds, result_kind = self._declared(event)
        absolute = _says(event, "ABSTIME")  # of TIMER_ABSTIME, TFD_TIMER_ABSTIME
        args: list[tuple[str, Node]] = []
        for name, value in event.args:
            kind = kinds.get(name)
            nature = nature_of_parameter(event.name, name, kind)
            if event.name.startswith("syscall_"):
                nature = Nature.HOST  # whatever the registers held
            elif absolute and isinstance(value, Struct):
                nature = Nature.TIME  # a moment that the program has worked out from now
            elif name == "arg" and isinstance(value, Int) and _says(event, "F_SETOWN"):
                nature = Nature.PID
            args.append((name, self._node(value, nature, kind)))
        if event.name in {"connect", "bind"}:
            args = [(name, _without_rest(node)) for name, node in args]
        if event.name.startswith("getdents"):
            args = [(name, _sorted(node)) for name, node in args]
        self._watch(event, args)
        record = Record(event, "call", event.name, args, self._result(event, result_kind), self._note(event))
        record.fresh = event.name in FRESH
        record.interrupted = event.error in RESTARTS or event.name == "restart_syscall"
        return record

    def record(self, event: Event) -> Record:
        """The record of any event."""
        match event:
            case CallEvent():
                return self.call(event)
            case SignalEvent():
                record = Record(event, "signal", event.name, [("info", self._node(event.info, Nature.DATA, None))])
                record.asynchronous = _comes_from_outside(event)
                return record
            case StopEvent():
                return Record(event, "stop", event.signal, [], asynchronous=True)
            case ExitEvent():
                how = f"killed by {event.signal}" if event.signal else f"exited with {event.status}"
                return Record(event, "exit", "exit", [], how)
            case SupersededEvent():
                return Record(event, "exit", "exit", [], "superseded by execve")

    def _declared(self, event: CallEvent) -> tuple[dict[str, Kind], Any]:
        known = self._kinds.get((event.arch, event.name))
        if known is None:
            spec = specs.find(event.arch, event.name)
            plan = plan_of(event.name, event.number, event.arch, spec)
            known = self._kinds[event.arch, event.name] = (plan.kinds, spec.result if spec else None)
        return known

    # --- parts of a call ----------------------------------------------------------------------------------------------

    def _result(self, event: CallEvent, kind: Any) -> Node:
        if event.error:
            return event.error
        if event.result is None or event.value is None:
            return "?"
        nature = result_nature(event.name, kind)
        if nature is Nature.DATA and event.name.startswith("fcntl"):
            nature = Nature.FD if _says(event, "F_DUPFD") else Nature.PID if _says(event, "F_GETOWN") else nature
        elif event.name in READS and self._source(event).startswith("/proc/"):
            return Volatile(Nature.HOST)  # ids, addresses, times and counts as text
        if nature is Nature.PID and nature not in self.keep and isinstance(event.value, Int | Id):
            return Name(nature, event.value.value)  # even 0: somebody outside
        return self._node(event.value, nature, None)

    def _note(self, event: CallEvent) -> Node:
        """strace's words behind the result; times that were left over are no part of them."""
        if not event.note:
            return ""
        text = event.note if isinstance(event.note, str) else self._writer.remark(event.note)
        try:
            items = Scanner(text + ")").items(")")
        except ScanError:
            return text
        shown = [item for item in items if not (isinstance(item, Words) and item.text.startswith("left "))]
        nodes = [self._node(item, Nature.DATA, None) for item in shown]
        return nodes[0] if len(nodes) == 1 else Group(tuple(("", node) for node in nodes))

    def _watch(self, event: CallEvent, args: list[tuple[str, Node]]) -> None:
        """What is read is random, or holds cookies, by where it comes from: follow which descriptors lead there."""
        opens = event.name in {"open", "openat", "openat2"}
        if (opens or event.name.startswith("inotify_init")) and (event.result or -1) >= 0:
            paths = [node.data for _, node in args if isinstance(node, Text)]
            source = os.fsdecode(paths[0]) if opens and paths else event.name
            self._sources[event.pid, event.result or 0] = source
        elif event.name in READS and len(args) > 1 and event.result:
            source = self._source(event)
            if source in {"/dev/urandom", "/dev/random"}:
                args[1] = (args[1][0], Volatile(Nature.RANDOM))
            elif source.startswith("/proc/"):
                args[1] = (args[1][0], Volatile(Nature.HOST))
            elif source.startswith("inotify_init") and isinstance(args[1][1], Text):
                args[1] = (args[1][0], Text(without_cookies(args[1][1].data), args[1][1].cut))

    def _source(self, event: CallEvent) -> str:
        return self._sources.get((event.pid, getattr(event.args[0][1], "value", -1)), "") if event.args else ""

    # --- values -------------------------------------------------------------------------------------------------------

    def _node(self, value: Value, nature: Nature, kind: Kind | None) -> Node:
        if nature in VOLATILE and nature not in self.keep and not (isinstance(value, Address) and not value.value):
            return Volatile(nature)
        match value:
            case Address():
                return self._address(value.value)
            case Int() | Hex() | Octal():
                return self._number(value.value, nature, kind)
            case Fd():
                return self._name(Nature.PID if nature is Nature.PID else Nature.FD, value.value)
            case Id():
                return self._name(Nature.PID, value.value) if value.what not in {"uid", "gid"} else value.value
            case Str():
                return Text(value.data, value.cut)
            case Labelled():
                return self._node(value.value, MEMBERS.get(value.label, nature), kind)
            case Named() | Words():
                return self._words(value.text, nature, kind)
            case Note():
                return self._commented(value, nature, kind)
            case Change():
                return self._change(value, nature, kind)
            case Bits():
                return self._bits(value, nature)
            case List():
                return self._list(value, nature, kind)
            case Struct():
                return self._struct(value, nature)
        raise TypeError(value)

    def _number(self, number: int, nature: Nature, kind: Kind | None) -> Node:
        if nature in NAMES and nature is not Nature.ADDRESS:
            return self._name(nature, number)
        if nature is Nature.ADDRESS or is_pointer(kind):
            return self._address(number)
        if isinstance(kind, FlagsKind) and hasattr(kind.table, "format") and not hasattr(kind.table, "unit"):
            return self._words(kind.table.format(number), nature, None)  # -X raw
        return number

    def _address(self, number: int) -> Node:
        """NULL and wild pointers at both ends are the program's own numbers."""
        if number < FIRST_ADDRESS or number >= (1 << 64) - FIRST_ADDRESS or Nature.ADDRESS in self.keep:
            return number
        return Name(Nature.ADDRESS, number)

    def _name(self, nature: Nature, number: int) -> Node:
        # standard streams, AT_FDCWD; "all", "myself"; below that is a process group
        small = number < 3 if nature is Nature.FD else -1 <= number <= 0
        return number if small or nature in self.keep else Name(nature, number)

    def _words(self, text: str, nature: Nature, kind: Kind | None) -> Node:
        parsed = _parsed(text)
        if not isinstance(parsed, Words):
            return self._node(parsed, nature, kind)
        if nature is Nature.FD:
            words = text.split()
            if words and all(word.isdecimal() for word in words):
                return Group(tuple(("", self._name(Nature.FD, int(word))) for word in words))
        return Name(nature, parsed.text) if nature is Nature.DEVICE and nature not in self.keep else parsed.text

    def _commented(self, value: Note, nature: Nature, kind: Kind | None) -> Node:
        """A comment that gives the names of a number (-X verbose) stands for it; one that counts goes with it."""
        comment = value.comment
        if "???" in comment:
            return self._node(value.value, nature, None)
        if comment.isupper():
            return self._words(comment, nature, kind)
        if comment.endswith((" s", "+0000")):  # ticks, dates
            return self._node(value.value, nature, kind)
        return Group((("", self._node(value.value, nature, kind)), ("", comment)), sign="/*")

    def _change(self, value: Change, nature: Nature, kind: Kind | None) -> Node:
        before = self._node(value.before, nature, kind)
        if value.after is None:
            return before
        return Group((("", before), ("", self._node(value.after, nature, kind))), sign="=>")

    def _bits(self, value: Bits, nature: Nature) -> Node:
        if not value.names:
            return Group((), sign="~" * value.inverted)
        return Group((("", self._words(" ".join(value.names), nature, None)),), sign="~" * value.inverted)

    def _list(self, value: List, nature: Nature, kind: Kind | None) -> Node:
        item_kind = None if is_pointer(kind) else kind
        nodes = tuple(("", self._node(item, nature, item_kind)) for item in value.items)
        return Group(nodes, cut=value.cut or value.bad is not None)

    def _struct(self, value: Struct, nature: Nature) -> Node:
        members = tuple((name, self._node(item, MEMBERS.get(name, nature), None)) for name, item in value.fields)
        pointers = {name for name, node in members if isinstance(node, Name)} & {"si_ptr", "sival_ptr"}
        if pointers:  # the other reading of the same bytes is half an address
            members = tuple((name, node) for name, node in members if name not in {"si_int", "sival_int"})
        if "sa_flags" in dict(members):  # how a handler comes back is settled between the C library and vdso(7)
            members = tuple((name, _without_restorer(node)) for name, node in members if name != "sa_restorer")
        return Group(members, brief=value.brief is not None)


@lru_cache(4096)
def _parsed(text: str) -> Value:
    if text.startswith("~["):
        inner = parse_value(text[1:])
        return Bits(tuple(text[2:-1].split()), 0, inverted=True) if isinstance(inner, List) else Words(text, 0)
    return parse_value(text)


def _without_rest(node: Node) -> Node:
    """The name in an address of AF_UNIX ends with its NUL; what stands behind is what was in memory (unix(7))."""
    if not isinstance(node, Text) or node.data[:2] != b"\1\0" or node.data[2:3] in {b"", b"\0"}:
        return node
    return Text(b"\1\0" + node.data[2:].split(b"\0")[0])


def _without_restorer(node: Node) -> Node:
    if not isinstance(node, str) or "SA_RESTORER" not in node:
        return node
    return "|".join(word for word in node.split("|") if word != "SA_RESTORER") or 0


def _sorted(node: Node) -> Node:
    """Entries of a directory come in whatever order its file system keeps them."""
    if not isinstance(node, Group) or node.sign or not all(isinstance(member, Group) for _, member in node.members):
        return node
    names = [str(dict(member.members).get("d_name")) for _, member in node.members if isinstance(member, Group)]
    order = sorted(range(len(names)), key=names.__getitem__)
    return Group(tuple(node.members[place] for place in order), node.cut, node.brief)


def without_cookies(data: bytes) -> bytes:
    """inotify(7): what ties the two halves of a renaming together counts up from the start of the machine."""
    made, place, seen = bytearray(data), 0, [0]
    while place + 16 <= len(data):
        cookie, length = (int.from_bytes(data[place + at : place + at + 4], "little") for at in (8, 12))
        if cookie not in seen:
            seen.append(cookie)
        made[place + 8 : place + 12] = seen.index(cookie).to_bytes(4, "little")
        place += 16 + length
    return bytes(made)


def _says(event: CallEvent, command: str) -> bool:
    return any(isinstance(value, Named | Words) and command in value.text for _, value in event.args)


def _comes_from_outside(event: SignalEvent) -> bool:
    """Not from the task itself, and not from its own instructions (sigaction(2), si_code)."""
    fields = dict(event.info.fields) if isinstance(event.info, Struct) else {}
    code = fields.get("si_code")
    text = code.text if isinstance(code, Named | Words) else ""
    sender = getattr(fields.get("si_pid"), "value", None)
    if text in {"SI_USER", "SI_TKILL", "SI_QUEUE"}:
        return sender not in {event.pid, event.tid}
    return (
        text.startswith("CLD_")
        or text in {"SI_TIMER", "SI_MESGQ", "SI_SIGIO"}
        or (text == "SI_KERNEL" and event.name in {"SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGHUP", "SIGCONT"})
    )


def key_of(record: Record) -> tuple[Any, ...]:
    """What the same call has in common in two runs, as far as a glance tells."""
    if record.what == "signal":
        info = record.args[0][1]
        members = info.members if isinstance(info, Group) else ()
        return (record.what, record.name, *((name, glance(node)) for name, node in members))
    return (record.what, record.name, glance(record.result), *(glance(node) for _, node in record.args))


def glance(node: Node) -> Any:
    """A node without what may differ though nothing is different."""
    if isinstance(node, Name | Volatile):
        return node.nature.value
    if isinstance(node, Text):
        return node.data[:16]
    if isinstance(node, Group):
        return "{"
    return node
