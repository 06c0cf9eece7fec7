"""The cases of the sample programs (samples/cases.tsv), and what each must print."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = REPOSITORY / "samples"
EXPECTED = Path(__file__).parent / "expected"
STRACE = Path(__file__).parent / "strace"

ARCHES = ("x86_64", "i386", "arm64")

#: Cases whose output qemu-aarch64 7.2 gets wrong, and how; there the x86_64 output stands for arm64 too.
QEMU_DIFFERS = {
    "newmounts": "has no fsopen",
    "aio": "has no io_setup",
    "remote": "has no process_madvise and lends no memory to a clone",
    "polling": "always stores the time left, and rounds pointers into its memory up to pages",
    "counters": "its eventfd, timerfd and signalfd know fewer clocks, flags and fields",
    "sockets": "translates addresses, options and control messages in its own way",
    "epoll": "checks the array of events first, has no epoll_pwait2 and no EPIOC*",
    "mqueue": "has no mq_notify, and opens queues by the C library",
    "clone": "has no clone3",
    "pthreads": "has no robust lists",
    "seccomp": "runs no filters",
    "together-execute": "executes arm64 programs on the host's processor",
    "args": "hands the environment over in another order",
    "files": "keeps only two bits of the access mode",
    "system": "has no fchmodat2",
    "memory": "its own mmap, mremap, madvise and mincore check less",
    "fdio": "has no preadv2",
    "terminal": "an unknown ioctl is ENOSYS",
    "openat2": "has no openat2",
    "pointers": "checks whole buffers before any transfer",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One run of one program: its line of cases.tsv."""

    name: str
    program: str
    args: tuple[str, ...]
    env: dict[str, str]
    stdin: bytes
    end: str  # exit status in decimal, or a signal's name
    arches: tuple[str, ...]
    strace: str  # "yes", or why the strace text cannot be compared

    def binary(self, arch: str) -> Path:
        return SAMPLES / "bin" / arch / self.program

    def expected(self, stream: str) -> bytes:
        path = EXPECTED / f"{self.name}.{stream}"
        return path.read_bytes() if path.exists() else b""

    def strace_path(self, arch: str, suffix: str = "") -> Path:
        return STRACE / arch / f"{self.name}{suffix}.txt"


def _parse(line: str) -> Case:
    name, program, args, env, stdin, end, arches, strace = ("" if c == "-" else c for c in line.split("\t"))
    variables = dict(item.split("=", 1) for item in env.split())
    text = stdin.encode().decode("unicode_escape").encode()
    where = ARCHES if arches == "all" else tuple(arches.split(","))
    return Case(name, program, tuple(args.split()), variables, text, end, where, strace)


def load() -> list[Case]:
    lines = (SAMPLES / "cases.tsv").read_text().splitlines()
    return [_parse(line) for line in lines if line and not line.startswith("#")]


CASES = load()


def end_of(returncode: int) -> str:
    """The name of an end, from subprocess's way (-N) or a shell's (128+N) of telling a signal."""
    if returncode < 0:
        return signal.Signals(-returncode).name
    if 128 < returncode < 128 + 65:
        return signal.Signals(returncode - 128).name
    return str(returncode)


@dataclass(frozen=True, slots=True)
class Outcome:
    end: str
    stdout: bytes
    stderr: bytes


def run_native(case: Case, arch: str, cwd: Path, launcher: tuple[str, ...] = ()) -> Outcome:
    """Run a case on the real kernel in `cwd`; `launcher` may be an emulator."""
    done = subprocess.run(
        [*launcher, str(case.binary(arch)), *case.args],
        input=case.stdin,
        env=case.env,
        cwd=cwd,
        umask=0o022,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Outcome(end_of(done.returncode), done.stdout, done.stderr)


def fresh_directory() -> Path:
    """An empty directory on a tmpfs where there is one: that is the file system the samples were recorded on."""
    shm = Path("/dev/shm")
    return Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else None))


def remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)


def runs_here(arch: str) -> bool:
    """Whether this machine's own processor and kernel run programs of `arch`."""
    try:
        done = subprocess.run([SAMPLES / "bin" / arch / "hello"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0
