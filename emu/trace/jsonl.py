"""Events as JSON, one object per line (docs/trace.md, schema.json)."""

from __future__ import annotations

import json
from typing import Any, TextIO

from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
from emu.trace.options import TraceOptions
from emu.trace.text import Writer
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
from syscalls.abi.arch import Arch

SCHEMA = 1  # of the format; goes up when a field changes its meaning


class JsonSink:
    """Writes each event, once it is complete, as one line."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self._encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode

    def call(self, event: CallEvent) -> None:
        """{"type": "call", ...}."""
        self._write(call_object(event))

    def unfinished(self, event: CallEvent) -> None:
        """It will come again when it is over."""

    def attached(self, tid: int) -> None:
        """The call that has made it says so."""

    def superseded(self, event: ExitEvent, by: int) -> None:
        """{"type": "superseded", ...}."""
        self._write({"type": "superseded", "pid": event.pid, "tid": event.tid, "time": event.wall, "by": by})

    def signal(self, event: SignalEvent) -> None:
        """{"type": "signal", ...}."""
        info = plain(event.info)
        self._write(
            {
                "type": "signal",
                "pid": event.pid,
                "tid": event.tid,
                "time": event.wall,
                "signal": event.name,
                "info": info,
            }
        )

    def stopped(self, event: StopEvent) -> None:
        """{"type": "stop", ...}."""
        self._write({"type": "stop", "pid": event.pid, "tid": event.tid, "time": event.wall, "signal": event.signal})

    def exited(self, event: ExitEvent) -> None:
        """{"type": "exit", ...}."""
        about: dict[str, Any] = {"type": "exit", "pid": event.pid, "tid": event.tid, "time": event.wall}
        if event.signal:
            about |= {"signal": event.signal, "core_dumped": event.core_dumped}
        else:
            about["status"] = event.status
        self._write(about)

    def personality(self, tid: int, arch: Arch, wall: int, start: int) -> None:
        """Every call says its architecture."""

    def close(self) -> None:
        """Flush."""
        self.out.flush()

    def _write(self, about: dict[str, Any]) -> None:
        self.out.write(self._encode(about) + "\n")


def call_object(event: CallEvent) -> dict[str, Any]:
    """A call as JSON's types."""
    about: dict[str, Any] = {
        "type": "call",
        "seq": event.seq,
        "pid": event.pid,
        "tid": event.tid,
        "arch": event.arch.name,
        "name": event.name,
        "number": event.number,
        "raw": list(event.raw),
        "args": {name: plain(value) for name, value in event.args},
        "result": event.result,
    }
    if event.error:
        about["error"] = event.error
    elif event.value is not None:
        about["value"] = plain(event.value)
    if event.note:
        about["note"] = Writer(TraceOptions()).remark(event.note)
    if event.support:
        about["support"] = event.support
    if event.injected:
        about["injected"] = event.injected
    return about | {"time": event.wall, "start": event.start, "duration": event.duration}


def plain(value: Value) -> Any:
    """A value as JSON's types: an object whose `kind` says which, see docs/trace.md."""
    match value:
        case Int() | Hex() | Octal():
            return value.value
        case Named() | Words():
            return {"kind": "named", "value": value.value, "text": value.text}
        case Fd():
            about: dict[str, Any] = {"kind": "fd", "value": value.value}
            return about if value.path is None else about | {"path": text(value.path)}
        case Id():
            return {"kind": value.what, "value": value.value}
        case Str():
            kind = "path" if value.path else "bytes"
            about = {"kind": kind, "text": text(value.data)}
            return about | {"cut": True} if value.cut else about
        case Address():
            return {"kind": "address", "value": value.value} if value.value else None
        case Struct():
            return {"kind": "struct", "fields": {name: plain(field) for name, field in value.fields}}
        case List():
            items = [plain(item) for item in value.items]
            return {"kind": "list", "items": items, "cut": True} if value.cut or value.bad is not None else items
        case Bits():
            return {"kind": "set", "value": value.value, "names": list(value.names), "inverted": value.inverted}
        case Note():
            return {"kind": "note", "value": plain(value.value), "comment": value.comment}
        case Labelled():
            return plain(value.value)
        case Change():
            before = plain(value.before)
            return before if value.after is None else {"kind": "change", "before": before, "after": plain(value.after)}
    raise TypeError(value)


def text(data: bytes) -> str:
    """Bytes as a string: each byte that is not part of valid UTF-8 becomes U+DC80..U+DCFF (PEP 383)."""
    return data.decode("utf-8", "surrogateescape")
