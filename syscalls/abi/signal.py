"""signal.h: signals, dispositions, masks, siginfo_t codes.

Sources: asm/signal.h (the same numbers on all three architectures), asm-generic/signal-defs.h, asm-generic/siginfo.h,
signal(7).
"""

from __future__ import annotations

from syscalls.abi.flags import Enum, Flags

SIGHUP = 1
SIGINT = 2
SIGQUIT = 3
SIGILL = 4
SIGTRAP = 5
SIGABRT = 6
SIGBUS = 7
SIGFPE = 8
SIGKILL = 9
SIGUSR1 = 10
SIGSEGV = 11
SIGUSR2 = 12
SIGPIPE = 13
SIGALRM = 14
SIGTERM = 15
SIGSTKFLT = 16
SIGCHLD = 17
SIGCONT = 18
SIGSTOP = 19
SIGTSTP = 20
SIGTTIN = 21
SIGTTOU = 22
SIGURG = 23
SIGXCPU = 24
SIGXFSZ = 25
SIGVTALRM = 26
SIGPROF = 27
SIGWINCH = 28
SIGIO = 29
SIGPWR = 30
SIGSYS = 31
SIGRTMIN = 32
SIGRTMAX = 64
SIGIOT = SIGABRT
SIGPOLL = SIGIO
NSIG = 64  # signals are 1..NSIG
SIGSET_SIZE = 8  # bytes of the kernel's sigset_t, what rt_* calls take as their last argument

#: The standard signals by number.
NAMES: dict[int, str] = {
    value: name for name, value in list(globals().items()) if name.startswith("SIG") and name[3:4] != "_"
    and isinstance(value, int) and value < SIGRTMIN and name not in {"SIGIOT", "SIGPOLL", "SIGSET_SIZE"}
}  # fmt: skip
#: What kill -l prints, by name: "SIGHUP" -> 1; also SIGRTMIN, SIGRT_1 ... SIGRT_32 as strace counts them.
NUMBERS: dict[str, int] = {name: number for number, name in NAMES.items()}
NUMBERS["SIGRTMIN"] = SIGRTMIN
NUMBERS.update({f"SIGRT_{number - SIGRTMIN}": number for number in range(SIGRTMIN + 1, SIGRTMAX + 1)})
_ALL_NAMES = {number: name for name, number in NUMBERS.items()}


class SignalNumber:
    """A signal by name; what is none, as a decimal number."""

    def format(self, value: int) -> str:
        """SIGINT, SIGRTMIN, SIGRT_1, 65."""
        return _ALL_NAMES.get(value) or str(value)


SIGNAL = SignalNumber()


class SignalSet:
    """A mask in which bit n-1 is signal n: `[INT CHLD]`; a set of two thirds or more by what is missing: `~[KILL]`."""

    def __init__(self, bits: int = NSIG) -> None:
        self.bits = bits

    def format(self, value: int) -> str:
        """As strace's sprintsigmask_n."""
        value &= (1 << self.bits) - 1
        inverted = value.bit_count() >= self.bits * 2 // 3
        if inverted:
            value ^= (1 << self.bits) - 1
        names = [_ALL_NAMES[bit + 1][3:] for bit in range(self.bits) if value >> bit & 1]
        return f"{'~' * inverted}[{' '.join(names)}]"


SIGNAL_SET = SignalSet()
OLD_SIGNAL_SET = SignalSet(32)  # i386's sigprocmask, sigpending, sigsuspend


def bit(signal: int) -> int:
    """The signal's place in a mask."""
    return 1 << signal - 1


UNBLOCKABLE = bit(SIGKILL) | bit(SIGSTOP)
#: Raised by an instruction: delivered first, never left pending by the instruction that raised them.
SYNCHRONOUS = bit(SIGSEGV) | bit(SIGBUS) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGFPE) | bit(SIGSYS)
#: What SIG_DFL does, besides ending the process (signal(7)).
DEFAULT_IGNORE = bit(SIGCONT) | bit(SIGCHLD) | bit(SIGWINCH) | bit(SIGURG)
DEFAULT_STOP = bit(SIGSTOP) | bit(SIGTSTP) | bit(SIGTTIN) | bit(SIGTTOU)
DEFAULT_CORE = (
    bit(SIGQUIT) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGABRT) | bit(SIGFPE) | bit(SIGSEGV) | bit(SIGBUS) | bit(SIGSYS)
    | bit(SIGXCPU) | bit(SIGXFSZ)
)  # fmt: skip

# --- sigaction(2), sigprocmask(2), sigaltstack(2) ---------------------------------------------------------------------

SIG_DFL = 0
SIG_IGN = 1
SIG_ERR = -1
HANDLERS = Enum(globals(), "SIG_???", "SIG_DFL SIG_IGN SIG_ERR")

SA_NOCLDSTOP = 0x00000001
SA_NOCLDWAIT = 0x00000002
SA_SIGINFO = 0x00000004
SA_UNSUPPORTED = 0x00000400
SA_EXPOSE_TAGBITS = 0x00000800
SA_RESTORER = 0x04000000
SA_ONSTACK = 0x08000000
SA_RESTART = 0x10000000
SA_INTERRUPT = 0x20000000
SA_NODEFER = 0x40000000
SA_RESETHAND = 0x80000000
SA_FLAGS = Flags(
    globals(),
    "SA_???",
    "SA_RESTORER SA_ONSTACK SA_RESTART SA_INTERRUPT SA_NODEFER SA_RESETHAND SA_SIGINFO SA_NOCLDSTOP SA_NOCLDWAIT",
)
#: Bits that the kernel keeps (UAPI_SA_FLAGS, and the architecture's SA_RESTORER); others are cleared in `oldact`.
SA_KNOWN = (
    SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND | SA_EXPOSE_TAGBITS
    | SA_RESTORER
)  # fmt: skip

SIG_BLOCK = 0
SIG_UNBLOCK = 1
SIG_SETMASK = 2
SIGPROCMASK_HOW = Enum(globals(), "SIG_???", "SIG_BLOCK SIG_UNBLOCK SIG_SETMASK")

SS_ONSTACK = 1
SS_DISABLE = 2
SS_AUTODISARM = 0x80000000
SS_FLAGS = Flags(globals(), "SS_???", "SS_*")
#: Smallest alternate stack per architecture (MINSIGSTKSZ).
MINSIGSTKSZ = {"x86_64": 2048, "i386": 2048, "arm64": 5120}

SIGEV_SIGNAL = 0
SIGEV_NONE = 1
SIGEV_THREAD = 2
SIGEV_THREAD_ID = 4
SIGEV_NOTIFY = Enum(globals(), "SIGEV_???", "SIGEV_*")

SFD_CLOEXEC = 0o2000000
SFD_NONBLOCK = 0o4000
SFD_FLAGS = Flags(globals(), "SFD_???", "SFD_*")

# --- si_code ----------------------------------------------------------------------------------------------------------

SI_USER = 0
SI_KERNEL = 128
SI_QUEUE = -1
SI_TIMER = -2
SI_MESGQ = -3
SI_ASYNCIO = -4
SI_SIGIO = -5
SI_TKILL = -6
SI_DETHREAD = -7
SI_ASYNCNL = -60
ILL_ILLOPC = 1
ILL_ILLOPN = 2
ILL_ILLADR = 3
ILL_ILLTRP = 4
ILL_PRVOPC = 5
ILL_PRVREG = 6
ILL_COPROC = 7
ILL_BADSTK = 8
ILL_BADIADDR = 9
FPE_INTDIV = 1
FPE_INTOVF = 2
FPE_FLTDIV = 3
FPE_FLTOVF = 4
FPE_FLTUND = 5
FPE_FLTRES = 6
FPE_FLTINV = 7
FPE_FLTSUB = 8
SEGV_MAPERR = 1
SEGV_ACCERR = 2
SEGV_BNDERR = 3
SEGV_PKUERR = 4
SEGV_ACCADI = 5
SEGV_ADIDERR = 6
SEGV_ADIPERR = 7
SEGV_MTEAERR = 8
SEGV_MTESERR = 9
BUS_ADRALN = 1
BUS_ADRERR = 2
BUS_OBJERR = 3
BUS_MCEERR_AR = 4
BUS_MCEERR_AO = 5
TRAP_BRKPT = 1
TRAP_TRACE = 2
TRAP_BRANCH = 3
TRAP_HWBKPT = 4
TRAP_UNK = 5
TRAP_PERF = 6
CLD_EXITED = 1
CLD_KILLED = 2
CLD_DUMPED = 3
CLD_TRAPPED = 4
CLD_STOPPED = 5
CLD_CONTINUED = 6
POLL_IN = 1
POLL_OUT = 2
POLL_MSG = 3
POLL_ERR = 4
POLL_PRI = 5
POLL_HUP = 6
SYS_SECCOMP = 1
SYS_USER_DISPATCH = 2

_GENERAL_CODES = Enum(globals(), "SI_???", "SI_*").names
#: Codes from 1 upwards mean something else for each signal.
_CODES_OF = {
    signal: Enum(globals(), "", names).names
    for signal, names in {
        SIGILL: "ILL_*",
        SIGFPE: "FPE_*",
        SIGSEGV: "SEGV_*",
        SIGBUS: "BUS_*",
        SIGTRAP: "TRAP_*",
        SIGCHLD: "CLD_*",
        SIGIO: "POLL_*",
        SIGSYS: "SYS_*",
    }.items()
}


def format_si_code(signal: int, code: int) -> str:
    """si_code by name; an unknown one as a bare hexadecimal number."""
    code &= 0xFFFFFFFF
    return _GENERAL_CODES.get(code) or _CODES_OF.get(signal, {}).get(code) or f"{code:#x}"
