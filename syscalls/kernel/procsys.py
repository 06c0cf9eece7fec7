"""The machine-wide part of /proc: memory, processor, uptime, and the switches of /proc/sys (proc(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, EIO, SysError
from syscalls.abi.limits import PIPE_MAX_SIZE
from syscalls.abi.poll import DEFAULT_POLLMASK
from syscalls.fs.procfs import Directory, Node, Setting, Text
from syscalls.kernel import ipc_msg, ipc_sem, ipc_shm
from syscalls.kernel.kernel import RELEASE, VERSION
from syscalls.mm.space import MAX_MAP_COUNT, MMAP_MIN_ADDR

if TYPE_CHECKING:
    from collections.abc import Callable

    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.namespaces import NsProxy

NS = 1_000_000_000
UTSNAME_LENGTH = 64
FILE_SYSTEMS = (
    "nodev\tproc",
    "nodev\ttmpfs",
    "nodev\tdevtmpfs",
    "nodev\tpipefs",
    "nodev\tmqueue",
    "nodev\toverlay",
    "nodev\t9p",
)
#: /proc/sys values that never change here: path -> text. Who opens one for writing gets EACCES.
CONSTANTS = {
    "fs/aio-max-nr": "65536", "fs/dentry-state": "0\t0\t45\t0\t0\t0",
    "fs/file-max": "9223372036854775807", "fs/inode-nr": "0\t0",
    "fs/mount-max": "100000", "fs/nr_open": "1048576", "fs/overflowgid": "65534",
    "fs/overflowuid": "65534", "fs/pipe-max-size": str(PIPE_MAX_SIZE), "fs/pipe-user-pages-hard": "0",
    "fs/pipe-user-pages-soft": "16384", "fs/suid_dumpable": "0",
    "kernel/cap_last_cap": "40", "kernel/core_pattern": "core", "kernel/core_uses_pid": "0",
    "kernel/dmesg_restrict": "1", "kernel/kptr_restrict": "0", "kernel/ngroups_max": "65536",
    "kernel/osrelease": RELEASE, "kernel/ostype": "Linux", "kernel/overflowgid": "65534",
    "kernel/overflowuid": "65534", "kernel/pid_max": "4194304", "kernel/printk": "4\t4\t1\t7",
    "kernel/random/entropy_avail": "256", "kernel/random/poolsize": "256", "kernel/randomize_va_space": "0",
    "kernel/sched_rr_timeslice_ms": "100", "kernel/tainted": "0", "kernel/threads-max": "127000",
    "kernel/version": VERSION,
    "vm/max_map_count": str(MAX_MAP_COUNT), "vm/mmap_min_addr": str(MMAP_MIN_ADDR), "vm/nr_hugepages": "0",
    "vm/overcommit_memory": "0", "vm/overcommit_ratio": "50", "vm/swappiness": "60",
}  # fmt: skip
#: /proc/sys/fs/NAME -> attribute of the mount table, and the largest value.
PROTECTIONS = {"protected_fifos": 2, "protected_hardlinks": 1, "protected_regular": 2, "protected_symlinks": 1}

IPC_MNI = 1 << 15
#: /proc/sys/kernel/NAME -> attribute of the IPC namespace, and the largest value.
IPC_LIMITS = {
    "msgmax": (1 << 31) - 1, "msgmnb": (1 << 31) - 1, "msgmni": IPC_MNI, "shmall": (1 << 64) - 1,
    "shmmax": (1 << 64) - 1, "shmmni": IPC_MNI,
}  # fmt: skip

#: /proc/sys/fs/mqueue/NAME -> the smallest and the largest value (ipc/mq_sysctl.c).
MQUEUE_LIMITS = {
    "queues_max": (0, (1 << 31) - 1), "msg_max": (1, 65536), "msgsize_max": (128, 16 << 20),
    "msg_default": (1, 65536), "msgsize_default": (128, 16 << 20),
}  # fmt: skip

FANOTIFY_LIMITS = ("max_queued_events", "max_user_groups", "max_user_marks")
INOTIFY_LIMITS = ("max_queued_events", "max_user_instances", "max_user_watches")


def nodes(kernel: Kernel) -> dict[bytes, Node]:
    """Everything beside the processes."""

    def text(render: Callable[[], str], mode: int = 0o444) -> Text:
        return Text(lambda: render().encode(), mode, unwritable=EIO, events=DEFAULT_POLLMASK)

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
        b"sysvipc": _sysvipc(kernel),
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


#: /proc/cpuinfo. x86's flags are those that the engine's CPUID announces.
X86_CPU = {
    "processor": "0", "vendor_id": "GenuineIntel", "cpu family": "6", "model": "44",
    "model name": "Intel(R) Xeon(R) CPU (Westmere)", "stepping": "1", "cpu MHz": "1000.000", "cache size": "8192 KB",
    "physical id": "0", "siblings": "1", "core id": "0", "cpu cores": "1", "apicid": "0", "initial apicid": "0",
    "fpu": "yes", "fpu_exception": "yes", "cpuid level": "11", "wp": "yes",
    "flags": "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 syscall nx "
    "lm constant_tsc cpuid pni pclmulqdq ssse3 cx16 sse4_1 sse4_2 popcnt aes lahf_lm",
    "bugs": "", "bogomips": "2000.00", "clflush size": "64", "cache_alignment": "64",
    "address sizes": "40 bits physical, 48 bits virtual", "power management": "",
}  # fmt: skip
ARM64_CPU = {
    "processor": "0", "BogoMIPS": "2000.00", "Features": "fp asimd", "CPU implementer": "0x00",
    "CPU architecture": "8", "CPU variant": "0x0", "CPU part": "0x000", "CPU revision": "0",
}  # fmt: skip


def _cpuinfo(kernel: Kernel) -> str:
    arch = kernel.current.arch if kernel.current is not None else None
    rows = ARM64_CPU if arch is not None and arch.name == "arm64" else X86_CPU
    tabs = 1 if rows is ARM64_CPU else 2
    return "".join(f"{name}{_tabs(name, tabs)}: {value}\n" for name, value in rows.items()) + "\n"


def _tabs(name: str, columns: int) -> str:
    """Tabs up to column 16 on x86; one, or what the name's length asks for, on arm64."""
    return "\t" * max(1, columns - len(name) // 8)


def _stat(kernel: Kernel) -> str:
    ticks = (kernel.clock.cputime() - kernel.boot_cpu_ns) // 10_000_000
    booted = (kernel.realtime() - (kernel.clock.monotonic() - kernel.boot_ns)) // NS
    cpu = f"{ticks} 0 0 0 0 0 0 0 0 0"
    return (
        f"cpu  {cpu}\ncpu0 {cpu}\nintr 0\nctxt 0\nbtime {booted}\nprocesses {kernel.last_pid}\n"
        f"procs_running {len(kernel.tasks)}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n"
    )


def _tree(kernel: Kernel) -> Directory:
    """/proc/sys."""

    def name(attribute: str) -> Setting:
        def store(data: bytes) -> None:
            setattr(_ns(kernel).uts, attribute, data.split(b"\n", 1)[0].split(b"\0", 1)[0][:UTSNAME_LENGTH])

        return Setting(lambda: getattr(_ns(kernel).uts, attribute) + b"\n", store)

    boot_id = _uuid(kernel)
    leaves: dict[str, Node] = {path: _constant(value) for path, value in CONSTANTS.items()}
    leaves |= {f"fs/{protection}": _protection(kernel, protection) for protection in PROTECTIONS}
    leaves["fs/file-nr"] = Setting(lambda: b"%d\t0\t9223372036854775807\n" % _open_files(kernel))
    leaves["kernel/hostname"] = name("nodename")
    leaves["kernel/domainname"] = name("domainname")
    leaves["kernel/random/uuid"] = Setting(lambda: _uuid(kernel).encode() + b"\n")
    leaves["kernel/random/boot_id"] = Setting(lambda: boot_id.encode() + b"\n")
    leaves |= {f"kernel/{limit}": _ipc_limit(kernel, limit) for limit in IPC_LIMITS}
    leaves |= {f"fs/inotify/{limit}": _inotify_limit(kernel, limit) for limit in INOTIFY_LIMITS}
    leaves |= {f"fs/fanotify/{limit}": _switch(lambda: kernel.fanotify, limit) for limit in FANOTIFY_LIMITS}
    leaves["fs/dir-notify-enable"] = _switch(lambda: kernel.dnotify, "enabled")
    leaves["fs/lease-break-time"] = _switch(lambda: kernel.leases, "break_time")
    leaves["fs/leases-enable"] = _switch(lambda: kernel.leases, "enabled")
    leaves["fs/aio-nr"] = Setting(lambda: b"%d\n" % kernel.aio.used)
    leaves["kernel/sem"] = _sem_limits(kernel)
    leaves |= {f"fs/mqueue/{limit}": _mqueue_limit(kernel, limit) for limit in MQUEUE_LIMITS}
    leaves["vm/drop_caches"] = Setting(lambda: b"0\n", _drop_caches)
    return _directory({tuple(path.split("/")): node for path, node in leaves.items()})


def _ns(kernel: Kernel) -> NsProxy:
    """The namespaces of whoever looks."""
    return kernel.current.ns if kernel.current is not None else kernel.namespaces


def _constant(value: str) -> Setting:
    return Setting(f"{value}\n".encode)


def _number(data: bytes, low: int, high: int) -> int:
    """A number as /proc/sys takes it; EINVAL when it is none, or out of range (proc_dointvec_minmax)."""
    try:
        value = int(data.strip(b" \t\n\0"))
    except ValueError:
        raise SysError(EINVAL) from None
    if not low <= value <= high:
        raise SysError(EINVAL)
    return value


def _protection(kernel: Kernel, name: str) -> Setting:
    """fs/protected_*: what path resolution refuses in sticky directories."""

    def store(data: bytes) -> None:
        setattr(_ns(kernel).mnt.table, name, _number(data, 0, PROTECTIONS[name]))

    return Setting(lambda: b"%d\n" % getattr(_ns(kernel).mnt.table, name), store)


def _ipc_limit(kernel: Kernel, name: str) -> Setting:
    """A limit of System V IPC (ipc/ipc_sysctl.c)."""

    def store(data: bytes) -> None:
        setattr(_ns(kernel).ipc, name, _number(data, 0, IPC_LIMITS[name]))

    return Setting(lambda: b"%d\n" % getattr(_ns(kernel).ipc, name), store)


def _inotify_limit(kernel: Kernel, name: str) -> Setting:
    """fs/inotify: how many events an instance keeps, and what a user may have."""

    def store(data: bytes) -> None:
        setattr(kernel.inotify, name, _number(data, 0, (1 << 31) - 1))

    return Setting(lambda: b"%d\n" % getattr(kernel.inotify, name), store)


def _mqueue_limit(kernel: Kernel, name: str) -> Setting:
    """fs/mqueue/*: limits of POSIX message queues."""

    def store(data: bytes) -> None:
        setattr(_ns(kernel).ipc.mqueues, name, _number(data, *MQUEUE_LIMITS[name]))

    return Setting(lambda: b"%d\n" % getattr(_ns(kernel).ipc.mqueues, name), store)


def _switch(owner: Callable[[], object], name: str) -> Setting:
    """A number that is an attribute of some part of the kernel (proc_dointvec)."""

    def store(data: bytes) -> None:
        setattr(owner(), name, _number(data, -(1 << 31), (1 << 31) - 1))

    return Setting(lambda: b"%d\n" % getattr(owner(), name), store)


def _sem_limits(kernel: Kernel) -> Setting:
    """kernel/sem: four limits in one line."""
    names = ("semmsl", "semmns", "semopm", "semmni")

    def store(data: bytes) -> None:
        for name, word in zip(names, data.split(), strict=False):
            setattr(_ns(kernel).ipc, name, _number(word, 0, IPC_MNI if name == "semmni" else (1 << 31) - 1))

    return Setting(lambda: b"\t".join(b"%d" % getattr(_ns(kernel).ipc, name) for name in names) + b"\n", store)


def _sysvipc(kernel: Kernel) -> Directory:
    """/proc/sysvipc."""
    children: dict[bytes, Node] = {
        b"msg": Text(lambda: ipc_msg.table(_ns(kernel).ipc.messages).encode()),
        b"sem": Text(lambda: ipc_sem.table(_ns(kernel).ipc.semaphores).encode()),
        b"shm": Text(lambda: ipc_shm.table(_ns(kernel).ipc.segments).encode()),
    }
    return Directory(lambda: children, children.get)


def _drop_caches(data: bytes) -> None:
    """There is nothing that could be dropped: pages of files are their content."""
    _number(data, 1, 4)


def _open_files(kernel: Kernel) -> int:
    return sum(len(group.tasks[0].files) for group in kernel.groups.values() if group.tasks)


def _directory(leaves: dict[tuple[str, ...], Node]) -> Directory:
    children: dict[bytes, Node] = {}
    for name in dict.fromkeys(path[0] for path in leaves):
        below = {path[1:]: node for path, node in leaves.items() if path[0] == name}
        children[name.encode()] = below[()] if () in below else _directory(below)
    return Directory(lambda: children, children.get)


def _uuid(kernel: Kernel) -> str:
    """A random UUID of version 4 (RFC 9562)."""
    data = bytearray(kernel.random.random_bytes(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
