"""Which calls each build makes, and what is said about them."""

from __future__ import annotations

import json

import pytest

from emu.errors import UsageError
from emu.trace.portability import Build, portability_json, portability_text, uses
from emu.trace.recording import Recording
from emu.trace.strace_log import StraceLog
from syscalls import spec as specs
from syscalls.abi.arch import X86_64
from syscalls.spec import Support

X86 = """\
open("a", O_RDONLY) = 3
openat(AT_FDCWD, "b", O_RDONLY) = 4
read(3, "", 1) = 0
arch_prctl(ARCH_SET_FS, 0x70000) = 0
"""
I386 = (
    'open("a", O_RDONLY|O_LARGEFILE) = 3\nread(3, "", 1) = 0\nmmap2(NULL, 1, PROT_READ, MAP_PRIVATE, 3, 0) = 0x70000\n'
)


def builds() -> list[Build]:
    return [Build.of(name, StraceLog(name).read(text.splitlines(keepends=True))) for name, text in
            (("a64", X86), ("a32", I386))]  # fmt: skip


def test_a_row_for_each_call_under_its_canonical_name() -> None:
    assert [use.canonical for use in uses(builds())] == ["arch_prctl", "mmap", "openat", "read"]
    assert [build.arch for build in builds()] == ["x86_64", "i386"]


def test_what_exists_where() -> None:
    remarks = {use.canonical: use.remarks() for use in uses(builds())}
    assert remarks["openat"] == ["open: only on x86_64, i386; elsewhere openat"]
    assert remarks["mmap"] == ["mmap2: only on i386; elsewhere mmap"]
    assert remarks["arch_prctl"] == ["arch_prctl: only on x86_64, i386"]
    assert remarks["read"] == []


def test_the_table() -> None:
    lines = portability_text(builds()).splitlines()
    assert lines[0].split() == ["call", "a64", "(x86_64)", "a32", "(i386)", "remarks"]
    assert "openat      open 1, openat 1  open 1" in lines[3]
    assert lines[-2:] == ["4 calls, 2 of them made by every build", "all of them are implemented here"]


def test_what_this_kernel_lacks() -> None:
    name = next(name for name, spec in specs.specs(X86_64).items() if spec.support is Support.NONE)
    build = Build.of("a", StraceLog("a").read([f"{name}() = 0\n"]))
    (use,) = uses([build])
    assert use.missing
    assert portability_text([build]).endswith(f"not implemented here: {use.canonical}\n")
    assert json.loads(portability_json([build]))["missing"] == [use.canonical]


def test_json() -> None:
    about = json.loads(portability_json(builds()))
    assert about["programs"][0] == {
        "name": "a64", "arch": "x86_64", "calls": {"arch_prctl": 1, "open": 1, "openat": 1, "read": 1}
    }  # fmt: skip
    mmap = about["calls"][1]
    assert mmap["programs"] == [{}, {"mmap2": 1}]
    assert mmap["equivalents"] == {"x86_64": ["mmap"], "i386": ["mmap", "mmap2"], "arm64": ["mmap"]}
    assert about["missing"] == []


def test_nothing_was_called() -> None:
    with pytest.raises(UsageError, match="no system call"):
        Build.of("empty", Recording())
