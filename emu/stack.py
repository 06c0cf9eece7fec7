"""The initial stack: argc, argv, envp, the auxiliary vector, and the strings they point to (create_elf_tables)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from syscalls.abi.arch import PAGE_SIZE, Arch

# getauxval(3), linux/auxvec.h
AT_NULL, AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY = 0, 3, 4, 5, 6, 7, 8, 9
AT_UID, AT_EUID, AT_GID, AT_EGID, AT_PLATFORM, AT_HWCAP, AT_CLKTCK = 11, 12, 13, 14, 15, 16, 17
AT_SECURE, AT_RANDOM, AT_HWCAP2, AT_EXECFN, AT_SYSINFO, AT_MINSIGSTKSZ = 23, 25, 26, 31, 32, 51
CLOCK_TICKS = 100


@dataclass(frozen=True, slots=True)
class Stack:
    """What lies at the top of the stack area: `data` is to be written at `sp`."""

    sp: int
    data: bytes
    auxv: bytes
    argument_start: int  # where argv's strings begin and end, and the environment's: /proc/PID/cmdline, environ
    argument_end: int
    environment_end: int


def build(
    arch: Arch,
    top: int,
    *,
    args: list[bytes],
    env: list[bytes],
    filename: bytes,
    random: bytes,
    aux: list[tuple[int, int]],
) -> Stack:
    """Lay out the stack that ends at `top`. `aux` are the entries that do not point into the stack itself."""
    word = arch.word
    strings = bytearray()
    pointers = []
    for text in (*args, *env, filename):
        pointers.append(len(strings))
        strings += text + b"\0"
    # From the top down: a null word, the strings, the platform's name, the random bytes, then the vectors.
    strings_at = top - word - len(strings)
    platform = arch.platform.encode() + b"\0"
    platform_at = (strings_at & -16) - len(platform)
    random_at = platform_at - len(random)
    filename_at = strings_at + pointers[-1]
    vector = [
        *aux,
        (AT_RANDOM, random_at),
        (AT_EXECFN, filename_at),
        (AT_PLATFORM, platform_at),
        (AT_NULL, 0),
    ]
    argv = [strings_at + offset for offset in pointers[: len(args)]]
    envp = [strings_at + offset for offset in pointers[len(args) : -1]]
    letter = "Q" if word == 8 else "I"
    flat = [value for entry in vector for value in entry]
    words = [len(args), *argv, 0, *envp, 0, *flat]
    sp = (random_at - len(words) * word) & -16
    head = struct.pack(f"<{len(words)}{letter}", *words)
    data = bytearray(top - sp)
    data[: len(head)] = head
    for address, piece in ((random_at, random), (platform_at, platform), (strings_at, bytes(strings))):
        data[address - sp : address - sp + len(piece)] = piece
    environment_at = strings_at + sum(len(arg) + 1 for arg in args)
    return Stack(
        sp, bytes(data), struct.pack(f"<{len(flat)}{letter}", *flat), strings_at, environment_at, filename_at
    )  # fmt: skip


def common_aux(
    arch: Arch, *, headers: int, header_size: int, header_count: int, base: int, entry: int,
    ids: tuple[int, int, int, int], hwcap: int, hwcap2: int, secure: bool,
) -> list[tuple[int, int]]:  # fmt: skip
    """The entries every program gets, in the kernel's order."""
    uid, euid, gid, egid = ids
    return [
        (AT_HWCAP, hwcap & arch.mask),
        (AT_PAGESZ, PAGE_SIZE),
        (AT_CLKTCK, CLOCK_TICKS),
        (AT_PHDR, headers),
        (AT_PHENT, header_size),
        (AT_PHNUM, header_count),
        (AT_BASE, base),
        (AT_FLAGS, 0),
        (AT_ENTRY, entry),
        (AT_UID, uid),
        (AT_EUID, euid),
        (AT_GID, gid),
        (AT_EGID, egid),
        (AT_SECURE, int(secure)),
        (AT_HWCAP2, hwcap2),
    ]
