"""strace's own text, read back into events: a log from another machine, or another day, can be compared.

With or without pids (-f), times (-t, -tt, -ttt, -r, -T), numbers and places (-n, -i), paths (-y), names (-X);
unfinished and resumed lines are put together. The text does not say for which architecture it was made: the names of
its calls, and the notes about 32 bit mode, do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import syscalls.linux  # noqa: F401  # declares all calls
from emu.errors import TraceFileError
from emu.trace.decode import plan_of
from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
from emu.trace.plan import Plan
from emu.trace.recording import Recording
from emu.trace.strace_value import ScanError, Scanner
from emu.trace.text import RESTARTS
from emu.trace.value import Int, Labelled, Struct, Value, Words
from syscalls import spec as specs
from syscalls.abi.arch import ARCHES, Arch
from syscalls.abi.errno import EINTR, TABLE
from syscalls.abi.numbers import NUMBER
from syscalls.abi.signal import NUMBERS as SIGNALS

_PID = re.compile(r"\[pid +(\d+)(?:<[^>]*>)?\] |(\d{1,9})(?:<[^>]*>)? +(?=\S)")
_TIME = re.compile(r" *(?:\d+:\d\d:\d\d(?:\.\d+)?|\d+\.\d{3,9}|\d{10,}) (?:\(\+ *\d+\.\d+\) )?")
_PLACE = re.compile(r"\[ *(?:\d+|[0-9a-f?]{8}|[0-9a-f?]{16})\] ")
_NAME = re.compile(r"[a-z_][a-zA-Z0-9_]*(?=\()")
_RESUMED = re.compile(r"<\.\.\. ([a-z_][a-zA-Z0-9_]*) resumed>")
_DURATION = re.compile(r" <(\d+)\.(\d{1,9})>$")
_ERROR = re.compile(r" (E[A-Z0-9_]+)(?: \(.*?\))?")
_ERRNO = re.compile(r" \(errno (\d+)\)")
_UNFINISHED = " <unfinished ...>"
_ERRNOS = {name: number for number, (name, _) in TABLE.items()}
_PERSONALITY = re.compile(r"\[ Process PID=(\d+) runs in (32|64|x32) bit mode\. \]")
_ENDS = (
    (re.compile(r"\+\+\+ exited with (\d+) \+\+\+"), "exited"),
    (re.compile(r"\+\+\+ killed by (\w+)( \(core dumped\))? \+\+\+"), "killed"),
    (re.compile(r"\+\+\+ superseded by execve in pid (\d+) \+\+\+"), "superseded"),
    (re.compile(r"--- stopped by (\w+) ---"), "stopped"),
)
#: Lines that say nothing about the program: strace's own words, dumps of data (-e read=), stacks (-k).
_SILENT = ("strace: ", "Process ", " | ", " > ", "[ Process PID=")


@dataclass(slots=True)
class _Call:
    """A call as the log has it, before it is known what its parameters are."""

    line: int
    tid: int
    name: str
    items: list[Value]
    result: str  # everything behind the equals sign
    torn: bool
    bits: int  # of the mode that the log has spoken of; 0: not spoken of


class StraceLog:
    """Reads one log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._line = 0
        self._heads: dict[int, str] = {}  # begun and not resumed, by task
        self._bits: dict[int, int] = {}
        self._found: list[_Call | SignalEvent | StopEvent | ExitEvent | tuple[int, int]] = []
        self._plans: dict[tuple[Arch, str], Plan] = {}

    def read(self, lines: Iterable[str]) -> Recording:
        """All events. TraceFileError names the line that cannot be understood."""
        text = ""
        for number, text in enumerate(lines, 1):
            self._line = number
            line = text.rstrip("\n")
            if line and not line.startswith("#"):
                self._read_line(line)
        if self._line and not text.endswith("\n") and not self._complete(text):
            raise self._error("the file ends within this line")
        recording = Recording()
        arch = self._guess()
        for tid, head in self._heads.items():  # the log ends before they do
            self._found.append(self._torn(tid, head))
        for what in self._found:
            self._tell(recording, what, arch)
        return recording

    def _error(self, what: str) -> TraceFileError:
        return TraceFileError(f"{self.name}:{self._line}: {what}")

    @staticmethod
    def _complete(line: str) -> bool:
        return line.endswith(("+++", "---", ">", "?", ")", "]")) or bool(re.search(r"= -?\w+$", line))

    # --- lines --------------------------------------------------------------------------------------------------------

    def _read_line(self, line: str) -> None:
        if line.startswith("% time"):
            raise self._error("this is a table of strace -c, not a trace")
        personality = _PERSONALITY.search(line)
        if personality:
            tid, bits = int(personality.group(1)), personality.group(2)
            self._bits[tid] = self._bits[0] = 64 if bits == "64" else 32
            return
        if line.startswith(_SILENT):
            return
        tid, at = self._prefix(line)
        body = line[at:]
        if body.startswith(("+++ ", "--- ")):
            self._mark(tid, body)
            return
        resumed = _RESUMED.match(body)
        if resumed:
            head = self._heads.pop(tid, None)
            if head is None:
                raise self._error(f"{resumed.group(1)} is resumed that nobody has begun")
            rest = body[resumed.end() :]
            body = head + (rest.lstrip(" ") if head.endswith((" ", "(")) else rest)
        name = _NAME.match(body)
        if name is None:
            raise self._error("not a line of strace")
        if body.endswith(_UNFINISHED):
            self._heads[tid] = body.removesuffix(_UNFINISHED)
            return
        self._found.append(self._call(tid, name.group(), body))

    def _prefix(self, line: str) -> tuple[int, int]:
        """Whose line it is, and where the prefix ends."""
        tid, at = 0, 0
        pid = _PID.match(line)
        if pid and not _TIME.match(line):
            tid, at = int(pid.group(1) or pid.group(2)), pid.end()
        for pattern in (_TIME, _TIME, _PLACE, _PLACE):
            found = pattern.match(line, at)
            if found:
                at = found.end()
        return tid, at

    def _mark(self, tid: int, body: str) -> None:
        """A signal, a stop, an end."""
        for pattern, what in _ENDS:
            found = pattern.fullmatch(body)
            if found is None:
                continue
            word = found.group(1)
            if what == "superseded":
                self._found.append((tid, int(word)))
                if int(word) in self._heads:  # its execve returns under the leader's id
                    self._heads[tid] = self._heads.pop(int(word))
            elif what == "stopped":
                self._found.append(StopEvent(tid, tid, word))
            else:
                if tid in self._heads:  # killed within the call
                    self._found.append(self._torn(tid, self._heads.pop(tid)))
                killed = what == "killed"
                core = killed and found.group(2) is not None
                self._found.append(ExitEvent(tid, tid, 0 if killed else int(word), word if killed else "", core))
            return
        name = re.match(r"--- (\w+) ", body)
        if name is None or not body.endswith(" ---"):
            raise self._error("not a line of strace")
        info = self._value(body[name.end() : -4])
        self._found.append(SignalEvent(tid, tid, SIGNALS.get(name.group(1), 0), name.group(1), info))

    def _value(self, text: str) -> Value:
        scanner = Scanner(text)
        try:
            value = scanner.item()
        except ScanError as error:
            raise self._error(str(error)) from None
        return value if isinstance(value, Struct) else Words(text, 0)

    def _call(self, tid: int, name: str, body: str) -> _Call:
        scanner = Scanner(body, len(name) + 1)
        torn = _UNFINISHED + ")" in body
        text = body.replace(_UNFINISHED, "", 1) if torn else body
        scanner.text = text
        try:
            items = scanner.items(")")
        except ScanError as error:
            raise self._error(f"{name}: {error}") from None
        rest = text[scanner.pos :].lstrip(" ")
        if not rest.startswith("= ") and not rest.startswith("<detached"):
            raise self._error(f"{name}: no result")
        return _Call(self._line, tid, name, items, rest[2:], torn, self._bits.get(tid, self._bits.get(0, 0)))

    def _torn(self, tid: int, head: str) -> _Call:
        name = head[: head.index("(")]
        scanner = Scanner(head.rstrip(", ") + ")", len(name) + 1)
        try:
            items = scanner.items(")")
        except ScanError as error:
            raise self._error(f"{name}: {error}") from None
        return _Call(self._line, tid, name, items, "?", torn=True, bits=self._bits.get(tid, self._bits.get(0, 0)))

    # --- events -------------------------------------------------------------------------------------------------------

    def _guess(self) -> dict[int, Arch]:
        """The architecture of each mode: the one that knows the names of the calls."""
        names: dict[int, Counter[str]] = {}
        for what in self._found:
            if isinstance(what, _Call):
                names.setdefault(what.bits, Counter())[what.name] += 1
        guessed = {}
        for bits, counts in names.items():
            candidates = [arch for arch in ARCHES.values() if not bits or arch.bits == bits]
            unknown = [sum(n for name, n in counts.items() if _strange(name, arch)) for arch in candidates]
            guessed[bits] = candidates[unknown.index(min(unknown))]
        return guessed

    def _tell(
        self,
        recording: Recording,
        what: _Call | SignalEvent | StopEvent | ExitEvent | tuple[int, int],
        arches: dict[int, Arch],
    ) -> None:
        if isinstance(what, tuple):
            tid, by = what
            recording.superseded(ExitEvent(tid, tid, 0), by)
        elif isinstance(what, _Call):
            self._line = what.line
            recording.events.append(self._event(what, arches[what.bits]))
        else:
            recording.events.append(what)

    def _event(self, call: _Call, arch: Arch) -> CallEvent:
        plan = self._plans.get((arch, call.name))
        if plan is None:
            number = NUMBER[arch.name].get(call.name, -1)
            plan = self._plans[arch, call.name] = plan_of(call.name, number, arch, specs.find(arch, call.name))
        event = CallEvent(call.line, call.tid, call.tid, arch, call.name, plan.number, (), done=True)
        event.torn = call.torn
        event.args = _named(call.items, plan)
        self._result(event, call.result)
        return event

    def _result(self, event: CallEvent, text: str) -> None:
        """`3`, `-1 ENOENT (...)`, `?`, `1 ([{fd=3, revents=POLLIN}])`, each with -T's time and words of tampering."""
        duration = _DURATION.search(text)
        if duration:
            event.duration = int(duration.group(1)) * 10**9 + int(duration.group(2).ljust(9, "0"))
            text = text[: duration.start()]
        scanner = Scanner(text)
        value = Words("?", 0) if scanner.skip("?") else scanner.number()
        if value is None:
            raise self._error(f"{event.name}: the result {text!r} is none")
        rest = text[scanner.pos :]
        error, errno = _ERROR.match(rest), _ERRNO.match(rest)
        if isinstance(value, Words) and value.text == "?":
            if error and error.group(1) in RESTARTS:
                event.error, event.result = error.group(1), -EINTR
        elif value == Int(-1) and (error or errno):
            code = _ERRNOS.get(error.group(1), 0) if error else int(errno.group(1)) if errno else 0
            event.error = error.group(1) if error else f"errno {code}"
            event.result = -code
        else:
            event.value, event.result = value, getattr(value, "value", 0)
            if rest.startswith(" (") and rest.endswith(")"):
                event.note = rest[2:-1]


def _strange(name: str, arch: Arch) -> bool:
    """Is this no call of programs of that architecture? x86_64 has a number for set_thread_area, and ENOSYS."""
    return name not in NUMBER[arch.name] or (name == "set_thread_area" and arch.bits == 64)


def _named(items: list[Value], plan: Plan) -> list[tuple[str, Value]]:
    """The arguments with the names of their parameters, which stand in the same order."""
    names = [step.name for step in plan.steps if step.name and not step.hidden]
    named: list[tuple[str, Value]] = []
    for i, item in enumerate(items):
        if isinstance(item, Labelled) and item.label in names:
            named.append((item.label, item))
        else:
            named.append((names[i] if i < len(names) else f"arg{i}", item))
    return named
