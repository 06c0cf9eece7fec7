"""Structs that strace shows in its own way: abbreviated, in another order, with dates, or only some fields."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from emu.trace.structs import base_of, shape
from emu.trace.value import Address, Hex, Int, List, Named, Note, Octal, Struct, Value, Words
from syscalls.abi import fcntl, sched, signal, stat, termios
from syscalls.abi.flags import Flags, hexadecimal
from syscalls.abi.resource import LIMIT32, LIMIT64
from syscalls.abi.time import USER_HZ

if TYPE_CHECKING:
    from emu.trace.plan import Context

Fields = dict[str, Value]


def named(number: int, table: Any) -> Named:
    """A number that a table names."""
    return Named(number, table.format(number), base_of(table))


def chosen(fields: Fields, names: str) -> tuple[tuple[str, Value], ...]:
    """Fields by name, in this order; those that are not there are left out."""
    return tuple((name, fields[name]) for name in names.split() if name in fields)


def date(seconds: int, fraction: int = 0, digits: int = 0) -> str:
    """A moment as strace comments it: 2023-11-14T22:13:20.000005+0000; "" for the beginning of time."""
    if (not seconds and not fraction) or not -(1 << 55) < seconds < 1 << 55 or fraction >= 10 ** max(digits, 9):
        return ""
    try:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):
        return ""
    return text + (f".{fraction:0{digits}d}" if digits and fraction else "") + "+0000"


def dated(value: Value, seconds: int, fraction: int = 0, digits: int = 0) -> Value:
    """A value with its date as a comment."""
    comment = date(seconds, fraction, digits)
    return Note(value, comment) if comment else value


# --- files ------------------------------------------------------------------------------------------------------------


@shape("Stat", "StatArm64", "StatI386", "Stat64", "OldStat")
def _stat(context: Context, raw: Any, fields: Fields) -> Value:
    """Size, or device number of a device; times with their dates where they are shown."""
    device = stat.S_IFMT & raw.st_mode in {stat.S_IFCHR, stat.S_IFBLK}
    what = "st_rdev" if device else "st_size"
    for name in () if context.limits.abbreviate else ("st_atime", "st_mtime", "st_ctime"):
        seconds, nanoseconds = getattr(raw, name), getattr(raw, name + "_nsec", 0)
        fields[name] = dated(fields[name], seconds - (1 << 64) if seconds >> 63 == 1 else seconds, nanoseconds, 9)
    order = (
        f"st_dev st_ino st_mode st_nlink st_uid st_gid st_blksize st_blocks {what} "
        "st_atime st_atime_nsec st_mtime st_mtime_nsec st_ctime st_ctime_nsec"
    )
    return Struct(chosen(fields, order), ("st_mode", what))


#: Field of struct statx -> the mask bit that says that it is filled in.
_STATX = {
    "stx_nlink": stat.STATX_NLINK,
    "stx_uid": stat.STATX_UID,
    "stx_gid": stat.STATX_GID,
    "stx_mode": stat.STATX_TYPE | stat.STATX_MODE,
    "stx_ino": stat.STATX_INO,
    "stx_size": stat.STATX_SIZE,
    "stx_blocks": stat.STATX_BLOCKS,
    "stx_atime": stat.STATX_ATIME,
    "stx_btime": stat.STATX_BTIME,
    "stx_ctime": stat.STATX_CTIME,
    "stx_mtime": stat.STATX_MTIME,
    "stx_mnt_id": stat.STATX_MNT_ID,
    "stx_dio_mem_align": stat.STATX_DIOALIGN,
    "stx_dio_offset_align": stat.STATX_DIOALIGN,
}


@shape("Statx")
def _statx(context: Context, raw: Any, fields: Fields) -> Value:
    """Only what the mask says is there."""
    for name in () if context.limits.abbreviate else ("stx_atime", "stx_btime", "stx_ctime", "stx_mtime"):
        moment = getattr(raw, name)
        fields[name] = dated(fields[name], moment.tv_sec, moment.tv_nsec, 9)
    fields["stx_mnt_id"] = Hex(raw.stx_mnt_id)
    order = (
        "stx_mask stx_blksize stx_attributes stx_nlink stx_uid stx_gid stx_mode stx_ino stx_size stx_blocks "
        "stx_attributes_mask stx_atime stx_btime stx_ctime stx_mtime stx_rdev_major stx_rdev_minor stx_dev_major "
        "stx_dev_minor stx_mnt_id stx_dio_mem_align stx_dio_offset_align"
    )
    there = {name: value for name, value in fields.items() if name not in _STATX or _STATX[name] & raw.stx_mask}
    return Struct(chosen(there, order), ("stx_mask", "stx_attributes", "stx_mode", "stx_size"))


@shape("Statfs", "Statfs64")
def _statfs(_context: Context, raw: Any, fields: Fields) -> Value:
    values = List(tuple(Hex(number & 0xFFFFFFFF) for number in raw.f_fsid))
    fields["f_fsid"] = Struct((("val", values),))
    if not raw.f_flags:
        del fields["f_flags"]
    return Struct(tuple(fields.items()))


@shape("OpenHow")
def _open_how(_context: Context, raw: Any, fields: Fields) -> Value:
    """The mode only where a file may be created."""
    fields["mode"] = Octal(raw.mode)
    if not raw.mode and not raw.flags & (fcntl.O_CREAT | (fcntl.O_TMPFILE & ~fcntl.O_DIRECTORY)):
        del fields["mode"]
    return Struct(tuple(fields.items()))


@shape("Flock", "Flock64")
def _flock(context: Context, _raw: Any, fields: Fields) -> Value:
    """Who holds the lock matters only in answers (F_GETLK and its like)."""
    if context.result is None or context.failed:
        del fields["l_pid"]
    return Struct(tuple(fields.items()))


@shape("Utimbuf")
def _utimbuf(_context: Context, raw: Any, fields: Fields) -> Value:
    return Struct(tuple((name, dated(value, getattr(raw, name))) for name, value in fields.items()))


@shape("Iovec")
def _iovec(_context: Context, raw: Any, _fields: Fields) -> Value:
    return iovec(Address(raw.iov_base), raw.iov_len)


def iovec(content: Value, length: int) -> Struct:
    """One piece of user memory."""
    return Struct((("iov_base", content), ("iov_len", Int(length))))


# --- processes --------------------------------------------------------------------------------------------------------


@shape("Utsname", "OldUtsname", "OldOldUtsname")
def _utsname(_context: Context, _raw: Any, fields: Fields) -> Value:
    return Struct(tuple(fields.items()), ("sysname", "nodename"))


@shape("Rusage")
def _rusage(_context: Context, _raw: Any, fields: Fields) -> Value:
    return Struct(tuple(fields.items()), ("ru_utime", "ru_stime"))


@shape("Rlimit")
def _rlimit(context: Context, raw: Any, _fields: Fields) -> Value:
    table = LIMIT64 if context.arch.bits == 64 or context.plan.name == "prlimit64" else LIMIT32
    return _limits(raw, table)


@shape("Rlimit64")
def _rlimit64(_context: Context, raw: Any, _fields: Fields) -> Value:
    return _limits(raw, LIMIT64)


def _limits(raw: Any, table: Any) -> Value:
    return Struct(
        (
            ("rlim_cur", Named(raw.rlim_cur, table.format(raw.rlim_cur), "d")),
            ("rlim_max", Named(raw.rlim_max, table.format(raw.rlim_max), "d")),
        )
    )


@shape("Tms")
def _tms(_context: Context, raw: Any, fields: Fields) -> Value:
    return Struct(tuple((name, ticks(getattr(raw, name))) for name in fields))


def ticks(count: int) -> Value:
    """A time in clock ticks, with the seconds."""
    return Note(Int(count), f"{count / USER_HZ:.2f} s") if count else Int(0)


@shape("SchedParam")
def _sched_param(_context: Context, raw: Any, _fields: Fields) -> Value:
    return List((Int(raw.sched_priority),))


@shape("SchedAttr")
def _sched_attr(_context: Context, raw: Any, fields: Fields) -> Value:
    """The first version ends before the clamps."""
    if raw.size < 56:
        del fields["sched_util_min"], fields["sched_util_max"]
    fields["sched_policy"] = named(raw.sched_policy, sched.SCHED_POLICIES)
    return Struct(tuple(fields.items()))


@shape("UserDesc")
def _user_desc(context: Context, raw: Any, fields: Fields) -> Value:
    """The bit fields by name."""
    number = raw.entry_number
    bits = raw.bits if "bits" in fields else raw.flags
    names = ("seg_32bit", "contents", "read_exec_only", "limit_in_pages", "seg_not_present", "useable", "lm")
    shifts = (0, 1, 3, 4, 5, 6, 7)
    shown: list[tuple[str, Value]] = [
        ("entry_number", Int(number - (1 << 32) if number >> 31 else number)),
        ("base_addr", Words(f"0x{raw.base_addr:06x}", raw.base_addr)),
        ("limit", Words(f"0x{raw.limit:06x}", raw.limit)),
    ]
    for name, shift in zip(names, shifts, strict=True):
        if name != "lm" or context.arch.bits == 64:
            shown.append((name, Int(bits >> shift & (3 if name == "contents" else 1))))
    return Struct(tuple(shown))


# --- signals ----------------------------------------------------------------------------------------------------------


@shape("KernelSigaction", "OldSigaction")
def _sigaction(_context: Context, raw: Any, fields: Fields) -> Value:
    """The restorer only where the flag says that there is one."""
    shown: list[tuple[str, Value]] = [
        ("sa_handler", handler(raw.handler)),
        ("sa_mask", fields["mask"]),
        ("sa_flags", fields["flags"]),
    ]
    if raw.flags & signal.SA_RESTORER:
        shown.append(("sa_restorer", Address(raw.restorer)))
    return Struct(tuple(shown))


def handler(address: int) -> Value:
    """SIG_DFL, SIG_IGN, or where the handler is."""
    name = signal.HANDLERS.names.get(address)
    return Named(address, name) if name else Address(address)


@shape("SigaltStack", "StackT")
def _stack(_context: Context, raw: Any, fields: Fields) -> Value:
    fields["ss_sp"] = Address(raw.ss_sp)
    return Struct(tuple(fields.items()))


@shape("Sigevent", "SigeventI386")
def _sigevent(context: Context, raw: Any, _fields: Fields) -> Value:
    """The signal only where one is sent; the thread only for SIGEV_THREAD_ID."""
    value = raw.sigev_value
    number = value & 0xFFFFFFFF
    pair = Struct((("sival_int", Int(number - (1 << 32) if number >> 31 else number)),
                   ("sival_ptr", Address(value & context.arch.mask))))  # fmt: skip
    notify = raw.sigev_notify
    sends = notify in {signal.SIGEV_SIGNAL, signal.SIGEV_THREAD, signal.SIGEV_THREAD_ID}
    signo = named(raw.sigev_signo, signal.SIGNAL) if sends else Int(raw.sigev_signo)
    shown: list[tuple[str, Value]] = [
        *([("sigev_value", pair)] if value else []),
        ("sigev_signo", signo),
        ("sigev_notify", named(notify, signal.SIGEV_NOTIFY)),
    ]
    if notify == signal.SIGEV_THREAD_ID:
        shown.append(("sigev_notify_thread_id", Int(raw.sigev_tid)))
    return Struct(tuple(shown))


# --- terminals --------------------------------------------------------------------------------------------------------

#: What an output mode says about delays: where the bits are, and their names by value.
_DELAYS = (
    (0o400, 8, ("NL0", "NL1")),
    (0o3000, 9, ("CR0", "CR1", "CR2", "CR3")),
    (0o14000, 11, ("TAB0", "TAB1", "TAB2", "XTABS")),
    (0o20000, 13, ("BS0", "BS1")),
    (0o40000, 14, ("VT0", "VT1")),
    (0o100000, 15, ("FF0", "FF1")),
)
_CBAUD, _CSIZE, _IBSHIFT = 0o10017, 0o60, 16
_CHARACTERS = [name for name in vars(termios) if name[0] == "V"]


def _modes(table: Flags, number: int) -> str:
    """Names only, nothing for 0."""
    return "|".join(part.split(" /*")[0] for part in table.split(number))


def _output_mode(number: int) -> str:
    delays = [names[(number & mask) >> shift] for mask, shift, names in _DELAYS]
    return "|".join([*delays, _modes(termios.OUTPUT_MODES, number & ~sum(mask for mask, _, _ in _DELAYS))])


def _control_mode(number: int) -> str:
    speed, input_speed = number & _CBAUD, number >> _IBSHIFT & _CBAUD
    parts = [termios.BAUD_RATES.format(speed)]
    if input_speed:
        parts.append(f"{termios.BAUD_RATES.format(input_speed)}<<IBSHIFT")
    parts.append(termios.CHARACTER_SIZES.format(number & _CSIZE))
    rest = number & ~(_CBAUD | _CSIZE | _CBAUD << _IBSHIFT)
    return "|".join([*parts, _modes(termios.CONTROL_MODES, rest)])


@shape("Termios", "Termios2")
def _termios(_context: Context, raw: Any, fields: Fields) -> Value:
    """Modes by name; the line discipline and the control characters only with -v."""
    fields["c_iflag"] = Named(raw.c_iflag, _modes(termios.INPUT_MODES, raw.c_iflag))
    fields["c_oflag"] = Named(raw.c_oflag, _output_mode(raw.c_oflag))
    fields["c_cflag"] = Named(raw.c_cflag, _control_mode(raw.c_cflag))
    fields["c_lflag"] = Named(raw.c_lflag, _modes(termios.LOCAL_MODES, raw.c_lflag))
    fields["c_line"] = Named(raw.c_line, "N_TTY" if not raw.c_line else f"{raw.c_line:#x} /* N_??? */")
    characters = [
        Words(f"[{_CHARACTERS[i] if i < len(_CHARACTERS) else i}]={hexadecimal(c)}", c)
        for i, c in enumerate(raw.c_cc.ljust(termios.NCCS, b"\0"))
    ]
    fields["c_cc"] = List(tuple(characters))
    return Struct(tuple(fields.items()), ("c_iflag", "c_oflag", "c_cflag", "c_lflag"))
