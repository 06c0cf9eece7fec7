"""Two traces side by side: what is the same though its numbers differ, and the name of every kind of difference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emu.trace.canonical import canonical, canonical_name
from emu.trace.classify import Nature
from emu.trace.diff import Diff, Kind, compare
from emu.trace.diff_html import diff_html
from emu.trace.diff_json import diff_json
from emu.trace.diff_text import Colours, Report, explain, verdict
from emu.trace.event import CallEvent
from emu.trace.recording import Recording
from emu.trace.strace_log import StraceLog


def trace(text: str) -> Recording:
    return StraceLog("log").read(f"{line}\n" for line in text.strip().splitlines())


def kinds(diff: Diff) -> list[Kind]:
    return [row.kind for task in diff.tasks for row in task.rows if row.kind is not None]


def explained(left: str, right: str) -> list[str]:
    diff = compare(trace(left), trace(right))
    return [explain(row) for task in diff.tasks for row in task.rows if row.kind is not None]


SAME = [
    (
        "mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE, -1, 0) = 0x7f0000001000\nmunmap(0x7f0000001000, 4096) = 0",
        "mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE, -1, 0) = 0x500000\nmunmap(0x500000, 4096) = 0",
    ),
    (
        'open("a", O_RDONLY) = 3\nread(3, "x", 1) = 1\nclose(3) = 0',
        'open("a", O_RDONLY) = 7\nread(7, "x", 1) = 1\nclose(7) = 0',
    ),
    ('pipe([3, 4]) = 0\nwrite(4, "x", 1) = 1', 'pipe([8, 9]) = 0\nwrite(9, "x", 1) = 1'),
    ("getpid() = 100\nkill(100, SIGTERM) = 0", "getpid() = 7\nkill(7, SIGTERM) = 0"),
    (
        'stat("a", {st_ino=1, st_mode=S_IFREG|0644, st_size=3, st_atime=5, ...}) = 0',
        'stat("a", {st_ino=9, st_mode=S_IFREG|0644, st_size=3, st_atime=99}) = 0',
    ),
    (
        "clock_gettime(CLOCK_REALTIME, {tv_sec=1, tv_nsec=2}) = 0",
        "clock_gettime(CLOCK_REALTIME, {tv_sec=9, tv_nsec=0}) = 0",
    ),
    ('getrandom("\\x01\\x02", 2, 0) = 2', 'getrandom("\\x03\\x04", 2, 0) = 2'),
    (
        'open("/dev/urandom", O_RDONLY) = 3\nread(3, "ab", 2) = 2',
        'open("/dev/urandom", O_RDONLY) = 3\nread(3, "cd", 2) = 2',
    ),
    ('read(3, "abcdef"..., 100) = 50', 'read(3, "abcd"..., 100) = 50'),
    (
        "poll([{fd=3, events=POLLIN}], 1, 10) = 1 ([{fd=3, revents=POLLIN}])",
        "poll([{fd=5, events=POLLIN}], 1, 10) = 1 ([{fd=5, revents=POLLIN}])",
    ),
    (
        "select(5, [3 4], NULL, NULL, {tv_sec=1, tv_usec=0}) = 1 (in [4], left {tv_sec=0, tv_usec=1})",
        "select(5, [3 4], NULL, NULL, {tv_sec=1, tv_usec=0}) = 1 (in [4], left {tv_sec=0, tv_usec=999})",
    ),
    ('openat(AT_FDCWD</tmp>, "a", O_RDONLY) = 3</tmp/a>', 'openat(-100 /* AT_FDCWD */, "a", 0x0 /* O_RDONLY */) = 3'),
    ("lseek(3, 0, SEEK_END) = 5", "lseek(3, 0, 0x2) = 5"),
    (
        "rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x7000}, NULL, 8) = 0",
        "rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 0",
    ),
    (
        "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x7f0000} ---",
        "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x550000} ---",
    ),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_what_is_the_same(left: str, right: str) -> None:
    assert explained(left, right) == []
    assert explained(right, left) == []


DIFFERENT = [
    ("close(3) = 0", "close(3) = -1 EBADF (Bad file descriptor)", "other result of close"),
    ("alarm(3) = 0", "alarm(4) = 0", "other argument of alarm: 1 (seconds)"),
    ('write(1, "abc", 3) = 3', 'write(1, "abd", 3) = 3', "other argument of write: 2 (buf, byte 2)"),
    ('write(1, "abc", 3) = 3', 'write(1, "ab", 3) = 3', "other argument of write: 2 (buf, byte 2)"),
    ('read(0, "abc"..., 100) = 50', 'read(0, "ab", 100) = 50', "other argument of read: 2 (buf, byte 2)"),
    ("close(1) = 0", "close(2) = 0", "other argument of close: 1 (fd)"),
    ("munmap(NULL, 1) = -1 EINVAL (x)", "munmap(0x7f0000, 1) = -1 EINVAL (x)", "other argument of munmap: 1 (addr)"),
    ("clock_gettime(CLOCK_REALTIME, {tv_sec=1, tv_nsec=2}) = 0", "clock_gettime(CLOCK_REALTIME, NULL) = 0",
     "other argument of clock_gettime: 2 (tp)"),
    ("clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=1, tv_nsec=2}, NULL) = 0",
     "clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=9, tv_nsec=2}, NULL) = 0",
     "other argument of clock_nanosleep: 3 (rqtp.tv_sec: 1 and 9)"),
    ('stat("a", {st_mode=S_IFREG|0644, st_size=3}) = 0', 'stat("a", {st_mode=S_IFREG|0600, st_size=3}) = 0',
     "other argument of stat: 2 (statbuf.st_mode: S_IFREG|0644 and S_IFREG|0600)"),
    ("poll([{fd=3, events=POLLIN}], 1, 10) = 1 ([{fd=3, revents=POLLIN}])",
     "poll([{fd=3, events=POLLIN}], 1, 10) = 1 ([{fd=3, revents=POLLHUP}])", "other result of poll (its explanation)"),
    ("close(3) = 0\nsync() = 0", "close(3) = 0", "missing call: sync"),
    ("close(3) = 0", "close(3) = 0\nsync() = 0", "extra call: sync"),
    ("sync() = 0\nalarm(0) = 0\nclose(3) = 0", "alarm(0) = 0\nclose(3) = 0\nsync() = 0", "other order: sync"),
    ("+++ exited with 0 +++", "+++ exited with 1 +++", "other exit"),
    ("+++ exited with 0 +++", "+++ killed by SIGSEGV +++", "other exit"),
    ("sync() = 0\n+++ exited with 0 +++", "sync() = 0", "other exit: end"),
    ("--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_KERNEL} ---", "sync() = 0", "other signal: SIGUSR1"),
    ("--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x70000} ---",
     "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x70000} ---", "other signal"),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right", "what"), DIFFERENT)
def test_what_is_different(left: str, right: str, what: str) -> None:
    assert explained(left, right)[0] == what


def test_a_mixed_up_pointer_shows() -> None:
    maps = "".join(f"mmap(NULL, 1, PROT_NONE, MAP_PRIVATE, -1, 0) = {at}\n" for at in ("0x10000", "0x20000"))
    assert explained(f"{maps}munmap(0x10000, 1) = 0", f"{maps}munmap(0x20000, 1) = 0") == [
        "other argument of munmap: 1 (addr)"
    ]


def test_a_number_that_is_given_again() -> None:
    left = 'open("a", O_RDONLY) = 3\nclose(3) = 0\nopen("b", O_RDONLY) = 3\nclose(3) = 0'
    right = 'open("a", O_RDONLY) = 3\nclose(3) = 0\nopen("b", O_RDONLY) = 4\nclose(4) = 0'
    assert explained(left, right) == []
    assert explained(left, right.replace("close(4)", "close(3)")) == ["other argument of close: 1 (fd)"]


def test_descriptors_can_be_kept() -> None:
    diff = compare(trace('open("a", O_RDONLY) = 3'), trace('open("a", O_RDONLY) = 4'), keep=[Nature.FD])
    assert kinds(diff) == [Kind.RESULT]


FORK = """\
100 fork() = 101
100 fork() = 102
101 getpid() = 101
102 getpid() = 102
101 exit_group(1) = ?
101 +++ exited with 1 +++
102 exit_group(2) = ?
102 +++ exited with 2 +++
100 kill(101, SIGTERM) = -1 ESRCH (No such process)
100 +++ exited with 0 +++
"""
#: The same with other ids, and the second child first.
FORKED = """\
7 fork() = 20
7 fork() = 10
10 getpid() = 10
10 exit_group(2) = ?
10 +++ exited with 2 +++
20 getpid() = 20
20 exit_group(1) = ?
20 +++ exited with 1 +++
7 kill(20, SIGTERM) = -1 ESRCH (No such process)
7 +++ exited with 0 +++
"""


def test_tasks_are_matched_by_their_place_in_the_tree() -> None:
    diff = compare(trace(FORK), trace(FORKED))
    assert diff.equal
    places = [(task.place, task.left and task.left.tid, task.right and task.right.tid) for task in diff.tasks]
    assert places == [("1", 100, 7), ("1.1", 101, 20), ("1.2", 102, 10)]


def test_an_id_of_another_task_shows() -> None:
    assert explained(FORK, FORKED.replace("kill(20", "kill(10")) == ["other argument of kill: 1 (pid)"]


def test_a_task_that_only_one_side_has() -> None:
    alone = "\n".join(line for line in FORK.splitlines() if not line.startswith("102"))
    assert explained(FORK, alone) == ["missing task: getpid"]
    assert explained(alone, FORK) == ["extra task: getpid"]


def test_a_signal_from_outside_may_come_at_another_moment() -> None:
    chld = "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=5, si_uid=0, si_status=0, si_utime=0} ---"
    diff = compare(trace(f"sync() = 0\n{chld}\nalarm(0) = 0"), trace(f"sync() = 0\nalarm(0) = 0\n{chld}"))
    assert diff.equal
    assert diff.timing == 1
    waited = "wait4(-1, NULL, 0, NULL) = 5"
    interrupted = "wait4(-1, NULL, 0, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)"
    diff = compare(trace(f"{interrupted}\n{chld}\n{waited}"), trace(f"{waited}\n{chld}"))
    assert diff.equal
    assert diff.timing == 1
    assert not compare(trace(f"sync() = 0\n{chld}"), trace("sync() = 0")).equal


def test_filters() -> None:
    left, right = trace("sync() = 0\nalarm(0) = 1"), trace("sync() = 0\nalarm(0) = 2")
    assert compare(left, right, wanted=lambda event: isinstance(event, CallEvent) and event.name == "sync").equal


# --- canonical names --------------------------------------------------------------------------------------------------

CANONICAL = [
    ('open("a", O_RDONLY|O_LARGEFILE) = 3', 'openat(AT_FDCWD, "a", O_RDONLY) = 3'),
    (
        "mmap2(NULL, 4096, PROT_NONE, MAP_PRIVATE, 3, 0x1000) = 0x70000",
        "mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE, 3, 0x1000) = 0x990000",
    ),
    ("_llseek(3, 5, [5], SEEK_SET) = 0", "lseek(3, 5, SEEK_SET) = 5"),
    ("dup2(3, 4) = 4", "dup3(3, 4, 0) = 4"),
    ("pipe([3, 4]) = 0", "pipe2([3, 4], 0) = 0"),
    ('access("a", R_OK) = 0', 'faccessat(AT_FDCWD, "a", R_OK) = 0'),
    (
        'lstat64("a", {st_mode=S_IFREG|0644, ...}) = 0',
        'newfstatat(AT_FDCWD, "a", {st_mode=S_IFREG|0644, ...}, AT_SYMLINK_NOFOLLOW) = 0',
    ),
    ("fstat64(3, {st_size=5}) = 0", 'newfstatat(3, "", {st_size=5}, AT_EMPTY_PATH) = 0'),
    (
        'statx(AT_FDCWD, "a", AT_STATX_SYNC_AS_STAT, 1, {stx_mask=1, stx_mode=S_IFREG|0644, stx_size=5}) = 0',
        'stat("a", {st_mode=S_IFREG|0644, st_size=5}) = 0',
    ),
    ("getuid32() = 0", "getuid() = 0"),
    ("fcntl64(3, F_SETLK64, {l_type=F_RDLCK}) = 0", "fcntl(3, F_SETLK, {l_type=F_RDLCK}) = 0"),
    (
        "clock_gettime64(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=2}) = 0",
        "clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=2}) = 0",
    ),
    ("futex_time64(0x50000, FUTEX_WAIT, 1, NULL) = 0", "futex(0x60000, FUTEX_WAIT, 1, NULL) = 0"),
    ("fork() = 5", "clone(child_stack=NULL, flags=SIGCHLD) = 6"),
    ("set_thread_area({entry_number=-1}) = 0\nsync() = 0", "arch_prctl(ARCH_SET_FS, 0x70000) = 0\nsync() = 0"),
    (
        "_newselect(4, [3], NULL, NULL, {tv_sec=1, tv_usec=0}) = 0 (Timeout)",
        "pselect6(4, [3], NULL, NULL, {tv_sec=1, tv_nsec=0}, NULL) = 0 (Timeout)",
    ),
]


@pytest.mark.parametrize(("left", "right"), CANONICAL)
def test_one_call_under_two_names(left: str, right: str) -> None:
    diff = compare(trace(left), trace(right), canonical=canonical)
    assert [explain(row) for task in diff.tasks for row in task.rows if row.kind] == []


def test_canonical_names_do_not_hide_a_difference() -> None:
    left, right = 'open("a", O_RDONLY) = 3', 'openat(AT_FDCWD, "b", O_RDONLY) = 3'
    assert kinds(compare(trace(left), trace(right), canonical=canonical)) == [Kind.ARGUMENT]


def test_every_line_of_the_table_names_calls() -> None:
    from emu.trace.canonical import _rules
    from syscalls.abi.numbers import CALLS

    for name, (target, _, _) in _rules().items():
        assert {name, target} <= set(CALLS)
        assert canonical_name(target) == target


# --- reports ----------------------------------------------------------------------------------------------------------

LEFT = "sync() = 0\nsync() = 0\nclose(3) = 0\nalarm(0) = 0\n+++ exited with 0 +++"
RIGHT = "sync() = 0\nsync() = 0\nclose(3) = -1 EBADF (Bad file descriptor)\nalarm(5) = 0\n+++ exited with 0 +++"


def report(*, everything: bool = False, context: int = 1, colour: bool = False) -> str:
    diff = compare(trace(LEFT), trace(RIGHT))
    return Report(diff, "L", "R", Colours.of(colour=colour), context).text(everything=everything)


def test_the_first_difference_in_its_place() -> None:
    assert report() == (
        "--- L\n+++ R\n@@ event 3: first divergence: other result of close @@\n"
        "  sync() = 0\n- close(3) = 0\n+ close(3) = -1 EBADF (Bad file descriptor)\n"
        "- alarm(0) = 0\n+ alarm(5) = 0\n"
        "different: 1 other result, 1 other argument (L and R, 5 events)\n"
    )


def test_all_differences() -> None:
    assert "@@ event 3: other result of close, and 1 more @@" in report(everything=True)
    assert report(everything=True, context=0).count("@@ event") == 2
    assert "\033[31m- close(3) = 0\033[0m" in report(colour=True)


def test_equal_is_one_line() -> None:
    diff = compare(trace(LEFT), trace(LEFT))
    assert Report(diff, "L", "R").text() == "equal: L and R, 5 events\n"
    assert verdict(diff, "a", "b") == "equal: a and b, 5 events"


def test_json() -> None:
    about = json.loads(diff_json(compare(trace(LEFT), trace(RIGHT)), "L", "R"))
    assert about["equal"] is False
    assert about["counts"] == {"other result": 1, "other argument": 1}
    assert about["first"] == about["divergences"][0]
    assert about["first"]["right"]["line"] == "close(3) = -1 EBADF (Bad file descriptor)"
    assert (about["first"]["task"], about["first"]["event"], about["events"]) == ("1", 3, [5, 5])


def test_html_needs_nothing_else() -> None:
    page = diff_html(compare(trace('write(1, "<b>", 3) = 3\n' + LEFT), trace(RIGHT)), "L & co", "R")
    assert "<b>" not in page.split("</style>")[1]
    assert "&lt;b&gt;" in page
    assert "L &amp; co" in page
    for outside in ("http", "src=", "<link", "<script"):
        assert outside not in page


def test_a_long_equal_trace_is_quick_and_a_long_different_one_ends() -> None:
    many = "\n".join(f"alarm({i}) = 0" for i in range(3000))
    assert compare(trace(many), trace(many)).equal
    other = "\n".join(f"alarm({i}) = 1" for i in range(3000))
    assert compare(trace(many), trace(other)).counts[Kind.RESULT] == 3000


def test_the_traces_that_are_recorded_are_equal_to_themselves() -> None:
    path = Path(__file__).parents[1] / "programs" / "strace" / "x86_64" / "signals.txt"
    text = path.read_text()
    assert compare(trace(text), trace(text)).equal


def test_an_inode_number_is_given_again_only_when_a_file_is_gone() -> None:
    def stats(first: int, second: int, between: str = "sync() = 0") -> str:
        return f'stat("a", {{st_ino={first}, st_size=1}}) = 0\n{between}\nstat("b", {{st_ino={second}, st_size=1}}) = 0'

    assert explained(stats(1, 2), stats(5, 5)) == ["other argument of stat: 2 (statbuf.st_ino: 2 and 5)"]
    assert explained(stats(1, 2, 'unlink("a") = 0'), stats(5, 5, 'unlink("a") = 0')) == []


def test_entries_of_a_directory_come_in_any_order() -> None:
    one, two = (
        f'{{d_ino={ino}, d_off={ino * 7}, d_type=DT_REG, d_name="{name}"}}' for ino, name in ((1, "a"), (3, "b"))
    )
    assert explained(f"getdents64(3, [{one}, {two}], 99) = 48", f"getdents64(3, [{two}, {one}], 99) = 48") == []
    assert explained(f"getdents64(3, [{one}, {two}], 99) = 48", f"getdents64(3, [{two}, {two}], 99) = 48") != []
