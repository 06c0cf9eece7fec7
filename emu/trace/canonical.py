"""One name for what is one call on every architecture: open is openat, mmap2 is mmap, fork is a clone.

A line of the table is `name = canonical argument ...`: `$0` is the call's first argument, anything else stands for
itself. Only the arguments that the line names are compared. Behind a bar stands which argument the call stores its
result in.

Offsets of mmap2 are already bytes in a trace; what the time64 calls point to has the same members.
"""

from __future__ import annotations

from functools import cache

from emu.trace.normalize import Group, Node, Record, Text, key_of
from syscalls.abi.arch import I386, X86_64
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.numbers import NUMBER

TABLE = """
open = openat AT_FDCWD $0 $1 $2
creat = openat AT_FDCWD $0 O_WRONLY|O_CREAT|O_TRUNC $1
stat = newfstatat AT_FDCWD $0 $1 0
stat64 = newfstatat AT_FDCWD $0 $1 0
oldstat = newfstatat AT_FDCWD $0 $1 0
lstat = newfstatat AT_FDCWD $0 $1 AT_SYMLINK_NOFOLLOW
lstat64 = newfstatat AT_FDCWD $0 $1 AT_SYMLINK_NOFOLLOW
oldlstat = newfstatat AT_FDCWD $0 $1 AT_SYMLINK_NOFOLLOW
fstat = newfstatat $0 "" $1 AT_EMPTY_PATH
fstat64 = newfstatat $0 "" $1 AT_EMPTY_PATH
oldfstat = newfstatat $0 "" $1 AT_EMPTY_PATH
fstatat64 = newfstatat $0 $1 $2 $3
statx = newfstatat $0 $1 $4 $2
access = faccessat AT_FDCWD $0 $1
chmod = fchmodat AT_FDCWD $0 $1
chown = fchownat AT_FDCWD $0 $1 $2 0
chown32 = fchownat AT_FDCWD $0 $1 $2 0
lchown = fchownat AT_FDCWD $0 $1 $2 AT_SYMLINK_NOFOLLOW
lchown32 = fchownat AT_FDCWD $0 $1 $2 AT_SYMLINK_NOFOLLOW
link = linkat AT_FDCWD $0 AT_FDCWD $1 0
symlink = symlinkat $0 AT_FDCWD $1
readlink = readlinkat AT_FDCWD $0 $1 $2
unlink = unlinkat AT_FDCWD $0 0
rmdir = unlinkat AT_FDCWD $0 AT_REMOVEDIR
rename = renameat AT_FDCWD $0 AT_FDCWD $1
renameat2 = renameat $0 $1 $2 $3
mkdir = mkdirat AT_FDCWD $0 $1
mknod = mknodat AT_FDCWD $0 $1 $2
utime = utimensat AT_FDCWD $0
utimes = utimensat AT_FDCWD $0
futimesat = utimensat $0 $1
utimensat = utimensat $0 $1
getdents = getdents64 $0
getdents64 = getdents64 $0
_llseek = lseek $0 $1 $3 | $2
dup2 = dup3 $0 $1 0
pipe = pipe2 $0 0
epoll_create = epoll_create1 0
epoll_wait = epoll_pwait $0 $1 $2 $3 NULL
epoll_pwait = epoll_pwait $0 $1 $2 $3 $4
eventfd = eventfd2 $0 0
signalfd = signalfd4 $0 $1 $2 0
inotify_init = inotify_init1 0
poll = ppoll $0 $1
ppoll = ppoll $0 $1
pause = ppoll NULL 0
select = pselect6 $0 $1 $2 $3
_newselect = pselect6 $0 $1 $2 $3
pselect6 = pselect6 $0 $1 $2 $3
fork = clone
vfork = clone
clone = clone
clone3 = clone
waitpid = wait4 $0 $1 $2 NULL
getpgrp = getpgid 0
getrlimit = prlimit64 0 $0 NULL $1
ugetrlimit = prlimit64 0 $0 NULL $1
setrlimit = prlimit64 0 $0 $1 NULL
umount = umount2 $0 0
sigaction = rt_sigaction $0 $1 $2
rt_sigaction = rt_sigaction $0 $1 $2
sigprocmask = rt_sigprocmask $0 $1 $2
rt_sigprocmask = rt_sigprocmask $0 $1 $2
sigpending = rt_sigpending $0
rt_sigpending = rt_sigpending $0
sigsuspend = rt_sigsuspend
rt_sigsuspend = rt_sigsuspend
sigreturn = rt_sigreturn
rt_sigreturn = rt_sigreturn
accept = accept4 $0 $1 $2 0
mmap2 = mmap $0 $1 $2 $3 $4 $5
statfs64 = statfs $0 $2
fstatfs64 = fstatfs $0 $2
fadvise64_64 = fadvise64 $0 $1 $2 $3
"""

#: What an architecture does for itself: where thread-local storage is. No other has an equivalent.
OWN = frozenset({"arch_prctl", "set_thread_area", "get_thread_area", "modify_ldt"})
#: Words that only say how wide numbers are, or what stat means anyway.
_SILENT = frozenset({"O_LARGEFILE", "AT_STATX_SYNC_AS_STAT", "AT_NO_AUTOMOUNT"})
_WORDS = {"F_SETLK64": "F_SETLK", "F_SETLKW64": "F_SETLKW", "F_GETLK64": "F_GETLK"}
_STAT = {f"stx_{name}": f"st_{name}" for name in ("mode", "nlink", "uid", "gid", "size", "blocks", "blksize")}


@cache
def _rules() -> dict[str, tuple[str, list[str], str]]:
    rules = {}
    for line in TABLE.strip().splitlines():
        name, _, rule = line.partition(" = ")
        words, _, stored = rule.partition(" | ")
        canonical, *arguments = words.split()
        rules[name] = (canonical, arguments, stored)
    return rules


@cache
def canonical_name(name: str) -> str:
    """The name that stands for this call everywhere."""
    rule = _rules().get(name)
    if rule is not None:
        return rule[0]
    plain = _plain(name)
    rule = _rules().get(plain)
    return rule[0] if rule is not None else plain


@cache
def _plain(name: str) -> str:
    """Without what only says how wide numbers are: getuid32, fcntl64, clock_gettime64, futex_time64."""
    if name in NUMBER[X86_64.name] or name not in NUMBER[I386.name]:
        return name
    for suffix in ("_time64", "64", "32"):
        if name.endswith(suffix) and name.removesuffix(suffix) in NUMBER[X86_64.name]:
            return name.removesuffix(suffix)
    return name


def canonical(record: Record) -> Record | None:
    """The record under its canonical name; None for what an architecture does for itself."""
    if record.what != "call":
        return record
    if record.name in OWN:
        return None
    record.original = record.name
    name = record.name if record.name in _rules() else _plain(record.name)
    rule = _rules().get(name)
    record.name = name
    if rule is not None:
        record.name, words, stored = rule
        given = [node for _, node in record.args]
        if stored and not isinstance(record.result, str):
            record.result = _content(given[int(stored[1:])])
        record.args = [(f"argument {place}", node) for place, node in enumerate(_arguments(words, given), 1)]
    if record.name == "fcntl" and record.note:
        record.result = 0  # the flags stand in the note, by name
    record.args = [(name, _without_width(node)) for name, node in record.args]
    record.key = key_of(record)
    return record


def _arguments(words: list[str], given: list[Node]) -> list[Node]:
    made: list[Node] = []
    for word in words:
        if not word.startswith("$"):
            made.append(_LITERALS.get(word, word))
        elif int(word[1:]) < len(given):
            made.append(given[int(word[1:])])
    return made


_LITERALS: dict[str, Node] = {"AT_FDCWD": AT_FDCWD, '""': Text(b""), "0": 0, "NULL": 0}


def _content(node: Node) -> Node:
    """[5] -> 5."""
    return node.members[0][1] if isinstance(node, Group) and len(node.members) == 1 else node


def _without_width(node: Node) -> Node:
    if isinstance(node, str):
        if node in _WORDS:
            return _WORDS[node]
        words = node.split("|")
        if not _SILENT.isdisjoint(words):
            return "|".join(word for word in words if word not in _SILENT) or 0
    if isinstance(node, Group) and any(name in _STAT for name, _ in node.members):
        members = tuple((_STAT[name], member) for name, member in node.members if name in _STAT)
        return Group(members, brief=True)
    return node
