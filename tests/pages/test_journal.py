"""Who reads what of the journal, and how entries are found."""

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from clusters.models import Cluster, Job
from objectlog.changes import Change
from objectlog.models import Entry, Event, Outcome, Via
from objectlog.origin import asked_from, find_origin
from objectlog.services import Target, advance, begin, note
from permissions.journal import list_visible_events, read_few_visible_events
from permissions.models import User
from permissions.policy import visible
from permissions.services import grant
from tests.factories import make_job, make_user
from tests.pages.conftest import Site

SignIn = Callable[[User], Client]


@pytest.fixture
def site(kept_site: Site, db: None) -> Site:
    return deepcopy(kept_site)


def write(user: User, verb: str, target: Target, outcome: Outcome = Outcome.DONE) -> Entry:
    """An entry by `user`."""
    return begin(
        actor_id=user.pk,
        actor_name=user.username,
        persona_name=user.username,
        via=Via.WEB,
        verb=verb,
        target=target,
        params={},
        outcome=outcome,
    )


def about_cluster(cluster: Cluster) -> Target:
    """What an entry about a cluster names."""
    return Target("cluster", cluster.pk, cluster.slug, cluster.slug, cluster.pk, cluster.uuid)


@pytest.fixture
def journal(site: Site) -> Site:
    """Entries by everybody about everything."""
    web = Target("vm", site.web.pk, site.web.name, "prod")
    write(site.admin, "vm.reboot", web)
    write(site.alice, "vm.start", Target("vm", site.db.pk, site.db.name, "prod"), Outcome.FAILED)
    write(site.admin, "vm.console", Target("vm", site.other.pk, site.other.name, "edge"))
    write(site.admin, "vm.shutdown", Target("vm", site.db.pk, site.db.name, "prod"))
    write(site.admin, "cluster.refresh", about_cluster(site.edge))
    return site


def verbs(client: Client, query: str = "", url: str = "/journal/") -> list[str]:
    """What was done, newest first."""
    return [entry.verb for entry in client.get(f"{url}?{query}").context["page"].object_list]


@pytest.mark.feature("F260", "F138")
def test_who_reads_what(journal: Site, sign_in: SignIn) -> None:
    assert verbs(sign_in(journal.admin)) == ["cluster.refresh", "vm.shutdown", "vm.console", "vm.start", "vm.reboot"]
    # Her own, and what others did to what she administers: power alone does not open the journal of a machine.
    assert verbs(sign_in(journal.alice)) == ["vm.start", "vm.reboot"]
    assert verbs(sign_in(journal.stranger)) == []
    manager = make_user("manager")
    grant(["admin"], manager, journal.edge)
    assert verbs(sign_in(manager)) == ["cluster.refresh", "vm.console"]
    assert verbs(sign_in(journal.alice), url="/clusters/prod/vms/db1.example.org/journal/") == ["vm.start"]


def test_what_was_done_to_a_job_is_read_by_who_may_do_it(journal: Site, sign_in: SignIn) -> None:
    job = Job.objects.get()
    write(journal.admin, "job.cancel", Target("job", job.pk, str(job), "prod", journal.prod.pk))
    reader, doer = make_user("reader"), make_user("doer")
    grant(["tags"], reader, journal.web)
    grant(["power"], doer, journal.web)
    assert visible(reader, "view", Job.objects.all()).exists()
    assert [verbs(sign_in(person)) for person in (reader, doer)] == [[], ["job.cancel"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who=alice", ["vm.start"]),
        ("verb=vm.console", ["vm.console"]),
        ("what=db1", ["vm.shutdown", "vm.start"]),
        ("what=edge", ["cluster.refresh", "vm.console"]),
        ("outcome=bad", ["vm.start"]),
        ("outcome=open", []),
        ("outcome=nonsense", []),
        ("q=outcome:failed", ["vm.start"]),
        ("q=-actor:root", ["vm.start"]),
        ("q=verb:vm.reboot+actor:root+kind:vm", ["vm.reboot"]),
        ("q=cluster:edge+-kind:vm", ["cluster.refresh"]),
        ("q=since:today+what:web1", ["vm.console", "vm.reboot"]),
        ("q=since<today", []),
        ("sort=who", ["vm.shutdown", "cluster.refresh", "vm.console", "vm.reboot", "vm.start"]),
    ],
)
def test_filters(journal: Site, sign_in: SignIn, query: str, found: list[str]) -> None:
    listed = verbs(sign_in(journal.admin), query)
    assert sorted(listed) == sorted(found)
    if query.startswith("sort"):
        assert listed[-1] == "vm.start" or listed[0] == "vm.start"


def test_by_which_way_and_from_which_address(site: Site, sign_in: SignIn) -> None:
    """By what is sealed: nothing that people write can pass for it."""
    said = '"version":1,"via":"cli","words":"from":"192.0.2.7","job_ids":'
    for number, (via, address) in enumerate(
        [
            *((Via.CLI, ""), (Via.WEB, "192.0.2.7"), (Via.BULK, "192.0.2.70")),
            *((Via.API, "2001:db8::7"), (Via.UPDATE, "2001:db8::70")),
        ]
    ):
        with asked_from(address):
            note(
                actor_id=site.admin.pk,
                actor_name=said,
                via=via,
                verb="vm.rename",
                outcome=Outcome.DONE,
                target=Target("vm", number, said),
                params={"new_name": said, "from": "10.0.0.9"},
                words=said,
            )
    client = sign_in(site.admin)
    for query, numbers in {
        "q=via:cli": [0],
        "q=via:Web": [1],
        "via=bulk": [2],
        "q=-via:web+-via:cli": [4, 3, 2],
        "q=from:192.0.2.7": [1],
        "q=from:192.0.2.": [2, 1],
        "from=2001:DB8:0::7": [3],
        "q=from:2001:DB8:": [4, 3],
        "q=from:10.0.0.9": [],
        "q=from:192_0_2_7": [],
        "q=-from:%22%22": [0],
        "q=via:web+from:192.0.2.70": [],
    }.items():
        found = [event.target_pk for event in client.get(f"/journal/?{query}").context["page"].object_list]
        assert found == numbers, query
    page = client.get("/journal/?q=via:pigeon").content.decode()
    assert "it is one of web, bulk, api, cli, update" in page


@pytest.mark.feature("F260")
def test_by_an_address_nobody_finds_what_they_may_not_read(journal: Site, sign_in: SignIn) -> None:
    with asked_from("192.0.2.7"):
        write(journal.admin, "vm.reboot", Target("vm", journal.db.pk, journal.db.name, "prod"))
        write(journal.admin, "vm.stop", Target("vm", journal.web.pk, journal.web.name, "prod"))
    assert verbs(sign_in(journal.admin), "q=from:192.0.2.7") == ["vm.stop", "vm.reboot"]
    assert verbs(sign_in(journal.alice), "q=from:192.0.2.7") == ["vm.stop"]
    assert verbs(sign_in(journal.stranger), "q=from:192.0.2.7") == []


@pytest.mark.feature("F259")
def test_entries_are_sentences(journal: Site, sign_in: SignIn) -> None:
    page = sign_in(journal.admin).get("/journal/").content.decode()
    assert "Opened the console of web1.example.org" in page
    journal.web.delete()
    assert "Rebooted web1.example.org" in sign_in(journal.admin).get("/journal/").content.decode()


def test_of_an_operation_its_last_step_is_shown_and_the_others_if_one_asks(journal: Site, sign_in: SignIn) -> None:
    client = sign_in(journal.admin)
    entry = write(
        journal.admin, "vm.reboot", Target("vm", journal.web.pk, journal.web.name, "prod"), Outcome.SUBMITTING
    )
    advance(entry, Outcome.SUBMITTED, job_ids=[17])
    advance(entry, Outcome.FAILED, message="Node is down")

    def outcomes(query: str) -> list[str]:
        return [event.outcome for event in client.get(f"/journal/?{query}").context["page"].object_list]

    assert outcomes("what=web1&verb=vm.reboot") == ["failed", "done"]
    assert outcomes("what=web1&verb=vm.reboot&steps=all") == ["failed", "submitted", "submitting", "done"]
    assert outcomes(f"entry={entry.uuid}") == ["failed", "submitted", "submitting"]
    assert outcomes("entry=nonsense") == []
    assert outcomes("outcome=open") == []
    page = client.get("/journal/").content.decode()
    assert "Reboot of web1.example.org failed" in page and "Node is down" in page
    assert f"?entry={entry.uuid}" in page


@pytest.mark.feature("G018")
@pytest.mark.parametrize(("words", "number"), [("reboot", 1), ("REBOOTED", 1), ("db1", 2), ("nothing like it", 0)])
def test_search(journal: Site, sign_in: SignIn, words: str, number: int) -> None:
    client = sign_in(journal.admin)
    assert len(client.get("/journal/", {"q": words}).context["page"].object_list) == number


def test_search_finds_nothing_that_one_may_not_see(journal: Site, sign_in: SignIn) -> None:
    assert verbs(sign_in(journal.stranger), "q=web1&steps=all") == []
    assert verbs(sign_in(journal.alice), "q=example&steps=all") == ["vm.start", "vm.reboot"]


@pytest.mark.feature("G053")
def test_before_and_after_are_shown(journal: Site, sign_in: SignIn) -> None:
    begin(
        actor_id=journal.admin.pk,
        actor_name="root",
        persona_name="root",
        via=Via.WEB,
        verb="cluster.edit",
        target=about_cluster(journal.prod),
        params={},
        outcome=Outcome.DONE,
        changes=[
            Change("port", "port", 5080, "<b>5081</b>"),
            Change("password", "password", "secret", "other secret", is_hidden=True),
        ],
    )
    page = sign_in(journal.admin).get("/journal/").content.decode()
    assert "Edited cluster prod: port 5080 → &lt;b&gt;5081&lt;/b&gt;, password changed" in page
    assert "<del>5080</del> <ins>&lt;b&gt;5081&lt;/b&gt;</ins>" in page
    assert "secret" not in page


def test_what_has_no_object_is_read_by_the_actor_and_by_who_sees_all(journal: Site, sign_in: SignIn) -> None:
    for actor, outcome in ((journal.alice, Outcome.DONE), (None, Outcome.FAILED)):
        note(
            actor_id=actor.pk if actor else None,
            actor_name=actor.username if actor else "",
            via=Via.WEB,
            verb="person.sign-in",
            outcome=outcome,
            params={"address": "192.0.2.1"},
        )
    seen = {
        person.username: sorted(
            event.outcome for event in sign_in(person).get("/journal/?verb=person.sign-in").context["page"].object_list
        )
        for person in (journal.admin, journal.alice, journal.stranger)
    }
    assert seen == {"root": ["done", "failed"], "alice": ["done"], "stranger": []}


@pytest.mark.feature("F058", "F254")
def test_a_cluster_and_a_node_show_what_was_done_there(journal: Site, sign_in: SignIn) -> None:
    client = sign_in(journal.admin)
    assert verbs(client, url="/clusters/edge/journal/") == ["cluster.refresh"]
    node = journal.web.primary_node
    assert node is not None
    write(journal.admin, "node.forget", Target("node", node.pk, node.name, "prod", journal.prod.pk))
    assert verbs(client, url=f"/clusters/prod/nodes/{node.name}/journal/") == ["node.forget"]
    assert verbs(client, url="/clusters/prod/journal/") == ["node.forget"]
    manager = make_user("manager")
    grant(["create_vm"], manager, journal.prod)
    assert verbs(sign_in(manager), url="/clusters/prod/journal/") == []


@pytest.mark.feature("G018")
def test_a_job_shows_its_steps_and_what_was_done_to_it_to_whom_the_journal_does(site: Site, sign_in: SignIn) -> None:
    web = Target("vm", site.web.pk, site.web.name, "prod", site.prod.pk, site.web.uuid)
    entry = write(site.admin, "vm.reboot", web, Outcome.SUBMITTING)
    advance(entry, Outcome.SUBMITTED)
    job = make_job(site.prod, ("instance", site.web.name), ("instance", site.db.name), status="running", ganeti_id=4242)
    Job.objects.filter(pk=job.pk).update(entry=entry)
    write(site.admin, "job.cancel", Target("job", job.pk, "4242", "prod", site.prod.pk))
    write(site.admin, "vm.start", web)
    # May see the job, but cancel it on one of its two machines alone.
    power_alone = make_user("operator")
    grant(["power"], power_alone, site.web)
    url = "/clusters/prod/jobs/4242/"
    seen = {
        user.username: [event.verb for event in sign_in(user).get(url).context["events"]]
        for user in (site.admin, site.alice, power_alone)
    }
    assert seen == {
        "root": ["vm.reboot", "vm.reboot", "job.cancel"],
        "alice": ["vm.reboot", "vm.reboot", "job.cancel"],
        "operator": [],
    }
    page = sign_in(site.admin).get(url).content.decode()
    assert f"Reboot of {site.web.name} accepted by Ganeti" in page


@pytest.mark.feature("F261")
def test_it_is_told_day_by_day_while_it_is_in_the_order_of_time(journal: Site, sign_in: SignIn) -> None:
    for days, event in enumerate(Event.objects.order_by("-pk")):
        at = datetime(2026, 11, 26, 12, tzinfo=UTC) - timedelta(days=days // 2)
        Event.objects.filter(pk=event.pk).update(at=at)
    client = sign_in(journal.admin)
    days = re.compile(r'<tr class="part"><th scope="colgroup" colspan="\d+">([^<]*)<')
    told = days.findall(client.get("/journal/").content.decode())
    assert told == ["Thursday, 26 November 2026", "Wednesday, 25 November 2026", "Tuesday, 24 November 2026"]
    assert days.findall(client.get("/journal/?sort=when").content.decode()) == told[::-1]
    assert days.findall(client.get("/journal/?sort=outcome").content.decode()) == []


def test_from_where_is_told_of_what_a_page_asked_for_alone(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.alice)
    client.post("/clusters/prod/vms/web1.example.org/do/notes/", {"notes": "new"}, REMOTE_ADDR="192.0.2.7")
    write(site.admin, "vm.start", Target("vm", site.web.pk, site.web.name, "prod"))
    told = sign_in(site.admin).get("/journal/?format=json&columns=from,verb").json()["journal"]
    assert [(each["verb"], each["from"]) for each in told] == [("vm.start", ""), ("vm.notes", "192.0.2.7")]
    assert find_origin() == ""


@pytest.mark.feature("F258")
def test_a_line_leads_to_its_job(site: Site, sign_in: SignIn) -> None:
    web = Target("vm", site.web.pk, site.web.name, "prod", site.prod.pk, site.web.uuid)
    advance(write(site.admin, "vm.reboot", web, Outcome.SUBMITTING), Outcome.SUBMITTED, job_ids=[4242])
    client = sign_in(site.admin)
    assert '<a href="/clusters/prod/jobs/4242/">4242</a>' in client.get("/journal/").content.decode()
    site.prod.delete()
    page = client.get("/journal/").content.decode()
    assert "4242" in page and "/jobs/4242/" not in page and "/None/" not in page


@pytest.mark.feature("F262")
def test_a_long_journal_is_paged_and_no_line_is_twice_or_missing(journal: Site, sign_in: SignIn) -> None:
    client = sign_in(journal.admin)
    for _ in range(120):
        write(journal.admin, "vm.console", Target("vm", journal.web.pk, journal.web.name, "prod"))
    first, second, third = (client.get(f"/journal/?per_page=50&page={number}").context["page"] for number in (1, 2, 3))
    told = [event.pk for page in (first, second, third) for event in page.object_list]
    assert told == list(Event.objects.order_by("-pk").values_list("pk", flat=True))
    assert first.has_next() and second.has_previous() and not third.has_next()


def test_what_few_may_read_is_the_same_by_its_keys(
    journal: Site, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = Target("vm", journal.web.pk, journal.web.name, "prod")
    advance(write(journal.alice, "vm.reboot", web, Outcome.SUBMITTED), Outcome.FAILED)
    few, every = read_few_visible_events(journal.alice), list_visible_events(journal.alice)
    assert few is not None
    assert set(few) == set(every)
    if connection.vendor != "mysql":  # which takes each key by itself
        assert len(few.query.sql_with_params()[1]) == 1  # value, however many keys
    assert every.filter(is_overtaken=False).count() < every.count() < Event.objects.count()
    client = sign_in(journal.alice)
    queries = ["", "steps=1", "q=reboot", "sort=who", "per_page=5&page=2", "outcome=bad"]
    by_keys = [verbs(client, query) for query in queries]
    monkeypatch.setattr("permissions.journal.MOST", few.count() - 1)
    assert read_few_visible_events(journal.alice) is None
    assert [verbs(client, query) for query in queries] == by_keys
    assert all(by_keys[:4])


def test_whoever_may_read_much_is_not_looked_up_by_keys(journal: Site) -> None:
    assert read_few_visible_events(journal.admin) is None
    grant(["audit"], journal.alice, journal.prod)
    assert read_few_visible_events(journal.alice) is None
