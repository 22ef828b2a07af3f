"""The bundle: one file of parts, each cleaned, bounded and made for itself, so that what fails costs its part alone."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from subprocess import SubprocessError
from typing import Any, TypeVar

from gwm import VERSION
from gwm.diagnosing import host, service
from gwm.diagnosing.hiding import Hiding, list_passwords, list_secrets
from gwm.diagnosing.names import Stand, list_host_names, list_names
from gwm.logs import escape_controls

_PART_BYTES = 512 * 1024
_PART_S = 30
_CUT = "\n[… {} bytes left out here …]\n"

T = TypeVar("T")
D = TypeVar("D")


class NotWritten(Exception):
    """There is no bundle; the text says why."""


class TooLate(Exception):
    """A part took too long."""


# What comes of a service that is away, of a file or program that is not there, and of a value that is not what it was.
PART_FAILS = (*service.FAILS, TooLate, SubprocessError, RuntimeError)


@dataclass
class Bundle:
    """What was gathered: texts by the names of their files, and what went wrong of which."""

    texts: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)


def gather(log: Path | None = None, *, with_names: bool = False) -> Bundle:
    """All parts. Raises nothing that one of them does."""
    bundle = Bundle()
    knows = False
    known = [*_try(bundle, "names of this host", lambda: list(list_host_names()), [])]
    if not with_names:
        names = _try(bundle, "names", lambda: list(list_names()), None)
        knows = names is not None
        known += names or []
    of_settings = _try(bundle, "secrets of the settings", lambda: list(list_secrets()), None)
    of_clusters = _try(bundle, "passwords of clusters", lambda: list(list_passwords()), None)
    stand, hiding = Stand(known), Hiding([*(of_settings or []), *(of_clusters or [])])
    knows_secrets = of_settings is not None and of_clusters is not None

    def clean(text: str) -> str:
        text = hiding.clean(text)
        return text if with_names else stand.clean(text)

    def read_log() -> str:
        text = host.read_log(log)
        # Where names or secrets are not known, nothing stays that may be one.
        return text if knows_secrets and (with_names or knows) else host.bare(text)

    parts: dict[str, Callable[[], Any]] = {
        "versions.json": service.tell_versions,
        "settings.json": service.tell_settings,
        "migrations.json": service.tell_migrations,
        "health.json": service.tell_health,
        "rows.json": service.tell_rows,
        "updates.json": service.tell_updates,
        "clocks.json": service.tell_clocks,
        "disks.json": service.tell_disks,
        "units.txt": host.tell_units,
        "time.txt": host.tell_time_service,
        "log.txt": read_log,
    }
    for name, tell in parts.items():
        text = _try(bundle, name, partial(_make, tell, clean), None)
        if text is not None:
            bundle.texts[name] = text
    bundle.troubles = {name: clean(why) for name, why in bundle.troubles.items()}
    about = {
        "what": "Ganeti Web Manager, to be attached to a report. See docs/health.md.",
        "version": VERSION,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "names": "as they are" if with_names else "stand-ins",
        "failed": bundle.troubles,
    }
    bundle.texts = {"about.json": json.dumps(about, indent=2), **bundle.texts}
    return bundle


def _make(tell: Callable[[], Any], clean: Callable[[str], str]) -> str:
    return _bounded(_written(tell(), clean))


def _written(told: Any, clean: Callable[[str], str]) -> str:
    """As text, cleaned. Of data the values are: keys are ours, except in what is cleaned as a whole."""
    if isinstance(told, str):
        return "\n".join(_line(line, clean) for line in told.split("\n"))
    return json.dumps(_cleaned(told, clean), indent=1)


def _line(line: str, clean: Callable[[str], str]) -> str:
    """Of a log. An object of JSON is read first, for it may write what is to be cleaned in signs of its own."""
    before, brace, rest = line.partition("{")
    if brace:
        with suppress(ValueError, RecursionError):
            line = before + json.dumps(_cleaned(json.loads(brace + rest), clean, of_keys=clean))
    return escape_controls(clean(line))


def _cleaned(told: Any, clean: Callable[[str], str], of_keys: Callable[[str], str] = str) -> Any:
    if isinstance(told, str):
        return clean(told)
    if isinstance(told, dict):
        return {of_keys(key): _cleaned(value, clean, of_keys) for key, value in told.items()}
    if isinstance(told, list | tuple):
        return [_cleaned(value, clean, of_keys) for value in told]
    return told


def _bounded(text: str) -> str:
    """Of what is too long the beginning and the end, which is the newest of a log."""
    raw = text.encode()
    if len(raw) <= _PART_BYTES:
        return text
    kept = _PART_BYTES - 100
    begin, end = raw[: kept // 4], raw[-(kept - kept // 4) :]
    return begin.decode(errors="ignore") + _CUT.format(len(raw) - kept) + end.decode(errors="ignore")


def _try(bundle: Bundle, name: str, tell: Callable[[], T], otherwise: D) -> T | D:
    try:
        with _within(_PART_S):
            return tell()
    except PART_FAILS as error:
        bundle.troubles[name] = f"{type(error).__name__}: {error}"
        return otherwise


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    """Interrupts what hangs; only the first thread of a program can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TooLate(f"no answer within {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def write(bundle: Bundle, path: Path) -> None:
    """Into a new file that its user alone can read. Raises NotWritten."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise NotWritten(f"{path} can't be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        folder = path.name.partition(".")[0]
        for name, text in bundle.texts.items():
            raw = text.encode()
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mode, member.mtime = len(raw), 0o600, int(time.time())
            archive.addfile(member, io.BytesIO(raw))
