"""A tracer of system calls on python-ptrace (PyPI), as short as its manual suggests; the lines go nowhere."""

import os
import sys
from pathlib import Path

from ptrace.debugger import NewProcessEvent, ProcessExecution, ProcessExit, ProcessSignal, PtraceDebugger
from ptrace.debugger.child import createChild
from ptrace.func_call import FunctionCallOptions


def main() -> None:
    """Trace sys.argv[1:]."""
    debugger = PtraceDebugger()
    debugger.traceFork()
    debugger.traceExec()
    options = FunctionCallOptions()
    pid = createChild(sys.argv[1:], False, None, None)
    debugger.addProcess(pid, is_attached=True).syscall()
    with Path(os.devnull).open("w", encoding="utf-8") as out:
        while debugger:
            try:
                process = debugger.waitSyscall().process
                call = process.syscall_state.event(options)
                if call is not None and call.result is not None:
                    out.write(f"{call.format():40} = {call.result_text}\n")
            except ProcessExit:
                continue
            except ProcessSignal as event:
                event.process.syscall(event.signum)
                continue
            except ProcessExecution as event:
                process = event.process
            except NewProcessEvent as event:
                event.process.syscall()
                event.process.parent.syscall()
                continue
            process.syscall()
    debugger.quit()


if __name__ == "__main__":
    main()
