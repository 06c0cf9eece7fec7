"""/proc/PID and its neighbours: what the guest's processes may be seen to do (proc(5), fs/proc/base.c).

Nodes are made by name, when somebody looks one up, and know how to find their subject again: a name may be looked up
once and read later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from syscalls.abi.errno import EACCES, EINVAL, ENOENT, EPERM, ESRCH, SysError
from syscalls.abi.poll import POLLIN, POLLRDNORM
from syscalls.abi.stat import S_IRUSR, S_IWUSR, S_IXUSR
from syscalls.fs import userns
from syscalls.fs.cred import CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from syscalls.fs.fdtable import path_of
from syscalls.fs.procfs import Directory, Link, Node, Store, Text, nobody_asks
from syscalls.kernel import procstat, procsys
from syscalls.kernel.procmem import MemoryNode
from syscalls.kernel.ptrace_access import may_access
from syscalls.mm import show

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.fs.mount import MountTable
    from syscalls.fs.path import Path
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task

COMM_BYTES = 15
OOM_ADJ_MAX, OOM_ADJ_MIN, OOM_DISABLE, OOM_SCORE_ADJ_MAX = 15, -16, -17, 1000
#: /proc/PID/ns, in the kernel's order.
NAMESPACES = (
    "net", "uts", "ipc", "pid", "pid_for_children", "user", "mnt", "cgroup", "time", "time_for_children",
)  # fmt: skip


def root(kernel: Kernel) -> Directory:
    """/proc itself."""

    def reader() -> Task:
        return kernel.current or next(iter(kernel.tasks.values()))

    fixed: dict[bytes, Node] = {
        b"self": Link(lambda: b"%d" % reader().group.tgid),
        b"thread-self": Link(lambda: b"%d/task/%d" % (reader().group.tgid, reader().tid)),
        b"mounts": Link(lambda: b"self/mounts"),
        b"net": Link(lambda: b"self/net"),
        **procsys.nodes(kernel),
    }

    def names() -> Iterator[bytes]:
        yield from fixed
        yield from (b"%d" % tgid for tgid, group in sorted(kernel.groups.items()) if group.tasks)

    def find(name: bytes) -> Node | None:
        if name in fixed:
            return fixed[name]
        task = kernel.tasks.get(_number(name))
        return None if task is None else _process(task)  # a thread's id is found too, but not listed

    return Directory(names, find)


def _number(name: bytes) -> int:
    """A name that is a number as the kernel writes it, or -1 (name_to_int)."""
    return int(name) if name.isdigit() and (name == b"0" or name[:1] != b"0") else -1


def _process(task: Task) -> Directory:
    """/proc/PID."""
    group = task.group

    def threads() -> list[bytes]:
        return [b"%d" % thread.tid for thread in group.tasks]

    def thread(name: bytes) -> Node | None:
        found = group.kernel.tasks.get(_number(name))
        return _thread(found) if found is not None and found.group is group else None

    return _thread(task, {b"task": lambda task: Directory(threads, thread, 0o555, _ids(task))})


def _thread(task: Task, more: dict[bytes, Callable[[Task], Node]] | None = None) -> Directory:
    """/proc/PID/task/TID; with `more`, /proc/PID."""
    table = {**more, **ENTRIES} if more else ENTRIES

    def find(name: bytes) -> Node | None:
        if not task.alive:
            raise SysError(ESRCH)
        return table[name](task) if name in table else None

    return Directory(lambda: list(table), find, 0o555, _ids(task))


def _ids(task: Task) -> tuple[int, int]:
    return task.cred.euid, task.cred.egid


def _owner(task: Task) -> tuple[int, int]:
    """Root's, when the process has something to hide (task_dump_owner)."""
    return _ids(task) if task.group.dumpable == 1 else (0, 0)


# --- who may look -----------------------------------------------------------------------------------------------------


def _inspectable(task: Task) -> bool:
    """May the caller see what is in the process? (PTRACE_MODE_READ_FSCREDS)."""
    return may_access(task.kernel.current or task, task, fs_ids=True)


def _guard(task: Task) -> Callable[[], None]:
    def check() -> None:
        if not _inspectable(task):
            raise SysError(EACCES)

    return check


# --- kinds of entries -------------------------------------------------------------------------------------------------

Entry = Callable[["Task"], Node]


def _text(
    render: Callable[[Task], bytes],
    mode: int = 0o444,
    store: Callable[[Task, bytes], None] | None = None,
    *,
    private: bool = False,
    events: int | None = None,
) -> Entry:
    """A file; `private`: only for those who may look into the process; `events`: see `Text`."""

    def make(task: Task) -> Node:
        def content() -> bytes:
            if not task.alive:
                raise SysError(ESRCH)
            return render(task)

        keep: Store | None = None if store is None else lambda data: store(task, data)
        return Text(content, mode, _owner(task), keep, _guard(task) if private else nobody_asks, events=events)

    return make


def _magic(task: Task, place: Callable[[], Path | None], mode: int = 0o777) -> Link:
    """A link that leads to an object."""

    def jump() -> Path:
        _guard(task)()
        path = place()
        if path is None:
            raise SysError(ENOENT)
        return path

    def target() -> bytes:
        return (task.kernel.current or task).fs.name(jump())

    return Link(target, jump, mode, _owner(task))


# --- descriptors ------------------------------------------------------------------------------------------------------


def _per_descriptor(node: Callable[[Task, int], Node], mode: int) -> Entry:
    """A directory with an entry for each descriptor."""

    def make(task: Task) -> Node:
        def names() -> list[bytes]:
            return [b"%d" % fd for fd in task.files]

        def find(name: bytes) -> Node | None:
            fd = _number(name)
            return node(task, fd) if fd in task.files else None

        return Directory(names, find, mode, _ids(task))  # its own descriptors are never hidden from a process

    return make


def _file(task: Task, fd: int) -> File:
    if fd not in task.files:
        raise SysError(ENOENT)
    return task.files.get_any(fd)


def _descriptor(task: Task, fd: int) -> Node:
    """/proc/PID/fd/N: its permission bits are the descriptor's own access."""
    file = _file(task, fd)
    mode = S_IXUSR | (S_IRUSR if file.readable else 0) | (S_IWUSR if file.writable else 0)
    return _magic(task, lambda: path_of(_file(task, fd)), mode)


def _descriptor_info(task: Task, fd: int) -> Node:
    """/proc/PID/fdinfo/N."""

    def render() -> bytes:
        file = _file(task, fd)
        cloexec = 0o2000000 if fd in task.files.cloexec else 0
        text = b"pos:\t%d\nflags:\t0%o\nmnt_id:\t%d\nino:\t%d\n" % (
            file.position, file.flags | cloexec, path_of(file).mount.id, file.inode.ino,
        )  # fmt: skip
        return text + file.details()

    return Text(render, 0o444, _owner(task), guard=_guard(task))


# --- single files -----------------------------------------------------------------------------------------------------


def _strings(task: Task, place: tuple[int, int]) -> bytes:
    """What the process's memory holds between two addresses, as far as it is mapped."""
    start, end = place
    try:
        return task.mm.read_some(start, end - start) if end > start else b""
    except SysError:
        return b""


def _cmdline(task: Task) -> bytes:
    """The arguments; a program that has written over their end means what now goes on behind (get_mm_cmdline)."""
    group = task.group
    start, end = group.arguments_at
    text = _strings(task, (start, end))
    if not text or text[-1:] == b"\0":
        return text
    return _strings(task, (start, group.environment_at[1])).split(b"\0", 1)[0]


def _set_comm(task: Task, data: bytes) -> None:
    """The name of a thread, which only its own process may change (comm_write)."""
    reader = task.kernel.current
    if reader is not None and reader.group is not task.group:
        raise SysError(EINVAL)
    task.comm = data[:COMM_BYTES].split(b"\0", 1)[0]


def _integer(data: bytes) -> int:
    try:
        return int(data.strip(b" \t\n\0") or b"x", 0)
    except ValueError:
        raise SysError(EINVAL) from None


def _set_oom_score(task: Task, data: bytes) -> None:
    """-1000 to 1000; less than it was needs a capability (oom_score_adj_write)."""
    value, group = _integer(data), task.group
    if not -OOM_SCORE_ADJ_MAX <= value <= OOM_SCORE_ADJ_MAX:
        raise SysError(EINVAL)
    reader = task.kernel.current or task
    if value < group.oom_score_adj and not reader.cred.capable(CAP_SYS_RESOURCE):
        raise SysError(EACCES)
    group.oom_score_adj = value


def _oom_adj(task: Task) -> bytes:
    score = task.group.oom_score_adj
    if score == OOM_SCORE_ADJ_MAX:
        return b"%d\n" % OOM_ADJ_MAX
    return b"%d\n" % int(score * -OOM_DISABLE / OOM_SCORE_ADJ_MAX)


def _set_oom_adj(task: Task, data: bytes) -> None:
    """The old scale, -17 to 15 (oom_adj_write)."""
    value = _integer(data)
    if not (OOM_ADJ_MIN <= value <= OOM_ADJ_MAX or value == OOM_DISABLE):
        raise SysError(EINVAL)
    score = OOM_SCORE_ADJ_MAX if value == OOM_ADJ_MAX else int(value * OOM_SCORE_ADJ_MAX / -OOM_DISABLE)
    _set_oom_score(task, b"%d" % score)


def _set_coredump_filter(task: Task, data: bytes) -> None:
    task.group.coredump_filter = _integer(data) & 0x1FF


def _set_timer_slack(task: Task, data: bytes) -> None:
    task.timer_slack_ns = _integer(data) or task.default_timer_slack_ns


def _id_map(*, group: bool) -> Entry:
    """uid_map, gid_map: of the process's user namespace, as the reader names ids (user_namespaces(7))."""

    def render(task: Task) -> bytes:
        return userns.show_map(task.cred.user_ns, (task.kernel.current or task).cred.user_ns, group=group)

    def store(task: Task, data: bytes) -> None:
        ns, writer = task.cred.user_ns, (task.kernel.current or task).cred
        if ns is None or writer.user_ns not in (ns, ns.parent):
            raise SysError(EPERM)
        userns.set_map(ns, writer, data, CAP_SETGID if group else CAP_SETUID, group=group)

    return _text(render, 0o644, store)


def _setgroups(task: Task) -> bytes:
    ns = task.cred.user_ns
    return b"allow\n" if ns is None or ns.setgroups_allowed else b"deny\n"


def _set_setgroups(task: Task, data: bytes) -> None:
    """The word deny, as long as there is no gid_map, and for ever (proc_setgroups_write)."""
    ns, word = task.cred.user_ns, data.strip()
    writer = (task.kernel.current or task).cred
    if not writer.ns_capable(ns, CAP_SYS_ADMIN):
        raise SysError(EACCES)
    if word not in {b"allow", b"deny"}:
        raise SysError(EINVAL)
    if word == b"deny":
        if ns is None or ns.groups.extents:
            raise SysError(EPERM)
        ns.setgroups_allowed = False
    elif ns is not None and not ns.setgroups_allowed:
        raise SysError(EPERM)


def _namespaces(task: Task) -> Node:
    """/proc/PID/ns: links to namespaces as files."""
    names = [kind.encode() for kind in NAMESPACES]

    def find(name: bytes) -> Node | None:
        kind = name.decode(errors="replace")
        if kind not in NAMESPACES:
            return None
        nsfs = task.kernel.nsfs
        return _magic(task, lambda: nsfs.path(nsfs.named(task, kind)))

    return Directory(lambda: names, find, 0o511, _ids(task))


def _mounts(task: Task) -> MountTable:
    mounts = task.ns.mnt.table
    if mounts is None:
        raise SysError(EINVAL)
    return mounts


def _io(task: Task) -> bytes:
    del task
    names = ("rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes")
    return "".join(f"{name}: 0\n" for name in names).encode()


def _maps(task: Task) -> bytes:
    return b"".join(row.text(task.arch.word) for row in show.maps(task.mm))


#: /proc/PID and /proc/PID/task/TID, in the kernel's order.
ENTRIES: dict[bytes, Entry] = {
    b"fd": _per_descriptor(_descriptor, 0o500),
    b"fdinfo": _per_descriptor(_descriptor_info, 0o555),
    b"ns": _namespaces,
    b"net": lambda task: Directory(tuple, lambda name: None, 0o555, _ids(task)),  # noqa: ARG005  # it is empty
    b"environ": _text(lambda task: _strings(task, task.group.environment_at), 0o400, private=True),
    b"auxv": _text(lambda task: task.group.auxv, 0o400, private=True),
    b"status": _text(procstat.status),
    b"personality": _text(lambda task: b"%08x\n" % task.personality, 0o400, private=True),
    b"limits": _text(lambda task: procstat.limits(task.group)),
    b"comm": _text(lambda task: task.comm + b"\n", 0o644, _set_comm),
    b"cmdline": _text(_cmdline),
    b"stat": _text(procstat.stat),
    b"statm": _text(procstat.statm),
    b"maps": _text(_maps, private=True),
    b"mem": lambda task: MemoryNode(task, _owner(task)),
    b"cwd": lambda task: _magic(task, lambda: task.fs.cwd),
    b"root": lambda task: _magic(task, lambda: task.fs.root),
    b"exe": lambda task: _magic(task, lambda: task.group.exe),
    b"mounts": _text(lambda task: b"".join(_mounts(task).rows(task.fs.root)), events=POLLIN | POLLRDNORM),
    b"mountinfo": _text(lambda task: b"".join(_mounts(task).info_rows(task.fs.root)), events=POLLIN | POLLRDNORM),
    b"smaps": _text(procstat.smaps, private=True),
    b"smaps_rollup": _text(procstat.smaps_rollup, private=True),
    b"wchan": _text(lambda task: b"0"),  # noqa: ARG005  # the kernel's own addresses are nobody's business
    b"schedstat": _text(lambda task: b"0 0 0\n"),  # noqa: ARG005  # nobody counts
    b"cgroup": _text(lambda task: b"0::/\n"),  # noqa: ARG005  # there is one
    b"oom_score": _text(lambda task: b"%d\n" % max(0, 666 + task.group.oom_score_adj * 2 // 3)),
    b"oom_adj": _text(_oom_adj, 0o644, _set_oom_adj),
    b"oom_score_adj": _text(lambda task: b"%d\n" % task.group.oom_score_adj, 0o644, _set_oom_score),
    b"coredump_filter": _text(lambda task: b"%08x\n" % task.group.coredump_filter, 0o644, _set_coredump_filter),
    b"io": _text(_io, 0o400, private=True),
    b"uid_map": _id_map(group=False),
    b"gid_map": _id_map(group=True),
    b"setgroups": _text(_setgroups, 0o644, _set_setgroups),
    b"timerslack_ns": _text(lambda task: b"%d\n" % task.timer_slack_ns, 0o666, _set_timer_slack),
}
