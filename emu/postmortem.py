"""What a person needs to understand a guest's death by a fault: where, on what, and how it came there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from emu.engine.base import Stop
from syscalls.abi.arch import PAGE_MASK, PAGE_SIZE, Arch
from syscalls.abi.errno import SysError
from syscalls.abi.signal import SIGNAL, format_si_code
from syscalls.mm.show import maps

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

INSTRUCTIONS_AROUND = 5


def report(task: Task, stop: Stop, registers: dict[str, int], calls: Iterable[str] = ()) -> str:
    """The whole report: cause, instructions, registers, mappings, last calls."""
    pc = registers.get(task.arch.pc, 0)
    digits = task.arch.word * 2
    cause = f"{SIGNAL.format(stop.signal)} ({format_si_code(stop.signal, stop.code)})"
    lines = [
        f"trapeze: post-mortem of task {task.tid} ({task.comm.decode(errors='replace')}, {task.arch.name})",
        f"  {cause} at address {stop.address:#0{digits + 2}x}",
        "",
        "instructions:",
        *_instructions(task, pc),
        "",
        "registers:",
        *_table([f"{name:>8} {value:#0{digits + 2}x}" for name, value in registers.items()], 3),
        "",
        "mappings:",
        *_mappings(task, {"pc": pc, "address": stop.address, "sp": registers.get(task.arch.sp, 0)}),
    ]
    last = list(calls)
    if last:
        lines += ["", "last calls:", *(f"  {line}" for line in last)]
    return "\n".join(lines) + "\n"


def _instructions(task: Task, pc: int) -> list[str]:
    """The instruction at the pc between its neighbours; those before it are found by decoding from further back."""
    engine = _disassembler(task.arch)
    if task.arch.trap == "svc #0":  # every instruction is four bytes long
        start, slack = pc - 4 * INSTRUCTIONS_AROUND, [0]
    else:
        start, slack = pc - 32, list(range(16))
    before: list[str] = []
    for skip in slack:
        code = _readable(task, start + skip, pc)
        decoded = list(engine.disasm(code, pc - len(code))) if code else []
        if decoded and decoded[-1].address + decoded[-1].size == pc:
            before = [_line(insn, pc) for insn in decoded[-INSTRUCTIONS_AROUND:]]
            break
    code = _readable(task, pc, pc + 16 * INSTRUCTIONS_AROUND)
    after = [_line(insn, pc) for insn in engine.disasm(code, pc, INSTRUCTIONS_AROUND + 1)]
    return before + (after or [f"  => {pc:#x}  (nothing that could be decoded)"])


def _disassembler(arch: Arch):  # type: ignore[no-untyped-def]  # noqa: ANN202  # capstone has no types
    import capstone

    mode = {
        "x86_64": (capstone.CS_ARCH_X86, capstone.CS_MODE_64),
        "i386": (capstone.CS_ARCH_X86, capstone.CS_MODE_32),
        "arm64": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
    }[arch.name]
    return capstone.Cs(*mode)


def _line(insn, pc: int) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    mark = "=>" if insn.address == pc else "  "
    return f"  {mark} {insn.address:#x}  {insn.bytes.hex():<22} {insn.mnemonic} {insn.op_str}".rstrip()


def _readable(task: Task, start: int, end: int) -> bytes:
    """The bytes of [start, end) from the first page on that can be read up to the end."""
    while start < end:
        try:
            return task.mm.read(start, end - start)
        except SysError:
            following = (start & PAGE_MASK) + PAGE_SIZE
            if following >= end:
                try:
                    return task.mm.read_some(start, end - start)
                except SysError:
                    return b""
            start = following
    return b""


def _table(cells: list[str], columns: int) -> list[str]:
    return ["".join(cells[i : i + columns]) for i in range(0, len(cells), columns)]


def _mappings(task: Task, points: dict[str, int]) -> list[str]:
    """Each mapping that is hit, and for an address that misses all of them the neighbours."""
    rows = []
    for row in maps(task.mm):
        hits = [name for name, address in points.items() if row.start <= address < row.end]
        marks = f"   <- {', '.join(hits)}" if hits else ""
        path = row.path.decode(errors="replace")
        rows.append(f"  {row.start:012x}-{row.end:012x} {row.perms} {path}{marks}".rstrip())
    missed = [
        f"  {name} {address:#x} is in no mapping"
        for name, address in points.items()
        if not any(row.start <= address < row.end for row in maps(task.mm))
    ]
    return rows + missed
