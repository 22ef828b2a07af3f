"""The first process of a node: collects the children that daemons leave behind, for as long as the node lives.

It gets SIGKILL from outside when the node is to go; the kernel then ends everything else in its PID namespace.
"""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Wait for children for ever."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        try:
            os.wait()
        except ChildProcessError:
            signal.sigwait({signal.SIGCHLD})


if __name__ == "__main__":
    main()
