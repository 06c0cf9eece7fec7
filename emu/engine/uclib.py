"""libunicorn through ctypes: the twenty functions that the engines use, with nothing in between.

The binding that comes with Unicorn imports every architecture's constants and wraps each callback and each register
access in Python; loading its library directly is ten times quicker to start and lets a hook cost one Python call.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

from syscalls.abi.arch import PAGE_SIZE

# unicorn/unicorn.h
ARCH_ARM64, ARCH_X86 = 2, 4
MODE_ARM, MODE_64 = 0, 1 << 3
HOOK_INTR, HOOK_INSN, HOOK_BLOCK, HOOK_EDGE_GENERATED = 1 << 0, 1 << 1, 1 << 3, 1 << 15
ERR_OK, ERR_INSN_INVALID = 0, 10
PROT_ALL = 7
# uc_ctl's request: number of arguments at bit 26, direction (1: write) at bit 30
CTL_PAGE_SIZE, CTL_USE_EXITS = 1 << 30 | 1 << 26 | 1, 1 << 30 | 1 << 26 | 4
CTL_EXITS = 1 << 30 | 2 << 26 | 6
CTL_CPU_MODEL, CTL_TB_FLUSH, CTL_TLB_FLUSH = 1 << 30 | 1 << 26 | 7, 1 << 30 | 10, 1 << 30 | 11

HookInterrupt = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)
HookBlock = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p)
#: (handle, uc_tb that was translated, uc_tb that ran before, data)
HookEdge = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
HookInstruction = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
HookReplace = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)  # answers 1: do not execute it

HookIn = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_void_p)
HookOut = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p)


class UnicornError(RuntimeError):
    """Unicorn refused a call: an error of the emulator, never of the guest."""


@cache
def library() -> ctypes.CDLL:
    """Unicorn's shared library, from the installed package (which is not imported: only its place is looked up)."""
    spec = find_spec("unicorn")
    if spec is None or not spec.submodule_search_locations:
        raise UnicornError("the package unicorn is not installed")
    lib = ctypes.CDLL(f"{spec.submodule_search_locations[0]}/lib/libunicorn.so.2")
    handle, size = ctypes.c_void_p, ctypes.c_size_t
    for name, arguments in (
        ("uc_open", (ctypes.c_int, ctypes.c_int, handle)),
        ("uc_close", (handle,)),
        ("uc_emu_start", (handle, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64, size)),
        ("uc_emu_stop", (handle,)),
        ("uc_mem_map_ptr", (handle, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint32, handle)),
        ("uc_reg_read", (handle, ctypes.c_int, handle)),
        ("uc_reg_write", (handle, ctypes.c_int, handle)),
        ("uc_context_alloc", (handle, handle)),
        ("uc_context_free", (handle,)),
        ("uc_context_save", (handle, handle)),
        ("uc_context_restore", (handle, handle)),
    ):
        function = getattr(lib, name)
        function.argtypes = arguments
        function.restype = ctypes.c_int
    lib.uc_context_size.argtypes = (handle,)
    lib.uc_context_size.restype = size
    lib.uc_strerror.restype = ctypes.c_char_p
    return lib


class Uc:
    """One Unicorn engine."""

    def __init__(self, arch: int, mode: int, model: int) -> None:
        self.lib = library()
        self.handle = ctypes.c_void_p()
        self._hooks: list[Any] = []  # keeps callbacks alive
        self._value = ctypes.c_uint64()
        self._value_address = ctypes.addressof(self._value)
        self.check(self.lib.uc_open(arch, mode, ctypes.byref(self.handle)))
        if arch == ARCH_ARM64:
            # Translations are kept for the smallest page that the architecture family ever had, 1 KB: a megabyte of
            # data then fills the TLB four times over. Five times faster on a sieve.
            self.check(self.lib.uc_ctl(self.handle, CTL_PAGE_SIZE, PAGE_SIZE))
        self.check(self.lib.uc_ctl(self.handle, CTL_CPU_MODEL, model))
        # Addresses that end a run are a list of ours, empty at first: no guest address is special, and uc_emu_start
        # need not look at one (which would be a page fault that the guest never raised).
        self.check(self.lib.uc_ctl(self.handle, CTL_USE_EXITS, 1))

    def check(self, error: int) -> None:
        """Raise what the library reports."""
        if error:
            raise UnicornError(self.lib.uc_strerror(error).decode())

    def map_ram(self, address: int, size: int, host: int) -> None:
        """Let `size` bytes of host memory be the physical memory from `address` on."""
        self.check(self.lib.uc_mem_map_ptr(self.handle, address, size, PROT_ALL, host))

    def read(self, register: int) -> int:
        """Value of a register of at most 64 bits."""
        self._value.value = 0  # the library writes only as many bytes as the register has
        self.check(self.lib.uc_reg_read(self.handle, register, self._value_address))
        return self._value.value

    def reader(self, register: int) -> tuple[Callable[[], int], ctypes.c_uint64]:
        """For one register that is read all the time: a call that reads it, and where it puts the value."""
        value = ctypes.c_uint64()
        return partial(self.lib.uc_reg_read, self.handle, register, ctypes.addressof(value)), value

    def write(self, register: int, value: int) -> None:
        """Change a register of at most 64 bits."""
        self._value.value = value
        self.check(self.lib.uc_reg_write(self.handle, register, self._value_address))

    def read_bytes(self, register: int, data: bytearray) -> None:
        """Read a register into `data`: long ones, and those whose structure also says which register is meant."""
        self.check(self.lib.uc_reg_read(self.handle, register, (ctypes.c_char * len(data)).from_buffer(data)))

    def write_bytes(self, register: int, data: bytes) -> None:
        """Change a register from its structure or its bytes."""
        self.check(self.lib.uc_reg_write(self.handle, register, data))

    def hook(self, kind: int, callback: Any, instruction: int = 0, data: int = 0) -> int:
        """Call `callback` (one of the C function types above) at each event of `kind`; what `unhook` takes."""
        self._hooks.append(callback)
        place = ctypes.c_size_t()
        u64 = ctypes.c_uint64
        self.check(
            self.lib.uc_hook_add(
                self.handle, ctypes.byref(place), kind, callback, ctypes.c_void_p(data), u64(1), u64(0),
                ctypes.c_int(instruction),
            )
        )  # fmt: skip
        return place.value

    def unhook(self, hook: int) -> None:
        """Call it no more; translated code still tries to, until it is forgotten."""
        self.check(self.lib.uc_hook_del(self.handle, ctypes.c_size_t(hook)))

    def start(self, pc: int) -> int:
        """Run from `pc` until a hook stops it; an ERR_ number."""
        error: int = self.lib.uc_emu_start(self.handle, pc, 0, 0, 0)
        return error

    def stop(self) -> None:
        """End the run: between instructions when called from a hook, anywhere when called from another thread."""
        self.lib.uc_emu_stop(self.handle)

    def set_exits(self, addresses: Collection[int]) -> None:
        """Where a run ends, before the instruction; only in code that is translated from now on."""
        array = (ctypes.c_uint64 * len(addresses))(*addresses)
        self.check(self.lib.uc_ctl(self.handle, CTL_EXITS, array, ctypes.c_size_t(len(addresses))))

    def flush_tlb(self) -> None:
        """Forget what was read from the page tables."""
        self.check(self.lib.uc_ctl(self.handle, CTL_TLB_FLUSH))

    def flush_code(self) -> None:
        """Forget all translated instructions."""
        self.check(self.lib.uc_ctl(self.handle, CTL_TB_FLUSH))

    def close(self) -> None:
        """Free the engine."""
        if self.handle:
            self.lib.uc_close(self.handle)
            self.handle = ctypes.c_void_p()


class RegisterBlock:
    """Several registers that are read and written in one call, laid out one after the other in a buffer."""

    def __init__(self, uc: Uc, registers: tuple[tuple[int, int, int], ...], size: int) -> None:
        """`registers` are (Unicorn's number, bytes, offset in a buffer of `size` bytes), in the order of writing."""
        self._uc = uc
        self._count = len(registers)
        self._bytes = (ctypes.c_char * size)()
        self._view = memoryview(self._bytes).cast("B")
        start = ctypes.addressof(self._bytes)
        self._numbers = (ctypes.c_int * self._count)(*(number for number, _, _ in registers))
        self._places = (ctypes.c_void_p * self._count)(*(start + offset for _, _, offset in registers))

    def read(self) -> bytearray:
        """The registers' values; zero where the buffer has none."""
        self._view[:] = bytes(len(self._view))
        lib = self._uc.lib
        self._uc.check(lib.uc_reg_read_batch(self._uc.handle, self._numbers, self._places, self._count))
        return bytearray(self._view)

    def write(self, data: bytes | bytearray) -> None:
        """Change all of them."""
        self._view[:] = data
        lib = self._uc.lib
        self._uc.check(lib.uc_reg_write_batch(self._uc.handle, self._numbers, self._places, self._count))


class Context:
    """A place for all registers of an engine; its content travels as bytes."""

    def __init__(self, uc: Uc) -> None:
        self._uc = uc
        self._pointer = ctypes.c_void_p()
        uc.check(uc.lib.uc_context_alloc(uc.handle, ctypes.byref(self._pointer)))
        self._bytes = (ctypes.c_char * uc.lib.uc_context_size(uc.handle)).from_address(self._pointer.value or 0)
        self._view = memoryview(self._bytes).cast("B")

    def save(self) -> bytes:
        """The engine's registers now."""
        self._uc.check(self._uc.lib.uc_context_save(self._uc.handle, self._pointer))
        return self._view.tobytes()

    def restore(self, state: bytes) -> None:
        """Give the engine the registers that `save` returned."""
        self._view[:] = state
        self._uc.check(self._uc.lib.uc_context_restore(self._uc.handle, self._pointer))
