"""The text of /proc/PID's tables: stat, statm, status, limits, smaps (proc(5), fs/proc/array.c, fs/proc/task_mmu.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_SHIFT
from syscalls.abi.resource import RLIM_INFINITY, RLIMIT_RSS, RLIMIT_SIGPENDING
from syscalls.abi.signal import SIG_DFL, SIG_IGN, SIGCHLD
from syscalls.abi.time import USER_TICK_NS
from syscalls.fs.devices import makedev
from syscalls.fs.ttyioctl import PTS_MAJOR
from syscalls.fs.userns import shown
from syscalls.kernel.sigqueue import queued
from syscalls.kernel.usage import of_group
from syscalls.mm import show

if TYPE_CHECKING:
    from syscalls.fs.fdtable import FdTable
    from syscalls.kernel.task import Task, ThreadGroup

PF_RANDOMIZE = 0x400000

#: Rows of /proc/PID/limits, by resource number: name and unit (fs/proc/base.c lnames).
LIMITS = (
    ("Max cpu time", "seconds"), ("Max file size", "bytes"), ("Max data size", "bytes"), ("Max stack size", "bytes"),
    ("Max core file size", "bytes"), ("Max resident set", "bytes"), ("Max processes", "processes"),
    ("Max open files", "files"), ("Max locked memory", "bytes"), ("Max address space", "bytes"),
    ("Max file locks", "locks"), ("Max pending signals", "signals"), ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""), ("Max realtime priority", ""), ("Max realtime timeout", "us"),
)  # fmt: skip


def limits(group: ThreadGroup) -> bytes:
    """/proc/PID/limits."""
    lines = [f"{'Limit':<25} {'Soft Limit':<20} {'Hard Limit':<20} {'Units':<10}\n"]
    for resource, (name, unit) in enumerate(LIMITS):
        soft, hard = (
            "unlimited" if value == RLIM_INFINITY else str(value)
            for value in group.limits.get(resource, (RLIM_INFINITY, RLIM_INFINITY))
        )
        lines.append(f"{name:<25} {soft:<20} {hard:<20} {f'{unit:<10}' if unit else ''}\n")
    return "".join(lines).encode()


def smaps(task: Task) -> bytes:
    """/proc/PID/smaps: each row of maps, and what is populated of it."""
    return b"".join(row.text(task.arch.word) + _smap(row).encode() for row in show.maps(task.mm))


def smaps_rollup(task: Task) -> bytes:
    """/proc/PID/smaps_rollup: the sums."""
    rows = list(show.maps(task.mm))
    if not rows:
        return b""
    total = show.Row(rows[0].start, rows[-1].end, "---p", 0, 0, 0, b"[rollup]", sum(row.pages for row in rows))
    anonymous = sum(row.pages for row in rows if not row.inode)
    return total.text(task.arch.word) + _amounts(total.pages << 2, 0, anonymous << 2).encode()


def _smap(row: show.Row) -> str:
    """show_smap."""
    rss = row.pages << 2
    shared = row.perms[3] == "s"
    sizes = "".join(
        f"{name + ':':<16}{value:8} kB\n"
        for name, value in (("Size", (row.end - row.start) >> 10), ("KernelPageSize", 4), ("MMUPageSize", 4))
    )
    flags = [name for letter, name in zip("rwx", ("rd", "wr", "ex"), strict=True) if letter in row.perms]
    flags += ["sh"] * shared + ["mr", "mw", "me"] + ["ms"] * shared + ["gd"] * (row.path == b"[stack]") + ["ac"]
    dirty = rss if "w" in row.perms else 0
    return (
        f"{sizes}{_amounts(rss, dirty, 0 if row.inode else rss)}THPeligible:           0\nVmFlags: {' '.join(flags)} \n"
    )


def _amounts(rss: int, dirty: int, anonymous: int) -> str:
    """__show_smap: nothing is shared with other processes as long as nobody counts it."""
    amounts = {
        "Rss": rss, "Pss": rss, "Pss_Dirty": dirty, "Shared_Clean": 0, "Shared_Dirty": 0,
        "Private_Clean": rss - dirty, "Private_Dirty": dirty, "Referenced": rss, "Anonymous": anonymous, "KSM": 0,
        "LazyFree": 0, "AnonHugePages": 0, "ShmemPmdMapped": 0, "FilePmdMapped": 0, "Shared_Hugetlb": 0,
        "Private_Hugetlb": 0, "Swap": 0, "SwapPss": 0, "Locked": 0,
    }  # fmt: skip
    return "".join(f"{name + ':':<16}{value:8} kB\n" for name, value in amounts.items())


def statm(task: Task) -> bytes:
    """/proc/PID/statm, in pages."""
    usage = show.usage(task.mm)
    pages = (usage.size, usage.rss, usage.rss - usage.anonymous, usage.text, 0, usage.data + usage.stack, 0)
    return b"%d %d %d %d %d %d %d\n" % tuple(value >> PAGE_SHIFT for value in pages)


def _state(task: Task) -> str:
    if not task.alive:
        return "Z"
    if task.group.stopped:
        return "T"
    return "R" if task.sleeping is None else "S"


def _signal_masks(task: Task) -> tuple[int, int]:
    """Signals ignored and signals caught."""
    ignored = caught = 0
    for signo, action in task.group.signals.actions.items():
        if action.handler == SIG_IGN:
            ignored |= 1 << signo - 1
        elif action.handler != SIG_DFL:
            caught |= 1 << signo - 1
    return ignored, caught


def _terminal(group: ThreadGroup) -> tuple[int, int]:
    """The controlling terminal's device number, and the process group in its foreground."""
    return (makedev(PTS_MAJOR, group.tty.index), group.tty.foreground) if group.tty is not None else (0, -1)


def stat(task: Task) -> bytes:
    """/proc/PID/stat: 52 fields in one line (do_task_stat)."""
    group, mm, kernel = task.group, task.mm, task.kernel
    usage = show.usage(mm)
    ignored, caught = _signal_masks(task)
    used, waited_for = of_group(group), group.account.children
    cpu = (ns // USER_TICK_NS for ns in (used.user_ns, used.system_ns, waited_for.user_ns, waited_for.system_ns))
    started = (group.start_ns - kernel.boot_ns) // USER_TICK_NS
    fields = [
        _state(task), group.ppid, group.pgid, group.sid, *_terminal(group), PF_RANDOMIZE,
        used.faults, waited_for.faults, 0, 0, *cpu,
        20 + task.nice, task.nice, len(group.tasks), 0, started, usage.size, usage.rss >> PAGE_SHIFT,
        group.limit(RLIMIT_RSS) if group.limit(RLIMIT_RSS) != RLIM_INFINITY else (1 << 64) - 1, 1, 1,
        mm.stack_start, 0, 0,
        task.signals.pending_mask() & 0x7FFFFFFF, task.signals.mask & 0x7FFFFFFF, ignored & 0x7FFFFFFF,
        caught & 0x7FFFFFFF, 0, 0, 0, SIGCHLD, 0, task.scheduler[1], task.scheduler[0], 0, 0, 0, 0, 0, mm.brk_start,
        *group.arguments_at, *group.environment_at, 0,
    ]  # fmt: skip
    return b"%d (%s) %s\n" % (task.tid, task.comm, " ".join(map(str, fields)).encode())


def status(task: Task) -> bytes:
    """/proc/PID/status (fs/proc/array.c)."""
    group, cred = task.group, task.cred
    usage = show.usage(task.mm)
    ignored, caught = _signal_masks(task)
    state = {"R": "R (running)", "T": "T (stopped)", "S": "S (sleeping)", "Z": "Z (zombie)"}[_state(task)]
    escaped = task.comm.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    memory = (
        ("VmPeak", usage.size), ("VmSize", usage.size), ("VmLck", usage.locked), ("VmPin", 0),
        ("VmHWM", usage.peak_rss), ("VmRSS", usage.rss), ("RssAnon", usage.anonymous),
        ("RssFile", usage.rss - usage.anonymous), ("RssShmem", 0), ("VmData", usage.data), ("VmStk", usage.stack),
        ("VmExe", usage.text), ("VmLib", 0), ("VmPTE", 0), ("VmSwap", 0),
        ("HugetlbPages", 0),
    )  # fmt: skip
    viewer = (task.kernel.current or task).cred.user_ns
    lines = [
        f"Name:\t{escaped.decode(errors='surrogateescape')}",
        f"Umask:\t{task.fs.umask:04o}",
        f"State:\t{state}",
        f"Tgid:\t{group.tgid}",
        "Ngid:\t0",
        f"Pid:\t{task.tid}",
        f"PPid:\t{group.ppid}",
        "TracerPid:\t0",
        "\t".join(["Uid:", *(str(shown(viewer, id)) for id in (cred.uid, cred.euid, cred.suid, cred.fsuid))]),
        "\t".join(
            ["Gid:", *(str(shown(viewer, id, group=True)) for id in (cred.gid, cred.egid, cred.sgid, cred.fsgid))]
        ),
        f"FDSize:\t{_table_size(task.files)}",
        f"Groups:\t{' '.join(str(shown(viewer, gid, group=True)) for gid in cred.groups)} ",
        f"NStgid:\t{group.tgid}",
        f"NSpid:\t{task.tid}",
        f"NSpgid:\t{group.pgid}",
        f"NSsid:\t{group.sid}",
        "Kthread:\t0",
        *(f"{name}:\t{value >> 10:8} kB" for name, value in memory),
        "CoreDumping:\t0",
        f"THP_enabled:\t{int(not group.thp_disable)}",
        f"Threads:\t{len(group.tasks)}",
        f"SigQ:\t{queued(group)}/{group.limit(RLIMIT_SIGPENDING)}",
        f"SigPnd:\t{task.signals.pending_mask():016x}",
        f"ShdPnd:\t{group.signals.pending_mask():016x}",
        f"SigBlk:\t{task.signals.mask:016x}",
        f"SigIgn:\t{ignored:016x}",
        f"SigCgt:\t{caught:016x}",
        f"CapInh:\t{cred.inheritable:016x}",
        f"CapPrm:\t{cred.permitted:016x}",
        f"CapEff:\t{cred.effective:016x}",
        f"CapBnd:\t{cred.bounding:016x}",
        f"CapAmb:\t{cred.ambient:016x}",
        f"NoNewPrivs:\t{int(task.no_new_privs)}",
        f"Seccomp:\t{task.seccomp.mode}",
        f"Seccomp_filters:\t{sum(1 for _ in task.seccomp.filter.chain()) if task.seccomp.filter else 0}",
        "Speculation_Store_Bypass:\tnot vulnerable",
        "SpeculationIndirectBranch:\tnot affected",
        "Cpus_allowed:\t1",
        "Cpus_allowed_list:\t0",
        "Mems_allowed:\t00000001",
        "Mems_allowed_list:\t0",
        f"voluntary_ctxt_switches:\t{task.usage.voluntary}",
        f"nonvoluntary_ctxt_switches:\t{task.usage.involuntary}",
    ]
    return ("\n".join(lines) + "\n").encode(errors="surrogateescape")


def _table_size(files: FdTable) -> int:
    """Slots of the descriptor table, which grows by powers of two (alloc_fdtable)."""
    highest = max(files, default=0)
    return 64 if highest < 64 else 128 << (highest // 128).bit_length()
