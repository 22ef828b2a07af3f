"""Backups of a server over SSH: made there and fetched, or brought over and restored (docs/backup.md)."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from deploy.host import HostError
from deploy.rollout import (
    ask_whether_well,
    current_release,
    first_web,
    in_order,
    manage,
    run_release,
    see_to_secrets,
)
from deploy.site import CURRENT, DATA, Site

VARIABLE = "GWM_BACKUP_PASSPHRASE"
_FOLDER = f"{DATA}/backups"
_LISTED = "systemctl list-units --plain --no-legend --state=active,activating 'gwm-*.service' gwm-web.socket"


def read_passphrase(*, is_new: bool) -> str:
    """Of the environment, or of a person; empty: keys are left out. Raises HostError."""
    if VARIABLE in os.environ or not sys.stdin.isatty():
        return os.environ.get(VARIABLE, "")
    passphrase = getpass.getpass("Passphrase for keys and settings (empty: without them): ")
    if is_new and passphrase and getpass.getpass("Again: ") != passphrase:
        raise HostError("These were two passphrases.")
    return passphrase


def make_backup(site: Site, to: str, passphrase: str, *, stays: bool) -> str:
    """One of all there is; where it lies. Raises HostError."""
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    there = f"{_FOLDER}/asked-{stamp}.backup"
    here = Path(to or f"{site.name}-{stamp}.backup")
    if not stays and here.exists():
        raise HostError(f"There is a file {here} already. Choose another name: --to FILE")
    site.host.run(f"install -d -m 700 -o gwm -g gwm {_FOLDER}")
    site.say(_run(site, passphrase, "backup", there))
    if stays:
        return f"{site.host.name}:{there}"
    try:
        _fetch(site, there, here)
    finally:
        site.host.run(f"rm -f {there}")
    return str(here.absolute())


def _fetch(site: Site, there: str, here: Path) -> None:
    draft = here.with_name(f".{here.name}.new")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                site.host.fetch(there, stream)
            draft.replace(here)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(f"{here} can't be written: {error.strerror}.") from error


def restore_backup(sites: Sequence[Site], file: str, passphrase: str, *, replaces: bool, is_unverified: bool) -> None:
    """One in place of what there is, or nothing of it; afterwards it runs again, and is asked whether it is well.
    Raises HostError."""
    path = Path(file)
    if not path.is_file():
        raise HostError(f"There is no file {file} here.")
    there = f"{DATA}/restored.backup"
    words = [*(["--replace"] if replaces else []), *(["--unverified"] if is_unverified else [])]
    ours = in_order(sites)
    first = first_web(ours)
    carried = first.host.carry(path)
    with ExitStack() as stopped:
        for site in reversed(ours):
            stopped.enter_context(_stopped(site))
        try:
            first.host.run(f"install -m 600 -o gwm -g gwm {quote(carried)} {there}")
            first.say(_run(first, passphrase, "restore", there, *words))
            see_to_secrets(ours)
        finally:
            first.host.run(f"rm -f {there}")
    ask_whether_well(ours)


@contextmanager
def _stopped(site: Site) -> Iterator[None]:
    """Nothing of ours runs meanwhile; it begins anew whatever became of it."""
    units = [line.split()[0] for line in site.host.run(_LISTED).splitlines()]
    ran = " ".join(quote(unit) for unit in units if unit not in ("gwm-prepare.service", "gwm-backup.service"))
    if units:
        site.host.run(f"systemctl stop 'gwm-backup.s*' {ran}")
    try:
        yield
    finally:
        run_release(site, current_release(site))
        if ran:
            site.host.run(f"systemctl start {ran}")


def _run(site: Site, passphrase: str, *words: str) -> str:
    """A command of manage.py there, which reads the passphrase where nobody else can."""
    text = site.host.carry_text(f"{passphrase}\n")
    return site.host.run(f"{manage(CURRENT, *words, '--passphrase-file', '-')} < {quote(text)}")
