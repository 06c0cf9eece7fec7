"""The binding of ptrace(2), used on its own."""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress

import pytest

from emu.ptrace import Kind, Op, Stop, SyscallInfo, Tracee
from emu.ptrace.registers import BY_SIZE, RESULT
from syscalls.abi import ptrace as abi
from syscalls.abi.numbers import NAME

OPTIONS = abi.PTRACE_O_TRACESYSGOOD | abi.PTRACE_O_EXITKILL


@pytest.fixture
def child():
    """A program, stopped before its execve."""
    tracee = Tracee.start(sys.executable, "-c", "import os; os._exit(os.getppid() == 4242)", options=OPTIONS)
    yield tracee
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(tracee.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            tracee.detach()  # who is stopped on its way out does not hear SIGKILL
        while tracee.wait().kind not in (Kind.KILLED, Kind.EXITED):
            pass


def until(tracee: Tracee, name: str, op: Op) -> SyscallInfo:
    """Let it run to the entry or the exit of a call."""
    inside = ""
    while True:
        tracee.syscall()
        stop = tracee.wait()
        assert stop.kind not in (Kind.EXITED, Kind.KILLED), stop
        if stop.kind is not Kind.SYSCALL:
            continue
        info = tracee.syscall_info()
        assert info.arch is not None
        if info.op is Op.ENTRY:
            inside = NAME[info.arch.name].get(info.number, "")
        if inside == name and info.op is op:
            return info


def end(tracee: Tracee) -> Stop:
    tracee.cont()
    stop = tracee.wait()
    while stop.kind is not Kind.EXITED:
        tracee.cont()
        stop = tracee.wait()
    return stop


def test_a_result_is_replaced_through_the_registers(child):
    info = until(child, "getppid", Op.EXIT)
    assert info.result == os.getpid()
    registers = child.registers()
    assert registers[RESULT[info.arch]] == os.getpid()
    child.set_registers(registers | {RESULT[info.arch]: 4242})
    assert end(child).code == 1


def test_getregs_is_the_register_set_of_a_64_bit_program(child):
    until(child, "execve", Op.EXIT)
    try:
        values = child.getregs()
    except OSError as error:
        pytest.skip(f"not on this architecture: {error}")
    assert values == child.registers()
    child.setregs(values)
    child.set_fpregs(child.fpregs())


def test_a_call_is_skipped_and_answered_through_the_syscall_info(child):
    info = until(child, "getppid", Op.ENTRY)
    info.number = -1
    try:
        child.set_syscall_info(info)
    except OSError as error:
        pytest.skip(f"needs Linux 6.16: {error}")
    child.syscall()
    child.wait()
    info = child.syscall_info()
    assert info.op is Op.EXIT
    info.result, info.is_error = 4242, False
    child.set_syscall_info(info)
    assert end(child).code == 1


def test_sysemu_leaves_the_call_to_us(child):
    until(child, "execve", Op.EXIT)
    while True:
        child.sysemu()
        assert child.wait().kind is Kind.SYSCALL
        info = child.syscall_info()
        assert info.arch is not None
        if NAME[info.arch.name].get(info.number) in {"brk", "mmap", "arch_prctl", "set_tid_address"}:
            break
    registers = child.registers()
    child.set_registers(registers | {RESULT[info.arch]: -errno.ENOMEM})
    assert child.registers()[RESULT[info.arch]] == (1 << 64) - errno.ENOMEM


@pytest.mark.parametrize("denied", [False, True])
def test_memory_is_read_and_written(child, denied):
    until(child, "execve", Op.EXIT)
    child._mem_denied = denied
    at = child.syscall_info().sp
    before = child.read(at, 64)
    assert child.peek_data(at) == child.peek_text(at) == int.from_bytes(before[:8], "little")
    child.write(at + 3, b"trapeze")
    assert child.read(at, 64) == before[:3] + b"trapeze" + before[10:]
    child.poke_data(at, -1)
    assert child.read(at, 8) == b"\xff" * 8
    child.poke_text(at, 5)
    assert child.peek_data(at) == 5
    with pytest.raises(OSError, match="Bad address"):
        child.read(8, 8)


def test_memory_by_words_alone(child):
    until(child, "execve", Op.EXIT)
    at = child.syscall_info().sp
    assert child._peek(at + 3, 29) == child.read(at + 3, 29)
    child._poke(at + 3, b"trapeze")
    assert child.read(at + 3, 7) == b"trapeze"
    with pytest.raises(OSError, match="Bad address"):
        child._peek(8, 8)


def test_user_area(child):
    until(child, "execve", Op.ENTRY)
    if os.uname().machine != "x86_64":
        pytest.skip("offsets of x86_64")
    assert child.peek_user(15 * 8) == child.registers()["orig_rax"]
    child.poke_user(10 * 8, 7)
    assert child.registers()["rax"] == 7


def test_one_instruction(child):
    until(child, "execve", Op.EXIT)
    before = child.syscall_info().pc
    child.single_step()
    stop = child.wait()
    assert stop.kind is Kind.SIGNAL
    assert stop.signal == signal.SIGTRAP
    assert child.syscall_info().pc != before


def test_signals_are_seen_changed_and_masked(child):
    until(child, "execve", Op.EXIT)
    child.set_sigmask(0)
    assert child.sigmask() == 0
    os.kill(child.pid, signal.SIGUSR1)
    child.cont()
    stop = child.wait()
    assert (stop.kind, stop.signal) == (Kind.SIGNAL, signal.SIGUSR1)
    info = child.siginfo()
    assert int.from_bytes(info[:4], "little") == signal.SIGUSR1
    child.set_siginfo(info)
    child.set_sigmask(1 << signal.SIGUSR2 - 1)
    assert child.sigmask() == 1 << signal.SIGUSR2 - 1
    child.cont(signal.SIGTERM)
    assert child.wait() == Stop(child.pid, signal.SIGTERM, Kind.KILLED, signal.SIGTERM)


def test_events_tell_a_message(child):
    child.set_options(OPTIONS | abi.PTRACE_O_TRACEEXEC | abi.PTRACE_O_TRACEEXIT)
    child.cont()
    stop = child.wait()
    assert (stop.kind, stop.event, child.event_message()) == (Kind.EVENT, abi.PTRACE_EVENT_EXEC, child.pid)
    child.cont()
    stop = child.wait()
    assert (stop.kind, stop.event, child.event_message()) == (Kind.EVENT, abi.PTRACE_EVENT_EXIT, 0)


def test_a_group_stop_is_listened_to(child):
    until(child, "execve", Op.EXIT)
    os.kill(child.pid, signal.SIGSTOP)
    child.cont()
    stop = child.wait()
    assert stop.kind is Kind.SIGNAL
    child.cont(stop.signal)
    stop = child.wait()
    assert (stop.kind, stop.signal) == (Kind.GROUP_STOP, signal.SIGSTOP)
    child.listen()
    os.kill(child.pid, signal.SIGCONT)
    assert child.wait().kind is Kind.STOP


def test_attach_interrupt_and_detach():
    pid = os.fork()
    if not pid:
        signal.pause()
    try:
        tracee = Tracee(pid)
        tracee.attach()
        stop = tracee.wait()
        assert (stop.kind, stop.signal) == (Kind.SIGNAL, signal.SIGSTOP)
        tracee.detach()
        tracee.seize()
        tracee.interrupt()
        assert tracee.wait().kind is Kind.STOP
        tracee.kill()
        assert tracee.wait().kind is Kind.KILLED
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_traceme():
    pid = os.fork()
    if not pid:
        Tracee.traceme()
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(3)
    tracee = Tracee(pid)
    assert tracee.wait().signal == signal.SIGSTOP
    tracee.cont()
    assert tracee.wait().code == 3


def test_errors_are_oserrors():
    with pytest.raises(ProcessLookupError):
        Tracee(1 << 22).seize()
    with pytest.raises(PermissionError):
        Tracee(os.getpid()).seize()


@pytest.mark.parametrize("registers", BY_SIZE.values(), ids=lambda registers: registers.arch.name)
def test_register_sets_pack_what_they_unpack(registers):
    values = {name: place + 1 for place, name in enumerate(registers.names)}
    assert registers.unpack(registers.pack(values)) == values
    assert registers.size == {"x86_64": 216, "i386": 68, "arm64": 272}[registers.arch.name]
