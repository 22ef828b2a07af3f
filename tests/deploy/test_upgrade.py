"""A release takes over, and goes back, while people are at work: 200 machines reboot, pages are turned, consoles open.

Nobody meets an error page, and what was asked for happens once: journal, queue and the cluster's own jobs agree.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from threading import Event, Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from deploy.release import HERE
from simulator import Simulator
from simulator.cluster import Cluster
from simulator.consoles import Consoles
from simulator.population import populate
from tests.browser.chromium import FLAGS
from tests.browser.waiting import wait_for
from tests.deploy.crowd import PASSWORD, Person
from tests.deploy.production import Fab, clone
from tests.deploy.test_production import commit, running
from tools.browser import find_browser
from tools.server import Server, booted_server

pytestmark = [pytest.mark.deploy, pytest.mark.filterwarnings("ignore:Unverified HTTPS request")]
NETWORK = 79
HERE_THERE = f"10.99.{NETWORK}.1"  # this machine, from the server
BATCH, CROWD, SCREENS = 200, 20, 2
PATIENCE_S = 900
RESULTS = HERE / "test-results"
MIGRATION = '''"""A column that the release before does not know."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "{last}")]
    operations = [
        migrations.AddField("batchitem", "remark", models.CharField(max_length=20, default="", db_default="")),
    ]
'''
FIELD = '    remark = models.CharField(max_length=20, default="", db_default="")\n'
PEOPLE = f"""
from permissions.models import User
for number in range({CROWD + SCREENS}):
    User.objects.create_user(f"person{{number}}", password="{PASSWORD}", is_superuser=True)
"""
FOUND = """
import json
from objectlog.models import Entry
from operations.models import Batch, BatchItem
from virtualmachines.models import VirtualMachine
print(json.dumps({
    "entries": list(Entry.objects.filter(verb="vm.reboot").values_list("target_name", "outcome", "job_ids", "via")),
    "items": list(BatchItem.objects.values_list("target_name", "state")),
    "batches": list(Batch.objects.values_list("state", flat=True)),
    "busy": list(VirtualMachine.objects.exclude(busy_with="").values_list("name", flat=True)),
    "keys": dict(VirtualMachine.objects.values_list("name", "pk")),
}))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with booted_server("gwm4.example.org", NETWORK) as there:
        yield there


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("checkout") / "gwm", HERE)


@pytest.fixture(scope="module")
def fab(checkout: Path, server: Server) -> Fab:
    return Fab(checkout, server)


@pytest.fixture(scope="module")
def cluster(server: Server) -> Iterator[Simulator]:
    """200 machines for batches, and one for each person, with screens that the server reaches."""
    there = Cluster()
    populate(there, nodes=4, instances=BATCH + CROWD + SCREENS)
    for node in there.nodes.values():
        node.primary_ip = HERE_THERE
    consoles = Consoles(there, HERE_THERE)
    with Simulator(there, host=HERE_THERE, speed=3.0) as simulator:
        consoles.start()
        yield simulator
        consoles.stop()


@pytest.fixture(scope="module")
def installed(fab: Fab, server: Server, cluster: Simulator) -> Server:
    """The first release, with the cluster, and people."""
    fab("deploy")
    server.run(
        f"echo {cluster.password} | gwm-manage add_cluster north --host {cluster.host} --port {cluster.port}"
        f" --user {cluster.username} --password-file - --fingerprint {cluster.fingerprint}"
    )
    server.run("gwm-manage sync_clusters north && gwm-manage sync_clusters north")
    server.run("gwm-manage shell --no-imports -v0", PEOPLE)
    return server


@pytest.fixture(scope="module")
def crowd(installed: Server) -> Iterator[list[Person]]:
    """People who have signed in, at work."""
    people = [Person(installed, f"person{number}", f"vm{BATCH + number + 1}.example.org") for number in range(CROWD)]
    for each in people:
        each.sign_in()
        each.begin()
    yield people
    for each in people:
        each.end()


@pytest.fixture(scope="module")
def screens(installed: Server) -> Iterator[list[Screens]]:
    """Real browsers: each with a console, and a page beside it."""
    program = find_browser()
    assert program is not None
    resolve = f"--host-resolver-rules=MAP {installed.name} {installed.address}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, resolve])
        numbers = range(CROWD, CROWD + SCREENS)
        yield [Screens(browser, installed.name, f"person{n}", f"vm{BATCH + n + 1}") for n in numbers]
        browser.close()


class Screens:
    """A person's browser. `troubles`: answers that no person may get; `lost`: how often the console's line broke."""

    def __init__(self, browser: Browser, name: str, user: str, machine: str) -> None:
        context = browser.new_context(base_url=f"https://{name}", ignore_https_errors=True)
        context.set_default_timeout(1000 * PATIENCE_S)
        self.user, self.troubles, self.lost, self._number = user, list[str](), 0, 0
        context.on("response", self._judge)
        context.on("requestfailed", self._failed)
        self.page = context.new_page()
        self.page.goto("/login/")
        self.page.get_by_label("User name").fill(user)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        expect(self.page.get_by_role("navigation", name="Main")).to_be_attached(timeout=1000 * PATIENCE_S)
        self.console = context.new_page()
        self.console.goto(f"/clusters/north/vms/{machine}.example.org/console/")
        self.was = ""

    def look(self) -> None:
        """Turn a page, and see how the console is."""
        self._number += 1
        try:
            self.page.goto(("/vms/", "/", "/batches/", "/journal/", "/clusters/north/")[self._number % 5])
        except Error as error:
            self.troubles.append(str(error))
        self.see_console()

    def see_console(self) -> str:
        """How it is."""
        state = self.console.locator("[data-console]").get_attribute("data-state") or ""
        self.lost += self.was == "on" and state != "on"
        self.was = state
        return state

    def is_connected(self) -> bool:
        """Whether the console's line stands."""
        return self.see_console() == "on"

    def _judge(self, answer: Any) -> None:
        if answer.status >= 400:
            self.troubles.append(f"{answer.request.method} {answer.url}: {answer.status}")

    def _failed(self, request: Any) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # the page was left
            self.troubles.append(f"{request.method} {request.url}: {request.failure}")


def find(server: Server) -> dict[str, Any]:
    """What the product knows, as data."""
    said = server.run("gwm-manage shell --no-imports -v0", FOUND)
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def change_over(process: Popen[str], screens: list[Screens], begin: Callable[[], object], word: str = "") -> str:
    """Let `fab` go on, and begin something as soon as it says a word; people go on meanwhile. What it said."""
    said: list[str] = []
    has_said, is_over = Event(), Event()

    def hear() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if word in line:
                has_said.set()
        is_over.set()

    hearing = Thread(target=hear, daemon=True)
    is_begun = False
    with process:
        hearing.start()
        while not is_over.is_set():
            if not is_begun and (not word or has_said.is_set()):
                begin()
                is_begun = True
            for each in screens:
                each.look()
        hearing.join()
    told = "".join(said)
    assert process.wait() == 0 and is_begun, told
    return told


def is_amid(server: Server) -> bool:
    """Whether a part of the batches is done, and another waits still."""
    return {"waiting", "done"} <= {state for _name, state in find(server)["items"]}


def wait_until_done(server: Server, screens: list[Screens]) -> dict[str, Any]:
    """Until all batches are through; people go on meanwhile."""
    until = time.monotonic() + PATIENCE_S
    while True:
        found = find(server)
        is_over = set(found["batches"]) == {"done"} and not found["busy"]
        if is_over:
            return found
        assert time.monotonic() < until, (Counter(found["batches"]), Counter(state for _n, state in found["items"]))
        for each in screens:
            each.look()


def compare(server: Server, cluster: Simulator, screens: list[Screens], crowd: list[Person], batches: int) -> None:
    """Nobody met a trouble, and everything that was asked for happened once."""
    for person in crowd:
        person.rest()
    found = wait_until_done(server, screens)
    for each in screens:
        wait_for(each.page, each.is_connected, f"{each.user}'s console")
    told = [trouble for people in (crowd, screens) for each in people for trouble in each.troubles]
    numbers = {
        "troubles": len(told),
        "pages": sum(sum(each.statuses.values()) for each in crowd),
        "statuses": sum((each.statuses for each in crowd), Counter()),
        "slowest": round(max(each.slowest for each in crowd), 1),
        "own reboots": sum(each.reboots for each in crowd),
        "turned away": sum(each.turned_away for each in crowd),
        "signals opened": sum(each.lines for each in crowd),
        "closings": sum((each.closings for each in crowd), Counter()),
        "consoles lost": [each.lost for each in screens],
        "items": Counter(state for _name, state in found["items"]),
        "entries": Counter((outcome, via) for _name, outcome, _jobs, via in found["entries"]),
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({key: str(value) for key, value in numbers.items()}, indent=1)
    (RESULTS / f"upgrade-{batches}.txt").write_text("\n".join([text, *told, ""]))
    ours = Counter(f"vm{number + 1}.example.org" for number in range(BATCH) for _ in range(batches))
    assert Counter(name for name, _state in found["items"]) == ours
    assert {state for _name, state in found["items"]} == {"done"}
    with cluster.cluster.lock:
        jobs = {job.id: job for job in cluster.queue.jobs.values()}
    sent = Counter(
        target.split("/")[3] for method, target in cluster.requests if method == "POST" and "/reboot" in target
    )
    entries = Counter(name for name, _outcome, _jobs, _via in found["entries"])
    assert {outcome for _n, outcome, _j, _v in found["entries"]} == {"succeeded"}
    assert sent == entries, {
        name: (sent[name], entries[name]) for name in sent | entries if sent[name] != entries[name]
    }
    numbered = [number for _n, _o, ids, _v in found["entries"] for number in ids]
    assert sorted(map(int, numbered)) == sorted(jobs), "each job has its entry, and each entry its own"
    for person in crowd:
        assert entries[person.machine] == person.reboots, person.user
    assert {name: number for name, number in entries.items() if name in ours} == dict(ours)
    assert not told, f"{len(told)} troubles, the first: {told[:5]}"
    for person in crowd:
        assert person.lines > batches and person.heard, f"{person.user}'s page has not heard of the change"
    for each in screens:
        assert each.lost >= batches, f"{each.user}'s console has not been ended and connected again"


def test_a_release_takes_over_amid_a_batch(
    fab: Fab, server: Server, checkout: Path, cluster: Simulator, crowd: list[Person], screens: list[Screens]
) -> None:
    before = running(server)
    keys = find(server)["keys"]
    last = sorted(each.stem for each in (checkout / "operations/migrations").glob("0*.py"))[-1]
    commit(checkout, "operations/migrations/9999_remark.py", MIGRATION.format(last=last))
    models = (checkout / "operations/models.py").read_text()
    mark = "    try_at = models.DateTimeField("
    commit(checkout, "operations/models.py", models.replace(mark, FIELD + mark, 1))
    style = (checkout / "static/css/tokens.css").read_text()
    commit(checkout, "static/css/tokens.css", f"{style}\n/* of a newer release */\n")
    mine = [keys[f"vm{number + 1}.example.org"] for number in range(BATCH)]
    told = change_over(fab.begin("deploy"), screens, lambda: crowd[0].begin_batch(mine), "what runs: ")
    assert running(server) > before, told
    assert is_amid(server)
    compare(server, cluster, screens, crowd, 1)


def test_and_goes_back_amid_twenty_batches(
    fab: Fab, server: Server, cluster: Simulator, crowd: list[Person], screens: list[Screens]
) -> None:
    after = running(server)
    for person in crowd:
        person.go_on()
    keys = find(server)["keys"]
    for number, person in enumerate(crowd):
        part = range(number, BATCH, CROWD)
        person.begin_batch([keys[f"vm{each + 1}.example.org"] for each in part])
    told = change_over(fab.begin("rollback"), screens, lambda: None)
    assert running(server) < after, told
    assert is_amid(server)
    compare(server, cluster, screens, crowd, 2)
