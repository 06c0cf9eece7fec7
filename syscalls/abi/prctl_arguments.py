"""What the four arguments of prctl(2) are, by option: strace shows them so."""

from __future__ import annotations

from syscalls.abi import prctl as pr
from syscalls.abi.cstruct import I32, CPtr
from syscalls.abi.kinds import (
    AddressKind,
    FlagsKind,
    Kind,
    LongKind,
    PointerKind,
    SignalKind,
    StringKind,
    SwitchKind,
    ULongKind,
)
from syscalls.abi.limits import TASK_COMM_LEN

_HEX, _NUMBER, _INT_OUT = AddressKind(), ULongKind(), PointerKind(I32, out=True)
_CAP, _NAME = FlagsKind(pr.CAPABILITIES), StringKind(TASK_COMM_LEN)
_REST = (_HEX, _HEX, _HEX)
#: What a trace shows of the arguments, by option.
_SHOWN: dict[int, tuple[Kind, ...]] = {
    **dict.fromkeys((pr.PR_GET_DUMPABLE, pr.PR_GET_KEEPCAPS, pr.PR_GET_SECCOMP, pr.PR_GET_TIMERSLACK), ()),
    **dict.fromkeys((pr.PR_GET_TIMING, pr.PR_GET_SECUREBITS), ()),
    **dict.fromkeys((pr.PR_TASK_PERF_EVENTS_DISABLE, pr.PR_TASK_PERF_EVENTS_ENABLE), ()),
    **dict.fromkeys((pr.PR_GET_CHILD_SUBREAPER, pr.PR_GET_PDEATHSIG, pr.PR_GET_TSC), (_INT_OUT,)),
    **dict.fromkeys((pr.PR_SET_CHILD_SUBREAPER, pr.PR_SET_KEEPCAPS, pr.PR_SET_TIMING), (_NUMBER,)),
    **dict.fromkeys((pr.PR_CAPBSET_READ, pr.PR_CAPBSET_DROP), (_CAP,)),
    **dict.fromkeys((pr.PR_SET_NO_NEW_PRIVS, pr.PR_SET_THP_DISABLE), (_NUMBER, *_REST)),
    **dict.fromkeys((pr.PR_GET_NO_NEW_PRIVS, pr.PR_GET_THP_DISABLE, pr.PR_MCE_KILL_GET), (_HEX, *_REST)),
    pr.PR_SET_NAME: (_NAME,),
    pr.PR_GET_NAME: (_HEX,),
    pr.PR_SET_PDEATHSIG: (SignalKind(),),
    pr.PR_SET_DUMPABLE: (FlagsKind(pr.DUMPABLE),),
    pr.PR_SET_SECUREBITS: (FlagsKind(pr.SECUREBITS),),
    pr.PR_SET_TIMERSLACK: (LongKind(),),
    pr.PR_SET_TSC: (FlagsKind(pr.TSC),),
    pr.PR_GET_TID_ADDRESS: (PointerKind(CPtr, out=True),),
    pr.PR_MCE_KILL: (FlagsKind(pr.MCE_KILL), FlagsKind(pr.MCE_KILL_POLICY), _HEX, _HEX),
    pr.PR_SET_MM: (FlagsKind(pr.SET_MM), *_REST),
    pr.PR_CAP_AMBIENT: (FlagsKind(pr.CAP_AMBIENT), _CAP, _HEX, _HEX),
    pr.PR_GET_SPECULATION_CTRL: (FlagsKind(pr.SPECULATION_WHICH),),
    pr.PR_SET_SPECULATION_CTRL: (FlagsKind(pr.SPECULATION_WHICH), FlagsKind(pr.SPECULATION_CONTROL)),
    pr.PR_SET_VMA: (FlagsKind(pr.SET_VMA), _HEX, _NUMBER, StringKind(80, nullable=True)),
}


def argument(place: int) -> SwitchKind:
    """The kind of the argument behind the option (0 to 3)."""
    cases = {option: kinds[place] if place < len(kinds) else None for option, kinds in _SHOWN.items()}
    return SwitchKind("option", cases, _HEX)
