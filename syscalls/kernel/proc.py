"""What /proc says: of the guest's processes and of its kernel, never of the host (proc(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.fs.procfs import Directory, Link, Nodes, Text

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import ThreadGroup


def root(kernel: Kernel) -> Nodes:
    """/proc itself."""
    nodes: Nodes = {
        b"self": Link(lambda: b"%d" % _current(kernel)),
        b"thread-self": Link(lambda: b"%d/task/%d" % (_current(kernel), _current(kernel))),
        b"mounts": Link(lambda: b"self/mounts"),
    }
    for tgid, group in kernel.groups.items():
        nodes[b"%d" % tgid] = process(group)
    return nodes


def _current(kernel: Kernel) -> int:
    return next(iter(kernel.groups), 0)


def process(group: ThreadGroup) -> Directory:
    """/proc/PID."""

    def nodes() -> Nodes:
        return {
            b"comm": Text(lambda: group.tasks[0].comm + b"\n"),
            b"exe": Link(lambda: group.tasks[0].fs.name(group.exe) if group.exe else b"", lambda: group.exe),
        }

    return Directory(nodes)
