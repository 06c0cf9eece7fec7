"""`trapeze diff` and `trapeze portability` as commands: exit statuses, what goes where, one line for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
BIN = REPOSITORY / "samples" / "bin"


def trapeze(*args: object, cwd: Path = REPOSITORY, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emu", *map(str, args)],
        cwd=cwd,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def logs(tmp_path: Path) -> tuple[Path, Path]:
    one, other = tmp_path / "one", tmp_path / "other.json"
    one.write_text("alarm(3) = 0\nclose(3) = 0\n+++ exited with 0 +++\n")
    other.write_text("alarm(3) = 0\nclose(3) = -1 EBADF (Bad file descriptor)\n+++ exited with 0 +++\n")
    return one, other


def test_equal_and_different(logs: tuple[Path, Path]) -> None:
    same = trapeze("diff", logs[0], logs[0])
    assert (same.returncode, same.stderr) == (0, "")
    assert same.stdout.startswith("equal: ")
    done = trapeze("diff", *logs)
    assert (done.returncode, done.stderr) == (1, "")
    assert "first divergence: other result of close" in done.stdout
    assert "\033" not in done.stdout  # no terminal


def test_filters_and_outputs(logs: tuple[Path, Path], tmp_path: Path) -> None:
    assert trapeze("diff", "--ignore", "close", *logs).returncode == 0
    assert trapeze("diff", "-e", "trace=alarm", *logs).returncode == 0
    assert trapeze("diff", "-q", *logs).stdout.startswith("different: 1 other result")
    page = tmp_path / "page.html"
    done = trapeze("diff", "--json", "--html", page, *logs)
    assert json.loads(done.stdout)["counts"] == {"other result": 1}
    assert page.read_text().startswith("<!doctype html>")


def test_a_trace_of_ours_and_a_run(tmp_path: Path) -> None:
    hello = BIN / "arm64" / "hello"
    saved = tmp_path / "saved"
    assert trapeze("trace", "--json", "-o", saved, hello).returncode == 0
    assert trapeze("diff", saved, hello).stdout.startswith("equal: ")


def test_three_architectures() -> None:
    done = trapeze("diff", "-q", "--programs", *(BIN / arch / "links" for arch in ("x86_64", "i386", "arm64")))
    assert done.returncode == 0
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["equal", "equal"]


def test_portability(logs: tuple[Path, Path]) -> None:
    done = trapeze("portability", "--json", logs[0], BIN / "arm64" / "hello")
    assert done.returncode == 0
    assert [build["arch"] for build in json.loads(done.stdout)["programs"]] == ["x86_64", "arm64"]


BAD = [
    (("diff",), 125, "Missing argument 'PROGRAM'"),
    (("diff", "{one}"), 125, "with what shall it be compared"),
    (("diff", "{one}", "missing"), 127, "No such file or directory"),
    (("diff", "{broken}", "{one}"), 125, ":1: not a line of strace"),
    (("diff", "--ignore", "nonsense", "{one}", "{one}"), 125, "no system call is named 'nonsense'"),
    (("diff", "--keep", "nonsense", "{one}", "{one}"), 125, "expected one of"),
    (("diff", "-e", "trace=nonsense", "{one}", "{one}"), 125, "invalid system call 'nonsense'"),
    (("diff", "--html", "/nowhere/x", "{one}", "{one}"), 125, "--html /nowhere/x"),
    (("diff", "--programs", "one"), 125, "at least two programs"),
    (("diff", "missing-program"), 127, "missing-program"),
    (("diff", str(BIN / "arm64" / "hello")), 126, "does not run natively"),
    (("portability", "{broken}"), 125, ":1: not a line of strace"),
]


@pytest.mark.parametrize(("args", "status", "message"), BAD)
def test_bad_input_is_one_line(
    args: tuple[str, ...], status: int, message: str, logs: tuple[Path, Path], tmp_path: Path
) -> None:
    if status > 125 and len(args) == 2 and find_spec("emu.ptrace") is None:
        pytest.skip("this build cannot trace natively")
    broken = tmp_path / "broken"
    broken.write_text("nothing of the kind\n")
    names = {"one": str(logs[0]), "broken": str(broken)}
    done = trapeze(*(arg.format(**names) for arg in args))
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.startswith("trapeze: ")
    assert done.stderr.count("\n") == 1
