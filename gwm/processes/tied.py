"""`python tied.py PARENT_PID PROGRAM ARG…`: become PROGRAM, tied to the supervisor's life.

Linux kills the process when its parent dies, however it dies; that outlives exec. A process group of its own keeps
the terminal's Ctrl-C away from it: the supervisor alone decides in which order things end.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Tie this process to its parent and exec the command."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we were tied
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - no shell is exactly what we want


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
