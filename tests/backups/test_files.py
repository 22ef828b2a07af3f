"""Backups: into a file and back, and files that are refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from clusters.models import Cluster
from gwm.backups.rows import list_tables, read_rows
from gwm.env import TABLE
from objectlog.chain import seal_all
from objectlog.models import Event, EventText, Outcome, Via
from objectlog.services import note
from people.checking import delete_check_accounts, make_check_account
from permissions.models import User
from tests.factories import make_admin, make_cluster, make_user, make_vm
from virtualmachines.models import MachineText, VirtualMachine

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.beside]
PASSPHRASE = "a long passphrase of tests"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory of its own: restoring writes there."""
    monkeypatch.setenv("GWM_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def backup(tmp_path: Path, settings: Any) -> Path:
    """Of an installation in use."""
    make_admin()
    cluster = make_cluster("north", username="rapi", password="of-rapi", description="“Nord” \x1f \N{SNOWMAN}")
    for number in range(3):
        make_vm(cluster, f"web{number}.example.org")
    make_user("ada")
    call_command("grant", "ada", "modify", "--on", "north/web1.example.org", "--as", "root", stdout=io.StringIO())
    seal_all()
    call_command("grant", "ada", "power", "--on", "north/web2.example.org", "--as", "root", stdout=io.StringIO())
    take(tmp_path / "first.backup", settings)
    return tmp_path / "first.backup"


def take(path: Path, settings: Any, passphrase: str = PASSPHRASE) -> str:
    settings.GWM_BACKUP_PASSPHRASE = passphrase
    out = io.StringIO()
    call_command("backup", str(path), stdout=out)
    return out.getvalue()


def restore(path: Path, *words: str) -> str:
    out = io.StringIO()
    call_command("restore", str(path), *words, stdout=out)
    return out.getvalue()


def everything() -> dict[str, list[Any]]:
    return {table.label: list(read_rows(connection, table)) for table in list_tables()}


def test_files_that_people_write_are_in_it_and_laid_beside_those_there_are(data_dir: Path, settings: Any) -> None:
    named = [name for name, each in TABLE.items() if each.kind == "path" and name.endswith("_FILE")]
    for name in named:
        path = data_dir / f"{name.removeprefix('GWM_').removesuffix('_FILE').lower()}.toml"
        path.write_text(f"# {name}\n")
        setattr(settings, name, path)
    take(data_dir / "written.backup", settings)
    for path in data_dir.glob("*.toml"):
        path.write_text("another\n")
    told = restore(data_dir / "written.backup")
    beside = {path.name: path.read_text() for path in data_dir.glob("*.toml.restored")}
    assert beside == {"openid.toml.restored": "# GWM_OPENID_FILE\n", "ldap.toml.restored": "# GWM_LDAP_FILE\n"}
    assert len(beside) == len(named) and all(name in told for name in beside)
    assert {path.read_text() for path in data_dir.glob("*.toml")} == {"another\n"}


def test_all_rows_come_back_and_nothing_that_came_later_stays(backup: Path) -> None:
    before = everything()
    assert before["permissions.user"] and before["objectlog.event"] and before["virtualmachines.virtualmachine"]
    Cluster.objects.update(description="changed", password="other")
    VirtualMachine.objects.first().delete()  # type: ignore[union-attr]
    make_vm(make_cluster("south"), "later.example.org")
    told = restore(backup, "--replace")
    after = everything()
    # what was waiting to be sealed is sealed meanwhile
    for label in ("objectlog.event", "objectlog.chainend"):
        assert len(after.pop(label)) >= len(before.pop(label))
    assert after == before
    assert Cluster.objects.get().password == "of-rapi"
    assert "The journal is as it was written: 2 events." in told and "as many as the backup says" in told
    assert not Event.objects.filter(number=None).exists()


def test_what_follows_from_rows_follows_from_the_restored_ones(backup: Path) -> None:
    make_vm(Cluster.objects.get(), "later.example.org")
    restore(backup, "--replace")
    assert sorted(MachineText.objects.values_list("pk", flat=True)) == sorted(
        VirtualMachine.objects.values_list("pk", flat=True)
    )
    assert EventText.objects.count() == Event.objects.count()
    call_command("check_counts", stdout=io.StringIO())
    newest = make_vm(Cluster.objects.get(), "after.example.org")
    assert MachineText.objects.filter(pk=newest.pk).exists(), "triggers are there again"
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for parts in ("virtualmachines_machinetext_parts", "objectlog_eventtext_parts"):
                cursor.execute(f"INSERT INTO {parts} ({parts}, rank) VALUES ('integrity-check', 1)")  # noqa: S608


def test_one_in_use_is_not_replaced_unless_asked_for(backup: Path) -> None:
    before = everything()
    with pytest.raises(CommandError, match=r"in use .clusters: 1, events in the journal: 2, accounts: 2"):
        restore(backup)
    assert everything() == before


def test_a_new_one_takes_it_without_being_asked(backup: Path) -> None:
    before = everything()["clusters.cluster"]
    for model in (VirtualMachine, Cluster, Event, User):
        model.objects.all().delete()
    make_admin("admin")
    person, _password = make_check_account()  # as the check of a deployment does, which signs in with it
    note(actor_id=person.pk, actor_name=person.username, via=Via.WEB, verb="person.sign-in", outcome=Outcome.DONE)
    delete_check_accounts()
    restore(backup)
    assert everything()["clusters.cluster"] == before
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "root"]


def test_the_file_is_its_users_alone_and_hides_what_is_secret(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    text = gzip.decompress(backup.read_bytes()).decode()
    assert "of-rapi" not in text and "only-for-tests" not in text and "north" in text
    assert json.loads(text.splitlines()[0])["keys"] == "sealed"
    assert [path.name for path in backup.parent.iterdir() if path.is_file()] == ["first.backup"]


def test_it_is_said_that_keys_are_left_out(tmp_path: Path, settings: Any) -> None:
    told = take(tmp_path / "bare.backup", settings, "")
    assert "Keys and settings are NOT in it" in told
    assert json.loads(gzip.decompress((tmp_path / "bare.backup").read_bytes()).splitlines()[0])["keys"] == "left out"
    with pytest.raises(CommandError, match="too short"):
        take(tmp_path / "short.backup", settings, "short")
    assert not (tmp_path / "short.backup").exists()


def test_keys_become_those_of_the_installation_that_restores(backup: Path, data_dir: Path) -> None:
    (data_dir / "secrets.env").write_text("GWM_SECRET_KEY=of-this-server\n")
    restore(backup, "--replace")
    assert f"GWM_FIELD_KEYS=only-for-tests-{'f' * 50}\n" in (data_dir / "secrets.env").read_text()
    assert (data_dir / "secrets.env.before-restore").read_text() == "GWM_SECRET_KEY=of-this-server\n"
    assert stat.S_IMODE((data_dir / "secrets.env").stat().st_mode) == 0o600


def test_keys_that_would_be_hidden_are_refused(backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GWM_FIELD_KEYS", "another-" + "k" * 40)
    with pytest.raises(CommandError, match="GWM_FIELD_KEYS is set in the environment"):
        restore(backup, "--replace")


def test_with_other_keys_the_journal_is_not_verified_and_all_stays(backup: Path, settings: Any) -> None:
    settings.GWM_BACKUP_PASSPHRASE = ""
    settings.GWM_JOURNAL_KEYS = ["another-" + "k" * 40]
    Cluster.objects.update(description="stays")
    with pytest.raises(CommandError, match="can't be verified"):
        restore(backup, "--replace")
    assert Cluster.objects.get().description == "stays"
    restore(backup, "--replace", "--unverified")
    assert Cluster.objects.get().description != "stays"


def lines_of(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def change_a_row(lines: list[bytes]) -> bytes:
    return b"".join(line.replace(b"web1.example.org", b"web9.example.org") for line in lines)


def other_head(**changes: Any) -> Callable[[list[bytes]], bytes]:
    def make(lines: list[bytes]) -> bytes:
        return json.dumps({**json.loads(lines[0]), **changes}).encode() + b"\n" + b"".join(lines[1:])

    return make


def signed_anew(change: Callable[[list[bytes]], bytes]) -> Callable[[list[bytes]], bytes]:
    """With a checksum that fits: by somebody who knows how such files are made."""

    def make(lines: list[bytes]) -> bytes:
        changed = change(lines).splitlines(keepends=True)
        end = json.loads(changed[-1])
        end["end"]["sha256"] = hashlib.sha256(b"".join(changed[:-1])).hexdigest()
        return b"".join([*changed[:-1], json.dumps(end).encode(), b"\n"])

    return make


_OF_THEME = b'{"file": "static/x.css", "content": ""}\n'

HOSTILE: dict[str, tuple[Callable[[list[bytes]], bytes], str]] = {
    "another file": (lambda _lines: b"{}\n", "no backup of Ganeti Web Manager"),
    "no JSON": (lambda _lines: b"PK\x03\x04\n", "no backup, or damaged"),
    "too deep": (lambda _lines: b"[" * 100_000 + b"\n", "no backup"),
    "cut between lines": (lambda lines: b"".join(lines[:-1]), "cut off"),
    "cut within a line": (lambda lines: b"".join(lines)[:-40], "cut off"),
    "more behind its end": (lambda lines: b"".join([*lines, b"[]\n"]), "cut off"),
    "a row changed": (change_a_row, "checksum"),
    "a row changed by one who knows": (signed_anew(change_a_row), "somebody changed the file"),
    "a row less": (signed_anew(lambda lines: b"".join([*lines[:2], *lines[3:]])), "not as many rows"),
    "a line without end": (lambda lines: lines[0] + b'["' + b"a" * (65 << 20) + b'"]\n', "longer than any"),
    "a line of too many values": (lambda lines: lines[0] + b"[" + b"1," * 2_000_001 + b"1]\n", "longer than any"),
    "a file of the theme twice": (
        lambda lines: b"".join([*lines[:-1], _OF_THEME, _OF_THEME, lines[-1]]),
        "more of a theme",
    ),
    "a number of rows that is none": (other_head(rows={"clusters.cluster": "1"}), "first line"),
    "migrations that are none": (other_head(migrations=[{}]), "first line"),
    "a release for a terminal": (other_head(version="\x1b]0;x\x07"), "first line"),
    "another format": (other_head(format="ganeti-web-manager backup 2"), "Take a newer release"),
    "a head of nothing": (other_head(surprise=1), "first line"),
    "a newer release": (
        signed_anew(other_head(migrations=["clusters.9999_later"], version="9.0")),
        "newer release .9.0.: this one does not know clusters.9999_later",
    ),
    "an older release": (signed_anew(other_head(migrations=[], version="0.1")), "older release .0.1."),
}


def test_a_file_that_is_not_as_it_was_written_is_refused(backup: Path, tmp_path: Path) -> None:
    lines = lines_of(backup)
    Cluster.objects.update(description="stays")
    for case, (change, reason) in HOSTILE.items():
        (tmp_path / "hostile.backup").write_bytes(gzip.compress(change(lines), 1))
        with pytest.raises(CommandError) as refused:
            restore(tmp_path / "hostile.backup", "--replace")
        assert re.search(reason, str(refused.value)), case
        assert Cluster.objects.get().description == "stays", case


def test_a_cut_packed_file_or_none_and_a_wrong_passphrase_are_refused(
    backup: Path, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "cut.backup").write_bytes(backup.read_bytes()[:-100])
    (tmp_path / "text.backup").write_bytes(b"SQLite format 3")
    for name in ("cut", "text"):
        with pytest.raises(CommandError, match="cut off, or damaged"):
            restore(tmp_path / f"{name}.backup", "--replace")
    with pytest.raises(CommandError, match="can't be read"):
        restore(tmp_path / "none.backup")
    settings.GWM_BACKUP_PASSPHRASE = "some other passphrase"
    with pytest.raises(CommandError, match="not its passphrase"):
        restore(backup, "--replace")


def test_values_that_no_column_takes_leave_all_as_it_was(backup: Path, tmp_path: Path, settings: Any) -> None:
    settings.GWM_BACKUP_PASSPHRASE = ""

    def odd(table: str, at: int, value: object) -> Callable[[list[bytes]], bytes]:
        def make(lines: list[bytes]) -> bytes:
            head = f'{{"table":"{table}"'.encode()
            number = next(number for number, line in enumerate(lines) if line.startswith(head)) + 1
            row = json.loads(lines[number])
            row[at] = value
            return b"".join([*lines[:number], json.dumps(row).encode() + b"\n", *lines[number + 1 :]])

        return make

    lines = lines_of(backup)
    of_cluster = json.loads(next(line for line in lines if b'"table":"clusters.schedule"' in line))["columns"]
    Cluster.objects.update(description="stays")
    for change, reason in (
        (odd("clusters.cluster", 0, {"a": 1}), r"Row 1 of clusters\.cluster has a value"),
        (odd("clusters.cluster", 0, 10**30), r"rows? .*of clusters\.cluster"),
        (odd("clusters.schedule", of_cluster.index("cluster_id"), 10**6), "names another one that is not in it"),
    ):
        (tmp_path / "odd.backup").write_bytes(gzip.compress(signed_anew(change)(lines), 1))
        with pytest.raises(CommandError, match=reason):
            restore(tmp_path / "odd.backup", "--replace")
        assert Cluster.objects.get().description == "stays"


def test_there_is_never_half_a_file_and_none_is_written_over(
    backup: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="already"):
        take(backup, settings)
    with pytest.raises(CommandError, match="can't be written"):
        take(backup.parent / "no" / "folder", settings)


def test_of_those_of_every_night_the_newest_are_kept(tmp_path: Path, settings: Any) -> None:
    settings.GWM_BACKUP_PASSPHRASE = ""
    folder = tmp_path / "nightly"
    folder.mkdir()
    for name in (
        "gwm-20200101-000000.backup",
        "gwm-20200102-000000.backup",
        "gwm-20200103-000000.backup",
        "mine.backup",
        ".gwm-20200103-000000.backup.new",
        ".gwm-20200104-000000.backup.new",
    ):
        (folder / name).touch()
    os.utime(folder / ".gwm-20200103-000000.backup.new", (0, 0))
    out = io.StringIO()
    call_command("backup", "--dir", str(folder), "--keep", "2", stdout=out)
    there = sorted(path.name for path in folder.iterdir())
    assert there.pop(0) == ".gwm-20200104-000000.backup.new"  # which another one may be writing
    assert len(there) == 3 and there[0] == "gwm-20200103-000000.backup" and there[2] == "mine.backup"
    assert "Deleted: " in out.getvalue() and stat.S_IMODE(folder.stat().st_mode) == 0o700
