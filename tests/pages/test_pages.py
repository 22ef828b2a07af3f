"""Every page, for who may see everything, something, and nothing."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Job
from permissions.models import User
from permissions.services import grant
from tests.factories import make_admin
from tests.pages.conftest import Site

SignIn = Callable[[User], Client]

EVERYBODY = ["/", "/vms/", "/clusters/", "/nodes/", "/jobs/", "/journal/", "/about/", "/dock/"]
OF_CLUSTER = [f"/clusters/prod/{part}" for part in ("", "vms/", "nodes/", "jobs/", "parameters/", "edit/")]
OF_NODE = [f"/clusters/prod/nodes/node1.example.org/{part}" for part in ("", "primary/", "secondary/", "jobs/")]
VM = "/clusters/prod/vms/web1.example.org/"
OF_VM = [
    VM + part
    for part in (
        "",
        "parameters/",
        "console/",
        "console/window/",
        "jobs/",
        "journal/",
        "do/shutdown/",
    )
]
JOB_PARTS = ["", "status.json", "do/cancel/"]
ADMINS = ["/health/", "/clusters/add/", "/styleguide/"]


def job_pages() -> list[str]:
    number = Job.objects.get().ganeti_id
    return [f"/clusters/prod/jobs/{number}/{part}" for part in JOB_PARTS]


@pytest.mark.feature("F026", "F053", "F054", "F055", "F056", "F059", "F083", "F131", "F220", "F237", "F239")
def test_admin_sees_every_page(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    for url in [*EVERYBODY, *OF_CLUSTER, *OF_NODE, *OF_VM, *job_pages(), *ADMINS]:
        assert client.get(url).status_code == 200, url


@pytest.mark.feature("F124", "F007")
def test_user_sees_own_machines_and_nothing_else(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.alice)
    for url in [*EVERYBODY, *OF_VM, *job_pages()]:
        assert client.get(url).status_code == 200, url
    for url in [*OF_CLUSTER, *OF_NODE, "/clusters/edge/vms/web1.example.org/"]:
        assert client.get(url).status_code == 404, url
    for url in ADMINS:
        assert client.get(url).status_code == 403, url
    listed = client.get("/vms/").content.decode()
    assert "/clusters/prod/vms/web1.example.org/" in listed
    assert "/clusters/edge/" not in listed
    assert "edge" not in client.get("/").content.decode()


def test_stranger_sees_nothing(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.stranger)
    for url in EVERYBODY:
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert "web1.example.org" not in answer.content.decode(), url
    for url in [*OF_CLUSTER, *OF_NODE, *OF_VM, *job_pages()]:
        assert client.get(url).status_code == 404, url
    for url in ("/", "/vms/"):
        page = client.get(url).content.decode()
        assert "Ask an administrator" in page and 'href="/requests/machine/"' in page, url


def test_who_may_create_sees_their_machines_on_the_overview_and_no_sums_of_clusters(
    site: Site, sign_in: SignIn
) -> None:
    grant(["create_vm"], site.stranger, site.prod)
    client = sign_in(site.stranger)
    assert "You have no machine yet" in client.get("/").content.decode()
    grant(["power"], site.stranger, site.web)
    page = client.get("/").content.decode()
    assert "Your machines" in page and "web1.example.org" in page and "Nodes online" not in page
    grant(["migrate"], site.stranger, site.prod)
    assert "Nodes online" in client.get("/").content.decode()


@pytest.mark.feature("F001")
def test_anonymous_is_sent_to_the_login(site: Site, client: Client) -> None:
    for url in [*EVERYBODY, *OF_CLUSTER, *OF_NODE, *OF_VM, *job_pages(), *ADMINS]:
        answer = client.get(url)
        assert answer.status_code == 302, url
        assert answer["Location"] == f"/login/?next={url}"


@pytest.mark.alike
@pytest.mark.feature("F001")
def test_login_returns_to_where_one_wanted_to_go(site: Site, client: Client) -> None:
    site.alice.set_password("long enough 1")
    site.alice.save()
    given = {"login": "alice", "password": "long enough 1"}
    assert client.post("/login/", {**given, "password": "wrong", "next": VM}).status_code == 200
    assert client.post("/login/", {**given, "next": VM})["Location"] == VM
    client.post("/logout/")
    assert client.get("/")["Location"] == "/login/?next=/"
    for elsewhere in ("https://evil.example.org/", "//evil.example.org", "javascript:alert(1)"):
        answer = client.post("/login/", {**given, "next": elsewhere})
        assert answer["Location"] == "/", elsewhere
        client.post("/logout/")


def test_logout_needs_a_post(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.alice)
    answer = client.get("/logout/")
    assert answer.status_code == 405
    assert "use the button" in answer.content.decode()
    assert client.get("/").status_code == 200


@pytest.mark.feature("F007")
def test_errors_are_pages(site: Site, sign_in: SignIn, client: Client) -> None:
    signed_in = sign_in(site.alice)
    assert "There is nothing here" in signed_in.get("/nothing/").content.decode()
    assert "There is nothing here" in client.get("/nothing/").content.decode()
    answer = signed_in.get("/health/")
    assert "Only administrators may see" in answer.content.decode()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(site.alice)
    answer = strict.post(f"{VM}do/shutdown/")
    assert answer.status_code == 403
    assert "Nothing was done" in answer.content.decode()


def test_get_changes_nothing(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    for url in [*EVERYBODY, *OF_CLUSTER, *OF_NODE, *OF_VM, *job_pages(), *ADMINS]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(url)
        written = [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        # The health page asks PostgreSQL whether it takes changes, by one that changes nothing.
        harmless = ("cache", "session", "WHERE 1 = 0")
        assert [sql for sql in written if not any(word in sql for word in harmless)] == [], url


@pytest.mark.alike
def test_page_of_machine_says_what_it_is(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.admin).get(VM).content.decode()
    for text in (
        "alice",
        "Debian 12",
        "node1.example.org",
        "node2.example.org",
        "192.0.2.23",
        "aa:00:00:00:00:01",
        "root",
    ):
        assert text in page
    assert f"node1.example.org:{site.web.network_port}" in page
    assert f":{site.web.network_port}" not in sign_in(site.alice).get(VM).content.decode()


@pytest.mark.alike
@pytest.mark.feature("F135")
def test_parameters_that_differ_are_marked(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.admin).get(f"{VM}parameters/").content.decode()
    assert "vnc_bind_address" in page
    assert page.count("cluster: ") == 2  # vnc_bind_address and vcpus


@pytest.mark.alike
def test_parameters_are_named_explained_and_have_units(site: Site, sign_in: SignIn) -> None:
    site.web.raw["hvparams"] |= {"migration_downtime": 30, "made_up": "x"}
    site.web.raw["beparams"] |= {"maxmem": 4096, "minmem": 1500}
    site.web.save()
    page = sign_in(site.alice).get(f"{VM}parameters/").content.decode().replace("\u00a0", " ")
    assert re.search(r"<summary>Virtual CPUs</summary>\s*<p>How many processors the guest sees.</p>", page)
    for value in ("4.0 GiB", "1,500 MiB", "30 ms"):
        assert re.search(rf">\s*{value}\s*<", page), value
    assert page.count("Set by those who administer the cluster.") == 2  # auto_balance and migration_downtime
    assert re.search(r'<th scope="row">\s*<span class="mono">made_up</span>\s*</th>', page)


@pytest.mark.alike
@pytest.mark.parametrize("url", [f"{VM}parameters/", "/clusters/prod/parameters/"])
def test_what_concerns_the_host_is_for_those_who_administer_the_cluster(site: Site, sign_in: SignIn, url: str) -> None:
    site.prod.info["hvparams"]["kvm"]["kvm_path"] = site.web.raw["hvparams"]["kvm_path"] = "/usr/bin/kvm"
    site.prod.save()
    site.web.save()
    grant(["create_vm"], site.alice, site.prod)
    seen = sign_in(site.alice).get(url).content.decode()
    assert "kvm_path" not in seen and "/usr/bin/kvm" not in seen and "vnc_bind_address" not in seen
    assert "2 more parameters concern the nodes" in seen
    assert "acpi" in seen
    full = sign_in(site.admin).get(url).content.decode()
    assert "/usr/bin/kvm" in full and "vnc_bind_address" in full and "more parameters concern" not in full


@pytest.mark.alike
def test_markup_in_names_stays_text(site: Site, sign_in: SignIn) -> None:
    bad = "<script>alert(1)</script>"
    site.web.tags, site.web.notes, site.web.os = [bad], bad, bad
    site.web.nics = [{"mac": bad, "ip": bad, "mode": bad, "link": bad}]
    site.web.disks = [{"name": bad, "size_mib": 1}]
    site.web.raw = {"hvparams": {bad: bad}, "beparams": {}}
    site.web.save()
    site.prod.description = site.prod.last_error = site.prod.master = bad
    site.prod.save()
    job = Job.objects.get()
    job.title = job.error = bad
    job.log, job.opcodes, job.summary = [[1, 1.0, 0, bad]], [{"OP_ID": bad, bad: bad}], [bad]
    job.waiting_for = [{"lock": bad, "mode": bad, "holders": [1]}]
    job.save()
    client = sign_in(site.admin)
    for url in [*EVERYBODY, *OF_CLUSTER, *OF_NODE, *OF_VM, *job_pages()]:
        if url.endswith(".json"):
            continue
        assert bad not in client.get(url).content.decode(), url
        assert (
            bad not in client.get(url, {"q": bad, "who": bad, "owner": bad, "sort": bad, "page": bad}).content.decode()
        )


@pytest.mark.feature("F079", "F080", "G002")
def test_cluster_that_is_down_is_told_and_harms_nobody(site: Site, sign_in: SignIn) -> None:
    site.prod.unreachable_since, site.prod.last_error = timezone.now(), "connection timed out"
    site.prod.save()
    client = sign_in(site.admin)
    for url in ["/", "/clusters/", "/clusters/prod/", VM, "/vms/", "/clusters/prod/nodes/node1.example.org/"]:
        assert "has not been reachable since" in client.get(url).content.decode(), url
    page = client.get(VM).content.decode()
    assert 'aria-disabled="true"' in page
    assert "Actions are disabled until it answers" in page
    assert "is not reachable" not in client.get("/clusters/edge/").content.decode().replace('title="not reachable"', "")


def test_new_installation_says_what_to_do(db: None, sign_in: SignIn) -> None:
    client = sign_in(make_admin())
    assert "Add a cluster" in client.get("/").content.decode()
    for url in EVERYBODY:
        assert client.get(url).status_code == 200, url


@pytest.mark.alike
@pytest.mark.feature("F047")
def test_read_only_cluster_says_so(site: Site, sign_in: SignIn) -> None:
    site.prod.username = ""
    site.prod.save()
    client = sign_in(site.admin)
    assert "read only here: it has no RAPI user" in client.get("/clusters/prod/").content.decode()
    assert "is read-only here" in client.get(VM).content.decode()
