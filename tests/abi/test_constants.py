"""The constants are those of Linux's headers: each that is a macro there is compiled for each architecture."""

from __future__ import annotations

import importlib
import pkgutil
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

import syscalls.abi
from syscalls.abi import fcntl, generate, layouts
from syscalls.abi.arch import ARCHES

HEADERS = """
linux/types.h asm/fcntl.h linux/fcntl.h linux/openat2.h linux/falloc.h linux/fadvise.h linux/fs.h linux/stat.h
linux/magic.h linux/time.h linux/timex.h linux/timerfd.h asm/signal.h asm-generic/siginfo.h linux/signalfd.h
linux/resource.h linux/prctl.h linux/capability.h linux/securebits.h linux/seccomp.h asm-generic/poll.h
linux/eventpoll.h linux/inotify.h linux/sched.h linux/wait.h linux/futex.h linux/uio.h linux/xattr.h linux/limits.h
linux/random.h linux/memfd.h linux/mount.h linux/blkpg.h asm-generic/ioctls.h linux/sockios.h linux/fiemap.h linux/vt.h
linux/kd.h asm-generic/termbits.h asm-generic/socket.h linux/in.h linux/in6.h linux/tcp.h linux/udp.h linux/netlink.h
linux/ipc.h linux/msg.h linux/sem.h linux/shm.h linux/ptrace.h linux/audit.h linux/personality.h linux/membarrier.h
linux/rseq.h linux/kcmp.h linux/reboot.h asm-generic/errno.h
""".split()  # noqa: SIM905  # sixty quotes would say no more

#: Names that mean something else here than the header's macro of the same name.
OTHER_MEANING = {
    "SIGRTMAX", "NSIG",  # the headers have what C libraries once used
    "FUTEX_CMD_MASK",  # of the flags that we know
    "F_GETLK64", "F_SETLK64", "F_SETLKW64",  # i386's, which strace knows on every architecture
    "RLIM_NLIMITS",
    "IP_OPTIONS", "NETLINK_OPTIONS", "IPV6_OPTIONS",
}  # fmt: skip
#: Of these arm64 has its own values, which handlers never see.
ARM64_DIFFERS = {"O_DIRECTORY", "O_NOFOLLOW", "O_DIRECT", "O_LARGEFILE", "O_TMPFILE"}
#: Sizes of longs in the number: what i386 programs use has its own name (FS_IOC32_GETFLAGS), or is not decoded.
LONG_IN_REQUEST = re.compile(r"FS_IOC_[GS]ET(FLAGS|VERSION)|BLK(GETSIZE64|BSZ[GS]ET)")


def _constants() -> dict[str, int]:
    found: dict[str, int] = {}
    for module in pkgutil.iter_modules(syscalls.abi.__path__):
        if module.ispkg:
            continue
        for name, value in vars(importlib.import_module(f"syscalls.abi.{module.name}")).items():
            if type(value) is int and name == name.upper():
                assert found.setdefault(name, value) == value, f"{name} has two values"
    return {name: value for name, value in found.items() if name not in OTHER_MEANING}


def _compile(arch: str, options: list[str], source: str, directory: Path) -> bytes:
    package = generate.package_dir()
    if package is None:
        pytest.skip("the package ziglang, whose headers have the constants, is not installed")
    target, own = layouts.TARGETS[arch]
    include = package / "lib/libc/include"
    path = directory / "constants.c"
    path.write_text(source)
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-nostdinc", "-w", *options, str(path)]
    command += ["-isystem", str(include / own), "-isystem", str(include / "any-linux-any")]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.mark.parametrize("arch", list(ARCHES))
def test_constants_are_the_headers(arch: str, tmp_path: Path) -> None:
    ours = _constants()
    prologue = "#define size_t __SIZE_TYPE__\n#define time_t long\n" + "".join(
        f"#include <{header}>\n" for header in HEADERS
    )
    macros = set(
        re.findall(r"^#define (\w+) ", _compile(arch, ["-E", "-dM"], prologue, tmp_path).decode(), re.MULTILINE)
    )
    names = sorted(macros & set(ours))
    values = ", ".join(f"(long long)({name})" for name in names)
    source = f'{prologue}__attribute__((section("abi"), used)) const long long values[] = {{{values}}};\n'
    _compile(arch, ["-c", "-o", str(tmp_path / "constants.o")], source, tmp_path)
    with (tmp_path / "constants.o").open("rb") as file:
        section = ELFFile(file).get_section_by_name("abi")
        theirs = dict(zip(names, struct.unpack(f"<{len(names)}q", section.data()), strict=True))
    assert len(theirs) > 1000
    wrong = {
        name: (hex(ours[name]), hex(value))
        for name, value in theirs.items()
        if (ours[name] ^ value) & 0xFFFFFFFF and not (arch == "arm64" and name in ARM64_DIFFERS)
        if not (arch == "i386" and LONG_IN_REQUEST.match(name))
    }
    assert wrong == {}
    if arch == "arm64":
        for name in ARM64_DIFFERS & set(theirs):
            assert fcntl.open_flags_to_generic(theirs[name]) == ours[name]
            assert fcntl.open_flags_to_arm64(ours[name]) == theirs[name]
