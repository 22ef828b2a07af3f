"""The file of several hosts: each rule is refused with its words, where it was broken, before any host is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.host import HostError
from deploy.inventory import ALL_ROLES, Inventory, Role, of_one_host, read_inventory
from deploy.release import HERE, Release
from deploy.rollout import first_web, in_order
from deploy.services import rules_for
from deploy.settings import read_settings
from deploy.site import UNITS, Site, units_of

GOOD = """name = "gwm.example.org"

[hosts."root@web1.example.net"]
roles = ["web", "worker"]
address = "10.0.0.11"

[hosts."root@web2.example.net"]
roles = ["web", "console", "worker"]
address = "10.0.0.12"

[hosts."root@db.example.net"]
roles = ["database", "redis", "beat"]
address = "10.0.0.13"
"""


def read(folder: Path, text: str) -> Inventory:
    file = folder / "inventory.toml"
    file.write_text(text)
    return read_inventory(str(file))


def test_who_is_what_stands_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "gwm.env").write_text("GWM_SYNC_INTERVAL_S=30\n")
    found = read(tmp_path, f'settings = "gwm.env"\n{GOOD}')
    assert found.name == "gwm.example.org" and read_settings(found.settings) == {"GWM_SYNC_INTERVAL_S": "30"}
    assert [member.name for member in found.having(Role.WEB)] == ["web1.example.net", "web2.example.net"]
    assert [member.address for member in found.having(Role.DATABASE, Role.BEAT)] == ["10.0.0.13"]
    assert not found.is_alone


def test_one_host_does_it_all() -> None:
    alone = of_one_host("op@gwm.example.org")
    assert alone.is_alone and alone.members[0].roles == ALL_ROLES and alone.members[0].name == "gwm.example.org"
    assert units_of(alone.members[0].roles) == list(UNITS)


def test_the_one_of_the_document_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "gwm.env").write_text("")
    shown = (HERE / "docs" / "install.md").read_text().partition("### Many hosts")[2]
    found = read(tmp_path, shown.partition("```toml\n")[2].partition("```")[0])
    assert {role for member in found.members for role in member.roles} == set(Role)


WRONG = [
    ("name =", "name", "is no TOML"),
    ("name =", "title =", "line 1: “title” is nothing that an inventory says"),
    ('"gwm.example.org"', '"no name"', "line 1: name must be what people type"),
    ("name =", 'settings = "none.env"\nname =', "line 1: none.env can't be read"),
    ("name =", "settings = 1\nname =", "line 1: settings must be the name of a file"),
    ("address = ", "ip = ", "line 5: “ip” is nothing that is said of a host"),
    ('["web", "worker"]', "[]", "line 3: root@web1.example.net has no roles"),
    ('"web", "worker"', '"web", "wroker"', "line 4: “wroker” is no role"),
    ('"web", "worker"', '"web"', "line 3: root@web1.example.net has web without worker"),
    ('"web", "worker"', '"console", "worker"', "line 3: root@web1.example.net has console without web"),
    ("10.0.0.11", "web1.lan", "line 5: “web1.lan” is no address"),
    ("10.0.0.12", "10.0.0.11", "line 5: 10.0.0.11 is the address of two"),
    ('address = "10.0.0.11"', "", "line 3: root@web1.example.net has no address"),
    ("root@web2.example.net", "op@web1.example.net", "line 3: web1.example.net is named twice"),
    ("root@web2.example.net", "root@web1.example.net", "is no TOML"),
    ('"redis", "beat"', '"redis"', "No host has the role beat"),
    ('"web", "worker"', '"web", "worker", "beat"', "line 4: More than one host has the role beat"),
    ('"web", "worker"', '"web", "worker", "redis"', "line 4: More than one host has the role redis"),
    ('"web", "worker"', '"web", "worker", "database"', "line 4: More than one host has the role database"),
    ('"database", ', "", "No host has the role database, and the settings say no DATABASE_URL"),
    ('"redis", ', "", "No host has the role redis, and the settings say no REDIS_URL"),
    ("name =", 'settings = "given.env"\nname =', "A host has the role database, and DATABASE_URL is among"),
    (GOOD[GOOD.index("[hosts") :], "", "No host is named"),
    (GOOD[GOOD.index("[hosts") :], 'hosts = {"root@a" = 1}', "line 3: A host is a table"),
]


@pytest.mark.parametrize(("whole", "broken", "told"), WRONG, ids=[told for _whole, _broken, told in WRONG])
def test_what_is_wrong_is_told_where_it_stands(tmp_path: Path, whole: str, broken: str, told: str) -> None:
    (tmp_path / "given.env").write_text("DATABASE_URL=postgres://db/gwm\n")
    assert whole in GOOD
    with pytest.raises(HostError) as error:
        read(tmp_path, GOOD.replace(whole, broken, 1))
    assert told in str(error.value) and "inventory.toml" in str(error.value)


def test_database_and_redis_of_somebody_else_need_no_role(tmp_path: Path) -> None:
    (tmp_path / "given.env").write_text("DATABASE_URL=postgres://db/gwm\nREDIS_URL=redis://r/0\n")
    text = GOOD.replace('"database", "redis", ', "")
    assert not read(tmp_path, f'settings = "given.env"\n{text}').having(Role.DATABASE, Role.REDIS)


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(HostError, match=r"/nowhere can't be read"):
        read_inventory("/nowhere")


def sites(folder: Path) -> list[Site]:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

    found = []
    for member in read(folder, GOOD).members:
        host: Any = Named(member.name)
        found.append(Site(host, Release("0" * 40), "gwm.example.org", roles=member.roles, is_alone=False))
    return found


def test_each_runs_what_it_is_for_and_what_people_see_changes_last(tmp_path: Path) -> None:
    web1, web2, database = sites(tmp_path)
    assert in_order([web1, web2, database]) == [database, web1, web2] and first_web([database, web1, web2]) is web1
    assert web1.services == ("gwm-web@1.service", "gwm-worker.service")
    assert database.services == ("gwm-beat.service",)
    assert "gwm-web.socket" not in units_of(database.roles) and "gwm-backup.timer" in units_of(database.roles)
    assert "gwm-beat.service" not in units_of(web1.roles) and "gwm-prepare.service" in units_of(web1.roles)
    assert units_of(frozenset({Role.DATABASE, Role.REDIS})) == []
    assert database.runs(Role.DATABASE) and not web1.runs(Role.DATABASE)


@pytest.mark.parametrize("had", ["", "# ours\nDATABASE_URL=postgres:////var/run/postgresql/gwm\nGWM_DEMO=no\n"])
def test_all_work_with_the_database_and_the_redis_of_the_inventory_whatever_they_had(tmp_path: Path, had: str) -> None:
    web1 = sites(tmp_path)[0]
    web1.settings = had
    places = {"DATABASE_URL": "postgres://gwm:x@10.0.0.13/gwm", "REDIS_URL": "redis://:y@10.0.0.13/0"}
    web1.place(places)
    found = read_settings(web1.settings)
    assert {name: found[name] for name in places} == places and web1.settings.count("DATABASE_URL=") == 1
    assert web1.settings.startswith(had.partition("\n")[0])
    before = web1.settings
    web1.place(places)
    assert web1.settings == before, "a second time changes nothing"


def test_the_database_lets_in_its_hosts_alone_and_with_tls() -> None:
    assert rules_for(["10.0.0.13", "fd00::11"]).splitlines()[1:-1] == [
        "hostssl gwm gwm 10.0.0.13/32 scram-sha-256",
        "hostssl gwm gwm fd00::11/128 scram-sha-256",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--inventory", "a", "--host", "b"], "or which ones, --inventory FILE"),
        (["--inventory", "/nowhere"], "/nowhere can't be read"),
        (["--inventory", "/nowhere", "--name", "x"], "leave --name and --settings out"),
    ],
)
def test_one_says_one_host_or_an_inventory(words: list[str], told: str) -> None:
    fab = [str(Path(sys.executable).with_name("fab")), "--search-root", str(HERE), "prod", "deploy"]
    done = subprocess.run([*fab, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr


def test_a_host_that_shall_not_run_the_product_any_more_is_taken_off_first() -> None:
    class Running:
        name = "db"

        def ask(self, command: str) -> bool:
            return True

    there: Any = Running()
    with pytest.raises(HostError, match="fab prod remove --host db"):
        Site(there, Release("0" * 40), "gwm.example.org", roles=frozenset({Role.DATABASE}), is_alone=False).look()
