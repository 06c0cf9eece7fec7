"""Debian's busybox in the sandbox against the same busybox natively, on the same tree at the same path.

x86_64 and i386 run natively where the machine can; arm64 must agree with x86_64. Both sides start from equal trees
(contents, modes, times), as root, in UTC; nothing in their output is edited, only the lines of applets that promise no
order (find, du, grep -r) are sorted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import debian
import pytest
from guest import run_guest
from sample_cases import ARCHES, Outcome, end_of, fresh_directory, remove

from emu.config import Bind

pytestmark = pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="ownership needs root")

#: Execute a program that is outside of the new root: by descriptor.
IN_CHROOT = """
import os, sys
program, root, cwd, *command = sys.argv[1:]
descriptor = os.open(program, os.O_RDONLY)
os.chroot(root)
os.chdir(cwd)
os.execve(descriptor, [program, *command], dict(os.environ))
"""
ENVIRONMENT = {"PATH": "/bin", "TZ": "UTC", "HOME": "/root", "LC_ALL": "C"}
MOMENT = 1_600_000_000


@dataclass(frozen=True, slots=True)
class Applet:
    name: str
    command: tuple[str, ...]
    stdin: bytes = b""
    ordered: bool = True  # whether the order of the lines is promised


WORDS = b"pear\napple\nfig\napple\nbanana\n10\n9\n"
TABLE = b"id name size\n1 alpha 10\n2 beta 20\n3 gamma 33\n"

APPLETS = [
    Applet("sha256sum", ("sha256sum", "text", "big", "empty")),
    Applet("sha512sum", ("sha512sum", "big")),
    Applet("md5sum", ("md5sum", "text", "big")),
    Applet("sha1sum-stdin", ("sha1sum",), WORDS),
    Applet("cksum", ("cksum", "big")),
    Applet("sum", ("sum", "big")),
    Applet("ls", ("ls",)),
    Applet("ls-lR", ("ls", "-lR", "--full-time")),
    Applet("ls-la", ("ls", "-la")),
    Applet("ls-missing", ("ls", "missing")),
    Applet("ls-F", ("ls", "-AF1")),
    Applet("find", ("find", "."), ordered=False),
    Applet("find-type", ("find", ".", "-type", "f", "-name", "*t*", "-size", "+0"), ordered=False),
    Applet("find-newer", ("find", ".", "-newer", "text", "-print0")),
    Applet("find-perm", ("find", ".", "-perm", "-4000", "-o", "-type", "l"), ordered=False),
    Applet("find-delete", ("find", "sub", "-name", "deep*", "-delete")),
    Applet("sort", ("sort", "words")),
    Applet("sort-nr", ("sort", "-nr"), WORDS),
    Applet("sort-u", ("sort", "-u", "-o", "sorted", "words")),
    Applet("sort-k", ("sort", "-k", "3,3n", "-k", "2", "table")),
    Applet("uniq", ("uniq", "-c"), b"a\na\nb\na\n"),
    Applet("awk", ("awk", 'NR > 1 { sum += $3; print $2, $3 * 2.5 } END { printf "%.3f\\n", sum / 7 }', "table")),
    Applet(
        "awk-fields",
        ("awk", "-F:", '{ n = split($0, a, ":"); for (i = n; i > 0; i--) printf "%s ", a[i] }'),
        b"a:b:c\n",
    ),
    Applet("awk-math", ("awk", 'BEGIN { print sin(1), exp(2), log(10), int(-3.7), 2 ^ 31, substr("hello", 2, 3) }')),
    Applet("sed", ("sed", "-e", "s/a\\(.\\)/<\\1>/g", "-e", "2d", "words")),
    Applet("sed-i", ("sed", "-i", "s/fig/FIG/", "words")),
    Applet("sed-n", ("sed", "-n", "2,3p", "table")),
    Applet("grep", ("grep", "-n", "p", "words")),
    Applet("grep-r", ("grep", "-r", "needle", "."), ordered=False),
    Applet("grep-rl", ("grep", "-rlE", "need(le)?", "."), ordered=False),
    Applet("grep-none", ("grep", "absent", "words")),
    Applet("grep-c", ("grep", "-ciw", "APPLE", "words")),
    Applet("tar-c", ("tar", "cf", "out.tar", "text", "words", "sub/deep", "link", "tool")),
    Applet("tar-x", ("tar", "xvf", "archive.tar", "-C", "sub")),
    Applet("tar-t", ("tar", "tvf", "archive.tar")),
    Applet("tar-stdout", ("tar", "xOf", "archive.tar", "words")),
    Applet("gzip", ("gzip", "-c", "big")),
    Applet("gzip-file", ("gzip", "words")),
    Applet("gunzip", ("gunzip", "-c", "squeezed.gz")),
    Applet("gunzip-broken", ("gunzip", "-c", "text")),
    Applet("bzip2", ("bzip2", "-c", "big")),
    Applet("dd", ("dd", "if=big", "of=piece", "bs=1000", "skip=3", "count=20", "status=none")),
    Applet("dd-seek", ("dd", "if=text", "of=big", "bs=16", "seek=100", "conv=notrunc", "status=none")),
    Applet("dd-stdin", ("dd", "bs=4", "count=2", "status=none"), b"0123456789"),
    Applet("cp", ("cp", "text", "copy")),
    Applet("cp-a", ("cp", "-a", "sub", "copied")),
    Applet("cp-r", ("cp", "-r", "sub", "link", "text", "dir")),
    Applet("cp-p", ("cp", "-p", "tool", "tool2")),
    Applet("cp-missing", ("cp", "missing", "x")),
    Applet("mv", ("mv", "text", "dir/moved")),
    Applet("mv-dir", ("mv", "sub", "renamed")),
    Applet("rm", ("rm", "text", "link")),
    Applet("rm-rf", ("rm", "-rf", "sub")),
    Applet("rm-dir", ("rm", "sub")),
    Applet("mkdir-p", ("mkdir", "-p", "-m", "750", "a/b/c")),
    Applet("mkdir-again", ("mkdir", "dir")),
    Applet("rmdir", ("rmdir", "dir")),
    Applet("rmdir-full", ("rmdir", "sub")),
    Applet("ln", ("ln", "text", "hard")),
    Applet("ln-s", ("ln", "-sf", "words", "link")),
    Applet("touch", ("touch", "-d", "2020-02-03 04:05:06", "text", "new")),
    Applet("chmod", ("chmod", "-R", "u=rwX,go=rX", "sub", "tool")),
    Applet("chown", ("chown", "12:34", "text")),
    Applet("install", ("install", "-m", "711", "text", "dir/installed")),
    Applet("truncate", ("truncate", "-s", "100", "big")),
    Applet("du", ("du", "-a", "."), ordered=False),
    Applet("du-s", ("du", "-sk", ".")),
    Applet("stat-c", ("stat", "-c", "%n %s %a %u %g %F %h %Y %b %o %N", "text", "dir", "link", "tool")),
    Applet("stat-L", ("stat", "-L", "-c", "%F %s", "link")),
    Applet("readlink", ("readlink", "link")),
    Applet("readlink-f", ("readlink", "-f", "sub/../link")),
    Applet("realpath", ("realpath", "sub/deep/..")),
    Applet("pwd", ("pwd",)),
    Applet("date", ("date", "-u", "-d", "2021-03-04 05:06:07", "+%Y-%m-%d %H:%M:%S %j %a %b %s")),
    Applet("date-r", ("date", "-u", "-r", "text", "-R")),
    Applet("env", ("env",)),
    Applet("env-i", ("printenv", "TZ")),
    Applet("od", ("od", "-A", "x", "-t", "x1z", "text")),
    Applet("od-c", ("od", "-c", "words")),
    Applet("hexdump", ("hexdump", "-C", "text")),
    Applet("xxd", ("xxd", "text")),
    Applet("base64", ("base64", "text")),
    Applet("base64-d", ("base64", "-d"), b"aGVsbG8gd29ybGQK\n"),
    Applet("wc", ("wc", "text", "words", "big")),
    Applet("cut", ("cut", "-d", " ", "-f", "2-", "table")),
    Applet("head", ("head", "-n", "2", "words", "table")),
    Applet("head-c", ("head", "-c", "100", "big")),
    Applet("tail", ("tail", "-n", "2", "words")),
    Applet("tail-c", ("tail", "-c", "5", "text")),
    Applet("tail-plus", ("tail", "-n", "+3"), WORDS),
    Applet("tr", ("tr", "a-z", "A-Z"), WORDS),
    Applet("tr-ds", ("tr", "-d", "aeiou"), WORDS),
    Applet("cmp", ("cmp", "text", "words")),
    Applet("cmp-same", ("cmp", "-s", "text", "text")),
    Applet("diff", ("diff", "words", "table")),
    Applet("diff-u", ("diff", "-u", "-L", "a", "-L", "b", "words", "table")),
    Applet("diff-r", ("diff", "-rq", "sub", "dir")),
    Applet("comm", ("comm", "words", "table")),
    Applet("paste", ("paste", "words", "table")),
    Applet("fold", ("fold", "-w", "7", "text")),
    Applet("nl", ("nl", "words")),
    Applet("rev", ("rev", "words")),
    Applet("tac", ("tac", "words")),
    Applet("split", ("split", "-b", "10000", "big", "part-")),
    Applet("cat", ("cat", "text", "-", "empty"), WORDS),
    Applet("tee", ("tee", "copy"), WORDS),
    Applet("expr", ("expr", "(", "3", "+", "4", ")", "*", "5")),
    Applet("expr-match", ("expr", "hello", ":", "h\\(.*\\)o")),
    Applet("seq", ("seq", "1", "2.5", "12")),
    Applet("printf", ("printf", "%s=%05d %x %.3f\\n", "a", "42", "255", "3.14159")),
    Applet("test-true", ("test", "-f", "text", "-a", "-x", "tool", "-a", "-L", "link")),
    Applet("test-false", ("test", "text", "-nt", "tool")),
    Applet("cal", ("cal", "2", "2024")),
    Applet("bc", ("bc",), b"2^100\nscale=20; 1/7\n"),
    Applet("dc", ("dc",), b"10 k 2 v p\n"),
    Applet("factor", ("factor", "1234567890", "97")),
    Applet("basename", ("basename", "/a/b/c.txt", ".txt")),
    Applet("dirname", ("dirname", "/a/b/c.txt")),
    Applet("id", ("id",)),
    Applet("whoami", ("whoami",)),
    Applet("echo", ("echo", "-e", "a\\tb\\x41")),
    Applet("true", ("true",)),
    Applet("false", ("false",)),
    Applet("sleep", ("sleep", "0.01")),
    Applet("usleep", ("usleep", "1000")),
    Applet("strings", ("strings", "big")),
    Applet("unexpand", ("unexpand", "-a"), b"a        b\n"),
    Applet("cpio", ("cpio", "-o", "-H", "newc"), b"missing\n"),
    Applet("patch", ("patch", "words"), b"--- words\n+++ words\n@@ -1,2 +1,2 @@\n-pear\n+plum\n apple\n"),
    Applet(
        "sh", ("sh", "-c", 'for i in 1 2 3; do echo $((i * i)) > out.$i; done; read x < text; echo "$x"; cd sub; pwd')
    ),
    Applet("sh-test", ("sh", "-c", "case $HOME in /r*) echo home;; esac; [ -d dir ] && echo dir; exit 7")),
    Applet("unknown", ("no-such-applet",)),
]


def make_tree(root: Path) -> None:
    """The tree that every applet starts with: the same bytes, modes and times in every copy."""
    (root / "sub" / "deep" / "deeper").mkdir(parents=True)
    (root / "dir").mkdir()
    (root / "text").write_bytes(b"The quick brown fox\njumps over the lazy dog.\n\x00\x01\xff needle\n")
    (root / "words").write_bytes(WORDS)
    (root / "table").write_bytes(TABLE)
    (root / "empty").write_bytes(b"")
    (root / "big").write_bytes(b"".join(b"%d %d\n" % (n, n * n * 7919 % 104729) for n in range(6000)))
    (root / "sub" / "needle.txt").write_bytes(b"hay\nneedle\nhay\n")
    (root / "sub" / "deep" / "deepest").write_bytes(b"needle in the deep\n")
    (root / "tool").write_bytes(b"#!/bin/sh\necho tool\n")
    (root / "tool").chmod(0o4755)
    (root / "link").symlink_to("text")
    (root / "sub" / "dangling").symlink_to("../nowhere")
    shutil.copy(Path(__file__).parent / "data" / "archive.tar", root / "archive.tar")
    shutil.copy(Path(__file__).parent / "data" / "squeezed.gz", root / "squeezed.gz")
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, (MOMENT, MOMENT + len(path.name)), follow_symlinks=False)
    os.utime(root / "tool", (MOMENT + 100, MOMENT + 100))
    os.utime(root, (MOMENT, MOMENT))


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """What is in a tree: type and mode, owner, time if it was set, and contents of each name."""
    found: dict[str, tuple[object, ...]] = {}
    for path in root.rglob("*"):
        status = path.lstat()
        content: bytes | str = b""
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        when = int(status.st_mtime) if status.st_mtime < MOMENT + 1000 else "now"
        found[str(path.relative_to(root))] = (oct(status.st_mode), status.st_uid, status.st_gid, when, content)
    return found


Seen = tuple[Outcome, dict[str, tuple[object, ...]]]


def _run(tree: Path, run: object) -> Seen:
    make_tree(tree)
    assert callable(run)
    outcome = run(tree)
    return outcome, snapshot(tree)


@pytest.fixture
def tree() -> Iterator[Path]:
    """One path that both sides use, one after the other, so that even absolute names are the same."""
    parent = fresh_directory()
    parent.chmod(0o755)
    directory = parent / "tree"
    directory.mkdir()
    yield directory
    remove(parent)


def empty(tree: Path) -> None:
    remove(tree)
    tree.mkdir()


def program(arch: str) -> Path:
    try:
        return debian.program("busybox-static", arch)
    except debian.UnavailableError as problem:
        pytest.skip(f"Debian's busybox for {arch} cannot be fetched: {problem}")


def natively(arch: str, applet: Applet, tree: Path) -> Seen:
    binary = program(arch)

    def run(directory: Path) -> Outcome:
        try:
            done = subprocess.run(
                [binary, *applet.command],
                input=applet.stdin,
                env=ENVIRONMENT,
                cwd=directory,
                umask=0o022,
                capture_output=True,
                timeout=60,
                check=False,
            )
        except OSError as problem:
            pytest.skip(f"this machine does not run {arch} programs itself: {problem}")
        return Outcome(end_of(done.returncode), done.stdout, done.stderr)

    seen = _run(tree, run)
    empty(tree)
    return seen


def in_sandbox(arch: str, applet: Applet, tree: Path) -> Seen:
    bind = Bind(str(tree.parent), str(tree.parent), writable=True)  # so that ".." is the same too
    return _run(
        tree,
        lambda directory: run_guest(
            program(arch), applet.command, env=ENVIRONMENT, cwd=str(directory), stdin=applet.stdin, binds=(bind,)
        ),
    )


def lines(output: bytes, applet: Applet) -> list[bytes]:
    split = output.splitlines()
    return split if applet.ordered else sorted(split)


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("applet", APPLETS, ids=lambda applet: applet.name)
def test_applet_does_what_it_does_natively(applet: Applet, arch: str, tree: Path) -> None:
    wanted, wanted_tree = natively("x86_64" if arch == "arm64" else arch, applet, tree)
    got, got_tree = in_sandbox(arch, applet, tree)
    assert lines(got.stdout, applet) == lines(wanted.stdout, applet)
    assert got.stderr == wanted.stderr
    assert got.end == wanted.end
    assert got_tree == wanted_tree


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize(
    "applet",
    [a for a in APPLETS if a.name in {"ls-lR", "sha256sum", "sed-i", "rm-rf", "cp-a", "mv", "tar-x", "readlink-f"}],
    ids=lambda applet: applet.name,
)
def test_a_root_is_shown_and_never_written(applet: Applet, arch: str, tree: Path) -> None:
    """The same under --root: natively after chroot(2); the directory stays as it was."""
    native_arch = "x86_64" if arch == "arm64" else arch
    make_tree(tree)
    before = snapshot(tree)
    got = run_guest(program(arch), applet.command, env=ENVIRONMENT, cwd="/tree", stdin=applet.stdin, root=tree.parent)
    assert snapshot(tree) == before
    done = subprocess.run(
        [sys.executable, "-c", IN_CHROOT, program(native_arch), tree.parent, "/tree", *applet.command],
        input=applet.stdin,
        env=ENVIRONMENT,
        umask=0o022,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert got.stdout == done.stdout
    assert got.stderr == done.stderr
    assert got.end == end_of(done.returncode)
