"""Annotations that the handlers of several modules share. Those of one call stand in its own module."""

from __future__ import annotations

from typing import Annotated, Any

from syscalls.abi import fcntl
from syscalls.abi.arch import Arch
from syscalls.abi.kinds import FlagsKind, Int64Kind, ModeKind, OpenFlagsKind

AtFlags = Annotated[int, FlagsKind(fcntl.AT_FLAGS)]
Whence = Annotated[int, FlagsKind(fcntl.WHENCE)]
#: The mode of calls whose flags may make it meaningless.
ModeIfCreating = Annotated[int, ModeKind(when="flags")]


class CreationFlagsKind(FlagsKind):
    """O_* where no access mode belongs: x86's values on every architecture."""

    def decode(self, arch: Arch, registers: list[str], names: dict[str, Any]) -> str:
        return OpenFlagsKind().decode(arch, registers, names)


CreationFlags = Annotated[int, CreationFlagsKind(fcntl.CREATION_FLAGS)]


class HiLoKind(Int64Kind):
    """The 64-bit position of preadv and its relatives: two registers everywhere, the second unused on 64 bits."""

    def slots(self, arch: Arch) -> int:
        del arch
        return 2


HiLo = Annotated[int, HiLoKind()]
