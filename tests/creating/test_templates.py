"""Templates by themselves: kept, changed, copied, deleted, and who sees them."""

from dataclasses import replace
from typing import Any

import pytest

from objectlog.models import Entry
from operations.contract import SITE, Actor, Ask, Forbidden, Invalid, Refusal
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.policy import can
from permissions.services import grant, make_team, persona_of, revoke
from tests.creating.conftest import NEW, SPEC, Maker
from tests.creating.templates import SMALL, keep, refused
from tests.factories import make_cluster, make_template, make_user
from virtualmachines.models import MachineTemplate
from virtualmachines.operations.templates import (
    CopyParams,
    CopyTemplate,
    CreateTemplate,
    DeleteTemplate,
    EditTemplate,
    TemplateParams,
    spec_of_template,
    version_of,
)
from virtualmachines.spec import NicSpec, Placement, VMSpec, spec_as_data
from virtualmachines.template_selectors import list_templates

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.mark.feature("F244", "F245", "F246", "F247")
def test_every_change_is_in_the_journal_with_before_and_after(maker: Maker) -> None:
    template = keep(maker, description="for tests")
    assert template.os == SPEC.os and template.disk_mib == 10240
    entry = Entry.objects.get(verb="template.create")
    assert (entry.target_kind, entry.target_pk, entry.target_name) == ("template", template.pk, "small")
    assert {"name", "cluster", "os", "disks", "description"} <= {change["field"] for change in entry.changes}

    wanted = replace(SMALL, os="", beparams={"vcpus": 4})
    params = TemplateParams("tiny", maker.cluster, wanted, template.owner, opened=version_of(template))
    entry = run(EditTemplate(), Ask(maker.alice, template, params))
    told = {change["field"]: (change["before"], change["after"]) for change in entry.changes}
    assert told["name"] == ("small", "tiny") and told["beparams.vcpus"] == ("", 4)
    assert told["os"] == (SPEC.os, "") and told["description"] == ("for tests", "")
    template.refresh_from_db()
    assert (template.name, template.vcpus, spec_of_template(template)) == ("tiny", 4, wanted)

    entry = run(CopyTemplate(), Ask(maker.alice, template, CopyParams("again", maker.cluster)))
    copy = MachineTemplate.objects.get(pk=entry.target_pk)
    assert copy.name == "again" and spec_of_template(copy) == wanted and can(maker.alice.user, "admin", copy)

    entry = run(DeleteTemplate(), Ask(maker.alice, template, None))
    assert {change["field"]: change["after"] for change in entry.changes}["name"] is None
    assert list(MachineTemplate.objects.values_list("name", flat=True)) == ["again"]


@pytest.mark.feature("F251")
def test_a_name_is_taken_once_on_a_cluster_and_once_for_any(maker: Maker) -> None:
    other = make_cluster("other")
    grant(["create_vm"], maker.alice.user, other)
    keep(maker)
    keep(maker, cluster=other)
    keep(maker, cluster=None)
    for cluster in (maker.cluster, other, None):
        assert set(refused(maker, cluster=cluster)) == {"name"}
    second = keep(maker, "second")
    with pytest.raises(Invalid) as caught:
        run(EditTemplate(), Ask(maker.alice, second, TemplateParams("small", maker.cluster, SMALL, second.owner)))
    assert set(caught.value.errors) == {"name"}
    for name in ("", " x", "a/b", "-a", "x" * 101):
        assert set(refused(maker, name=name)) == {"name"}


@pytest.mark.feature("F251")
@pytest.mark.parametrize("is_for_any", [True, False])
def test_of_two_that_take_a_name_at_once_one_is_told(maker: Maker, is_for_any: bool) -> None:
    """The other is there between the look and the writing: the database refuses, and the form says so."""

    class Late(CreateTemplate):
        def changes(self, ask: Any) -> list[Any]:
            if not MachineTemplate.objects.exists():
                make_template("small", ask.params.cluster)
            return super().changes(ask)

    cluster = None if is_for_any else maker.cluster
    with pytest.raises(Invalid) as caught:
        run(Late(), Ask(maker.alice, SITE, TemplateParams("small", cluster, SMALL)))
    assert set(caught.value.errors) == {"name"}
    assert not Entry.objects.filter(verb="template.create").exists()


@pytest.mark.feature("F252")
def test_whose_it_is_and_who_sees_it(maker: Maker) -> None:
    member, friend, stranger, admin = (make_user(name) for name in ("member", "friend", "stranger", "admin"))
    for each in (member, friend, stranger):
        grant(["create_vm"], each, maker.cluster)
    grant(["admin"], admin, maker.cluster)
    team = make_team("ops", [maker.alice.user, member])
    template = keep(maker, owner=persona_of(team))
    grant(["use"], friend, template)

    def sees() -> set[str]:
        people = (maker.alice.user, member, friend, stranger, admin)
        return {each.username for each in people if list_templates(each).filter(pk=template.pk).exists()}

    assert sees() == {"alice", "member", "friend", "admin"}
    assert not can(friend, "admin", template) and can(member, "admin", template)
    revoke(["create_vm"], member, maker.cluster)
    assert sees() == {"alice", "friend", "admin"}
    with pytest.raises(Forbidden):
        run(DeleteTemplate(), Ask(Actor(friend, maker.alice.via), template, None))
    run(EditTemplate(), Ask(maker.alice, template, TemplateParams("small", maker.cluster, SMALL, None)))
    assert sees() == {"friend", "admin"}


def test_owners_and_clusters_that_are_not_ones_own(maker: Maker) -> None:
    elsewhere = make_cluster("elsewhere")
    assert set(refused(maker, owner=persona_of(make_user("bob")))) == {"owner"}
    with pytest.raises(Forbidden):
        keep(maker, cluster=elsewhere)
    template = keep(maker)
    for operation, params in (
        (EditTemplate(), TemplateParams("small", elsewhere, SMALL, template.owner)),
        (CopyTemplate(), CopyParams("copy", elsewhere)),
    ):
        with pytest.raises(Invalid) as caught:
            run(operation, Ask(maker.alice, template, params))
        assert set(caught.value.errors) == {"cluster"}


@pytest.mark.alike
@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("spec", replace(SMALL, name=NEW)),
        ("spec", replace(SMALL, osparams_secret={"password": "x"})),
        ("nics.0.mac", replace(SMALL, nics=(NicSpec(mac="aa:00:00:12:34:56"),))),
        ("nics.0.ip", replace(SMALL, nics=(NicSpec(ip="192.0.2.7"),))),
        ("os", replace(SMALL, os="nosuch")),
        ("beparams.moon", replace(SMALL, beparams={"moon": "full"})),
        ("hvparams.kvm_extra", replace(SMALL, hypervisor="kvm", hvparams={"kvm_extra": "-x"})),
        ("placement.primary", replace(SMALL, placement=Placement(primary="nowhere"))),
    ],
)
def test_what_is_said_is_judged_and_what_is_left_open_is_not(maker: Maker, field: str, spec: VMSpec) -> None:
    assert set(refused(maker, spec=spec)) == {field}
    keep(maker, "open", VMSpec("", nics=(NicSpec(),)))


def test_two_who_edit_one_at_once(maker: Maker) -> None:
    template = keep(maker)
    first = TemplateParams("small", maker.cluster, SMALL, template.owner, "first", opened=version_of(template))
    run(EditTemplate(), Ask(maker.alice, template, first))
    with pytest.raises(Refusal, match="Somebody else"):
        run(EditTemplate(), Ask(maker.alice, template, replace(first, description="second")))
    template.refresh_from_db()
    assert template.description == "first"


def test_a_copy_of_what_only_admins_may_set_leaves_it_out(maker: Maker) -> None:
    guarded = spec_as_data(replace(SMALL, hypervisor="kvm", hvparams={"kvm_extra": "-x", "nic_type": "e1000"}))
    template = make_template("small", maker.cluster, spec=guarded)
    grant(["use"], maker.alice.user, template)
    run(CopyTemplate(), Ask(maker.alice, template, CopyParams("copy", maker.cluster)))
    assert spec_of_template(MachineTemplate.objects.get(name="copy")).hvparams == {"nic_type": "e1000"}


def test_on_the_command_line_what_is_not_given_stays(maker: Maker) -> None:
    data = {"name": "small", "cluster": "lab", "spec": {"os": SPEC.os, "disks": [{"size_mib": 10240}]}}
    params = params_from(OPERATIONS["template.create"], maker.alice, SITE, data)
    run(CreateTemplate(), Ask(maker.alice, SITE, params))
    template = MachineTemplate.objects.get()
    assert spec_of_template(template) == SMALL
    params = params_from(OPERATIONS["template.edit"], maker.alice, template, {"description": "new"})
    entry = run(EditTemplate(), Ask(maker.alice, template, params))
    assert [change["field"] for change in entry.changes] == ["description"]
    with pytest.raises(Invalid, match="There is no cluster nowhere"):
        params_from(OPERATIONS["template.create"], maker.alice, SITE, {**data, "cluster": "nowhere"})
