"""Random sequences of system calls mean on our kernel what they mean on Linux; what once differed does so no more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from syscalls.abi.arch import ARCHES
from tests.differential.areas import AREAS
from tests.differential.cases import expected, load
from tests.differential.generate import generate
from tests.differential.hunt import compare, unknown
from tests.differential.run import PATIENT_MS, emulated, native, why_not_native
from tests.differential.script import format_script, parse_script

CASES = load()
SEQUENCES = 60  # of each area; `make test-differential` runs many more


def _cases(arch: str) -> dict[str, object]:
    return {name: script for name, script in CASES.items() if arch in (script.note("only") or ARCHES)}


@pytest.mark.parametrize("arch", ARCHES)
def test_cases_end_as_recorded(arch: str) -> None:
    cases = _cases(arch)
    said = emulated(list(cases.values()), ARCHES[arch])
    assert dict(zip(cases, said, strict=True)) == {name: expected(CASES[name]) for name in cases}


@pytest.mark.parametrize("arch", ["x86_64", "i386"])
def test_linux_still_says_what_was_recorded(arch: str) -> None:
    if reason := why_not_native(ARCHES[arch]):
        pytest.skip(reason)
    cases = _cases(arch)
    said = native(list(cases.values()), ARCHES[arch], PATIENT_MS)
    assert dict(zip(cases, said, strict=True)) == {name: expected(CASES[name]) for name in cases}


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("arch", ["x86_64", "i386"])
def test_random_sequences_agree_with_linux(arch: str, area: str) -> None:
    if reason := why_not_native(ARCHES[arch]):
        pytest.skip(reason)
    found = unknown(compare(generate(area, 1, SEQUENCES), ARCHES[arch]))
    if found:  # a machine under load may have ended a sequence too early: look again, with patience
        found = unknown(compare([difference.script for difference in found], ARCHES[arch], patient=True))
    assert not found, "\n\n".join(map(str, found[:3]))


def test_the_text_of_a_script_is_read_back() -> None:
    for area in AREAS:
        for script in generate(area, 5, 20):
            text = format_script(script)
            assert format_script(parse_script(text)) == text


@pytest.mark.parametrize(
    "line",
    [
        "kill(-1, SIGKILL)", "kill(1, SIGKILL)", "tkill(1234, 9)", "rt_sigqueueinfo(-1, 9, NULL)",
        "setpriority(2, 0, 5)",
        "chroot(b'/')", "mount(b'a', b'b', b'tmpfs', 0, NULL)", "mknodat(AT_FDCWD, b'd', S_IFCHR | 0o666, 259)",
        "fcntl(0, F_SETOWN, 1)", "fallocate(0, 0, 0, 2 ** 40)", "ioctl(0, 0x5413, out(8))",
    ],
)  # fmt: skip
def test_what_could_reach_the_machine_is_never_run(line: str) -> None:
    assert emulated([parse_script(line)], ARCHES["x86_64"]) == [None]


def test_a_native_sequence_cannot_leave_its_directory() -> None:
    arch = ARCHES["x86_64"]
    if reason := why_not_native(arch):
        pytest.skip(reason)
    script = parse_script('root = openat(AT_FDCWD, b"/", O_RDONLY, 0)\ngetdents64(root, dirents(500), 500)\n'
                          'up = openat(root, b"../../..", O_RDONLY, 0)\ngetdents64(up, dirents(500), 500)\n'
                          'openat(AT_FDCWD, b"/dev/null", O_RDONLY, 0)')  # fmt: skip
    lines = native([script], arch)[0]
    assert lines == ["3", "96 {..:4 .:4 null:8 w:4}", "4", "96 {..:4 .:4 null:8 w:4}", "ENOENT", ""]
