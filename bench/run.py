"""`make bench`: Trapeze beside its peers, all in one run, as ratios.

The peers live in the bench environment only (.bench-venv, .cache/qemu): Qiling and the Unicorn binding from PyPI,
qemu-user from Debian, fetched with the machine's own apt and not installed. A peer that cannot be had is left out, and
the report says so. Every command runs several times; medians count. Figures go to bench/results.

Run: python bench/run.py [--quick] [SECTION ...]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".bench-venv"
CACHE = ROOT / ".cache" / "qemu"
RESULTS = ROOT / "bench" / "results"
ARCHES = ("x86_64", "i386", "arm64")
PYTHON = VENV / "bin" / "python"
QILING_PYTHON = VENV / "bin" / "python"
CPU_LOADS = {"sieve": 60, "sha256": 300_000, "nbody": 300_000}
CALLS = 200_000
NATIVE_CALLS = 50_000
#: Modes of samples/tasks.c: how often, and what is counted.
TASK_LOADS = {
    "fork": (504, "fork+exit+wait"),
    "switch": (20_000, "round trips between threads through a futex"),
    "pipe": (102_400, "KiB through a pipe between processes"),
    "storm": (10_000, "signals handled"),
}


# --- the peers --------------------------------------------------------------------------------------------------------


def environment() -> None:
    """Make the private environment with Trapeze, the Unicorn binding and, if it installs, Qiling."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--force-reinstall", "--no-deps", ROOT], check=True)
    subprocess.run([*pip, ROOT], check=True)
    if subprocess.run([PYTHON, "-c", "import qiling"], capture_output=True, check=False).returncode:
        subprocess.run([*pip, "qiling", "unicorn==2.1.4"], check=False)


def qemu(arch: str) -> list[str] | None:
    """The static qemu-user of an architecture."""
    name = {"x86_64": "qemu-x86_64-static", "i386": "qemu-i386-static", "arm64": "qemu-aarch64-static"}[arch]
    found = shutil.which(name) or shutil.which(name, path=str(CACHE / "usr" / "bin"))
    if found is None and not CACHE.exists() and shutil.which("apt-get"):
        CACHE.mkdir(parents=True)
        subprocess.run(["apt-get", "-q", "download", "qemu-user-static"], cwd=CACHE, capture_output=True, check=False)
        for package in CACHE.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, CACHE], check=False)
            package.unlink()
        found = shutil.which(name, path=str(CACHE / "usr" / "bin"))
    return [found] if found else None


def commands(arch: str, program: str | Path, *args: str) -> dict[str, list[str] | None]:
    """How each peer runs a program, of the samples if it is only named."""
    binary = str(ROOT / "samples" / "bin" / arch / program)
    have_qiling = not subprocess.run([PYTHON, "-c", "import qiling"], capture_output=True, check=False).returncode
    emulator = qemu(arch)
    return {
        "trapeze": [str(VENV / "bin" / "trapeze"), "run", binary, *args],
        "bare unicorn": [str(PYTHON), str(ROOT / "bench" / "peers" / "bare.py"), binary, *args],
        "qiling": [str(PYTHON), str(ROOT / "bench" / "peers" / "qiling_run.py"), binary, *args]
        if have_qiling
        else None,
        "qemu-user": [*emulator, binary, *args] if emulator else None,
        "native": [binary, *args] if arch != "arm64" and platform.machine() == "x86_64" else None,
    }


# --- measuring --------------------------------------------------------------------------------------------------------


def clean_environment() -> dict[str, str]:
    """No switch of the developer's shell may slow Python's start."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run_once(command: list[str], wanted: bytes | None = None, timeout: float = 120) -> float:
    """Wall seconds of one run; RuntimeError when it fails, or does not print what is wanted."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean_environment()
    )
    try:
        output, error = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise RuntimeError(f"more than {timeout} s") from None
    seconds = time.perf_counter() - start
    if process.returncode:
        lines = error.decode(errors="replace").strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"status {process.returncode}")
    if wanted is not None and wanted not in output:
        raise RuntimeError(f"prints {output.strip()[-80:].decode(errors='replace')!r} instead of {wanted.decode()!r}")
    return seconds


def measure(rivals: dict[str, list[str] | None], runs: int, wanted: bytes | None = None) -> dict[str, float | str]:
    """Median seconds of each, taken in turn so that a drift of the machine hits all alike; the right output counts."""
    seconds: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    for _ in range(runs):
        for name, command in rivals.items():
            if command is None or name in failed:
                continue
            try:
                taken = run_once(command, wanted)
            except RuntimeError as error:
                failed[name] = f"fails: {error}".replace(f"{ROOT}/", "")  # no path of the machine in what is committed
            else:
                seconds.setdefault(name, []).append(taken)
    result: dict[str, float | str] = {name: statistics.median(times) for name, times in seconds.items()}
    result.update(failed)
    result.update({name: "not available" for name, command in rivals.items() if command is None})
    return result


def ratio(value: float | str | None, base: float | str | None) -> str:
    """value / base, or what stands in its place."""
    if isinstance(value, str) or isinstance(base, str) or value is None or base is None or not base:
        return "-"
    return f"{value / base:.2f}"


# --- sections ---------------------------------------------------------------------------------------------------------


def syscalls(runs: int) -> list[dict[str, object]]:
    """A getppid loop: calls per second, start-up taken off by an empty loop."""
    rows = []
    for arch in ARCHES:
        full = measure(commands(arch, "getppid", str(CALLS)), runs)
        empty = measure(commands(arch, "getppid", "1"), runs)
        rates: dict[str, float | str] = {}
        for name, seconds in full.items():
            base = empty[name]
            if isinstance(seconds, str) or isinstance(base, str):
                rates[name] = str(seconds)
            else:
                rates[name] = CALLS / max(seconds - base, 1e-9)
        rows.append(
            {
                "what": f"getppid calls/s, {arch}",
                "figures": rates,
                "of bare unicorn (goal >= 0.6)": ratio(rates["trapeze"], rates["bare unicorn"]),
                "of qiling (goal >= 10)": ratio(rates["trapeze"], rates.get("qiling")),
            }
        )
    return rows


def cpu(runs: int) -> list[dict[str, object]]:
    """Integer, memory and floating point, whole processes."""
    rows = []
    for arch in ARCHES:
        for program, count in CPU_LOADS.items():
            seconds = measure(commands(arch, program, str(count)), runs)
            rows.append(
                {
                    "what": f"{program} s, {arch}",
                    "figures": seconds,
                    "bare unicorn's time / ours (goal >= 2.5)": ratio(seconds["bare unicorn"], seconds["trapeze"]),
                    "ours / qemu-user's (goal <= 2.5)": ratio(seconds["trapeze"], seconds["qemu-user"]),
                }
            )
    return rows


def startup(runs: int) -> list[dict[str, object]]:
    """hello from the shell's point of view, and its memory."""
    rows = []
    for arch in ARCHES:
        rivals = commands(arch, "hello") | {"import unicorn": [str(PYTHON), "-c", "import unicorn"]}
        del rivals["bare unicorn"]
        seconds = measure(rivals, runs * 3)
        rows.append(
            {
                "what": f"hello s, {arch}",
                "figures": seconds,
                "of `import unicorn` (goal <= 3)": ratio(seconds["trapeze"], seconds["import unicorn"]),
                "peak KiB": peak(rivals["trapeze"]),
                "peak KiB of `import unicorn`": peak(rivals["import unicorn"]),
            }
        )
    return rows


def peak(command: list[str] | None) -> int:
    """Peak memory of a command, in a process of its own so that no other child counts."""
    script = (
        "import resource,subprocess,sys; subprocess.run(sys.argv[1:], stdout=-3); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    assert command is not None
    out = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, env=clean_environment(), check=True
    )
    return int(out.stdout)


def copy(runs: int) -> list[dict[str, object]]:
    """100 MB through read and write in pieces of 64 KB, from an in-memory file to another."""
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "source"
        source.write_bytes(os.urandom(1 << 20) * 100)
        for arch in ARCHES:
            rivals = commands(arch, "copy", str(source), str(Path(directory) / "target"), "100")
            trapeze = rivals["trapeze"]
            assert trapeze is not None
            rivals["trapeze"] = [
                *trapeze[:2],
                "--bind",
                f"{source}:/data/source",
                *trapeze[2:3],
                "/data/source",
                "/tmp/target",
                "100",
            ]
            del rivals["bare unicorn"]
            seconds = measure(rivals, runs)
            rows.append(
                {
                    "what": f"copy 100 MB s, {arch}",
                    "figures": seconds,
                    "MB/s": f"{100 / seconds['trapeze']:.0f}" if isinstance(seconds["trapeze"], float) else "-",
                    "ours / qemu-user's": ratio(seconds["trapeze"], seconds["qemu-user"]),
                }
            )
    return rows


def tasks(runs: int) -> list[dict[str, object]]:
    """Processes, threads, pipes and signals: how many a second, start-up taken off by a run that does one."""
    rows = []
    for arch in ARCHES:
        for mode, (count, unit) in TASK_LOADS.items():
            full, empty = (
                measure(without_bare(commands(arch, "tasks", mode, str(n))), runs, counted(mode, n)) for n in (count, 1)
            )
            rates: dict[str, float | str] = {}
            for name, seconds in full.items():
                base = empty[name]
                told = isinstance(seconds, str) or isinstance(base, str)
                rates[name] = str(seconds) if told else count / max(seconds - base, 1e-9)
            rows.append(
                {
                    "what": f"{unit} per second, {arch}",
                    "figures": rates,
                    "of qemu-user's": ratio(rates["trapeze"], rates["qemu-user"]),
                }
            )
    return rows


def bash(runs: int) -> list[dict[str, object]]:
    """Debian's bash and a thousand subshells."""
    sys.path.insert(0, str(ROOT / "tests" / "programs"))
    import debian  # the tests' way to Debian's packages

    script = "for ((i = 0; i < 1000; i++)); do (exit 0); done; echo $i"
    rows = []
    for arch in ARCHES:
        try:
            program = debian.program("bash-static", arch)
        except debian.UnavailableError as problem:
            rows.append({"what": f"bash -c with 1000 subshells s, {arch}", "figures": {"all": f"not here: {problem}"}})
            continue
        rivals = without_bare(commands(arch, program, "-c", script))
        seconds = measure(rivals, runs, b"1000\n")
        rows.append(
            {
                "what": f"bash -c with 1000 subshells s, {arch}",
                "figures": seconds,
                "ours / qemu-user's": ratio(seconds["trapeze"], seconds["qemu-user"]),
            }
        )
    return rows


def native(runs: int) -> list[dict[str, object]]:
    """What it costs a program of this machine to be traced: our ptrace tracer, strace, python-ptrace."""
    if platform.machine() != "x86_64":
        return [{"what": "native tracing", "figures": {"all": "not here: the samples are of x86_64"}}]
    getppid = [str(ROOT / "samples" / "bin" / "x86_64" / "getppid"), str(NATIVE_CALLS)]
    script = ["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do ls -lR /etc; done >/dev/null; echo done"]
    loads = [
        (f"getppid x {NATIVE_CALLS}", getppid, b"calls", "getppid"),
        ("sh, ls -lR /etc ten times", script, b"done", "openat"),
    ]
    rows = []
    for what, command, wanted, name in loads:
        seconds = measure({"untraced": command, **tracers(command)}, runs, wanted)
        rows.append(
            {
                "what": f"{what}, all calls, s",
                "figures": seconds,
                "ours / strace's": ratio(seconds["trapeze"], seconds["strace"]),
                "python-ptrace's / ours": ratio(seconds["python-ptrace"], seconds["trapeze"]),
            }
        )
        name = "exit_group" if name == "getppid" else name
        seconds = measure(tracers(command, "--seccomp-bpf", "-e", f"trace={name}"), runs, wanted)
        del seconds["python-ptrace"]
        rows.append(
            {
                "what": f"{what}, {name} by --seccomp-bpf, s",
                "figures": seconds,
                "ours / strace's": ratio(seconds["trapeze"], seconds["strace"]),
            }
        )
    return rows


def tracers(command: list[str], *flags: str) -> dict[str, list[str] | None]:
    """Each tracer of native programs, following children, its text to nowhere."""
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "python-ptrace"], capture_output=True, check=False)
    have_python_ptrace = not subprocess.run(
        [PYTHON, "-c", "import ptrace"], capture_output=True, check=False
    ).returncode
    strace, peer = shutil.which("strace"), str(ROOT / "bench" / "peers" / "python_ptrace_run.py")
    return {
        "trapeze": [str(VENV / "bin" / "trapeze"), "trace", "--native", "-q", "-o", os.devnull, *flags, *command],
        "strace": [strace, "-f", "-o", os.devnull, *flags, *command] if strace else None,
        "python-ptrace": [str(PYTHON), peer, *command] if have_python_ptrace and not flags else None,
    }


def counted(mode: str, n: int) -> bytes:
    """What samples/tasks.c prints when all of it happened."""
    result = {"fork": sum(i & 7 for i in range(n)), "switch": 2 * n}.get(mode, n)
    return f"{mode} {n}: {result}\n".encode()


def without_bare(rivals: dict[str, list[str] | None]) -> dict[str, list[str] | None]:
    """Bare Unicorn has no kernel at all."""
    return {name: command for name, command in rivals.items() if name != "bare unicorn"}


SECTIONS = {
    "syscalls": syscalls,
    "cpu": cpu,
    "startup": startup,
    "copy": copy,
    "tasks": tasks,
    "bash": bash,
    "native": native,
}


# --- the report -------------------------------------------------------------------------------------------------------


def show(rows: list[dict[str, object]]) -> list[str]:
    lines = []
    for row in rows:
        figures = row["figures"]
        assert isinstance(figures, dict)
        lines.append(f"- **{row['what']}**")
        for name, value in figures.items():
            text = value if isinstance(value, str) else f"{value:,.0f}" if value > 1000 else f"{value:.3f}"
            lines.append(f"  - {name}: {text}")
        lines += [f"  - {name}: **{value}**" for name, value in row.items() if name not in {"what", "figures"}]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="of " + ", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="one run of each instead of three")
    options = parser.parse_args()
    environment()
    runs = 1 if options.quick else 3
    results: dict[str, list[dict[str, object]]] = {}
    lines = [
        "# Bench",
        "",
        (
            f"Written by `make bench`. Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
            f"{os.cpu_count()} processors; medians of {runs} runs taken in turn."
        ),
    ]
    for name in options.sections or SECTIONS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        results[name] = SECTIONS[name](runs)
        lines += ["", f"## {name}", "", *show(results[name])]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    if len(results) == len(SECTIONS):
        (RESULTS / "latest.md").write_text(text, encoding="utf-8")
        (RESULTS / "latest.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
