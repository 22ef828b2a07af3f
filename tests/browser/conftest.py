"""A browser, the product, and people who use it.

`demo` and `bare` are products that run for the whole session: one with the demo cluster and a simulated cluster `lab`,
one with nothing. `person` opens browsers; `page` is an administrator's, on `demo`. A test fails when a page complained
on the browser's console. What a failure looked like is kept below test-results/.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from simulator import Simulator
from tests.browser.changes import CHANGES, OTHER_VM, START, Write
from tests.browser.messages import write_down_messages
from tests.browser.product import ADMIN, PASSWORD, Product
from tests.browser.waiting import PATIENCE_MS
from tests.browser.watching import Watch
from tests.up.running import ROOT

RESULTS = ROOT / "test-results"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
expect.set_options(timeout=PATIENCE_MS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Let fixtures know how the test went."""
    report = yield
    setattr(item, f"outcome_of_{report.when}", report)
    return report


def run_product(directory: Path, *options: str, **environment: str) -> Iterator[Product]:
    """Start a product in a directory, and end it."""
    product = Product(directory / "data", *options, **environment).with_tables()
    try:
        yield product.start_ready()
    finally:
        product.end()


@pytest.fixture(scope="session")
def lab() -> Iterator[Simulator]:
    """The simulated cluster that `demo` manages besides its own: 120 machines, jobs at real speed."""
    with Simulator(nodes=3, instances=120, speed=1.0) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, lab: Simulator) -> Iterator[Product]:
    """The product as it is with its demo cluster, and the cluster `lab`."""
    for product in run_product(tmp_path_factory.mktemp("demo")):
        product.add_cluster("lab", lab)
        said = ("name=small", "cluster=demo", 'spec={"disks": [{"size_mib": 10240}], "beparams": {"vcpus": 2}}')
        product.manage("operate", "template.create", "--as=admin", *(f"--set={each}" for each in said))
        product.manage("operate", "team.create", "--as=admin", "--set=name=web-team")
        yield product


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product without any cluster."""
    yield from run_product(tmp_path_factory.mktemp("bare"), "--no-demo")


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test afterwards when a page complained."""
    watching = Watch()
    yield watching
    assert watching.unexpected == []


class People:
    """Opens browsers for people; each call is a browser of its own."""

    def __init__(self, chromium: Browser, watch: Watch) -> None:
        self._chromium = chromium
        self._watch = watch
        self.pages: list[tuple[Product, Page]] = []
        self._contexts: list[Any] = []

    def stranger(self, product: Product, **options: Any) -> Page:
        """Somebody who has not signed in."""
        context = self._chromium.new_context(
            **{"base_url": product.address, "viewport": WIDE, "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(PATIENCE_MS)
        self._watch.follow(context)
        write_down_messages(context)
        self._contexts.append(context)
        page = context.new_page()
        self.pages.append((product, page))
        return page

    def __call__(self, product: Product, name: str = ADMIN, password: str = PASSWORD, **options: Any) -> Page:
        """Somebody who has."""
        if name not in product.sessions:
            page = self.stranger(product)
            sign_in(page, name, password)
            product.sessions[name] = page.context.storage_state()
            page.context.close()
        return self.stranger(product, storage_state=product.sessions[name], **options)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def sign_in(page: Page, name: str, password: str, path: str = "/login/") -> None:
    """Through the form."""
    page.goto(path)
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("navigation", name="Main")).to_be_attached()


def expect_signed_out(page: Page) -> None:
    """The open page of somebody whose session was ended elsewhere hears of it and goes to sign in by itself. Wait for
    that before sending it anywhere: of two ways at once the browser follows one, and nobody is told of the other."""
    expect(page).to_have_url(re.compile(r"/login/\?next="))


@pytest.fixture
def person(chromium: Browser, watch: Watch, request: pytest.FixtureRequest) -> Iterator[People]:
    """`person(product)` is a page of the administrator's, `person.stranger(product)` one of somebody not signed in."""
    people = People(chromium, watch)
    yield people
    called = getattr(request.node, "outcome_of_call", None)
    if called is not None and called.failed:
        _keep_evidence(request.node.name, people)
    people.close()


def _keep_evidence(name: str, people: People) -> None:
    RESULTS.mkdir(exist_ok=True)
    stem = re.sub(r"[^\w.-]+", "-", name)
    for number, (product, page) in enumerate(people.pages):
        if not page.is_closed():
            page.screenshot(path=RESULTS / f"{stem}-{number}.png")
            (RESULTS / f"{stem}-{number}.html").write_text(page.content())
        (RESULTS / f"{stem}.log").write_text(product.output)


@pytest.fixture
def page(person: People, demo: Product) -> Page:
    """The administrator's browser, on the demo."""
    return person(demo)


@pytest.fixture(scope="session")
def nth() -> Callable[[], int]:
    """Numbers that no other test of the session gets: machines of `lab` are used once each."""
    numbers = iter(range(1, 121))
    return lambda: next(numbers)


@pytest.fixture
def machine(nth: Callable[[], int]) -> str:
    """A running machine of `lab` that is this test's alone."""
    return f"vm{nth()}.example.org"


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product with a cluster `lab` that nothing reads again, and a person who may see one machine."""
    with Simulator(nodes=3, instances=40) as simulator:
        for product in run_product(tmp_path_factory.mktemp("still"), "--no-demo", GWM_SYNC_INTERVAL_S="3600"):
            product.add_cluster("lab", simulator)
            product.add_person("carol", PASSWORD)
            product.manage("grant", "carol", "power", f"--on=lab/{OTHER_VM}", "--as=admin")
            yield product


@pytest.fixture(scope="module")
def write(still: Product) -> Write:
    """Changes the product's database behind its back, as another process of it would."""

    def run(statement: str, **values: Any) -> None:
        with closing(sqlite3.connect(still.data / "gwm.sqlite3", timeout=120)) as database, database:
            database.execute(statement, values)

    return run


@pytest.fixture(scope="module")
def visitor(still: Product, chromium: Any) -> Iterator[Page]:
    """One browser for all cases."""
    context = chromium.new_context(base_url=still.address, viewport=WIDE)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    sign_in(page, ADMIN, PASSWORD)
    yield page
    context.close()


@pytest.fixture
def running(write: Write) -> Iterator[None]:
    """The machine runs again afterwards, and nothing is done to it."""
    yield
    write(START)
    write(CHANGES["busy"][1][0])
