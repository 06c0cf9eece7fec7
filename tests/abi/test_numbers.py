"""The table of system-call numbers: fresh, one column per architecture, and right where it is easy to be wrong."""

from __future__ import annotations

import pytest

from syscalls.abi import generate, numbers
from syscalls.abi.arch import ARCHES


def test_table_is_what_the_generator_makes() -> None:
    package = generate.package_dir()
    if package is None:
        pytest.skip("the package ziglang, whose headers the table is made from, is not installed")
    made = generate.generate(package)
    committed = generate.TABLE.read_text(encoding="ascii")
    if generate.kernel_release(package) not in committed:
        pytest.skip("another release of the package ziglang is installed than the table was made from")
    assert committed == made


def test_every_architecture_has_its_column() -> None:
    assert list(numbers.NUMBER) == list(ARCHES)


@pytest.mark.parametrize(
    ("arch", "name", "number"),
    [
        ("x86_64", "read", 0),
        ("x86_64", "newfstatat", 262),
        ("x86_64", "openat2", 437),
        ("i386", "exit", 1),
        ("i386", "_llseek", 140),
        ("i386", "mmap2", 192),
        ("i386", "ugetrlimit", 191),
        ("i386", "fstatat64", 300),
        ("i386", "clock_gettime64", 403),
        ("arm64", "newfstatat", 79),
        ("arm64", "fadvise64", 223),
        ("arm64", "exit_group", 94),
        ("arm64", "clone3", 435),
    ],
)
def test_number(arch: str, name: str, number: int) -> None:
    assert numbers.NUMBER[arch][name] == number
    assert numbers.NAME[arch][number] == name


def test_absent_calls_are_absent() -> None:
    assert "open" not in numbers.NUMBER["arm64"]
    assert "mmap2" not in numbers.NUMBER["x86_64"]
    assert "socketcall" not in numbers.NUMBER["x86_64"]


@pytest.mark.parametrize("arch", list(ARCHES))
def test_no_number_has_two_names(arch: str) -> None:
    assert len(numbers.NAME[arch]) == len(numbers.NUMBER[arch])
