"""What the normaliser of traces may rename, and what it must leave alone."""

from __future__ import annotations

import pytest
from strace_text import normalize


def test_addresses_get_names_in_order_and_keep_them() -> None:
    text = "mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE, -1, 0) = 0x7f0000001000\nmunmap(0x7f0000001000, 4096)   = 0\n"
    assert normalize(text) == ["mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE, -1, 0) = @1", "munmap(@1, 4096) = 0"]


def test_a_mixed_up_pointer_shows() -> None:
    one = normalize("munmap(0x10000, 1) = 0\nmunmap(0x20000, 1) = 0\n")
    other = normalize("munmap(0x10000, 1) = 0\nmunmap(0x10000, 1) = 0\n")
    assert one != other


@pytest.mark.parametrize(
    "line",
    [
        'write(1, "0x12345678 getpid() = 7", 23) = 23',
        "mprotect(NULL, 4096, 0x800 /* PROT_??? */) = -1 EINVAL (Invalid argument)",
        "openat(AT_FDCWD, 0x10, O_RDONLY) = -1 EFAULT (Bad address)",
        "dup(4) = 5",
        "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---",
    ],
)
def test_what_must_be_equal_stays(line: str) -> None:
    assert normalize(line) == [line]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("getpid()                                = 4711", "getpid() = PID"),
        ("kill(4711, SIGTERM)                     = 0", "kill(PID, SIGTERM) = 0"),
        ("tgkill(-1, 4711, 0) = -1 EINVAL (Invalid argument)", "tgkill(-1, PID, 0) = -1 EINVAL (Invalid argument)"),
        ("kill(0, 99) = -1 EINVAL (Invalid argument)", "kill(0, 99) = -1 EINVAL (Invalid argument)"),
        (
            'execve("/mnt/x", ["/mnt/x", "y"], 0x7ffe0000 /* 0 vars */) = 0',
            'execve("PROGRAM", ["PROGRAM", "y"], @1 /* 0 vars */) = 0',
        ),
        ("pipe([3<pipe:[123]>, 4<pipe:[123]>]) = 0", "pipe([3<pipe:[#1]>, 4<pipe:[#1]>]) = 0"),
    ],
)
def test_what_is_renamed(line: str, wanted: str) -> None:
    assert normalize(line) == [wanted]
