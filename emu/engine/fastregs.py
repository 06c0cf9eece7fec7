"""The CPU's register file in host memory.

Reading a register through Unicorn's interface costs about as much as all the rest of a system call. The interface does
not say where its CPU keeps the registers, so the place is looked for once per engine: give the general registers values
that stand nowhere else, follow the pointers in the engine's own structure, and prove what was found by changing a value
there and asking the interface.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Sequence

from emu.engine.uclib import RegisterBlock, Uc, UnicornError

POINTERS = 0x1000  # bytes of uc_struct in which the pointer to the CPU stands
CPU_BYTES = 0x12000  # more than a CPU structure has up to the end of its general registers
#: What the exception fields and control registers need behind the general registers.
WINDOW = 0x8000
#: x87's control, status and tags lie in front of its registers; arm64's FPSR and FPCR behind the last vector.
AROUND, BEHIND = 32, 0x300


class HostMemory:
    """Our own memory, read without the risk of a segmentation fault."""

    def __init__(self) -> None:
        self._fd = os.open("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)

    def read(self, address: int, size: int) -> bytes:
        """Up to `size` bytes, none where nothing is mapped."""
        try:
            return os.pread(self._fd, size, address)
        except (OSError, OverflowError):
            return b""

    def close(self) -> None:
        os.close(self._fd)


def find_registers(uc: Uc, registers: Sequence[int]) -> memoryview:
    """A window of bytes onto the CPU's state that begins with `registers`, 64-bit words in the order given."""
    marks = [0x5AFE_0000_C0DE_0000 + number * 0x1001 for number in range(len(registers))]
    saved = [uc.read(register) for register in registers]
    for register, mark in zip(registers, marks, strict=True):
        uc.write(register, mark)
    pattern = struct.pack(f"<{len(marks)}Q", *marks)
    memory = HostMemory()
    try:
        root = memory.read(uc.handle.value or 0, POINTERS)
        pointers = dict.fromkeys(struct.unpack(f"<{len(root) // 8}Q", root[: len(root) & ~7]))
        for pointer in pointers:
            if not 0x10000 <= pointer < 1 << 56 or pointer & 7:
                continue
            place = memory.read(pointer, CPU_BYTES).find(pattern)
            if place >= 0 and _is_live(uc, registers[0], pointer + place, marks[0]):
                window = memoryview((ctypes.c_char * WINDOW).from_address(pointer + place)).cast("B")
                for register, value in zip(registers, saved, strict=True):
                    uc.write(register, value)
                return window
    finally:
        memory.close()
    raise UnicornError("cannot find the CPU's registers: Trapeze needs the version of unicorn that it was made for")


def _is_live(uc: Uc, register: int, address: int, value: int) -> bool:
    """Tell whether the interface sees a change at `address`: it would not in a copy, such as a saved context."""
    word = ctypes.c_uint64.from_address(address)
    word.value = value + 1
    seen = uc.read(register) == value + 1
    word.value = value
    return seen


def find_first(window: memoryview, pattern: bytes, what: str) -> int:
    """Offset of the first place of `pattern`, which must be on a 4-byte boundary.

    The window reaches beyond the CPU's structure, into whatever the allocator put there: a copy of the pattern, too.
    """
    place = bytes(window).find(pattern)
    if place < 0 or place & 3:
        raise UnicornError(f"cannot find {what} in the CPU's state")
    return place


class FloatingPoint:
    """The bytes in which the CPU keeps floating point and vectors: whether they have changed is quickly seen.

    To read or write all these registers takes a signal's frame as long as everything else in it, and most handlers do
    not touch them.
    """

    def __init__(self, window: memoryview, block: RegisterBlock, marks: Sequence[int]) -> None:
        """`marks` are offsets in the block of registers between which, in the CPU, all others lie."""
        before = block.read()
        pattern = bytearray(before)
        for mark in marks:
            pattern[mark : mark + 8] = (0x5AFE_0000_F00D_0001 + mark * 0x1001).to_bytes(8, "little")
        block.write(pattern)
        state = bytes(window)
        places = [state.find(pattern[mark : mark + 8]) for mark in marks]
        block.write(before)
        if min(places) < AROUND:
            raise UnicornError("cannot find floating point in the CPU's state")
        self._bytes = window[min(places) - AROUND : max(places) + BEHIND]
        self._seen = self._image = b""

    def read(self, slowly: Callable[[], bytes]) -> bytes:
        """The image as `slowly` gives it, which is asked only when something has changed."""
        now = self._bytes.tobytes()
        if now != self._seen:
            self._image = slowly()
            self._seen = now
        return self._image

    def holds(self, image: bytes) -> bool:
        """Is the image the one that the CPU has already?"""
        return image == self._image and self._bytes == self._seen
