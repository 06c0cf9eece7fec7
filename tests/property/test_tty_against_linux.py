"""The line discipline against the real one: the same modes and keys on a pseudo-terminal of ours and of the host."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import sys
import termios
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syscalls.abi import termios as abi
from syscalls.fs.tty import TERMIOS, Modes, Tty, master_modes, slave_modes

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="compares with Linux")

INPUT = ["ICRNL", "INLCR", "IGNCR", "ISTRIP", "IUCLC", "IUTF8"]
OUTPUT = ["OPOST", "ONLCR", "OCRNL", "ONOCR", "ONLRET", "OLCUC", "XTABS"]
LOCAL = [
    "ICANON", "ECHO", "ECHOE", "ECHOK", "ECHOKE", "ECHONL", "ECHOCTL", "ECHOPRT", "IEXTEN",
]  # fmt: skip
#: Keys that mean something, and some that do not.
KEYS = [
    b"a", b"B", b"_", b" ", b"\t", b"\r", b"\n", b"\x7f", b"\x15", b"\x17", b"\x04", b"\x16", b"\x12", b"\x01", b"\b",
    b"\xc3\xa9", b"\xff", b"\x80", b"word word", b"\x00",
]  # fmt: skip


class NoSessions:
    """`fs.tty.Sessions` of a terminal that controls nobody."""

    def now(self):
        return 0

    def signal(self, pgid, signo):
        raise AssertionError

    def check_change(self, tty, signo):
        pass

    def forget(self, session):
        pass

    def hang_up(self, tty):
        pass


def our_pair():
    sessions = NoSessions()
    master = Tty(sessions, 0, master_modes(), master=True)
    slave = Tty(sessions, 0, slave_modes(), master=False)
    master.link, slave.link = slave, master
    return master, slave


def mask(names):
    return sum({getattr(abi, name) for name in names})


def modes_of(iflags, oflags, lflags):
    base = slave_modes()
    return Modes(mask(iflags), mask(oflags), base.cflag, mask(lflags), 0, base.cc)


@contextlib.contextmanager
def host_pair():
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    os.set_blocking(slave, False)
    try:
        yield master, slave
    finally:
        os.close(master)
        os.close(slave)


def drain(fd, count=100):
    parts = []
    while len(parts) < 50:
        try:
            parts.append(os.read(fd, count))
        except BlockingIOError:
            break
    return parts


flags = [st.sets(st.sampled_from(names)) for names in (INPUT, OUTPUT, LOCAL)]


@settings(max_examples=300, deadline=None)
@given(*flags, st.lists(st.sampled_from(KEYS), max_size=12), st.lists(st.sampled_from(KEYS), max_size=4))
@example({"ICRNL"}, {"OPOST", "ONLCR"}, {"ICANON", "ECHO", "ECHOE", "ECHOK", "ECHOCTL"}, [b"a\t", b"\x7f", b"\r"], [])
@example(set(), set(), {"ECHO", "ECHOCTL"}, [b"\n", b"\x16\n"], [])
@example(set(), set(), {"ICANON"}, [b"abc", b"\x04", b"d\n", b"\x04"], [])
def test_what_is_typed_and_shown(iflags, oflags, lflags, typed, shown):
    modes = modes_of(iflags, oflags, lflags)
    master, slave = our_pair()
    slave.set_modes(modes)
    with host_pair() as (host_master, host_slave):
        fcntl.ioctl(host_slave, termios.TCSETS, modes.pack(TERMIOS))
        for data in shown:
            os.write(host_slave, data)
            slave.write(data)
        for key in typed:
            os.write(host_master, key)
            master.emit(key)
        time.sleep(0.002)  # a worker of the kernel brings it over
        read, ours = drain(host_slave), []
        while slave.ldisc.enough(100) and len(ours) < 50:
            ours.append(slave.take(100))
        if not lflags & {"ICANON"}:
            read, ours = [b"".join(read)], [b"".join(ours)]
        assert ours == read
        echoed = b"".join(drain(host_master))
    assert master.take(4096) == echoed
