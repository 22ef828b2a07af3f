"""Every page says what it shows, and what is asked by open pages is given to the right people alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.messages.storage.session import SessionStorage
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from clusters.models import Job, Schedule
from gwm.live.note import Note, now
from gwm.live.pages import PAGES, STILL
from permissions.models import User
from permissions.sessions import mark_of_key
from tests.factories import make_user
from tests.pages.conftest import Site

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G045")]
SignIn = Callable[[User], Client]
# Answers that are no page of their own, what takes POST only, and pages for strangers.
NO_PAGES = re.compile(
    r"^(dock|live-.*|job-status|vm-console-(ticket|popout|picture)|vms-create-live|login|logout|account.*|None)$"
)


def names() -> set[str]:
    return {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}


def test_every_page_says_what_it_shows() -> None:
    assert {name for name in names() if not NO_PAGES.match(name)} - set(PAGES) - STILL == set()
    assert (set(PAGES) | STILL) - names() == set()


def note_on(client: Client, url: str) -> Note:
    page = client.get(url).content.decode()
    found = re.search(r'name="live-note" content="([^"]+)"', page)
    assert found, url
    return Note.open(found[1])


def test_a_note_names_what_the_page_is_about(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    job = Job.objects.get()
    vm, cluster, node = site.web, site.prod, site.prod.nodes.get(name="node1.example.org")
    expected = {
        "/clusters/prod/vms/web1.example.org/": {f"vm:{vm.pk}", f"job:{job.pk}", f"of:instance:{vm.pk}"},
        "/clusters/prod/vms/web1.example.org/jobs/": {f"vm:{vm.pk}", f"job:{job.pk}"},
        "/clusters/prod/vms/web1.example.org/journal/": {f"journal:vm:{vm.pk}"},
        "/clusters/prod/vms/": {f"cluster:{cluster.pk}", f"vms:{cluster.pk}"},
        "/clusters/prod/nodes/node1.example.org/": {f"node:{node.pk}"},
        f"/clusters/prod/jobs/{job.ganeti_id}/": {f"job:{job.pk}", f"cluster:{cluster.pk}"},
        "/jobs/": {"jobs:*"},
        "/": {"vms:*", "nodes:*", "cluster:*", "jobs:*"},
    }
    for url, topics in expected.items():
        note = note_on(client, url)
        assert topics | {f"rights:{site.admin.pk}", "rights:groups"} <= set(note.shows), url
        assert note.person == site.admin.pk
        assert note.session == mark_of_key(client.cookies["gwm_session"].value)
        assert now() - 30 < note.at <= now()
    assert note_on(client, "/about/").shows == ()
    assert "jobs:*" in note_on(client, "/about/").around


def test_what_says_no_shows_nothing_that_changes(sign_in: SignIn) -> None:
    note = note_on(sign_in(make_user()), "/people/")
    assert note.shows == () and "jobs:*" in note.around


def test_strangers_get_no_note(client: Client) -> None:
    assert "live-note" not in client.get("/login/").content.decode()


def test_a_poll_tells_the_parts_that_changed(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.alice)
    note = note_on(client, "/clusters/prod/vms/web1.example.org/")
    later = Note(note.person, note.session, now() + 60, note.shows, note.around, note.ages)

    def ask(note: Note) -> object:
        return client.get("/live/changed/", headers={"X-Live-Note": note.seal()}).json()

    site.web.status = "ADMIN_down"
    site.web.save()
    assert "page" in ask(note)["parts"]  # type: ignore[index]
    assert ask(later) == {"parts": []}


def test_another_persons_note_is_refused(site: Site, sign_in: SignIn) -> None:
    note = note_on(sign_in(site.admin), "/vms/").seal()
    other_session = note_on(sign_in(site.alice), "/vms/").seal()
    client = sign_in(site.alice)
    for text in (note, other_session, "", "x:y:z"):
        assert client.get("/live/changed/", headers={"X-Live-Note": text}).status_code == 403
    assert client.get("/live/changed/", headers={"X-Live-Note": note_on(client, "/vms/").seal()}).status_code == 200


def test_ages_are_told_of_clusters_one_may_know_of(site: Site, sign_in: SignIn) -> None:
    read_at = timezone.now()
    Schedule.objects.update(synced_at=read_at, live_at=None)
    asked = f"/live/ages/?of={site.prod.pk},{site.edge.pk},x,,999999999999"
    told = {"synced": read_at.isoformat(), "read": read_at.isoformat()}
    assert sign_in(site.admin).get(asked).json() == {str(site.prod.pk): told, str(site.edge.pk): told}
    assert sign_in(site.alice).get(asked).json() == {str(site.prod.pk): told}
    assert sign_in(site.stranger).get(asked).json() == {}


def test_a_page_that_is_only_renewed_leaves_messages_for_the_next(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    client.post("/clusters/prod/do/refresh/")
    assert "toast is-" not in client.get("/vms/", headers={"X-Live": "1"}).content.decode()
    assert SessionStorage.session_key in client.session
    assert "toast is-" in client.get("/vms/").content.decode()
