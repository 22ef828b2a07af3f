"""From a selection in the list to a plan, its confirmation, and how far it is."""

import re
from collections.abc import Callable
from copy import deepcopy

import pytest
from django.test import Client
from django.urls import reverse

from objectlog.models import Entry, Via
from operations.contract import Actor
from operations.models import Batch, BatchItem
from operations.planning import begin_batch, plan
from permissions.models import User
from permissions.services import grant, revoke
from tests.factories import make_vm
from tests.pages.conftest import Site
from virtualmachines.models import VirtualMachine
from virtualmachines.operations import list_bulk
from virtualmachines.operations.power import Shutdown, ShutdownNow

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G050")]
SignIn = Callable[[User], Client]


@pytest.fixture
def site(kept_site: Site, db: None) -> Site:
    return deepcopy(kept_site)


def text_of(answer: object) -> str:
    page = answer.content.decode()  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index('id="work"') :]))


def select(client: Client, verb: str, *vms: VirtualMachine, **more: str) -> Batch:
    answer = client.post(reverse("vms-batch"), {"vm": [vm.pk for vm in vms], "verb": verb, **more})
    assert answer.status_code == 302
    batch = Batch.objects.latest("pk")
    assert answer.headers["Location"] == reverse("batch", args=[batch.uuid])
    return batch


def do(client: Client, batch: Batch, verb: str, **data: str) -> int:
    return client.post(reverse("batch-do", args=[batch.uuid, verb]), data).status_code


@pytest.mark.alike
def test_the_list_has_a_box_for_each_machine_and_what_can_be_done_to_them(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.alice).get("/vms/?q=example").content.decode()
    assert re.findall(r'name="vm" value="(\d+)"', page) == [str(site.db.pk), str(site.web.pk)]
    offered = re.findall(r'name="verb"\s+value="([\w-]+)"', page)
    assert sorted(offered) == sorted(each.verb for each in list_bulk())
    assert offered[:4] == ["start", "shutdown", "shutdown-now", "reboot"]
    assert 'name="filter" value="q=example"' in page and "all 2 that match" in page
    assert not re.search(r'name="(?:vm|all)"[^>]*checked', page)


def test_a_plan_asks_says_why_not_and_begins_when_it_is_confirmed(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.alice)
    batch = select(client, "shutdown", site.web, site.db, site.other)
    alone, gone = (
        client.post(reverse("vms-batch"), {"vm": pk, "verb": "shutdown"}, follow=True).content.decode()
        for pk in (site.other.pk, 999_999)
    )
    assert all("Select machines first." in page for page in (alone, gone)), "another's is as one that is not there"
    assert Batch.objects.count() == 1
    said = text_of(client.get(reverse("batch", args=[batch.uuid])))
    assert "Shut down: 1 machine?" in said and "It is stopped already." in said and "Shutdown timeout" in said
    assert (
        f"gnt-instance shutdown --timeout=120 {site.web.name}" in said and f"PUT /2/instances/{site.web.name}/" in said
    )
    assert set(batch.items.values_list("target_pk", flat=True)) == {site.web.pk, site.db.pk}, (
        "what she can't see is not there"
    )
    assert do(client, batch, "begin", timeout_s="99999") == 422
    assert do(client, batch, "begin", timeout_s="45") == 302
    batch.refresh_from_db()
    assert (batch.state, batch.params) == ("running", {"timeout_s": 45})
    assert do(client, batch, "begin", timeout_s="50") == 302
    batch.refresh_from_db()
    assert batch.params == {"timeout_s": 45}, "it begins once"


def test_what_is_not_allowed_is_in_the_plan_with_the_reason(site: Site, sign_in: SignIn) -> None:
    grant(["tags"], site.stranger, site.web)
    client = sign_in(site.stranger)
    batch = select(client, "shutdown", site.web)
    said = text_of(client.get(reverse("batch", args=[batch.uuid])))
    assert (
        "there is nothing to do" in said and "not allowed" in said and "You may not start or stop this machine" in said
    )
    assert "Shutdown timeout" not in said


def test_what_destroys_is_confirmed_by_typing_the_number(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    batch = select(client, "shutdown-now", site.web, site.other)
    assert "Type 2 to confirm." in text_of(client.get(reverse("batch", args=[batch.uuid])))
    for typed in ("", "1", "two"):
        assert do(client, batch, "begin", typed_count=typed) == 422
    assert Batch.objects.get().state == "planned"
    assert do(client, batch, "begin", typed_count="2") == 302
    assert Batch.objects.get().state == "running"


@pytest.mark.parametrize("cluster", ["", "prod"])
def test_all_that_match_the_filter_are_taken_not_just_the_page(site: Site, sign_in: SignIn, cluster: str) -> None:
    for number in range(30):
        make_vm(site.prod, f"many{number}.example.org")
        make_vm(site.edge, f"many{number}.example.org")
    client = sign_in(site.admin)
    page = client.get(f"/clusters/{cluster}/vms/?q=many&per_page=25" if cluster else "/vms/?q=many&per_page=25")
    found = re.search(r'name="filter" value="([^"]*)"', page.content.decode())
    assert found is not None
    batch = select(client, "reboot", all="1", filter=found[1].replace("&amp;", "&"))
    assert batch.items.count() == (30 if cluster else 60)


def test_on_a_node_only_what_is_ticked_is_taken(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.admin).get("/clusters/prod/nodes/node1.example.org/primary/").content.decode()
    assert 'name="vm"' in page and 'name="filter"' not in page and 'name="all"' not in page


@pytest.mark.parametrize(
    "data",
    [{}, {"vm": "nonsense"}, {"vm": "9" * 30, "verb": "start"}, {"vm": "²"}, {"vm": "999999", "verb": "start"}],
)
def test_without_machines_there_is_no_plan(site: Site, sign_in: SignIn, data: dict[str, str]) -> None:
    client = sign_in(site.admin)
    answer = client.post(reverse("vms-batch"), data, follow=True)
    assert "Select machines first." in answer.content.decode()
    assert not Batch.objects.exists()


def test_too_many_machines_are_refused(site: Site, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    machines = (VirtualMachine(cluster=site.edge, name=f"x{n}", uuid=f"x{n}", search_text="x") for n in range(2000))
    VirtualMachine.objects.bulk_create(machines, batch_size=1000)
    answer = sign_in(site.admin).post(reverse("vms-batch"), {"all": "1", "verb": "start"}, follow=True)
    assert "2003 machines" in answer.content.decode() and not Batch.objects.exists()


def test_only_what_the_bar_offers_can_be_asked_for(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    for verb in ("forget", "console", "fly", ""):
        assert client.post(reverse("vms-batch"), {"vm": site.web.pk, "verb": verb}).status_code == 404
    assert not Batch.objects.exists()


def test_a_batch_is_seen_by_its_actor_and_by_administrators(site: Site, sign_in: SignIn) -> None:
    batch = plan(Shutdown(), Actor(site.alice, Via.WEB), VirtualMachine.objects.filter(pk=site.web.pk), {})
    begin_batch(batch, {})
    url = reverse("batch", args=[batch.uuid])
    answers = {who.username: sign_in(who).get(url).status_code for who in (site.alice, site.admin, site.stranger)}
    assert answers == {site.alice.username: 200, site.admin.username: 200, site.stranger.username: 404}
    for verb in ("stop", "continue", "retry", "begin"):
        assert do(sign_in(site.stranger), batch, verb) == 404
    assert [
        who for who in (site.alice, site.admin, site.stranger) if url in sign_in(who).get("/batches/").content.decode()
    ] == [
        site.alice,
        site.admin,
    ]


def test_others_may_stop_and_continue_but_not_use_the_rights_of_its_actor(site: Site, sign_in: SignIn) -> None:
    batch = plan(ShutdownNow(), Actor(site.alice, Via.WEB), VirtualMachine.objects.filter(pk=site.web.pk), {})
    admin = sign_in(site.admin)
    assert do(admin, batch, "begin", typed_count="1") == 403
    assert do(sign_in(site.alice), batch, "begin", typed_count="1") == 302
    assert do(admin, batch, "retry") == 403
    states = []
    for verb in ("stop", "continue"):
        assert do(admin, batch, verb) == 302
        states.append(Batch.objects.get().state)
    assert states == ["stopped", "running"]
    assert do(admin, batch, "explode") == 404


def test_the_page_says_how_far_it_is_and_leads_on(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.alice)
    vms = VirtualMachine.objects.filter(pk__in=[site.web.pk, site.db.pk])
    vms.update(status="running", admin_state="up")
    batch = plan(Shutdown(), Actor(site.alice, Via.WEB), vms, {})
    begin_batch(batch, {})
    first = batch.items.earliest("position")
    entry = Entry.objects.create(
        actor=site.alice,
        via="bulk",
        verb="vm.shutdown",
        target_kind="vm",
        target_name="x",
        outcome="failed",
        job_ids=[71],
    )
    BatchItem.objects.filter(pk=first.pk).update(state="failed", reason="disk is on fire", entry=entry)
    page = client.get(reverse("batch", args=[batch.uuid])).content.decode()
    assert (
        "disk is on fire" in page
        and "/clusters/prod/jobs/71/" in page
        and f'href="{reverse("vm", args=["prod", "db1.example.org"])}"' in page
    )
    assert "Stop" in page and "Retry failed" in page
    assert do(client, batch, "retry") == 302
    assert set(batch.items.values_list("state", flat=True)) == {"waiting"}
    only = client.get(reverse("batch", args=[batch.uuid]) + "?part=failed").content.decode()
    assert "db1" not in only[only.index("<table") : only.index("</table")] if "<table" in only else True


@pytest.mark.parametrize("number", [3, 60])
def test_queries_of_the_pages_do_not_grow(
    site: Site, sign_in: SignIn, number: int, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for _each in range(number):
        make_vm(site.prod)
    vms = VirtualMachine.objects.filter(cluster=site.prod)
    planned, running = (plan(Shutdown(), Actor(site.admin, Via.WEB), vms, {}) for _each in range(2))
    begin_batch(running, {})
    client = sign_in(site.admin)
    for url in (reverse("batches"), reverse("batch", args=[planned.uuid]), reverse("batch", args=[running.uuid])):
        client.get(url)
        with django_assert_max_num_queries(14):  # type: ignore[attr-defined]
            assert client.get(url).status_code == 200


def test_nothing_happens_without_the_token_of_our_pages(site: Site) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(site.admin)
    assert client.post(reverse("vms-batch"), {"vm": site.web.pk, "verb": "start"}).status_code == 403
    batch = plan(Shutdown(), Actor(site.admin, Via.WEB), VirtualMachine.objects.filter(pk=site.web.pk), {})
    assert do(client, batch, "begin") == 403
    assert Batch.objects.get().state == "planned"


def test_batches_are_found_beside_the_jobs(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.alice)
    for here, other in (("/jobs/", "/batches/"), ("/batches/", "/jobs/")):
        page = client.get(here).content.decode()
        tabs = page[page.index('class="tabs"') :]
        assert f'href="{other}"' in tabs[: tabs.index("</nav>")]
        assert re.search(rf'<a\s+href="{here}"\s+aria-current="page"', tabs[: tabs.index("</nav>")])
        assert re.search(r'<a\s+href="/jobs/"\s+aria-current="(page|true)"', page[page.index('id="nav"') :])


@pytest.mark.parametrize("verb", ["begin", "stop", "continue", "retry"])
def test_the_batch_of_another_is_as_if_it_were_not_there(site: Site, sign_in: SignIn, verb: str) -> None:
    batch = plan(ShutdownNow(), Actor(site.alice, Via.WEB), VirtualMachine.objects.filter(pk=site.web.pk), {})
    client = sign_in(site.stranger)
    url = reverse("batch", args=[batch.uuid])
    absent = reverse("batch", args=["00000000-0000-4000-8000-000000000001"])
    assert text_of(client.get(url)) == text_of(client.get(absent))
    assert do(client, batch, verb, typed_count="1") == 404
    batch.refresh_from_db()
    assert batch.state == "planned"


def test_two_browsers_confirm_one_plan(site: Site, sign_in: SignIn) -> None:
    """It begins once, with the parameters of the first; the second is shown the batch."""
    batch = select(sign_in(site.alice), "shutdown", site.web)
    first, second = sign_in(site.alice), sign_in(site.alice)
    assert [do(first, batch, "begin", timeout_s="10"), do(second, batch, "begin", timeout_s="20")] == [302, 302]
    batch.refresh_from_db()
    assert (batch.state, batch.params) == ("running", {"timeout_s": 10})
    assert batch.items.count() == 1


def test_a_plan_that_was_begun_is_not_begun_by_an_administrator(site: Site, sign_in: SignIn) -> None:
    batch = select(sign_in(site.alice), "shutdown", site.web)
    page = sign_in(site.admin).get(reverse("batch", args=[batch.uuid])).content.decode()
    assert "only they can begin it" in page and "Shutdown timeout" not in page


@pytest.mark.parametrize("change", ["deleted", "renamed", "moved away", "made another's"])
def test_what_became_of_a_machine_since_it_was_planned(site: Site, sign_in: SignIn, change: str) -> None:
    """The pages show it; the item knows the machine by its row, whatever it is called."""
    client = sign_in(site.alice)
    batch = select(client, "shutdown", site.web)
    vms = VirtualMachine.objects.filter(pk=site.web.pk)
    if change == "deleted":
        vms.delete()
    elif change == "renamed":
        vms.update(name="new.example.org")
    elif change == "moved away":
        vms.update(missing_since="2026-01-01T00:00:00Z")
    else:
        revoke(["admin", "power"], site.alice, site.web)
    for _twice in range(2):
        page = client.get(reverse("batch", args=[batch.uuid])).content.decode()
        assert "web1" in page
        do(client, batch, "begin", timeout_s="10")


def test_more_machines_than_a_page_can_show_are_not_a_request_of_ours(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    for number in (5_000, 100_000):
        assert client.post(reverse("vms-batch"), {"verb": "shutdown", "vm": range(number)}).status_code == 400
    assert not Batch.objects.exists()


def test_a_filter_is_taken_whole_or_not_at_all(site: Site, sign_in: SignIn) -> None:
    """Its end may be what leaves machines out."""
    spaces = "+" * 3_000
    for wanted in (f"q=web{spaces}-web1", f"q={'x' * 100_000}"):
        answer = sign_in(site.admin).post(
            reverse("vms-batch"), {"verb": "shutdown", "all": "1", "filter": wanted}, follow=True
        )
        assert "This filter is too long." in answer.content.decode()
    assert not Batch.objects.exists()


def test_a_filter_that_can_not_be_read_matches_nothing(site: Site, sign_in: SignIn) -> None:
    answer = sign_in(site.admin).post(
        reverse("vms-batch"), {"verb": "shutdown", "all": "1", "filter": "q=mem>lots"}, follow=True
    )
    assert "Select machines first." in answer.content.decode() and not Batch.objects.exists()


@pytest.mark.alike
@pytest.mark.parametrize("typed", ["-2", "2.0", "\uff12", " 2 ", "2e0", "0", "99999999999999999999999"])
def test_the_number_is_typed_as_it_is(site: Site, sign_in: SignIn, typed: str) -> None:
    client = sign_in(site.admin)
    batch = select(client, "shutdown-now", site.web, site.other)
    expected = 302 if typed.strip() in ("2", "2.0", "\uff12") else 422
    assert do(client, batch, "begin", typed_count=typed) == expected


def test_the_command_is_renewed_with_what_is_typed(site: Site, sign_in: SignIn) -> None:
    """As part of the page while one types, and with the page where there is no script. Nothing is begun."""
    client = sign_in(site.admin)
    batch = select(client, "shutdown", site.web)
    url = reverse("batch-do", args=[batch.uuid, "begin"])
    page = client.get(reverse("batch", args=[batch.uuid])).content.decode()
    assert f'hx-post="{url}"' in page and 'name="preview"' in page
    for data in ({"live": "1"}, {"preview": "1"}):
        said = client.post(url, {"timeout_s": "45", **data}).content.decode()
        assert f"gnt-instance shutdown --timeout=45 {site.web.name}" in said
    part = client.post(url, {"timeout_s": "nonsense", "live": "1"}).content.decode()
    assert "gnt-instance" not in part and "Fill in" in part and "<html" not in part
    tags = select(client, "add-tags", site.web)
    part = client.post(reverse("batch-do", args=[tags.uuid, "begin"]), {"tags": "blue", "live": "1"}).content.decode()
    assert "gnt-instance add-tags" in part and "blue" in part
    assert set(Batch.objects.values_list("state", flat=True)) == {"planned"}


def test_what_destroys_needs_no_number_to_be_shown(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    batch = select(client, "delete", site.db)
    url = reverse("batch-do", args=[batch.uuid, "begin"])
    answer = client.post(url, {"preview": "1", "timeout_s": "7"})
    assert answer.status_code == 200 and "--shutdown-timeout=7" in answer.content.decode()
    assert "Type 1 to confirm." in answer.content.decode()
