"""What can go wrong around a run, each with the exit status that a shell's user expects."""

from __future__ import annotations


class TrapezeError(Exception):
    """One line for the user; `status` is the exit status of the command line."""

    status = 125


class NotFoundError(TrapezeError):
    """The program, or what it needs, does not exist (a shell's 127)."""

    status = 127


class NotExecutableError(TrapezeError):
    """The program exists and cannot be run (a shell's 126)."""

    status = 126


class UsageError(TrapezeError):
    """A setting makes no sense."""

    status = 125


class InternalError(TrapezeError):
    """A fault of ours: the call that caused it is in the message."""

    status = 125


class TraceFileError(TrapezeError):
    """A saved trace cannot be read; the message names the line."""

    status = 125


class TraceDeniedError(TrapezeError):
    """A process of the host is not there, or must not be traced."""

    status = 125
