"""The options of `trapeze trace`, on a program of several tasks: what each adds to the lines or takes away."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from emu import Sandbox
from emu.cli import Failure, cli, parse_seed
from emu.errors import UsageError
from emu.trace.command import tracing

TOGETHER = Path(__file__).parents[2] / "samples" / "bin" / "x86_64" / "together"


def trace(tmp_path: Path, *options: str, part: str = "execute") -> str:
    """The trace file that the options make; the command line is parsed as in a shell."""
    out = tmp_path / "trace"
    context = cli.commands["trace"].make_context("trace", ["-o", str(out), *options, str(TOGETHER), part])
    with tracing(context.params) as (sinks, chosen):
        Sandbox(TOGETHER, [part], seed=0).run(sinks=sinks, options=chosen)
    return out.read_text() if out.exists() else ""


def test_follow_into_a_file_has_a_column_of_pids(tmp_path):
    lines = trace(tmp_path, "-f").splitlines()
    assert {line.split()[0] for line in lines} == {"1000", "1001"}
    assert "1000  +++ superseded by execve in pid 1001 +++" in lines
    assert not any("attached" in line for line in lines)


def test_follow_separately_makes_a_file_of_each_task(tmp_path):
    assert trace(tmp_path, "-ff") == ""
    first, second = ((tmp_path / f"trace.{tid}").read_text().splitlines() for tid in (1000, 1001))
    assert "+++ superseded by execve in pid 1001 +++" in first
    assert first[-1] == "+++ exited with 7 +++"
    assert second[-1].endswith('"none"], NULL <pid changed to 1000 ...>')
    assert not any("unfinished" in line or "[pid" in line for line in first + second)


def test_raw_calls_show_registers(tmp_path):
    assert "exit_group(0x7)" in trace(tmp_path, "-e", "raw=exit_group")


def test_structures_can_be_left_out(tmp_path):
    assert "nanosleep({tv_sec=0" in trace(tmp_path)
    assert "nanosleep(0x" in trace(tmp_path, "-e", "verbose=none")


def test_numbers_and_program_counters(tmp_path):
    lines = trace(tmp_path, "-n", "-i", "-e", "trace=exit_group").splitlines()
    assert lines[-1].startswith("[ 231] [0000000001")
    assert lines[-1].endswith("+++ exited with 7 +++")


def test_data_of_descriptors(tmp_path):
    text = trace(tmp_path, "-e", "write=1", "-e", "trace=write", part="handler")
    assert " | 00000  68 61 6e 64 6c 65 72 0a                           handler.         |" in text


def test_only_calls_that_succeed_or_fail(tmp_path):
    assert "= -1" not in trace(tmp_path, "-z")
    assert "exited" in trace(tmp_path, "-Z")
    with pytest.raises(UsageError, match="exclude"):
        trace(tmp_path, "-z", "-Z")


def test_only_calls_on_a_path(tmp_path):
    lines = trace(tmp_path, "-P", "/tmp/lock", part="none").splitlines()
    assert lines == ["+++ exited with 7 +++"]


@pytest.mark.parametrize("option", ["-D", "-k"])
def test_options_that_are_not_there_are_named(option):
    with pytest.raises((UsageError, Failure), match=f"no such option: {option}"):
        CliRunner().invoke(cli, ["trace", option, str(TOGETHER)], catch_exceptions=False, standalone_mode=False)


def test_a_seed_needs_a_deterministic_run():
    assert parse_seed(None, deterministic=True) == 0
    assert parse_seed(None, deterministic=False) is None
    with pytest.raises(UsageError, match="--deterministic"):
        parse_seed(5, deterministic=False)
