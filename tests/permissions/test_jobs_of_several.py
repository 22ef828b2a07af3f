"""A job of several machines: seen with those one may see, cancelled by who may cancel on all of them."""

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Job, JobTarget
from clusters.operations.job import CancelJob
from clusters.selectors import list_jobs
from objectlog.models import Via
from operations.contract import Actor, Ask, Forbidden, NoParams
from operations.pipeline import run
from permissions.models import User
from permissions.policy import can, verbs_on, visible
from permissions.services import grant
from tests.factories import make_cluster, make_job, make_user, make_vm
from tests.fixtures.databases import few_on_both, some_in_fast
from tests.permissions.matrix import JOB, PAGES, VM, WHERE

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G048")]
SECRET = "xyzzy.example.org"
# Every page and fragment of a job and of a machine, and those that list jobs of all.
URLS = ["/jobs/?sort=title", *(reverse(name) for name in ("overview", "jobs", "dock", "vms", "journal"))] + [
    reverse(name, kwargs=WHERE[name])
    for name, row in PAGES.items()
    if row.method == "get" and not row.open and WHERE.get(name) in (JOB, VM) and "vm_power" in row.may
]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def job() -> Job:
    """Of web1, which the holder may see, and another, of which every text of the job speaks."""
    cluster = make_cluster("lab")
    make_vm(cluster, "web1.example.org")
    make_vm(cluster, SECRET)
    return make_job(
        cluster,
        ("instance", "web1.example.org"),
        ("instance", SECRET),
        ganeti_id=7,
        title=f"Start {SECRET} and 1 more step",
        summary=[f"INSTANCE_STARTUP({SECRET})", "INSTANCE_STARTUP(web1.example.org)"],
        opcodes=[{"OP_ID": "OP_INSTANCE_STARTUP", "instance_name": SECRET}],
        opcode_statuses=["success", "error"],
        log=[[1, 1700000000.0, 0, f"starting {SECRET}"]],
        results=[f"{SECRET} is there"],
        error=f"{SECRET} does not start",
        waiting_for=[{"lock": f"instance/{SECRET}", "mode": "exclusive", "holders": [7]}],
        status="waiting",
    )


@pytest.fixture
def holder(job: Job) -> User:
    person = make_user("holder")
    grant(["power"], person, job.cluster.virtual_machines.get(name="web1.example.org"))
    return person


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("status", some_in_fast(few_on_both(["waiting", "running", "error"], "waiting"), 2))
def test_nothing_of_the_others_is_told(job: Job, holder: User, url: str, status: str) -> None:
    from_status = {"status": status, "ended_at": job.received_at if status == "error" else None}
    Job.objects.update(**from_status)
    answer = signed_in(holder).get(url)
    assert answer.status_code == 200
    assert "xyzzy" not in answer.content.decode()
    if "journal" not in url:
        assert "web1" in answer.content.decode()


def test_of_who_holds_the_lock_the_number_is_told_and_no_more(job: Job, holder: User) -> None:
    """A machine of the holder's waits for a job on another's."""
    make_job(job.cluster, ("instance", SECRET), ganeti_id=8, title=f"Move {SECRET}")
    lock = {"lock": "node/node1", "mode": "exclusive", "holders": [8]}
    job.targets.filter(name=SECRET).delete()
    Job.objects.filter(pk=job.pk).update(waiting_for=[lock], title="Start web1.example.org", opcodes=[], log=[])
    shown = signed_in(holder).get("/clusters/lab/jobs/7/").content.decode()
    assert "job 8" in shown and f"Move {SECRET}" not in shown and "jobs/8/" not in shown
    boss = make_user("boss")
    grant(["admin"], boss, job.cluster)
    shown = signed_in(boss).get("/clusters/lab/jobs/7/").content.decode()
    assert f"Move {SECRET}" in shown and "jobs/8/" in shown


def test_a_hidden_title_cannot_be_searched_for(job: Job, holder: User) -> None:
    client = signed_in(holder)
    assert "jobs/7/" not in client.get("/jobs/?q=xyzzy").content.decode().split('id="dock"')[0]
    assert "jobs/7/" in client.get("/jobs/?q=web1").content.decode()


def test_who_may_see_everything_is_told_everything(job: Job) -> None:
    both = make_user("both")
    for vm in job.cluster.virtual_machines.all():
        grant(["tags"], both, vm)
    admin = make_user("boss")
    grant(["admin"], admin, job.cluster)
    for person in (both, admin):
        content = signed_in(person).get("/clusters/lab/jobs/7/").content.decode()
        assert f"starting {SECRET}" in content and f"instance/{SECRET}" in content


def test_a_title_that_names_only_what_one_may_see_stays(job: Job, holder: User) -> None:
    Job.objects.update(title="Migrate web1.example.org", opcode_statuses=["running"])
    assert list_jobs(holder).get().title == "Migrate web1.example.org"


def test_it_is_cancelled_by_who_may_cancel_on_all(job: Job, holder: User) -> None:
    assert can(holder, "view", job) and not can(holder, "cancel", job)
    assert "cancel" not in verbs_on(holder, job)
    assert not visible(holder, "cancel", Job.objects.all()).exists()
    with pytest.raises(Forbidden):
        run(CancelJob(), Ask(Actor(holder, Via.CLI), job, NoParams()))
    client = signed_in(holder)
    assert client.post("/clusters/lab/jobs/7/do/cancel/").status_code == 403
    for url in ("/clusters/lab/jobs/7/", "/clusters/lab/vms/web1.example.org/"):
        assert "jobs/7/do/cancel/" not in client.get(url).content.decode().replace("is-disabled", "")
    grant(["power"], holder, job.cluster.virtual_machines.get(name=SECRET))
    assert can(holder, "cancel", job) and "cancel" in verbs_on(holder, job)


@pytest.mark.parametrize("untied", ["instance", "node"])
def test_what_is_not_tied_or_no_machine_keeps_it_from_being_cancelled(job: Job, holder: User, untied: str) -> None:
    job.targets.filter(name=SECRET).update(kind=untied, target_pk=None)
    assert can(holder, "view", job) and not can(holder, "cancel", job)
    assert list_jobs(holder).get().log == []


def test_a_node_with_the_key_of_a_machine_is_no_machine(job: Job, holder: User) -> None:
    job.targets.update(kind="node")
    assert not can(holder, "view", job)


def test_what_is_tied_to_nothing_is_for_cluster_admins_alone(job: Job, holder: User) -> None:
    job.targets.update(target_pk=None)
    people = {verb: make_user(verb) for verb in ("admin", "migrate", "replace_disks")}
    for verb, person in people.items():
        grant([verb], person, job.cluster)
    seen = {verb: bool(can(person, "view", job)) for verb, person in people.items()}
    assert seen == {"admin": True, "migrate": False, "replace_disks": False}
    assert {verb: "view" in verbs_on(person, job) for verb, person in people.items()} == seen
    told = {verb: visible(person, "view", JobTarget.objects.all()).exists() for verb, person in people.items()}
    assert told == seen
    assert not can(holder, "view", job)
    job.targets.filter(name=SECRET).delete()
    job.targets.update(target_pk=job.cluster.virtual_machines.get(name="web1.example.org").pk)
    assert all(can(person, "view", job) for person in people.values())


def test_a_job_that_touches_nothing_is_seen_as_before(job: Job) -> None:
    job.targets.all().delete()
    mover = make_user("mover")
    grant(["migrate"], mover, job.cluster)
    assert can(mover, "view", job)


@pytest.mark.parametrize("sort", ["-received", "title", "-title", "id", "status"])
def test_pages_are_the_parts_of_the_list(job: Job, holder: User, sort: str) -> None:
    for number in range(8, 20):
        names = ["web1.example.org", SECRET] if number % 2 else ["web1.example.org"]
        targets = [("instance", name) for name in names]
        make_job(job.cluster, *targets, ganeti_id=number, title=f"Start {number % 5}", status="success")
    make_job(job.cluster, ("instance", SECRET), ganeti_id=99, title="Start it")
    client = signed_in(holder)

    def listed(**asked: int) -> list[tuple[int, str]]:
        page = client.get("/jobs/", {"sort": sort, **asked}).context["page"]
        return [(each.ganeti_id, each.title) for each in page]

    whole = listed(per_page=50)
    assert [listed(per_page=5, page=number) for number in (1, 2, 3)] == [whole[:5], whole[5:10], whole[10:]]
    assert {number for number, _ in whole} == {7, *range(8, 20)}
