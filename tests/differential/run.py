"""Many scripts in one run of replay.c, natively or in the sandbox."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from emu.sandbox import Sandbox
from syscalls.abi.arch import ARCHES, Arch
from tests.differential.build import binary
from tests.differential.decode import decode, read_records
from tests.differential.encode import Encoded, encode
from tests.differential.script import Script
from tests.differential.values import ScriptError

TMPFS = Path("/dev/shm")  # the emulated /tmp is a tmpfs too
NATIVE_MS, PATIENT_MS = 300, 2000  # when a sequence sleeps for good
EMULATED_MS = 60_000  # of virtual time: it jumps there when everybody sleeps
#: A run longer than this hangs; with many sequences that are waited for.
LIMIT_S = 240

Lines = list[str] | None  # None: the script is not for this architecture


def why_not_native(arch: Arch) -> str:
    """Why this machine cannot say what Linux does, or ""."""
    if platform.system() != "Linux" or platform.machine() != "x86_64" or arch.name == "arm64":
        return f"no Linux for {arch.name} here"
    if os.getuid():
        return "only root can be confined (chroot)"
    if not TMPFS.is_dir() or not os.access(TMPFS, os.W_OK):
        return "no tmpfs at /dev/shm"
    return _try(arch.name)


@cache
def _try(arch: str) -> str:
    try:
        subprocess.run([binary(arch)], input=b"", capture_output=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError) as error:
        return f"cannot run {arch} programs: {error}"
    return ""


def native(scripts: Sequence[Script], arch: Arch, timeout_ms: int = NATIVE_MS) -> list[Lines]:
    """What Linux says to each script."""

    def run(words: bytes) -> bytes:
        directory = tempfile.mkdtemp(prefix="replay", dir=TMPFS)
        try:
            Path(directory).chmod(0o755)
            return subprocess.run(
                [binary(arch.name)], input=words, cwd=directory, stdout=subprocess.PIPE, check=False, timeout=LIMIT_S
            ).stdout
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    return _play(scripts, arch, timeout_ms, run)


def emulated(scripts: Sequence[Script], arch: Arch) -> list[Lines]:
    """What our kernel says to each script."""

    def run(words: bytes) -> bytes:
        user = (os.getuid(), os.getgid())
        return Sandbox(binary(arch.name), cwd="/tmp", user=user, seed=1).run(stdin=words).stdout

    return _play(scripts, arch, EMULATED_MS, run)


def _play(scripts: Sequence[Script], arch: Arch, timeout_ms: int, run: object) -> list[Lines]:
    encoded: list[Encoded | None] = []
    for index, script in enumerate(scripts):
        try:
            encoded.append(encode(script, arch, index, timeout_ms))
        except ScriptError:
            encoded.append(None)
    output = run(b"".join(item.words for item in encoded if item))  # type: ignore[operator]
    records = read_records(output)
    return [
        None if item is None else decode(item, arch, records[index]) if index in records else ["no answer"]
        for index, item in enumerate(encoded)
    ]


__all__ = ["ARCHES", "emulated", "native", "why_not_native"]
