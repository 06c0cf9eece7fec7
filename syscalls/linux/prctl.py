"""prctl(2): a hundred small operations on one's own process (kernel/sys.c, security/commoncap.c).

Each option is a function `(task, arg2, arg3, arg4, arg5) -> int` in a table. What is not in the table is EINVAL, as for
options of other architectures and of features that the kernel was built without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from syscalls.abi import prctl as pr
from syscalls.abi.arch import ARM64
from syscalls.abi.errno import EINVAL, ENAMETOOLONG, ENODEV, ENXIO, EPERM, SysError
from syscalls.abi.kinds import FlagsKind
from syscalls.abi.limits import TASK_COMM_LEN
from syscalls.abi.prctl_arguments import argument
from syscalls.abi.signal import NSIG
from syscalls.fs.cred import CAP_LAST_CAP
from syscalls.kernel.creds import SECURE_KEEP_CAPS, SECURE_NO_CAP_AMBIENT_RAISE, commit, prepare
from syscalls.kernel.seccomp import set_strict
from syscalls.kernel.task import Task
from syscalls.linux.seccomp import set_filter
from syscalls.mm.anonname import MAX_NAME, is_valid_name, set_anonymous_name
from syscalls.spec import syscall

Action = Callable[[Task, int, int, int, int], int]
_ACTIONS: dict[int, Action] = {}


def _option(*options: int) -> Callable[[Action], Action]:
    def file(action: Action) -> Action:
        _ACTIONS.update(dict.fromkeys(options, action))
        return action

    return file


def _require(condition: object, errno: int = EINVAL) -> None:
    if not condition:
        raise SysError(errno)


def _put(task: Task, address: int, value: int, size: int = 4) -> int:
    task.mm.write(address, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))
    return 0


# --- the thread -------------------------------------------------------------------------------------------------------


@_option(pr.PR_SET_NAME)
def _set_name(task: Task, arg2: int, *_: int) -> int:
    """At most 15 bytes (strncpy_from_user)."""
    data = b""
    while len(data) < TASK_COMM_LEN - 1:
        byte = task.mm.read(arg2 + len(data), 1)
        if byte == b"\0":
            break
        data += byte
    task.comm = data
    return 0


@_option(pr.PR_GET_NAME)
def _get_name(task: Task, arg2: int, *_: int) -> int:
    task.mm.write(arg2, task.comm.ljust(TASK_COMM_LEN, b"\0"))
    return 0


@_option(pr.PR_SET_PDEATHSIG)
def _set_pdeathsig(task: Task, arg2: int, *_: int) -> int:
    _require(0 <= arg2 <= NSIG)
    task.death_signal = arg2
    return 0


@_option(pr.PR_GET_PDEATHSIG)
def _get_pdeathsig(task: Task, arg2: int, *_: int) -> int:
    return _put(task, arg2, task.death_signal)


@_option(pr.PR_SET_TIMERSLACK)
def _set_timerslack(task: Task, arg2: int, *_: int) -> int:
    task.timer_slack_ns = arg2 if 0 < arg2 < 1 << task.arch.bits - 1 else task.default_timer_slack_ns
    return 0


@_option(pr.PR_GET_TIMERSLACK)
def _get_timerslack(task: Task, *_: int) -> int:
    return task.timer_slack_ns


@_option(pr.PR_GET_TID_ADDRESS)
def _get_tid_address(task: Task, arg2: int, *_: int) -> int:
    return _put(task, arg2, task.clear_child_tid, task.arch.word)


@_option(pr.PR_SET_NO_NEW_PRIVS)
def _set_no_new_privs(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require((arg2, arg3, arg4, arg5) == (1, 0, 0, 0))
    task.no_new_privs = True
    return 0


@_option(pr.PR_GET_NO_NEW_PRIVS)
def _get_no_new_privs(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg2 or arg3 or arg4 or arg5))
    return int(task.no_new_privs)


@_option(pr.PR_TASK_PERF_EVENTS_DISABLE, pr.PR_TASK_PERF_EVENTS_ENABLE)
def _perf_events(task: Task, *_: int) -> int:
    """Nobody counts events, so there is nothing to switch."""
    del task
    return 0


@_option(pr.PR_GET_SECCOMP)
def _get_seccomp(task: Task, *_: int) -> int:
    return task.seccomp.mode


@_option(pr.PR_SET_SECCOMP)
def _set_seccomp(task: Task, arg2: int, arg3: int, *_: int) -> int:
    """seccomp(2) without flags (prctl_set_seccomp)."""
    _require(arg2 in (pr.SECCOMP_MODE_STRICT, pr.SECCOMP_MODE_FILTER))
    if arg2 == pr.SECCOMP_MODE_FILTER:
        return set_filter(task, 0, arg3)
    set_strict(task)
    return 0


# --- the process ------------------------------------------------------------------------------------------------------


@_option(pr.PR_GET_DUMPABLE)
def _get_dumpable(task: Task, *_: int) -> int:
    return task.group.dumpable


@_option(pr.PR_SET_DUMPABLE)
def _set_dumpable(task: Task, arg2: int, *_: int) -> int:
    _require(arg2 in (pr.SUID_DUMP_DISABLE, pr.SUID_DUMP_USER))
    task.group.dumpable = arg2
    return 0


@_option(pr.PR_SET_CHILD_SUBREAPER)
def _set_child_subreaper(task: Task, arg2: int, *_: int) -> int:
    task.group.child_subreaper = bool(arg2)
    return 0


@_option(pr.PR_GET_CHILD_SUBREAPER)
def _get_child_subreaper(task: Task, arg2: int, *_: int) -> int:
    return _put(task, arg2, task.group.child_subreaper)


@_option(pr.PR_SET_THP_DISABLE)
def _set_thp_disable(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg3 or arg4 or arg5))
    task.group.thp_disable = bool(arg2)
    return 0


@_option(pr.PR_GET_THP_DISABLE)
def _get_thp_disable(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg2 or arg3 or arg4 or arg5))
    return int(task.group.thp_disable)


@_option(pr.PR_SET_IO_FLUSHER)
def _set_io_flusher(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """The thread says that others' writing back depends on it: kept, and of no consequence here."""
    _require(task.cred.capable(pr.CAP_SYS_RESOURCE), EPERM)
    _require(arg2 <= 1 and not (arg3 or arg4 or arg5))
    task.io_flusher = bool(arg2)
    return 0


@_option(pr.PR_GET_IO_FLUSHER)
def _get_io_flusher(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(task.cred.capable(pr.CAP_SYS_RESOURCE), EPERM)
    _require(not (arg2 or arg3 or arg4 or arg5))
    return int(task.io_flusher)


@_option(pr.PR_MCE_KILL)
def _mce_kill(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg4 or arg5))
    if arg2 == pr.PR_MCE_KILL_CLEAR:
        _require(arg3 == 0)
        task.group.mce_kill = pr.PR_MCE_KILL_DEFAULT
        return 0
    _require(arg2 == pr.PR_MCE_KILL_SET)
    _require(arg3 in (pr.PR_MCE_KILL_LATE, pr.PR_MCE_KILL_EARLY, pr.PR_MCE_KILL_DEFAULT))
    task.group.mce_kill = arg3
    return 0


@_option(pr.PR_MCE_KILL_GET)
def _mce_kill_get(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg2 or arg3 or arg4 or arg5))
    return task.group.mce_kill


# --- memory -----------------------------------------------------------------------------------------------------------


@_option(pr.PR_SET_MM)
def _set_mm(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """What checkpoint/restore needs; without its capabilities nobody gets further than here."""
    del arg3
    _require(not (arg5 or (arg4 and arg2 not in (pr.PR_SET_MM_AUXV, pr.PR_SET_MM_MAP, pr.PR_SET_MM_MAP_SIZE))))
    _require(task.cred.capable(pr.CAP_SYS_RESOURCE), EPERM)
    raise SysError(EINVAL)


def _area_name(task: Task, address: int) -> bytes:
    try:
        name = task.mm.cstr(address, MAX_NAME)
    except SysError as error:
        raise SysError(EINVAL if error.errno == ENAMETOOLONG else error.errno) from None
    _require(is_valid_name(name))
    return name


@_option(pr.PR_SET_VMA)
def _set_vma(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(arg2 == pr.PR_SET_VMA_ANON_NAME)
    name = _area_name(task, arg5) if arg5 else None
    set_anonymous_name(task.mm, arg3, arg4, name)
    return 0


@_option(pr.PR_GET_AUXV)
def _get_auxv(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg4 or arg5))
    auxv = task.group.auxv
    task.mm.write(arg2, auxv[:arg3])
    return len(auxv)


@_option(pr.PR_SET_MDWE)
def _set_mdwe(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """Refuse to make memory executable; there is no way back."""
    _require(not (arg3 or arg4 or arg5))
    _require(arg2 in (0, pr.PR_MDWE_REFUSE_EXEC_GAIN, pr.PR_MDWE_REFUSE_EXEC_GAIN | pr.PR_MDWE_NO_INHERIT))
    _require(task.mm.mdwe in (0, arg2), EPERM)
    task.mm.mdwe = arg2
    return 0


@_option(pr.PR_GET_MDWE)
def _get_mdwe(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg2 or arg3 or arg4 or arg5))
    return task.mm.mdwe


@_option(pr.PR_SET_MEMORY_MERGE)
def _set_memory_merge(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """Equal pages may become one: nobody looks for them."""
    _require(not (arg3 or arg4 or arg5))
    task.mm.merge_any = bool(arg2)
    return 0


@_option(pr.PR_GET_MEMORY_MERGE)
def _get_memory_merge(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg2 or arg3 or arg4 or arg5))
    return int(task.mm.merge_any)


# --- capabilities -----------------------------------------------------------------------------------------------------


@_option(pr.PR_CAPBSET_READ)
def _capbset_read(task: Task, arg2: int, *_: int) -> int:
    _require(arg2 <= CAP_LAST_CAP)
    return task.cred.bounding >> arg2 & 1


@_option(pr.PR_CAPBSET_DROP)
def _capbset_drop(task: Task, arg2: int, *_: int) -> int:
    _require(task.cred.capable_here(pr.CAP_SETPCAP), EPERM)
    _require(arg2 <= CAP_LAST_CAP)
    new = prepare(task)
    new.bounding &= ~(1 << arg2)
    commit(task, new)
    return 0


@_option(pr.PR_GET_SECUREBITS)
def _get_securebits(task: Task, *_: int) -> int:
    return task.cred.securebits


@_option(pr.PR_SET_SECUREBITS)
def _set_securebits(task: Task, arg2: int, *_: int) -> int:
    """Locked bits stay, unknown ones do not exist (cap_task_prctl)."""
    old, locks = task.cred.securebits, 0xAA
    changes_locked = (old & locks) >> 1 & (old ^ arg2)
    unlocks = old & locks & ~arg2
    _require(not changes_locked and not unlocks and not arg2 & ~0xFF and task.cred.capable_here(pr.CAP_SETPCAP), EPERM)
    new = prepare(task)
    new.securebits = arg2
    commit(task, new)
    return 0


@_option(pr.PR_GET_KEEPCAPS)
def _get_keepcaps(task: Task, *_: int) -> int:
    return int(bool(task.cred.securebits & SECURE_KEEP_CAPS))


@_option(pr.PR_SET_KEEPCAPS)
def _set_keepcaps(task: Task, arg2: int, *_: int) -> int:
    _require(arg2 <= 1)
    _require(not task.cred.securebits & pr.SECBIT_KEEP_CAPS_LOCKED, EPERM)
    new = prepare(task)
    new.securebits = new.securebits & ~SECURE_KEEP_CAPS | (SECURE_KEEP_CAPS if arg2 else 0)
    commit(task, new)
    return 0


@_option(pr.PR_CAP_AMBIENT)
def _cap_ambient(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    new = prepare(task)
    if arg2 == pr.PR_CAP_AMBIENT_CLEAR_ALL:
        _require(not (arg3 or arg4 or arg5))
        new.ambient = 0
        commit(task, new)
        return 0
    _require(arg3 <= CAP_LAST_CAP and not arg4 and not arg5)
    bit = 1 << arg3
    if arg2 == pr.PR_CAP_AMBIENT_IS_SET:
        return int(bool(task.cred.ambient & bit))
    _require(arg2 in (pr.PR_CAP_AMBIENT_RAISE, pr.PR_CAP_AMBIENT_LOWER))
    if arg2 == pr.PR_CAP_AMBIENT_RAISE:
        has = new.permitted & new.inheritable & bit and not new.securebits & SECURE_NO_CAP_AMBIENT_RAISE
        _require(has, EPERM)
        new.ambient |= bit
    else:
        new.ambient &= ~bit
    commit(task, new)
    return 0


# --- the processor ----------------------------------------------------------------------------------------------------


@_option(pr.PR_GET_TIMING)
def _get_timing(task: Task, *_: int) -> int:
    del task
    return 0  # PR_TIMING_STATISTICAL


@_option(pr.PR_SET_TIMING)
def _set_timing(task: Task, arg2: int, *_: int) -> int:
    del task
    _require(arg2 == 0)
    return 0


@_option(pr.PR_GET_TSC)
def _get_tsc(task: Task, arg2: int, *_: int) -> int:
    _require(task.arch is not ARM64)
    return _put(task, arg2, pr.PR_TSC_ENABLE)


@_option(pr.PR_SET_TSC)
def _set_tsc(task: Task, arg2: int, *_: int) -> int:
    """The engine cannot make RDTSC fault."""
    _require(task.arch is not ARM64 and arg2 == pr.PR_TSC_ENABLE)
    return 0


@_option(pr.PR_GET_SPECULATION_CTRL)
def _get_speculation(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """An emulated processor does not speculate."""
    del task
    _require(not (arg3 or arg4 or arg5))
    _require(arg2 in (pr.PR_SPEC_STORE_BYPASS, pr.PR_SPEC_INDIRECT_BRANCH, pr.PR_SPEC_L1D_FLUSH), ENODEV)
    return pr.PR_SPEC_NOT_AFFECTED


@_option(pr.PR_SET_SPECULATION_CTRL)
def _set_speculation(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    del task, arg3
    _require(not (arg4 or arg5))
    _require(arg2 in (pr.PR_SPEC_STORE_BYPASS, pr.PR_SPEC_INDIRECT_BRANCH, pr.PR_SPEC_L1D_FLUSH), ENODEV)
    raise SysError(ENXIO)


@_option(pr.PR_SET_TAGGED_ADDR_CTRL)
def _set_tagged_addr(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """arm64: addresses with a tag in the top byte are not taken."""
    _require(task.arch is ARM64 and not (arg2 or arg3 or arg4 or arg5))
    return 0


@_option(pr.PR_GET_TAGGED_ADDR_CTRL)
def _get_tagged_addr(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(task.arch is ARM64 and not (arg2 or arg3 or arg4 or arg5))
    return 0


# --- the declaration --------------------------------------------------------------------------------------------------

Option = Annotated[int, FlagsKind(pr.PR_OPTIONS)]
Arg2 = Annotated[int, argument(0)]
Arg3 = Annotated[int, argument(1)]
Arg4 = Annotated[int, argument(2)]
Arg5 = Annotated[int, argument(3)]


@syscall(partial="Options for core scheduling, system call dispatch, checkpoint/restore and SVE are EINVAL.")
def prctl(task: Task, option: Option, arg2: Arg2, arg3: Arg3, arg4: Arg4, arg5: Arg5) -> int:
    """Do something with one's own thread or process (prctl(2))."""
    action = _ACTIONS.get(option)
    if action is None:
        raise SysError(EINVAL)
    return action(task, arg2, arg3, arg4, arg5)
