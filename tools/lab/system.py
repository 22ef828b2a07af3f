"""Running programs of the machine, and waiting for something to become true."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

from tools.lab.errors import LabError

# Nothing of the caller's environment reaches a node: proxies, locales and virtual environments would.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "TERM": "dumb"}


def run_program(command: Sequence[str], *, stdin: str = "", timeout_s: float = 120.0) -> str:
    """Run a program and return what it printed; LabError with its own words when it fails or takes too long."""
    try:
        done = subprocess.run(
            list(command),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            env=ENVIRONMENT,
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(command)} did not end within {timeout_s:.0f} s.") from error
    except FileNotFoundError as error:
        raise LabError(f"{command[0]} is not on this machine.") from error
    if done.returncode != 0:
        said = (done.stderr.strip() + "\n" + done.stdout.strip()).strip()
        raise LabError(f"{' '.join(command)} failed with status {done.returncode}:\n{said}")
    return done.stdout


def growing_pauses(first_s: float = 0.05, longest_s: float = 0.4) -> Iterator[float]:
    """Pauses between looks that cost something: the longer one has waited, the longer the next may be."""
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(pause_s * 1.3, longest_s)


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float = 15.0) -> None:
    """Return as soon as the condition holds; LabError naming ``what`` when it does not in time."""
    end = time.monotonic() + timeout_s
    pauses = growing_pauses()
    while not condition():
        if time.monotonic() > end:
            raise LabError(f"Waited {timeout_s:.0f} s in vain for {what}.")
        time.sleep(next(pauses))
