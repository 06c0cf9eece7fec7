"""/proc: formats held against the running kernel's, and who may see what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes import SCRATCH, call, make_task, new_thread

from syscalls.abi.errno import EACCES, EINVAL, EIO, ENOENT, EPERM, ESRCH, SysError
from syscalls.abi.fcntl import O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, O_WRONLY
from syscalls.fs import open as fs_open
from syscalls.fs import vfs
from syscalls.fs.cred import Credentials
from syscalls.fs.path import resolve
from syscalls.fs.pipe import make_pipe
from syscalls.fs.procfs import ProcFs
from syscalls.kernel import proc


@pytest.fixture
def task():
    return with_proc(make_task())


def with_proc(task):
    kernel = task.kernel
    kernel.current = task
    task.comm = b"prog"
    root = Credentials.of(0, 0)
    mine, task.cred = task.cred, root
    vfs.mkdir(task, None, b"/proc", 0o555)
    fs = ProcFs(kernel.new_dev(), kernel.realtime, proc.root(kernel))
    kernel.mounts.mount(fs.root, resolve(task, None, b"/proc"), source=b"proc")
    task.cred = mine
    return task


def read(task, name: str) -> bytes:
    file = fs_open.open(task, None, b"/proc/" + name.encode(), O_RDONLY)
    return file.pread(1 << 20, 0)


def write(task, name: str, data: bytes) -> int:
    return fs_open.open(task, None, b"/proc/" + name.encode(), O_WRONLY).write(data)


def names(task, name: str) -> list[str]:
    file = fs_open.open(task, None, b"/proc/" + name.encode(), O_DIRECTORY)
    return [entry[0].decode() for entry in file.entries()][2:]


def refused(errno: int, function, *args) -> None:
    with pytest.raises(SysError) as caught:
        function(*args)
    assert caught.value.errno == errno


def shape(text: bytes) -> list[str]:
    """Lines with each number replaced, and blanks made one."""
    return [re.sub(r"\s+", " ", re.sub(r"\b(0x)?[0-9a-f]+\b", "N", line)) for line in text.decode().splitlines()]


# --- formats ----------------------------------------------------------------------------------------------------------


def test_status_has_the_kernels_rows_in_its_order(task) -> None:
    mine = [line.split(":")[0] for line in read(task, "self/status").decode().splitlines()]
    real = [line.split(":")[0] for line in Path("/proc/self/status").read_text().splitlines()]
    assert [name for name in mine if name in real] == [name for name in real if name in mine]
    assert set(mine) <= set(real)
    missing = set(real) - set(mine)
    assert missing <= {"untag_mask", "x86_Thread_features", "x86_Thread_features_locked"}


def test_limits_are_printed_as_the_kernel_does(task) -> None:
    mine, real = read(task, "self/limits").splitlines(), Path("/proc/self/limits").read_bytes().splitlines()
    assert mine[0] == real[0]
    assert [line[:26] for line in mine] == [line[:26] for line in real]
    assert [len(line) for line in mine] == [len(line) for line in real]


def test_stat_has_52_fields(task) -> None:
    task.comm = b"a (b) c"
    line = read(task, "self/stat")
    assert line.startswith(b"%d (a (b) c) R 0 " % task.tid)
    assert len(line.split(b") ")[-1].split()) == 50 == len(Path("/proc/self/stat").read_text().split(") ")[-1].split())


def test_maps_and_smaps(task) -> None:
    assert read(task, "self/maps") == b"00100000-00200000 rw-p 00000000 00:00 0 \n"
    mine = shape(read(task, "self/smaps"))
    real = shape(Path("/proc/self/smaps").read_bytes())
    keys = [line.split(":")[0] for line in mine[1:]]
    per_area = real[1 : 1 + len(keys)]
    assert keys == [line.split(":")[0] for line in per_area if "ProtectionKey" not in line]
    assert mine[1] == real[1] == "Size: N kB"
    real_lines = Path("/proc/self/smaps").read_text().splitlines()
    mine_lines = read(task, "self/smaps").decode().splitlines()
    assert {len(line) for line in mine_lines[1:-2]} == {len(line) for line in real_lines[1 : len(keys) - 1]}


def test_smaps_rollup_sums_up(task) -> None:
    task.mm.write(SCRATCH, b"x")
    lines = read(task, "self/smaps_rollup").splitlines()
    assert lines[0].startswith(b"00100000-00200000 ---p 00000000 00:00 0 ")
    assert lines[0].endswith(b"[rollup]")
    assert lines[1].split() == [b"Rss:", b"%d" % (4 * len(task.mm.frames)), b"kB"]


def test_cmdline_is_what_memory_holds_now(task) -> None:
    task.mm.write(SCRATCH, b"prog\0arg\0HOME=/\0")
    task.group.arguments_at, task.group.environment_at = (SCRATCH, SCRATCH + 9), (SCRATCH + 9, SCRATCH + 16)
    assert read(task, "self/cmdline") == b"prog\0arg\0"
    assert read(task, "self/environ") == b"HOME=/\0"
    task.mm.write(SCRATCH, b"a new title that is longer"[:16])  # setproctitle: over the end of the arguments
    assert read(task, "self/cmdline") == b"a new title that"[:16]


def test_machine_files_are_shaped_like_the_kernels(task) -> None:
    assert shape(read(task, "uptime")) == ["N.N N.N"]
    assert shape(read(task, "loadavg")) == shape(Path("/proc/loadavg").read_bytes())
    real = {line.split(":")[0]: line for line in Path("/proc/meminfo").read_text().splitlines()}
    for line in read(task, "meminfo").decode().splitlines():
        name = line.split(":")[0]
        if len(real[name].split()[1]) <= 8:  # more digits than the column has, on a large host
            assert len(line) == len(real[name]), name
    assert set(re.findall(rb"^\w+", read(task, "stat"), re.MULTILINE)) <= set(
        re.findall(rb"^\w+", Path("/proc/stat").read_bytes(), re.MULTILINE)
    )


def test_every_file_can_be_read(task) -> None:
    def walk(place: str) -> int:
        count = 0
        for name in names(task, place):
            path = resolve(task, None, f"/proc/{place}/{name}".encode(), follow=False)
            if path.dentry.is_dir:
                count += walk(f"{place}/{name}")
            elif not path.dentry.is_symlink and name != "mem":  # nothing is mapped at its beginning
                assert isinstance(read(task, f"{place}/{name}"), bytes)
                count += 1
        return count

    assert walk("") > 100


# --- processes, threads, descriptors ----------------------------------------------------------------------------------


def test_self_is_whoever_looks(task) -> None:
    other = new_thread(task)
    task.kernel.current = other
    assert read(task, "thread-self/comm") == b"\n"
    assert resolve(task, None, b"/proc/self", follow=False).inode.readlink() == b"%d" % task.group.tgid
    assert names(task, "self/task") == [str(task.tid), str(other.tid)]
    assert str(other.tid) not in names(task, "")  # but it can be looked up
    assert read(task, f"{other.tid}/status").splitlines()[5] == b"Pid:\t%d" % other.tid


@pytest.mark.parametrize("name", ["99999", "01", "-1", "self/task/99999", "self/fd/9", "self/fd/00", "self/nothing"])
def test_what_is_not_there(task, name) -> None:
    refused(ENOENT, resolve, task, None, f"/proc/{name}".encode())


def test_a_process_that_is_gone(task) -> None:
    other = new_thread(task)
    file = fs_open.open(task, None, b"/proc/%d/stat" % other.tid, O_RDONLY)
    other.exit(0)
    refused(ESRCH, file.pread, 100, 0)


def test_descriptors_lead_to_their_files(task) -> None:
    assert call(task, "openat", -100, b"/tmp/f", O_CREAT | O_RDWR, 0o600) == 0
    reader, _ = make_pipe(task.kernel.pipefs, 0, 0, 0)
    assert task.files.install(reader, 1024) == 1
    file = task.files.get(0)
    file.write(b"content")
    again = fs_open.open(task, None, b"/proc/self/fd/0", O_RDONLY)
    assert again is not file
    assert again.read(100) == b"content"
    links = [resolve(task, None, b"/proc/self/fd/%d" % fd, follow=False).inode for fd in (0, 1)]
    assert links[0].readlink() == b"/tmp/f"
    assert links[1].readlink() == b"pipe:[%d]" % reader.inode.ino
    assert [link.mode & 0o777 for link in links] == [0o700, 0o500]
    vfs.unlink(task, None, b"/tmp/f")
    assert links[0].readlink() == b"/tmp/f (deleted)"
    assert fs_open.open(task, None, b"/proc/self/fd/0", O_RDONLY).read(7) == b"content"
    assert read(task, "self/fdinfo/0").startswith(b"pos:\t7\nflags:\t0100002\n")
    call(task, "close", 0)
    refused(ENOENT, links[0].readlink)


# --- permission -------------------------------------------------------------------------------------------------------


def test_other_users_see_only_what_is_public(task) -> None:
    stranger = make_stranger(task)
    place = str(task.tid)
    assert read(stranger, f"{place}/stat").startswith(b"%d (prog)" % task.tid)
    for name in ("environ", "maps", "smaps", "auxv", "fd", "io"):
        refused(EACCES, fs_open.open, stranger, None, f"/proc/{place}/{name}".encode(), O_RDONLY)
    for name in ("exe", "cwd", "root"):
        link = resolve(stranger, None, f"/proc/{place}/{name}".encode(), follow=False)
        refused(EACCES, link.inode.readlink)
    refused(EACCES, resolve, stranger, None, f"/proc/{place}/root/tmp".encode())


def make_stranger(task):
    """A process of user 1000 in the same kernel."""
    from syscalls.kernel.task import Task, ThreadGroup

    group = ThreadGroup(task.kernel, task.kernel.new_pid())
    stranger = Task(
        group, group.tgid, task.arch, mm=task.mm, files=task.files, fs=task.fs, cred=Credentials.of(1000, 1000),
        cpu=task.cpu,
    )  # fmt: skip
    task.kernel.add(stranger)
    task.kernel.current = stranger
    return stranger


def test_settings(task) -> None:
    assert write(task, "sys/kernel/hostname", b"other\n") == 6
    assert task.ns.uts.nodename == b"other"
    assert write(task, "sys/fs/protected_symlinks", b"0\n") == 2
    assert task.kernel.mounts.protected_symlinks == 0
    for bad in (b"2\n", b"x", b""):
        refused(EINVAL, write, task, "sys/fs/protected_symlinks", bad)
    refused(EACCES, write, task, "sys/kernel/pid_max", b"1")
    refused(EACCES, write, make_stranger(task), "sys/kernel/hostname", b"x")


def test_writing(task) -> None:
    assert write(task, "self/comm", b"a name that is too long") == 23
    assert task.comm == b"a name that is "
    write(task, "self/oom_score_adj", b"-500\n")
    assert (read(task, "self/oom_score_adj"), read(task, "self/oom_adj")) == (b"-500\n", b"-8\n")
    refused(EINVAL, write, task, "self/oom_score_adj", b"1001")
    refused(EPERM, write, task, "self/uid_map", b"0 0 1")
    refused(EINVAL, write, task, "self/stat", b"x")
    refused(EIO, write, task, "meminfo", b"x")
    refused(ENOENT, fs_open.open, task, None, b"/proc/new", O_CREAT | O_RDWR, 0o600)
    stranger = make_stranger(task)
    refused(EACCES, write, stranger, f"{task.tid}/oom_score_adj", b"0")
    refused(EACCES, write, stranger, "self/oom_score_adj", b"-1")


def test_lookup_makes_only_what_is_asked_for(task, monkeypatch) -> None:
    made = []
    entries = {name: (lambda task, name=name: made.append(name)) for name in proc.ENTRIES}
    monkeypatch.setattr(proc, "ENTRIES", entries)
    refused(ENOENT, resolve, task, None, b"/proc/self/status")
    assert made == [b"status"]
