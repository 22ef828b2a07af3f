"""The parts of a bundle that this host's systemd has, or a file: units and the end of the log."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

_WITHIN_S = 15
_UNITS = "gwm*"
_OF_UNIT = (
    *("Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts", "ExecMainStatus"),
    *("ActiveEnterTimestamp", "InactiveEnterTimestamp", "MemoryCurrent", "TasksCurrent"),
)
_LOG_BYTES = 512 * 1024
_JOURNAL_LINES = 4000
_NO_SYSTEMD = "There is no systemd here.\n"
# What systemd's journal writes before a line, and the beginning of one of ours.
_BEFORE = re.compile(r"\S+ \S+\[\d+\]: ")
_HEAD = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+ [\w.]+(?=:)")
_FRAME = re.compile(r'\s+File ".*", line \d+, in \w+')
_RAISED = re.compile(r"(\s*[\w.]*(?:Error|Exception|Failure|Timeout|Refused|Warning)\w*)\b")


def tell_units() -> str:
    """How each unit of the product is."""
    if shutil.which("systemctl") is None:
        return _NO_SYSTEMD
    return run("systemctl", "show", _UNITS, "--all", f"--property={','.join(_OF_UNIT)}")


def tell_time_service() -> str:
    """Whether this host's clock is kept right."""
    if shutil.which("timedatectl") is None:
        return _NO_SYSTEMD
    return run("timedatectl", "show")


def read_log(path: Path | None) -> str:
    """The end of a log in a file, else of systemd's journal, as far as this user may read it."""
    if path is not None:
        return _end_of(path)
    if shutil.which("journalctl") is None:
        return "There is no journal of systemd here. --log FILE takes the end of a file.\n"
    return run(
        *("journalctl", "--no-pager", "--quiet", "--utc", "--no-hostname", "--output=short-iso-precise"),
        *(f"--lines={_JOURNAL_LINES}", f"--unit={_UNITS}"),
    )


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - _LOG_BYTES))
        end = file.read(_LOG_BYTES)
    if size > _LOG_BYTES:
        end = end.partition(b"\n")[2]
    return end.decode(errors="backslashreplace")


def bare(log: str) -> str:
    """A log of which only what has no name stays: when, how bad, from where, where in the source, what was raised."""
    kept = []
    for line in log.splitlines():
        before = _BEFORE.match(line)
        said = line[before.end() :] if before else line
        kept += _bare_object(said) if said.startswith("{") else _bare_line(said)
    return "\n".join([*kept, ""])


def _bare_line(line: str) -> list[str]:
    for pattern in (_HEAD, _RAISED):
        if found := pattern.match(line):
            return [f"{found[0]}: […]"]
    return [found[0]] if (found := _FRAME.match(line)) else []


def _bare_object(line: str) -> list[str]:
    """Of a line of JSON."""
    try:
        said = json.loads(line)
    except ValueError:
        return []
    head = " ".join(str(said.get(name)) for name in ("time", "level", "logger"))
    traced = str(said.get("traceback", "")).splitlines()
    return [*_bare_line(f"{head}:"), *(kept for each in traced for kept in _bare_line(each))]


def run(*command: str) -> str:
    """What a command says, its complaints included."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_WITHIN_S,
        check=False,
    )
    return done.stdout.decode(errors="backslashreplace")
