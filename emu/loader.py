"""From an `Image` to a process ready to run: mapped segments, heap, [vdso], stack (load_elf_binary)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emu.elf import PF_R, PF_W, PF_X, FormatError, Image, Segment
from emu.stack import AT_SYSINFO, Stack, build, common_aux
from syscalls.abi.arch import PAGE_MASK, PAGE_SIZE
from syscalls.abi.mman import PROT_EXEC, PROT_READ, PROT_WRITE
from syscalls.abi.resource import RLIMIT_STACK
from syscalls.mm.vma import VM_DONTEXPAND, VM_GROWSDOWN

if TYPE_CHECKING:
    from syscalls.fs.cred import Credentials
    from syscalls.kernel.ports import Random
    from syscalls.mm.space import AddressSpace
    from syscalls.mm.vma import Backing

#: A new stack has this much mapped; the rest grows by faults (setup_arg_pages, stack_expand).
INITIAL_STACK = 33 * PAGE_SIZE
#: No room for arguments beyond a quarter of the stack's limit, or 3/4 of 8 MiB (bprm_stack_limits).
ARGUMENT_LIMIT = 6 << 20


@dataclass(frozen=True, slots=True)
class Vdso:
    """The page of code that the kernel gives a program: where a handler returns to, and i386's way into the kernel."""

    code: bytes
    symbols: dict[str, int]  # offsets


#: Assembled by hand; the comment behind each line is the code.
VDSO: dict[str, Vdso] = {
    "i386": Vdso(
        bytes.fromhex("cd80c3").ljust(16, b"\x90")  # vsyscall: int 0x80; ret
        + bytes.fromhex("5d5a59c3").ljust(16, b"\x90")  # sysenter_return: pop ebp; pop edx; pop ecx; ret
        + bytes.fromhex("58b877000000cd80").ljust(16, b"\x90")  # sigreturn: pop eax; mov eax, 119; int 0x80
        + bytes.fromhex("b8ad000000cd80").ljust(16, b"\x90"),  # rt_sigreturn: mov eax, 173; int 0x80
        {"vsyscall": 0, "sysenter_return": 16, "sigreturn": 32, "rt_sigreturn": 48},
    ),
    "arm64": Vdso(
        bytes.fromhex("681180d2010000d4"),  # rt_sigreturn: mov x8, #139; svc #0
        {"rt_sigreturn": 0},
    ),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A program in memory."""

    pc: int
    stack: Stack
    vdso: dict[str, int]  # addresses of the symbols


def load(
    mm: AddressSpace,
    image: Image,
    program: Backing,
    *,
    args: list[bytes],
    env: list[bytes],
    filename: bytes,
    cred: Credentials,
    random: Random,
    hwcap: tuple[int, int],
    secure: bool = False,
    interpreter: tuple[Image, Backing] | None = None,
) -> Loaded:
    """Map the program (and its interpreter) into the empty space `mm` and build its stack."""
    arch = mm.arch
    bias = (arch.pie_base - image.start) if image.position_independent else 0
    _map_image(mm, image, program, bias)
    entry = pc = image.entry + bias
    base = 0
    if interpreter is not None:
        base, pc = _map_interpreter(mm, *interpreter)
    mm.brk_start = mm.brk = -(-(image.end + bias) // PAGE_SIZE) * PAGE_SIZE
    vdso = _map_vdso(mm)
    headers = image.headers_address + bias if image.headers_address else 0
    aux = [(AT_SYSINFO, vdso["vsyscall"])] if "vsyscall" in vdso else []
    aux += common_aux(
        arch, headers=headers, header_size=image.header_size, header_count=image.headers_count, base=base, entry=entry,
        ids=(cred.uid, cred.euid, cred.gid, cred.egid), hwcap=hwcap[0], hwcap2=hwcap[1],
        secure=secure,
    )  # fmt: skip
    stack = build(
        arch, arch.stack_top, args=args, env=env, filename=filename, random=random.random_bytes(16), aux=aux
    )  # fmt: skip
    _map_stack(mm, stack, executable=image.executable_stack)
    return Loaded(pc, stack, vdso)


def _map_image(mm: AddressSpace, image: Image, backing: Backing, bias: int) -> None:
    for segment in image.segments:
        _map_segment(mm, segment, backing, bias)


def _map_interpreter(mm: AddressSpace, image: Image, backing: Backing) -> tuple[int, int]:
    """Place the interpreter below the area of mappings; (its base, its entry)."""
    bias = 0
    if image.position_independent:
        length = image.end - image.start
        place = mm.vmas.highest_gap(-(-length // PAGE_SIZE) * PAGE_SIZE, PAGE_SIZE, mm.arch.mmap_base)
        if place is None:
            raise FormatError("no room for the interpreter")
        bias = place - image.start
    _map_image(mm, image, backing, bias)
    return image.start + bias if image.position_independent else 0, image.entry + bias


def _map_segment(mm: AddressSpace, segment: Segment, backing: Backing, bias: int) -> None:
    """A private file mapping, and zeros behind it; its last page is cleared from the file's end on (elf_load)."""
    prot = 0
    for flag, bit in ((PF_R, PROT_READ), (PF_W, PROT_WRITE), (PF_X, PROT_EXEC)):
        prot |= bit if segment.flags & flag else 0
    address = segment.address + bias
    start = address & PAGE_MASK
    file_end = address + segment.file_size
    map_end = -(-file_end // PAGE_SIZE) * PAGE_SIZE
    memory_end = -(-(address + segment.memory_size) // PAGE_SIZE) * PAGE_SIZE
    if segment.file_size:
        offset = segment.offset & PAGE_MASK
        if segment.offset + segment.file_size > backing.size:
            raise FormatError("a segment lies behind the end of the file")
        mm.map(start, map_end - start, prot, backing=backing, offset=offset)
    else:
        map_end = start
    if memory_end > map_end:
        mm.map(map_end, memory_end - map_end, prot)
    if segment.memory_size > segment.file_size and file_end < map_end and prot & PROT_WRITE:
        mm.write(file_end, bytes(map_end - file_end))


def _map_vdso(mm: AddressSpace) -> dict[str, int]:
    vdso = VDSO.get(mm.arch.name)
    if vdso is None:
        return {}
    address = mm.vmas.highest_gap(PAGE_SIZE, PAGE_SIZE, mm.arch.mmap_base)
    assert address is not None
    mm.map(address, PAGE_SIZE, PROT_READ | PROT_WRITE, flags=VM_DONTEXPAND, name=b"[vdso]")
    mm.write(address, vdso.code)
    mm.protect(address, PAGE_SIZE, PROT_READ | PROT_EXEC)
    return {name: address + offset for name, offset in vdso.symbols.items()}


def _map_stack(mm: AddressSpace, stack: Stack, *, executable: bool) -> None:
    top = mm.arch.stack_top
    if len(stack.data) > min(ARGUMENT_LIMIT, mm.limit(RLIMIT_STACK) // 4):
        raise FormatError("the arguments and the environment are too long")
    prot = PROT_READ | PROT_WRITE | (PROT_EXEC if executable else 0)
    size = max(INITIAL_STACK, -(-len(stack.data) // PAGE_SIZE) * PAGE_SIZE + PAGE_SIZE)
    mm.map(top - size, size, prot, flags=VM_GROWSDOWN, name=b"[stack]")
    mm.stack_start = stack.sp
    mm.write(stack.sp, stack.data)
