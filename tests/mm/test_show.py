from __future__ import annotations

from fakes import FileOfFrames

from syscalls.mm.show import maps, usage
from syscalls.mm.vma import VM_GROWSDOWN, VM_MAYSHARE, VM_SHARED


def test_maps_names_heap_stack_and_files(space, ram):
    file = FileOfFrames(ram, 2)
    space.map(0x400000, 0x2000, 5, backing=file, offset=0x1000)
    space.map(0x402000, 0x1000, 3, flags=VM_SHARED | VM_MAYSHARE, backing=file)
    space.brk_start, space.brk = 0x500000, 0x500800
    space.map(0x500000, 0x1000, 3)
    space.map(0x7FFF00000000, 0x1000, 3, flags=VM_GROWSDOWN)
    space.stack_start = 0x7FFF00000800
    space.map(0x600000, 0x1000, 0)
    file_line, shared_line, heap, nothing, stack = (row.text() for row in maps(space))
    assert file_line == b"00400000-00402000 r-xp 00001000 08:01 7".ljust(73) + b"/file\n"
    assert shared_line.startswith(b"00402000-00403000 rw-s 00000000 08:01 7 ")
    assert heap == b"00500000-00501000 rw-p 00000000 00:00 0".ljust(73) + b"[heap]\n"
    assert nothing == b"00600000-00601000 ---p 00000000 00:00 0 \n"
    assert stack == b"7fff00000000-7fff00001000 rw-p 00000000 00:00 0".ljust(73) + b"[stack]\n"
    space.destroy()
    assert not file.unmap


def test_usage_counts(space):
    space.map(0x100000, 0x40000, 3)
    space.map(0x200000, 0x1000, 1)
    space.write(0x100000, b"x")
    counted = usage(space)
    assert (counted.size, counted.data, counted.rss, counted.anonymous) == (0x41000, 0x40000, 0x10000, 0x10000)
    space.unmap(0x100000, 0x40000)
    assert (usage(space).rss, usage(space).peak_rss) == (0, 0x10000)
