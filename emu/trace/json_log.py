"""The JSON of `trapeze trace --json` (schema.json), read back into events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from emu.errors import TraceFileError
from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
from emu.trace.recording import Event, Recording, SupersededEvent
from emu.trace.value import (
    Address,
    Bits,
    Change,
    Fd,
    Id,
    Int,
    List,
    Named,
    Note,
    Str,
    Struct,
    Value,
)
from syscalls.abi.arch import ARCHES
from syscalls.abi.signal import NUMBERS as SIGNALS


def read_json(name: str, lines: Iterable[str]) -> Recording:
    """All events. TraceFileError names the line that cannot be understood."""
    recording = Recording()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            about = json.loads(line)
        except ValueError:
            what = "not JSON" if line.endswith("\n") else "the file ends within this line"
            raise TraceFileError(f"{name}:{number}: {what}") from None
        try:
            recording.events.append(_EVENTS[about["type"]](about))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise TraceFileError(f"{name}:{number}: not an event of trapeze trace --json") from None
    return recording


def _call(about: dict[str, Any]) -> CallEvent:
    value = about.get("value")
    return CallEvent(
        int(about["seq"]),
        int(about["pid"]),
        int(about["tid"]),
        ARCHES[about["arch"]],
        str(about["name"]),
        int(about["number"]),
        tuple(about["raw"]),
        [(name, value_of(item)) for name, item in about["args"].items()],
        done=True,
        result=about["result"],
        value=value_of(value) if "value" in about else None,
        error=about.get("error", ""),
        note=about.get("note", ""),
        support=about.get("support", ""),
        injected=about.get("injected", ""),
        wall=about["time"],
        start=about["start"],
        duration=about["duration"],
    )


def _signal(about: dict[str, Any]) -> SignalEvent:
    name = str(about["signal"])
    return SignalEvent(about["pid"], about["tid"], SIGNALS.get(name, 0), name, value_of(about["info"]), about["time"])


def _stop(about: dict[str, Any]) -> StopEvent:
    return StopEvent(about["pid"], about["tid"], str(about["signal"]), about["time"])


def _exit(about: dict[str, Any]) -> ExitEvent:
    return ExitEvent(
        about["pid"],
        about["tid"],
        about.get("status", 0),
        about.get("signal", ""),
        about.get("core_dumped", False),
        about["time"],
    )


_EVENTS: dict[str, Callable[[dict[str, Any]], Event]] = {
    "call": _call,
    "signal": _signal,
    "stop": _stop,
    "exit": _exit,
    "superseded": lambda about: SupersededEvent(about["tid"], about["by"]),
}


def value_of(item: Any) -> Value:
    """What emu.trace.jsonl.plain has made of a value."""
    if item is None:
        return Address(0)
    if isinstance(item, int):
        return Int(item)
    if isinstance(item, list):
        return List(tuple(value_of(one) for one in item))
    return _OBJECTS.get(item["kind"], _id)(item)


def _data(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _id(item: dict[str, Any]) -> Value:
    return Id(item["value"], item["kind"])


def _change(item: dict[str, Any]) -> Value:
    return Change(value_of(item["before"]), value_of(item["after"]))


_OBJECTS: dict[str, Callable[[dict[str, Any]], Value]] = {
    "named": lambda item: Named(item["value"], item["text"]),
    "fd": lambda item: Fd(item["value"], _data(item["path"]) if "path" in item else None, directory=item["value"] < 0),
    "path": lambda item: Str(_data(item["text"]), item.get("cut", False), path=True),
    "bytes": lambda item: Str(_data(item["text"]), item.get("cut", False)),
    "address": lambda item: Address(item["value"]),
    "struct": lambda item: Struct(tuple((name, value_of(field)) for name, field in item["fields"].items())),
    "list": lambda item: List(tuple(value_of(one) for one in item["items"]), cut=True),
    "set": lambda item: Bits(tuple(item["names"]), item["value"], item["inverted"]),
    "note": lambda item: Note(value_of(item["value"]), item["comment"]),
    "change": _change,
}
