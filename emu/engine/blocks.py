"""Time slices: a number of basic blocks, counted down by a hook that is a few bytes of machine code.

Stopping Unicorn from another thread, or by its own time limit, can end a run in the middle of an instruction whose
store has already happened; on resuming, it happens again. A hook of blocks stops between blocks only, and after the
same number of blocks in every run. As a Python function it would make the guest five to twenty times slower; as machine
code it costs up to a third on the tightest loops. So it is there only while somebody wants slices.
"""

from __future__ import annotations

import ctypes
import os

from emu.engine.uclib import HOOK_BLOCK, HookBlock, Uc
from emu.libc import map_code

#: void hook(uc, address, size, data): count data[0] down; from zero on, call data[1](uc), which is uc_emu_stop.
COUNT_DOWN = {
    # dec qword [rcx]; jle 1f; ret; 1: jmp [rcx + 8]
    "x86_64": bytes.fromhex("48ff09 7e01 c3 ff6108"),
    # ldr x4, [x3]; subs x4, x4, 1; str x4, [x3]; b.le 1f; ret; 1: ldr x5, [x3, 8]; br x5
    "aarch64": bytes.fromhex("640040f9 840400f1 640000f9 4d000054 c0035fd6 650440f9 a0001fd6"),
}
#: After this many blocks without a slice (some tenths of a second) the hook is taken out: programs arm timers again.
GRACE_BLOCKS = 1 << 24


class BlockCounter:
    """Ends an engine's runs after a number of blocks."""

    def __init__(self, uc: Uc) -> None:
        self._uc = uc
        self._hook = 0  # Unicorn's handle of the hook, 0 while it is not there
        self._state = (ctypes.c_int64 * 2)(0, ctypes.cast(uc.lib.uc_emu_stop, ctypes.c_void_p).value or 0)
        self._sliced = False  # does somebody want slices?

    def begin(self, blocks: int | None) -> None:
        """A run begins that is to end after `blocks`, at least one; None: it may last."""
        if blocks is not None:
            if not self._hook:
                self._hook = self._uc.hook(HOOK_BLOCK, self._callback(), data=ctypes.addressof(self._state))
                self._uc.flush_code()  # what is translated already does not count
            self._state[0] = blocks + 1  # the first block to be counted is the one that begins the run
        elif self._hook:
            if self._sliced:
                self._state[0] = GRACE_BLOCKS
            elif self._state[0] <= 0:
                self.remove()
        self._sliced = blocks is not None

    def begin_now(self, blocks: int) -> bool:
        """From within a hook: let the run, which might have lasted, end after `blocks`. False: nothing counts yet."""
        if not self._hook:
            return False
        self._state[0] = blocks + 1
        return True

    def remove(self) -> None:
        """Take the hook out."""
        if self._hook:
            self._uc.unhook(self._hook)
            self._hook = 0
            self._uc.flush_code()

    def used_up(self) -> bool:
        """Has the count ended the run?"""
        return self._hook != 0 and self._state[0] <= 0

    def end_now(self) -> bool:
        """Use the slice up, from another thread; False: nothing counts. The CPU may overlook it: do it again."""
        self._state[0] = 0
        return self._hook != 0

    def _callback(self) -> object:
        """The machine code, or on other hosts, and where none may be made, the same in Python."""
        code = COUNT_DOWN.get(os.uname().machine)
        if code is not None and ctypes.sizeof(ctypes.c_void_p) == 8:
            try:
                return ctypes.c_void_p(map_code(code))
            except OSError:
                pass
        state, stop = self._state, self._uc.stop

        def count_down(_uc: object, _address: int, _size: int, _data: object) -> None:
            state[0] -= 1
            if state[0] <= 0:
                stop()

        return HookBlock(count_down)
