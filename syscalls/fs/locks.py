"""Locks on files."""

from __future__ import annotations


class FileLocks:
    """The locks of one inode."""

    def drop_posix(self, owner: object) -> None:
        """Forget the record locks of a descriptor table."""

    def drop_file(self, file: object) -> None:
        """Forget the locks of an open file description."""
