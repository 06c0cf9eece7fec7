"""setxattrat(2) and its kin."""

from fakes import SCRATCH, call, make_task

from syscalls.abi.errno import E2BIG, EINVAL, ENODATA, EOPNOTSUPP, ERANGE

CWD, EMPTY_PATH = -100, 0x1000


def arguments(task, value, size, flags=0):
    task.mm.write(SCRATCH, value.to_bytes(8, "little") + size.to_bytes(4, "little") + flags.to_bytes(4, "little"))
    return SCRATCH


def test_a_value_comes_back_through_a_descriptor_and_by_name():
    task = make_task()
    fd = call(task, "open", b"/tmp/f", 0o102, 0o644)
    task.mm.write(SCRATCH + 64, b"value")
    assert call(task, "setxattrat", CWD, b"/tmp/f", 0, b"user.a", arguments(task, SCRATCH + 64, 5), 16) == 0
    args = arguments(task, SCRATCH + 128, 64)
    assert call(task, "getxattrat", fd, b"", EMPTY_PATH, b"user.a", args, 16) == 5
    assert task.mm.read(SCRATCH + 128, 5) == b"value"
    assert call(task, "getxattrat", CWD, b"/tmp/f", 0, b"user.a", arguments(task, 0, 0), 16) == 5
    assert call(task, "getxattrat", CWD, b"/tmp/f", 0, b"user.a", arguments(task, SCRATCH, 2), 16) == -ERANGE
    assert call(task, "listxattrat", CWD, b"/tmp/f", 0, SCRATCH, 64) == 7
    assert call(task, "removexattrat", CWD, b"/tmp/f", 0, b"user.a") == 0
    assert call(task, "removexattrat", CWD, b"/tmp/f", 0, b"user.a") == -ENODATA


def test_refusals():
    task = make_task()
    args = arguments(task, SCRATCH + 64, 5)
    assert call(task, "getxattrat", CWD, b"/tmp", 0, b"user.a", args, 15) == -EINVAL
    assert call(task, "getxattrat", CWD, b"/tmp", 0, b"user.a", args, 5000) == -E2BIG
    assert call(task, "getxattrat", CWD, b"/tmp", 1, b"user.a", args, 16) == -EINVAL
    assert call(task, "getxattrat", CWD, b"/tmp", 0, b"user.a", arguments(task, 0, 0, 1), 16) == -EINVAL


def test_nobody_has_an_access_control_list():
    task = make_task()
    call(task, "symlink", b"nowhere", b"/tmp/link")
    acl = b"system.posix_acl_access"
    assert call(task, "getxattr", b"/tmp", acl, 0, 0) == -ENODATA
    assert call(task, "lgetxattr", b"/tmp/link", acl, 0, 0) == -EOPNOTSUPP
    assert call(task, "setxattr", b"/tmp", acl, SCRATCH, 4, 0) == -EOPNOTSUPP
    assert call(task, "getxattr", b"/tmp", b"system.other", 0, 0) == -EOPNOTSUPP
