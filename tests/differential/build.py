# tables of text
"""Build the replaying program for all architectures: `python tests/differential/build.py` (see samples/build.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGETS = {"x86_64": "x86_64-linux-musl", "i386": "x86-linux-musl", "arm64": "aarch64-linux-musl"}
FLAGS = [
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fno-sanitize=all",
    "-s",
    "-Wl,--build-id=none",
    "-static",
    "-Os",
    "-no-pie",
    "-fno-pie",
]


def binary(arch: str) -> Path:
    """Where the program for `arch` is."""
    return HERE / "bin" / arch / "replay"


def build(arch: str, output: Path) -> None:
    """Compile it; ziglang's version is samples/build.py's."""
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ziglang", "cc", "-target", TARGETS[arch], *FLAGS, "-o", str(output), "replay.c"]
    subprocess.run(command, cwd=HERE, check=True)


if __name__ == "__main__":
    for target in TARGETS:
        build(target, binary(target))
