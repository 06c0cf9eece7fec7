"""strace's text: one line per event.

The grammar is strace 6.1's, to the byte. `Writer` renders values; `TextSink` puts lines together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TextIO

from emu.trace.colour import Palette
from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
from emu.trace.options import Clock, Names, TraceOptions
from emu.trace.quote import plain, quote
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
    Remark,
    Str,
    Struct,
    Value,
    Words,
)
from syscalls.abi.arch import Arch
from syscalls.abi.errno import TABLE
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.flags import hexadecimal, octal

#: The kernel's own restart codes, which only a tracer sees: strace's words for them.
RESTARTS = {
    "ERESTARTSYS": "To be restarted if SA_RESTART is set",
    "ERESTARTNOINTR": "To be restarted",
    "ERESTARTNOHAND": "To be restarted if no handler",
    "ERESTART_RESTARTBLOCK": "Interrupted by signal",
}
_MESSAGES = {**dict(TABLE.values()), **RESTARTS}
NS = 1_000_000_000


class Writer:
    """Values as text."""

    def __init__(self, options: TraceOptions) -> None:
        self.options = options
        self.names = options.names
        self.abbreviate = options.abbreviate
        self._writers: dict[type, Callable[[Any], str]] = {
            Int: lambda value: str(value.value),
            Hex: lambda value: hexadecimal(value.value),
            Octal: lambda value: octal(value.value),
            Named: self._named,
            Fd: self._fd,
            Id: lambda value: str(value.value),
            Str: self._string,
            Address: lambda value: f"{value.value:#x}" if value.value else "NULL",
            Struct: self._struct,
            List: self._list,
            Bits: self._bits,
            Note: self._note,
            Change: self._change,
            Labelled: lambda value: f"{value.label}={self.show(value.value)}",
            Words: lambda value: value.text,
        }
        if self.names is Names.ABBREV:
            self._writers[Named] = lambda value: value.text

    def show(self, value: Value) -> str:
        """The text of a value."""
        return self._writers[type(value)](value)

    def arguments(self, args: list[tuple[str, Value]]) -> str:
        """The text between the parentheses."""
        writers = self._writers
        return ", ".join([writers[type(value)](value) for _, value in args])

    def remark(self, remark: Remark) -> str:
        """An explanation, with the values in it."""
        if isinstance(remark, str):
            return remark
        return "".join([part if isinstance(part, str) else self.show(part) for part in remark])

    def _named(self, value: Named) -> str:
        """-X: the number, and (verbose) the name as a comment."""
        number, text = value.value, value.text
        if value.base == "d":
            raw = str(number)
        elif value.base == "o":
            raw = octal(number)
        else:
            raw = hexadecimal(number & 0xFFFFFFFF if number < 0 else number)
        if self.names is Names.RAW:
            return raw
        if text == raw or text.startswith(f"{raw} /*"):
            return text if value.base != "o" else f"{raw} /* {text} */"
        return f"{raw} /* {text} */"

    def _fd(self, value: Fd) -> str:
        path = ""
        if value.path is not None:
            deleted = b" (deleted)"
            name = value.path.removesuffix(deleted)
            path = f"<{plain(name)}>{'(deleted)' if name != value.path else ''}"
        if value.directory and value.value == AT_FDCWD and self.names is not Names.RAW:
            return f"AT_FDCWD{path}" if self.names is Names.ABBREV else f"{AT_FDCWD} /* AT_FDCWD */{path}"
        return f"{value.value}{path}"

    def _string(self, value: Str) -> str:
        return quote(value.data, 2 if value.hexadecimal else self.options.hex_strings) + ("..." if value.cut else "")

    def _struct(self, value: Struct) -> str:
        fields = value.fields
        if value.brief is not None and self.abbreviate:
            known = dict(fields)
            shown = [f"{name}={self.show(known[name])}" for name in value.brief if name in known]
            return "{" + ", ".join([*shown, "..."]) + "}"
        return (
            "{"
            + ", ".join([f"{name}={self.show(field)}" if name else self.show(field) for name, field in fields])
            + "}"
        )

    def _list(self, value: List) -> str:
        items = [self.show(item) for item in value.items]
        if value.cut:
            items.append("...")
        if value.bad is not None:
            items.append(f"... /* {value.bad:#x} */")
        return "[" + ", ".join(items) + "]"

    def _bits(self, value: Bits) -> str:
        names = list(value.names)
        if value.numbers and self.names is not Names.ABBREV:
            names = [str(number) for number in value.numbers]
            if self.names is Names.VERBOSE:
                names = [f"{number} /* {name} */" for number, name in zip(names, value.names, strict=True)]
        return f"{'~' * value.inverted}[{' '.join(names)}]"

    def _change(self, value: Change) -> str:
        before = self.show(value.before)
        return before if value.after is None else f"{before} => {self.show(value.after)}"

    def _note(self, value: Note) -> str:
        return f"{self.show(value.value)} /* {value.comment} */"


class TextSink:
    """Writes the events as lines of text."""

    def __init__(self, out: TextIO, options: TraceOptions, messages: TextIO | None = None) -> None:
        """`messages` gets what strace says in its own name; they go between the lines when it is not given."""
        self.out = out
        self.messages = messages or out
        self.options = options
        self.writer = Writer(options)
        self.palette = Palette.of(colour=options.colour)
        self._write = out.write
        self._several = options.always_pid  # is there more than one task?
        self._tasks: set[int] = set()
        self._column = options.always_pid or options.pid_column
        self._last = 0  # -r: start of the previous line
        self._places: dict[int, str] = {}  # thread id -> what -n and -i show of its last call
        self._plain_prefix = not (options.clock is not Clock.NONE or options.number or options.pointer)

    # --- events -------------------------------------------------------------------------------------------------------

    def call(self, event: CallEvent) -> None:
        """`name(args)      = result`."""
        self._where(event)
        prefix = self._prefix(event.tid, event.wall, event.start)
        arguments = self.writer.arguments(event.args)
        if event.torn:
            arguments = f"{self._announced(event)} <unfinished ...>"
        if event.announced:
            shown = self._announced(event)
            head = f"<... {event.name} resumed>{arguments[len(shown) :]})"
        else:
            head = f"{event.name}({arguments})"
        column = self.options.column - len(prefix) - 1
        self._write(f"{prefix}{self._paint_name(event, head)}{' ' * (column - len(head))} = {self.result(event)}\n")
        if event.dump:
            self._write(dump(event.dump))

    def unfinished(self, event: CallEvent) -> None:
        """`name(args-so-far <unfinished ...>`."""
        self._where(event)
        prefix = self._prefix(event.tid, event.wall, event.start)
        how = "detached" if event.detached else "unfinished"
        self._write(f"{prefix}{event.name}({self._announced(event)} <{how} ...>\n")

    def attached(self, tid: int) -> None:
        """`strace: Process N attached`: from here on lines say whose they are."""
        self._add(tid)
        if "attach" not in self.options.quiet:
            self.messages.write(f"strace: Process {tid} attached\n")

    def superseded(self, event: ExitEvent, by: int) -> None:
        """`+++ superseded by execve in pid N +++`: there is one task less."""
        self._remove(by)
        if "superseded" not in self.options.quiet:
            prefix = self._prefix(event.tid, event.wall, event.start)
            self._write(f"{prefix}{self.palette.signal}+++ superseded by execve in pid {by} +++{self.palette.end}\n")

    def signal(self, event: SignalEvent) -> None:
        """`--- SIGSEGV {...} ---`."""
        prefix = self._prefix(event.tid, event.wall, event.start)
        self._write(
            f"{prefix}{self.palette.signal}--- {event.name} {self.writer.show(event.info)} ---{self.palette.end}\n"
        )

    def stopped(self, event: StopEvent) -> None:
        """`--- stopped by SIGSTOP ---`."""
        prefix = self._prefix(event.tid, event.wall, event.start)
        self._write(f"{prefix}{self.palette.signal}--- stopped by {event.signal} ---{self.palette.end}\n")

    def exited(self, event: ExitEvent) -> None:
        """`+++ exited with 0 +++` or `+++ killed by SIGSEGV (core dumped) +++`."""
        if ("exit" if event.tid == event.pid else "thread-exit") in self.options.quiet:
            self._remove(event.tid)
            return
        prefix = self._prefix(event.tid, event.wall, event.start)
        core = " (core dumped)" if event.core_dumped else ""
        how = f"killed by {event.signal}{core}" if event.signal else f"exited with {event.status}"
        self._write(f"{prefix}{self.palette.signal}+++ {how} +++{self.palette.end}\n")
        self._remove(event.tid)

    def personality(self, tid: int, arch: Arch, wall: int, start: int) -> None:
        """`[ Process PID=N runs in 32 bit mode. ]`."""
        self._write(f"{self._prefix(tid, wall, start)}[ Process PID={tid} runs in {arch.bits} bit mode. ]\n")

    def close(self) -> None:
        """Flush."""
        self.out.flush()

    # --- parts --------------------------------------------------------------------------------------------------------

    def result(self, event: CallEvent) -> str:
        """Everything behind the equals sign."""
        result = event.result
        if event.error:
            palette = self.palette
            message = _MESSAGES.get(event.error)
            if event.error in RESTARTS:
                text = f"? {event.error} ({message})"
            else:
                text = f"-1 {event.error} ({message})" if message else f"-1 (errno {-(result or 0)})"
            text = f"{palette.error}{text}{palette.end}"
        elif result is None or event.value is None:
            text = "?"
        else:
            text = self.writer.show(event.value)
            if event.note:
                text += f" ({self.writer.remark(event.note)})"
        if event.injected:
            text += f" ({event.injected})"
        if self.options.duration:
            text += f" <{event.duration // NS}.{event.duration % NS // 1000:06d}>"
        return text

    def _announced(self, event: CallEvent) -> str:
        """What of the arguments was shown before the call was over: those known then, and a comma if more follow."""
        shown = self.writer.arguments(event.args[: event.known])
        return shown + ", " if event.more and shown else shown

    def _paint_name(self, event: CallEvent, head: str) -> str:
        if not self.palette.name:
            return head
        return head.replace(event.name, f"{self.palette.name}{event.name}{self.palette.end}", 1)

    def _prefix(self, tid: int, wall: int, start: int) -> str:
        if self._plain_prefix and not self._several and tid in self._tasks:
            return ""
        return self._pid(tid) + self._time(wall, start) + self._places.get(tid, "")

    def _where(self, event: CallEvent) -> None:
        """-n, -i, and how whole the structures of this call are."""
        options = self.options
        self.writer.abbreviate = options.abbreviate and not event.whole
        if options.number or options.pointer:
            number = f"[{event.number:4}] " if options.number else ""
            pointer = f"[{event.pointer:0{event.arch.word * 2}x}] " if options.pointer else ""
            self._places[event.tid] = number + pointer

    def _pid(self, tid: int) -> str:
        if tid not in self._tasks:
            self._add(tid)
        if not self._several:
            return ""
        return f"{tid:<5} " if self._column else f"[pid {tid:5}] "

    def _add(self, tid: int) -> None:
        self._tasks.add(tid)
        self._several = self.options.always_pid or len(self._tasks) > 1

    def _remove(self, tid: int) -> None:
        self._tasks.discard(tid)
        self._several = self.options.always_pid or len(self._tasks) > 1

    def _time(self, wall: int, start: int) -> str:
        clock = self.options.clock
        if clock is Clock.NONE:
            return ""
        since = ""
        if clock is Clock.RELATIVE or self.options.relative:
            delta = start - self._last if self._last else 0
            self._last = start
            since = f"{delta // NS:6}.{delta % NS // 1000:06d}"
        if clock is Clock.RELATIVE:
            return since + " "
        if clock is Clock.EPOCH:
            text = f"{wall // NS}.{wall % NS // 1000:06d} "
        else:
            text = time.strftime("%H:%M:%S", time.localtime(wall // NS))
            text += f".{wall % NS // 1000:06d} " if clock is Clock.MICROSECONDS else " "
        return f"{text}(+{since}) " if since else text


def dump(data: bytes) -> str:
    """-e read= and write=: lines of sixteen bytes in hexadecimal and as text."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        halves = " ".join(f"{c:02x}" for c in row[:8]), " ".join(f"{c:02x}" for c in row[8:])
        text = "".join(chr(c) if 0x20 <= c < 0x7F else "." for c in row)
        lines.append(f" | {at:05x}  {halves[0]:<23}  {halves[1]:<23}  {text:<16} |\n")
    return "".join(lines)
