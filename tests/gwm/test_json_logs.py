"""Lines of the log as JSON: one object a line, with what it is about, without secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from gwm.celery import app
from gwm.logs import JsonLine, KnownInOneLine, WithoutSecrets
from gwm.middleware import NameRequest, ProxyHeaders
from objectlog.logged import logged_with, read_ids

SECRET = "correct-horse-battery"
DD = ("d %d", "d %d")


@pytest.fixture
def lines() -> Iterator[Any]:
    """What has been logged since it was last read."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLine())
    for each in (KnownInOneLine(), WithoutSecrets([SECRET])):
        handler.addFilter(each)
    logger = logging.getLogger("tests.json")
    logger.addHandler(handler)
    logger.propagate = False

    def read() -> list[dict[str, Any]]:
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return [json.loads(line) for line in text.splitlines()]

    yield read
    logger.removeHandler(handler)


def log(*args: Any, **kwargs: Any) -> None:
    logging.getLogger("tests.json").warning(*args, **kwargs)


def test_one_object_a_line_whatever_is_said(lines: Any) -> None:
    log("a %s", 'line"\n2026-01-01T00:00:00Z INFO forged: \x1b[2J\u202e\u2028')
    log("x" * 100_000)
    try:
        raise ValueError(f"password={SECRET}\nforged")
    except ValueError:
        log("broken: %s", SECRET, exc_info=True)
    hostile, long, broken = lines()
    assert hostile["message"].startswith('a line"\n2026-') and hostile["level"] == "WARNING"
    assert hostile["time"].endswith("Z") and hostile["logger"] == "tests.json" and hostile["pid"] > 0
    assert len(json.dumps(long)) < 20_000
    assert JsonLine().format(logging.makeLogRecord({"msg": "half \ud800\n"})).isascii()
    assert SECRET not in json.dumps(broken) and "ValueError" in broken["traceback"]


class Speechless(Exception):
    """Has no words, and raises when it is asked for them."""

    def __str__(self) -> str:
        raise RuntimeError(SECRET)


def test_a_line_whose_values_do_not_fit_breaks_nothing_and_is_there(lines: Any) -> None:
    """A library writes them, or an error of somebody else's; it is no reason for a page to fail."""
    log("a %d", SECRET)
    log("b %s %s", SECRET)
    log("c %s", Speechless())
    log(Speechless())
    for error in (Speechless(), PermissionDenied(Speechless())):
        try:
            raise error
        except (Speechless, PermissionDenied):
            log("d %d", SECRET, exc_info=True, stack_info=True)
    told = lines()
    assert [each["message"].partition(" [")[0] for each in told] == ["a %d", "b %s %s", "c %s", "Speechless", *DD]
    assert all("cannot be written" in each["message"] for each in told) and SECRET not in json.dumps(told)


def test_what_a_line_is_about_is_known_while_it_goes_on(lines: Any) -> None:
    with logged_with(request="r1", person=lambda: 7, nothing=lambda: None):
        log("outer")
        with logged_with(entry="e1", request="r2"):
            log("inner")
        log("outer again")
    log("none")
    ids = [{key: line.get(key) for key in ("request", "person", "entry", "nothing")} for line in lines()]
    assert ids == [
        {"request": "r1", "person": 7, "entry": None, "nothing": None},
        {"request": "r2", "person": 7, "entry": "e1", "nothing": None},
        {"request": "r1", "person": 7, "entry": None, "nothing": None},
        {"request": None, "person": None, "entry": None, "nothing": None},
    ]


@pytest.mark.parametrize(
    ("given", "is_trusted", "is_kept"),
    [
        ("abc-123.DEF_9", True, True),
        ("abc-123.DEF_9", False, False),
        ("short", True, False),
        ("x" * 65, True, False),
        ('abc"}\nforged-1', True, False),
    ],
)
def test_a_request_has_the_id_of_a_trusted_proxy_or_one_of_its_own(
    given: str, is_trusted: bool, is_kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "GWM_BEHIND_PROXY", is_trusted)
    seen: list[dict[str, Any]] = []

    def answer(request: HttpRequest) -> HttpResponse:
        request._cached_user = AnonymousUser()  # type: ignore[attr-defined] # as Django keeps it
        seen.append(read_ids())
        return HttpResponse()

    request = RequestFactory().get("/", headers={"X-Request-ID": given})
    answered = ProxyHeaders(NameRequest(answer))(request)  # type: ignore[arg-type]
    name = answered["X-Request-ID"]
    assert seen == [{"request": name}] and (name == given) == is_kept and 8 <= len(name) <= 64


@pytest.mark.django_db
def test_a_page_says_its_id(client: Client) -> None:
    names = {client.get("/login/")["X-Request-ID"] for _ in range(2)}
    assert len(names) == 2 and all(len(name) == 16 for name in names)


def test_a_task_is_logged_with_its_id() -> None:
    @app.task(name="tests.read_ids")
    def read() -> dict[str, Any]:
        return read_ids()

    result = read.apply(task_id="task-1")
    assert result.get() == {"task": "task-1"}
