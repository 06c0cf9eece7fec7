"""/proc/PID and its neighbours: what the guest's processes may be seen to do (proc(5), fs/proc/base.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_SHIFT
from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.resource import RLIM_INFINITY
from syscalls.abi.signal import SIG_DFL, SIG_IGN
from syscalls.abi.stat import S_IRUSR, S_IWUSR, S_IXUSR
from syscalls.fs.fdtable import path_of
from syscalls.fs.procfs import Directory, Link, Node, Nodes, Text
from syscalls.kernel import procsys
from syscalls.mm import show

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.fs.path import Path
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task, ThreadGroup

TICK_NS = 10_000_000  # USER_HZ is 100
COMM_BYTES = 15

#: Rows of /proc/PID/limits, by resource number: name and unit (fs/proc/base.c lnames).
LIMITS = (
    ("Max cpu time", "seconds"), ("Max file size", "bytes"), ("Max data size", "bytes"), ("Max stack size", "bytes"),
    ("Max core file size", "bytes"), ("Max resident set", "bytes"), ("Max processes", "processes"),
    ("Max open files", "files"), ("Max locked memory", "bytes"), ("Max address space", "bytes"),
    ("Max file locks", "locks"), ("Max pending signals", "signals"), ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""), ("Max realtime priority", ""), ("Max realtime timeout", "us"),
)  # fmt: skip


def root(kernel: Kernel) -> Nodes:
    """/proc itself."""
    nodes: Nodes = {
        b"self": Link(lambda: b"%d" % _current(kernel).group.tgid),
        b"thread-self": Link(lambda: b"%d/task/%d" % (_current(kernel).group.tgid, _current(kernel).tid)),
        b"mounts": Link(lambda: b"self/mounts"),
        b"net": Link(lambda: b"self/net"),
        **procsys.nodes(kernel),
    }
    for tgid, group in kernel.groups.items():
        if group.tasks:
            nodes[b"%d" % tgid] = process(group)
    return nodes


def _current(kernel: Kernel) -> Task:
    """Who looks."""
    return kernel.current or next(iter(kernel.tasks.values()))


def process(group: ThreadGroup) -> Directory:
    """/proc/PID."""
    leader = group.tasks[0]
    owner = leader.cred.euid, leader.cred.egid

    def nodes() -> Nodes:
        tasks = {b"%d" % task.tid: Directory(lambda task=task: _task(task), owner=owner) for task in group.tasks}
        return {b"task": Directory(lambda: dict(tasks), owner=owner), **_task(leader)}

    return Directory(nodes, owner=owner)


def _task(task: Task) -> Nodes:
    """What /proc/PID and /proc/PID/task/TID have in common."""
    group = task.group
    owner = task.cred.euid, task.cred.egid

    def text(render: Callable[[], bytes], mode: int = 0o444, store: Callable[[bytes], None] | None = None) -> Text:
        return Text(render, mode, owner, store)

    def link(path: Callable[[], Path | None]) -> Link:
        def target() -> bytes:
            place = path()
            return task.fs.name(place) if place is not None else b""

        return Link(target, path, owner=owner)

    return {
        b"auxv": text(lambda: group.auxv, 0o400),
        b"cgroup": text(lambda: b"0::/\n"),
        b"cmdline": text(lambda: _strings(group.arguments)),
        b"comm": text(lambda: task.comm + b"\n", 0o644, lambda data: _set_comm(task, data)),
        b"coredump_filter": text(lambda: b"00000033\n", 0o644),
        b"cwd": link(lambda: task.fs.cwd),
        b"environ": text(lambda: _strings(group.environment), 0o400),
        b"exe": link(lambda: group.exe),
        b"fd": Directory(lambda: _descriptors(task, owner), 0o500, owner),
        b"fdinfo": Directory(lambda: _descriptor_infos(task, owner), 0o555, owner),
        b"gid_map": text(lambda: b"         0          0 4294967295\n", 0o644),
        b"io": text(_io, 0o400),
        b"limits": text(lambda: _limits(group)),
        b"loginuid": text(lambda: b"4294967295", 0o644),
        b"maps": text(lambda: b"".join(row.text(task.arch.word) for row in show.maps(task.mm))),
        b"mountinfo": text(lambda: b"".join(_mounts(task).info_rows(task.fs.root))),
        b"mounts": text(lambda: b"".join(_mounts(task).rows(task.fs.root))),
        b"net": Directory(dict, 0o555),
        b"oom_adj": text(lambda: b"0\n", 0o644),
        b"oom_score": text(lambda: b"0\n"),
        b"oom_score_adj": text(lambda: b"0\n", 0o644),
        b"personality": text(lambda: b"%08x\n" % task.personality, 0o400),
        b"root": link(lambda: task.fs.root),
        b"sessionid": text(lambda: b"4294967295"),
        b"setgroups": text(lambda: b"allow\n", 0o644),
        b"smaps": text(lambda: _smaps(task)),
        b"stat": text(lambda: _stat(task)),
        b"statm": text(lambda: _statm(task)),
        b"status": text(lambda: _status(task)),
        b"timerslack_ns": text(lambda: b"%d\n" % task.timer_slack_ns, 0o666),
        b"uid_map": text(lambda: b"         0          0 4294967295\n", 0o644),
        b"wchan": text(lambda: b"0"),
    }


def _strings(items: list[bytes]) -> bytes:
    return b"".join(item + b"\0" for item in items)


def _set_comm(task: Task, data: bytes) -> None:
    task.comm = data.split(b"\0", 1)[0].rstrip(b"\n")[:COMM_BYTES]


def _mounts(task: Task):  # type: ignore[no-untyped-def]  # noqa: ANN202
    mounts = task.kernel.mounts
    if mounts is None:
        raise SysError(EINVAL)
    return mounts


# --- descriptors ------------------------------------------------------------------------------------------------------


def _descriptors(task: Task, owner: tuple[int, int]) -> Nodes:
    """/proc/PID/fd: magic links, whose permission bits are the descriptor's own access."""

    def node(fd: int) -> Node:
        file = task.files.get_any(fd)
        mode = S_IXUSR | (S_IRUSR if file.readable else 0) | (S_IWUSR if file.writable else 0)
        return Link(lambda: task.fs.name(path_of(file)), lambda: path_of(file), mode, owner)

    return {b"%d" % fd: node(fd) for fd in task.files}


def _descriptor_infos(task: Task, owner: tuple[int, int]) -> Nodes:
    """/proc/PID/fdinfo."""

    def render(fd: int, file: File) -> bytes:
        cloexec = 0o2000000 if fd in task.files.cloexec else 0
        mount = path_of(file).mount.id
        return b"pos:\t%d\nflags:\t0%o\nmnt_id:\t%d\nino:\t%d\n" % (
            file.position, file.flags | cloexec, mount, file.inode.ino,
        )  # fmt: skip

    def node(fd: int) -> Node:
        file = task.files.get_any(fd)
        return Text(lambda: render(fd, file), 0o444, owner)

    return {b"%d" % fd: node(fd) for fd in task.files}


# --- tables -----------------------------------------------------------------------------------------------------------


def _limits(group: ThreadGroup) -> bytes:
    lines = [f"{'Limit':<25} {'Soft Limit':<20} {'Hard Limit':<20} {'Units':<10}\n"]
    for resource, (name, unit) in enumerate(LIMITS):
        soft, hard = (
            "unlimited" if value == RLIM_INFINITY else str(value)
            for value in group.limits.get(resource, (RLIM_INFINITY, RLIM_INFINITY))
        )
        lines.append(f"{name:<25} {soft:<20} {hard:<20} {unit:<10}\n")
    return "".join(lines).encode()


def _io() -> bytes:
    names = ("rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes")
    return "".join(f"{name}: 0\n" for name in names).encode()


def _smaps(task: Task) -> bytes:
    lines = []
    for row in show.maps(task.mm):
        size, rss = (row.end - row.start) >> 10, row.pages << 2
        lines.append(row.text(task.arch.word).decode(errors="surrogateescape"))
        lines += [f"{name + ':':<16}{value:8} kB\n" for name, value in (("Size", size), ("Rss", rss), ("Pss", rss))]
    return "".join(lines).encode(errors="surrogateescape")


def _statm(task: Task) -> bytes:
    usage = show.usage(task.mm)
    pages = (usage.size, usage.rss, usage.rss - usage.anonymous, usage.text, 0, usage.data + usage.stack, 0)
    return b"%d %d %d %d %d %d %d\n" % tuple(value >> PAGE_SHIFT for value in pages)


def _state(task: Task) -> str:
    return "R" if task.sleeping is None else "S"


def _parent(group: ThreadGroup) -> int:
    return group.parent.tgid if group.parent is not None else 0


def _signal_masks(task: Task) -> tuple[int, int]:
    """Signals ignored and signals caught."""
    ignored = caught = 0
    for signo, action in task.group.signals.actions.items():
        if action.handler == SIG_IGN:
            ignored |= 1 << signo - 1
        elif action.handler != SIG_DFL:
            caught |= 1 << signo - 1
    return ignored, caught


def _stat(task: Task) -> bytes:
    """/proc/PID/stat: 52 fields in one line (do_task_stat)."""
    group, mm, kernel = task.group, task.mm, task.kernel
    usage = show.usage(mm)
    ignored, caught = _signal_masks(task)
    cpu = kernel.clock.cputime() // TICK_NS
    started = (group.start_ns - kernel.boot_ns) // TICK_NS
    fields = [
        _state(task), _parent(group), group.pgid, group.sid, 0, -1, 0x400000, 0, 0, 0, 0, cpu, 0, 0, 0,
        20 + task.nice, task.nice, len(group.tasks), 0, started, usage.size, usage.rss >> PAGE_SHIFT,
        group.limit(5) if group.limit(5) != RLIM_INFINITY else (1 << 64) - 1, 1, 1, mm.stack_start, 0, 0,
        task.signals.pending_mask() & 0x7FFFFFFF, task.signals.mask & 0x7FFFFFFF, ignored & 0x7FFFFFFF,
        caught & 0x7FFFFFFF, 0, 0, 0, 17, 0, 0, task.scheduler[0], 0, 0, 0, 0, 0, mm.brk_start, 0, 0, 0, 0, 0,
    ]  # fmt: skip
    return b"%d (%s) %s\n" % (task.tid, task.comm, " ".join(map(str, fields)).encode())


def _status(task: Task) -> bytes:
    """/proc/PID/status (fs/proc/array.c)."""
    group, cred = task.group, task.cred
    usage = show.usage(task.mm)
    ignored, caught = _signal_masks(task)
    state = {"R": "R (running)", "S": "S (sleeping)"}[_state(task)]
    memory = (
        ("VmPeak", usage.size), ("VmSize", usage.size), ("VmLck", usage.locked), ("VmPin", 0),
        ("VmHWM", usage.peak_rss), ("VmRSS", usage.rss), ("RssAnon", usage.anonymous),
        ("RssFile", usage.rss - usage.anonymous), ("RssShmem", 0), ("VmData", usage.data), ("VmStk", usage.stack),
        ("VmExe", usage.text), ("VmLib", 0), ("VmPTE", 0), ("VmSwap", 0),
    )  # fmt: skip
    lines = [
        f"Name:\t{task.comm.decode(errors='surrogateescape')}",
        f"Umask:\t{task.fs.umask:04o}",
        f"State:\t{state}",
        f"Tgid:\t{group.tgid}",
        "Ngid:\t0",
        f"Pid:\t{task.tid}",
        f"PPid:\t{_parent(group)}",
        "TracerPid:\t0",
        f"Uid:\t{cred.uid}\t{cred.euid}\t{cred.suid}\t{cred.fsuid}",
        f"Gid:\t{cred.gid}\t{cred.egid}\t{cred.sgid}\t{cred.fsgid}",
        f"FDSize:\t{max(64, *(fd + 1 for fd in task.files), 0)}",
        f"Groups:\t{''.join(f'{gid} ' for gid in cred.groups)}",
        *(f"{name}:\t{value >> 10:8} kB" for name, value in memory),
        f"Threads:\t{len(group.tasks)}",
        f"SigQ:\t0/{group.limit(11)}",
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
        "Seccomp:\t0",
        "Seccomp_filters:\t0",
        "Cpus_allowed:\t1",
        "Cpus_allowed_list:\t0",
        "Mems_allowed:\t00000001",
        "Mems_allowed_list:\t0",
        "voluntary_ctxt_switches:\t0",
        "nonvoluntary_ctxt_switches:\t0",
    ]
    return ("\n".join(lines) + "\n").encode(errors="surrogateescape")
