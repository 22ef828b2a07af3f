"""A cluster's record: what is exported from one installation is the same after it was imported into another."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clusters.models import Cluster
from gwm.records.exporting import export_cluster
from gwm.records.file import OPERATIONS, Step
from gwm.records.importing import import_record
from objectlog.models import Event, Via
from operations.contract import Actor
from permissions.models import Role, Team, User
from permissions.services import grant, grant_role, make_role, make_team, persona_of
from quotas.amounts import Limits
from quotas.models import DefaultQuota, Quota
from quotas.services import set_default, set_quota
from tests.factories import make_admin, make_cluster, make_template, make_user, make_vm
from virtualmachines.models import MachineTemplate, VirtualMachine

pytestmark = pytest.mark.django_db
END = timezone.now().replace(microsecond=0) + timedelta(days=30)


@pytest.fixture
def lab() -> Cluster:
    """A cluster with something of everything that a record holds, and another with what must not be in it."""
    lab, other = make_cluster("lab", name="lab.example.org"), make_cluster("other")
    alice, bob = make_user("alice"), make_user("bob")
    make_admin("root")
    ops = make_team("ops", [alice, bob])
    grant(["admin"], alice, ops)
    lab.cd_images = [{"name": "Debian 12", "path": "/srv/iso/debian-12.iso"}]
    lab.machine_sizes = [{"name": "small", "vcpus": 1, "memory_mib": 2048, "disk_mib": 20480}]
    lab.save()
    web, db = make_vm(lab, "web1.example.org", owner=persona_of(ops)), make_vm(lab, "db1.example.org")
    VirtualMachine.objects.filter(pk=db.pk).update(owner=persona_of(bob), notes="Ask Bob\nfirst.", is_protected=True)
    grant(["power", "console"], alice, web)
    grant(["modify"], ops, web, until=END)
    grant(["create_vm", "tags"], ops, lab)
    grant(["migrate"], bob, lab, until=END)
    grant(["tags"], bob, lab, until=timezone.now() - timedelta(days=1))
    porter = make_role("porter", {"vm": ["power", "console"]}, description="At the door")
    grant_role(porter, bob, lab, tag="web")
    grant_role(Role.objects.get(name="owner"), alice, lab, owner=persona_of(ops), until=END)
    grant_role(Role.objects.get(name="helpdesk"), ops, db)
    template = make_template("small", lab, owner=persona_of(ops), description="For all", notes="Of a template")
    grant(["use"], ops, template)
    grant_role(Role.objects.get(name="auditor"), bob, template)
    grant(["admin"], ops, make_template("large", lab, owner=persona_of(ops)), until=END)
    set_default(lab, Limits(memory_mib=0, vcpus=8))
    set_quota(persona_of(ops), lab, Limits(memory_mib=65536, disk_mib=2_000_000, machines=20))
    grant(["power"], bob, make_vm(other, "secret.example.org"))
    make_template("for any")
    return lab


def wipe(lab: Cluster, *, with_people: bool = False) -> None:
    """The same cluster in an installation that knows nothing of it but what Ganeti says."""
    MachineTemplate.objects.all().delete()
    Quota.objects.all().delete()
    DefaultQuota.objects.all().delete()
    Role.objects.filter(name="porter").delete()
    VirtualMachine.objects.update(owner=None, notes="", is_protected=False)
    for model in (Cluster, VirtualMachine):
        for grants in ("user_grants", "group_grants"):
            getattr(model, grants).rel.related_model.objects.all().delete()
    for role in Role.objects.all():
        role.grants.all().delete()
    Cluster.objects.filter(pk=lab.pk).update(cd_images=None, machine_sizes=None)
    Team.objects.filter(name="ops").delete()
    if with_people:
        User.objects.filter(username="bob").delete()


def export(path: Path) -> list[str]:
    """The steps, as lines; the first line tells when it was made."""
    call_command("export_cluster", "lab", str(path))
    return path.read_text().splitlines()[1:]


@pytest.fixture
def file(lab: Cluster, tmp_path: Path) -> Path:
    export(tmp_path / "lab.jsonl")
    return tmp_path / "lab.jsonl"


def test_what_was_imported_is_exported_alike_and_nothing_is_done_twice(
    lab: Cluster, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_text().splitlines()[1:]
    assert {json.loads(line)["do"] for line in before} == set(OPERATIONS)
    assert "other" not in file.read_text() and "secret" not in file.read_text()
    wipe(lab)
    call_command("import_cluster", str(file), "lab", "--as=root")
    assert f"{len(before)} done, 0 were so already, 0 not done." in capsys.readouterr().out
    assert sorted(export(tmp_path / "again.jsonl")) == sorted(before)
    events = Event.objects.count()
    call_command("import_cluster", str(file), "lab", "--as=root")
    assert f"0 done, {len(before)} were so already, 0 not done." in capsys.readouterr().out
    assert Event.objects.count() == events


def test_who_is_missing_costs_what_is_theirs_and_comes_with_another_import(
    lab: Cluster, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_text().splitlines()[1:]
    wipe(lab, with_people=True)
    call_command("import_cluster", str(file), "lab", "--as=root", "--check")
    said = capsys.readouterr().out
    assert "People without an account here, 1: bob" in said and "2 vm.set-owner" in said
    assert not Team.objects.filter(name="ops").exists(), "to check does nothing"
    with pytest.raises(CommandError, match="import it again"):
        call_command("import_cluster", str(file), "lab", "--as=root")
    told = capsys.readouterr()
    of_bob = [line for line in before if '"bob"' in line]
    assert f"{len(before) - len(of_bob)} done, 0 were so already, {len(of_bob)} not done." in told.out
    assert "vm.set-owner db1.example.org: owner: There is nobody called bob." in told.err
    make_user("bob")
    with pytest.raises(CommandError):  # quotas are there by now
        call_command("import_cluster", str(file), "lab", "--as=root")
    assert "vm.set-owner db1.example.org: This exceeds the quota of bob" in capsys.readouterr().err
    call_command("import_cluster", str(file), "lab", "--as=root", "--over-quota")
    assert f"1 done, {len(before) - 1} were so already" in capsys.readouterr().out
    assert sorted(export(tmp_path / "again.jsonl")) == sorted(before)


def test_a_machine_is_known_by_its_uuid_and_one_that_is_gone_costs_its_steps(
    lab: Cluster, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wipe(lab)
    VirtualMachine.objects.filter(name="db1.example.org").update(name="db2.example.org")
    VirtualMachine.objects.filter(name="web1.example.org").delete()
    make_vm(lab, "web1.example.org")  # another machine that was given its name
    with pytest.raises(CommandError):
        call_command("import_cluster", str(file), "lab", "--as=root")
    told = capsys.readouterr()
    assert "Machines, 1: web1.example.org" in told.out
    assert "vm.set-owner web1.example.org: There is no machine web1.example.org here." in told.err
    assert VirtualMachine.objects.get(name="db2.example.org").notes == "Ask Bob\nfirst."
    assert VirtualMachine.objects.get(name="web1.example.org").owner is None


def test_nobody_imports_more_than_they_may(lab: Cluster, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wipe(lab)
    with pytest.raises(CommandError):
        call_command("import_cluster", str(file), "lab", "--as=alice")
    told = capsys.readouterr()
    assert "0 done, 0 were so already" in told.out
    assert "needs admin" in told.err and not Team.objects.filter(name="ops").exists()
    assert not Event.objects.filter(outcome="done").exists()


def test_a_file_of_another_cluster_is_refused(lab: Cluster, file: Path) -> None:
    for changed, words in (({"uuid": "elsewhere"}, "The file is of"), ({"uuid": ""}, "was not read yet")):
        Cluster.objects.filter(pk=lab.pk).update(**changed)
        with pytest.raises(CommandError, match=words):
            call_command("import_cluster", str(file), "lab", "--as=root")
    with pytest.raises(CommandError, match="There is no cluster “nowhere”"):
        call_command("import_cluster", str(file), "nowhere", "--as=root")
    with pytest.raises(CommandError, match="There is no user “nobody”"):
        call_command("import_cluster", str(file), "lab", "--as=nobody")


def test_what_makes_no_sense_costs_its_step(lab: Cluster) -> None:
    wrong = ({}, {"who": 7, "verbs": {}}, {"who": ["alice"], "verbs": "admin"}, {"odd": "x"})
    steps = [Step("cluster.grant", given) for given in wrong]
    went = import_record(
        [*steps, Step("team.create", {"name": "late"}, "late")], lab, Actor(User.objects.get(username="root"), Via.CLI)
    )
    assert [step for step, _why in went.failed] == steps and went.done == 1


def test_nothing_is_in_it_that_is_secret_and_nobody_else_reads_it(lab: Cluster, file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert lab.password and lab.password not in file.read_text()
    with pytest.raises(CommandError, match="already"):
        call_command("export_cluster", "lab", str(file))
    with pytest.raises(CommandError, match="no cluster"):
        call_command("export_cluster", "nowhere", str(file))
    with pytest.raises(CommandError, match="can't be written"):
        call_command("export_cluster", "lab", str(file / "below"))


def test_questions_do_not_grow_with_machines(lab: Cluster, django_assert_max_num_queries: Callable[[int], Any]) -> None:
    for number in range(30):
        grant(["power"], User.objects.get(username="bob"), make_vm(lab, f"many{number}.example.org"))
    with django_assert_max_num_queries(40):
        export_cluster(lab)
