"""Programs of many tasks: the same run twice, deadlocks, limits, and the trace of those who end each other."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from emu import Sandbox
from emu.errors import TrapezeError
from emu.loop import BombError, DeadlockError
from emu.trace.options import TraceOptions
from emu.trace.text import TextSink

SAMPLES = Path(__file__).parents[2] / "samples" / "bin"
ARCHES = ("x86_64", "i386", "arm64")


def together(part: str, arch: str = "x86_64", *, seed: int | None = None, tasks: int = 4096):
    """Status, standard output and trace."""
    text = io.StringIO()
    sandbox = Sandbox(SAMPLES / arch / "together", [part], seed=seed, max_tasks=tasks)
    result = sandbox.run(sinks=[TextSink(text, TraceOptions())])
    return result.status, result.stdout, text.getvalue()


@pytest.mark.parametrize("arch", ARCHES)
def test_a_deterministic_run_is_the_same_every_time(arch):
    first = together("race", arch, seed=1)
    assert first == together("race", arch, seed=1)
    assert first[0] == 0
    assert sorted(first[1].split()[0]) == sorted(b"abcd" * 8)


def test_seeds_differ_in_interleaving_and_chance():
    outputs = {together("race", seed=seed)[1] for seed in range(4)}
    assert len({output.split()[0] for output in outputs}) > 1
    assert len({output.split()[2] for output in outputs}) == 4


def test_sleeping_costs_no_time_of_the_host():
    times = together("race", seed=0)[1].split()[3].decode()
    assert 1_700_000_000.9 < float(times) < 1_700_000_001.5  # 0.9 s of sleep


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("locks", ["all 2 tasks", "FUTEX_WAIT_PRIVATE", "thread 1001", "the futex is"]),
        ("pipe", ["the only task", "read(3<pipe:[", "descriptor 3 reads, 4 writes"]),
        ("child", ["all 2 tasks", "wait4(-1, ...): its children are 1001", "1001 (together) sleeps in pause()"]),
        ("file", ["flock(4</tmp/lock>, LOCK_EX)", "3 reads and writes"]),
    ],
)
def test_a_deadlock_says_who_waits_for_what(part, said):
    with pytest.raises(DeadlockError) as error:
        together(part)
    assert error.value.status == 124
    for words in said:
        assert words in str(error.value)


def test_input_that_may_come_is_no_deadlock():
    assert issubclass(DeadlockError, TrapezeError)
    result = Sandbox(SAMPLES / "x86_64" / "together", ["none"]).run(stdin=b"")
    assert result.status == 7


@pytest.mark.parametrize("arch", ARCHES)
def test_a_thread_bomb_meets_its_limit(arch):
    assert together("threads", arch, tasks=50)[:2] == (0, b"50 threads: EAGAIN\n")


def test_a_fork_bomb_ends_with_the_run():
    with pytest.raises(BombError, match="40 tasks live"):
        together("bomb", tasks=40)


@pytest.mark.parametrize("arch", ARCHES)
def test_a_fault_in_the_handler_of_faults_kills(arch):
    status, output, trace = together("handler", arch)
    assert (status, output) == (128 + 11, b"handler\n")
    assert trace.endswith("+++ killed by SIGSEGV +++\n")


def test_the_trace_of_a_thread_that_executes_a_program():
    status, _, trace = together("execute", seed=0)
    assert status == 7
    lines = trace.splitlines()
    at = lines.index("+++ superseded by execve in pid 1001 +++")
    assert lines[at - 1].startswith("[pid  1000] <... futex resumed>)")
    assert lines[at - 1].endswith("= ?")
    assert lines[at + 1].split() == ["<...", "execve", "resumed>)", "=", "0"]
    assert "strace: Process 1001 attached" in lines


def test_all_threads_end_within_their_calls():
    lines = together("threads", tasks=3, seed=0)[2].splitlines()
    at = lines.index("[pid  1000] exit_group(0)               = ?")
    assert lines[-1] == "+++ exited with 0 +++"
    assert {line for line in lines[at + 1 : -1] if "+++" in line} == {
        f"[pid  {tid}] +++ exited with 0 +++" for tid in (1001, 1002)
    }
