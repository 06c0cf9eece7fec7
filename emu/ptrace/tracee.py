"""`Tracee`: ptrace(2) of the host, one documented method per request. It needs nothing else of Trapeze.

    child = Tracee.start("/bin/true")          # stopped before its execve
    child.syscall()                            # let it go on to the next entry or exit of a system call
    stop = child.wait()
    print(child.syscall_info())

Every method raises OSError as ptrace(2) fails: ESRCH when the thread is gone, or is not stopped where it must be;
EPERM, EIO, EINVAL, EFAULT as the man page says. Signals are numbers, 0 is none. Registers are dictionaries by the
kernel's names (registers.py). docs/ptrace.md sets the methods beside Go's.
"""

from __future__ import annotations

import os
import struct

from emu.ptrace import libc
from emu.ptrace.info import SIZE, Stop, SyscallInfo
from emu.ptrace.registers import BY_SIZE, NT_PRFPREG, NT_PRSTATUS, SETS, RegisterSet
from syscalls.abi import ptrace as abi
from syscalls.abi.errno import EFAULT, EIO, ENOSYS, EPERM

WALL = 0x4000_0000  # wait for threads as well as for processes (__WALL)
SIGINFO_SIZE = 128
REGISTERS_SIZE = 4096  # more than any register set of ours
SET_SYSCALL_INFO = 0x4212  # Linux 6.16

_buffer = libc.Buffer(REGISTERS_SIZE)
_iovec = libc.IoVec(_buffer)
_window = libc.Window()


class Tracee:
    """A thread that this process traces."""

    __slots__ = ("_mem_denied", "pid")

    def __init__(self, pid: int) -> None:
        """`pid` is a thread id; nothing happens before `seize` or `attach`."""
        self.pid = pid
        self._mem_denied = False  # process_vm_readv is forbidden: read through /proc or PEEK

    def __repr__(self) -> str:
        return f"Tracee({self.pid})"

    # --- beginning and end --------------------------------------------------------------------------------------------

    @staticmethod
    def traceme() -> None:
        """PTRACE_TRACEME: let the parent of the calling process trace it. For a child, between fork and execve."""
        libc.ptrace(abi.PTRACE_TRACEME, 0)

    @classmethod
    def start(cls, program: str, *args: str, options: int = abi.PTRACE_O_TRACESYSGOOD) -> Tracee:
        """Fork, and let the child execute the program traced (seized); it is stopped before its execve."""
        from emu.ptrace.start import start

        return start(program, [program, *args], options=options).tracee

    def attach(self) -> None:
        """PTRACE_ATTACH: trace the thread and send it SIGSTOP. `wait` tells when it has stopped."""
        libc.ptrace(abi.PTRACE_ATTACH, self.pid)

    def seize(self, options: int = 0) -> None:
        """PTRACE_SEIZE: trace the thread without stopping it; INTERRUPT and LISTEN work only then."""
        libc.ptrace(abi.PTRACE_SEIZE, self.pid, 0, options)

    def interrupt(self) -> None:
        """PTRACE_INTERRUPT: stop a seized thread; the stop is a PTRACE_EVENT_STOP."""
        libc.ptrace(abi.PTRACE_INTERRUPT, self.pid)

    def detach(self, signal: int = 0) -> None:
        """PTRACE_DETACH: let a stopped thread go on untraced, and deliver `signal`."""
        libc.ptrace(abi.PTRACE_DETACH, self.pid, 0, signal)

    def kill(self) -> None:
        """PTRACE_KILL: end a stopped tracee; SIGKILL does it wherever the tracee is."""
        libc.ptrace(abi.PTRACE_KILL, self.pid)

    def set_options(self, options: int) -> None:
        """PTRACE_SETOPTIONS: PTRACE_O_*."""
        libc.ptrace(abi.PTRACE_SETOPTIONS, self.pid, 0, options)

    # --- going on -----------------------------------------------------------------------------------------------------

    def cont(self, signal: int = 0) -> None:
        """PTRACE_CONT: go on, and deliver `signal`."""
        libc.ptrace(abi.PTRACE_CONT, self.pid, 0, signal)

    def syscall(self, signal: int = 0) -> None:
        """PTRACE_SYSCALL: go on to the next entry or exit of a system call."""
        libc.ptrace(abi.PTRACE_SYSCALL, self.pid, 0, signal)

    def single_step(self, signal: int = 0) -> None:
        """PTRACE_SINGLESTEP: go on for one instruction."""
        libc.ptrace(abi.PTRACE_SINGLESTEP, self.pid, 0, signal)

    def sysemu(self, signal: int = 0) -> None:
        """PTRACE_SYSEMU: go on to the next system call, which the kernel will not carry out."""
        libc.ptrace(abi.PTRACE_SYSEMU, self.pid, 0, signal)

    def sysemu_single_step(self, signal: int = 0) -> None:
        """PTRACE_SYSEMU_SINGLESTEP: one instruction, and if it is a system call, not even that."""
        libc.ptrace(abi.PTRACE_SYSEMU_SINGLESTEP, self.pid, 0, signal)

    def listen(self) -> None:
        """PTRACE_LISTEN: leave a seized thread in its group stop, but hear when SIGCONT ends it."""
        libc.ptrace(abi.PTRACE_LISTEN, self.pid)

    def wait(self, options: int = 0) -> Stop:
        """Wait until the tracee stops or ends (waitpid(2) with __WALL); ChildProcessError when it is nobody's."""
        return Stop.of(*os.waitpid(self.pid, options | WALL))

    # --- what happened ------------------------------------------------------------------------------------------------

    def event_message(self) -> int:
        """PTRACE_GETEVENTMSG: the new thread's id, the exit status, the former thread id of execve, filter data."""
        libc.ptrace(abi.PTRACE_GETEVENTMSG, self.pid, 0, _buffer.address)
        return int.from_bytes(_buffer.view[: libc.WORD], "little")

    def siginfo(self) -> bytes:
        """PTRACE_GETSIGINFO: the siginfo_t (the host's layout) of the signal; EINVAL in a group stop."""
        libc.ptrace(abi.PTRACE_GETSIGINFO, self.pid, 0, _buffer.address)
        return _buffer.view[:SIGINFO_SIZE].tobytes()

    def set_siginfo(self, info: bytes) -> None:
        """PTRACE_SETSIGINFO: change the signal that is about to be delivered."""
        _buffer.view[:SIGINFO_SIZE] = info.ljust(SIGINFO_SIZE, b"\0")[:SIGINFO_SIZE]
        libc.ptrace(abi.PTRACE_SETSIGINFO, self.pid, 0, _buffer.address)

    def sigmask(self) -> int:
        """PTRACE_GETSIGMASK: blocked signals, bit N-1 for signal N."""
        libc.ptrace(abi.PTRACE_GETSIGMASK, self.pid, 8, _buffer.address)
        return int.from_bytes(_buffer.view[:8], "little")

    def set_sigmask(self, mask: int) -> None:
        """PTRACE_SETSIGMASK."""
        _buffer.view[:8] = mask.to_bytes(8, "little")
        libc.ptrace(abi.PTRACE_SETSIGMASK, self.pid, 8, _buffer.address)

    def syscall_info(self) -> SyscallInfo:
        """PTRACE_GET_SYSCALL_INFO (Linux 5.3): entry, exit, seccomp or none, and the call's own architecture."""
        libc.ptrace(abi.PTRACE_GET_SYSCALL_INFO, self.pid, SIZE, _buffer.address)
        return SyscallInfo.unpack(_buffer.view)

    def set_syscall_info(self, info: SyscallInfo) -> None:
        """PTRACE_SET_SYSCALL_INFO (Linux 6.16): number -1 skips a call; EIO on older kernels (use the registers)."""
        _buffer.view[:SIZE] = info.pack()
        libc.ptrace(SET_SYSCALL_INFO, self.pid, SIZE, _buffer.address)

    # --- registers ----------------------------------------------------------------------------------------------------

    def regset(self, kind: int) -> bytes:
        """PTRACE_GETREGSET: a register set (NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE ...) as the tracee's ABI has it."""
        _iovec.length = _buffer.size
        libc.ptrace(abi.PTRACE_GETREGSET, self.pid, kind, _iovec.address)
        return _buffer.view[: _iovec.length].tobytes()

    def set_regset(self, kind: int, data: bytes) -> None:
        """PTRACE_SETREGSET."""
        _buffer.view[: len(data)] = data
        _iovec.length = len(data)
        libc.ptrace(abi.PTRACE_SETREGSET, self.pid, kind, _iovec.address)

    def registers(self) -> dict[str, int]:
        """The general registers by name: of the program's own width, 32 bits for i386 on x86_64 (NT_PRSTATUS)."""
        data = self.regset(NT_PRSTATUS)
        return BY_SIZE[len(data)].unpack(data)

    def set_registers(self, values: dict[str, int]) -> None:
        """Store general registers, as `registers` gave them."""
        registers = next(registers for registers in SETS if registers.names[0] in values)
        self.set_regset(NT_PRSTATUS, registers.pack(values))

    def getregs(self) -> dict[str, int]:
        """PTRACE_GETREGS: struct user_regs_struct of the host, 64-bit even for an i386 program (x86 only: else EIO)."""
        host = _host_registers()
        libc.ptrace(abi.PTRACE_GETREGS, self.pid, 0, _buffer.address)
        return host.unpack(_buffer.view[: host.size].tobytes())

    def setregs(self, values: dict[str, int]) -> None:
        """PTRACE_SETREGS: of the host's struct, as `getregs` gave it."""
        host = _host_registers()
        _buffer.view[: host.size] = host.pack(values)
        libc.ptrace(abi.PTRACE_SETREGS, self.pid, 0, _buffer.address)

    def fpregs(self) -> bytes:
        """PTRACE_GETFPREGS: the floating-point registers in the host's layout, through the register set."""
        return self.regset(NT_PRFPREG)

    def set_fpregs(self, data: bytes) -> None:
        """PTRACE_SETFPREGS."""
        self.set_regset(NT_PRFPREG, data)

    # --- memory -------------------------------------------------------------------------------------------------------

    def peek_text(self, address: int) -> int:
        """PTRACE_PEEKTEXT: a word (8 bytes on a 64-bit host), unsigned."""
        return libc.peek(abi.PTRACE_PEEKTEXT, self.pid, address)

    def peek_data(self, address: int) -> int:
        """PTRACE_PEEKDATA: on Linux the same as `peek_text`."""
        return libc.peek(abi.PTRACE_PEEKDATA, self.pid, address)

    def peek_user(self, offset: int) -> int:
        """PTRACE_PEEKUSER: a word of struct user."""
        return libc.peek(abi.PTRACE_PEEKUSER, self.pid, offset)

    def poke_text(self, address: int, word: int) -> None:
        """PTRACE_POKETEXT: even where the tracee itself may not write."""
        libc.ptrace(abi.PTRACE_POKETEXT, self.pid, address, word & _WORD_MASK)

    def poke_data(self, address: int, word: int) -> None:
        """PTRACE_POKEDATA."""
        libc.ptrace(abi.PTRACE_POKEDATA, self.pid, address, word & _WORD_MASK)

    def poke_user(self, offset: int, word: int) -> None:
        """PTRACE_POKEUSER."""
        libc.ptrace(abi.PTRACE_POKEUSER, self.pid, offset, word & _WORD_MASK)

    def read(self, address: int, length: int) -> bytes:
        """Memory as far as it can be read: fewer bytes before a hole, OSError(EFAULT) when there is not one.

        process_vm_readv(2) does it; where that is not allowed, /proc/PID/mem, else words by PTRACE_PEEKDATA.
        """
        if self._mem_denied:
            return self._read_otherwise(address, length)
        try:
            data = _window.read(self.pid, address, length)
        except OSError as error:
            if error.errno not in (ENOSYS, EPERM):
                raise
            self._mem_denied = True
            return self._read_otherwise(address, length)
        while _window.buffer.size <= len(data) < length:
            try:
                more = _window.read(self.pid, address + len(data), length - len(data))
            except OSError:
                break
            data += more
            if len(more) < _window.buffer.size:
                break
        return data

    def write(self, address: int, data: bytes) -> None:
        """Store bytes, read-only pages included (/proc/PID/mem, else PTRACE_POKEDATA)."""
        try:
            with open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:  # noqa: PTH123  # no Path needed
                _put(memory.fileno(), data, address)
        except PermissionError:
            self._poke(address, data)

    def _read_otherwise(self, address: int, length: int) -> bytes:
        try:
            fd = os.open(f"/proc/{self.pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return self._peek(address, length)
        try:
            return os.pread(fd, length, address)
        except OSError:
            raise OSError(EFAULT, os.strerror(EFAULT)) from None
        finally:
            os.close(fd)

    def _peek(self, address: int, length: int) -> bytes:
        data = bytearray()
        skip = address % libc.WORD
        while len(data) < skip + length:
            try:
                data += self.peek_data(address - skip + len(data)).to_bytes(libc.WORD, "little")
            except OSError as error:
                if error.errno not in (EIO, EFAULT):
                    raise
                break
        if len(data) <= skip and length:
            raise OSError(EFAULT, os.strerror(EFAULT))
        return bytes(data[skip : skip + length])

    def _poke(self, address: int, data: bytes) -> None:
        skip = address % libc.WORD
        start = address - skip
        old = self._peek(start, -(-(skip + len(data)) // libc.WORD) * libc.WORD)
        new = old[:skip] + data + old[skip + len(data) :]
        for at, (word,) in enumerate(struct.iter_unpack("<Q" if libc.WORD == 8 else "<I", new)):
            self.poke_data(start + at * libc.WORD, word)


_WORD_MASK = (1 << libc.WORD * 8) - 1


def _host_registers() -> RegisterSet:
    machine = os.uname().machine
    return next((registers for registers in SETS if registers.arch.machine == machine), SETS[0])


def _put(fd: int, data: bytes, address: int) -> None:
    done = 0
    while done < len(data):
        done += os.pwrite(fd, data[done:], address + done)
