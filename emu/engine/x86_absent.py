"""Instructions that CPUID does not offer, yet Unicorn carries out: everything with a VEX prefix.

Unicorn has no AVX, but reads VADDPS as ADDPS and forgets the upper halves: the program would go on with wrong numbers.
On a processor without AVX it dies of SIGILL, and so it does here. Each newly translated block is searched for such an
instruction, so the guest pays once per block of code and not once per run of it. Where there is one, Unicorn gets an
exit: the run ends before that instruction.
"""

from __future__ import annotations

import ctypes
import re
import struct
from typing import TYPE_CHECKING, Any

from emu.engine.uclib import HOOK_EDGE_GENERATED, HookEdge
from emu.engine.x86_length import length
from emu.engine.x86_traps import illegal

if TYPE_CHECKING:
    from emu.engine.x86 import X86Engine


def _vex(second: range) -> re.Pattern[bytes]:
    """C4 and a byte that names a map of opcodes (1, 2, 3), or C5, a byte, and an opcode that AVX has in map 1."""
    any_map = "".join(f"\\x{byte:02x}" for byte in second if byte & 0x1F in (1, 2, 3))
    opcodes = r"\x10-\x17\x28-\x2f\x50-\x7f\x90-\x93\x98\x99\xae\xc2\xc4-\xc6\xd0-\xff"
    pattern = rf"\xc4[{any_map}]|\xc5[\x{second.start:02x}-\xff][{opcodes}]"
    return re.compile(pattern.encode("ascii"))


#: In 32-bit code, what a second byte below 0xc0 follows are LES and LDS.
VEX64, VEX32 = _vex(range(256)), _vex(range(0xC0, 256))
#: How many bytes tell.
TELLING = 3
#: struct uc_tb: address, instructions, bytes.
BLOCK = struct.Struct("<QHH")


def find_vex(code: bytes, *, wide: bool) -> int | None:
    """Where the first instruction with a VEX prefix begins; `wide`: in 64-bit code."""
    pattern = VEX64 if wide else VEX32
    place = 0
    while candidate := pattern.search(code, place):
        while place < candidate.start():
            place += length(code, place, wide=wide)
        if place == candidate.start():
            return place
    return None


class AbsentInstructions:
    """Keeps Unicorn from executing them."""

    def __init__(self, engine: X86Engine) -> None:
        self._engine = engine
        self._exits: set[int] = set()  # where translated blocks may end a run
        self._again = False  # has a run been ended so that a block is translated anew?
        engine.uc.hook(HOOK_EDGE_GENERATED, HookEdge(self._on_new_block))

    def _on_new_block(self, _uc: Any, new: int, _last: int, _data: Any) -> None:
        """A block was translated and is about to run."""
        engine = self._engine
        if engine.current is None:
            return
        try:
            start, _, size = BLOCK.unpack(ctypes.string_at(new, BLOCK.size))
            place = find_vex(engine.code_at(start, size), wide=engine.in_64_bit_code())
            if place is None:
                return
            engine.code_changed = True
            if place == 0:
                engine.finish(illegal(engine.current))
                return
            self._exits.add(start + place)
            engine.uc.set_exits((start + place,))
            self._again = True
            engine.uc.stop()
        except IndexError:  # no code that a processor could read: Unicorn will find out
            return
        except BaseException as failure:
            engine.fail(failure)

    def reached(self, pc: int) -> bool | None:
        """The run has ended before the instruction at `pc`: is it one of those? None: this was not why."""
        engine = self._engine
        if self._again:
            self._again = False
            engine.flush()
            return False
        if pc not in self._exits:
            return None
        engine.uc.set_exits(())
        if find_vex(engine.code_at(pc, TELLING), wide=engine.in_64_bit_code()) == 0:
            return True
        self._exits.discard(pc)  # there is other code now
        engine.uc.flush_code()
        return False
