"""Saved traces read back: what strace wrote is what comes out again, and what is broken is one line."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from emu.errors import NotFoundError, TraceFileError
from emu.trace.event import CallEvent, ExitEvent, SignalEvent
from emu.trace.options import TraceOptions
from emu.trace.recording import Recording, SupersededEvent, read_trace
from emu.trace.text import TextSink
from emu.trace.value import Address, Fd, Hex, Int, Labelled, List, Octal, Str, Struct, Words

RECORDED = Path(__file__).parents[1] / "programs" / "strace"


def read(tmp_path: Path, text: str) -> Recording:
    path = tmp_path / "log"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    return read_trace(str(path))


def calls(recording: Recording) -> list[CallEvent]:
    return [event for event in recording.events if isinstance(event, CallEvent)]


def single_spaced(text: str) -> list[str]:
    lines = [re.sub(r"\)\s+= ", ") = ", line) for line in text.splitlines()]
    return [line for line in lines if not line.startswith("[ Process")]


@pytest.mark.parametrize("name", ["files.y", "signals", "ready", "memory", "terminal", "identity", "faults-unmapped"])
@pytest.mark.parametrize("arch", ["x86_64", "i386"])
def test_straces_own_text_comes_out_again(name: str, arch: str) -> None:
    path = RECORDED / arch / f"{name}.txt"
    out = io.StringIO()
    sink = TextSink(out, TraceOptions(paths=True))
    for event in read_trace(str(path)).events:
        if isinstance(event, CallEvent):
            assert event.arch.name == arch
            sink.call(event)
        elif isinstance(event, SignalEvent):
            sink.signal(event)
        elif isinstance(event, ExitEvent):
            sink.exited(event)
    assert single_spaced(out.getvalue()) == single_spaced(path.read_text())


PREFIXES = [
    "",
    "[pid  4711] ",
    "4711  ",
    "4711<bash> ",
    "12:34:56 ",
    "12:34:56.123456 ",
    "1700000000.123456 ",
    "     0.000123 ",
    "12:34:56 (+     0.000123) ",
    "4711  12:34:56.123456 ",
    "[pid  4711] 12:34:56 ",
    "[   0] ",
    "[00007ffff7ea1b2c] ",
    "4711  1700000000.123456 [   0] [00007ffff7ea1b2c] ",
]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes(prefix: str, tmp_path: Path) -> None:
    (event,) = calls(read(tmp_path, f'{prefix}read(3, "x", 1) = 1 <0.000012>\n'))
    assert event.tid == (4711 if "4711" in prefix else 0)
    assert event.args == [("fd", Int(3)), ("buf", Str(b"x")), ("count", Int(1))]
    assert event.result == 1
    assert event.duration == 12_000


VALUES = [
    ('"a\\tb\\0\\"c\\177"...', Str(b'a\tb\0"c\x7f', cut=True)),
    ('"\\x61\\x62"', Str(b"ab")),
    ("0x7f0000", Hex(0x7F0000)),
    ("0644", Octal(0o644)),
    ("-1", Int(-1)),
    ("NULL", Address(0)),
    ("O_RDWR|O_CREAT", Words("O_RDWR|O_CREAT", 0)),
    ("3</etc/passwd>", Fd(3, b"/etc/passwd")),
    ("3</tmp/x>(deleted)", Fd(3, b"/tmp/x (deleted)")),
    ("0</dev/pts/0<char 136:0>>", Fd(0, b"/dev/pts/0<char 136:0")),
    ("makedev(0x1, 0x3)", Words("makedev(0x1, 0x3)", 0)),
    ("flags=CLONE_VM", Labelled("flags", Words("CLONE_VM", 0))),
    ("[3, 4]", List((Int(3), Int(4)))),
    ("[1, ...]", List((Int(1),), cut=True)),
    ("{a=1, ...}", Struct((("a", Int(1)),), ("a",))),
    ("[{WIFSTOPPED(s) && WSTOPSIG(s) == 1}]", List((Struct((("", Words("WIFSTOPPED(s) && WSTOPSIG(s) == 1", 0)),)),))),
    ("~[RTMIN RT_1]", Words("~[RTMIN RT_1]", 0)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), VALUES)
def test_values(text: str, wanted: object, tmp_path: Path) -> None:
    (event,) = calls(read(tmp_path, f"close({text}) = 0\n"))
    assert event.args == [("fd", wanted)]


def test_unfinished_lines_are_put_together(tmp_path: Path) -> None:
    log = """\
100 wait4(-1,  <unfinished ...>
101 exit_group(3)     = ?
101 +++ exited with 3 +++
100 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 101
100 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=101, si_uid=0, si_status=3, si_utime=0, si_stime=0} ---
100 read(0,  <unfinished ...>
100 +++ killed by SIGKILL (core dumped) +++
"""
    events = read(tmp_path, log).events
    assert [type(event).__name__ for event in events] == [
        "CallEvent", "ExitEvent", "CallEvent", "SignalEvent", "CallEvent", "ExitEvent"
    ]  # fmt: skip
    wait, read_ = calls(Recording(events))[1:]
    assert [name for name, _ in wait.args] == ["pid", "wstatus", "options", "rusage"]
    assert wait.result == 101
    assert read_.torn
    assert read_.result is None
    assert events[-1] == ExitEvent(100, 100, 0, "SIGKILL", core_dumped=True)


def test_results(tmp_path: Path) -> None:
    log = """\
strace: Process 5 attached
# a comment
close(9) = -1 EBADF (Bad file descriptor)
close(9) = -1 (errno 530)
pause() = ? ERESTARTNOHAND (To be restarted if no handler)
exit_group(0) = ?
fcntl(1, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)
close(9) = -1 ENOSYS (Function not implemented) (INJECTED)
+++ superseded by execve in pid 7 +++
"""
    recording = read(tmp_path, log)
    found = [(event.error, event.result) for event in calls(recording)]
    assert found[:4] == [("EBADF", -9), ("errno 530", -530), ("ERESTARTNOHAND", -4), ("", None)]
    assert calls(recording)[4].note == "flags O_RDWR|O_LARGEFILE"
    assert found[5] == ("ENOSYS", -38)
    assert recording.events[-1] == SupersededEvent(0, 7)


def test_the_mode_tells_the_architecture(tmp_path: Path) -> None:
    log = 'execve("/x", [], NULL) = 0\n[ Process PID=7 runs in 32 bit mode. ]\nbrk(NULL) = 0x5000\n'
    execve, brk = calls(read(tmp_path, log))
    assert (execve.arch.bits, brk.arch.name) == (64, "i386")


def test_an_arm64_log_is_told_by_what_it_does_not_call(tmp_path: Path) -> None:
    (event, _) = calls(read(tmp_path, 'open("/x", O_RDONLY) = 3\nfstat64(3, {st_mode=S_IFREG|0644, ...}) = 0\n'))
    assert event.arch.name == "i386"


BROKEN = [
    ("", "there is nothing in it"),
    ("hello world\n", ":1: not a line of strace"),
    ('close(3) = 0\nread(3, "abc\n', ":2: read: it ends within a string"),
    ('close(3) = 0\nread(3, "abc", 3', ":2: read: it ends before its last bracket"),
    ("close(3)\n", ":1: close: no result"),
    ("close(3) = what\n", ":1: close: the result 'what' is none"),
    ('<... read resumed>"", 1) = 0\n', ":1: read is resumed that nobody has begun"),
    ("% time     seconds  usecs/call     calls    errors syscall\n", ":1: this is a table"),
    ("close(3) = 0\n--- SIGSEGV {si_signo\n", ":2: not a line of strace"),
    ('{"type":"call","seq":1', ":1: the file ends within this line"),
    ('{"type":"call"\n', ":1: not JSON"),
    ('{"type":"nonsense"}\n', ":1: not an event of trapeze trace --json"),
    ("[]\n", ":1: not a line of strace"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_what_is_broken_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TraceFileError) as error:
        read(tmp_path, text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.status == 125


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as error:
        read_trace(str(tmp_path / "none"))
    assert error.value.status == 127
