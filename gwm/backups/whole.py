"""A backup of all there is, and the way back."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends.cached_db import KEY_PREFIX
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction

from gwm import VERSION
from gwm.backups.alone import alone, keys_stay
from gwm.backups.file import SHORTEST_PASSPHRASE, BackupError, End, Head, Reader, printable, writing
from gwm.backups.restored_keys import RestoredKeys
from gwm.backups.rows import (
    RowError,
    Table,
    count_rows,
    emptied,
    list_migrations,
    list_missing_migrations,
    list_tables,
    read_rows,
    snapshot,
    write_rows,
)
from gwm.backups.theme import draft_files, is_of_theme, read_files
from gwm.config import Config, read_env_file
from gwm.env import TABLE
from gwm.secrets import GENERATED, ensure_private_directory, replace_private_file
from objectlog.chain import ChainBroken, seal_all
from objectlog.verification import Verification
from people.checking import of_checks

Say = Callable[[str], object]
_NAMED = 5
_OF_THE_HOST = ("GWM_DATA_DIR", "GWM_BACKUP_PASSPHRASE")
#: what people write beside the settings, by the setting that says where it is
_WRITTEN = {"openid.toml": "GWM_OPENID_FILE", "ldap.toml": "GWM_LDAP_FILE"}
# A backup in which nothing was written for so long is none that is being made.
_WRITES_FOR_S = 24 * 3600
_DRAFT = re.compile(r"\.gwm-\d{8}-\d{6}\.backup\.new")
_NIGHTLY = re.compile(r"gwm-\d{8}-\d{6}\.backup")


@dataclass(frozen=True)
class Done:
    """What was backed up or restored."""

    rows: int
    tables: int
    has_keys: bool


def make_backup(path: Path, passphrase: str) -> Done:
    """One file of all there is at this moment. Raises BackupError."""
    if passphrase and len(passphrase) < SHORTEST_PASSPHRASE:
        raise BackupError(f"The passphrase is too short: write {SHORTEST_PASSPHRASE} characters or more.")
    if list_missing_migrations(connection):
        raise BackupError("The tables are older than this release. Run manage.py prepare first.")
    with writing(path) as writer, keys_stay(), snapshot(connection):
        config = Config(os.environ)
        tables = list_tables()
        rows = {table.label: count_rows(connection, table) for table in tables}
        writer.head(
            Head(
                version=VERSION,
                made=datetime.now(UTC).isoformat(timespec="seconds"),
                database=connection.vendor,
                migrations=list_migrations(connection),
                rows=rows,
                keys="sealed" if passphrase else "left out",
                settings=_list_settings(config),
            )
        )
        for table in tables:
            writer.table(table.label, table.names, read_rows(connection, table))
        for name, content in read_files(settings.GWM_THEME_DIR):
            writer.file(name, content)
        writer.end(_list_texts(config), passphrase)
    return Done(sum(rows.values()), len(rows), bool(passphrase))


def _list_settings(config: Config) -> dict[str, str]:
    """Those that somebody gave, but for secrets."""
    given = [name for name, each in TABLE.items() if not each.secret and name != "GWM_CONFIG" and config.is_set(name)]
    return {name: config.raw(name) for name in given}


def _list_texts(config: Config) -> dict[str, str]:
    """The secrets in use, and the files that people write."""
    files = {"gwm.env": _config_file(config), **{name: getattr(settings, which) for name, which in _WRITTEN.items()}}
    texts = {name: path.read_text(encoding="utf-8") for name, path in files.items() if path.is_file()}
    if "gwm.env" not in texts:  # they came by the environment
        given = [
            name for name in TABLE if name not in (*GENERATED, "GWM_CONFIG", *_OF_THE_HOST) and config.is_set(name)
        ]
        texts["gwm.env"] = "".join(f"{name}={config.raw(name)}\n" for name in given)
    return {**{name: config.raw(name) for name in GENERATED}, **texts}


def _config_file(config: Config) -> Path:
    given = os.environ.get("GWM_CONFIG", "").strip()
    return Path(given).expanduser() if given else config.data_dir / "gwm.env"


def make_nightly(folder: Path, keep: int, passphrase: str) -> tuple[Path, Done, list[Path]]:
    """A backup named by its time, and those deleted that are older than the newest `keep`. Raises BackupError."""
    if keep < 1:
        raise BackupError("At least one backup must be kept.")
    try:
        ensure_private_directory(folder)
    except OSError as error:
        raise BackupError(f"{folder} can't be made: {error.strerror}.") from error
    path = folder / f"gwm-{datetime.now(UTC):%Y%m%d-%H%M%S}.backup"
    done = make_backup(path, passphrase)
    old = sorted(each for each in folder.iterdir() if _NIGHTLY.fullmatch(each.name))[:-keep]
    for each in (*old, *_list_abandoned(folder)):
        each.unlink()
    return path, done, old


def _list_abandoned(folder: Path) -> list[Path]:
    """What backups were writing that were killed."""
    before = time.time() - _WRITES_FOR_S
    drafts = (each for each in folder.iterdir() if _DRAFT.fullmatch(each.name))
    return [each for each in drafts if each.stat().st_mtime < before]


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file to restore. Raises BackupError."""
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise BackupError(f"{path} can't be read: {error.strerror}.") from error


def restore_backup(path: Path, passphrase: str, *, replaces: bool, is_unverified: bool, say: Say) -> Done:
    """All of a file in place of what there is, or nothing of it. Raises BackupError.

    Ended at whatever moment, rows and keys fit each other: old keys and new ones are both in the file while it is open
    which rows there are.
    """
    with alone(say), opened(path) as stream:
        reader = Reader(stream)
        head, end = reader.check()
        say(f"A backup of {head.made}, of release {head.version}, with {sum(head.rows.values())} rows.")
        _check_release(head)
        if foreign := next((name for name, _content in reader.files() if not is_of_theme(name)), ""):
            raise BackupError(f"The file is damaged, or somebody changed it: no theme has a file {printable(foreign)}.")
        texts = _open_texts(head, end, passphrase, say)
        if (used := describe_use()) and not replaces:
            raise BackupError(f"This installation is in use ({used}). With --replace all of that is deleted.")
        sessions = [
            f"{KEY_PREFIX}{key}"
            for key in apps.get_model("sessions", "Session")._base_manager.values_list("pk", flat=True)
        ]
        data_dir = Config(os.environ).data_dir
        theme = draft_files(reader.files, settings.GWM_THEME_DIR, data_dir, say)
        try:
            with transaction.atomic():
                tables = list_tables()
                with emptied(connection, tables):
                    _write(reader, head, tables)
                with _keys_of(texts):
                    _verify(is_unverified=is_unverified, say=say)
                keys = RestoredKeys(data_dir / "secrets.env", texts)
                keys.add()
        except BaseException as error:
            if theme is not None:
                theme.drop()
            if isinstance(error, IntegrityError):
                words = "The file is damaged: a row names another one that is not in it."
                raise BackupError(f"{words} {printable(error)}") from error
            raise
        keys.settle(say)
        _lay_settings(texts, data_dir, say)
        cache.delete_many(sessions)
        if theme is not None:
            theme.put(say)
    say("Everybody signs in again: sessions are in no backup.")
    return Done(sum(head.rows.values()), len(head.rows), bool(texts))


def _check_release(head: Head) -> None:
    if missing := list_missing_migrations(connection):
        raise BackupError(f"The tables here are older than this release ({missing[0]} …). Run manage.py prepare first.")
    here = set(list_migrations(connection))
    if unknown := sorted(set(head.migrations) - here):
        words = f"The backup is of a newer release ({head.version}): this one does not know {printable(unknown[0])}."
        raise BackupError(f"{words} Install that release here first.")
    if lacking := sorted(here - set(head.migrations)):
        words = f"The backup is of an older release ({head.version}), from before {lacking[0]}."
        raise BackupError(f"{words} Restore it with that release, then upgrade.")


def _open_texts(head: Head, end: End, passphrase: str, say: Say) -> dict[str, str]:
    if end.sealed is None:
        say("Keys and settings were left out of it: the keys of this installation stay.")
        return {}
    if not passphrase:
        say("Keys and settings are sealed in it, and no passphrase was given: the keys of this installation stay.")
        return {}
    texts = end.open(passphrase)
    config_file = _config_file(Config(os.environ))
    for where, values in (("the environment", os.environ), (str(config_file), read_env_file(config_file))):
        for name in GENERATED:
            if values.get(name, "").strip() not in ("", texts.get(name)):
                words = f"{name} is set in {where}, and would hide the key of the backup."
                raise BackupError(f"{words} Take it away there, or give no passphrase.")
    return texts


def describe_use() -> str:
    """What this database is used for; empty: it is as an installation makes it, with one account that is new."""
    counted = {
        "clusters": apps.get_model("clusters", "Cluster")._base_manager.count(),
        "events in the journal": apps.get_model("objectlog", "Event")._base_manager.exclude(of_checks()).count(),
    }
    people = apps.get_model("permissions", "User")._base_manager
    if people.count() > 1 or people.filter(last_login__isnull=False).exists():
        counted["accounts"] = people.count()
    return ", ".join(f"{what}: {number}" for what, number in counted.items() if number)


def _write(reader: Reader, head: Head, tables: list[Table]) -> None:
    wanted = {table.label: table for table in tables}
    if set(head.rows) != set(wanted):
        raise BackupError("The file is damaged: it has not the tables of its release.")
    for label, names, rows in reader.tables():
        table = wanted.get(label)
        if table is None or names != table.names:
            raise BackupError(f"The file is damaged: {printable(label)} has other columns than its release.")
        try:
            write_rows(connection, table, rows)
        except RowError as error:
            raise BackupError(str(error)) from error
        if (there := count_rows(connection, table)) != head.rows[label]:
            raise BackupError(f"{label} has {there} rows now, and not {head.rows[label]}.")


@contextmanager
def _keys_of(texts: Mapping[str, str]) -> Iterator[None]:
    """The journal's keys are those of the backup: the next start reads them from its file."""
    before = settings.GWM_JOURNAL_KEYS
    if keys := texts.get("GWM_JOURNAL_KEYS"):
        settings.GWM_JOURNAL_KEYS = [key.strip() for key in keys.split(",") if key.strip()]
    try:
        yield
    finally:
        settings.GWM_JOURNAL_KEYS = before


def _verify(*, is_unverified: bool, say: Say) -> None:
    """The journal is as it was written, with what was still waiting to be sealed."""
    verification = Verification()
    try:
        seal_all()
        problems = list(islice(verification.problems(), _NAMED))
    except ChainBroken as broken:
        problems = [str(broken)]
    if not problems:
        say(f"The journal is as it was written: {verification.checked} events.")
        return
    for problem in problems:
        say(problem)
    if not is_unverified:
        words = "The journal can't be verified with these keys, and nothing was restored."
        raise BackupError(f"{words} Give the passphrase or the right secrets.env; --unverified restores all the same.")


def _lay_settings(texts: Mapping[str, str], folder: Path, say: Say) -> None:
    """The settings of this installation stay, the others are laid beside them."""
    for name in ("gwm.env", *_WRITTEN):
        if name in texts:
            beside = folder / f"{name}.restored"
            replace_private_file(beside, texts[name])
            say(f"The settings of this installation stay; those of the backup are in {beside}.")
