"""From an ELF file to an `Image`: what execve(2) needs to know of it, checked as fs/binfmt_elf.c checks it.

pyelftools describes the structures; only the headers that Linux reads are parsed, so a stripped program or one with a
damaged section table runs as it does there.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from syscalls.abi.arch import BY_ELF_MACHINE, PAGE_SIZE, Arch

PF_X, PF_W, PF_R = 1, 2, 4
HEADER_BYTES = 64
MAX_PROGRAM_HEADERS_BYTES = 65536

#: read(offset, count) -> the bytes that are there
Reader = Callable[[int, int], bytes]


class FormatError(Exception):
    """The file is not a program that can be run; the message says why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """PT_LOAD: `file_size` bytes at `offset` of the file go to `address`, zeros up to `memory_size`."""

    address: int
    memory_size: int
    offset: int
    file_size: int
    flags: int  # PF_R | PF_W | PF_X


@dataclass(frozen=True, slots=True)
class Image:
    """An executable: addresses are as in the file; a position-independent one is moved by the loader."""

    arch: Arch
    entry: int
    position_independent: bool  # ET_DYN
    segments: tuple[Segment, ...]
    headers_address: int  # AT_PHDR: where the program headers are once loaded, 0 if nowhere
    headers_count: int
    header_size: int
    interpreter: bytes | None  # PT_INTERP
    executable_stack: bool

    @property
    def start(self) -> int:
        """First address, down to a page."""
        return self.segments[0].address & -PAGE_SIZE

    @property
    def end(self) -> int:
        """Address behind the last byte."""
        return max(segment.address + segment.memory_size for segment in self.segments)


def parse(read: Reader) -> Image:
    """Read the headers through `read`; FormatError says what is wrong with them."""
    from elftools.common.utils import struct_parse
    from elftools.elf.structs import ELFStructs

    ident = read(0, HEADER_BYTES)
    if not ident:
        raise FormatError("the file is empty")
    if ident[:4] != b"\x7fELF":
        raise FormatError("not an ELF program")
    if len(ident) < 52 or (ident[4] == 2 and len(ident) < 64):
        raise FormatError("the ELF header is cut short")
    if ident[4] not in (1, 2) or ident[5] != 1:
        raise FormatError("not a little-endian ELF file of 32 or 64 bits")
    structs = ELFStructs(little_endian=True, elfclass=64 if ident[4] == 2 else 32)
    structs.create_basic_structs()
    structs.create_advanced_structs()
    header = struct_parse(structs.Elf_Ehdr, io.BytesIO(ident), stream_pos=0)
    machine = int.from_bytes(ident[18:20], "little")
    arch = BY_ELF_MACHINE.get(machine)
    if arch is None or arch.bits != structs.elfclass:
        raise FormatError(f"built for {_machine_name(header['e_machine'])}, not for x86_64, i386 or arm64")
    if header["e_type"] not in ("ET_EXEC", "ET_DYN"):
        raise FormatError(f"an ELF file of type {header['e_type']}, not an executable")
    size, count, offset = structs.Elf_Phdr.sizeof(), header["e_phnum"], header["e_phoff"]
    if header["e_phentsize"] != size or not 0 < count * size <= MAX_PROGRAM_HEADERS_BYTES:
        raise FormatError("the program headers are damaged")
    table = read(offset, count * size)
    if len(table) < count * size:
        raise FormatError("the program headers lie behind the end of the file")
    stream = io.BytesIO(table)
    headers = [struct_parse(structs.Elf_Phdr, stream, stream_pos=i * size) for i in range(count)]
    return _image(arch, header, headers, read)


def _image(arch: Arch, header: object, headers: list[object], read: Reader) -> Image:
    """Check the program headers against each other and the address space (load_elf_binary)."""
    segments: list[Segment] = []
    interpreter = None
    headers_address = 0
    executable_stack = True  # without PT_GNU_STACK, as for old programs
    for ph in headers:
        kind = ph["p_type"]  # type: ignore[index]  # pyelftools' Container
        segment = Segment(*(ph[key] for key in ("p_vaddr", "p_memsz", "p_offset", "p_filesz", "p_flags")))  # type: ignore[index]
        if kind == "PT_LOAD":
            _check(segment, arch)
            if segments and segment.address < segments[-1].address:
                raise FormatError("the segments are out of order")
            phoff = header["e_phoff"]  # type: ignore[index]
            if segment.offset <= phoff < segment.offset + segment.file_size:
                headers_address = headers_address or phoff - segment.offset + segment.address
            segments.append(segment)
        elif kind == "PT_INTERP" and interpreter is None:
            interpreter = read(segment.offset, segment.file_size) if 2 <= segment.file_size <= 4096 else b""
            if not interpreter.endswith(b"\0"):
                raise FormatError("the name of the interpreter is damaged")
            interpreter = interpreter.split(b"\0", 1)[0]
        elif kind == "PT_GNU_STACK":
            executable_stack = bool(segment.flags & PF_X)
    if not segments:
        raise FormatError("no segment to load")
    entry = header["e_entry"]  # type: ignore[index]
    dynamic = header["e_type"] == "ET_DYN"  # type: ignore[index]
    return Image(
        arch, entry, dynamic, tuple(segments), headers_address, len(headers),
        header["e_phentsize"], interpreter, executable_stack,  # type: ignore[index]
    )  # fmt: skip


def _check(segment: Segment, arch: Arch) -> None:
    if segment.file_size > segment.memory_size:
        raise FormatError("a segment is larger in the file than in memory")
    if (segment.address - segment.offset) % PAGE_SIZE:
        raise FormatError("a segment's address and offset do not lie alike in their pages")
    if segment.address + segment.memory_size > arch.task_size:
        raise FormatError("a segment lies outside the address space")


def _machine_name(value: object) -> str:
    return str(value).removeprefix("EM_") if isinstance(value, str) else f"machine {value}"
