"""Record what the samples print natively, and what strace says of them: `python tests/programs/record.py [CASE...]`.

Runs on an x86_64 Linux machine as root, with strace 6.1, in a mount namespace of its own: /tmp is an empty tmpfs for
every case, /mnt holds the binaries, so that no path of this machine gets into a recording. i386 must agree natively,
arm64 under qemu-aarch64-static but for the cases named in `QEMU_DIFFERS`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from sample_cases import CASES, EXPECTED, QEMU_DIFFERS, SAMPLES, STRACE, Case, Outcome, run_native

WORLD = Path("/tmp")
PROGRAMS = Path("/mnt")
#: Cases recorded once more with -y (paths of descriptors).
WITH_PATHS = ("files", "dirs", "fdio", "descriptors")
#: Cases that execute themselves, which qemu-aarch64 lets the host's processor do, or whose limits hit qemu: not tried.
EXECUTES = ("execs", "waits", "prctls", "bounds", "spawn")
STRACE_PROGRAM = shutil.which("strace") or "strace"
#: The traced program is always process 2, and lies at the same addresses.
QUIET = (
    shutil.which("unshare") or "unshare",
    "--pid",
    "--fork",
    "--mount-proc",
    shutil.which("setarch") or "setarch",
    "--addr-no-randomize",
)


def new_world() -> None:
    subprocess.run(["umount", WORLD], check=False, capture_output=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", WORLD], check=True)


def without_noise(stderr: bytes) -> bytes:
    """Qemu's own farewell is not the program's."""
    return b"".join(line for line in stderr.splitlines(keepends=True) if not line.startswith(b"qemu: "))


def compare(case: Case, arch: str, outcome: Outcome) -> list[str]:
    told = []
    if outcome.end != case.end:
        told.append(f"{case.name} {arch}: ends {outcome.end}, not {case.end}")
    for stream, got in (("out", outcome.stdout), ("err", without_noise(outcome.stderr))):
        wanted = case.expected(stream).splitlines()
        lines = got.splitlines()
        told += [
            f"{case.name} {arch} {stream}:{n + 1}: {a!r}, not {b!r}"
            for n, (a, b) in enumerate(zip(lines, wanted, strict=False))
            if a != b
        ]
        if len(lines) != len(wanted):
            told.append(f"{case.name} {arch} {stream}: {len(lines)} lines, not {len(wanted)}")
    return told


def record_output(case: Case) -> list[str]:
    """Write the expectation from the case's first architecture, compare the others; return what differs."""
    told: list[str] = []
    native = [arch for arch in case.arches if arch != "arm64"]
    for arch in case.arches:
        new_world()
        launcher = () if arch in native else ("qemu-aarch64-static",)
        if launcher and case.name in EXECUTES:
            continue
        outcome = run_native(case, arch, WORLD, launcher)
        if arch == case.arches[0]:
            (EXPECTED / f"{case.name}.out").write_bytes(outcome.stdout)
            (EXPECTED / f"{case.name}.err").unlink(missing_ok=True)
            if without_noise(outcome.stderr):
                (EXPECTED / f"{case.name}.err").write_bytes(without_noise(outcome.stderr))
        found = compare(case, arch, outcome)
        if arch == "arm64" and case.name in QEMU_DIFFERS:
            if not found:
                told.append(f"{case.name}: QEMU_DIFFERS names it, but qemu agrees")
        else:
            told += found
    return told


def record_strace(case: Case, arch: str, suffix: str, *options: str) -> None:
    subprocess.run(["umount", PROGRAMS], check=False, capture_output=True)
    subprocess.run(["mount", "--bind", SAMPLES / "bin" / arch, PROGRAMS], check=True)
    new_world()
    target = case.strace_path(arch, suffix)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [*QUIET, STRACE_PROGRAM, "-o", target, *options, str(PROGRAMS / case.program), *case.args],
        input=case.stdin,
        env=case.env,
        cwd=WORLD,
        umask=0o022,
        capture_output=True,
        timeout=60,
        check=False,
    )


def main(names: list[str]) -> int:
    if "--inside" not in names:
        return subprocess.run(
            ["unshare", "--mount", sys.executable, __file__, "--inside", *names], check=False
        ).returncode
    names.remove("--inside")
    cases = [case for case in CASES if not names or case.name in names]
    if not names:
        shutil.rmtree(EXPECTED, ignore_errors=True)
        shutil.rmtree(STRACE, ignore_errors=True)
    EXPECTED.mkdir(exist_ok=True)
    told = []
    for case in cases:
        told += record_output(case)
        for arch in ("x86_64", "i386"):
            if case.strace == "yes" and arch in case.arches:
                record_strace(case, arch, "")
                if case.name in WITH_PATHS:
                    record_strace(case, arch, ".y", "-y")
    sys.stdout.writelines(f"{line}\n" for line in told)
    return 1 if told else 0


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    sys.exit(main(sys.argv[1:]))
