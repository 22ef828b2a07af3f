"""The bundle for reports: what is in it, and what never is."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clusters.models import Cluster
from gwm.diagnosing import host, service
from gwm.diagnosing.bundle import gather
from gwm.diagnosing.names import Stand, list_names
from gwm.env import SETTINGS
from tests.factories import make_cluster, make_node, make_user, make_vm
from tests.processes.commands import ROOT, environment_of

pytestmark = [pytest.mark.feature("G029"), pytest.mark.django_db]

PARTS = {
    *("about.json", "versions.json", "settings.json", "migrations.json", "health.json", "rows.json", "updates.json"),
    *("clocks.json", "disks.json", "units.txt", "time.txt", "log.txt"),
}
# By what it is.
NAMES = {
    "person": "kleopatra",
    "mail": "kleo@ptolemy.example",
    "first and last name": "Kleopatra Philopator",
    "team": "the Library",
    "cluster": "pharos",
    "master": "master1.pharos.example",
    "node": "node7.pharos.example",
    "machine": "scroll9.pharos.example",
    "short name of a machine": "scroll9",
    "address": "192.0.2.77",
    "network": "192.0.2.64/26",
    "IPv6": "2001:db8:77::5",
    "MAC": "aa:00:00:35:ac:77",
    "nobody's here": "elsewhere.rhakotis.example",
}
SURROUNDINGS = (
    *("%s", "“%s”", "%s's", "(%s).", "user=%s, in vain", "https://%s/2/instances", "<%s>", "x/%s/y", "\t%s\t"),
    *("Connection to %s: refused", "'%s': {", "%s…", "gwm:%s"),
)


@pytest.fixture
def world() -> Cluster:
    cluster = make_cluster(NAMES["cluster"], host=NAMES["master"], name="the.pharos.example")
    make_node(cluster, NAMES["node"], primary_ip="192.0.2.78")
    make_vm(cluster, NAMES["machine"])
    person = make_user(NAMES["person"], email=NAMES["mail"], first_name="Kleopatra", last_name="Philopator")
    person.groups.create(name=NAMES["team"])
    return cluster


def read(path: Path) -> dict[str, str]:
    """The parts by their names."""
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        assert {member.name.partition("/")[0] for member in members} == {path.name.partition(".")[0]}
        found = {member.name.partition("/")[2]: archive.extractfile(member) for member in members}
        return {name: file.read().decode() for name, file in found.items() if file is not None}


def diagnose(folder: Path, *options: str) -> tuple[dict[str, str], str]:
    out = io.StringIO()
    call_command("diagnose", "--output", str(folder / "report.tar.gz"), *options, stdout=out, stderr=out)
    return read(folder / "report.tar.gz"), out.getvalue()


@pytest.mark.parametrize("what", NAMES)
def test_no_name_is_left_whatever_stands_around_it(world: Cluster, what: str) -> None:
    name, stand = NAMES[what], Stand(list_names())
    for around in SURROUNDINGS:
        for written in (name, name.upper(), name.lower()):
            cleaned = stand.clean(around % written)
            assert name.lower() not in cleaned.lower(), (around, cleaned)
            assert stand.clean(around % name) == stand.clean(around % name), "the same stands for the same"
    assert stand.clean(name) != stand.clean("other." + name)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-23T06:40:01Z INFO updates.cycle: read in 3.2 s", "django.db.utils.OperationalError: closed"),
        *('  File "/opt/gwm/updates/cycle.py", line 81, in read', "PostgreSQL 15.8, Django 5.2.8", "gwm-web@1.service"),
        *("http://127.0.0.1:8000/readyz answered 503", "[::1]:8000", "5e9e0b3c-1a2b-4c3d-8e9f-0123456789ab", "job 81"),
        *("GET /2/instances/?bulk=1: 401 (refused)", "06:40:01.123", "3.11.2-1+deb12u3"),
    ],
)
def test_what_is_no_name_stays(world: Cluster, text: str) -> None:
    here = [("host", each) for each in ("localhost", "127.0.0.1", "[::1]")]
    assert Stand([*list_names(), *here]).clean(text) == text


def test_all_parts_are_there_and_name_nobody(world: Cluster, tmp_path: Path) -> None:
    Cluster.objects.update(
        last_error=f"No route to {NAMES['master']} ({NAMES['address']}).", last_error_kind="unreachable"
    )
    log = tmp_path / "web.log"
    log.write_text("".join(f"2026-11-23T06:40:01Z INFO rapi: {name}\n" for name in NAMES.values()))
    parts, said = diagnose(tmp_path, "--log", str(log))
    assert set(parts) == PARTS, said
    assert "Left out" not in said and json.loads(parts["about.json"])["failed"] == {}
    for part, text in parts.items():
        assert [name for name in NAMES.values() if name.lower() in text.lower()] == [], part
    assert parts["log.txt"].count("2026-11-23T06:40:01Z INFO rapi: ") == len(NAMES)
    assert json.loads(parts["rows.json"])["clusters_cluster"] == 1
    [update] = json.loads(parts["updates.json"])
    assert (update["last_error_kind"], update["last_error"].startswith("No route to cluster-")) == ("unreachable", True)
    assert update["cluster"] in parts["health.json"], "one stand-in all through"
    assert json.loads(parts["migrations.json"])["missing"] == []
    mode = (tmp_path / "report.tar.gz").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_with_names_they_are_there(world: Cluster, tmp_path: Path) -> None:
    parts, _said = diagnose(tmp_path, "--with-names")
    assert json.loads(parts["updates.json"])[0]["cluster"] == NAMES["cluster"]


def test_of_a_secret_it_says_only_whether_it_is_set(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    marker = "M4rkerOfAllSecrets"
    for setting in SETTINGS:
        if setting.secret:
            monkeypatch.setenv(setting.name, marker)
    monkeypatch.setenv("GWM_PUBLIC_URL", f"https://somebody:{marker}@gwm.example.org")
    make_cluster("lab", password="Pa55wordOfLab", vnc_password="ScreenOfLab")
    log = tmp_path / "log"
    log.write_text(f"password={marker}\nsaid Pa55wordOfLab and ScreenOfLab\nkey/4yTq7Vx0b1N6wQ8eR2uT5iO9pL3kJ7hG\n")
    parts, _said = diagnose(tmp_path, "--log", str(log), "--with-names")
    told = json.loads(parts["settings.json"])
    assert set(told) == {setting.name for setting in SETTINGS}
    assert {told[setting.name] for setting in SETTINGS if setting.secret} == {"set"}
    everything = "".join(parts.values())
    for secret in (marker, "Pa55wordOfLab", "ScreenOfLab", settings.SECRET_KEY):
        assert secret not in everything
    assert "[hidden]" in parts["log.txt"]


def test_what_is_long_is_cut_and_the_end_stays(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(200_000)))
    parts, _said = diagnose(tmp_path, "--log", str(log))
    assert len(parts["log.txt"].encode()) <= 512 * 1024
    assert "line 199999" in parts["log.txt"] and "line 7\n" not in parts["log.txt"]


def test_a_part_that_fails_is_recorded_and_the_rest_is_there(tmp_path: Path) -> None:
    parts, said = diagnose(tmp_path, "--log", str(tmp_path / "nothing.log"))
    assert set(parts) == PARTS - {"log.txt"}
    assert "log.txt" in json.loads(parts["about.json"])["failed"] and "Left out: log.txt (FileNotFoundError" in said


def test_a_part_that_hangs_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pipe that nobody writes into, as a hung mount."""
    monkeypatch.setattr("gwm.diagnosing.bundle._PART_S", 1)
    os.mkfifo(tmp_path / "pipe")
    bundle = gather(tmp_path / "pipe")
    assert "no answer within 1 s" in bundle.troubles["log.txt"]
    assert set(bundle.texts) == PARTS - {"log.txt"}


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "report.tar.gz").write_text("mine")
    with pytest.raises(CommandError, match="can't be written: File exists"):
        diagnose(tmp_path)
    assert (tmp_path / "report.tar.gz").read_text() == "mine"


@pytest.mark.alike
def test_a_log_whose_names_are_not_known_keeps_none() -> None:
    frame = 'Traceback (most recent call last):\n  File "/opt/gwm/x.py", line 3, in f\n    name = "hypatia"'
    traced = f"{frame}\nValueError: hypatia"
    told = {
        "time": "2026-11-23T06:40:01.1Z",
        "level": "ERROR",
        "logger": "gwm",
        "message": "hypatia",
        "traceback": traced,
    }
    log = (
        "2026-11-23T06:40:01Z ERROR gwm.tasks: hypatia fell\n"
        f"{traced}\n"
        "2026-11-23T06:40:01.1+0000 celery[7]: 2026-11-23T06:40:01Z INFO rapi: hypatia\n"
        f"2026-11-23T06:40:01.1+0000 celery[7]: {json.dumps(told)}\nhypatia: hello\n{{hypatia\n"
    )
    bare = host.bare(log)
    assert "hypatia" not in bare
    assert bare.splitlines() == [
        "2026-11-23T06:40:01Z ERROR gwm.tasks: […]",
        '  File "/opt/gwm/x.py", line 3, in f',
        "ValueError: […]",
        "2026-11-23T06:40:01Z INFO rapi: […]",
        "2026-11-23T06:40:01.1Z ERROR gwm: […]",
        '  File "/opt/gwm/x.py", line 3, in f',
        "ValueError: […]",
    ]


@pytest.mark.alike
def test_without_database_and_redis_the_rest_is_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("2026-11-23T06:40:01Z INFO rapi: hypatia\n")
    away = environment_of(
        tmp_path, "postgres://hypatia:secret77@127.0.0.1:1/gwm", REDIS_URL="redis://:secret77@127.0.0.1:1"
    )
    program = [sys.executable, "manage.py", "diagnose", "--output", str(tmp_path / "a.tar.gz"), "--log", str(log)]
    done = subprocess.run(program, cwd=ROOT, env=away, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    parts = read(tmp_path / "a.tar.gz")
    failed = json.loads(parts["about.json"])["failed"]
    assert set(failed) == {"names", "passwords of clusters", "migrations.json", "rows.json", "updates.json"}
    assert set(parts) == PARTS - set(failed)
    assert json.loads(parts["health.json"])["state"] == "bad"
    versions = json.loads(parts["versions.json"])
    assert versions["database"].startswith("no answer") and versions["redis"].startswith("no answer")
    assert json.loads(parts["clocks.json"])["redis_ahead_s"].startswith("no answer")
    assert parts["log.txt"] == "2026-11-23T06:40:01Z INFO rapi: […]\n"
    everything = "".join(parts.values()) + done.stdout + done.stderr
    assert "secret77" not in everything and "hypatia" not in everything


def test_clocks_of_database_and_host_are_compared() -> None:
    assert abs(float(service.tell_clocks()["database_ahead_s"].partition(" ")[0])) < 60
