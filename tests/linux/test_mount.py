"""mount(2) and umount2(2) against what Linux answers."""

from fakes import SCRATCH, call, make_task

from syscalls.abi.errno import EBUSY, EINVAL, ENODEV, ENOENT, ENOTDIR, EPERM, EROFS

RDONLY, REMOUNT, BIND, DETACH, CREAT, RDWR = 1, 32, 4096, 2, 0o100, 2


def with_directories(uid=0):
    task = make_task(uid=uid)
    assert call(task, "mkdir", b"/tmp/a", 0o755) == 0
    assert call(task, "mkdir", b"/tmp/b", 0o755) == 0
    return task


def test_a_tmpfs_covers_a_directory_until_it_is_taken_away():
    task = with_directories()
    assert call(task, "mkdir", b"/tmp/a/under", 0o755) == 0
    assert call(task, "mount", b"none", b"/tmp/a", b"tmpfs", 0, 0) == 0
    assert call(task, "access", b"/tmp/a/under", 0) == -ENOENT
    fd = call(task, "open", b"/tmp/a/f", CREAT | RDWR, 0o644)
    assert fd >= 0
    assert call(task, "rmdir", b"/tmp/a") == -EBUSY
    assert call(task, "umount2", b"/tmp/a", 0) == -EBUSY
    assert call(task, "mount", b"none", b"/tmp/a", b"tmpfs", REMOUNT | RDONLY, 0) == -EBUSY
    assert call(task, "umount2", b"/tmp/a", DETACH) == 0
    assert call(task, "write", fd, SCRATCH, 1) == 1
    assert call(task, "access", b"/tmp/a/under", 0) == 0


def test_a_bind_mount_shows_the_same_and_can_be_read_only_alone():
    task = with_directories()
    assert call(task, "mount", b"/tmp/a", b"/tmp/b", 0, BIND, 0) == 0
    assert call(task, "mkdir", b"/tmp/a/x", 0o755) == 0
    assert call(task, "access", b"/tmp/b/x", 0) == 0
    assert call(task, "mount", 0, b"/tmp/b", 0, BIND | REMOUNT | RDONLY, 0) == 0
    assert call(task, "mkdir", b"/tmp/b/y", 0o755) == -EROFS
    assert call(task, "mkdir", b"/tmp/a/y", 0o755) == 0
    assert call(task, "umount2", b"/tmp/b", 0) == 0


def test_refusals_in_order():
    task = with_directories()
    assert call(task, "mount", 0, b"/tmp/none", b"tmpfs", 0, 0) == -ENOENT
    assert call(task, "mount", 0, b"/tmp/a", 0, 0, 0) == -EINVAL
    assert call(task, "mount", 0, b"/tmp/a", b"nofs", 0, 0) == -ENODEV
    assert call(task, "mount", 0, b"/tmp/a", b"tmpfs", REMOUNT, 0) == -EINVAL
    assert call(task, "mknod", b"/tmp/f", 0o100644, 0) == 0
    assert call(task, "mount", b"/tmp/f", b"/tmp/a", 0, BIND, 0) == -ENOTDIR
    assert call(task, "umount2", b"/tmp/a", 0) == -EINVAL
    assert call(task, "umount2", b"/tmp/a", 0x100) == -EINVAL
    user = with_directories(uid=1000)
    assert call(user, "mount", 0, b"/tmp/a", b"tmpfs", 0, 0) == -EPERM
    assert call(user, "umount2", b"/tmp/a", 0) == -EPERM
