# ruff: noqa: E501  # tables of text
"""What the generator knows: for each area the calls it makes, as templates, and the values that arguments take.

`{word}` is replaced by one of WORDS[word] (which may hold braces themselves), or by a result of that kind: `{+kind} =`
names a new one, `{+kind:a,b}` one whose two stored ints are of kinds a and b. A number in front is a weight.
"""

from __future__ import annotations


def _lines(text: str) -> list[tuple[int, str]]:
    found = []
    for line in text.strip().splitlines():
        weight, _, template = line.strip().partition(" ") if line.strip()[0].isdigit() else ("1", "", line.strip())
        found.append((int(weight), template))
    return found


WORDS: dict[str, list[str]] = {
    key: values.split(" | ")
    for key, values in {
        "name": 'b"a" | b"b" | b"d" | b"d/a" | b"d/b" | b"d/e" | b"l" | b"d/l"',
        "path": '{name} | {name} | {name} | {name} | {name} | {name} | {name} | b"." | b"d/.." | b"a/" | b"l/" | b"d/" | b"d/." | '
        'b"l/a" | b"" | b"n/a" | b"a/b" | b"../w/a" | b"d//a" | b"/dev/null" | BAD | NULL | b"x" * 255 | b"x" * 256 | b"d/../a" | '
        'edge(b"a") | b"./" * 2047 + b"a" | b"./" * 2048 + b"a" | b"/" | b"l/.." | b"d/e/../../l"',
        "target": '{name} | b"a" | b"d" | b"l" | b"n" | b"d/l" | b"." | b"../d" | b"" | b"x" * 255 | b"y" * 5000 | BAD | b"l/"',
        "at": "AT_FDCWD | AT_FDCWD | AT_FDCWD | AT_FDCWD | {dir} | {dir} | {file} | -1 | 99",
        "access": "O_RDONLY | O_WRONLY | O_RDWR | O_RDWR | O_RDWR",
        "oflags": "{access} | {access} | {access} | O_CREAT | {access} | O_CREAT | {access} | O_CREAT | O_EXCL | {access} | O_TRUNC",
        "mode": "0o644 | 0o644 | 0o755 | 0o600 | 0 | 0o7777 | 0o1777 | 0o200 | 0o177777 | 0o4711 | 0o2755",
        "fd": "{file} | {file} | {file} | {file} | {file} | {dir} | {pr} | {pw} | {ev} | {sock} | {any} | {any}",
        "rw": "{file} | {file} | {file} | {pr} | {pw} | {ev} | {sock} | {any}",
        "any": "0 | -1 | 99 | 3 | 4 | 5 | 6 | 7 | AT_FDCWD | 0x7fffffff | -2 ** 31",
        "len": "0 | 1 | 3 | 8 | 100 | 4096 | 5000",
        "size": "0 | 1 | 8 | 100 | 4095 | 4096 | 4097 | 10000 | -1 | 2 ** 31 - 1 | 2 ** 31 | 2 ** 33 | 2 ** 63 - 1 | -2 ** 63",
        "off": "0 | 0 | 1 | 3 | 100 | 4095 | 4096 | 5000 | 8192 | -1 | -2 ** 63 | 2 ** 63 - 1 | 2 ** 40 | 2 ** 31 - 1 | 2 ** 32",
        "soff": "0 | 0 | 1 | 3 | 100 | 4096 | 5000",
        "whence": "SEEK_SET | SEEK_SET | SEEK_CUR | SEEK_END | SEEK_DATA | SEEK_HOLE | 5 | -1",
        "in": 'b"x" | b"abc" | b"hello world" | fill(100) | fill(5000) | BAD | NULL | edge(b"abc") | KERNEL | CONSTS',
        "wr": 'b"abc", 3 | b"hello", 5 | b"hello", 5 | fill(100), 100 | fill(5000), 5000 | edge(b"abc"), 4 | edge(b"abc"), 9 | BAD, 4 | '
        'BAD, 0 | b"", 0 | NULL, 4 | b"x", -1 | KERNEL, 3 | edge(b"q" * 99), 200 | edge(fill(4096)), 8000',
        "rd": "out(3), 3 | out(10), 10 | out(100), 100 | out(5000), 5000 | edge(out(3)), 8 | edge(out(3)), 3 | BAD, 4 | BAD, 0 | "
        "CONSTS, 4 | NULL, 8 | out(4), 0 | out(8), 8 | out(8), 8 | out(4), -1 | KERNEL, 8 | edge(out(100)), 8000",
        "iovw": 'iov(b"abc", b"de"), 2 | iov(b"abc"), 1 | iov(b"a", BAD), 2 | iov((b"abc", 0), b"de"), 2 | NULL, 0 | NULL, 1 | '
        'iov(b"a"), -1 | iov(b"a"), 1025 | iov((b"a", -1)), 1 | BAD, 2 | iov(fill(5000), b"x"), 2 | iov((BAD, 0), b"x"), 2 | '
        'edge(longs(0)), 1 | iov((b"ab", 2), (b"c", 2 ** 63 - 1)), 2 | iov(b"x", edge(b"y")), 2 | iov((NULL, 3), b"x"), 2',
        "iovr": "iov(out(3), out(5)), 2 | iov(out(3)), 1 | iov(out(2), BAD), 2 | iov((out(3), 0), out(5)), 2 | NULL, 0 | NULL, 1 | "
        "iov(out(1)), -1 | iov(out(1)), 1025 | iov((out(1), -1)), 1 | BAD, 2 | iov(CONSTS, out(1)), 2 | iov((BAD, 0), out(4)), 2",
        "rwf": "0 | 0 | 0 | RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND | 0x100000 | RWF_APPEND | RWF_NOAPPEND",
        "newfd": "10 | 11 | 63 | 64 | 127 | {any} | {file} | 12",
        "cloexec": "0 | 0 | O_CLOEXEC | 1 | O_NONBLOCK | -1",
        "atflags": "0 | 0 | 0 | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW| AT_EMPTY_PATH | 1 | AT_REMOVEDIR | AT_SYMLINK_FOLLOW | "
        "AT_NO_AUTOMOUNT | 0x10000000",
        "uid": "0 | 0 | 1000 | 1000 | 1001 | -1 | -1 | -1 | 65534 | 2 ** 31",
        "xname": 'b"user.a" | b"user.a" | b"user.b" | b"user.a" | b"user." | b"user" | b"trusted.t" | b"security.s" | b"system.x" | b"bad.x" | b"" | '
        'b"user." + b"n" * 250 | b"user." + b"n" * 251 | BAD',
        "xvalue": 'b"v", 1 | b"value", 5 | fill(100), 100 | NULL, 0 | b"", 0 | BAD, 3 | BAD, 0 | b"x", 65537 | b"x", -1 | NULL, 3 | edge(b"ab"), 9',
        "xflags": "0 | 0 | XATTR_CREATE | XATTR_REPLACE | XATTR_CREATE | XATTR_REPLACE | 4",
        "xout": "out(100), 100 | out(100), 100 | out(3), 3 | NULL, 0 | BAD, 100 | out(1), 0 | out(1), 65537 | edge(out(2)), 100",
        "times": "NULL | array(Timespec(tv_sec=1), Timespec(tv_sec=1000, tv_nsec=5)) | "
        "array(Timespec(tv_nsec=UTIME_NOW), Timespec(tv_nsec=UTIME_OMIT)) | array(Timespec(tv_nsec=UTIME_OMIT), Timespec(tv_nsec=UTIME_OMIT)) | "
        "array(Timespec(tv_nsec=1000000000), Timespec()) | array(Timespec(tv_sec=-5), Timespec(tv_sec=5)) | BAD | edge(Timespec()) | "
        "array(Timespec(tv_nsec=-1), Timespec()) | array(Timespec(tv_nsec=UTIME_NOW), Timespec(tv_sec=7))",
        "rename": "0 | 0 | 0 | RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_EXCHANGE | RENAME_WHITEOUT | RENAME_NOREPLACE | RENAME_EXCHANGE | 8 | -1",
        "mknod": "S_IFREG | 0o644 | S_IFIFO | 0o600 | 0o644 | S_IFDIR | 0o755 | S_IFSOCK | 0o777 | S_IFLNK | 0o777 | 0o170000 | S_IFCHR | 0o666",
        "resolve": "0 | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV | "
        "RESOLVE_BENEATH | RESOLVE_IN_ROOT | 0x40 | RESOLVE_CACHED | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH",
        "seals": "F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | 0 | 0x40 | F_SEAL_EXEC | -1",
        "lock": "Flock(l_type=F_WRLCK) | Flock(l_type=F_RDLCK) | Flock(l_type=F_UNLCK) | Flock(l_type=F_WRLCK, l_start=10, l_len=5) | "
        "Flock(l_type=F_RDLCK, l_start=3, l_len=20) | Flock(l_type=F_UNLCK, l_start=12, l_len=1) | Flock(l_type=F_WRLCK, l_start=-1) | "
        "Flock(l_type=F_WRLCK, l_start=10, l_len=-5) | Flock(l_type=F_WRLCK, l_whence=SEEK_END, l_len=4) | BAD | Flock(l_type=7) | "
        "Flock(l_type=F_RDLCK, l_whence=SEEK_CUR, l_start=1, l_len=2) | Flock(l_type=F_WRLCK, l_whence=9) | edge(Flock(l_type=F_WRLCK)) | "
        "Flock(l_type=F_WRLCK, l_pid=5)",
        "sig": "SIGUSR1 | SIGUSR1 | SIGUSR2 | SIGTERM | SIGRTMIN | SIGRTMIN + 1 | SIGCHLD | SIGURG | 0 | 65 | -1 | 64 | SIGWINCH | SIGPIPE | SIGHUP",
        "action": "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO | SA_RESTORER, restorer=RESTORER) | "
        "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO | SA_RESTORER, restorer=RESTORER) | "
        "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO | SA_RESTORER | SA_RESETHAND, restorer=RESTORER) | "
        "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO | SA_RESTORER | SA_NODEFER, restorer=RESTORER, mask=mask(SIGUSR2)) | "
        "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO | SA_RESTORER | SA_RESTART, restorer=RESTORER) | "
        "KernelSigaction(handler=SIG_IGN, flags=SA_RESTORER, restorer=RESTORER) | KernelSigaction(handler=SIG_DFL) | NULL | BAD | "
        "edge(longs(1, 0)) | KernelSigaction(handler=SIG_IGN, flags=-1, mask=-1)",
        "how": "SIG_BLOCK | SIG_BLOCK | SIG_UNBLOCK | SIG_SETMASK | 3 | -1",
        "set": "sigset(SIGUSR1) | sigset(SIGUSR1, SIGUSR2) | sigset(SIGRTMIN) | sigset() | words(-1) | NULL | BAD | sigset(SIGCHLD) | sigset(SIGUSR2, SIGTERM)",
        "eight": "8 | 8 | 8 | 8 | 8 | 8 | 4 | 16 | 0",
        "pid": "main | main | main | 0 | {child} | {child} | GONE | -main | -GONE",
        "info": "exact(b'\\x0a\\0\\0\\0\\0\\0\\0\\0\\xff\\xff\\xff\\xff' + bytes(12) + b'\\x2a' + bytes(103)) | "
        "exact(b'\\x0a\\0\\0\\0\\0\\0\\0\\0\\xfd\\xff\\xff\\xff' + bytes(116)) | exact(bytes(128)) | "
        "exact(b'\\0' * 8 + b'\\x05' + bytes(119)) | exact(b'\\0' * 8 + b'\\xfa\\xff\\xff\\xff' + bytes(116)) | BAD | edge(exact(bytes(100)))",
        "soon": "Timespec() | Timespec() | Timespec(tv_nsec=1000000) | Timespec(tv_nsec=-1) | Timespec(tv_nsec=1000000000) | BAD | Timespec(tv_sec=-1)",
        "page": "M(0) | M(0) | M(1) | M(2) | M(3) | M(4) | M(1, 100) | M(6)",
        "bytes": "4096 | 4096 | 8192 | 12288 | 16384 | 1 | 0 | 5000 | -1 | -4096",
        "prot": "PROT_READ | PROT_WRITE | PROT_READ | PROT_WRITE | PROT_READ | PROT_NONE | PROT_WRITE | PROT_READ | PROT_EXEC | 0x40",
        "anon": "MAP_PRIVATE | MAP_ANONYMOUS | MAP_PRIVATE | MAP_ANONYMOUS | MAP_SHARED | MAP_ANONYMOUS",
        "advice": "MADV_DONTNEED | MADV_DONTNEED | MADV_FREE | MADV_NORMAL | MADV_WILLNEED | MADV_REMOVE | MADV_DONTFORK | MADV_DOFORK | "
        "MADV_WIPEONFORK | MADV_KEEPONFORK | MADV_POPULATE_READ | MADV_POPULATE_WRITE | MADV_COLD | MADV_PAGEOUT | 99 | MADV_MERGEABLE | "
        "MADV_DONTDUMP | MADV_DODUMP",
        "moff": "0 | 0 | 0 | 4096 | 8192 | 100 | -4096",
        "pollev": "POLLIN | POLLOUT | POLLIN | POLLOUT | POLLIN | POLLPRI | POLLRDHUP | 0 | 0x7fff",
        "epev": "EPOLLIN | EPOLLOUT | EPOLLIN | EPOLLOUT | EPOLLIN | EPOLLET | EPOLLIN | EPOLLONESHOT | EPOLLIN | EPOLLEXCLUSIVE | 0 | EPOLLRDHUP",
        "epfd": "{pr} | {pw} | {ev} | {sock} | {tf} | {ep} | {file} | {any}",
        "evval": "words(1) | words(0) | words(-1) | words(-2) | words(5) | edge(words(3)) | BAD | words(2 ** 63)",
        "itimer": "Itimerspec(it_value=Timespec(tv_nsec=1000000)) | Itimerspec() | "
        "Itimerspec(it_value=Timespec(tv_nsec=1000000000)) | BAD | Itimerspec(it_value=Timespec(tv_sec=-1)) | "
        "Itimerspec(it_value=Timespec(tv_nsec=500), it_interval=Timespec(tv_sec=-1))",
        "msg": 'b"m", 1 | b"hello", 5 | fill(1000), 1000 | b"", 0 | BAD, 3 | edge(b"ab"), 9 | NULL, 0',
        "mflags": "0 | 0 | 0 | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_OOB | MSG_EOR | MSG_MORE | -1",
        "rflags": "MSG_DONTWAIT | MSG_DONTWAIT | MSG_DONTWAIT | MSG_DONTWAIT | MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | "
        "MSG_DONTWAIT | MSG_WAITALL | MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE | MSG_DONTWAIT",
        "addr": 'sockaddr(b"a"), 3 | sockaddr(b"s\\0"), 4 | sockaddr(b"s\\0"), 4 | sockaddr(b""), 2 | sockaddr(b"\\0abs"), 6 | sockaddr(b"\\0abs"), 6 | NULL, 0 | '
        'BAD, 3 | sockaddr(b"d/s"), 5 | exact(b"\\2\\0" + bytes(14)), 16 | sockaddr(b"a"), 1 | sockaddr(b"a"), -1 | sockaddr(b"z" * 108), 110 | '
        'sockaddr(b"z" * 109), 111 | sockaddr(b"n/s"), 5',
        "styp": "SOCK_STREAM | SOCK_DGRAM | SOCK_SEQPACKET | SOCK_STREAM | SOCK_NONBLOCK | SOCK_DGRAM | SOCK_CLOEXEC | SOCK_RAW | 77 | SOCK_STREAM | 0x100000",
        "opt": "SO_TYPE | SO_ERROR | SO_PASSCRED | SO_ACCEPTCONN | SO_DOMAIN | SO_PROTOCOL | SO_REUSEADDR | SO_KEEPALIVE | SO_LINGER | SO_PRIORITY | SO_BROADCAST | "
        "SO_OOBINLINE | 9999 | SO_PEEK_OFF | SO_MARK | SO_RCVLOWAT | SO_TIMESTAMP | SO_DONTROUTE",
        "id": "0 | 0 | 1000 | 1000 | 1001 | -1 | -1 | 2000 | 65534",
        "who": "0 | main | {child} | GONE",
        "limit": "RLIMIT_NOFILE | RLIMIT_FSIZE | RLIMIT_CORE | RLIMIT_DATA | RLIMIT_STACK | RLIMIT_CPU | 16 | -1",
        "limits": "words(10, 20) | words(64, 64) | words(5, 3) | words(100, 128) | words(-1, -1) | BAD | words(4096, -1)",
        "wopt": "0 | 0 | WNOHANG | WNOHANG | WUNTRACED | WCONTINUED | WEXITED | 0x100 | __WALL | __WNOTHREAD | -1",
        "idtype": "P_PID, {child} | P_PID, {child} | P_ALL, 0 | P_PGID, 0 | P_PID, 0 | P_PIDFD, {pf} | 9, 0 | P_PID, -1 | P_PGID, GONE",
        "waitid": "WEXITED | WEXITED | WNOHANG | WEXITED | WNOWAIT | 0 | WSTOPPED | WNOHANG | WCONTINUED | WNOHANG | WEXITED | 0x100 | WNOHANG",
    }.items()
}
#: words whose alternatives are flags joined by "|": each entry is one set
WORDS["oflags"] = [f"{{access}} | {more}" if more else "{access}" for more in (
    "", "", "", "O_CREAT", "O_CREAT", "O_CREAT", "O_CREAT | O_EXCL", "O_TRUNC", "O_CREAT | O_TRUNC", "O_APPEND | O_CREAT",
    "O_DIRECTORY", "O_NOFOLLOW", "O_CREAT | O_DIRECTORY", "O_NONBLOCK", "O_CLOEXEC", "O_PATH", "O_TMPFILE", "O_NOATIME",
    "O_SYNC", "O_DIRECT", "O_EXCL", "O_ASYNC", "O_PATH | O_NOFOLLOW", "3", "0x80000000", "O_NOCTTY", "O_CREAT | O_NOFOLLOW",
)]  # fmt: skip
for _key, _texts in {
    "prot": (
        "PROT_READ | PROT_WRITE",
        "PROT_READ | PROT_WRITE",
        "PROT_READ",
        "PROT_NONE",
        "PROT_WRITE",
        "PROT_READ | PROT_EXEC",
        "0x40",
        "PROT_READ | PROT_GROWSDOWN",
    ),
    "anon": (
        "MAP_PRIVATE | MAP_ANONYMOUS",
        "MAP_PRIVATE | MAP_ANONYMOUS",
        "MAP_SHARED | MAP_ANONYMOUS",
        "MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE",
        "MAP_ANONYMOUS",
        "MAP_SHARED_VALIDATE | MAP_ANONYMOUS",
        "MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE",
    ),
    "atflags": (
        "0",
        "0",
        "0",
        "0",
        "AT_SYMLINK_NOFOLLOW",
        "AT_EMPTY_PATH",
        "AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH",
        "1",
        "AT_REMOVEDIR",
        "AT_SYMLINK_FOLLOW",
        "AT_NO_AUTOMOUNT",
        "0x10000000",
    ),
    "rename": (
        "0",
        "0",
        "0",
        "0",
        "RENAME_NOREPLACE",
        "RENAME_EXCHANGE",
        "RENAME_EXCHANGE",
        "RENAME_NOREPLACE | RENAME_EXCHANGE",
        "8",
        "-1",
    ),
    "mknod": (
        "S_IFREG | 0o644",
        "S_IFIFO | 0o600",
        "0o644",
        "S_IFDIR | 0o755",
        "S_IFSOCK | 0o777",
        "S_IFLNK | 0o777",
        "0o170000",
    ),
    "resolve": (
        "0",
        "RESOLVE_BENEATH",
        "RESOLVE_IN_ROOT",
        "RESOLVE_NO_SYMLINKS",
        "RESOLVE_NO_MAGICLINKS",
        "RESOLVE_NO_XDEV",
        "RESOLVE_BENEATH | RESOLVE_IN_ROOT",
        "0x40",
        "RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH",
    ),
    "rwf": ("0", "0", "0", "RWF_HIPRI", "RWF_DSYNC", "RWF_SYNC", "RWF_NOWAIT", "RWF_APPEND", "0x100000"),
    "xflags": ("0", "0", "0", "XATTR_CREATE", "XATTR_REPLACE", "XATTR_CREATE | XATTR_REPLACE", "4"),
    "pollev": ("POLLIN", "POLLOUT", "POLLIN | POLLOUT", "POLLIN | POLLPRI | POLLRDHUP", "0", "0x7fff"),
    "epev": (
        "EPOLLIN",
        "EPOLLOUT",
        "EPOLLIN | EPOLLOUT",
        "EPOLLIN | EPOLLOUT | EPOLLET",
        "EPOLLIN | EPOLLONESHOT",
        "EPOLLIN | EPOLLEXCLUSIVE",
        "0",
        "EPOLLRDHUP",
        "EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT",
    ),
    "rflags": (
        "MSG_DONTWAIT",
        "MSG_DONTWAIT",
        "MSG_DONTWAIT",
        "MSG_PEEK | MSG_DONTWAIT",
        "MSG_TRUNC | MSG_DONTWAIT",
        "MSG_WAITALL | MSG_DONTWAIT",
        "MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT",
        "MSG_OOB | MSG_DONTWAIT",
        "MSG_ERRQUEUE | MSG_DONTWAIT",
    ),
    "styp": (
        "SOCK_STREAM",
        "SOCK_DGRAM",
        "SOCK_SEQPACKET",
        "SOCK_STREAM | SOCK_NONBLOCK",
        "SOCK_DGRAM | SOCK_CLOEXEC",
        "SOCK_RAW",
        "77",
        "SOCK_STREAM | 0x100000",
    ),
    "waitid": (
        "WEXITED",
        "WEXITED",
        "WEXITED | WNOHANG",
        "WEXITED | WNOWAIT",
        "0",
        "WSTOPPED | WNOHANG",
        "WCONTINUED | WNOHANG",
        "WEXITED | 0x100",
        "WNOHANG",
    ),
    "action": [
        text.replace(" ~ ", " | ")
        for text in (
            "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO ~ SA_RESTORER, restorer=RESTORER)",
            "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO ~ SA_RESTORER, restorer=RESTORER)",
            "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO ~ SA_RESTORER ~ SA_RESETHAND, restorer=RESTORER)",
            "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO ~ SA_RESTORER ~ SA_NODEFER, restorer=RESTORER, mask=mask(SIGUSR2))",
            "KernelSigaction(handler=HANDLER, flags=SA_SIGINFO ~ SA_RESTORER ~ SA_RESTART, restorer=RESTORER, mask=-1)",
            "KernelSigaction(handler=SIG_IGN, flags=SA_RESTORER, restorer=RESTORER)",
            "KernelSigaction(handler=SIG_DFL)",
            "NULL",
            "BAD",
            "edge(longs(1, 0))",
            "KernelSigaction(handler=SIG_IGN, flags=SA_NOCLDWAIT, mask=-1)",
        )
    ],
    "ofl": ("0", "O_APPEND", "O_NONBLOCK", "O_APPEND | O_NONBLOCK", "O_RDWR", "O_NOATIME", "O_TRUNC", "O_ASYNC", "-1"),
    "falloc": (
        "0",
        "0",
        "FALLOC_FL_KEEP_SIZE",
        "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE",
        "FALLOC_FL_PUNCH_HOLE",
        "FALLOC_FL_ZERO_RANGE",
        "FALLOC_FL_COLLAPSE_RANGE",
        "0x80",
    ),
    "mremap": (
        "0",
        "MREMAP_MAYMOVE",
        "MREMAP_MAYMOVE | MREMAP_FIXED",
        "MREMAP_FIXED",
        "MREMAP_MAYMOVE | MREMAP_DONTUNMAP",
        "8",
    ),
    "msync": ("MS_SYNC", "MS_ASYNC", "MS_INVALIDATE", "MS_SYNC | MS_ASYNC", "0", "8"),
    "tmode": ("R_OK", "W_OK", "X_OK", "R_OK | W_OK", "0", "8"),
    "pipefl": ("O_NONBLOCK", "O_NONBLOCK | O_CLOEXEC", "O_NONBLOCK | O_DIRECT", "O_NONBLOCK | O_RDWR"),
    "splice": (
        "SPLICE_F_NONBLOCK",
        "SPLICE_F_NONBLOCK",
        "SPLICE_F_NONBLOCK | SPLICE_F_MOVE",
        "SPLICE_F_NONBLOCK | 0x100",
    ),
}.items():
    WORDS[_key] = list(_texts)

_FILES = _lines("""
    8 {+file} = openat({at}, {path}, {oflags}, {mode})
    2 {+file} = open({path}, {oflags}, {mode})
    {+file} = creat({path}, {mode})
    3 {+dir} = openat({at}, {path}, O_RDONLY | O_DIRECTORY, 0)
    2 {+file} = openat2({at}, {path}, OpenHow(flags={oflags}, mode={mode}, resolve={resolve}), 24)
    openat2({at}, {path}, OpenHow(flags=O_RDONLY), 8)
    openat2({at}, {path}, BAD, 24)
    3 close({fd})
    {+file} = dup({fd})
    {+file} = dup3({fd}, {newfd}, {cloexec})
    {+file} = dup2({fd}, {newfd})
    {+file} = fcntl({fd}, F_DUPFD, {newfd})
    {+file} = fcntl({fd}, F_DUPFD_CLOEXEC, 20)
    fcntl({fd}, F_GETFD)
    fcntl({fd}, F_SETFD, {cloexec})
    fcntl({fd}, F_GETFL)
    2 fcntl({fd}, F_SETFL, {ofl})
    fcntl({fd}, 9999, 0)
    close_range({newfd}, {newfd}, 0)
    4 lseek({fd}, {off}, {whence})
    5 read({rw}, {rd})
    5 write({rw}, {wr})
    3 pread64({rw}, {rd}, {off})
    3 pwrite64({rw}, {wr}, {soff})
    pwrite64({rw}, {wr}, -1)
    2 readv({rw}, {iovr})
    2 writev({rw}, {iovw})
    preadv({rw}, {iovr}, {off})
    pwritev({rw}, {iovw}, {soff})
    preadv2({rw}, {iovr}, {off}, {rwf})
    pwritev2({rw}, {iovw}, {soff}, {rwf})
    2 ftruncate({fd}, {size})
    truncate({path}, {size})
    2 fallocate({fd}, {falloc}, {soff}, {len})
    fallocate({fd}, {falloc}, {off}, -1)
    fadvise64({fd}, {off}, {len}, 4)
    fadvise64({fd}, 0, -1, 9)
    readahead({fd}, 0, 10)
    sync_file_range({fd}, {off}, {len}, 1)
    fsync({fd})
    2 copy_file_range({file}, NULL, {fd}, NULL, {len}, 0)
    copy_file_range({fd}, words({soff}), {file}, words({soff}), {len}, 0)
    copy_file_range({file}, BAD, {file}, NULL, 3, {any})
    2 sendfile({fd}, {file}, NULL, {len})
    sendfile({fd}, {fd}, longs({soff}), {len})
    3 fstat({fd}, Stat())
    umask({mode})
    ioctl({fd}, FIONREAD, ints(0))
    ioctl({fd}, FIOCLEX, 0)
    ioctl({fd}, 0x9999, 0)
    {+file} = memfd_create(b"m", {memfd})
    fcntl({file}, F_ADD_SEALS, {seals})
    fcntl({file}, F_GET_SEALS)
    fcntl({fd}, F_SETPIPE_SZ, {len})
""")
WORDS["memfd"] = ["0", "MFD_ALLOW_SEALING", "MFD_ALLOW_SEALING", "MFD_CLOEXEC", "MFD_NOEXEC_SEAL", "0x100"]
_NAMES = _lines("""
    4 mkdirat({at}, {path}, {mode})
    mkdir({path}, {mode})
    rmdir({path})
    4 unlinkat({at}, {path}, 0)
    2 unlinkat({at}, {path}, AT_REMOVEDIR)
    unlinkat({at}, {path}, {atflags})
    unlink({path})
    4 linkat({at}, {path}, {at}, {path}, {atflags})
    link({path}, {path})
    5 symlinkat({target}, {at}, {path})
    symlink({target}, {path})
    3 readlinkat({at}, {path}, {xout})
    6 renameat2({at}, {path}, {at}, {path}, {rename})
    rename({path}, {path})
    2 mknodat({at}, {path}, {mknod}, 0)
    chdir({path})
    fchdir({fd})
    getcwd(out(200), 200)
    getcwd(edge(out(4)), {len})
    getcwd(BAD, 100)
    4 getdents64({dir}, dirents(2000), 2000)
    getdents64({fd}, dirents(30), 30)
    lseek({dir}, 0, SEEK_SET)
    4 newfstatat({at}, {path}, Stat(), {atflags})
    stat({path}, Stat())
    lstat({path}, Stat())
    newfstatat({at}, {path}, BAD, 0)
    3 statx({at}, {path}, {atflags}, 0x7ff, Statx())
    statx({at}, {path}, 0x2000, 0, Statx())
    statx({at}, {path}, 0, -1, Statx())
    faccessat({at}, {path}, {tmode})
    faccessat2({at}, {path}, {tmode}, {atflags})
    faccessat2({at}, {path}, {tmode}, AT_EACCESS)
    2 fchmodat({at}, {path}, {mode})
    fchmodat2({at}, {path}, {mode}, {atflags})
    fchmod({fd}, {mode})
    2 fchownat({at}, {path}, {uid}, {uid}, {atflags})
    fchown({fd}, {uid}, {uid})
    3 utimensat({at}, {path}, {times}, {atflags})
    utimensat({fd}, NULL, {times}, 0)
    3 {+file} = openat({at}, {path}, {oflags}, {mode})
    2 {+dir} = openat({at}, {path}, O_RDONLY | O_DIRECTORY, 0)
    {+file} = openat({at}, {path}, O_PATH | O_NOFOLLOW, 0)
    {+file} = openat2({at}, {path}, OpenHow(flags={oflags}, mode={mode}, resolve={resolve}), 24)
    write({file}, {wr})
    truncate({path}, {soff})
    close({fd})
""")
_XATTR = _lines("""
    4 setxattr({path}, {xname}, {xvalue}, {xflags})
    2 lsetxattr({path}, {xname}, {xvalue}, {xflags})
    2 fsetxattr({fd}, {xname}, {xvalue}, {xflags})
    4 getxattr({path}, {xname}, {xout})
    lgetxattr({path}, {xname}, {xout})
    fgetxattr({fd}, {xname}, {xout})
    3 listxattr({path}, {xout})
    llistxattr({path}, {xout})
    flistxattr({fd}, {xout})
    3 removexattr({path}, {xname})
    lremovexattr({path}, {xname})
    fremovexattr({fd}, {xname})
    {+file} = openat({at}, {path}, {oflags}, {mode})
    symlinkat({target}, AT_FDCWD, {name})
    mknodat(AT_FDCWD, {name}, {mknod}, 0)
    rename({name}, {name})
""")
_PERMS = _lines("""
    2 setresuid({id}, {id}, {id})
    setresgid({id}, {id}, {id})
    setuid({id})
    setgid({id})
    setreuid({id}, {id})
    setregid({id}, {id})
    setfsuid({id})
    setfsgid({id})
    2 getresuid(ints(-9), ints(-9), ints(-9))
    getresgid(ints(-9), ints(-9), BAD)
    setgroups({count}, ints(1000, 1001))
    getgroups({count}, ints(-9, -9, -9))
    geteuid()
    getgid()
    capget(CapHeader(version=0x20080522), array(CapData(), CapData()))
    capget(CapHeader(version=5), {null})
    capset(CapHeader(version=0x20080522), array(CapData(effective={caps}, permitted={caps}), CapData()))
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0)
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)
    prctl(PR_SET_DUMPABLE, {count}, 0, 0, 0)
    prctl(PR_CAPBSET_READ, {count}, 0, 0, 0)
    prctl(PR_CAPBSET_DROP, {count}, 0, 0, 0)
    prctl(PR_GET_SECUREBITS, 0, 0, 0, 0)
    prctl(PR_SET_SECUREBITS, {count}, 0, 0, 0)
    4 {+file} = openat({at}, {path}, {oflags}, {mode})
    2 fchmodat({at}, {path}, {mode})
    2 fchownat({at}, {path}, {id}, {id}, 0)
    2 faccessat({at}, {path}, {tmode})
    faccessat2({at}, {path}, {tmode}, AT_EACCESS)
    mkdirat({at}, {path}, {mode})
    unlinkat({at}, {path}, 0)
    linkat({at}, {path}, {at}, {path}, 0)
    renameat2({at}, {path}, {at}, {path}, 0)
    utimensat({at}, {path}, {times}, 0)
    setxattr({path}, {xname}, {xvalue}, 0)
    getxattr({path}, {xname}, {xout})
    truncate({path}, {soff})
    fchmod({fd}, {mode})
    write({file}, {wr})
    fstat({fd}, Stat())
    2 newfstatat({at}, {path}, Stat(), 0)
    mknodat({at}, {path}, {mknod}, 0)
    chdir({path})
    kill({pid}, 0)
    umask({mode})
""")
WORDS |= {
    "count": ["0", "1", "2", "3", "-1", "5", "70000"],
    "null": ["NULL", "BAD"],
    "caps": ["0", "1", "2", "3", "0x40", "-1"],
}
_LOCKS = _lines("""
    4 fcntl({fd}, F_SETLK, {lock})
    4 fcntl({fd}, F_GETLK, {lock})
    3 fcntl({fd}, F_OFD_SETLK, {lock})
    3 fcntl({fd}, F_OFD_GETLK, {lock})
    3 flock({fd}, {flock})
    close({fd})
    {+file} = dup({fd})
    2 {+file} = openat({at}, {path}, {oflags}, {mode})
    write({file}, b"0123456789", 10)
    lseek({file}, {soff}, SEEK_SET)
    ftruncate({file}, 20)
""")
WORDS["flock"] = [
    "LOCK_SH|LOCK_NB",
    "LOCK_EX|LOCK_NB",
    "LOCK_UN",
    "LOCK_UN|LOCK_NB",
    "LOCK_NB",
    "0",
    "LOCK_SH|LOCK_EX|LOCK_NB",
    "99",
]
_PIPES = _lines("""
    3 {+p:pr,pw} = pipe2(ints(-9, -9), {pipefl})
    pipe2(BAD, O_NONBLOCK)
    pipe2(CONSTS, O_NONBLOCK)
    pipe2(edge(ints(0)), O_NONBLOCK)
    5 write({pw}, {wr})
    5 read({pr}, {rd})
    2 writev({pw}, {iovw})
    2 readv({pr}, {iovr})
    2 close({pr})
    2 close({pw})
    write({rw}, {wr})
    read({rw}, {rd})
    2 ioctl({fd}, FIONREAD, ints(-9))
    fcntl({pw}, F_SETPIPE_SZ, {pipesz})
    fcntl({pr}, F_GETPIPE_SZ)
    2 splice({pr}, NULL, {pw}, NULL, {len}, {splice})
    2 splice({file}, NULL, {pw}, NULL, {len}, {splice})
    2 splice({pr}, NULL, {file}, words({soff}), {len}, {splice})
    splice({fd}, NULL, {fd}, NULL, {len}, {splice})
    splice({pr}, words(0), {pw}, NULL, 5, {splice})
    3 tee({pr}, {pw}, {len}, {splice})
    2 vmsplice({pw}, {iovw}, {splice})
    vmsplice({pr}, {iovr}, {splice})
    sendfile({pw}, {file}, NULL, {len})
    fstat({pr}, Stat())
    lseek({pr}, 0, SEEK_SET)
    3 poll(array(Pollfd(fd={pr}, events={pollev}), Pollfd(fd={pw}, events={pollev})), 2, 0)
    fcntl({fd}, F_SETFL, O_NONBLOCK)
    ftruncate({pw}, 0)
    pread64({pr}, {rd}, 0)
    {+pr} = dup({pr})
    {+pw} = dup({pw})
    mknodat(AT_FDCWD, b"fifo", S_IFIFO | 0o644, 0)
    {+pr} = openat(AT_FDCWD, b"fifo", O_RDONLY | O_NONBLOCK, 0)
    {+pw} = openat(AT_FDCWD, b"fifo", O_WRONLY | O_NONBLOCK, 0)
    {+pw} = openat(AT_FDCWD, b"fifo", O_RDWR | O_NONBLOCK, 0)
""")
WORDS["pipesz"] = ["0", "1", "4096", "4097", "65536", "100000", "1048576", "2097152", "-1"]
_EVENTS = _lines("""
    2 {+ev} = eventfd2({evinit}, {evfl})
    2 {+tf} = timerfd_create({clock}, {tffl})
    2 {+ep} = epoll_create1({cloexec})
    6 epoll_ctl({ep}, EPOLL_CTL_ADD, {epfd}, EpollEvent(events={epev}, data={count}))
    2 epoll_ctl({ep}, EPOLL_CTL_MOD, {epfd}, EpollEvent(events={epev}, data=7))
    2 epoll_ctl({ep}, EPOLL_CTL_DEL, {epfd}, NULL)
    epoll_ctl({epfd}, {count}, {epfd}, BAD)
    6 epoll_wait({ep}, array(EpollEvent(), EpollEvent(), EpollEvent()), 3, 0)
    epoll_pwait({ep}, array(EpollEvent()), {evcount}, 0, {set}, {eight})
    epoll_pwait2({ep}, array(EpollEvent()), 1, {soon}, NULL, 8)
    3 write({ev}, {evval}, 8)
    write({ev}, {wr})
    3 read({ev}, {rd})
    read({tf}, {rd})
    3 timerfd_settime({tf}, {tfset}, {itimer}, NULL)
    timerfd_gettime({epfd}, BAD)
    3 poll(array(Pollfd(fd={epfd}, events={pollev}), Pollfd(fd={epfd}, events={pollev})), 2, {pollms})
    ppoll(array(Pollfd(fd={epfd}, events={pollev})), 1, {soon}, {set}, {eight})
    poll(BAD, {count}, 0)
    poll(NULL, {count}, 0)
    select(16, {fdset}, {fdset}, NULL, Timeval())
    pselect6({count}, {fdset}, NULL, {fdset}, Timespec(), NULL)
    2 {+p:pr,pw} = pipe2(ints(-9, -9), O_NONBLOCK)
    2 write({pw}, {wr})
    2 read({pr}, {rd})
    close({epfd})
    {+ep} = dup({ep})
    {+ev} = signalfd4({sfd}, {set}, {eight}, {evfl})
    kill(main, {sig})
    rt_sigprocmask(SIG_BLOCK, {set}, NULL, 8)
    {+ino} = inotify_init1({inofl})
    2 inotify_add_watch({ino}, {path}, {inmask})
    inotify_rm_watch({ino}, {count})
    2 read({ino}, out(200), {inlen})
    {+file} = openat({at}, {path}, {oflags}, {mode})
    unlinkat({at}, {path}, 0)
    renameat2({at}, {path}, {at}, {path}, 0)
    clock_nanosleep({clock}, {tfset}, {soon}, NULL)
""")
WORDS |= {
    "evinit": ["0", "0", "1", "5", "-1", "0xfffffffe"], "evfl": ["EFD_NONBLOCK", "EFD_NONBLOCK", "EFD_NONBLOCK|EFD_SEMAPHORE", "EFD_NONBLOCK|EFD_CLOEXEC", "EFD_NONBLOCK|2"],
    "clock": ["CLOCK_MONOTONIC", "CLOCK_MONOTONIC", "CLOCK_REALTIME", "CLOCK_BOOTTIME", "99", "CLOCK_PROCESS_CPUTIME_ID", "-1"],
    "tffl": ["TFD_NONBLOCK", "TFD_NONBLOCK", "TFD_NONBLOCK|TFD_CLOEXEC", "TFD_NONBLOCK|1"], "tfset": ["0", "0", "0", "TFD_TIMER_ABSTIME", "2|1", "8"],
    "evcount": ["1", "1", "0", "-1", "0x7fffffff"], "pollms": ["0", "0", "0", "1", "-5"] if False else ["0", "0", "0", "1"],
    "fdset": ["words(0x18)", "words(0xf0)", "NULL", "words(0)", "words(0xfff0)", "BAD"], "sfd": ["-1", "-1", "{ev}", "{any}"],
    "inofl": ["IN_NONBLOCK", "IN_NONBLOCK|IN_CLOEXEC", "IN_NONBLOCK|1"], "inmask": ["IN_ALL_EVENTS", "IN_CREATE|IN_DELETE", "IN_MODIFY", "IN_MOVE", "0", "IN_ONLYDIR|IN_OPEN", "IN_ONESHOT|IN_CLOSE", "IN_MASK_ADD|IN_OPEN", "IN_MASK_CREATE|IN_ATTRIB", "-1"],
    "inlen": ["200", "200", "200", "16", "0", "30"],
}  # fmt: skip
_SIGNALS = _lines("""
    5 rt_sigaction({sig}, {action}, {oldact}, {eight})
    4 rt_sigprocmask({how}, {set}, {oldset}, {eight})
    2 rt_sigpending(words(0), 8)
    rt_sigpending({oldset}, {eight})
    4 kill({pid}, {sig})
    2 tkill(main, {sig})
    2 tgkill(main, main, {sig})
    tgkill({pid}, {pid}, {sig})
    3 rt_sigqueueinfo({pid}, {sig}, {info})
    rt_tgsigqueueinfo(main, main, {sig}, {info})
    3 rt_sigtimedwait({set}, {infoout}, {soon}, {eight})
    2 sigaltstack({stack}, {oldstack})
    {+pf} = pidfd_open({pid}, {pffl})
    pidfd_send_signal({pf}, {sig}, {pinfo}, 0)
    {+ev} = signalfd4({sfd}, {set}, {eight}, EFD_NONBLOCK)
    2 read({ev}, SignalfdSiginfo(), 128)
    read({ev}, {rd})
    getpid()
    rt_sigsuspend(sigset(), 8)
    pause()
    alarm({alarm})
    setitimer({count}, Itimerval(), NULL)
    getitimer({count}, Itimerval())
    {+p:pr,pw} = pipe2(ints(-9, -9), O_NONBLOCK)
    write({pw}, {wr})
    close({pr})
    fcntl({pr}, F_SETOWN, main)
    fcntl({pr}, F_SETSIG, {sig})
    fcntl({pr}, F_GETOWN)
    fcntl({pr}, F_SETFL, O_ASYNC | O_NONBLOCK)
    prctl(PR_SET_PDEATHSIG, {sig}, 0, 0, 0)
    timer_create(CLOCK_MONOTONIC, {sigev}, ints(-9))
    timer_delete(0)
    timer_settime({count}, 0, {itimer}, NULL)
    timer_gettime({count}, Itimerspec())
""")
WORDS |= {
    "oldact": ["KernelSigaction()", "NULL", "NULL", "BAD"], "oldset": ["words(0)", "NULL", "BAD", "CONSTS"],
    "infoout": ["Siginfo()", "NULL", "SiginfoQueue()", "BAD"], "stack": ["NULL", "SigaltStack(ss_sp=M(0), ss_size=8192)",
    "SigaltStack(ss_flags=SS_DISABLE)", "SigaltStack(ss_sp=M(0), ss_size=100)", "SigaltStack(ss_flags=9)", "BAD"],
    "oldstack": ["SigaltStack()", "NULL", "BAD"], "pffl": ["0", "0", "O_NONBLOCK", "1"], "pinfo": ["NULL", "{info}"], "alarm": ["0", "1000"],
    "sigev": ["NULL", "Sigevent(sigev_signo=SIGUSR1)", "Sigevent(sigev_notify=1)", "Sigevent(sigev_notify=9)", "Sigevent(sigev_signo=99)", "BAD"],
}  # fmt: skip
_MEMORY = _lines("""
    6 mmap({page}, {bytes}, {prot}, MAP_FIXED | {anon}, -1, 0)
    4 mmap({page}, {bytes}, {prot}, MAP_FIXED | {fmap}, {file}, {moff})
    2 mmap({page}, {bytes}, {prot}, MAP_FIXED_NOREPLACE | {anon}, -1, 0)
    mmap(NULL, {bytes}, {prot}, {anon}, {fd}, {moff})
    mmap({page}, 4096, {prot}, MAP_FIXED | {anon} | MAP_GROWSDOWN, -1, 0)
    3 munmap({page}, {bytes})
    5 mprotect({page}, {bytes}, {prot})
    4 mremap({page}, {bytes}, {bytes}, {mremap}, {page})
    5 madvise({page}, {bytes}, {advice})
    2 msync({page}, {bytes}, {msync})
    mincore({page}, {bytes}, out(8))
    mincore({page}, 4096, BAD)
    mlock({page}, {bytes})
    mlock2({page}, {bytes}, {count})
    munlock({page}, {bytes})
    8 poke({page}, 65)
    8 peek({page})
    3 write({file}, {page}, {len})
    3 read({file}, {page}, {len})
    pread64({file}, {page}, 6000, 0)
    2 pwrite64({file}, b"file", 4, {soff})
    2 ftruncate({file}, {msize})
    pread64({file}, out(8), 8, {soff})
    fallocate({file}, {falloc}, {soff}, {len})
    close({file})
    {+file} = openat(AT_FDCWD, {name}, {oflags}, 0o644)
    {+file} = memfd_create(b"m", {memfd})
    fcntl({file}, F_ADD_SEALS, {seals})
    rt_sigprocmask(SIG_BLOCK, {page}, {page}, 8)
    newfstatat(AT_FDCWD, {page}, Stat(), 0)
    getrandom({page}, 0, {count})
""")
WORDS |= {
    "fmap": [
        "MAP_SHARED",
        "MAP_SHARED",
        "MAP_PRIVATE",
        "MAP_PRIVATE",
        "MAP_SHARED_VALIDATE",
        "0",
        "MAP_SHARED|MAP_POPULATE",
    ],
    "msize": ["0", "1", "4096", "5000", "8192", "20000"],
}
_SOCKETS = _lines("""
    4 {+p:sock,sock} = socketpair(AF_UNIX, {styp}, {proto}, ints(-9, -9))
    socketpair(AF_UNIX, SOCK_STREAM, 0, BAD)
    3 {+sock} = socket({family}, {styp}, {proto})
    4 bind({sock}, {addr})
    3 listen({sock}, {backlog})
    3 connect({sock}, {addr})
    fcntl({sock}, F_SETFL, O_NONBLOCK)
    3 {+sock} = accept4({nbsock}, {saddr}, SOCK_NONBLOCK)
    2 getsockname({sock}, out(120), ints({alen}))
    getpeername({sock}, out(120), ints({alen}))
    getsockname({fd}, BAD, ints(10))
    5 sendto({sock}, {msg}, {mflags} | MSG_DONTWAIT, {toaddr})
    5 recvfrom({sock}, {rd}, {rflags}, {fromaddr})
    4 sendmsg({sock}, {msghdr}, {mflags} | MSG_DONTWAIT)
    4 recvmsg({sock}, {msgin}, {rflags})
    write({sock}, {msg})
    2 shutdown({sock}, {shut})
    close({sock})
    2 getsockopt({sock}, SOL_SOCKET, {opt}, ints(-9, -9), ints({alen4}))
    2 setsockopt({sock}, SOL_SOCKET, {opt}, ints({count}), {alen4})
    getsockopt({fd}, {count}, {opt}, BAD, BAD)
    ioctl({sock}, FIONREAD, ints(-9))
    2 poll(array(Pollfd(fd={sock}, events={pollev}), Pollfd(fd={sock}, events={pollev})), 2, 0)
    fstat({sock}, Stat())
    newfstatat(AT_FDCWD, b"s", Stat(), 0)
    unlinkat(AT_FDCWD, b"s", 0)
    lseek({sock}, 0, SEEK_SET)
    pread64({sock}, {rd}, 0)
    {+sock} = dup({sock})
    {+file} = openat(AT_FDCWD, b"s", {oflags}, 0)
    splice({pr}, NULL, {sock}, NULL, 10, {splice})
    write({pw}, {wr})
""")
WORDS |= {
    "proto": ["0", "0", "0", "1", "5"], "family": ["AF_UNIX", "AF_UNIX", "AF_UNIX", "AF_UNIX", "99", "-1", "AF_UNSPEC"], "backlog": ["0", "1", "5", "-1", "0x7fffffff"],
    "nbsock": ["{sock}"], "saddr": ["NULL, NULL", "out(110), ints(110)", "out(110), ints(2)", "BAD, ints(9)", "NULL, ints(-1)", "out(8), BAD", "out(110), ints(-1)"],
    "alen": ["120", "120", "2", "0", "-1", "5"], "toaddr": ["NULL, 0", "NULL, 0", "NULL, 0", "{addr}"], "fromaddr": ["NULL, NULL", "NULL, NULL", "out(110), ints(110)", "out(110), ints(1)", "out(9), ints(-1)"],
    "alen4": ["4", "4", "4", "0", "1", "8", "-1"], "shut": ["0", "1", "2", "3", "-1"],
    "msghdr": ['Msghdr(msg_iov=iov(b"ab", b"cd"), msg_iovlen=2)', 'Msghdr(msg_iov=iov(b"x"), msg_iovlen=1, msg_control=rights({fd}), msg_controllen={clen})',
               'Msghdr(msg_iov=iov(b"x"), msg_iovlen=1, msg_control=rights({fd}, {fd}), msg_controllen=24)', "Msghdr()", "BAD", "Msghdr(msg_iov=BAD, msg_iovlen=1)",
               'Msghdr(msg_iov=iov(b"q"), msg_iovlen=1025)', 'Msghdr(msg_name=sockaddr(b"s\\0"), msg_namelen=4, msg_iov=iov(b"to"), msg_iovlen=1)',
               'Msghdr(msg_iov=iov(b"q"), msg_iovlen=1, msg_control=BAD, msg_controllen=20)', "Msghdr(msg_name=BAD, msg_namelen=-1)"],
    "clen": ["20", "20", "20", "24", "16", "12", "0", "5", "200"],
    "msgin": ["Msghdr(msg_iov=iov(out(2), out(50)), msg_iovlen=2)", "Msghdr(msg_iov=iov(out(9)), msg_iovlen=1, msg_control=out(64), msg_controllen=64)",
              "Msghdr(msg_iov=iov(out(9)), msg_iovlen=1, msg_control=out(64), msg_controllen={clen})", "Msghdr(msg_name=out(110), msg_namelen=110, msg_iov=iov(out(9)), msg_iovlen=1)",
              "BAD", "Msghdr(msg_iov=iov(out(9)), msg_iovlen=1, msg_flags=-1)"],
}  # fmt: skip
_PROCESSES = _lines("""
    6 wait4({child}, ints(-9), {wopt}, NULL)
    2 wait4(-1, ints(-9), WNOHANG, NULL)
    wait4({wpid}, {wstat}, WNOHANG, NULL)
    4 waitid({idtype}, {winfo}, {waitid}, NULL)
    2 {+pf} = pidfd_open({child}, {pffl})
    poll(array(Pollfd(fd={pf}, events=POLLIN)), 1, 0)
    kill({pid}, {sig})
    rt_sigaction(SIGCHLD, {action}, NULL, 8)
    rt_sigprocmask({how}, {set}, NULL, 8)
    getppid()
    setpgid({who}, {who})
    getpgid({who})
    getsid({who})
    setsid()
    getpriority({prio}, {who})
    setpriority({prio}, {who}, {nice})
    2 prlimit64({who}, {limit}, {limits}, words(-9, -9))
    getrlimit({limit}, {lim})
    setrlimit({limit}, longs(9, 9))
    prctl({count}, 0, 0, 0, 0)
    prctl(PR_SET_NAME, {pname}, 0, 0, 0)
    prctl(PR_GET_NAME, {pout}, 0, 0, 0)
    prctl(PR_SET_CHILD_SUBREAPER, {count}, 0, 0, 0)
    prctl(PR_GET_PDEATHSIG, {intout}, 0, 0, 0)
    prctl(PR_SET_PDEATHSIG, {sig}, 0, 0, 0)
    prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0)
    sched_getscheduler({who})
    sched_getparam({who}, {intout})
    sched_get_priority_max({count})
    sched_setscheduler({who}, {count}, ints({count}))
    personality(0xffffffff)
    {+p:pr,pw} = pipe2(ints(-9, -9), O_NONBLOCK)
    write({pw}, {wr})
    read({pr}, {rd})
    lseek({file}, {soff}, {whence})
    write({file}, {wr})
    read({file}, {rd})
    close({fd})
    2 exit_group({code})
    exit({code})
    umask({mode})
    chdir({path})
    mmap({page}, {bytes}, {prot}, MAP_FIXED | {anon}, -1, 0)
    poke({page}, 66)
    peek({page})
""")
WORDS |= {
    "wpid": ["-1", "0", "{child}", "GONE", "-GONE", "main"], "wstat": ["ints(-9)", "NULL", "BAD"], "winfo": ["array(SiginfoChild(), out(88))", "NULL", "BAD"],
    "prio": ["PRIO_PROCESS", "PRIO_PROCESS", "PRIO_PGRP", "5", "-1"], "nice": ["0", "5", "19", "30", "-1", "-30"], "lim": ["longs(-9, -9)", "BAD", "NULL"],
    "pname": ['b"name"', 'b"a-very-long-name-indeed"', "BAD", 'b""'], "pout": ["out(16)", "BAD", "edge(out(8))"], "intout": ["ints(-9)", "BAD", "NULL"],
    "code": ["0", "1", "255", "256", "-1"],
}  # fmt: skip

PRELUDES = {
    "file": '{+file} = openat(AT_FDCWD, b"a", O_RDWR | O_CREAT, 0o644)',
    "data": 'write({file}, b"0123456789", 10)',
    "dir": 'mkdirat(AT_FDCWD, b"d", 0o755)',
    "opendir": '{+dir} = openat(AT_FDCWD, b"d", O_RDONLY | O_DIRECTORY, 0)',
    "link": 'symlinkat(b"a", AT_FDCWD, b"l")',
    "pipe": "{+p:pr,pw} = pipe2(ints(-9, -9), O_NONBLOCK)",
    "pair": "{+p:sock,sock} = socketpair(AF_UNIX, SOCK_STREAM, 0, ints(-9, -9))",
    "map": "mmap(M(0), 16384, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)",
    "epoll": "{+ep} = epoll_create1(0)",
    "event": "{+ev} = eventfd2(0, EFD_NONBLOCK)",
    "user": "setresuid(1000, 1000, 1000)",
    "group": "setresgid(1000, 1000, 1000)",
    "action": "rt_sigaction(SIGUSR1, KernelSigaction(handler=HANDLER, flags=SA_SIGINFO | SA_RESTORER, restorer=RESTORER), NULL, 8)",
}
_WAIT = [(3, "wait4({child}, ints(-9), 0, NULL)")]
#: area -> (templates, preludes each of which begins a sequence with some chance, chance of a fork in percent)
AREAS: dict[str, tuple[list[tuple[int, str]], list[str], int]] = {
    "files": (_FILES, ["file", "data", "dir", "link", "opendir", "pipe", "event", "pair"], 3),
    "names": (_NAMES, ["file", "dir", "link", "opendir", "data"], 0),
    "xattrs": (_XATTR, ["file", "dir", "link"], 0),
    "credentials": (_PERMS, ["file", "dir", "opendir", "link", "group", "user"], 2),
    "locks": (_LOCKS + _WAIT, ["file", "data", "file"], 15),
    "pipes": (_PIPES, ["pipe", "file", "data", "pipe"], 3),
    "events": (_EVENTS, ["epoll", "pipe", "event", "file"], 3),
    "signals": (_SIGNALS + _WAIT, ["action", "pipe", "map"], 8),
    "memory": (_MEMORY + _WAIT, ["file", "data", "map"], 8),
    "sockets": (_SOCKETS, ["pair", "pipe", "dir"], 4),
    "processes": (_PROCESSES, ["file", "data", "pipe", "map"], 25),
}
