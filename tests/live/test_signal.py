"""The signal of a running web process: who gets one, what is told, and when it ends."""

# ruff: noqa: S608 - the statements are put together from constants

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from gwm.celery import TIMETABLE
from gwm.processes.live import ASK_SESSIONS_EVERY_S, LOOK_EVERY_S
from tests.browser.product import ADMIN, PASSWORD, Product
from tests.live.wire import Signal, Visitor

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G045")]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product without clusters that takes many connections from here."""
    data = tmp_path_factory.mktemp("signal") / "data"
    product = Product(data, "--no-demo", GWM_CONNECTIONS_PER_ADDRESS="1000").with_tables()
    try:
        product.start_ready()
        product.add_person("carol", PASSWORD)
        yield product
    finally:
        product.end()


@pytest.fixture(scope="module")
def admin(product: Product) -> Visitor:
    return Visitor(product.address, ADMIN, PASSWORD)


@pytest.fixture(autouse=True)
def close_signals() -> Iterator[None]:
    yield
    while Signal.opened:
        Signal.opened.pop().close()


def write(product: Product, statement: str) -> None:
    with closing(sqlite3.connect(product.data / "gwm.sqlite3", timeout=120)) as database, database:
        database.execute(statement)


def hear_end(signal: Signal) -> int:
    """How it ended; before that the page may be told of what was its end."""
    heard = signal.hear()
    while isinstance(heard, str):
        heard = signal.hear()
    return heard


def make_known(product: Product, number: int) -> None:
    """Touch something that the journal shows."""
    write(
        product,
        "INSERT INTO objectlog_event (at, actor_name, persona_name, verb, outcome, target_kind, target_name,"
        " cluster_name, said, text, is_overtaken, previous, seal)"
        f" VALUES ('2026-01-01 00:00:00', 'dave', '', 'shutdown', 'done', 'vm', 'x{number}', '', '', '', 0, '', '')",
    )


def test_a_page_is_told_what_changed_on_it_and_nothing_else(product: Product, admin: Visitor) -> None:
    journal, about = admin.listen(admin.note("/journal/")), admin.listen(admin.note("/about/"))
    make_known(product, 1)
    while "page" not in str(journal.hear()):  # a reader that begins tells of the last minute, too
        pass
    make_known(product, 3)
    assert journal.hear() == "page"
    write(product, "UPDATE permissions_user SET is_staff = NOT is_staff WHERE username = 'admin'")
    assert about.hear() == "frame"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_gets_no_signal(admin: Visitor, origin: str) -> None:
    assert admin.listen(origin=origin).status == 403


def test_who_is_not_signed_in_gets_no_signal(admin: Visitor) -> None:
    assert admin.listen(cookie="").status == 403
    made_up = admin.listen(admin.note("/journal/"), cookie="gwm_session=abcdefghijklmnopqrstuvwxyz012345")
    assert made_up.hear() == 4003


def test_another_persons_note_is_refused(product: Product, admin: Visitor) -> None:
    carol = Visitor(product.address, "carol", PASSWORD)
    assert carol.listen(admin.note("/journal/")).hear() == 4003
    assert carol.listen("made:up:note").hear() == 4003
    again = Visitor(product.address, ADMIN, PASSWORD)
    assert again.listen(admin.note("/journal/")).hear() == 4003


def test_the_signal_ends_with_the_session(product: Product) -> None:
    carol = Visitor(product.address, "carol", PASSWORD)
    signal = carol.listen(carol.note("/journal/"))
    carol.sign_out()
    assert signal.hear() == 4001


def test_all_that_is_promised_within_five_seconds_is_looked_for_more_often_than_that() -> None:
    """What a busy machine adds cannot be promised."""
    assert 0 < LOOK_EVERY_S <= 2.5 and 0 < ASK_SESSIONS_EVERY_S <= 5
    assert 0 < TIMETABLE["consoles"]["schedule"] <= 5


def test_the_signal_ends_with_the_account(product: Product) -> None:
    carol = Visitor(product.address, "carol", PASSWORD)
    signal = carol.listen(carol.note("/journal/"))
    write(product, "UPDATE permissions_user SET is_active = 0 WHERE username = 'carol'")
    assert hear_end(signal) == 4001
    write(product, "UPDATE permissions_user SET is_active = 1 WHERE username = 'carol'")


def test_a_session_has_not_endlessly_many(product: Product) -> None:
    carol = Visitor(product.address, "carol", PASSWORD)
    signals = [carol.listen() for _ in range(101)]
    assert [signal.status for signal in signals] == [101] * 100 + [429]
