"""unshare(2), setns(2), clone(2) with CLONE_NEW*, /proc/PID/ns, uid_map and its neighbours."""

from __future__ import annotations

import pytest
from fakes import SCRATCH, call, make_task, new_thread

from syscalls.abi.arch import X86_64
from syscalls.abi.errno import EACCES, EBADF, EINVAL, ENOENT, EPERM
from syscalls.abi.fcntl import O_RDONLY, O_RDWR, O_WRONLY
from syscalls.abi.sched import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_SYSVSEM,
    CLONE_VFORK,
    CLONE_VM,
)
from syscalls.abi.signal import SIGCHLD
from syscalls.fs.procfs import ProcFs
from syscalls.kernel import proc

OVERFLOW = 65534
NS_GET_USERNS, NS_GET_PARENT, NS_GET_NSTYPE, NS_GET_OWNER_UID = range(0xB701, 0xB705)


def make(uid=0):
    task = make_task(X86_64, uid)
    fs = ProcFs(task.kernel.new_dev(), task.kernel.realtime, proc.root(task.kernel))
    task.kernel.current = task
    root = task.cred
    task.cred = make_task().cred
    assert call(task, "mkdir", b"/proc", 0o755) == 0
    task.kernel.mounts.mount(fs.root, task.fs.cwd._replace(dentry=task.fs.cwd.dentry.child(b"proc")), source=b"proc")
    task.cred = root
    return task


def read(task, path):
    fd = call(task, "open", path, O_RDONLY)
    if fd < 0:
        return fd
    count = call(task, "read", fd, SCRATCH, 4096)
    call(task, "close", fd)
    return task.mm.read(SCRATCH, count)


def write(task, path, text):
    fd = call(task, "open", path, O_WRONLY)
    if fd < 0:
        return fd
    task.mm.write(SCRATCH, text)
    result = call(task, "write", fd, SCRATCH, len(text))
    call(task, "close", fd)
    return result


def link(task, path):
    count = call(task, "readlink", path, SCRATCH, 100)
    return task.mm.read(SCRATCH, count)


def uts_name(task):
    return read(task, b"/proc/sys/kernel/hostname")


# --- flags ------------------------------------------------------------------------------------------------------------


def test_flags():
    task = make()
    assert call(task, "unshare", 0) == 0
    assert call(task, "unshare", CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_VM) == 0
    assert call(task, "unshare", CLONE_VFORK) == -EINVAL
    assert call(task, "unshare", CLONE_NEWPID) == -EINVAL
    assert call(task, "unshare", CLONE_NEWTIME) == -EINVAL
    assert call(task, "setns", 9, 0) == -EBADF
    for flags in (CLONE_NEWNS | CLONE_FS, CLONE_NEWUSER | CLONE_FS, CLONE_NEWIPC | CLONE_SYSVSEM):
        assert call(task, "clone", flags | SIGCHLD) == -EINVAL


def test_threads_share_their_users_and_their_memory():
    task = make()
    new_thread(task)
    assert call(task, "unshare", CLONE_VM) == -EINVAL
    assert call(task, "unshare", CLONE_NEWUSER) == -EINVAL
    assert call(task, "unshare", CLONE_NEWUTS) == 0


def test_descriptors_are_shared_until_then():
    task = make()
    other = new_thread(task)
    assert call(other, "unshare", CLONE_FILES) == 0
    fd = call(task, "open", b"/", O_RDONLY)
    assert call(other, "close", fd) == -EBADF
    assert call(other, "unshare", CLONE_FS) == 0
    assert call(other, "chdir", b"/tmp") == 0
    assert (link(task, b"/proc/self/cwd"), link(other, b"/proc/thread-self/cwd")) == (b"/", b"/tmp")


@pytest.mark.parametrize("flag", [CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWCGROUP])
def test_others_than_users_need_a_capability(flag):
    assert call(make(1000), "unshare", flag) == -EPERM
    assert call(make(1000), "unshare", flag | CLONE_NEWUSER) == 0
    assert call(make(), "unshare", flag) == 0


# --- kinds ------------------------------------------------------------------------------------------------------------


def test_names_of_the_system():
    task = make()
    child = task.kernel.tasks[call(task, "clone", CLONE_NEWUTS | SIGCHLD)]
    task.mm.write(SCRATCH, b"mine")
    assert call(task, "sethostname", SCRATCH, 4) == 0
    assert (uts_name(task), uts_name(child)) == (b"mine\n", b"trapeze\n")


def test_system_v_ipc_and_message_queues():
    task = make()
    assert call(task, "msgget", 7, 0o1600) >= 0
    assert call(task, "mq_open", b"q", O_RDWR | 0o100, 0o600, 0) >= 0
    assert call(task, "unshare", CLONE_NEWIPC) == 0
    assert call(task, "msgget", 7, 0) == -ENOENT
    assert call(task, "mq_open", b"q", O_RDWR, 0, 0) == -ENOENT


def test_mounts():
    task = make()
    child = task.kernel.tasks[call(task, "clone", CLONE_NEWNS | SIGCHLD)]
    assert call(child, "chdir", b"/tmp") == 0
    assert call(child, "mount", b"none", b"/tmp", b"tmpfs", 0, 0) == 0
    assert call(child, "mkdir", b"/tmp/inside", 0o755) == 0
    assert call(task, "access", b"/tmp/inside", 0) == -ENOENT
    assert b" /tmp " in read(child, b"/proc/self/mountinfo")
    assert b" /tmp " not in read(task, b"/proc/self/mountinfo")


def test_entering_a_namespace():
    task = make()
    first = call(task, "open", b"/proc/self/ns/uts", O_RDONLY)
    name = link(task, b"/proc/self/ns/uts")
    assert call(task, "unshare", CLONE_NEWUTS) == 0
    assert link(task, b"/proc/self/ns/uts") != name
    assert call(task, "setns", first, CLONE_NEWIPC) == -EINVAL
    assert call(task, "setns", first, CLONE_NEWUTS) == 0
    assert link(task, b"/proc/self/ns/uts") == name
    child = call(task, "clone", CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD)
    pidfd = call(task, "pidfd_open", child, 0)
    assert call(task, "setns", pidfd, 0) == -EINVAL
    assert call(task, "setns", pidfd, CLONE_NEWUTS | CLONE_NEWIPC) == 0
    assert link(task, b"/proc/self/ns/ipc") == link(task, b"/proc/%d/ns/ipc" % child)
    assert call(task, "setns", pidfd, CLONE_NEWUSER) == -EINVAL  # it is in there


def test_namespaces_are_files():
    task = make()
    fd = call(task, "open", b"/proc/self/ns/net", O_RDONLY)
    assert call(task, "ioctl", fd, NS_GET_NSTYPE, 0) == CLONE_NEWNET
    assert call(task, "ioctl", fd, NS_GET_USERNS, 0) > fd
    assert call(task, "ioctl", fd, NS_GET_PARENT, 0) == -EINVAL
    assert call(task, "ioctl", fd, NS_GET_OWNER_UID, SCRATCH) == -EINVAL
    users = call(task, "open", b"/proc/self/ns/user", O_RDONLY)
    assert call(task, "ioctl", users, NS_GET_PARENT, 0) == -EPERM
    assert call(task, "ioctl", users, NS_GET_OWNER_UID, SCRATCH) == 0
    stranger = make(1000)
    assert call(stranger, "readlink", b"/proc/1/ns/uts", SCRATCH, 100) > 0  # its own


# --- users ------------------------------------------------------------------------------------------------------------


def test_a_user_becomes_root():
    """What `unshare -r` does."""
    task = make(1000)
    assert call(task, "unshare", CLONE_NEWUSER) == 0
    assert call(task, "getuid") == call(task, "getgid") == OVERFLOW
    assert task.cred.capable_here(21)
    assert not task.cred.capable(21)
    assert write(task, b"/proc/self/gid_map", b"0 1000 1") == -EPERM
    assert write(task, b"/proc/self/setgroups", b"deny") == 4
    assert write(task, b"/proc/self/gid_map", b"0 1000 1") == 8
    assert write(task, b"/proc/self/uid_map", b"0 1000 1") == 8
    assert write(task, b"/proc/self/uid_map", b"0 1000 1") == -EPERM
    assert call(task, "getuid") == call(task, "geteuid") == call(task, "getgid") == 0
    assert read(task, b"/proc/self/uid_map").split() == [b"0", b"1000", b"1"]
    assert call(task, "setgroups", 0, 0) == -EPERM
    assert call(task, "setuid", 1) == -EINVAL
    assert call(task, "sethostname", SCRATCH, 1) == -EPERM  # not its own
    assert call(task, "unshare", CLONE_NEWUTS) == 0
    assert call(task, "sethostname", SCRATCH, 1) == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"x", EINVAL),
        (b"0 1000", EINVAL),
        (b"0 1000 0", EINVAL),
        (b"0 1000 1\n0 1001 1\n", EINVAL),
        (b"0 4294967295 1", EINVAL),
        (b"0 1000 2", EPERM),
        (b"0 1001 1", EPERM),
    ],
)
def test_maps_that_are_refused(text, error):
    task = make(1000)
    assert call(task, "unshare", CLONE_NEWUSER) == 0
    assert write(task, b"/proc/self/uid_map", text) == -error


def test_root_outside_maps_as_it_likes():
    task = make()
    child = task.kernel.tasks[call(task, "clone", CLONE_NEWUSER | SIGCHLD)]
    assert write(task, b"/proc/%d/uid_map" % child.tid, b"0 1000 10\n10 5000 1\n") == 20
    assert write(task, b"/proc/%d/gid_map" % child.tid, b"0 1000 10") == 9
    assert call(child, "setresuid", 10, 0, 3) == 0
    assert (child.cred.uid, child.cred.euid, child.cred.suid) == (5000, 1000, 1003)
    assert call(child, "setgroups", 0, 0) == 0


def test_files_have_owners_by_the_map():
    task = make()
    assert call(task, "mkdir", b"/tmp/mine", 0o700) == 0
    assert call(task, "mkdir", b"/tmp/root", 0o700) == 0
    assert call(task, "chown", b"/tmp/mine", 1000, 1000) == 0
    task = new_user = task.kernel.tasks[call(task, "clone", SIGCHLD)]
    call(new_user, "setgid", 1000)
    call(new_user, "setuid", 1000)
    assert call(task, "unshare", CLONE_NEWUSER) == 0
    write(task, b"/proc/self/uid_map", b"0 1000 1")
    assert call(task, "mkdir", b"/tmp/mine/x", 0o700) == 0
    assert call(task, "chdir", b"/tmp/root") == -EACCES  # capabilities do not reach those who have no name here
    assert call(task, "chown", b"/tmp/mine", 5, -1) == -EINVAL
