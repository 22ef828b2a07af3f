"""The product below a path of its host: nothing of a page leads beside it, in any page, redirect, script or mail."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import Resolver404, clear_script_prefix, get_script_prefix, resolve, reverse, set_script_prefix

from gwm.context import PLACES
from tests.fixtures.databases import some_in_fast
from tests.fixtures.kept import signed_in
from tests.pages.test_every_url import URLS, label, made, people
from tests.up.running import ROOT
from ui.outside import address_of, is_ours

pytestmark = [pytest.mark.django_db, pytest.mark.alike]
BELOW = "/gwm"
#: attributes by which a browser, htmx or a script of ours is sent somewhere
LEADING = re.compile(r'\s(href|src|action|formaction|poster|hx-(?:get|post|put|delete)|data-[a-z-]+)="(/[^"]*)"')
ANSWERED_BY_THE_REACTOR = {"live/ws", "readyz", ""}
__all__ = ["made", "people"]


@pytest.fixture
def below(settings: Any) -> Iterator[None]:
    settings.FORCE_SCRIPT_NAME = settings.GWM_BELOW = BELOW
    settings.STATIC_URL = f"{BELOW}/static/"
    settings.SESSION_COOKIE_PATH = settings.CSRF_COOKIE_PATH = f"{BELOW}/"
    settings.GWM_CONSOLE_URL = f"{BELOW}/console/ws"
    settings.GWM_PUBLIC_URL = f"https://example.org{BELOW}"
    set_script_prefix(BELOW)
    forget_what_was_drawn()
    yield
    clear_script_prefix()
    forget_what_was_drawn()


def forget_what_was_drawn() -> None:
    """What is drawn once for all pages has URLs in it; where the product lives does not change while it runs."""
    ours = [vars(module) for name, module in [*sys.modules.items()] if name.startswith("ui.")]
    for each in [value for names in ours for value in names.values()]:
        if hasattr(each, "cache_clear"):
            each.cache_clear()


def strays(page: str) -> list[str]:
    return [
        f'{name}="{url}"' for name, url in LEADING.findall(page) if not url.startswith(f"{BELOW}/") or url[1:2] == "/"
    ]


def ask(client: Client, url: str) -> tuple[str, list[str]]:
    """The page at a URL of the browser's, and where its answer leads beside the path."""
    answer = client.get(url.removeprefix(BELOW))
    found = [
        f"cookie {name} for {cookie['path']}"
        for name, cookie in answer.cookies.items()
        if not cookie["path"].startswith(f"{BELOW}/")
    ]
    location = answer.headers.get("Location", "")
    if location and not location.startswith((f"{BELOW}/", "?")):
        found.append(f"Location: {location}")
    is_text = answer.headers.get("Content-Type", "").startswith(("text/html", "application/json"))
    page = answer.getvalue().decode() if is_text else ""
    return page, found + strays(page)


@pytest.mark.feature("F289")
@pytest.mark.parametrize("who", some_in_fast(["root", "stranger", "nobody"], 3))
def test_no_answer_leads_beside_the_path(below: None, people: dict[str, str], who: str) -> None:
    client = Client() if who == "nobody" else signed_in(people[who])
    wrong, seen, followed = {}, 0, set()
    for name, where in URLS:
        url = reverse(name, kwargs=where)
        assert url.startswith(f"{BELOW}/")
        page, found = ask(client, url)
        seen += len(LEADING.findall(page))
        followed |= {link for _name, link in LEADING.findall(page)}
        if found:
            wrong[label(where) + name] = sorted(set(found))[:5]
    assert not wrong
    assert seen > {"root": 3000, "stranger": 1500, "nobody": 50}[who]


def test_the_place_where_one_is_is_marked(below: None, people: dict[str, str]) -> None:
    client = signed_in(people["root"])
    for place in PLACES:
        for page in (place.url, f"/dock/?path={BELOW}{place.url}"):
            marked = re.findall(r'<a href="([^"]+)"\s+aria-current="page"', client.get(page).content.decode())
            assert set(marked) == {BELOW + place.url}, page  # a tab may be marked, too


def test_scripts_are_told_where_the_root_of_the_product_is(below: None, people: dict[str, str]) -> None:
    page = signed_in(people["root"]).get("/clusters/lab/vms/web1.example.org/").content.decode()
    assert 'data-root="/gwm/"' in page


@pytest.mark.parametrize("is_known", [True, False], ids=["in a request", "on a thread of a worker"])
def test_mails_name_the_whole_address(below: None, is_known: bool) -> None:
    if not is_known:
        clear_script_prefix()
    assert address_of("profile") == "https://example.org/gwm/account/"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        *[(url, True) for url in ("/gwm/", "/gwm/vms/?q=a", "vms/", "?page=2", "http://testserver/gwm/jobs/")],
        *[(url, False) for url in ("/", "/other/", "/gwm", "/gwmore/", "/gwm/../other/", "/gwm/%2e%2e/other/", "")],
        *[(url, False) for url in ("http://elsewhere/gwm/", "//elsewhere/gwm/", "../../other", "javascript:alert(1)")],
    ],
)
def test_only_pages_below_the_path_are_gone_on_to(below: None, url: str, expected: bool) -> None:
    request = RequestFactory().get("/profile/")
    assert request.path == "/gwm/profile/"
    assert is_ours(request, url) is expected


def test_scripts_name_no_path_but_as_from_the_root_of_the_product() -> None:
    assert get_script_prefix() == "/"
    wrong, named = [], set()
    for path in sorted((ROOT / "static" / "js").glob("*.js")):
        text = path.read_text()
        code = re.sub(r"/\*.*?\*/|^\s*//.*$", "", text, flags=re.DOTALL | re.MULTILINE)
        wrong += [f"{path.name}: {found}" for found in re.findall(r"""["'`]/[a-z][^"'`]*|Path=/""", code)]
        named |= set(re.findall(r'\bat\("([^"]*)"\)', code))
    assert not wrong
    assert named >= {"login/", "live/ws", "dock/"}
    for each in sorted(named - ANSWERED_BY_THE_REACTOR):
        try:
            resolve(f"/{each}")
        except Resolver404:
            wrong.append(each)
    assert not wrong


def test_templates_and_styles_name_no_path() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {found}"
        for folder, kind in (("templates", "*.html"), ("static/css", "*.css"))
        for path in sorted((ROOT / folder).rglob(kind))
        for found in re.findall(r"""(?:\s[a-z-]+=["']|url\(["']?)/[a-z][^"' )]*""", path.read_text())
    ]
    assert not wrong
