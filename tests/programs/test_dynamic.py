"""Dynamically linked programs of Debian under --root: that root's own loader, libraries and Python, in the sandbox.

Compared with the same root natively after chroot(2); arm64 must agree with x86_64.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import debian
import pytest
from guest import run_guest
from sample_cases import ARCHES, Outcome, end_of

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="chroot(2) needs root")

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
IN_CHROOT = "import os, sys; os.chroot(sys.argv[1]); os.chdir('/'); os.execv(sys.argv[2], sys.argv[2:])"
PYTHON = "/usr/bin/python3.11"
THREADS = """
import threading, queue
q = queue.Queue()
lock, total = threading.Lock(), [0]
def work():
    while (item := q.get()) is not None:
        with lock:
            total[0] += item
workers = [threading.Thread(target=work) for _ in range(8)]
[w.start() for w in workers]
[q.put(n) for n in range(500)]
[q.put(None) for _ in workers]
[w.join() for w in workers]
print(total[0])
"""
PROCESSES = """
import os, signal, subprocess, sys
print(subprocess.run(["sh", "-c", "echo $((6 * 7)); exit 3"], capture_output=True))
print(subprocess.check_output("ls /usr | sort | head -2", shell=True))
child = os.fork()
if not child:
    os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
signal.signal(signal.SIGALRM, lambda number, frame: print("alarm", number))
signal.setitimer(signal.ITIMER_REAL, 0.05)
signal.pause()
sleeper = subprocess.Popen(["sleep", "10"])
sleeper.terminate()
print(sleeper.wait())
"""
LIBRARIES = """
import bz2, collections, ctypes, datetime, decimal, json, math, re, struct, sys, tempfile, zlib
print(json.dumps({"a": [1, 2.5, None]}), math.sin(1), decimal.Decimal(1) / 7, 2 ** 200)
print(zlib.crc32(b"trapeze"), re.sub("(a+)", r"<\\\\1>", "baab"), datetime.date(2024, 2, 29).isoformat())
with tempfile.TemporaryFile(dir="/var") as file:
    print(file.write(b"x" * 100000), file.seek(0), len(file.read()))
print(ctypes.CDLL(None).abs(-5), sys.byteorder)
"""
COMMANDS = {
    "ls": ("/bin/ls", "-l", "/etc/python3.11"),
    "ls-missing": ("/bin/ls", "/missing"),
    "sha256sum": ("/usr/bin/sha256sum", "/etc/xattr.conf"),
    "sort": ("/usr/bin/sort", "-r", "/etc/xattr.conf"),
    "dash": (
        "/bin/dash",
        "-c",
        'for i in 1 2 3; do echo $i | cat; done; (exit 4); trap "echo bye" EXIT; exit 5',
    ),
    "python": (PYTHON, "-c", "import sys; print(sys.version_info[:2], sys.argv)", "an argument"),
    "python-libraries": (PYTHON, "-c", LIBRARIES),
    "python-threads": (PYTHON, "-c", THREADS),
    "python-processes": (PYTHON, "-c", PROCESSES),
    "python-error": (PYTHON, "-c", "raise SystemExit(7)"),
    "no-program": ("/bin/dash", "-c", "/etc; missing"),
}


def root_of(arch: str) -> Path:
    try:
        root = debian.root(arch)
    except debian.UnavailableError as problem:
        pytest.skip(f"Debian's packages for {arch} cannot be fetched: {problem}")
    (root / "var").mkdir(exist_ok=True)
    return root


def natively(arch: str, command: tuple[str, ...]) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-c", IN_CHROOT, root_of(arch), *command],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    if b"Exec format error" in done.stderr:
        pytest.skip(f"this machine does not run {arch} programs itself")
    return Outcome(end_of(done.returncode), done.stdout, done.stderr)


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_dynamic_program_does_what_it_does_natively(command: tuple[str, ...], arch: str) -> None:
    wanted = natively("x86_64" if arch == "arm64" else arch, command)
    got = run_guest(Path(command[0]), command[1:], env=ENVIRONMENT, cwd="/", root=root_of(arch))
    assert got == wanted
