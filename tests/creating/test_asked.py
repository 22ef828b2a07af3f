"""A machine that somebody asked for: the form is filled in, and creating it answers the request."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from objectlog.models import Entry
from operations.batches import settle
from operations.lanes import work_lane
from operations.models import Batch, BatchItem
from operations.planning import begin_batch
from people.mailing import send_due_letters, tell_asker
from people.request_selectors import list_promised
from permissions.models import User
from permissions.services import delete_account, grant
from quotas.models import Request
from tests.creating.conftest import NEW, Maker
from tests.creating.test_page import TYPED, URL, value_of
from tests.factories import make_batch, make_request, make_template, make_user
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G034")]
WANTED = {"kind": "machine", "name": NEW, "memory_mib": 1024, "disk_mib": 2048, "vcpus": 2}


@pytest.fixture
def olga(maker: Maker) -> Client:
    """An admin of the cluster."""
    olga, client = make_user("olga"), Client()
    grant(["admin"], olga, maker.cluster)
    client.force_login(olga)
    return client


@pytest.mark.django_db(transaction=True)
def test_it_is_filled_in_created_and_answered(maker: Maker, olga: Client) -> None:
    asked = make_request(make_user("bob"), maker.cluster, **WANTED)
    page = olga.get(URL, {"asked": asked.pk}).content.decode()
    filled = {name: value_of(page, name) for name in ("name", "owner", "beparams.maxmem", "disks.0.size_mib")}
    assert filled == {"name": NEW, "owner": "bob", "beparams.maxmem": "1 GiB", "disks.0.size_mib": "2 GiB"}
    typed = {**TYPED, **filled, "asked": str(asked.pk)}
    maker.simulator.faults.refuse(500, "not today", path=r".*/instances$", times=1)
    assert olga.post(URL, typed).status_code == 409
    asked.refresh_from_db()
    assert asked.is_open, "Ganeti has refused it"
    assert olga.post(URL, typed).status_code == 302
    asked.refresh_from_db()
    assert asked.is_open, "the machine is not there yet"
    again = olga.post(URL, {**typed, "name": "new2.example.org"})
    assert again.status_code == 409 and "being created for request" in again.content.decode()
    maker.finish()
    asked.refresh_from_db()
    assert (asked.state, asked.machine) == ("approved", f"lab/{NEW}")
    assert VirtualMachine.objects.get(name=NEW).owner == asked.persona
    assert olga.post(URL, {**typed, "name": "new2.example.org"}).status_code == 409, "once"
    assert not VirtualMachine.objects.filter(name="new2.example.org").exists()


@pytest.mark.parametrize("who", ["bob", "alice"])
def test_who_does_not_decide_answers_nothing(maker: Maker, who: str) -> None:
    """Nor who asked, and may create machines but not decide."""
    asker = maker.alice.user if who == "alice" else make_user(who)
    asked, client = make_request(asker, maker.cluster, **WANTED), Client()
    client.force_login(maker.alice.user)
    assert value_of(client.get(URL, {"asked": asked.pk}).content.decode(), "name") == ""
    assert client.post(URL, {**TYPED, "asked": str(asked.pk)}).status_code == 409
    asked.refresh_from_db()
    assert asked.is_open and not VirtualMachine.objects.filter(name=NEW).exists()


def test_a_check_a_template_and_a_model_keep_what_it_is_for(maker: Maker, olga: Client) -> None:
    """Its name, whose it is, and the size where they say none; and so does the form with which one starts over."""
    asked = make_request(make_user("bob"), maker.cluster, **WANTED)
    template = make_template("small", maker.cluster, spec={"name": "", "beparams": {"vcpus": 4}})
    grant(["use"], User.objects.get(username="olga"), template)
    sizes = {"template": ("4", "1 GiB", "2 GiB"), "like": ("1", "128 MiB", "1 GiB"), "": ("2", "1 GiB", "2 GiB")}
    for start, size in sizes.items():
        called = {"template": "lab/small", "like": "lab/vm1.example.org"}.get(start, "")
        page = olga.get(URL, {"asked": asked.pk, start: called}).content.decode()
        kept = tuple(value_of(page, name) for name in ("beparams.vcpus", "beparams.maxmem", "disks.0.size_mib"))
        assert (value_of(page, "name"), value_of(page, "owner"), kept) == (NEW, "bob", size), start
        assert page.count(f'name="asked" value="{asked.pk}"') == 3, "the form, and those of templates and machines"
        assert f"?asked={asked.pk}" in page
    checked = olga.post(URL, {**TYPED, "asked": str(asked.pk), "check": "1"})
    assert checked.status_code == 302
    page = olga.get(checked.headers["Location"]).content.decode()
    assert 'id="check"' in page and value_of(page, "asked") == str(asked.pk)


@pytest.mark.django_db(transaction=True)
def test_the_first_of_several_answers_it(maker: Maker, olga: Client, settings: Any) -> None:
    settings.GWM_MAIL_URL = "smtp://mail.example.org"
    asked = make_request(make_user("bob", email="bob@example.org"), maker.cluster, **WANTED)
    assert olga.post(URL, {**TYPED, "name": "web{1..2}", "asked": str(asked.pk)}).status_code == 302
    asked.refresh_from_db()
    assert asked.is_open, "a plan makes nothing"
    lane = f"cluster {maker.cluster.pk}"
    assert begin_batch(Batch.objects.get(), {})
    for each in range(2):
        work_lane(lane)
        if not each:
            again = olga.post(URL, {**TYPED, "name": "web3", "asked": str(asked.pk)})
            assert again.status_code == 409 and "being created for request" in again.content.decode()
        maker.finish()
        settle(lane)
        send_due_letters()
        assert "The machines are lab/web1, lab/web2." in mail.outbox[-1].body, "whether they are there or to come"
    assert len(mail.outbox) == 1
    assert VirtualMachine.objects.filter(name__startswith="web").exclude(uuid="").count() == 2
    asked.refresh_from_db()
    assert (asked.state, asked.machine) == ("approved", "lab/web1")
    page = olga.get(f"/requests/{asked.pk}/").content.decode()
    for name in ("web1", "web2"):
        assert f'href="/clusters/lab/vms/{name}/">lab/{name}</a>' in page, "the request names the first, its page all"
    bob = Client()
    bob.force_login(asked.asked_by)
    page = bob.get(f"/requests/{asked.pk}/").content.decode()
    assert "lab/web1" in page and "lab/web2" in page
    delete_account(User.objects.get(username="olga"))
    assert "lab/web2" in bob.get(f"/requests/{asked.pk}/").content.decode(), "though who made them is gone"


@pytest.mark.parametrize(
    ("planned", "told"), [(12, "lab/vm9 and 2 more."), (10, "lab/vm9."), (1, "machine is lab/vm0.")]
)
def test_the_mail_names_ten_machines_and_how_many_more(maker: Maker, settings: Any, planned: int, told: str) -> None:
    settings.GWM_MAIL_URL = "smtp://mail.example.org"
    bob, olga, eve = make_user("bob", email="bob@example.org"), make_user("olga"), make_user("eve")
    asked = make_request(bob, maker.cluster, **WANTED)
    for actor, number in ((olga, asked.pk), (olga, asked.pk + 1), (bob, asked.pk), (eve, asked.pk)):
        named = [(f"vm{each}" if (actor, number) == (olga, asked.pk) else f"other{each}") for each in range(planned)]
        batch = make_batch(actor, operation="vm.create", state="running")
        BatchItem.objects.bulk_create(
            BatchItem(batch=batch, position=9 + at, target_name=name, kind="cluster", params={"asked": str(number)})
            for at, name in enumerate(named)
        )
        BatchItem.objects.create(
            batch=batch, position=99, target_name="failed", state="failed", params={"asked": str(number)}
        )
    Request.objects.filter(pk=asked.pk).update(
        state="approved", machine="lab/vm0", decided_by=olga, decided_at=timezone.now()
    )
    asked.refresh_from_db()
    promised = [f"lab/vm{each}" for each in range(planned)]
    assert list_promised(asked) == promised
    tell_asker(asked)
    send_due_letters()
    assert told in mail.outbox[-1].body
    for account in (olga, eve):
        delete_account(account)
    asked.refresh_from_db()
    assert list_promised(asked) == promised, "though who decided is gone"


@pytest.mark.django_db(transaction=True)
def test_without_an_answer_of_ganeti_it_stays_open(maker: Maker, olga: Client) -> None:
    asked = make_request(make_user("bob"), maker.cluster, **WANTED)
    maker.simulator.faults.add("drop_after", method="POST", path="/2/instances")
    assert olga.post(URL, {**TYPED, "asked": str(asked.pk)}).status_code == 302
    asked.refresh_from_db()
    assert Entry.objects.get(verb="vm.create").outcome == "unknown" and asked.is_open
