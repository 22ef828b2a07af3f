"""The product, loaded once: `python -m tests.processes.forking SOCKET` forks a process for each command asked of it.

Loading it takes a second of a core, and tests start hundreds of commands. Each is asked for by its words and by what
its standard input, its standard output and its fate (its process id, then how it ended) are written to.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress

import django
from django.core.management import call_command, execute_from_command_line
from django.db import connections

ROOM = 1 << 20


def main() -> None:
    """Until nobody can ask any more."""
    django.setup()
    call_command("check")  # which loads what commands need
    connections.close_all()
    asked = socket.socket(fileno=int(sys.argv[1]))
    while True:
        words, streams, _flags, _address = socket.recv_fds(asked, ROOM, 3)
        if not words:
            break
        if os.fork() == 0:
            asked.close()
            keep(json.loads(words), *streams)
        for stream in streams:
            os.close(stream)
        with suppress(ChildProcessError):  # those that have ended are waited for, so that their time is counted
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue


def keep(words: list[str], said: int, says: int, fate: int) -> None:
    """Start a command, and tell how it ends."""
    if (command := os.fork()) == 0:
        os.dup2(said, 0)
        os.dup2(says, 1)
        os.dup2(says, 2)
        for stream in (said, says, fate):
            os.close(stream)
        end(carry_out(words))
    os.close(said)
    os.close(says)
    os.write(fate, f"{command}\n".encode())
    with suppress(BrokenPipeError):  # nobody wants to know any more
        os.write(fate, f"{os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])}\n".encode())
    os._exit(0)


def carry_out(words: list[str]) -> int:
    """As manage.py does; its exit code. What it raises is told and ends this process as it would end manage.py's."""
    assert words[0] not in ("up", "prepare"), "what they do begins before the product is loaded"
    sys.argv = ["manage.py", *words]
    try:
        execute_from_command_line(sys.argv)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    return 0


def end(code: int) -> None:
    """This process, and nothing of the one that it was forked from."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
