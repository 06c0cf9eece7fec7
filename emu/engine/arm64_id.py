"""What an arm64 guest may know of its CPU: the ID registers as Linux shows them, and AT_HWCAP and AT_HWCAP2.

Sources: arch/arm64/kernel/cpufeature.c (which fields EL0 may see, FTR_VISIBLE; emulate_mrs) and arm64_elf_hwcaps.
"""

from __future__ import annotations

from collections.abc import Callable

#: The rate of the virtual counter: it counts the guest's nanoseconds.
COUNTER_HZ = 1_000_000_000


def emulated_id(system: Callable[[tuple[int, int, int, int, int]], int], register: tuple[int, ...]) -> int | None:
    """What EL0 reads from an ID register, None where Linux refuses."""
    return None
