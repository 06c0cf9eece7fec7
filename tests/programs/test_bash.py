"""Debian's static bash with busybox's applets: processes, pipes, signals and jobs, in the sandbox as natively.

x86_64 and i386 run natively where the machine can; arm64 must agree with x86_64. The scripts print no process ids.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import debian
import pytest
from guest import run_guest
from sample_cases import ARCHES, Outcome, end_of, fresh_directory, remove

APPLETS = [
    "awk", "cat", "chmod", "cut", "date", "dd", "diff", "env", "false", "grep", "head", "kill", "ls", "mkdir", "mkfifo",
    "od", "ps", "rm", "sed", "seq", "sh", "sleep", "sort", "tail", "tee", "timeout", "tr", "true", "uniq", "wc",
    "xargs", "yes",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    text: str


SCRIPTS = [
    Script("pipeline", "seq 1000 | grep 7 | sort -rn | head -3; echo ${PIPESTATUS[@]}"),
    Script("long-pipeline", "seq 20000 | cat | cat | cat | tr 0-9 a-j | tail -n 2 | tee copy; wc -c < copy"),
    Script("broken-pipe", "yes | head -n 2; echo ${PIPESTATUS[@]}"),
    Script("subshells", "x=1; (x=2; (x=3; echo $x); echo $x); echo $x; (exit 7); echo $?"),
    Script("here-document", "cat <<END | sed s/a/b/\nhere $((6 * 7)) a\nEND\ncat <<< string"),
    Script("large-here-document", 'cat <<< "$(seq 30000)" | wc'),
    Script("command-substitution", 'x=$(seq 3; false); echo "$? $x" $(echo $(echo nested))'),
    Script(
        "process-substitution",
        "diff <(seq 3) <(seq 2 4); cat <(echo a) <(echo b); echo x | tee >(cat >&2) > out; wait",
    ),
    Script("mapfile", 'mapfile -t a < <(seq 5); echo "${a[@]: -2}" ${#a[@]}'),
    Script("exit-trap", "trap 'echo bye $?' EXIT; exit 5"),
    Script("signal-trap", "trap 'echo got' USR1; kill -USR1 $$; echo after; trap - USR1; kill -USR1 $$; echo never"),
    Script("term-with-exit-trap", "trap 'echo bye' EXIT; kill -TERM $$"),
    Script(
        "ignored",
        "trap '' TERM; kill -TERM $$; (kill -TERM $BASHPID; echo inherited); sh -c 'kill -TERM $$; echo too'",
    ),
    Script(
        "trap-in-wait",
        "trap 'echo usr' USR1; (sleep .1; kill -USR1 $$; "
        "sleep .1) & p=$!; wait $p; echo $(($? > 128)); wait $p; echo $?",
    ),
    Script("background", "sleep .05 & sleep .02 & wait; echo $?; (exit 3) & wait $!; echo $?"),
    Script(
        "wait-n",
        "(sleep .05; exit 3) & (sleep .2; exit 4) & wait -n; echo $?; wait -n; echo $?; wait -n; echo $?",
    ),
    Script("jobs", "set -m; sleep 5 & kill %1; wait %1; echo $?"),
    Script(
        "stop-and-continue",
        "set -m; sleep 5 & kill -STOP %1; sleep .05; jobs | sed 's/  */ /g'; kill -CONT %1; kill %1; wait %1; echo $?",
    ),
    Script("foreground-job", "set -m; (sleep .1; exit 6) & fg %1 > /dev/null; echo $?"),
    Script("child-trap", "set -m; trap 'echo child' CHLD; sleep .1 & wait; echo end"),
    Script("killed", "sh -c 'kill -9 $$'; echo $?; sh -c 'kill -SEGV $$'; echo $?"),
    Script(
        "coproc",
        'coproc tr a-z A-Z; echo hi >&${COPROC[1]}; eval "exec ${COPROC[1]}>&-"; read -u ${COPROC[0]} x; echo $x',
    ),
    Script("read-timeout", "read -t 0.05 x < <(sleep 1); echo $(($? > 128))"),
    Script("read-in-loop", "seq 5 | while read x; do echo $((x * x)); done; seq 3 | { read a; cat; }"),
    Script(
        "descriptors",
        "exec 3> f; echo a >&3; exec 3>&-; cat f; exec 4<> f; read -u 4 x; echo b >&4; exec 4>&-; cat f",
    ),
    Script("dev-fd", "echo x | cat /dev/fd/0; echo y > /dev/stderr; cat < /dev/null; echo z > /dev/fd/1"),
    Script("fifo", "mkfifo p; (seq 3 > p) & cat p; wait; echo $?"),
    Script("noclobber", "set -C; echo a > f; echo b > f; echo $?; echo c >| f; cat f"),
    Script("ulimit", "ulimit -c 0; ulimit -n 64; ulimit -c -n; (ulimit -n 3; cat < /dev/null); echo $?"),
    Script("file-size", "trap '' XFSZ; ulimit -f 1; seq 1000 > f; echo $?; wc -c < f"),
    Script("file-size-signal", "ulimit -f 1; (exec seq 10000 > f); echo $?"),
    Script("loops", "for i in 1 2 3; do for f in a b; do echo $i$f; done | cat; done | sort -r | head -n 4"),
    Script("many-children", "n=0; for i in {1..40}; do (exit $((i % 3))) || n=$((n + $?)); done; echo $n"),
    Script(
        "many-at-once",
        'for i in {1..20}; do (sleep .0$((i % 5)); echo $i) & done | sort -n | tr "\\n" " "; wait',
    ),
    Script("xargs", "seq 20 | xargs -n 6 echo; seq 3 | xargs -I @ sh -c 'echo =@; exit 0'"),
    Script("timeout", "timeout .1 sleep 5; echo $?; timeout 5 true; echo $?"),
    Script("exec", "(exec -a other sh -c 'echo $0'); exec sh -c 'exit 9'"),
    Script("not-found", "no-such; echo $?; /; echo $?; echo x > text; ./text; echo $?; ./missing; echo $?"),
    Script(
        "script-file",
        "printf '#!%s -e\\necho $0 $@; false; echo never\\n' $(command -v sh) > s; chmod +x s; ./s a b; echo $?",
    ),
    Script("environment", "export A=1; B=2 env | grep '^[AB]=' | sort; env -i C=3 $(command -v env)"),
    Script("arithmetic", "echo $((2**62)) $((7 / -2)) $((0x1f)) $((5 % 3)); printf '%.3f\\n' 1.5"),
    Script(
        "strings",
        'x="hello world"; echo ${x^^} ${x//o/0} ${#x} ${x:3:5}; [[ $x =~ w(.*) ]] && echo ${BASH_REMATCH[1]}',
    ),
    Script("arrays", 'declare -A m=([a]=1 [b]=2); echo ${m[a]} ${#m[@]}; a=(x y z); unset "a[1]"; echo ${!a[@]}'),
    Script(
        "glob",
        "touch() { for f; do : > $f; done; }; touch a1 a2 b1; echo a* ?1 [!a]*; shopt -s nullglob; echo z*",
    ),
    Script("umask", "umask 027; umask; echo > f; ls -l f | cut -c1-10; mkdir d; ls -ld d | cut -c1-10"),
    Script("errexit", "set -e; true; false; echo never"),
    Script("pipefail", "set -o pipefail; false | true; echo $?"),
    Script("recursion", "f() { (( $1 )) && f $(($1 - 1)) || echo bottom; }; f 200"),
    Script("time-sums", "TIMEFORMAT=%0R; time sleep .1; s=$SECONDS; echo $((s < 5))"),
    Script("sigpipe-ignored", "trap '' PIPE; { seq 100000; echo $? >&2; } 2> err | head -n 1; tail -n 1 err"),
    Script("nested-jobs", "bash -c 'sleep .05 & wait; echo inner $?' & wait $!; echo outer $?"),
    Script("disown", "sleep 3 & disown; jobs; kill $!; echo $?"),
]


def make_root(directory: Path, arch: str) -> Path:
    """A root with nothing but bash, busybox and its applets' names in /bin."""
    try:
        programs = {"bash": debian.program("bash-static", arch), "busybox": debian.program("busybox-static", arch)}
    except debian.UnavailableError as problem:
        pytest.skip(f"Debian's bash for {arch} cannot be fetched: {problem}")
    binaries = directory / arch / "bin"
    binaries.mkdir(parents=True)
    for name, path in programs.items():
        shutil.copy(path, binaries / name)
    for name in APPLETS:
        (binaries / name).symlink_to("busybox")
    for name in ("tmp", "work"):
        (directory / arch / name).mkdir()
    return directory / arch


@pytest.fixture
def directory() -> Iterator[Path]:
    made = fresh_directory()
    yield made
    remove(made)


def natively(script: Script, arch: str, directory: Path) -> Outcome:
    root = make_root(directory, arch)
    try:
        done = subprocess.run(
            ["bash", "-c", script.text],
            executable=root / "bin" / "bash",
            env={"PATH": str(root / "bin"), "LC_ALL": "C"},
            cwd=root / "work",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except OSError as problem:
        pytest.skip(f"this machine does not run {arch} programs itself: {problem}")
    finally:
        remove(root)
    return Outcome(end_of(done.returncode), done.stdout, done.stderr)


def errors(outcome: Outcome, root: Path) -> bytes:
    """stderr without the process ids and the programs' places that bash tells there."""
    text = outcome.stderr.replace(str(root).encode(), b"").replace(b"/bin/bash", b"bash")
    return re.sub(rb"(line \d+:) +\d+ ", rb"\1 PID ", text)


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_script_does_what_it_does_natively(script: Script, arch: str, directory: Path) -> None:
    wanted = natively(script, "x86_64" if arch == "arm64" else arch, directory)
    root = make_root(directory, arch)
    environment = {"PATH": "/bin", "LC_ALL": "C"}
    got = run_guest(Path("/bin/bash"), ("-c", script.text), env=environment, cwd="/work", root=root)
    assert got.stdout == wanted.stdout
    assert errors(got, root) == errors(wanted, root)
    assert got.end == wanted.end
