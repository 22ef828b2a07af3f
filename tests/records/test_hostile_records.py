"""What a file says that nobody exported: a value that is none costs its step, a name that means another is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clusters.models import Cluster
from gwm.records.exporting import export_cluster
from gwm.records.file import Step, read_record, write_record
from gwm.records.importing import find_missing, import_record
from objectlog.models import Via
from operations.contract import Actor
from permissions.models import Role, User
from permissions.services import make_role, make_team
from tests.factories import make_user
from tests.records.test_cluster_records import file, lab, wipe

__all__ = ["file", "lab"]
pytestmark = pytest.mark.django_db
#: what stands in place of each value of each step
HOSTILE: list[Any] = [7, -1, 1e308, True, None, [], ["alice"], {"a": [1]}, "", "\x1b[2J", "x" * 70_000]


def spoil(steps: list[Step]) -> list[Step]:
    """One of each operation, with each of its values another in turn."""
    found: list[Step] = []
    for step in {step.do: step for step in steps}.values():
        for value in HOSTILE:
            found += [Step(step.do, {**step.given, key: value}, step.name, step.uuid) for key in step.given]
            if isinstance(value, str):
                found += [Step(step.do, step.given, value, step.uuid), Step(step.do, step.given, step.name, value)]
        found += [Step(step.do, {}, step.name, step.uuid), Step(step.do, {**step.given, "more": 1}, step.name)]
    return found


def test_a_value_that_is_none_costs_its_step(lab: Cluster, tmp_path: Path) -> None:
    head, steps = export_cluster(lab)
    wipe(lab)
    hostile = spoil(steps)
    write_record(tmp_path / "hostile.jsonl", type(head)(**{**vars(head), "steps": len(hostile)}), hostile)
    _head, read = read_record(tmp_path / "hostile.jsonl")
    find_missing(read, lab)
    went = import_record(read, lab, Actor(User.objects.get(username="root"), Via.CLI))
    assert went.done + went.already + len(went.failed) == len(hostile) and len(went.failed) > len(hostile) / 4
    assert all(reason for _step, reason in went.failed)


def test_a_role_that_holds_something_else_here_is_not_granted(
    lab: Cluster, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wipe(lab)
    porter = make_role("porter", {"vm": ["admin"]})
    with pytest.raises(CommandError):
        call_command("import_cluster", str(file), "lab", "--as", "root")
    assert capsys.readouterr().err.count("The role porter holds something else here: vm.admin.") == 2
    assert not porter.grants.exists()
    Role.objects.filter(name="porter").update(name="doorman")
    call_command("import_cluster", str(file), "lab", "--as", "root")
    assert Role.objects.get(name="porter").grants.exists() and not porter.grants.exists()


def test_who_is_here_under_a_name_is_told_before(lab: Cluster, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wipe(lab)
    User.objects.filter(username="bob").update(first_name="Bob", last_name="Builder", email="bob@example.org")
    make_team("ops", [make_user(f"o{number}") for number in range(7)])
    call_command("import_cluster", str(file), "lab", "--as", "root", "--check")
    said = capsys.readouterr().out
    assert (
        "Here already, so compare whether they are the same, 3: @ops (o0, o1, o2, o3, o4 …), alice, bob (Bob Builder"
        in said
    )
