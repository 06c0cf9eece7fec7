# ruff: noqa: E501  # tables of text
"""What a run said, as text in which only what both kernels must agree on is left.

Process ids become the names of the forks, inode and device numbers the order in which they are first seen, times that
no script set "now", addresses that the kernel chose "address".
"""

from __future__ import annotations

import os
import re
import struct
from typing import Any

from syscalls.abi import fcntl
from syscalls.abi.arch import Arch
from syscalls.abi.cstruct import Struct
from syscalls.abi.kinds import Hex, IdKind
from syscalls.spec import find
from tests.differential.encode import SLOT, Encoded, Planned
from tests.differential.values import FILLER, REGION, errno_name

NOT_REACHED, STARTED, DONE = 0, 1, 2
#: Fields that say something about the machine, or that the two kernels need not agree on.
_HIDDEN = {"st_blksize", "stx_attributes_mask", "stx_blksize", "stx_mnt_id", "stx_dev_major", "stx_dev_minor", "stx_btime",
           "stx_subvol", "stx_dio_mem_align", "stx_dio_offset_align", "stx_dio_read_offset_align", "restorer", "handler",
           "stx_atomic_write_unit_max_opt", "msg_iov", "msg_name", "msg_control", "ssi_utime", "ssi_stime",
           "st_blocks", "stx_blocks", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_fsid", "f_flags", "ss_sp"}  # fmt: skip
_IDENTITIES = {"st_ino", "st_dev", "stx_ino"}
_TIMES = re.compile(r"st_[amc]time|stx_[amc]time")
_SET_BY_SCRIPTS = 1_500_000_000  # seconds: clocks are beyond


class Names:
    """The names of one sequence's numbers."""

    def __init__(self, arch: Arch) -> None:
        self.arch = arch
        self.pids: dict[int, str] = {}
        self.seen: dict[tuple[str, int], int] = {}

    def integer(self, number: int) -> str:
        return self.pids.get(number, str(number)) if number > 255 else str(number)

    def pid(self, number: int) -> str:
        if number < 0:
            return "-" + self.pid(-number)
        return self.pids.get(number, str(number) if number < 2 or number >= 0x3FFF0000 else "other")

    def text(self, data: bytes) -> str:
        """Bytes, with the directory where the sequence ran cut away."""
        return repr(re.sub(rb"^/(?:dev/shm|tmp|var/tmp)[^\0]*?/s\d+/w", b"~", data)) if data else ""

    def _field(self, name: str, value: Any) -> str:
        if isinstance(value, Struct):
            return (
                "now"
                if getattr(value, "tv_sec", 0) >= _SET_BY_SCRIPTS
                else f"{value.tv_sec}.{value.tv_nsec}"
                if "stx" in name
                else self.struct(value)
            )
        if name in _IDENTITIES:
            kind = "ino" if "ino" in name else "dev"
            return f"#{self.seen.setdefault((kind, value), sum(1 for key, _ in self.seen if key == kind))}"
        if "pid" in name or name == "ssi_tid":
            return self.pid(value)
        if _TIMES.match(name) and isinstance(value, int) and not name.endswith("nsec"):
            return "now" if value >= _SET_BY_SCRIPTS else str(value)
        return f"{value:#o}" if name.endswith("_mode") and isinstance(value, int) else str(value)

    def struct(self, value: Struct) -> str:
        """The fields that count."""
        shown = []
        for name, field in sorted(vars(value).items()):
            if name in _HIDDEN or (
                name.endswith("_nsec") and vars(value).get(name.removesuffix("_nsec"), 0) >= _SET_BY_SCRIPTS
            ):
                continue
            shown.append(f"{name.split('_', 1)[-1]}={self._field(name, field)}")
        return f"({' '.join(shown)})"


def read_records(data: bytes) -> dict[int, tuple[int, bool, int, bytes]]:
    """id -> (wait status, was it ended, process id, slots) of each record in a run's output."""
    records, at = {}, 0
    while at + 40 <= len(data):
        identity, status, late, pid, size = struct.unpack_from("<5q", data, at)
        records[identity] = (status, bool(late), pid, data[at + 40 : at + 40 + size])
        at += 40 + size
    return records


def decode(encoded: Encoded, arch: Arch, record: tuple[int, bool, int, bytes]) -> list[str]:
    """A line for each step, and one for the end."""
    status, late, pid, slots = record
    names = Names(arch)
    names.pids[pid] = "main"
    for planned in encoded.planned:
        if planned.step.call == "fork" and (child := struct.unpack_from("<q", slots, planned.slot + 8)[0]) > 0:
            names.pids[child] = planned.step.name
    lines = [_line(planned, arch, slots, names) for planned in encoded.planned[1:]]
    end = (
        "late"
        if late
        else f"exit {os.WEXITSTATUS(status)}"
        if os.WIFEXITED(status)
        else f"signal {os.WTERMSIG(status)}"
    )
    return [*lines, "" if end == "exit 0" else end]


def _line(planned: Planned, arch: Arch, slots: bytes, names: Names) -> str:
    state, result, count, *signals = struct.unpack_from("<11q", slots, planned.slot)
    words = []
    if state == NOT_REACHED:
        return "not reached"
    words.append("stays" if state == STARTED else _result(planned, arch, result, names))
    for signal in signals[: min(count, 8)]:
        code = (signal >> 8 & 0xFFFFFF) ^ 0x800000
        words.append(f"signal:{signal & 0xFF}/{code - 0x800000}/{signal >> 32}")
    if state == DONE and planned.step.call not in {"fork", "peek", "poke"}:
        words += _outputs(planned, slots, names)
    return " ".join(words)


def _outputs(planned: Planned, slots: bytes, names: Names) -> list[str]:
    words, base = [], planned.slot + SLOT
    memory = [(begin, slots[base : base + length]) for begin, length in planned.dumps[:1]]
    begin, length = planned.dumps[1]
    memory.append((begin, slots[base + planned.dumps[0][1] : base + planned.dumps[0][1] + length]))
    for placed in planned.blobs:
        begin, dump = next((b, d) for b, d in memory if b <= placed.address <= b + len(d))
        data = dump[placed.address - begin : placed.address - begin + placed.size]
        behind = dump[placed.address - begin + placed.size : placed.address - begin + placed.size + 8]
        if data != placed.initial:
            words.append(placed.blob.show(data, names))
        if placed.guarded and behind.strip(bytes([FILLER])):
            words.append(f"overrun:{behind!r}")
    return words


def _result(planned: Planned, arch: Arch, result: int, names: Names) -> str:
    if planned.step.call in {"peek", "poke"}:
        if result >= 0:
            return str(result)
        fault = -result - 0x10000
        return f"fault {fault >> 8}/{fault & 0xFF}"
    if planned.step.call == "fork":
        return planned.step.name if result > 0 else errno_name(-result)
    if -4095 <= result < 0:
        return errno_name(-result)
    spec = find(arch, planned.call)
    kind = spec.result if spec else None
    if kind is Hex or isinstance(kind, Hex):
        address = result & arch.mask
        return hex(address) if REGION <= address < REGION + 0x1000000 else "address"
    if planned.step.call == "getcwd":
        return "length"
    if (isinstance(kind, IdKind) and kind.what == "pid") or planned.step.call in {"wait4", "gettid"}:
        return names.pid(result)
    if planned.step.call == "fcntl" and planned.args[1:2] == (fcntl.F_GETFL,):
        return oct(fcntl.from_arch(arch, result) & ~fcntl.O_LARGEFILE)
    return str(result)
