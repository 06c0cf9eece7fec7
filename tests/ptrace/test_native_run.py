"""`trapeze trace --native` and `-p`: status, selection, bad input, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sample_cases import SAMPLES, runs_here

TRACE = (sys.executable, "-m", "emu", "trace")


def run(*args: str, **how) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TRACE, *args], capture_output=True, text=True, timeout=60, check=False, **how)


def native(*args: str) -> subprocess.CompletedProcess[str]:
    return run("--native", "-q", *args)


@pytest.mark.parametrize(
    ("script", "status"), [("exit 3", 3), ("kill -TERM $$", 143), ("sleep 0 & wait; exit 7", 7), (":", 0)]
)
def test_the_exit_status_is_the_programs(script, status):
    assert native("sh", "-c", script).returncode == status


def test_it_says_once_that_there_is_no_sandbox():
    assert run("--native", "true").stderr.count("not sandboxed") == 1
    assert "sandbox" not in native("true").stderr


def test_streams_are_inherited():
    done = run("--native", "-q", "-e", "trace=none", "cat", input="abc")
    assert done.stdout == "abc"


def test_json_has_the_same_events(tmp_path):
    out = tmp_path / "trace"
    assert native("--json", "-o", str(out), "-e", "trace=exit_group", "true").returncode == 0
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert [event["type"] for event in events] == ["call", "exit"]
    assert events[0]["args"] == {"status": 0}


@pytest.mark.parametrize("flags", [(), ("--seccomp-bpf",)])
def test_only_what_is_selected(flags, tmp_path):
    out = tmp_path / "trace"
    native(*flags, "-o", str(out), "-e", "trace=getppid,exit_group", "-e", "signal=none", "sh", "-c", "(:); exit 2")
    calls = [line.split("(")[0].split()[-1] for line in out.read_text().splitlines() if "(" in line]
    assert set(calls) == {"getppid", "exit_group"}
    assert calls.count("exit_group") == 2


def test_a_filter_stops_a_program_only_at_what_is_traced():
    script = "for f in /etc/*; do test -e $f; done; grep Seccomp: /proc/self/status"
    plain, filtered = (native(*flags, "-e", "trace=chdir", "sh", "-c", script) for flags in ((), ("--seccomp-bpf",)))
    assert plain.stdout.split() == ["Seccomp:", "0"] or plain.stdout == filtered.stdout
    assert filtered.stdout.split()[-1] == "2"


def test_without_follow_children_run_untraced():
    done = run("--native", "-q", "--no-follow", "-e", "trace=exit_group", "sh", "-c", "(exit 1); exit 2")
    assert done.stderr.count("exit_group") == 1
    assert done.returncode == 2


def test_a_64_bit_program_that_executes_a_32_bit_one():
    if not runs_here("i386"):
        pytest.skip("programs of i386 do not run here")
    done = run("--native", "sh", "-c", f"exec {SAMPLES}/bin/i386/hello")
    assert "runs in 32 bit mode" in done.stderr
    assert "set_thread_area" in done.stderr


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["/nonexistent"], 127, "No such file"),
        (["no-such-program-anywhere"], 127, "not found in PATH"),
        (["/etc/passwd"], 126, "Permission denied"),
        (["/etc"], 126, "Is a directory"),
        ([str(SAMPLES / "bin/arm64/hello")], 126, "does not run natively"),
        (["--root", "/", "true"], 125, "no sandbox"),
        (["--cwd", "/nonexistent", "true"], 125, "No such file"),
        ([], 125, "Missing argument"),
    ],
)
def test_what_cannot_be_run_is_one_line(args, status, words):
    if words == "does not run natively" and os.uname().machine == "aarch64":
        pytest.skip("it does here")
    done = native(*args)
    assert (done.returncode, done.stderr.count("\n")) == (status, 1), done.stderr
    assert words in done.stderr


def test_a_program_that_the_kernel_refuses_is_one_line(tmp_path):
    broken, script = tmp_path / "broken", tmp_path / "script"
    broken.write_bytes(b"\x7fELF" + bytes(12) + b"\x02\x00>\x00" + bytes(100))
    script.write_text("#!/nonexistent\n")
    for program, status, words in ((broken, 126, "Exec format error"), (script, 127, "interpreter")):
        program.chmod(0o755)
        done = native(str(program))
        assert (done.returncode, done.stderr.count("\n")) == (status, 1), done.stderr
        assert words in done.stderr


@pytest.mark.parametrize(
    ("pid", "words"), [("4194303", "no such process"), ("abc", "expected a process id"), ("0", "expected a process id")]
)
def test_what_cannot_be_attached_to_is_one_line(pid, words):
    done = run("-p", pid)
    assert (done.returncode, done.stderr.count("\n")) == (125, 1), done.stderr
    assert words in done.stderr


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def traced_by(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("TracerPid")).split()[1])


def wait_for(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def sleeper():
    """A process with two threads that sleep."""
    code = "import threading,time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: len(list(Path(f"/proc/{process.pid}/task").iterdir())) == 2)
    yield process
    process.kill()
    process.wait()


def tracer_of(*args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*TRACE, *args], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # it may be ignored here
    )  # fmt: skip


def test_attach_and_let_go_on_interrupt(sleeper):
    tracer = tracer_of("-p", str(sleeper.pid))
    wait_for(lambda: traced_by(sleeper.pid) == tracer.pid)
    again = run("-p", str(sleeper.pid))
    assert again.returncode == 125
    assert f"already traced, by process {tracer.pid}" in again.stderr
    time.sleep(0.3)
    tracer.send_signal(signal.SIGINT)
    _, told = tracer.communicate(timeout=20)
    assert tracer.returncode == 130
    assert told.count("attached\n") == told.count("detached\n") == 2, told
    assert traced_by(sleeper.pid) == 0
    assert sleeper.poll() is None
    wait_for(lambda: state(sleeper.pid) == "S")


def test_one_that_cannot_be_attached_to_leaves_the_others_running(sleeper):
    done = run("-p", f"{sleeper.pid},4194303")
    assert done.returncode == 125
    assert traced_by(sleeper.pid) == 0
    wait_for(lambda: state(sleeper.pid) == "S")


def test_trapeze_does_not_trace_itself():
    code = "import os,sys; os.execv(sys.executable, [sys.executable, '-m', 'emu', 'trace', '-p', str(os.getpid())])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (125, 1)
    assert "cannot trace itself" in done.stderr


@pytest.mark.parametrize("signo", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_trapeze_is_killed(signo, tmp_path):
    pid_file = tmp_path / "pid"
    tracer = tracer_of("--native", "sh", "-c", f"sleep 60 & echo $! > {pid_file}; wait")
    wait_for(lambda: pid_file.exists() and pid_file.read_text().strip())
    pid = int(pid_file.read_text())
    tracer.send_signal(signo)
    tracer.communicate(timeout=20)
    assert tracer.returncode == (143 if signo == signal.SIGTERM else -signo)
    wait_for(lambda: not Path(f"/proc/{pid}").exists() or state(pid) == "Z")


def test_a_stopped_program_really_stops_and_goes_on(tmp_path):
    out, pid_file = tmp_path / "trace", tmp_path / "pid"
    tracer = tracer_of("--native", "-q", "-o", str(out), "sh", "-c", f"echo $$ > {pid_file}; kill -STOP $$; exit 4")
    wait_for(lambda: pid_file.exists() and pid_file.read_text().strip())
    pid = int(pid_file.read_text())
    wait_for(lambda: all(stopped(pid) for _ in range(10)))
    os.kill(pid, signal.SIGCONT)
    tracer.communicate(timeout=20)
    assert tracer.returncode == 4
    assert "--- stopped by SIGSTOP ---" in out.read_text()
    assert "--- SIGCONT {si_signo=SIGCONT" in out.read_text()


def stopped(pid: int) -> bool:
    """In a stop that lasts: between two calls a tracee is in one too."""
    time.sleep(0.02)
    return state(pid) in "tT"
