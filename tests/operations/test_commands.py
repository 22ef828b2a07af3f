"""`manage.py operate` and `manage.py add_cluster`: what they offer works, and what does not work leaves nothing."""

import json
import logging
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.management import CommandError, call_command
from django.utils import timezone

from clusters.models import Cluster
from gwm.management.commands.operate import OFFERED
from objectlog.models import Entry, Via
from operations.contract import SITE, Actor, Ask, Invalid
from operations.forms import params_from
from operations.table import OPERATIONS
from people.confirming import make_confirmation
from people.factors import add_app
from permissions.models import User
from permissions.selectors import find_user
from permissions.services import grant, make_team, persona_of, set_role
from quotas.amounts import Limits
from quotas.services import set_default, set_quota
from simulator import Simulator
from tests.factories import (
    ED25519,
    deaf_port,
    make_admin,
    make_job,
    make_key,
    make_node,
    make_request,
    make_template,
    make_token,
    make_user,
)
from tests.operations.conftest import CDS, MOVES, Scene
from tests.people.openid import describe
from tests.updates.conftest import update

pytestmark = pytest.mark.django_db(transaction=True)


def call(*words: str) -> str:
    """What the command said. Raises CommandError."""
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


_STOPPED = (
    *("vm.set-offline", "vm.deactivate-disks", "vm.recreate-disks"),
    "vm.rename",
    "vm.detach-disk",
    "vm.convert-disks",
)
_READ = (
    *("vm.reinstall", "vm.activate-disks", "vm.deactivate-disks", "vm.recreate-disks"),
    "vm.modify",
    "vm.grow-disk",
    "vm.detach-disk",
    "vm.attach-disk",
    "vm.convert-disks",
    "vm.create",
)


SMALL = {"name": "", "os": "debootstrap+default", "disks": [{"size_mib": 1024}], "nics": [{}]}


def target_for(scene: Scene, verb: str, kind: str) -> str:
    """What the command line calls something of this kind to which `verb` can be done now."""
    machines, clusters = type(scene.vm).objects, Cluster.objects
    if verb in _READ:
        update(scene.cluster)
    if verb in _STOPPED:
        scene.simulator.outside.stop(scene.vm.name)
    if verb in ("vm.start", *_STOPPED):
        machines.update(status="ADMIN_down", admin_state="down")
    if verb in ("vm.export", "vm.export-and-remove"):
        update(scene.cluster)
    if verb in CDS:
        scene.put_cd_in()
    if verb in MOVES:
        scene.mirror_disks()
    if verb == "vm.set-online":
        scene.set_offline()
    if verb == "vm.remove-tags":
        machines.update(tags=["web"])
    if verb == "cluster.remove-tags":
        clusters.update(info={"tags": ["web"]})
    if verb == "vm.apply-settings":
        machines.update(waiting_since=timezone.now())
    if verb == "vm.unprotect":
        machines.update(is_protected=True)
    if verb == "vm.discard":
        machines.update(missing_since=timezone.now(), uuid="")
        return f"lab/{scene.vm.name}"
    if verb == "vm.forget":
        machines.update(missing_since=timezone.now())
        return f"lab/{scene.vm.uuid}"  # what is missing is addressed by its identity
    if verb == "token.add":
        return "root"  # nobody makes them in another name
    if verb == "cluster.remove-quota":
        set_quota(persona_of(User.objects.get(username="bob")), scene.cluster, Limits(vcpus=1))
    if verb == "vm.accept":
        machines.update(drift={"vcpus": 1}, drift_since=timezone.now())
    if verb == "node.accept":
        make_node(scene.cluster, "drifted.example.org", drift={"primary_ip": "192.0.2.1"}, drift_since=timezone.now())
        return "lab/drifted.example.org"
    if verb == "vm.adopt":
        machines.update(owner_tag="bob")
    if verb == "cluster.use-address":
        clusters.update(answers_at="192.0.2.1")
    if kind == "vm":
        return f"lab/{scene.vm.name}"
    if kind == "node":
        return f"lab/{make_node(scene.cluster, missing_since=timezone.now()).uuid}"
    if kind == "person":
        carol = make_user(
            "carol",
            email="carol@example.org",
            is_active=verb != "person.activate",
            is_superuser=verb == "person.demote",
        )
        if verb == "person.reset-factors":
            add_app(carol, "A" * 32, 0)
        if verb == "person.disconnect":
            carol.set_password("long enough 1")
            carol.save()
            SocialAccount.objects.create(user=carol, provider="corp", uid="c")
        return "carol"
    if kind == "request":
        return str(make_request(make_user("carol"), scene.cluster))
    if kind == "token":
        return str(make_token(make_user("carol")))
    if kind == "key":
        return str(make_key(make_user("carol")))
    if kind == "template":
        update(scene.cluster)
        make_template("small", scene.cluster, os="debootstrap+default", spec=SMALL)
        return "lab/small"
    if kind == "role":
        return str(set_role("porter", {"vm": ["power"]}))
    if kind == "team":
        team = make_team("web", [] if verb == "team.add-member" else [find_user("bob")])
        if verb == "team.remove-admin":
            grant(["admin"], find_user("bob"), team)
        return "@web"
    if kind == "job":
        job = scene.simulator.outside.submit("CLUSTER_REDIST_CONF")
        make_job(scene.cluster, ganeti_id=job.id, status="error" if verb == "job.clear" else "queued")
        return f"lab/{job.id}"
    return "lab"


@pytest.mark.long
@pytest.mark.feature("F295")
@pytest.mark.parametrize("key", sorted(OFFERED))
def test_whatever_is_offered_works(scene: Scene, key: str, settings: Any) -> None:
    settings.GWM_OPENID_PROVIDERS = (describe("https://corp.example"),)
    settings.GWM_MAIL_URL = "smtp://127.0.0.1"  # nothing is sent before a worker looks
    make_admin()
    operation = OFFERED[key]
    make_user("bob")
    role = set_role("operator", {"vm": ["power"]})
    for_verb = {
        "grant": ["--set=who=bob", "--set=verbs=admin", "--set=until=12h"],
        "revoke": ["--set=who=bob", "--set=verbs=admin"],
        "set-rights": ["--set=who=bob", "--set=verbs=admin"],
        "grant-role": ["--set=who=bob", f"--set=role={role}"],
        "revoke-role": ["--set=who=bob", f"--set=role={role}"],
    }
    given = {
        "person.edit": ["--set=first_name=Carol"],
        "person.add": ["--set=username=carol", "--set=password=long enough 1"],
        "cluster.set-default-quota": ["--set=memory_mib=64 GiB", "--set=machines=0"],
        "cluster.set-quota": ["--set=who=bob", "--set=vcpus=8"],
        "cluster.remove-quota": ["--set=who=bob"],
        "request.ask-quota": ["--set=cluster=lab", "--set=vcpus=8", "--set=reason=growth"],
        "request.ask-machine": ["--set=memory_mib=2 GiB", "--set=disk_mib=9 GiB", "--set=vcpus=1", "--set=reason=mail"],
        "request.approve": ["--set=vcpus=8"],
        "request.decline": ["--set=answer=no room"],
        "team.create": ["--set=name=web"],
        "team.rename": ["--set=name=web-two"],
        **{f"team.{verb}": ["--set=who=bob"] for verb in ("add-member", "remove-member", "add-admin", "remove-admin")},
        "template.create": ["--set=name=large", f"--set=spec={json.dumps(SMALL)}"],
        "template.edit": ["--set=name=tiny", f"--set=spec={json.dumps(SMALL)}"],
        "template.copy": ["--set=name=tiny"],
        "person.disconnect": ["--set=provider=corp"],
        "person.set-password": ["--set=password=long enough 1"],
        "key.add": [f"--set=key={ED25519}"],
        "token.add": ["--set=name=hook", "--set=on=everything", "--set=until=30d", f"--set=secret={'x' * 40}"],
        "key.edit": ["--set=comment=at home"],
        "role.create": ["--set=name=porter", "--set=verbs=vm.power,vm.console"],
        "role.edit": ["--set=verbs=vm.power,vm.console"],
        "cluster.add": ["--set=slug=new", "--set=host=192.0.2.9", "--set=port=5080", "--set=tls_trust=system"],
        "cluster.edit": ["--set=description=edited"],
        "vm.create": [
            '--set=spec={"name": "New1.example.org", "os": "debootstrap+default", "disks": [{"size_mib": 1024}]}'
        ],
        "vm.modify": ['--set=wanted={"beparams": {"vcpus": 3}}'],
        "vm.grow-disk": ["--set=disk=0", "--set=more_mib=1024"],
        "vm.detach-disk": ["--set=disk=0"],
        "vm.attach-disk": ["--set=uuid=40000000-0000-4000-8000-000000000001"],
        "vm.convert-disks": ["--set=disk_template=file"],
        "vm.add-tags": ["--set=tags=web,prod"],
        "vm.remove-tags": ["--set=tags=web"],
        "cluster.add-tags": ["--set=tags=here"],
        "cluster.remove-tags": ["--set=tags=web"],
        "vm.set-owner": ["--set=owner=bob"],
        "vm.notes": ["--set=notes=Ask **Bob** first"],
        "vm.rename": ["--set=new_name=renamed.example.org"],
        "vm.insert-cd": ["--set=image=Debian"],
        "cluster.sizes": ["--set=sizes=small = 1, 2 GiB, 20 GiB"],
        "cluster.cd-images": ["--set=images=Debian = /srv/debian.iso"],
        "vm.export": ["--set=target_node=node2.example.org"],
        "vm.export-and-remove": ["--set=target_node=node2.example.org"],
    }
    if key == "request.ask-quota":
        set_default(scene.cluster, Limits(vcpus=1))
    where = [] if operation.is_on_site else [target_for(scene, key, operation.target_kind)]
    if key == "person.use-email":
        given[key] = [f"--set=token={make_confirmation(User.objects.get(username='carol'), 'new@example.org')}"]
    words = given.get(key, for_verb.get(operation.verb, []))
    if operation.verb.startswith("revoke"):
        call("operate", key.replace("revoke", "grant"), *where, "--as", "root", *words)
    before = Entry.objects.count()
    said = call("operate", key, *where, "--as", "root", *words)
    assert str(operation.label) in said
    # The first of them: what is done beside it, as the quota that is set when a request is approved, has one, too.
    beside = ["cluster.set-quota"] if key == "request.approve" else []
    assert list(Entry.objects.order_by("pk").values_list("verb", flat=True)[before:]) == [key, *beside]


def test_what_is_so_already_is_said_and_no_failure(scene: Scene) -> None:
    make_admin()
    make_user("bob")
    words = ["operate", "vm.revoke", f"lab/{scene.vm.name}", "--as", "root", "--set=who=bob", "--set=verbs=power"]
    assert "It is so already. Nothing was changed." in call(*words)
    told = json.loads(call(*words, "--json"))
    assert told == {"entry": None, "outcome": "unchanged", "jobs": [], "message": told["message"]}
    assert not Entry.objects.exists()


@pytest.mark.alike
@pytest.mark.long
@pytest.mark.parametrize(
    ("key", "given", "field"),
    [
        ("vm.grant", {"who": "nobody", "verbs": "power"}, "who"),
        ("vm.grant", {"who": "@nobody", "verbs": "power"}, "who"),
        ("vm.grant", {"who": "bob", "verbs": "fly"}, "verbs"),
        ("vm.grant", {"who": "bob", "verbs": " , "}, "verbs"),
        ("vm.grant", {"who": "bob"}, "verbs"),
        ("vm.grant", {"who": "bob", "verbs": "power", "until": "2001-01-01"}, "until"),
        ("vm.grant", {"who": "bob", "verbs": "power", "until": "soon"}, "until"),
        ("vm.revoke", {"who": "bob", "verbs": "fly"}, "verbs"),
        ("vm.grant-role", {"who": "bob", "role": "nothing"}, "role"),
        ("vm.grant-role", {"who": "bob", "role": "operator", "tag": "blue"}, "tag"),
        ("vm.grant-role", {"who": "bob", "role": "operator", "owner": "bob"}, "owner"),
        ("vm.grant-role", {"who": "bob", "role": "operator", "owner": "nobody"}, "owner"),
        ("cluster.grant-role", {"who": "bob", "role": "operator", "until": "2001-01-01"}, "until"),
        ("role.create", {"name": "", "verbs": "vm.power"}, "name"),
        ("role.create", {"name": "x", "verbs": "node.view"}, "verbs"),
    ],
)
def test_what_is_wrong_with_rights_is_said_at_its_field_before_anything_is_written(
    scene: Scene, key: str, given: dict[str, str], field: str
) -> None:
    actor, operation = Actor(make_admin(), Via.CLI), OPERATIONS[key]
    make_user("bob")
    set_role("operator", {"vm": ["power"]})
    target = SITE if operation.is_on_site else {"vm": scene.vm, "cluster": scene.cluster}[operation.kind]
    with pytest.raises(Invalid) as wrong:
        operation.check(Ask(actor, target, params_from(operation, actor, target, given)))
    assert set(wrong.value.errors) == {field}


def test_a_new_certificate_and_a_new_password_from_a_file(scene: Scene, tmp_path: Path) -> None:
    make_admin()
    (tmp_path / "new").write_text("swordfish\n")
    fingerprint = "AB:" * 31 + "AB"
    with pytest.raises(CommandError, match="Type the password"):
        call("operate", "edit", "lab", "--as", "root", f"--set=tls_fingerprint={fingerprint}")
    call(
        "operate",
        *["edit", "lab", "--as", "root", f"--set=tls_fingerprint={fingerprint}", f"--set-from=password={tmp_path}/new"],
    )
    cluster = Cluster.objects.get()
    assert (cluster.tls_fingerprint, cluster.password) == (fingerprint, "swordfish")
    assert "swordfish" not in str(Entry.objects.values())
    with pytest.raises(CommandError, match="No such file"):
        call("operate", "edit", "lab", "--as", "root", f"--set-from=password={tmp_path}/none")


@pytest.mark.parametrize("name", ["vm.console", "console", "forget", "no-such-thing"])
def test_what_needs_a_browser_or_might_mean_two_things_is_not_offered(scene: Scene, name: str) -> None:
    make_admin()
    with pytest.raises(CommandError, match="invalid choice"):
        call("operate", name, "lab", "--as", "root")
    assert not Entry.objects.exists()


def test_a_cluster_that_is_well_is_added_and_checked_without_a_word_of_refusals(
    add: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    """That a job 0 does not exist is how one learns that the user may write, and no trouble."""
    caplog.set_level(logging.INFO, logger="rapi")
    add()
    assert "Everything answers" in call("check_rapi", "alpha")
    assert not caplog.records


@pytest.fixture
def add(simulator: Simulator, tmp_path: Path) -> Callable[..., str]:
    """Run `add_cluster` with options that work, but for those given."""
    make_admin()
    password = tmp_path / "password"

    def make(*flags: str, **changed: Any) -> str:
        given = {
            "host": simulator.host,
            "port": simulator.port,
            "user": simulator.username,
            "password": simulator.password,
            "fingerprint": simulator.fingerprint,
            **changed,
        }
        password.write_text(given.pop("password"))
        words = [f"--{name}={value}" for name, value in given.items()]
        return call("add_cluster", "alpha", f"--password-file={password}", *words, *flags)

    return make


@pytest.mark.parametrize(
    ("changed", "reason", "remedy"),
    [
        ({"password": "wrong"}, "rejects the RAPI user name or password", "rapi/users"),
        ({"user": "nobody"}, "rejects the RAPI user name or password", "rapi/users"),
        ({"fingerprint": ":".join(["AB"] * 32)}, "certificate", "Compare the fingerprints"),
        ({"port": deaf_port()}, "Nothing listens there", "Check address and port"),
    ],
)
def test_what_cannot_work_is_not_kept_and_the_second_try_is_taken(
    add: Callable[..., str], changed: dict[str, Any], reason: str, remedy: str
) -> None:
    with pytest.raises(CommandError) as caught:
        add(**changed)
    assert "Nothing was added" in str(caught.value)
    assert reason in str(caught.value) and remedy in str(caught.value)
    assert not Cluster.objects.exists() and not Entry.objects.exists()
    assert "added" in add()
    assert Cluster.objects.get().slug == "alpha"


def test_one_that_does_not_answer_is_kept_when_that_is_wanted(add: Callable[..., str]) -> None:
    port = deaf_port()
    with pytest.raises(CommandError, match="--keep-unreachable"):
        add(port=port)
    assert "does not answer now" in add("--keep-unreachable", port=port)
    assert Cluster.objects.get().port == port


def test_wrong_credentials_are_never_kept(add: Callable[..., str]) -> None:
    with pytest.raises(CommandError) as caught:
        add("--keep-unreachable", password="wrong")
    assert "--keep-unreachable" not in str(caught.value)
    assert not Cluster.objects.exists()
