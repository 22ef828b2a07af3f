"""Commands of manage.py, one after the other in one process: starting one takes longer than most of them.

As a program: takes a line of JSON for each command, with its words and its standard input, and answers with one.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from django.core.management import execute_from_command_line
from django.db import connections

ROOT = Path(__file__).resolve().parent.parent.parent
#: only ends a test of what hangs, however busy the machine is
TIMEOUT_S = 600.0


class Commands:
    """The process, which starts with the first command."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = {**environment, "PYTHONPATH": str(ROOT)}
        self._process: subprocess.Popen[str] | None = None

    def run(self, *words: str, said: str = "") -> tuple[int, str, str]:
        """The exit code of a command, what it printed, and what it printed of errors."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.browser.commands"],
                env=self._environment,
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        watchdog = threading.Timer(TIMEOUT_S, process.kill)
        watchdog.start()
        try:
            process.stdin.write(json.dumps([words, said]) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        finally:
            watchdog.cancel()
        if not answer:  # it wrote why to our own standard error
            self._process = None
            raise AssertionError(f"{words} ended the process of commands: {process.wait()}")
        code, printed, complained = json.loads(answer)
        return code, printed, complained

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate(timeout=TIMEOUT_S)
            self._process = None


def _execute(words: list[str], said: str) -> tuple[int, str, str]:
    printed, complained, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(printed), redirect_stderr(complained), patch("sys.stdin", io.StringIO(said)):
        try:
            execute_from_command_line(["manage.py", *words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            complained.write(end.code if isinstance(end.code, str) else "")
        finally:
            connections.close_all()
    return code, printed.getvalue(), complained.getvalue()


def _serve() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gwm.settings")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_execute(*json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
