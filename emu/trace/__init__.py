"""The trace: events of system calls, and the ways to show them (docs/trace.md)."""
