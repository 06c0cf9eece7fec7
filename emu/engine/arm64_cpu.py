"""One guest thread of arm64."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.engine import registers as r
from emu.engine.unicorn import MASK64, UnicornCpu

if TYPE_CHECKING:
    from emu.engine.arm64 import Arm64Engine

PLACES = {name: place for place, name in enumerate(r.ARM64_FILE)}


class Arm64Cpu(UnicornCpu):
    """Registers x0 to x30, sp, pc, pstate, tpidr, fpcr and fpsr."""

    engine: Arm64Engine

    def shown(self) -> tuple[str, ...]:
        """Names of the registers that `registers` reports."""
        return r.ARM64_SHOWN

    def read(self, register: str) -> int:
        """Value of a register of the thread that the CPU holds."""
        place = PLACES.get(register)
        return self.engine.uc.read(r.ARM64_IDS[register]) if place is None else self.engine.words[place]

    def write(self, register: str, value: int) -> None:
        """Change a register of the thread that the CPU holds."""
        place = PLACES.get(register)
        if place is None:
            self.engine.uc.write(r.ARM64_IDS[register], value)
        else:
            self.engine.words[place] = value & MASK64

    def get_fp(self) -> bytes:
        """The 32 vectors (16 bytes each), FPSR and FPCR (4 bytes each)."""
        self.engine.activate(self)
        return self.engine.fp.read(lambda: bytes(self.engine.vectors.read()))

    def set_fp(self, image: bytes) -> None:
        """Restore what `get_fp` gave."""
        self.engine.activate(self)
        if not self.engine.fp.holds(image):
            self.engine.vectors.write(image)

    def set_thread_pointer(self, value: int) -> None:
        """TPIDR_EL0."""
        self.set("tpidr", value)
