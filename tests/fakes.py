"""Fakes that the tests of several layers share: a small guest RAM and page tables that are a dictionary."""

from __future__ import annotations

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import ENOMEM, SysError

#: What a freed frame is filled with, so that whoever forgot to let go of it notices.
POISON = b"\xdb" * PAGE_SIZE


class FakeRam:
    """`ports.Ram` on a bytearray. Frame 0 is never given out; freed frames are poisoned, and reused last in first out.

    `code_writes` lists the frames whose translated code was to be forgotten.
    """

    def __init__(self, frames: int = 4096) -> None:
        self.view = memoryview(bytearray(frames << PAGE_SHIFT))
        self.code_writes: list[int] = []
        self.limit = frames - 1
        self._users = [0] * frames
        self._next = 1  # frames from here on were never used
        self._free: list[int] = []

    def allocate(self, count: int) -> int:
        if count == 1 and self._free:
            frame = self._free.pop()
        elif self._next + count <= len(self._users):
            frame = self._next
            self._next += count
        else:
            frame = self._run_of_free(count)
        for number in range(frame, frame + count):
            assert self._users[number] == 0
            self._users[number] = 1
        self.view[frame << PAGE_SHIFT : frame + count << PAGE_SHIFT] = bytes(count << PAGE_SHIFT)
        return frame

    def _run_of_free(self, count: int) -> int:
        free = set(self._free)
        for frame in sorted(free):
            wanted = range(frame, frame + count)
            if free.issuperset(wanted):
                self._free = [number for number in self._free if number not in wanted]
                return frame
        raise SysError(ENOMEM)

    def share(self, frame: int, count: int = 1) -> None:
        for number in range(frame, frame + count):
            assert self._users[number] > 0, "a free frame cannot be shared"
            self._users[number] += 1

    def release(self, frame: int, count: int = 1) -> None:
        for number in range(frame, frame + count):
            assert self._users[number] > 0, "released more often than used"
            self._users[number] -= 1
            if not self._users[number]:
                self._free.append(number)
                self.view[number << PAGE_SHIFT : number + 1 << PAGE_SHIFT] = POISON

    def users(self, frame: int) -> int:
        return self._users[frame]

    def invalidate_code(self, frame: int) -> None:
        self.code_writes.append(frame)

    @property
    def used(self) -> int:
        """How many frames have a user: what a test of leaks compares."""
        return sum(map(bool, self._users))


class FakeMmu:
    """`ports.Mmu` as a dictionary: page -> (frame, access)."""

    def __init__(self) -> None:
        self.pages: dict[int, tuple[int, int]] = {}
        self.map_calls = 0

    def map(self, page: int, frame: int, count: int, access: int) -> None:
        assert count > 0
        self.map_calls += 1
        self.pages.update((page + i, (frame + i, access)) for i in range(count))

    def unmap(self, page: int, count: int) -> None:
        for number in [number for number in self.pages if page <= number < page + count]:
            del self.pages[number]

    def destroy(self) -> None:
        self.pages.clear()
