"""What failed is asked for once more with what was typed then: of every operation that is sent, from every page."""

import re
from typing import Any

import pytest
from django import forms
from django.forms.widgets import ChoiceWidget
from django.test import Client
from django.urls import reverse

from clusters.models import Job
from objectlog.models import Entry, Outcome
from objectlog.services import advance, begin
from operations.again import again_url
from operations.contract import AnyOperation, NoParams
from operations.forms import OpenedField, form_for, params_from
from operations.table import OPERATIONS
from permissions.kinds import KINDS
from permissions.services import grant
from tests.factories import make_admin, make_job, make_user, make_vm
from tests.fixtures.databases import some_in_fast
from tests.operations.test_checks import GIVEN, Check, check
from tests.operations.test_show_as import prepared
from ui.places import OwnPage, add_own_page
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import place_of

__all__ = ["check"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alike]
SENT = [key for key, operation in OPERATIONS.items() if operation.sends]
ASKED = [key for key in SENT if not OPERATIONS[key].has_own_page and OPERATIONS[key].params_type is not NoParams]
# What journals keep of it are the names.
SECRET = {"osparams"}
GIVEN_TOO: dict[str, dict[str, Any]] = {
    "vm.reinstall": {"osparams": "password=hush"},
    "vm.grow-disk": {"disk": "0", "more_mib": "1 GiB"},
}


def other_than_filled_in(form: forms.Form) -> dict[str, Any]:
    """Something else in every field than stands there."""
    typed: dict[str, Any] = {}
    for name, field in form.fields.items():
        now, widget = form[name].value(), field.widget
        if isinstance(field, OpenedField):
            typed[name] = now or ""
        elif isinstance(field, forms.BooleanField):
            typed[name] = "" if now else "on"
        elif isinstance(field, forms.IntegerField):
            typed[name] = "17"
        elif isinstance(widget, ChoiceWidget):
            groups = widget.optgroups(name, [])
            there = [each["value"] for _name, some, _index in groups for each in some if not each["attrs"]]
            others = [value for value in there if value != now]
            typed[name] = [there[-1]] if widget.allow_multiple_selected else (others or there)[-1]
        elif not field.required:
            typed[name] = ""
    return typed


def failed(check: Check, key: str, target: Any, params: Any, outcome: Outcome = Outcome.FAILED) -> Entry:
    """As the pipeline writes it down, and how it ended."""
    operation, admin = OPERATIONS[key], check.admin.user
    entry = begin(
        actor_id=admin.pk,
        actor_name=admin.username,
        persona_name=admin.username,
        via=check.admin.via,
        verb=key,
        target=operation.target_of(target),
        params=operation.journal_params(params),
    )
    if outcome == Outcome.FAILED:
        advance(entry, Outcome.SUBMITTED, job_ids=[])
    advance(entry, outcome, message="the disk is full")
    return entry


def prepare(check: Check, key: str) -> Any:
    """What it is done to, so that it can be."""
    return prepared(check, key).target if key.startswith("vm.") else prepare_any(check, OPERATIONS[key])


@pytest.mark.parametrize("key", some_in_fast(ASKED, 12))
def test_each_is_filled_in_as_it_was_asked_for(check: Check, client: Client, key: str) -> None:
    client.force_login(check.admin.user)
    target, operation = prepare(check, key), OPERATIONS[key]
    form = form_for(operation)(target=target, actor=check.admin)
    typed = {**other_than_filled_in(form), **GIVEN.get(key, {}), **GIVEN_TOO.get(key, {})}
    params = params_from(operation, check.admin, target, typed)
    entry = failed(check, key, target, params)
    url = again_url(check.admin.user, entry, KINDS[entry.target_kind].place_of(target))
    page = client.get(url)
    assert page.status_code == 200 and "the disk is full" in page.content.decode()
    shown = page.context["form"]
    there = {name: shown[name].value() for name in shown.fields if name != "typed_name"}
    again = params_from(operation, check.admin, target, {name: value or "" for name, value in there.items()})
    kept = [name for name in params.__dataclass_fields__ if name not in SECRET]
    assert {name: getattr(again, name) for name in kept} == {name: getattr(params, name) for name in kept}
    for name in SECRET & set(params.__dataclass_fields__):
        assert not getattr(again, name) and "hush" not in page.content.decode()
        assert all(part in page.content.decode() for part in getattr(params, name)), "their names are told"


@pytest.mark.parametrize("key", some_in_fast(SENT, 4))
def test_each_can_be_asked_for_once_more(check: Check, client: Client, key: str) -> None:
    """Those with a page of their own there."""
    client.force_login(check.admin.user)
    operation: AnyOperation = OPERATIONS[key]
    target = check.target_of(operation) if operation.asked_of else prepare_any(check, operation)
    entry = begin(
        actor_id=check.admin.user.pk,
        actor_name="root",
        persona_name="root",
        via=check.admin.via,
        verb=key,
        target=operation.target_of(target),
        params={},
    )
    place = KINDS[entry.target_kind].place_of(target)
    assert not again_url(check.admin.user, entry, place), "it is under way"
    advance(entry, Outcome.NOT_SUBMITTED)
    url = again_url(check.admin.user, entry, place)
    assert str(entry.uuid) in url and client.get(url).status_code == 200
    assert not again_url(make_user("bob"), entry, place), "what somebody else has typed is theirs"


def prepare_any(check: Check, operation: AnyOperation) -> Any:
    """One, in whatever state."""
    return make_job(check.scene.cluster) if operation.kind == "job" else check.target_of(operation)


def test_pages_that_tell_of_it_lead_there(check: Check, client: Client) -> None:
    """The machine's, its job's and every journal."""
    check.scene.mirror_disks()
    VirtualMachine.objects.exclude(pk=check.scene.vm.pk).delete()
    client.force_login(check.admin.user)
    name = check.scene.vm.name
    client.post(reverse("vm-do", args=["lab", name, "migrate"]), {"mode": "non-live", "allow_failover": "on"})
    gone = check.scene.simulator.cluster.instances.pop(name)
    check.scene.simulator.run_jobs()
    check.scene.simulator.cluster.instances[name] = gone
    entry = check.answered(Entry.objects.get())
    assert entry.outcome == Outcome.FAILED
    job = reverse("job", args=["lab", Job.objects.get(entry=entry).ganeti_id])
    pages = [reverse("vm", args=["lab", name]), job, reverse("journal"), reverse("vm-journal", args=["lab", name])]
    for url in pages:
        found = re.search(r'href="([^"]+\?again=[^"]+)"', client.get(url).content.decode())
        assert found is not None, url
        form = client.get(found[1]).context["form"]
        assert (form["mode"].value(), form["allow_failover"].value()) == ("non-live", True)
    other = make_admin("other")
    client.force_login(other)
    assert all("?again=" not in client.get(url).content.decode() for url in pages)
    assert (
        client.get(f"{reverse('vm-do', args=['lab', name, 'migrate'])}?again={entry.uuid}").context["earlier"] is None
    )


def test_a_version_is_that_of_now(check: Check, client: Client) -> None:
    """Where it is by now stands on the page, and is what is sent."""
    check.scene.mirror_disks()
    VirtualMachine.objects.exclude(pk=check.scene.vm.pk).delete()
    client.force_login(check.admin.user)
    vm, operation = VirtualMachine.objects.get(), OPERATIONS["vm.migrate"]
    entry = failed(check, "vm.migrate", vm, operation.params_type(opened="elsewhere"))
    url = again_url(check.admin.user, entry, ("lab", vm.name))
    form = client.get(url).context["form"]
    assert form["opened"].value() == place_of(vm) != "elsewhere"


def test_what_can_no_longer_be_chosen_is_said_and_nothing_else_chosen_for_it(check: Check, client: Client) -> None:
    client.force_login(check.admin.user)
    vm = VirtualMachine.objects.get()
    grow, recreate = OPERATIONS["vm.grow-disk"], OPERATIONS["vm.recreate-disks"]
    gone = "40000000-0000-4000-8000-000000000009"
    entry = failed(check, grow.key, vm, grow.params_type(disk=0, uuid=gone, size_mib=None, more_mib=1024))
    url = again_url(check.admin.user, entry, ("lab", vm.name))
    page = client.get(url)
    assert "can&#x27;t be chosen any more" in page.content.decode()
    assert not page.context["form"]["disk"].value(), "a browser would take the first"
    sent = client.post(url.partition("?")[0], {"disk": "", "more_mib": "1 GiB"})
    assert sent.status_code == 422 and check.scene.submissions() == 0
    entry = failed(check, recreate.key, vm, recreate.params_type(disks=(0,), uuids=(gone,)))
    page = client.get(again_url(check.admin.user, entry, ("lab", vm.name)))
    assert "can&#x27;t be chosen any more" in page.content.decode()


def test_it_is_of_this_target_and_this_operation(check: Check, client: Client) -> None:
    client.force_login(check.admin.user)
    vm = VirtualMachine.objects.get()
    other = make_vm(check.scene.cluster, "other.example.org")
    entry = failed(check, "vm.shutdown", vm, OPERATIONS["vm.shutdown"].params_type(timeout_s=17))
    for target, verb, timeout in ((vm, "shutdown", 17), (other, "shutdown", 120), (vm, "apply-settings", 120)):
        page = client.get(f"{reverse('vm-do', args=['lab', target.name, verb])}?again={entry.uuid}")
        assert page.context["form"]["timeout_s"].value() == timeout
    for nobody in ("x", "0" * 32, ""):
        url = f"{reverse('vm-do', args=['lab', vm.name, 'shutdown'])}?again={nobody}"
        assert client.get(url).context["form"]["timeout_s"].value() == 120


def test_a_check_that_failed_leads_back_to_it(check: Check, client: Client) -> None:
    grant(["power"], check.scene.alice.user, check.scene.vm)
    client.force_login(check.admin.user)
    check.scene.simulator.outside.start(check.scene.vm.name)
    operation = OPERATIONS["vm.shutdown"]
    entry = failed(check, operation.key, check.scene.vm, operation.params_type(timeout_s=17))
    Entry.objects.filter(pk=entry.pk).update(verb="vm.shutdown.check")
    entry.refresh_from_db()
    url = again_url(check.admin.user, entry, ("lab", check.scene.vm.name))
    assert "?check=" in url and client.get(url).context["form"]["timeout_s"].value() == 17


def test_each_has_one_page_of_its_own_at_most() -> None:
    with pytest.raises(ValueError, match=r"two pages of vm\.modify"):
        add_own_page("vm.modify", OwnPage("vm-modify"))
