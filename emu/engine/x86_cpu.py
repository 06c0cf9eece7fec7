"""One guest thread of x86_64 or i386."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emu.engine import registers as r
from emu.engine.unicorn import MASK64, UnicornCpu
from syscalls.abi.arch import I386, Arch

if TYPE_CHECKING:
    from emu.engine.x86 import X86Engine

#: Entries of the descriptor table for set_thread_area(2) (GDT_ENTRY_TLS_MIN ... in asm/segment.h).
TLS_ENTRIES = (12, 13, 14)
PLACES = {name: place for place, name in enumerate(r.X86_FILE)}
PLACES32 = {name: place for place, name in enumerate(r.I386_FILE)} | {"eip": PLACES["rip"]}
#: Where the selectors are, in 4-byte words from CS's: each segment register takes 24 bytes.
SEGMENTS = {"es": -6, "cs": 0, "ss": 6, "ds": 12, "fs": 18, "gs": 24}
TAG, EMPTY, MXCSR_MASK = r.X86_FXSAVE_TAG, 3, 0xFFFF
#: A data segment of user mode that covers 4 GB: present, DPL 3, writable, accessed, 32 bits, counted in pages.
FLAT_DATA = 0x00CF_F300_0000_FFFF


class X86Cpu(UnicornCpu):
    """Registers by their names in both widths: what is set through a 32-bit name clears the upper half."""

    engine: X86Engine

    def __init__(self, engine: X86Engine) -> None:
        super().__init__(engine)
        self.tls = [0, 0, 0]  # raw descriptors of TLS_ENTRIES

    def reset(self, arch: Arch, mmu: Any, pc: int, sp: int) -> None:
        """Become a fresh thread of `arch` in the address space `mmu`, as after execve(2): all other registers 0."""
        self.tls = [0, 0, 0]
        super().reset(arch, mmu, pc, sp)

    def copy(self, mmu: Any) -> UnicornCpu:
        """Another thread with the same registers, in the address space `mmu`."""
        twin = super().copy(mmu)
        assert isinstance(twin, X86Cpu)
        twin.tls = list(self.tls)
        return twin

    def shown(self) -> tuple[str, ...]:
        """Names of the registers that `registers` reports."""
        return r.I386_SHOWN if self.arch is I386 else r.X86_64_SHOWN

    def read(self, register: str) -> int:
        """Value of a register of the thread that the CPU holds."""
        place = PLACES.get(register)
        if place is not None:
            return self.engine.words[place] + (self.pc_bias if register == "rip" else 0)
        place = PLACES32.get(register)
        if place is not None:
            return self.engine.words[place] + (self.pc_bias if register == "eip" else 0) & 0xFFFF_FFFF
        place = SEGMENTS.get(register)
        if place is not None:
            return self.engine.ints[self.engine.cs + place]
        if register == "eflags":
            return self.engine.read_flags()
        return self.engine.uc.read(r.X86_IDS[register])

    def write(self, register: str, value: int) -> None:
        """Change a register of the thread that the CPU holds."""
        place = PLACES.get(register)
        if place is None and (place := PLACES32.get(register)) is not None:
            value &= 0xFFFF_FFFF
        if place is None:
            if self.engine.uc.read(r.X86_IDS[register]) != value:  # loading a segment register again may fault
                self.engine.uc.write(r.X86_IDS[register], value)
        else:
            self.engine.words[place] = value - (self.pc_bias if place == PLACES["rip"] else 0) & MASK64

    def get_fp(self) -> bytes:
        """FXSAVE's image. Unicorn has the x87's tags as FSAVE does, two bits each; here one bit says: in use."""
        self.engine.activate(self)
        return self.engine.fp.read(self._read_fp)

    def _read_fp(self) -> bytes:
        image = self.engine.fxsave.read()
        tags = int.from_bytes(image[TAG : TAG + 2], "little")
        image[TAG : TAG + 2] = bytes((sum(1 << i for i in range(8) if tags >> 2 * i & 3 != EMPTY), 0))
        image[r.X86_FXSAVE_MXCSR_MASK : r.X86_FXSAVE_MXCSR_MASK + 4] = MXCSR_MASK.to_bytes(4, "little")
        return bytes(image)

    def set_fp(self, image: bytes) -> None:
        """FXRSTOR. Reserved bits of MXCSR are ignored (the kernel refuses them before)."""
        self.engine.activate(self)
        if self.engine.fp.holds(image):
            return
        data = bytearray(image[: r.X86_FXSAVE_BYTES])
        in_use = data[TAG]
        data[TAG : TAG + 2] = sum(EMPTY << 2 * i for i in range(8) if not in_use >> i & 1).to_bytes(2, "little")
        self.engine.fxsave.write(data)

    def set_thread_pointer(self, value: int) -> None:
        """FS base, or i386's TLS descriptor base."""
        if self.arch is I386:
            base = (value & 0xFF_FFFF) << 16 | (value >> 24 & 0xFF) << 56
            self.set_tls_descriptor(TLS_ENTRIES[0], FLAT_DATA | base)
        else:
            self.set("fs_base", value)

    def get_tls_descriptor(self, entry: int) -> int:
        """The raw descriptor of one of TLS_ENTRIES, 0 when empty."""
        return self.tls[entry - TLS_ENTRIES[0]]

    def set_tls_descriptor(self, entry: int, descriptor: int) -> None:
        """Set the raw descriptor of one of TLS_ENTRIES. A segment register that holds it sees the change at once."""
        engine = self.engine
        engine.activate(self)
        self.tls[entry - TLS_ENTRIES[0]] = descriptor
        engine.ram.words[engine.gdt + entry] = descriptor
        base = descriptor >> 16 & 0xFF_FFFF | descriptor >> 56 << 24
        for name in ("fs", "gs"):
            if self.read(name) == entry << 3 | 3:
                self.write(f"{name}_base", base)
