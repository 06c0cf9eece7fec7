"""Numbers are printed as strace 6.1 prints them. Every expected text was recorded from strace itself."""

from __future__ import annotations

import pytest

from syscalls.abi import (
    fcntl,
    futex,
    ioctl,
    ipc,
    mount,
    poll,
    prctl,
    process,
    ptrace,
    random,
    resource,
    sched,
    signal,
    socket,
    sockopt,
    stat,
    time,
    uio,
    wait,
    xattr,
)
from syscalls.abi.flags import Enum, Flags, Octal, Table, hexadecimal, octal

ALL = 0xFFFFFFFF
_ALL_OPEN = (
    "O_CREAT|O_EXCL|O_NOCTTY|O_TRUNC|O_APPEND|O_NONBLOCK|O_SYNC|O_DIRECT|O_LARGEFILE|O_NOFOLLOW|O_NOATIME|O_CLOEXEC"
    "|O_PATH|O_TMPFILE|FASYNC"
)
_AT = "AT_SYMLINK_NOFOLLOW|AT_REMOVEDIR|AT_SYMLINK_FOLLOW|AT_NO_AUTOMOUNT|AT_EMPTY_PATH|AT_RECURSIVE"


@pytest.mark.parametrize(
    ("table", "value", "text"),
    [
        (fcntl.OPEN_FLAGS, 0, "O_RDONLY"),
        (fcntl.OPEN_FLAGS, 3, "O_ACCMODE"),
        (fcntl.OPEN_FLAGS, 0o102, "O_RDWR|O_CREAT"),
        (fcntl.OPEN_FLAGS, 0x80000002, "O_RDWR|0x80000000"),
        (fcntl.OPEN_FLAGS, 8, "O_RDONLY|0x8"),
        (fcntl.OPEN_FLAGS, 0o20200000, "O_RDONLY|O_TMPFILE"),
        (fcntl.OPEN_FLAGS, 0o20000000, "O_RDONLY|__O_TMPFILE"),
        (fcntl.OPEN_FLAGS, 0x1000, "O_RDONLY|O_DSYNC"),
        (fcntl.OPEN_FLAGS, 0x100000, "O_RDONLY|__O_SYNC"),
        (fcntl.OPEN_FLAGS, ALL, f"O_ACCMODE|{_ALL_OPEN}|0xff80003c"),
        (fcntl.OPEN_FLAGS, 1 << 40 | 1, "O_WRONLY|0x10000000000"),
        (fcntl.CREATION_FLAGS, 0, "0"),
        (fcntl.CREATION_FLAGS, 1, "0x1 /* O_??? */"),
        (fcntl.CREATION_FLAGS, ALL, f"{_ALL_OPEN}|0xff80003f"),
        (fcntl.ACCESS_FLAGS, 0, "F_OK"),
        (fcntl.ACCESS_FLAGS, 0x1000, "0x1000 /* ?_OK */"),
        (fcntl.ACCESS_FLAGS, ALL, "R_OK|W_OK|X_OK|0xfffffff8"),
        (fcntl.FACCESSAT_FLAGS, ALL, "AT_SYMLINK_NOFOLLOW|AT_EACCESS|AT_EMPTY_PATH|0xffffecff"),
        (fcntl.AT_FLAGS, ALL, f"{_AT}|0xffff60ff"),
        (fcntl.AT_FLAGS, 1, "0x1 /* AT_??? */"),
        (fcntl.NAME_TO_HANDLE_FLAGS, ALL, "AT_SYMLINK_FOLLOW|AT_EMPTY_PATH|0xffffebff"),
        (fcntl.STATX_FLAGS, 0, "AT_STATX_SYNC_AS_STAT"),
        (fcntl.STATX_FLAGS, 0x100, "AT_STATX_SYNC_AS_STAT|AT_SYMLINK_NOFOLLOW"),
        (fcntl.STATX_FLAGS, 0x2000, "AT_STATX_FORCE_SYNC"),
        (fcntl.STATX_FLAGS, 1, "AT_STATX_SYNC_AS_STAT|0x1"),
        (fcntl.STATX_FLAGS, ALL, f"AT_STATX_FORCE_SYNC|AT_STATX_DONT_SYNC|{_AT}|0xffff00ff"),
        (fcntl.FCNTL_COMMANDS, 1030, "F_DUPFD_CLOEXEC"),
        (fcntl.FCNTL_COMMANDS, 12, "F_GETLK64"),
        (fcntl.FCNTL_COMMANDS, 99, "0x63 /* F_??? */"),
        (fcntl.FD_FLAGS, ALL, "FD_CLOEXEC|0xfffffffe"),
        (fcntl.LOCK_TYPES, 3, "0x3 /* F_??? */"),
        (fcntl.LOCK_TYPES, 2, "F_UNLCK"),
        (fcntl.SEALS, ALL, "F_SEAL_SEAL|F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE|F_SEAL_FUTURE_WRITE|0xffffffe0"),
        (fcntl.WHENCE, -1, "0xffffffff /* SEEK_??? */"),
        (fcntl.WHENCE, 4, "SEEK_HOLE"),
        (fcntl.RENAME_FLAGS, 8, "0x8 /* RENAME_?? */"),
        (fcntl.FLOCK_OPERATIONS, 6, "LOCK_EX|LOCK_NB"),
        (fcntl.FLOCK_OPERATIONS, ALL, "LOCK_SH|LOCK_EX|LOCK_NB|LOCK_UN|LOCK_MAND|LOCK_RW|0xffffff10"),
        (fcntl.FADVISE, 6, "0x6 /* POSIX_FADV_??? */"),
        (fcntl.RESOLVE_FLAGS, 1 << 33, "0x200000000 /* RESOLVE_??? */"),
        (fcntl.CLOSE_RANGE_FLAGS, ALL, "CLOSE_RANGE_UNSHARE|CLOSE_RANGE_CLOEXEC|0xfffffff9"),
        (stat.FILE_MODE, 0, "000"),
        (stat.FILE_MODE, 0o644, "0644"),
        (stat.FILE_MODE, 0o100644, "S_IFREG|0644"),
        (stat.FILE_MODE, 0o60000, "S_IFBLK|000"),
        (stat.FILE_MODE, 0o104755, "S_IFREG|S_ISUID|0755"),
        (stat.FILE_MODE, 0o207777, "S_ISUID|S_ISGID|S_ISVTX|0777"),
        (stat.FILE_MODE, 0o150644, "0150644"),
        (stat.FILE_MODE, 0o7777777, "0177777"),
        (stat.STATX_MASK, ALL, "STATX_ALL|STATX_MNT_ID|STATX_DIOALIGN|0xffffc000"),
        (stat.STATX_MASK, 0x7FF, "STATX_BASIC_STATS"),
        (stat.STATFS_FLAGS, 0x1020, "ST_VALID|ST_RELATIME"),
        (stat.FILESYSTEMS, 0xEF53, "EXT2_SUPER_MAGIC"),
        (stat.FILESYSTEMS, 0x01021994, "TMPFS_MAGIC"),
        (stat.DEVICE, 0x123, "makedev(0x1, 0x23)"),
        (stat.DEVICE, 0x10203, "makedev(0x102, 0x3)"),
        (stat.DEVICE, 0x800, "makedev(0x8, 0)"),
        (time.CLOCKS, 11, "CLOCK_TAI"),
        (time.CLOCKS, -7, "0xfffffff9 /* CLOCK_??? */"),
        (time.ITIMERS, -1, "0xffffffff /* ITIMER_??? */"),
        (time.TFD_FLAGS, ALL, "TFD_TIMER_ABSTIME|TFD_TIMER_CANCEL_ON_SET|TFD_CLOEXEC|TFD_NONBLOCK|0xfff7f7fc"),
        (signal.SIGNAL, 17, "SIGCHLD"),
        (signal.SIGNAL, 29, "SIGIO"),
        (signal.SIGNAL, 32, "SIGRTMIN"),
        (signal.SIGNAL, 64, "SIGRT_32"),
        (signal.SIGNAL, 65, "65"),
        (signal.SIGNAL, 0, "0"),
        (signal.SIGNAL, -1, "-1"),
        (signal.SIGNAL_SET, 0, "[]"),
        (signal.SIGNAL_SET, 1 << 31, "[RTMIN]"),
        (signal.SIGNAL_SET, 1 << 32, "[RT_1]"),
        (signal.SIGNAL_SET, (1 << 64) - 1, "~[]"),
        (signal.SIGNAL_SET, 0xFFFFFFFE7FFBFEFF, "~[KILL STOP RTMIN RT_1]"),
        (signal.SIGNAL_SET, 0x0000000000010002, "[INT CHLD]"),
        (
            signal.SA_FLAGS,
            ALL,
            (
                "SA_RESTORER|SA_ONSTACK|SA_RESTART|SA_INTERRUPT|SA_NODEFER|SA_RESETHAND|SA_SIGINFO|SA_NOCLDSTOP"
                "|SA_NOCLDWAIT|0x3fffff8"
            ),
        ),
        (signal.SS_FLAGS, 0x80000003, "SS_ONSTACK|SS_DISABLE|SS_AUTODISARM"),
        (signal.SIGPROCMASK_HOW, 3, "0x3 /* SIG_??? */"),
        (resource.RLIMITS, -1, "0xffffffff /* RLIMIT_??? */"),
        (resource.LIMIT64, 8192 * 1024, "8192*1024"),
        (resource.LIMIT64, 1024, "1024"),
        (resource.LIMIT64, 1025, "1025"),
        (resource.LIMIT64, (1 << 64) - 1, "RLIM64_INFINITY"),
        (resource.LIMIT64, 1 << 63, "9007199254740992*1024"),
        (resource.LIMIT32, ALL, "RLIM_INFINITY"),
        (resource.RUSAGE_WHO, -1, "RUSAGE_CHILDREN"),
        (resource.RUSAGE_WHO, -2, "RUSAGE_BOTH"),
        (resource.RUSAGE_WHO, -3, "0xfffffffd /* RUSAGE_??? */"),
        (prctl.PR_OPTIONS, 0, "0 /* PR_??? */"),
        (prctl.PR_OPTIONS, 0x53564D41, "PR_SET_VMA"),
        (prctl.PR_OPTIONS, 47, "PR_CAP_AMBIENT"),
        (prctl.DUMPABLE, 5, "0x5 /* SUID_DUMP_??? */"),
        (prctl.CAPABILITIES, 50, "0x32 /* CAP_??? */"),
        (prctl.SECUREBITS, 0x1000, "0x1000 /* SECBIT_??? */"),
        (prctl.ARCH_PRCTL, 0x1002, "ARCH_SET_FS"),
        (prctl.ARCH_PRCTL, 0x63, "0x63 /* ARCH_??? */"),
        (
            poll.POLL_EVENTS,
            0x7FFF,
            (
                "POLLIN|POLLPRI|POLLOUT|POLLERR|POLLHUP|POLLNVAL|POLLRDNORM|POLLRDBAND|POLLWRNORM|POLLWRBAND|POLLMSG"
                "|POLLREMOVE|POLLRDHUP|0x4800"
            ),
        ),
        (
            poll.EPOLL_EVENTS,
            ALL,
            (
                "EPOLLIN|EPOLLPRI|EPOLLOUT|EPOLLERR|EPOLLHUP|EPOLLNVAL|EPOLLRDNORM|EPOLLRDBAND|EPOLLWRNORM|EPOLLWRBAND"
                "|EPOLLMSG|EPOLLRDHUP|EPOLLEXCLUSIVE|EPOLLWAKEUP|EPOLLONESHOT|EPOLLET|0xfffd800"
            ),
        ),
        (poll.INOTIFY_EVENTS, 0x18, "IN_CLOSE_WRITE|IN_CLOSE_NOWRITE"),
        (poll.EFD_FLAGS, ALL, "EFD_SEMAPHORE|EFD_CLOEXEC|EFD_NONBLOCK|0xfff7f7fe"),
        (sched.CLONE_FLAGS, 0, "0"),
        (sched.CLONE_FLAGS, 17, "SIGCHLD"),
        (sched.CLONE_FLAGS, 0x111, "CLONE_VM|SIGCHLD"),
        (sched.CLONE_FLAGS, 0x400011, "0x400000 /* CLONE_??? */|SIGCHLD"),
        (sched.CLONE_FLAGS, 65, "65"),
        (sched.CLONE3_FLAGS, 0x700000100, "CLONE_VM|CLONE_CLEAR_SIGHAND|CLONE_INTO_CGROUP|0x400000000"),
        (sched.UNSHARE_FLAGS, 0x20000080, "CLONE_NEWTIME|CLONE_NEWPID"),
        (sched.SCHED_POLICIES, 0x40000001, "0x40000001 /* SCHED_??? */"),
        (sched.IOPRIO, 0x2003, "IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 3)"),
        (
            wait.WAIT_OPTIONS,
            ALL,
            "WNOHANG|WEXITED|WSTOPPED|WCONTINUED|WNOWAIT|__WCLONE|__WALL|__WNOTHREAD|0x1efffff0",
        ),
        (wait.WAIT_OPTIONS, 16, "0x10 /* W??? */"),
        (futex.FUTEX_OPERATION, 0x80, "FUTEX_WAIT_PRIVATE"),
        (futex.FUTEX_OPERATION, 0x82, "FUTEX_FD|FUTEX_PRIVATE_FLAG"),
        (futex.FUTEX_OPERATION, 0x109, "FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME"),
        (futex.FUTEX_OPERATION, 0x18B, "FUTEX_WAIT_REQUEUE_PI_PRIVATE|FUTEX_CLOCK_REALTIME"),
        (futex.FUTEX_OPERATION, 0x18D, "0x18d /* FUTEX_??? */"),
        (futex.FUTEX_OPERATION, 0x90, "0x90 /* FUTEX_??? */"),
        (uio.RWF_FLAGS, 0x3F, "RWF_HIPRI|RWF_DSYNC|RWF_SYNC|RWF_NOWAIT|RWF_APPEND|0x20"),
        (xattr.XATTR_FLAGS, 4, "0x4 /* XATTR_??? */"),
        (random.GRND_FLAGS, ALL, "GRND_NONBLOCK|GRND_RANDOM|GRND_INSECURE|0xfffffff8"),
        (random.MFD_FLAGS, ALL, "MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_HUGETLB|0x3fffff8|63<<MFD_HUGE_SHIFT"),
        (random.MFD_FLAGS, 1 << 26, "1<<MFD_HUGE_SHIFT"),
        (random.MFD_FLAGS, 8, "0x8 /* MFD_??? */"),
        (mount.MOUNT_FLAGS, 0xC0ED0021, "MS_MGC_VAL|MS_RDONLY|MS_REMOUNT"),
        (mount.MOUNT_FLAGS, 0x200, "0x200 /* MS_??? */"),
        (mount.UMOUNT_FLAGS, 15, "MNT_FORCE|MNT_DETACH|MNT_EXPIRE|UMOUNT_NOFOLLOW"),
        (ioctl.IOCTL_REQUEST, 0x5401, "TCGETS"),
        (ioctl.IOCTL_REQUEST, 0x5402, "SNDCTL_TMR_START or TCSETS"),
        (ioctl.IOCTL_REQUEST, 0x541B, "FIONREAD"),
        (ioctl.IOCTL_REQUEST, 0x80081272, "BLKGETSIZE64"),
        (ioctl.IOCTL_REQUEST, 0x40049409, "BTRFS_IOC_CLONE or FICLONE"),
        (ioctl.IOCTL_REQUEST, 0x80046601, "FS_IOC32_GETFLAGS"),
        (ioctl.IOCTL_REQUEST, 0x12345678, "_IOC(_IOC_NONE, 0x56, 0x78, 0x1234)"),
        (ioctl.IOCTL_REQUEST, 0xC0041234, "_IOC(_IOC_READ|_IOC_WRITE, 0x12, 0x34, 0x4)"),
        (ioctl.IOCTL_REQUEST, 0x12, "_IOC(_IOC_NONE, 0, 0x12, 0)"),
        (socket.FAMILIES, -1, "0xffffffff /* AF_??? */"),
        (socket.SOCK_TYPES, 0x80801, "SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK"),
        (socket.SOCK_TYPES, 0, "0"),
        (socket.SOCK_TYPES, 7, "0x7 /* SOCK_??? */"),
        (socket.SOCK_TYPES, ALL, "SOCK_CLOEXEC|SOCK_NONBLOCK|0xfff7f7ff"),
        (sockopt.OPTION_LEVELS, 99999, "0x1869f /* SOL_?? */"),
        (socket.INET_PROTOCOLS, 262, "IPPROTO_MPTCP"),
        (ipc.SEMCTL_COMMANDS, 0x102, "IPC_64|IPC_STAT"),
        (ipc.SEMCTL_COMMANDS, 4, "0x4 /* SEM_??? */"),
        (ipc.MSGGET_FLAGS, ALL, "IPC_CREAT|IPC_EXCL|IPC_NOWAIT|0xfffff000|0777"),
        (ipc.SHMGET_FLAGS, ALL, "IPC_CREAT|IPC_EXCL|SHM_HUGETLB|SHM_NORESERVE|0x3ffe000|63<<SHM_HUGE_SHIFT|0777"),
        (ipc.MSGGET_FLAGS, 0, "000"),
        (ipc.SHMGET_FLAGS, 0x2000, "0x2000|000"),
        (process.PERSONALITY, 0, "PER_LINUX"),
        (process.PERSONALITY, 0x40008, "PER_LINUX32|ADDR_NO_RANDOMIZE"),
        (process.PERSONALITY, 0x1234, "0x34 /* PER_??? */|0x1200"),
        (process.PERSONALITY, ALL, "0xffffffff"),
        (process.MEMBARRIER_COMMANDS, 0x200, "0x200 /* MEMBARRIER_CMD_??? */"),
        (ptrace.PTRACE_REQUESTS, 0x420E, "PTRACE_GET_SYSCALL_INFO"),
        (ptrace.PTRACE_REQUESTS, 10, "0xa /* PTRACE_??? */"),
        (ptrace.SECCOMP_OPERATIONS, 4, "0x4 /* SECCOMP_SET_MODE_??? */"),
        (Octal(), 0o22, "022"),
    ],
)
def test_strace_text(table: Table, value: int, text: str) -> None:
    assert table.format(value) == text


@pytest.mark.parametrize(
    ("signal_name", "code", "text"),
    [
        ("SIGSEGV", 1, "SEGV_MAPERR"),
        ("SIGSEGV", -1, "SI_QUEUE"),
        ("SIGSEGV", 128, "SI_KERNEL"),
        ("SIGCHLD", 1, "CLD_EXITED"),
        ("SIGUSR1", 5, "0x5"),
        ("SIGILL", -61, "0xffffffc3"),
        ("SIGSYS", 1, "SYS_SECCOMP"),
        ("SIGUSR1", -6, "SI_TKILL"),
    ],
)
def test_si_code(signal_name: str, code: int, text: str) -> None:
    assert signal.format_si_code(signal.NUMBERS[signal_name], code) == text


def test_open_flags_of_arm64() -> None:
    assert fcntl.open_flags_to_generic(0o40000) == fcntl.O_DIRECTORY
    assert fcntl.open_flags_to_generic(0o500001) == fcntl.O_WRONLY | fcntl.O_NOFOLLOW | fcntl.O_LARGEFILE
    for bit in range(32):
        assert fcntl.open_flags_to_arm64(fcntl.open_flags_to_generic(1 << bit)) == 1 << bit


def test_device_numbers_survive() -> None:
    for major, minor in [(0, 0), (8, 1), (259, 70000), (0xFFF, 0xFFFFF), (136, 255)]:
        dev = stat.makedev(major, minor)
        assert (stat.major(dev), stat.minor(dev)) == (major, minor)


def test_cpu_clock_ids() -> None:
    assert time.cpu_clock((~1234 << 3) | 2) == (1234, False, time.CPUCLOCK_SCHED)
    assert time.cpu_clock((~1234 << 3) | 6) == (1234, True, time.CPUCLOCK_SCHED)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (wait.exited(3), "{WIFEXITED(s) && WEXITSTATUS(s) == 3}"),
        (wait.killed(11, core=True), "{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}"),
        (wait.killed(9), "{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}"),
        (wait.stopped(19), "{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}"),
        (wait.CONTINUED, "{WIFCONTINUED(s)}"),
    ],
)
def test_wait_status(status: int, text: str) -> None:
    assert wait.WAIT_STATUS.format(status) == text


SCOPE = {"X_A": 1, "X_B": 2, "X_AB": 3, "X_NONE": 0, "Y": 4}


def test_the_first_member_that_matches_takes_its_bits() -> None:
    assert Flags(SCOPE, "X_???", "X_AB X_A X_B").format(3) == "X_AB"
    assert Flags(SCOPE, "X_???", "X_A X_B X_AB").format(3) == "X_A|X_B"
    assert Flags(SCOPE, "X_???", "X_A X_B", zero="X_NONE").format(0) == "X_NONE"


def test_patterns_take_what_is_defined_so_far() -> None:
    assert Enum(SCOPE, "X_???", "X_*").names == {1: "X_A", 2: "X_B", 3: "X_AB", 0: "X_NONE"}


def test_numbers_as_c_prints_them() -> None:
    assert [hexadecimal(0), hexadecimal(255)] == ["0", "0xff"]
    assert [octal(0), octal(7), octal(0o22), octal(0o644), octal(0o100644)] == ["000", "007", "022", "0644", "0100644"]
