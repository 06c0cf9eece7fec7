"""The machine-wide part of /proc: memory, processor, uptime, and the switches of /proc/sys (proc(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.fs.procfs import Directory, Node, Nodes, Text
from syscalls.kernel.kernel import RELEASE, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from syscalls.kernel.kernel import Kernel

NS = 1_000_000_000
FILE_SYSTEMS = ("nodev\tproc", "nodev\ttmpfs", "nodev\tdevtmpfs", "nodev\tpipefs", "nodev\toverlay")
#: /proc/sys values that never change here: path -> text.
CONSTANTS = {
    "fs/file-max": "9223372036854775807", "fs/nr_open": "1048576", "fs/pipe-max-size": "1048576",
    "fs/pipe-user-pages-soft": "16384", "fs/pipe-user-pages-hard": "0", "fs/protected_hardlinks": "1",
    "fs/protected_symlinks": "1", "fs/protected_fifos": "1", "fs/protected_regular": "2", "fs/suid_dumpable": "0",
    "fs/lease-break-time": "45", "fs/leases-enable": "1", "fs/overflowuid": "65534", "fs/overflowgid": "65534",
    "kernel/cap_last_cap": "40", "kernel/core_pattern": "core", "kernel/core_uses_pid": "0",
    "kernel/dmesg_restrict": "1", "kernel/kptr_restrict": "0", "kernel/ngroups_max": "65536",
    "kernel/osrelease": RELEASE, "kernel/ostype": "Linux", "kernel/overflowgid": "65534",
    "kernel/overflowuid": "65534", "kernel/pid_max": "4194304", "kernel/printk": "4\t4\t1\t7",
    "kernel/random/entropy_avail": "256", "kernel/random/poolsize": "256", "kernel/randomize_va_space": "0",
    "kernel/sched_rr_timeslice_ms": "100", "kernel/threads-max": "127000", "kernel/version": VERSION,
    "kernel/yama/ptrace_scope": "1", "kernel/tainted": "0",
    "vm/max_map_count": "65530", "vm/mmap_min_addr": "65536", "vm/overcommit_memory": "0",
    "vm/overcommit_ratio": "50", "vm/swappiness": "60", "vm/nr_hugepages": "0", "vm/drop_caches": "0",
}  # fmt: skip


def nodes(kernel: Kernel) -> Nodes:
    """Everything beside the processes."""

    def text(render: Callable[[], str], mode: int = 0o444) -> Text:
        return Text(lambda: render().encode(), mode)

    return {
        b"cmdline": text(lambda: "\n"),
        b"cpuinfo": text(lambda: _cpuinfo(kernel)),
        b"devices": text(lambda: "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n"),
        b"filesystems": text(lambda: "".join(f"{name}\n" for name in FILE_SYSTEMS)),
        b"loadavg": text(lambda: f"0.00 0.00 0.00 1/{len(kernel.tasks)} {kernel.last_pid}\n"),
        b"meminfo": text(lambda: _meminfo(kernel)),
        b"partitions": text(lambda: "major minor  #blocks  name\n\n"),
        b"stat": text(lambda: _stat(kernel)),
        b"swaps": text(lambda: "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
        b"sys": _tree(kernel),
        b"uptime": text(lambda: _uptime(kernel)),
        b"version": text(lambda: f"Linux version {RELEASE} (trapeze) {VERSION}\n"),
        b"vmstat": text(lambda: f"nr_free_pages {kernel.memory_bytes()[1] >> 12}\n"),
    }


def _uptime(kernel: Kernel) -> str:
    up = (kernel.clock.monotonic() - kernel.boot_ns) / NS
    idle = max(0.0, up - (kernel.clock.cputime() - kernel.boot_cpu_ns) / NS)
    return f"{up:.2f} {idle:.2f}\n"


def _meminfo(kernel: Kernel) -> str:
    total, free = (value >> 10 for value in kernel.memory_bytes())
    rows = (
        ("MemTotal", total), ("MemFree", free), ("MemAvailable", free), ("Buffers", 0), ("Cached", total - free),
        ("SwapCached", 0), ("Active", total - free), ("Inactive", 0), ("SwapTotal", 0), ("SwapFree", 0), ("Dirty", 0),
        ("Writeback", 0), ("AnonPages", total - free), ("Mapped", 0), ("Shmem", 0), ("Slab", 0),
        ("CommitLimit", total // 2), ("Committed_AS", total - free), ("VmallocTotal", 34359738367),
    )  # fmt: skip
    counts = "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n"
    return "".join(f"{name + ':':<15} {value:8} kB\n" for name, value in rows) + counts


def _cpuinfo(kernel: Kernel) -> str:
    arch = kernel.current.arch if kernel.current is not None else None
    if arch is not None and arch.name == "arm64":
        rows = (("processor", "0"), ("BogoMIPS", "2000.00"), ("CPU implementer", "0x00"), ("CPU architecture", "8"))
    else:
        rows = (
            ("processor", "0"), ("vendor_id", "GenuineIntel"), ("cpu family", "6"), ("model name", "Trapeze CPU"),
            ("cpu MHz", "1000.000"), ("cpu cores", "1"), ("fpu", "yes"), ("bogomips", "2000.00"),
        )  # fmt: skip
    return "".join(f"{name}\t: {value}\n" for name, value in rows) + "\n"


def _stat(kernel: Kernel) -> str:
    ticks = (kernel.clock.cputime() - kernel.boot_cpu_ns) // 10_000_000
    booted = (kernel.realtime() - (kernel.clock.monotonic() - kernel.boot_ns)) // NS
    cpu = f"{ticks} 0 0 0 0 0 0 0 0 0"
    return (
        f"cpu  {cpu}\ncpu0 {cpu}\nintr 0\nctxt 0\nbtime {booted}\nprocesses {kernel.last_pid}\n"
        f"procs_running {len(kernel.tasks)}\nprocs_blocked 0\n"
    )


def _tree(kernel: Kernel) -> Directory:
    """/proc/sys."""
    leaves: dict[str, Node] = {
        path: Text(lambda value=value: f"{value}\n".encode(), 0o644) for path, value in CONSTANTS.items()
    }
    boot_id = _uuid(kernel)
    leaves["kernel/hostname"] = Text(lambda: kernel.nodename + b"\n", 0o644)
    leaves["kernel/domainname"] = Text(lambda: kernel.domainname + b"\n", 0o644)
    leaves["kernel/random/uuid"] = Text(lambda: _uuid(kernel).encode() + b"\n")
    leaves["kernel/random/boot_id"] = Text(lambda: boot_id.encode() + b"\n")
    return _directory({tuple(path.split("/")): node for path, node in leaves.items()})


def _directory(leaves: dict[tuple[str, ...], Node]) -> Directory:
    children: Nodes = {}
    for name in dict.fromkeys(path[0] for path in leaves):
        below = {path[1:]: node for path, node in leaves.items() if path[0] == name}
        children[name.encode()] = below[()] if () in below else _directory(below)
    return Directory(lambda: children)


def _uuid(kernel: Kernel) -> str:
    """A random UUID of version 4 (RFC 9562)."""
    data = bytearray(kernel.random.random_bytes(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
