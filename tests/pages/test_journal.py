"""Who reads what of the journal, and how entries are found."""

from collections.abc import Callable

import pytest
from django.test import Client

from clusters.models import Cluster, Job
from objectlog.models import Entry, Outcome, Via
from objectlog.services import Target, begin
from permissions.models import User
from permissions.policy import visible
from permissions.services import grant
from tests.factories import make_user
from tests.pages.conftest import Site

SignIn = Callable[[User], Client]


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
        ("outcome=nonsense&verb=nonsense", ["cluster.refresh", "vm.shutdown", "vm.console", "vm.start", "vm.reboot"]),
        ("sort=who", ["vm.shutdown", "cluster.refresh", "vm.console", "vm.reboot", "vm.start"]),
    ],
)
def test_filters(journal: Site, sign_in: SignIn, query: str, found: list[str]) -> None:
    listed = verbs(sign_in(journal.admin), query)
    assert sorted(listed) == sorted(found)
    if query.startswith("sort"):
        assert listed[-1] == "vm.start" or listed[0] == "vm.start"


def test_entries_are_sentences(journal: Site, sign_in: SignIn) -> None:
    page = sign_in(journal.admin).get("/journal/").content.decode()
    assert "Opened the console of web1.example.org" in page
    journal.web.delete()
    assert "Rebooted web1.example.org" in sign_in(journal.admin).get("/journal/").content.decode()
