"""The command line: one thin command per verb, on the public API.

Exit status: the guest's own (128 + N when signal N killed it); 124 when the guest can never go on; 125 when Trapeze
itself or its options are at fault; 126 when the program cannot be executed; 127 when it does not exist.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from emu.config import DEFAULT_ENVIRONMENT, Bind
from emu.errors import TrapezeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from emu.sandbox import Sandbox

SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
PROGRAM_CONTEXT = {
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": ["-h", "--help"],
}


class Failure(click.ClickException):
    """One line and an exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    def show(self, file: Any = None) -> None:
        """`trapeze: message`."""
        click.echo(f"trapeze: {self.message}", file=file or sys.stderr)


# --- values of options ------------------------------------------------------------------------------------------------


def parse_bind(text: str) -> Bind:
    """HOST:GUEST[:ro|rw], as docker's -v."""
    parts = text.split(":")
    if len(parts) == 2:
        parts.append("ro")
    if len(parts) != 3 or parts[2] not in ("ro", "rw") or not parts[0] or not parts[1].startswith("/"):
        raise UsageError(f"--bind {text}: expected HOST:/GUEST[:ro|rw]")
    return Bind(parts[0], parts[1], writable=parts[2] == "rw")


def parse_user(text: str) -> tuple[int, int]:
    """UID[:GID]."""
    uid, _, gid = text.partition(":")
    if not uid.isdigit() or (gid and not gid.isdigit()):
        raise UsageError(f"--user {text}: expected UID[:GID]")
    return int(uid), int(gid or uid)


def parse_size(text: str) -> int:
    """Bytes, with K, M or G."""
    number, unit = (text[:-1], text[-1].lower()) if text[-1:].isalpha() else (text, "")
    if not number.isdigit() or unit not in SIZES or int(number) == 0:
        raise UsageError(f"--memory {text}: expected a number of bytes, or one with K, M or G")
    return int(number) * SIZES[unit]


def parse_seed(seed: int | None, *, deterministic: bool) -> int | None:
    """The seed of a deterministic run; None: an ordinary one."""
    if seed is not None and not deterministic:
        raise UsageError(f"--seed {seed}: goes with --deterministic")
    return (seed or 0) if deterministic else None


def parse_env(items: tuple[str, ...], *, bare: bool) -> dict[str, str]:
    """NAME=VALUE sets, NAME copies from the host."""
    env = {} if bare else dict(DEFAULT_ENVIRONMENT)
    for item in items:
        name, sep, value = item.partition("=")
        if not name:
            raise UsageError(f"--env {item}: expected NAME=VALUE or NAME")
        if sep:
            env[name] = value
        elif name in os.environ:
            env[name] = os.environ[name]
    return env


def changed_env(env: dict[str, str], changes: tuple[str, ...]) -> dict[str, str]:
    """strace's -E: NAME=VALUE sets, NAME takes away."""
    for change in changes:
        name, sep, value = change.partition("=")
        if sep:
            env[name] = value
        else:
            env.pop(name, None)
    return env


def sandbox_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What run and trace have in common: what the guest sees."""
    options = [
        click.option("--root", metavar="DIR", help="Host directory under the guest's copy-on-write root."),
        click.option("--bind", metavar="HOST:GUEST[:ro|rw]", multiple=True, help="Show a host path in the guest."),
        click.option("--env", metavar="NAME[=VALUE]", multiple=True, help="Set a variable, or copy it from the host."),
        click.option("--clear-env", is_flag=True, help="Start without PATH and HOME."),
        click.option("--cwd", metavar="DIR", default="/", show_default=True, help="Working directory in the guest."),
        click.option("--user", metavar="UID[:GID]", default="0", show_default=True, help="Who the guest runs as."),
        click.option(
            "--memory", metavar="SIZE", default="4G", show_default=True, help="Guest memory, page cache included."
        ),
        click.option(
            "--max-tasks",
            metavar="N",
            type=click.IntRange(1),
            default=4096,
            show_default=True,
            help="Threads and processes at one time; more get EAGAIN.",
        ),
        click.option("--deterministic", is_flag=True, help="Virtual time, seeded chance: the same run every time."),
        click.option("--seed", metavar="N", type=int, help="Of --deterministic: other seeds, other interleavings."),
        click.option("--argv0", metavar="NAME", help="What the program sees as its own name."),
        click.option("--post-mortem", is_flag=True, help="Explain it when a fault kills the program."),
        click.argument("program", required=False),
        click.argument("args", nargs=-1, type=click.UNPROCESSED),
    ]
    for option in reversed(options):
        command = option(command)
    return command


seccomp_option = click.option("--seccomp", metavar="FILE", help="Enforce a container profile (docs/seccomp.md).")


def make_sandbox(settings: dict[str, Any]) -> Sandbox:
    """The Sandbox that the common options describe."""
    from emu.sandbox import Sandbox

    return Sandbox(
        settings["program"],
        settings["args"],
        env=changed_env(parse_env(settings["env"], bare=settings["clear_env"]), settings.get("environment", ())),
        cwd=settings["cwd"],
        root=settings["root"],
        binds=[parse_bind(bind) for bind in settings["bind"]],
        user=parse_user(settings["user"]),
        memory=parse_size(settings["memory"]),
        argv0=settings["argv0"],
        seed=parse_seed(settings["seed"], deterministic=settings["deterministic"]),
        max_tasks=settings["max_tasks"],
        seccomp=settings.get("seccomp"),
    )


def check_program(settings: dict[str, Any]) -> None:
    """PROGRAM must be there, and be no option that we do not have."""
    context = click.get_current_context()
    program = settings["program"]
    if program is None:
        raise click.UsageError("Missing argument 'PROGRAM'.", context)
    if program.startswith("-"):
        raise UsageError(f"no such option: {program} (see {context.command_path} --help)")


def finish(settings: dict[str, Any], **how: Any) -> NoReturn:
    """Run the sandbox on our own streams and leave with the guest's status."""
    result = make_sandbox(settings).run(inherit=True, post_mortem=settings["post_mortem"], **how)
    if result.post_mortem:
        click.echo(result.post_mortem, err=True, nl=False)
    leave(result.status)


def leave(status: int) -> NoReturn:
    """Exit without taking the interpreter apart: a few milliseconds for nothing."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


# --- commands ---------------------------------------------------------------------------------------------------------


class Commands(click.Group):
    """A verb that has verbs of its own is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In alphabetical order."""
        return sorted([*super().list_commands(ctx), "seccomp"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """None: there is no such verb."""
        if cmd_name == "seccomp":
            from emu.seccomp.command import seccomp

            return seccomp
        return super().get_command(ctx, cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="trapeze", prog_name="trapeze")
def cli() -> None:
    """Run and trace static Linux programs of x86_64, i386 and arm64 on a kernel written in Python.

    \b
    Examples:
      trapeze run samples/bin/arm64/hello
      trapeze trace samples/bin/i386/hello
      trapeze trace -e trace=%file -y --root /srv/debian-arm64 /bin/ls -l
      trapeze syscalls openat
    """


@cli.command(context_settings=PROGRAM_CONTEXT)
@seccomp_option
@sandbox_options
def run(**settings: Any) -> None:
    """Run PROGRAM silently; the exit status is the guest's.

    PROGRAM is looked up in the guest first, then on the host. The guest sees an in-memory root, its standard streams,
    and nothing else of the host unless --root or --bind give it.

    \b
    Examples:
      trapeze run ./hello-arm64 world
      trapeze run --root /srv/alpine --user 1000 /bin/busybox ls -l /
      trapeze run --bind $PWD:/src:rw --cwd /src ./tool-i386 input.txt
    """
    check_program(settings)
    finish(settings)


@cli.command(context_settings=PROGRAM_CONTEXT)
@click.option("-o", "output", metavar="FILE", help="Write the trace to FILE instead of standard error.")
@click.option(
    "-e",
    "expressions",
    metavar="EXPR",
    multiple=True,
    help="What to trace: trace=SET, signal=SET, status=SET, quiet=SET ...",
)
@click.option(
    "-s",
    "string_limit",
    metavar="N",
    type=click.IntRange(0),
    default=32,
    show_default=True,
    help="Bytes shown of a string.",
)
@click.option("-y", "paths", count=True, help="Show what descriptors lead to (-yy: the same).")
@click.option("-P", "only_paths", metavar="PATH", multiple=True, help="Only calls that have to do with PATH.")
@click.option("-z", "successful", is_flag=True, help="Only calls that succeed.")
@click.option("-Z", "failed", is_flag=True, help="Only calls that fail.")
@click.option("-n", "number", is_flag=True, help="Number of each call.")
@click.option("-i", "pointer", is_flag=True, help="Program counter at each call.")
@click.option("-E", "environment", metavar="NAME[=VALUE]", multiple=True, help="Set a variable, or take it away.")
@click.option("-w", "wall", is_flag=True, help="Accepted: the table's times are those of the clock on the wall.")
@click.option("-U", "columns", metavar="COLUMNS", default="", help="Columns of the table.")
@click.option(
    "-t", "clock", count=True, help="Time of day before each line; -tt with microseconds, -ttt since the epoch."
)
@click.option("-r", "relative", is_flag=True, help="Time since the previous line.")
@click.option("-T", "duration", is_flag=True, help="Time spent in each call.")
@click.option("-c", "count", is_flag=True, help="Only a table of calls, times and errors at the end.")
@click.option("-C", "count_too", is_flag=True, help="The table as well as the trace.")
@click.option(
    "-S",
    "sort",
    metavar="COLUMN",
    default="time",
    show_default=True,
    help="Sort the table: time, calls, errors, name ...",
)
@click.option(
    "-f", "follow", count=True, help="With -o, a pid on every line (tasks are always followed); -ff FILE.PID."
)
@click.option("--always-show-pid", "show_pid", is_flag=True, help="A pid on every line.")
@click.option("-v", "verbose", is_flag=True, help="Show structures whole.")
@click.option("-x", "hexadecimal", count=True, help="Unprintable strings in hexadecimal; -xx all strings.")
@click.option(
    "-X",
    "names",
    type=click.Choice(["abbrev", "raw", "verbose"]),
    default="abbrev",
    help="How numbers with names are shown.",
)
@click.option("-a", "column", metavar="N", type=int, default=40, show_default=True, help="Column of the results.")
@click.option("-q", "quiet", count=True, help="Less of what is not a call; -qq also no exit lines.")
@click.option("--json", "json", is_flag=True, help="One JSON object per event (docs/trace.md).")
@click.option("--native", is_flag=True, help="Run PROGRAM on this machine's own kernel, traced by ptrace: no sandbox.")
@click.option("-p", "attach", metavar="PID[,PID]", multiple=True, help="Trace running processes; Ctrl-C lets them go.")
@click.option("--no-follow", is_flag=True, help="With --native or -p: leave new processes and threads alone.")
@click.option("--seccomp-bpf", is_flag=True, help="With --native: stop only at the calls that -e trace= selects.")
@seccomp_option
@sandbox_options
def trace(**settings: Any) -> None:
    """Run PROGRAM and print its system calls as strace does.

    \b
    Examples:
      trapeze trace ./hello-arm64
      trapeze trace -o calls.txt -e trace=%file,read,write -y ./tool
      trapeze trace -e 'trace=/^(open|stat)' -s 200 ./tool
      trapeze trace -c ./tool
      trapeze trace --json -o calls.jsonl ./tool
      trapeze trace --native -y ls -l
      trapeze trace -p 4711
    """
    from emu.trace.command import trace_natively, tracing

    if settings["native"] or settings["attach"]:
        if settings["seccomp"] is not None:
            raise UsageError("--seccomp: does not go with --native or -p")
        if not settings["attach"]:
            check_program(settings)
        base = {} if settings["clear_env"] else dict(os.environ)
        env = changed_env(base | parse_env(settings["env"], bare=True), settings["environment"])
        leave(trace_natively(settings, env, click.get_current_context()))
    check_program(settings)
    for name in ("no_follow", "seccomp_bpf"):
        if settings[name]:
            raise UsageError(f"--{name.replace('_', '-')}: goes with --native")
    with tracing(settings) as (sinks, options):
        result = make_sandbox(settings).run(
            inherit=True, sinks=sinks, options=options, post_mortem=settings["post_mortem"]
        )
    if result.post_mortem:
        click.echo(result.post_mortem, err=True, nl=False)
    leave(result.status)


@cli.command(context_settings=PROGRAM_CONTEXT)
@click.option("--programs", is_flag=True, help="Compare programs with each other: PROGRAM PROGRAM... -- ARGS.")
@click.option("--all", "everything", is_flag=True, help="Show every difference, not only the first.")
@click.option(
    "--context", metavar="N", type=click.IntRange(0), default=3, show_default=True, help="Events around a difference."
)
@click.option("-e", "expressions", metavar="EXPR", multiple=True, help="What to compare: trace=SET, signal=SET.")
@click.option("--ignore", metavar="CALL,...", default="", help="Calls that are not compared.")
@click.option("--keep", metavar="WHAT,...", default="", help="Compare as it is: fd, pid, address, inode, time ...")
@click.option("--canonical", is_flag=True, help="Compare open as openat, mmap2 as mmap ... (with --programs, always).")
@click.option("-q", "--quiet", is_flag=True, help="Only the verdict.")
@click.option("--json", "json", is_flag=True, help="One JSON object (docs/diff.md).")
@click.option("--html", metavar="FILE", help="Also write both sides as one page that needs nothing else.")
@sandbox_options
def diff(**settings: Any) -> None:
    """Compare a run on Trapeze's kernel with one on Linux, two saved traces, or one program's architectures.

    \b
    trapeze diff PROGRAM ARGS...                    natively (not sandboxed!), and emulated
    trapeze diff TRACE TRACE                        saved: JSON, or strace's own text
    trapeze diff TRACE PROGRAM ARGS...              a saved trace, and an emulated run
    trapeze diff --programs PROGRAM... -- ARGS...   emulated, by canonical names

    What differs in every run is compared by what it is: addresses, ids, descriptors and inodes by who is who, times and
    random bytes not at all. The exit status is 0 when nothing is different, 1 when something is.

    \b
    Examples:
      trapeze diff ./tool input.txt
      trapeze diff --all yesterday.strace today.strace
      trapeze diff --ignore brk,mmap -e trace=%file customer.log ./tool
      trapeze diff --programs tool-x86_64 tool-i386 tool-arm64 -- --version
    """
    from emu.trace.compare_command import run_diff

    check_program(settings)
    leave(run_diff(settings, make_sandbox))


@cli.command(context_settings=PROGRAM_CONTEXT)
@click.option("--json", "json", is_flag=True, help="For machines.")
@sandbox_options
def portability(**settings: Any) -> None:
    """Show which system calls the builds of a program make, where those exist, and which are lacking here.

    Each of the PROGRAMS is run, with the arguments behind --; a saved trace (JSON, or strace's text) stands for a run.
    Calls that are one under several names share a row: open and openat, mmap2 and mmap. The exit status is 0 when
    Trapeze's kernel implements every call that was made, 1 otherwise.

    \b
    Examples:
      trapeze portability tool-x86_64 tool-i386 tool-arm64 -- --version
      trapeze portability customer.strace ./tool-arm64
    """
    from emu.trace.compare_command import run_portability

    check_program(settings)
    leave(run_portability(settings, make_sandbox))


@cli.command()
@click.argument("name", required=False)
@click.option("--json", "json", is_flag=True, help="For machines.")
def syscalls(name: str | None, json: bool) -> None:
    """Show which system calls are implemented, and their numbers on each architecture.

    \b
    Examples:
      trapeze syscalls
      trapeze syscalls openat
      trapeze syscalls --json
    """
    from emu import tables
    from syscalls.abi.numbers import CALLS

    if name is not None and name not in CALLS:
        raise Failure(f"no system call is named {name!r} on x86_64, i386 or arm64", 1)
    click.echo(tables.support_json(name) if json else tables.support_text(name), nl=False)


@cli.command()
@click.option("--json", "json", is_flag=True, help="For machines.")
def abi(json: bool) -> None:
    """Show each architecture's conventions: how a program makes a system call."""
    from emu import tables

    click.echo(tables.abi_json() if json else tables.abi_text(), nl=False)


def main() -> NoReturn:
    """Run the command line; every failure is one line."""
    try:
        cli.main(prog_name="trapeze", standalone_mode=False)
    except click.exceptions.Abort:
        status = 130
    except click.exceptions.Exit as done:
        status = done.exit_code
    except Failure as error:
        error.show()
        status = error.status
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "trapeze"
        Failure(f"{error.format_message()} (see {command} --help)", 125).show()
        status = 125
    except click.ClickException as error:
        Failure(error.format_message(), 125).show()
        status = 125
    except TrapezeError as error:
        Failure(str(error), error.status).show()
        status = error.status
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        status = 141
    except Exception as error:
        Failure(f"internal error of trapeze: {type(error).__name__}: {error}", 125).show()
        status = 125
    else:
        status = 0
    leave(status)
