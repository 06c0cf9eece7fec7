"""Build the samples for all architectures: `python samples/build.py [NAME...]`.

Every `samples/*.c` is a program with a C library (musl), every
`samples/bare/*.c` one without. `ziglang` (PyPI) carries compiler, linker and
C library for the three targets; its version is fixed so that the same sources
give the same bytes. The binaries are committed: only who changes a sample
needs the compiler.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ZIG = "0.17.1"

SAMPLES = Path(__file__).resolve().parent
TARGETS = {"x86_64": "x86_64-linux-musl", "i386": "x86-linux-musl", "arm64": "aarch64-linux-musl"}

COMMON = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fno-sanitize=all", "-s", "-Wl,--build-id=none"]
LIBC = ["-static", "-Os", "-no-pie", "-fno-pie"]
BARE = [
    "-static",
    "-O2",
    "-nostdlib",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-no-pie",
    "-fno-pie",
]
STATIC_PIE = ["-static", "-Os", "-pie", "-fPIE"]

# Programs built a second time, position-independent, under another name.
PIE = {"hello-pie": "hello.c", "args-pie": "args.c"}

# Programs that are not for every architecture.
ONLY = {"gates": ("x86_64", "i386"), "faultinfo": ("x86_64", "i386")}


def sources() -> dict[str, tuple[Path, list[str]]]:
    """Each program's name, its source and its flags."""
    programs = {path.stem: (path, LIBC) for path in SAMPLES.glob("*.c")}
    programs |= {path.stem: (path, BARE) for path in (SAMPLES / "bare").glob("*.c")}
    programs |= {name: (SAMPLES / source, STATIC_PIE) for name, source in PIE.items()}
    return dict(sorted(programs.items()))


def binaries() -> dict[tuple[str, str], Path]:
    """Where the binary of each program for each architecture is."""
    return {
        (name, arch): SAMPLES / "bin" / arch / name for name in sources() for arch in ONLY.get(name, tuple(TARGETS))
    }


def build(source: Path, flags: list[str], arch: str, output: Path) -> None:
    """Compile one program for one architecture."""
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ziglang", "cc", "-target", TARGETS[arch], *COMMON, *flags]
    # Relative paths and a fixed directory: no path of this machine can end up in the binary.
    command += ["-o", os.path.relpath(output, SAMPLES), str(source.relative_to(SAMPLES))]
    subprocess.run(command, cwd=SAMPLES, check=True)


def main(names: list[str]) -> int:
    """Build the named programs, or all."""
    if version("ziglang") != ZIG:
        print(f"build.py: needs ziglang {ZIG}, found {version('ziglang')}", file=sys.stderr)
        return 1
    programs = sources()
    for (name, arch), output in binaries().items():
        if not names or name in names:
            build(*programs[name], arch, output)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
