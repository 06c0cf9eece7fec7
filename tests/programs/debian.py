"""Debian's packages for the three architectures: programs that nobody here wrote.

`apt-get download` fetches the packages with a private apt configuration: state, cache and the list of architectures
live in .cache/debian, the sources are the machine's own, nothing is installed and nothing of the system changes.
`python tests/programs/debian.py` fetches what the tests use and prints the paths.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "debian"
DEBIAN = {"x86_64": "amd64", "i386": "i386", "arm64": "arm64"}
#: A program of each package that the tests use, by package.
PROGRAMS = {"busybox-static": "busybox", "bash-static": "bash-static"}
#: What a root with dynamically linked programs is made of: coreutils, dash, Python and the libraries they need.
ROOT_PACKAGES = [
    "coreutils", "dash", "libacl1", "libattr1", "libc6", "libexpat1", "libffi8", "libgcc-s1", "libgmp10",
    "libpcre2-8-0", "libpython3.11-minimal", "libpython3.11-stdlib", "libselinux1", "libssl3",
    "python3.11-minimal", "zlib1g",
]  # fmt: skip
FETCH_SECONDS = 240


class UnavailableError(Exception):
    """The package cannot be fetched; the message says why."""


def _options() -> list[str]:
    settings = {
        "Dir::State": CACHE / "state",
        "Dir::State::status": CACHE / "state" / "status",
        "Dir::Cache": CACHE / "cache",
        "APT::Architectures": ",".join(DEBIAN.values()),
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "1",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _apt(*words: str) -> None:
    try:
        done = subprocess.run(
            ["apt-get", "-q", *_options(), *words],
            cwd=CACHE,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"apt-get {words[0]} took more than {FETCH_SECONDS} seconds") from None
    if done.returncode:
        raise UnavailableError(f"apt-get {' '.join(words)}: {done.stderr.strip().splitlines()[-1]}")


def _fetch(package: str, arch: str, target: Path) -> None:
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise UnavailableError(f"{tool} is not here")
    (CACHE / "state" / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (CACHE / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    (CACHE / "state" / "status").touch()
    debian = DEBIAN[arch]
    if not (CACHE / "updated").exists():
        # One index out of many may fail (a mirror in the middle of its update); the package may be in another.
        with contextlib.suppress(UnavailableError):
            _apt("update")
        (CACHE / "updated").touch()
    _apt("download", f"{package}:{debian}")
    target.mkdir(parents=True, exist_ok=True)
    archive = next(CACHE.glob(f"{package}_*_{debian}.deb"))
    subprocess.run(["dpkg-deb", "-x", archive, target], check=True)


def unpacked(arch: str, name: str, packages: Iterable[str]) -> Path:
    """A directory with the files of some packages, fetched once; raises `UnavailableError`."""
    target = CACHE / arch / name
    failed = CACHE / f"{name}-{arch}.unavailable"  # so that a machine without a network waits once, not every test
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:  # the suite runs in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists() and not failed.exists():
            unfinished = target.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            try:
                for package in packages:
                    _fetch(package, arch, unfinished)
                unfinished.rename(target)
            except UnavailableError as problem:
                failed.write_text(f"{problem} (remove {failed.name} in .cache/debian to try again)")
    if failed.exists():
        raise UnavailableError(failed.read_text())
    return target


def root(arch: str) -> Path:
    """A root directory with dynamically linked programs; raises `UnavailableError`."""
    return unpacked(arch, "root", ROOT_PACKAGES)


def program(package: str, arch: str) -> Path:
    """The program that the tests use of a package, for `arch`; raises `UnavailableError`."""
    directory = unpacked(arch, package, [package])
    return next(path for where in ("bin", "usr/bin") if (path := directory / where / PROGRAMS[package]).exists())


if __name__ == "__main__":
    try:
        for name in PROGRAMS:
            for machine in DEBIAN:
                sys.stdout.write(f"{program(name, machine)}\n")
        for machine in DEBIAN:
            sys.stdout.write(f"{root(machine)}\n")
    except UnavailableError as problem:
        sys.exit(f"debian.py: {problem}")
