"""A URL with a name means what is there under it; what is missing has its uuid, what was renamed is found again."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import get_resolver, include, path
from django.utils import timezone

from clusters.forms.cluster import AddForm, describe_cluster
from clusters.models import Cluster, FormerName, JobTarget
from clusters.operations.cluster import EditCluster
from clusters.operations.wanted import ClusterSettings, derive_slug
from clusters.urls import urlpatterns as cluster_patterns
from gwm.urls import urlpatterns
from objectlog.models import Entry, Outcome, Via
from objectlog.services import Target, advance, begin
from operations.contract import Actor, Ask, Refusal
from operations.pipeline import run
from permissions.models import User
from permissions.services import grant
from tests.factories import make_job, make_node, make_user, make_vm
from tests.fixtures.databases import some_in_fast
from tests.pages.conftest import Site
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G048")]
SignIn = Callable[[User], Client]
VM = "/clusters/prod/vms/web1.example.org/"
PARTS = ["", "parameters/", "jobs/", "journal/", "console/", "console/window/", "do/start/"]


@pytest.fixture
def site(kept_site: Site, db: None) -> Site:
    return deepcopy(kept_site)


def rename(row: Any, name: str, kind: str = "instance") -> None:
    """As an update does that sees another name."""
    now = timezone.now()
    FormerName.objects.create(
        cluster=row.cluster, kind=kind, target_pk=row.pk, name=row.name, seen_at=now, until=timezone.now()
    )
    row.name = name
    row.save()


def lose(row: Any) -> None:
    """As an update does that does not find it any more."""
    row.missing_since = timezone.now()
    row.save()


@pytest.mark.parametrize("part", some_in_fast(PARTS, 3))
def test_a_former_name_leads_to_the_renamed_machine(site: Site, sign_in: SignIn, part: str) -> None:
    rename(site.web, "new.example.org")
    answer = sign_in(site.alice).get(f"{VM}{part}?live=1")
    assert (answer.status_code, answer["Location"]) == (302, f"/clusters/prod/vms/new.example.org/{part}?live=1")
    assert sign_in(site.stranger).get(f"{VM}{part}").status_code == 404


def test_what_is_sent_to_a_former_name_reaches_the_machine_that_was_meant(site: Site, sign_in: SignIn) -> None:
    rename(site.web, "new.example.org")
    answer = sign_in(site.alice).post(f"{VM}console/ticket/")
    assert (answer.status_code, answer["Location"]) == (307, "/clusters/prod/vms/new.example.org/console/ticket/")


@pytest.mark.parametrize("part", some_in_fast(PARTS, 3))
def test_a_former_name_that_another_has_now_is_the_others(site: Site, sign_in: SignIn, part: str) -> None:
    rename(site.web, "new.example.org")
    client = sign_in(site.alice)
    other = make_vm(site.prod, "web1.example.org")
    assert client.get(f"{VM}{part}").status_code == 404
    grant(["power"], site.alice, other)
    assert client.get(f"{VM}{part}").status_code == 200


def test_of_two_that_had_the_name_it_is_the_last(site: Site, sign_in: SignIn) -> None:
    rename(site.db, "web1.example.org")
    rename(site.db, "db.example.org")
    rename(site.web, "new.example.org")
    client = sign_in(site.alice)
    assert client.get(VM)["Location"] == "/clusters/prod/vms/new.example.org/"
    assert client.get("/clusters/prod/vms/db1.example.org/")["Location"] == "/clusters/prod/vms/db.example.org/"


def test_an_open_page_of_a_machine_asks_for_its_row_and_not_for_its_name(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.alice)
    page = client.get(VM).content.decode()
    row = f"/clusters/prod/vms/{site.web.uuid}/"
    assert f'data-row="{row}"' in page
    rename(site.web, "new.example.org")
    grant(["power"], site.alice, make_vm(site.prod, "web1.example.org"))
    assert "new.example.org" in client.get(row).content.decode()


def test_buttons_mean_the_machine_on_whose_page_they_stand(site: Site, sign_in: SignIn) -> None:
    """Also when it is renamed while the page is open, and another takes its name."""
    client = sign_in(site.alice)
    page = client.get(VM).content.decode()
    button = f"/clusters/prod/vms/{site.web.uuid}/do/shutdown/"
    assert button in page
    assert f"/clusters/prod/vms/{site.web.uuid}/console/ticket/" in client.get(f"{VM}console/").content.decode()
    rename(site.web, "new.example.org")
    grant(["power"], site.alice, make_vm(site.prod, "web1.example.org"))
    assert "Shut down new.example.org?" in client.get(button).content.decode()


@pytest.mark.parametrize("part", some_in_fast(PARTS, 3))
def test_what_is_missing_has_its_uuid(site: Site, sign_in: SignIn, part: str) -> None:
    lose(site.web)
    client = sign_in(site.alice)
    uuid_url = f"/clusters/prod/vms/{site.web.uuid}/"
    assert client.get(f"{uuid_url}{part}").status_code == 200
    assert client.get(f"{VM}{part}")["Location"] == f"{uuid_url}{part}"
    make_vm(site.prod, "web1.example.org")
    assert client.get(f"{VM}{part}").status_code == 404
    assert client.get(f"{uuid_url}{part}").status_code == 200


def test_lists_lead_to_what_is_missing(site: Site, sign_in: SignIn) -> None:
    lose(site.web)
    make_vm(site.prod, "web1.example.org")
    for url in ("/vms/?status=missing", "/"):
        assert f"/clusters/prod/vms/{site.web.uuid}/" in sign_in(site.admin).get(url).content.decode()


def test_a_machine_that_is_called_like_the_uuid_of_a_missing_one_is_there_first(site: Site, sign_in: SignIn) -> None:
    lose(site.web)
    make_vm(site.prod, site.web.uuid, status="ADMIN_down")
    page = sign_in(site.admin).get(f"/clusters/prod/vms/{site.web.uuid}/").content.decode()
    assert "no longer" not in page


def test_all_that_can_be_done_with_what_is_missing_is_to_forget_it(site: Site, sign_in: SignIn) -> None:
    lose(site.web)
    client = sign_in(site.admin)
    url = f"/clusters/prod/vms/{site.web.uuid}/"
    for verb in ("start", "shutdown", "shutdown-now", "reboot"):
        answer = client.post(f"{url}do/{verb}/")
        assert (answer.status_code, "no longer there" in answer.content.decode()) == (409, True), verb
    assert client.post(f"{url}console/ticket/").status_code == 409
    assert client.get(f"{url}do/forget/").status_code == 200 and VirtualMachine.objects.filter(pk=site.web.pk).exists()
    assert sign_in(site.alice).post(f"{url}do/forget/").status_code == 403
    assert client.post(f"{url}do/forget/").status_code == 302
    assert not VirtualMachine.objects.filter(pk=site.web.pk).exists()
    entry = Entry.objects.get(verb="vm.forget")
    assert (entry.target_pk, entry.target_uuid, entry.cluster_pk) == (site.web.pk, site.web.uuid, site.prod.pk)
    assert client.get(url).status_code == 404
    assert "Forgot web1.example.org" in client.get("/journal/").content.decode()


def test_what_is_there_cannot_be_forgotten(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    assert "do/forget/" not in client.get(VM).content.decode()
    assert client.post(f"{VM}do/forget/").status_code == 409
    assert client.post("/clusters/prod/nodes/node1.example.org/do/forget/").status_code == 409
    assert VirtualMachine.objects.filter(pk=site.web.pk).exists()


def test_a_node_that_was_removed_and_one_of_its_name(site: Site, sign_in: SignIn) -> None:
    old = site.prod.nodes.get(name="node2.example.org")
    make_job(site.prod, ("node", old.name), ganeti_id=70, title="Of the old node")
    lose(old)
    make_node(site.prod, old.name)
    client = sign_in(site.admin)
    by_name, by_uuid = "/clusters/prod/nodes/node2.example.org/", f"/clusters/prod/nodes/{old.uuid}/"
    assert "no longer lists" in client.get(by_uuid).content.decode()
    assert "no longer lists" not in client.get(by_name).content.decode()
    assert "Of the old node" in client.get(f"{by_uuid}jobs/").content.decode()
    assert "jobs/70/" not in client.get(f"{by_name}jobs/?q=old").content.decode().split('id="dock"')[0]
    assert "do/forget/" in client.get(by_uuid).content.decode()
    assert client.post(f"{by_uuid}do/forget/").status_code == 302
    assert client.get(by_uuid).status_code == 404 and client.get(by_name).status_code == 200


def test_a_renamed_node(site: Site, sign_in: SignIn) -> None:
    rename(site.prod.nodes.get(name="node2.example.org"), "n2.example.org", "node")
    answer = sign_in(site.admin).get("/clusters/prod/nodes/node2.example.org/jobs/")
    assert answer["Location"] == "/clusters/prod/nodes/n2.example.org/jobs/"


def rename_cluster(cluster: Cluster, slug: str) -> None:
    wanted = ClusterSettings(**{**describe_cluster(cluster), "slug": slug})
    run(EditCluster(), Ask(Actor(User.objects.get(username="root"), Via.CLI), cluster, wanted))


def test_links_to_a_cluster_that_is_called_otherwise_now(site: Site, sign_in: SignIn) -> None:
    job = make_job(site.prod, ("instance", site.web.name))
    Cluster.objects.filter(pk=site.prod.pk).update(slug="main")
    Cluster.objects.get(pk=site.prod.pk).former_slugs.create(slug="prod")
    client = sign_in(site.alice)
    assert client.get(VM)["Location"] == "/clusters/main/vms/web1.example.org/"
    url = f"/clusters/prod/vms/{site.web.uuid}/jobs/"
    assert client.get(url)["Location"] == "/clusters/main/vms/web1.example.org/jobs/"
    for part in ("", "status.json"):
        assert client.get(f"/clusters/prod/jobs/{job.ganeti_id}/{part}")["Location"].startswith("/clusters/main/jobs/")
    assert client.get("/clusters/prod/").status_code == 404, "she may not see the cluster"
    admin = sign_in(site.admin)
    for part in ("", "vms/", "nodes/", "jobs/", "parameters/", "edit/", "nodes/node1.example.org/"):
        assert admin.get(f"/clusters/prod/{part}")["Location"] == f"/clusters/main/{part}"
    assert sign_in(site.stranger).get(VM).status_code == 404


def write_start(site: Site, by: str) -> Entry:
    """The journal's entry about a start of web1."""
    return begin(
        actor_id=None,
        actor_name=by,
        persona_name=by,
        via=Via.WEB,
        verb="vm.start",
        target=Target("vm", site.web.pk, "web1.example.org", "prod", site.prod.pk, site.web.uuid),
        params={},
    )


def test_changing_the_short_name_keeps_the_old_one(site: Site, sign_in: SignIn) -> None:
    entry = write_start(site, "alice")
    assert advance(entry, Outcome.SUBMITTED, job_ids=[5])
    rename_cluster(site.prod, "main")
    rename(site.web, "new.example.org")
    entry.refresh_from_db()
    assert entry.cluster_name == "prod", "what was is not rewritten"
    client = sign_in(site.admin)
    page = client.get("/journal/").content.decode()
    assert 'href="/clusters/main/vms/new.example.org/"' in page and 'href="/clusters/main/jobs/5/"' in page
    assert client.get("/clusters/prod/")["Location"] == "/clusters/main/"
    rename_cluster(Cluster.objects.get(pk=site.prod.pk), "prod")
    assert client.get("/clusters/main/")["Location"] == "/clusters/prod/"
    assert client.get("/clusters/prod/").status_code == 200


def words_at(prefix: str) -> set[str]:
    """The words that are parts of URLs where a cluster's short name stands."""
    routes = {str(pattern.pattern) for pattern in [*cluster_patterns, *urlpatterns] if hasattr(pattern, "callback")}
    assert any(route.startswith(f"{prefix}<slug:slug>/") for route in routes)
    words = {route.removeprefix(prefix).split("/")[0] for route in routes if route.startswith(prefix)}
    return {word for word in words if word and "<" not in word}


def refusals_of(slug: str) -> list[str]:
    """What form, operation and command line say to a short name."""
    form = AddForm({"slug": slug})
    form.is_valid()
    said = [*form.errors.get("slug", [])]
    for attempt in (
        ClusterSettings(slug=slug, host="h").check,
        lambda: call_command("add_cluster", slug, "--host", "127.0.0.1", "--port", "1"),
    ):
        try:
            attempt()
        except (Refusal, CommandError) as refusal:
            said.append(str(refusal))
    return [each for each in said if "URLs" in each]


def test_words_of_urls_are_no_short_names(site: Site) -> None:
    words = words_at("clusters/")
    assert "add" in words
    for word in words:
        assert len(refusals_of(word)) == 3, word
    assert derive_slug("add.example.org", set()) == "add-2"
    with pytest.raises(Refusal, match="URLs"):
        rename_cluster(site.prod, "add")


class WithMoreWords:
    """Another table of URLs: what is reserved is computed from it."""

    urlpatterns = [path("clusters/compare/", lambda request: None, name="compare"), path("", include("gwm.urls"))]


def test_the_words_are_those_of_the_table_in_use(settings: Any) -> None:
    ClusterSettings(slug="compare", host="h").check()
    settings.ROOT_URLCONF = WithMoreWords
    assert get_resolver().resolve("/clusters/compare/").url_name == "compare"
    with pytest.raises(Refusal, match="URLs"):
        ClusterSettings(slug="compare", host="h").check()


def test_the_command_line_says_what_it_is_called_now(site: Site) -> None:
    rename(site.web, "new.example.org")
    with pytest.raises(CommandError, match=r"prod/web1.example.org is prod/new.example.org now"):
        call_command("operate", "vm.shutdown", "prod/web1.example.org", "--as", "root")
    with pytest.raises(CommandError, match=r"prod/new.example.org now"):
        call_command("grant", "alice", "power", "--on", "prod/web1.example.org", "--as", "root")


def test_rights_jobs_and_journal_do_not_pass_to_a_namesake(site: Site, sign_in: SignIn) -> None:
    """What the issue describes: removed in Ganeti, made again under the same name."""
    holder = make_user("holder")
    grant(["admin"], holder, site.web)
    assert advance(write_start(site, "root"), Outcome.DONE)
    lose(site.web)
    new = make_vm(site.prod, site.web.name, network_port=site.web.network_port, primary_node=site.web.primary_node)
    of_new = make_job(site.prod, ganeti_id=99, title=f"Start {new.name}")
    JobTarget.objects.create(
        job=of_new, cluster=site.prod, kind="instance", name=new.name, target_pk=new.pk, uuid=new.uuid
    )
    of_both = make_user("successor")
    grant(["admin"], of_both, new)
    old_client, new_client = sign_in(holder), sign_in(of_both)
    old_url = f"/clusters/prod/vms/{site.web.uuid}/"
    assert old_client.get(VM).status_code == 404 and new_client.get(old_url).status_code == 404
    assert old_client.post(f"{VM}console/ticket/").status_code == 404
    answer = old_client.post(f"{old_url}console/ticket/")
    assert answer.status_code == 409 and "ticket" not in json.loads(answer.content)
    assert old_client.get("/clusters/prod/jobs/99/").status_code == 404
    old_job = site.prod.jobs.get(title=f"Shut down {site.web.name}")
    assert new_client.get(f"/clusters/prod/jobs/{old_job.ganeti_id}/").status_code == 404
    assert new_client.post(f"/clusters/prod/jobs/{old_job.ganeti_id}/do/cancel/").status_code == 404
    assert "Started web1" in old_client.get(f"{old_url}journal/").content.decode()
    assert "Started web1" not in new_client.get(f"{VM}journal/").content.decode()
