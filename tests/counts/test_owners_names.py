"""The name of its owner stands beside a machine, whoever gave it: by it an index has those whose tag names another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from operations.triggers import install_triggers, remove_triggers
from permissions.models import Persona, User
from permissions.services import make_team, persona_of
from tests.factories import make_cluster, make_user, make_vm
from tests.fixtures.migrating import migrate, migrate_all
from virtualmachines.counts import check_counts
from virtualmachines.filters import RECONCILE
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.owning import name_of

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F091")]


def kept() -> dict[str, str]:
    return dict(VirtualMachine.objects.values_list("name", "owner_name"))


def by_hand() -> dict[str, str]:
    return {vm.name: name_of(vm.owner) for vm in VirtualMachine.objects.select_related("owner")}


def other_owner() -> set[str]:
    return set(VirtualMachine.objects.filter(RECONCILE["owner-tag"]).values_list("name", flat=True))


def give(vm: VirtualMachine, owner: Persona | None) -> None:
    VirtualMachine.objects.filter(pk=vm.pk).update(owner=owner)


CHANGES: dict[str, Callable[[VirtualMachine, Persona, Persona], object]] = {
    "given to a team": lambda vm, _person, team: give(vm, team),
    "given to nobody": lambda vm, _person, _team: give(vm, None),
    "its owner is deleted": lambda _vm, person, _team: User.objects.get(pk=person.user_id).delete(),
    "its owner is called otherwise": lambda _vm, person, _team: User.objects.filter(pk=person.user_id).update(
        username="carol"
    ),
    "written back as it was read": lambda vm, _person, _team: vm.save(),
    "written with a name that is wrong": lambda vm, _person, _team: VirtualMachine.objects.filter(pk=vm.pk).update(
        owner_name="mallory"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_the_owner_the_name_is_theirs(change: Callable[..., object]) -> None:
    cluster, person, team = make_cluster(), persona_of(make_user("alice")), persona_of(make_team("web"))
    vm = make_vm(cluster, owner=person)
    make_vm(cluster, owner=team)
    make_vm(cluster)
    VirtualMachine.objects.bulk_create(VirtualMachine(cluster=cluster, name=f"n{n}", owner=team) for n in range(3))
    assert kept() == by_hand() and set(kept().values()) == {"alice", "@web", ""}
    change(vm, person, team)
    assert kept() == by_hand()


def test_a_team_that_is_called_otherwise_is_named_so_at_its_machines_alone() -> None:
    cluster, web, ops = make_cluster(), make_team("web"), make_team("ops")
    for team in (web, ops):
        make_vm(cluster, owner=persona_of(team), owner_tag=f"@{team.name}")
    read_before = list(VirtualMachine.objects.all())
    type(web).objects.filter(pk=web.pk).update(name="shop")
    assert kept() == by_hand() and set(kept().values()) == {"@shop", "@ops"}
    for vm in read_before:
        vm.save()
    assert set(kept().values()) == {"@shop", "@ops"}
    assert other_owner() == {read_before[0].name}


def test_a_person_called_like_a_team_is_not_whom_its_tag_names() -> None:
    make_team("web")
    vm = make_vm(make_cluster(), owner=persona_of(make_user("@web")), owner_tag="@web")
    assert other_owner() == {vm.name}


@pytest.fixture
def wrong() -> Iterator[VirtualMachine]:
    """An owner was written while there were no triggers."""
    vm = make_vm(make_cluster("lab"), owner_tag="alice")
    remove_triggers(connection)
    give(vm, persona_of(make_user("alice")))
    yield vm
    install_triggers(connection)


def test_the_nightly_comparison_finds_and_mends_a_name(wrong: VirtualMachine) -> None:
    assert other_owner() == {wrong.name}
    assert check_counts() == ["cluster lab: the owner's name of 1 machines"]
    assert kept() == by_hand() and other_owner() == set() and check_counts() == []


def test_the_command_tells_of_it(wrong: VirtualMachine, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="1 difference"):
        call_command("check_counts")
    assert "cluster lab: the owner's name of 1 machines" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_what_the_release_before_has_written_has_names_after_the_migration() -> None:
    vm = make_vm(make_cluster(), owner=persona_of(make_user("alice")))
    try:
        migrate([("virtualmachines", "0020_index_of_unowned")])
    finally:
        migrate_all()
    assert kept() == {vm.name: "alice"}
