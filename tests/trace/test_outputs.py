"""JSON against its schema, the selection grammar, the -c table, lines of several tasks."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import emu.trace
from emu.trace.event import CallEvent, ExitEvent, SignalEvent, StopEvent
from emu.trace.jsonl import JsonSink
from emu.trace.options import Clock, TraceOptions
from emu.trace.quote import quote
from emu.trace.select import ALL, NONE, SelectError, select_calls, select_signals
from emu.trace.siginfo import siginfo
from emu.trace.summary import SummarySink
from emu.trace.text import TextSink, dump
from emu.trace.tracer import Tracer
from emu.trace.value import Address, Bits, Change, Fd, Hex, Id, Int, List, Named, Note, Octal, Str, Struct, Words
from syscalls.abi import signal as sig
from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.kernel.signals import SigInfo

SCHEMA = json.loads((Path(emu.trace.__file__).parent / "schema.json").read_text())
EVERY_VALUE = [
    Int(-1), Hex(5), Octal(0o644), Named(2, "O_RDWR"), Fd(3, b"/x\xff"), Fd(-100, None, directory=True), Id(1, "pid"),
    Str(b"a\xff", cut=True), Str(b"/p", path=True), Address(0), Address(0x1000), Struct((("a", Int(1)),), ("a",)),
    List((Int(1),)), List((Int(1),), cut=True), Bits(("USR1",), 512), Note(Address(5), "3 entries"),
    Change(Int(1), Int(2)), Words("{WIFEXITED(s)}", 0),
]  # fmt: skip


def check(value, schema) -> None:
    """The part of JSON Schema that schema.json uses; AssertionError where the value does not fit."""
    if "$ref" in schema:
        return check(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if "oneOf" in schema:
        fitting = [option for option in schema["oneOf"] if fits(value, option)]
        assert len(fitting) == 1, (value, len(fitting))
        return None
    if "const" in schema:
        assert value == schema["const"]
    if "enum" in schema:
        assert value in schema["enum"]
    types = {"object": dict, "array": list, "integer": int, "string": str, "null": type(None), "boolean": bool}
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        assert any(type(value) is types[name] for name in names), (value, names)
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value), value
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            assert inner is not False, name
            check(item, inner or {})
    if isinstance(value, list) and "items" in schema:
        for item in value:
            check(item, schema["items"])
    return None


def fits(value, schema) -> bool:
    try:
        check(value, schema)
    except AssertionError:
        return False
    return True


def call(name="read", result=0, **values) -> CallEvent:
    event = CallEvent(1, 7, 7, values.pop("arch", X86_64), name, 0, (0,) * 6, values.pop("args", []), **values)
    event.result = result
    return event


def lines(*events, **options) -> list[str]:
    out = io.StringIO()
    sink = TextSink(out, TraceOptions(**options))
    for kind, event in events:
        getattr(sink, kind)(event)
    return out.getvalue().splitlines()


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_every_kind_of_event_and_value_fits_the_schema():
    out = io.StringIO()
    sink = JsonSink(out)
    sink.call(
        call(args=[(f"arg{i}", value) for i, value in enumerate(EVERY_VALUE)], value=Int(0), note=("in ", Int(3)))
    )
    sink.call(call(result=-2, error="ENOENT", support="not yet"))
    sink.call(call(result=None))
    info = siginfo(SigInfo(11, 1, address=5), X86_64)
    sink.signal(SignalEvent(7, 7, 11, "SIGSEGV", info))
    sink.exited(ExitEvent(7, 7, 3))
    sink.exited(ExitEvent(7, 7, 0, "SIGSEGV", core_dumped=True))
    written = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(written) == 6
    for about in written:
        check(about, SCHEMA)
    assert written[0]["note"] == "in 3"
    assert not fits({"type": "exit", "pid": 1, "tid": 1, "time": 0, "surprise": 1}, SCHEMA)


def test_bytes_survive_json():
    out = io.StringIO()
    JsonSink(out).call(call(args=[("buf", Str(bytes(range(256))))]))
    text = json.loads(out.getvalue())["args"]["buf"]["text"]
    assert text.encode("utf-8", "surrogateescape") == bytes(range(256))


# --- text -------------------------------------------------------------------------------------------------------------


def test_prefixes():
    event = call(wall=1_700_000_000_123_456_789, value=Int(0))
    assert lines(("call", event), clock=Clock.EPOCH)[0].startswith("1700000000.123456 read()")
    assert lines(("call", event), always_pid=True)[0].startswith("7     read() ")
    other = call(value=Int(0))
    other.tid = 8
    assert lines(("call", event), ("call", other)) == [
        "read()                                  = 0",
        "[pid     8] read()                      = 0",
    ]


def test_relative_time_and_duration():
    first, second = call(value=Int(0), start=10**9), call(value=Int(0), start=3 * 10**9 + 5000, duration=1_234_567)
    assert lines(("call", first), ("call", second), clock=Clock.RELATIVE, duration=True) == [
        "     0.000000 read()                    = 0 <0.000000>",
        "     2.000005 read()                    = 0 <0.001234>",
    ]


@pytest.mark.parametrize(
    ("result", "more", "text"),
    [
        (-4, {"error": "ERESTARTNOHAND"}, "? ERESTARTNOHAND (To be restarted if no handler)"),
        (-600, {"error": "errno 600"}, "-1 (errno 600)"),
        (-2, {"error": "ENOENT", "injected": "INJECTED"}, "-1 ENOENT (No such file or directory) (INJECTED)"),
        (None, {}, "?"),
        (7, {"value": Fd(7, b"/tmp/a<b>")}, "7</tmp/a\\74b\\76>"),
        (7, {"value": Fd(7, b"/tmp/a (deleted)")}, "7</tmp/a>(deleted)"),
    ],
)
def test_results(result, more, text):
    assert lines(("call", call(result=result, **more))) == [f"read(){' ' * 34}= {text}"]


def test_ends():
    assert lines(("exited", ExitEvent(7, 7, 3)), ("exited", ExitEvent(7, 7, 0, "SIGSEGV", core_dumped=True))) == [
        "+++ exited with 3 +++",
        "+++ killed by SIGSEGV (core dumped) +++",
    ]


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (SigInfo(11, sig.SEGV_MAPERR), "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL}"),
        (SigInfo(14, sig.SI_KERNEL), "{si_signo=SIGALRM, si_code=SI_KERNEL}"),
        (SigInfo(5, sig.SI_KERNEL), "{si_signo=SIGTRAP, si_code=SI_KERNEL, si_addr=NULL}"),
        (SigInfo(10, sig.SI_USER, pid=5), "{si_signo=SIGUSR1, si_code=SI_USER, si_pid=5, si_uid=0}"),
        (
            SigInfo(34, sig.SI_QUEUE, pid=5, value=7),
            "{si_signo=SIGRT_2, si_code=SI_QUEUE, si_pid=5, si_uid=0, si_int=7, si_ptr=0x7}",
        ),
        (SigInfo(34, sig.SI_QUEUE, pid=5), "{si_signo=SIGRT_2, si_code=SI_QUEUE, si_pid=5, si_uid=0}"),
        (
            SigInfo(14, sig.SI_TIMER, value=9),
            "{si_signo=SIGALRM, si_code=SI_TIMER, si_timerid=0, si_overrun=0, si_int=9, si_ptr=0x9}",
        ),
        (
            SigInfo(17, sig.CLD_KILLED, pid=5, status=9),
            "{si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=5, si_uid=0, si_status=SIGKILL, si_utime=0, si_stime=0}",
        ),
    ],
)
def test_signals_as_strace_showed_them(info, text):
    name = sig.SIGNAL.format(info.signo)
    event = SignalEvent(7, 7, info.signo, name, siginfo(info, X86_64))
    assert lines(("signal", event)) == [f"--- {name} {text} ---"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\0", r'"a\0"'), (b"\x001", r'"\0001"'), (b"\x008", r'"\08"'), (b"\x7f\xff", r'"\177\377"'),
        (b'"\\\t\n\v\f\r\x1b', r'"\"\\\t\n\v\f\r\33"'),
    ],
)  # fmt: skip
def test_quoting(data, text):
    assert quote(data) == text


def test_quoting_in_hexadecimal():
    assert quote(b"ab\n", 1) == r'"ab\n"'
    assert quote(b"ab\xff", 1) == r'"\x61\x62\xff"'
    assert quote(b"ab", 2) == r'"\x61\x62"'


# --- the tracer -------------------------------------------------------------------------------------------------------


def kernel() -> SimpleNamespace:
    return SimpleNamespace(realtime=lambda: 0, clock=SimpleNamespace(monotonic=lambda: 0))


class Memory:
    def read(self, address: int, length: int) -> bytes:
        return b"x" * length

    read_some = read

    def cstr(self, address: int, limit: int) -> bytes:
        return b"path"


class FakeTask:
    """What the tracer looks at."""

    def __init__(self, tid: int) -> None:
        self.tid = tid
        self.arch = X86_64
        self.mm = Memory()
        self.group = SimpleNamespace(group_exit=False, tgid=7, signals=SimpleNamespace(pending={}))
        self.signals = SimpleNamespace(pending={}, mask=0x4000)
        self.interrupted = None
        self.alive = True
        self.cpu = SimpleNamespace(get=lambda _register: (1 << 64) - 4)


def trace(*steps, **options) -> list[str]:
    out = io.StringIO()
    how = TraceOptions(**options)
    tracer = Tracer(kernel(), [TextSink(out, how)], how)
    for name, *arguments in steps:
        getattr(tracer, name)(*arguments)
    tracer.close()
    return out.getvalue().splitlines()


def test_a_call_that_another_task_interrupts_is_resumed():
    import syscalls.linux  # noqa: F401  # declares the calls

    one, two = FakeTask(1), FakeTask(2)
    assert trace(
        ("enter", one, X86_64, 0, (0, 4096, 2, 0, 0, 0)),
        ("enter", two, X86_64, 39, (0,) * 6),
        ("exit", two, 7),
        ("exit", one, 2),
        ("exited", one, 0x300),
    ) == [
        "read(0,  <unfinished ...>",
        "[pid     2] getpid()                    = 7",
        '[pid     1] <... read resumed>"xx", 2)  = 2',
        "[pid     1] +++ exited with 3 +++",
    ]


def test_a_task_that_ends_in_a_call_does_not_return():
    import syscalls.linux  # noqa: F401  # declares the calls

    task = FakeTask(1)
    task.alive = False
    steps = [("enter", task, X86_64, 231, (3,) * 6), ("exited", task, 0x300), ("exit", task, None)]
    assert trace(*steps) == [f"exit_group(3){' ' * 27}= ?", "+++ exited with 3 +++"]


def test_a_signal_return_shows_the_mask_and_the_register():
    import syscalls.linux  # noqa: F401  # declares the calls

    task = FakeTask(1)
    steps = [("enter", task, X86_64, 15, (0,) * 6), ("exit", task, None)]
    assert trace(*steps) == ["rt_sigreturn({mask=[TERM]})             = -1 EINTR (Interrupted system call)"]


def test_a_32_bit_task_is_announced():
    task = FakeTask(1)
    steps = [("enter", task, I386, 20, (0,) * 6), ("exit", task, 7)]
    assert trace(*steps)[0] == "[ Process PID=1 runs in 32 bit mode. ]"
    assert len(trace(*steps, quiet=frozenset({"personality"}))) == 1


def test_only_what_is_selected_is_shown():
    task = FakeTask(1)
    steps = [("enter", task, X86_64, 39, (0,) * 6), ("exit", task, 7), ("enter", task, X86_64, 1000, (1,) * 6)]
    steps.append(("exit", task, -38))
    assert trace(*steps, trace=NONE) == []
    assert len(trace(*steps, trace=select_calls("getpid"))) == 1
    assert trace(*steps, status=frozenset({"failed"})) == [
        "syscall_0x3e8(0x1, 0x1, 0x1, 0x1, 0x1, 0x1) = -1 ENOSYS (Function not implemented)"
    ]


# --- selecting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "yes", "no"),
    [
        ("open,close", "open close", "openat read"),
        ("!open", "close", "open"),
        ("!!open", "open", "close"),
        ("all", "open", ""),
        ("none", "", "open"),
        ("!none", "open", ""),
        ("%file", "open openat execve", "read"),
        ("file", "open", "read"),
        ("%network", "socket", "open"),
        ("%net", "socket", "open"),
        ("%%stat", "stat newfstatat statx fstat", "statfs"),
        ("/^open", "open openat openat2", "reopen close"),
        ("/^(read|write)$,close", "read write close", "readv"),
        ("?nosuchcall,open", "open", "close"),
        ("2", "open", "close"),
        ("open@64", "open", ""),
    ],
)
def test_selection(expression, yes, no):
    selection = select_calls(expression)
    assert all(selection.has(name, X86_64) for name in yes.split())
    assert not any(selection.has(name, X86_64) for name in no.split())


def test_selection_knows_architectures():
    assert not select_calls("open@32").has("open", X86_64)
    assert select_calls("open@32").has("open", I386)
    assert select_calls("mmap2").has("mmap2", I386)
    assert select_calls("5").has("open", I386)
    assert not select_calls("open").has("open", ARM64)
    assert ALL.has("anything", ARM64)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("nosuch", "invalid system call 'nosuch'"),
        ("%nosuch", "invalid system call '%nosuch'"),
        ("", "invalid system call ''"),
        ("open@7", "invalid system call 'open@7'"),
        ("/(", "invalid regular expression"),
    ],
)
def test_what_means_nothing_is_said(expression, message):
    with pytest.raises(SelectError, match=message.replace("(", r"\(")):
        select_calls(expression)


def test_signals_are_selected_by_any_name():
    for expression in ("SIGINT", "int", "2"):
        assert select_signals(expression).has("SIGINT")
    assert not select_signals("!INT").has("SIGINT")
    with pytest.raises(SelectError, match="invalid signal 'SIGNOSUCH'"):
        select_signals("SIGNOSUCH")


# --- counting ---------------------------------------------------------------------------------------------------------


def summary(**options) -> list[str]:
    out = io.StringIO()
    sink = SummarySink(out, **options)
    for name, duration, error in (("read", 3_000_000, ""), ("open", 500_000, "ENOENT"), ("read", 500_000, "")):
        sink.call(call(name=name, duration=duration, error=error, result=-2 if error else 0))
    sink.call(call(name="exit_group", result=None))
    sink.close()
    return out.getvalue().splitlines()


def test_the_table_is_that_of_strace():
    assert summary() == [
        "% time     seconds  usecs/call     calls    errors syscall",
        "------ ----------- ----------- --------- --------- ----------------",
        " 87.50    0.003500        1750         2           read",
        " 12.50    0.000500         500         1         1 open",
        "------ ----------- ----------- --------- --------- ----------------",
        "100.00    0.004000        1333         3         1 total",
    ]


def test_the_table_sorts_and_chooses_columns():
    assert [line.split()[-1] for line in summary(sort="name")[2:4]] == ["open", "read"]
    assert [line.split()[-1] for line in summary(sort="errors")[2:4]] == ["open", "read"]
    assert summary(columns=("max-time", "min-time", "errors"))[:3] == [
        " longest shortest    errors syscall",
        "-------- -------- --------- ----------------",
        "0.003000 0.000500           read",
    ]
    assert summary(columns=("name", "calls"))[-1] == "total                    3"
    with pytest.raises(SelectError):
        SummarySink(io.StringIO(), sort="colour")


def test_dumped_data_are_rows_of_sixteen_bytes():
    rows = dump(b"bye\n" + bytes(14)).splitlines()
    assert rows[0] == " | 00000  62 79 65 0a 00 00 00 00  00 00 00 00 00 00 00 00  bye............. |"
    assert rows[1] == " | 00010  00 00                                             ..               |"
    assert [len(row) for row in rows] == [len(rows[0])] * 2


def test_prefixes_come_and_go_with_the_tasks():
    out = io.StringIO()
    sink = TextSink(out, TraceOptions())
    sink.exited(ExitEvent(7, 7, 0))
    sink.attached(8)
    sink.attached(9)
    sink.exited(ExitEvent(7, 9, 0))
    sink.superseded(ExitEvent(7, 7, 0), 8)
    assert out.getvalue().splitlines() == [
        "+++ exited with 0 +++",
        "strace: Process 8 attached",
        "strace: Process 9 attached",
        "[pid     9] +++ exited with 0 +++",
        "+++ superseded by execve in pid 8 +++",
    ]


def test_a_call_that_its_task_did_not_survive_shows_what_was_known():
    out = io.StringIO()
    event = CallEvent(1, 7, 7, X86_64, "read", 0, (0,) * 6, [("fd", Int(3)), ("buf", Address(5))], known=1, more=True)
    event.torn = True
    TextSink(out, TraceOptions()).call(event)
    assert out.getvalue() == "read(3,  <unfinished ...>)              = ?\n"


def test_a_task_that_ends_quietly_counts_no_more():
    out = io.StringIO()
    sink = TextSink(out, TraceOptions(quiet=frozenset({"exit", "thread-exit", "attach"})))
    sink.attached(7)
    sink.attached(8)
    sink.exited(ExitEvent(7, 8, 0))
    sink.stopped(StopEvent(7, 7, "SIGSTOP"))
    assert out.getvalue() == "--- stopped by SIGSTOP ---\n"


def test_times_since_the_last_line_stand_behind_the_time_of_day():
    out = io.StringIO()
    sink = TextSink(out, TraceOptions(clock=Clock.EPOCH, relative=True))
    for start in (1_000_000_000, 1_500_000_000):
        sink.exited(ExitEvent(7, 7, 0, wall=start, start=start))
    assert out.getvalue().splitlines()[1].startswith("1.500000 (+     0.500000) +++")
