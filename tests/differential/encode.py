"""A script as the words that replay.c reads.

A sequence is a header of eight words (its length in words, id, bytes of the arena, bytes of slots, edge pages, steps,
milliseconds until it is ended, words of initial memory), the initial memory ((address, length, bytes padded)...), and
its steps of 19 words each: what to do, offset of its slot, system call's number (STORE: width; FORK: steps of the
child), two ranges of memory (address, length) to keep as the call left them, six arguments (kind, value).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from syscalls.abi import fcntl
from syscalls.abi.arch import Arch
from syscalls.abi.kinds import IdKind
from syscalls.abi.numbers import NUMBER
from syscalls.abi.resource import PRIO_PGRP, PRIO_PROCESS
from syscalls.abi.socket import AF_UNIX
from syscalls.spec import find
from tests.differential.calls import ALLOWED, OWN, translate
from tests.differential.script import Script, Step
from tests.differential.values import Blob, Ref, ScriptError, Symbol, as_blob, vocabulary

ARENA, EDGES, PAGE = 0x20000000, 0x21000000, 4096
ARENA_SIZE_MAX = 0x100000
SLOT = 88  # bytes before the dump
CALL, STORE, FORK, PROBE = 1, 2, 3, 4
CONST, RESULT, LOAD32, LOAD64, SYMBOL, PID, MINUS_PID = range(7)
GAP = 16  # bytes of filler between blobs
IOCTLS = {(0x541B,), (0x5421,), (0x5450,), (0x5451,), (0x5452,), (0x5460,), (0x9999,), (0,)}
LARGE = 1 << 20
SAFE_PID = 0x3FFF0000  # no process has one so large

Arg = tuple[int, int]


@dataclass
class Placed:
    """A blob in memory, and where its bytes are in the step's dump."""

    blob: Blob
    address: int
    size: int
    initial: bytes
    guarded: bool  # is there filler behind it?


@dataclass
class Planned:
    """What the reader of a step's slot must know."""

    step: Step
    slot: int
    call: str = ""
    args: tuple[Any, ...] = ()
    dumps: list[tuple[int, int]] = field(default_factory=list)
    blobs: list[Placed] = field(default_factory=list)


@dataclass
class Encoded:
    """A sequence ready to run."""

    words: bytes
    planned: list[Planned]
    slots_size: int


class Scope(dict[str, Any]):
    """Names of results, where the vocabulary has none."""

    def __init__(self, encoder: Placer) -> None:
        super().__init__()
        self.encoder = encoder

    def __missing__(self, name: str) -> Ref:
        if name in self.encoder.vocabulary:
            value = self.encoder.vocabulary[name]
            self[name] = value
            return value  # type: ignore[no-any-return]
        if name not in self.encoder.slots:
            raise KeyError(name)
        return Ref(name)


@cache
def _compiled(source: str) -> Any:
    return compile(source, "<script>", "eval")


class Placer:
    """Encodes one script: hands out the arena and the slots."""

    def __init__(self, arch: Arch) -> None:
        self.arch = arch
        self.vocabulary = vocabulary(arch)
        self.slots: dict[str, int] = {}
        self.firsts: dict[str, int] = {}  # name -> address of the first blob of its step
        self.scope = Scope(self)
        self.cursor = ARENA
        self.gap = GAP
        self.edges = 0
        self.initial: list[tuple[int, bytes]] = []
        self.blobs: list[Placed] = []
        self.stores: list[list[int]] = []
        self.edge_range: tuple[int, int] = (0, 0)
        self.planned: list[Planned] = []
        self.next_slot = 0

    # --- what blobs call ---

    def alloc(self, blob: Blob, size: int, data: bytes | None) -> int:
        """Room in the arena, with its first content."""
        if self.gap:
            self.cursor += -self.cursor % blob.align
        address = self.cursor
        self.cursor += size + self.gap
        if self.cursor - ARENA > ARENA_SIZE_MAX:
            raise ScriptError("too much memory")
        self._keep(blob, address, size, data)
        return address

    def at_edge(self, blob: Blob) -> int:
        """Room that ends where a page does that has nothing behind it."""
        size = blob.size(self.arch)
        if size > PAGE or self.edge_range[1]:
            raise ScriptError("one edge of at most a page for each call")
        address = EDGES + 2 * PAGE * self.edges + PAGE - size
        self.edges += 1
        self.edge_range = (address, size)
        data = blob.data(self.arch)
        self._keep(blob, address, size, b"\xaa" * size if data is None else data)
        return address

    def _keep(self, blob: Blob, address: int, size: int, data: bytes | None) -> None:
        if data is not None:
            self.initial.append((address, data))
        self.blobs.append(Placed(blob, address, size, data if data is not None else b"\xaa" * size, self.gap > 0))

    def array(self, items: tuple[Blob, ...]) -> int:
        """Room for blobs that lie one behind the other."""
        self.cursor += -self.cursor % 8
        self.gap = 0
        addresses = [item.place(self) for item in items]
        self.gap = GAP
        self.cursor += GAP
        return addresses[0] if addresses else self.cursor

    def store(self, address: int, width: int, value: Any) -> None:
        """Store a value that is only known when the call is made."""
        words = [STORE, 0, width, 0, 0, 0, 0, CONST, address, *self.argument(value)]
        self.stores.append(words + [0] * (19 - len(words)))

    def argument(self, value: Any, *, pid: bool = False, call: str = "") -> Arg:
        """(kind, value) of one register."""
        value = as_blob(value)
        if isinstance(value, Ref):
            if value.index is not None:
                if value.name not in self.firsts:
                    raise ScriptError(f"{value.name} stored nothing")
                return LOAD32, self.firsts[value.name] + 4 * value.index
            if pid or value.negative:
                return MINUS_PID if value.negative else PID, self.slots[value.name]
            return RESULT, self.slots[value.name]
        if isinstance(value, Symbol):
            return SYMBOL, value.index
        if isinstance(value, Blob):
            return CONST, value.place(self)
        if not isinstance(value, int):
            raise ScriptError(f"{call}: {value!r} is no argument")
        if pid and not (value == 0 or abs(value) >= SAFE_PID or call in {"wait4", "prlimit64"}):
            raise ScriptError(f"{call}: {value} may be somebody's process")
        return CONST, value

    # --- steps ---

    def plan(self, step: Step) -> Planned:
        planned = Planned(step, self.next_slot)
        self.next_slot += SLOT
        self.planned.append(planned)
        return planned

    def steps(self, steps: list[Step]) -> list[list[int]]:
        """The words of all steps."""
        words: list[list[int]] = []
        for step in steps:
            words += self.fork(step) if step.call == "fork" else self.call(step)
        return words

    def fork(self, step: Step) -> list[list[int]]:
        planned = self.plan(step)
        self.slots[step.name] = planned.slot
        self.scope.pop(step.name, None)
        body = self.steps(step.body)
        return [[FORK, planned.slot, len(body), *[0] * 16], *body]

    def call(self, step: Step) -> list[list[int]]:
        if step.call not in ALLOWED | OWN:
            raise ScriptError(f"{step.call} is not allowed")
        planned = self.plan(step)
        call, args = translate(self.arch, step.call, step.args)
        try:
            values = eval(_compiled(f"({', '.join(args)},)" if args else "()"), {"__builtins__": {}}, self.scope)
        except (NameError, KeyError, TypeError, SyntaxError, ValueError) as error:
            raise ScriptError(f"{step}: {error}") from error
        self.blobs, self.stores, self.edge_range, begin = [], [], (0, 0), self.cursor
        registers: list[Arg] = []
        if step.call in OWN:
            op, number = PROBE, 0
            registers = [self.argument(value) for value in values]
        else:
            op, number = CALL, NUMBER[self.arch.name].get(call, -1)
            spec = find(self.arch, call)
            if spec is None or number < 0:
                raise ScriptError(f"{call} does not exist on {self.arch.name}")
            forbid(step.call, values)
            owner = step.call == "fcntl" and values[1:2] == (fcntl.F_SETOWN,)
            for index, ((param, slots), value) in enumerate(zip(spec.registers(self.arch), values, strict=False)):
                pid = (isinstance(param.kind, IdKind) and param.kind.what == "pid") or (owner and index == 2)
                kind, word = self.argument(value, pid=pid, call=step.call)
                registers.append((kind, word))
                if len(slots) == 2:
                    high = word >> 32 if kind == CONST and self.arch.word == 4 else 0
                    registers.append((CONST, high))
            if len(values) > len(spec.params):
                raise ScriptError(f"{step}: too many arguments")
        planned.call, planned.args, planned.blobs = call, values, self.blobs
        planned.dumps = [(begin, self.cursor - begin), self.edge_range]
        self.next_slot += sum(length for _, length in planned.dumps)
        self.next_slot += -self.next_slot % 8
        if step.name:
            self.slots[step.name] = planned.slot
            self.scope.pop(step.name, None)
            if self.blobs:
                self.firsts[step.name] = self.blobs[0].address
        words = [op, planned.slot, number, *planned.dumps[0], *planned.dumps[1]]
        for register in registers[:6]:
            words += register
        return [*self.stores, words + [0] * (19 - len(words))]


def forbid(call: str, values: tuple[Any, ...]) -> None:
    """Refuse what would reach beyond the sequence's own processes, whatever a generator or shrinker wrote."""
    bad = {
        "setpriority": lambda: values[:1] not in {(PRIO_PROCESS,), (PRIO_PGRP,), (5,), (-1,)},
        "mknod": lambda: values[2:] not in {(), (0,)},
        "mknodat": lambda: values[3:] not in {(), (0,)},
        "fcntl": lambda: not all(isinstance(v, int) for v in values[1:2]) or values[1:2] == (fcntl.F_SETOWN_EX,),
        "ioctl": lambda: values[1:2] not in IOCTLS,
        "fallocate": lambda: any(not isinstance(v, int) or LARGE < v < 1 << 62 for v in values[3:4]),
        "socket": lambda: values[:1] not in {(AF_UNIX,), (99,), (-1,), (0,)},
        "socketpair": lambda: values[:1] not in {(AF_UNIX,), (99,), (-1,), (0,)},
    }.get(call)
    if bad and bad():
        raise ScriptError(f"{call}{values}: beyond the sequence's own")


def encode(script: Script, arch: Arch, identity: int, timeout_ms: int) -> Encoded:
    """The words of a script; ScriptError."""
    placer = Placer(arch)
    steps = placer.steps([Step("getpid", [], "main"), *script.steps])
    initial = bytearray()
    for address, data in placer.initial:
        initial += struct.pack("<qq", address, len(data)) + data + bytes(-len(data) % 8)
    words = [word & (1 << 64) - 1 for step in steps for word in step]
    body = bytes(initial) + struct.pack(f"<{len(words)}Q", *words)
    arena = (placer.cursor - ARENA + PAGE) & -PAGE
    if placer.next_slot > ARENA_SIZE_MAX:
        raise ScriptError("too many results")
    header = (
        8 + len(body) // 8,
        identity,
        arena,
        placer.next_slot,
        placer.edges,
        len(steps),
        timeout_ms,
        len(initial) // 8,
    )
    return Encoded(struct.pack("<8q", *header) + body, placer.planned, placer.next_slot)
