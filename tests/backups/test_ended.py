"""Restores and new keys that are ended in the middle, come twice, or come while the product runs."""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from clusters.models import Cluster
from gwm.backups import alone, whole
from gwm.backups.rows import emptied, list_tables
from gwm.config import read_env_file
from gwm.models import Process
from gwm.secrets import GENERATED, ensure_secrets
from objectlog.chain import seal_all
from objectlog.verification import Verification
from tests.factories import make_admin, make_cluster, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.beside]


class Ended(BaseException):
    """As if the process were no more."""


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """An installation with keys and a theme of its own."""
    for name in GENERATED:
        monkeypatch.delenv(name)
    folder = tmp_path / "data"
    monkeypatch.setenv("GWM_DATA_DIR", str(folder))
    settings.GWM_THEME_DIR = folder / "theme"
    settings.GWM_BACKUP_PASSPHRASE = "a long passphrase of tests"
    (folder / "theme").mkdir(parents=True)
    renew(folder, settings)
    return folder


def renew(folder: Path, settings: Any) -> None:
    """Other keys, as of another installation."""
    (folder / "secrets.env").unlink(missing_ok=True)
    ensure_secrets(folder / "secrets.env")
    use(folder, settings)


def use(folder: Path, settings: Any) -> None:
    """As the next start does."""
    values = read_env_file(folder / "secrets.env")
    for name in GENERATED:
        if name.endswith("_KEYS"):
            setattr(settings, name, values[name].split(","))


def fill(folder: Path, name: str) -> None:
    """What an installation has that its keys open."""
    (folder / "theme" / "theme.toml").write_text(f'name = "{name}"\n')
    make_cluster("north", username="rapi", password=f"of-{name}", description=name)
    make_user("ada")
    make_admin()
    call_command("grant", "ada", "admin", "--on", "north", "--as", "root", stdout=io.StringIO())
    seal_all()


def empty() -> None:
    with emptied(connection, list_tables()):
        pass


def opens(folder: Path, settings: Any) -> str:
    """Which installation it is; with the keys in its file all of it opens."""
    use(folder, settings)
    cluster = Cluster.objects.get()
    assert str(cluster.password) == f"of-{cluster.description}"
    assert list(Verification().problems()) == []
    return cluster.description


@contextmanager
def ended_at(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Before the so-and-so-manieth change of a file's name, by which all files come into being, or commit."""
    met = [0]

    def met_once(does: Callable[..., Any]) -> Callable[..., Any]:
        def do(*given: Any, **named: Any) -> Any:
            met[0] += 1
            if met[0] == number:
                if isinstance(given[0], BaseDatabaseWrapper):
                    given[0].connection.rollback()  # as a server does when nobody is there any more
                raise Ended
            return does(*given, **named)

        return do

    with monkeypatch.context() as patched:
        for name in ("replace", "rename"):
            patched.setattr(Path, name, met_once(getattr(Path, name)))
        patched.setattr(BaseDatabaseWrapper, "_commit", met_once(BaseDatabaseWrapper._commit))
        yield met


def end_at_each(act: Callable[[], None], monkeypatch: pytest.MonkeyPatch, look: Callable[[], None]) -> int:
    """At how many; after each `look` is called."""
    for number in range(1, 99):
        with ended_at(number, monkeypatch) as met:
            try:
                act()
            except Ended:
                connection.rollback()
            else:
                return met[0]
        look()
    raise AssertionError("it has no end")


def test_a_restore_that_is_ended_leaves_rows_and_keys_that_fit(
    data_dir: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(data_dir, "first")
    call_command("backup", str(tmp_path / "first.backup"), stdout=io.StringIO())
    empty()
    renew(data_dir, settings)
    fill(data_dir, "second")
    ours = read_env_file(data_dir / "secrets.env")
    seen = []

    def look() -> None:
        seen.append(opens(data_dir, settings))
        name = (data_dir / "theme" / "theme.toml").read_text() if (data_dir / "theme").exists() else "aside"
        assert seen[-1] == "first" or "second" in name
        kept = read_env_file(data_dir / "secrets.env.before-restore") if len(seen) > 1 else ours
        assert set(ours["GWM_FIELD_KEYS"].split(",")) <= set(kept["GWM_FIELD_KEYS"].split(",")) or seen[-1] == "first"

    words = ("restore", str(tmp_path / "first.backup"), "--replace")
    steps = end_at_each(lambda: call_command(*words, stdout=io.StringIO()), monkeypatch, look)
    assert steps > 4 and set(seen) == {"first", "second"}
    assert opens(data_dir, settings) == "first" and '"first"' in (data_dir / "theme" / "theme.toml").read_text()
    assert "," not in read_env_file(data_dir / "secrets.env")["GWM_FIELD_KEYS"]


def test_new_keys_that_are_ended_open_all(data_dir: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(data_dir, "first")
    end_at_each(
        lambda: call_command("rotate_keys", stdout=io.StringIO()),
        monkeypatch,
        lambda: opens(data_dir, settings) and None,
    )
    assert opens(data_dir, settings) == "first"
    assert "," not in read_env_file(data_dir / "secrets.env")["GWM_FIELD_KEYS"]


def test_what_fails_at_its_end_leaves_keys_and_theme(
    data_dir: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: BaseDatabaseWrapper) -> None:
        raise OperationalError("database or disk is full")

    fill(data_dir, "first")
    call_command("backup", str(tmp_path / "first.backup"), stdout=io.StringIO())
    empty()
    renew(data_dir, settings)
    fill(data_dir, "second")
    with monkeypatch.context() as patched:
        patched.setattr(BaseDatabaseWrapper, "_commit", refuse)
        with pytest.raises(OperationalError, match="disk is full"):
            call_command("restore", str(tmp_path / "first.backup"), "--replace", stdout=io.StringIO())
    assert opens(data_dir, settings) == "second" and "second" in (data_dir / "theme" / "theme.toml").read_text()
    assert not list(data_dir.glob(".theme*"))


COMMANDS = [("restore", "any.backup"), ("rotate_keys",), ("copy_database", "sqlite:////nowhere/x")]


def signed(host: str, pid: int, seconds_ago: int = 5) -> Process:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    return Process.objects.create(
        kind="worker", host=host, pid=pid, queue="", version="1", started_at=at, seen_at=at, worked_at=at
    )


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_while_the_product_runs_nothing_is_replaced(words: tuple[str, ...], data_dir: Path) -> None:
    signed(os.uname().nodename, os.getpid())
    with pytest.raises(CommandError, match=rf"The product runs: worker on .* \({os.getpid()}\)\. Stop it first\."):
        call_command(*words, stdout=io.StringIO())


def test_one_of_another_host_is_told_by_its_next_sign(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(data_dir, "first")
    slept = []
    clock = iter(range(10**6))
    monkeypatch.setattr(alone.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(alone.time, "sleep", slept.append)
    signed(os.uname().nodename, 2**22 + 1)  # was killed: no process has this number
    there = signed("elsewhere", 4711)
    signed("long.gone", 7, seconds_ago=120)
    call_command("rotate_keys", stdout=io.StringIO())  # it says nothing more, as its host was switched off
    assert len(slept) > 10
    monkeypatch.setattr(
        alone.time, "sleep", lambda _s: Process.objects.filter(pk=there.pk).update(seen_at=timezone.now())
    )
    with pytest.raises(CommandError, match=r"The product runs: worker on elsewhere \(4711\)"):
        call_command("rotate_keys", stdout=io.StringIO())


@pytest.mark.parametrize("words", COMMANDS[:2], ids=lambda words: words[0])
def test_of_two_at_once_the_second_is_told(words: tuple[str, ...], data_dir: Path) -> None:
    with (data_dir / alone.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="A backup, a restore or a change of keys is running here"):
            call_command(*words, stdout=io.StringIO())


def test_a_backup_has_the_keys_of_its_rows(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is made no new keys come, which its rows might be sealed with already."""
    fill(data_dir, "first")
    met = []

    def come_between(_config: object) -> dict[str, str]:
        with pytest.raises(CommandError, match="A backup, a restore or a change of keys is running here"):
            call_command("rotate_keys", stdout=io.StringIO())
        met.append(True)
        return {}

    monkeypatch.setattr(whole, "_list_settings", come_between)
    call_command("backup", str(tmp_path / "a.backup"), stdout=io.StringIO())
    assert met
