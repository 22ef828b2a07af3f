"""A theme: what it puts on pages, in mails and on the page of an error, and that nothing changes without one."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from gwm.theming import check_theme
from gwm.views.errors import server_error
from people.factors import Adapter
from people.mailing import name_site
from tests.factories import make_admin
from ui.theming.described import Theme, read_theme

pytestmark = pytest.mark.feature("F297")
LANGUAGES = ("en", "el", "es")
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1h7v7z" fill="#fff"/></svg>'
WITH_ALL = """
name = "Cloud <&> Co"
logo = "logo.svg"
sign_in_text = "Ask help@example.org.\\n\\nSee https://example.org/help <script>alert(1)</script>"
overview_text = {en = "Thursday", el = "Πέμπτη"}
[light]
accent = "#8a1c5b"
[dark]
accent = "#F9C"
"""
Make = Callable[..., Theme]


@pytest.fixture
def make(tmp_path: Path, settings: Any) -> Make:
    """Writes a theme and puts it into the settings, as a start of the product does."""

    def write(described: str, **files: str) -> Theme:
        for name, text in {"theme.toml": described, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        theme = settings.GWM_THEME = read_theme(tmp_path, LANGUAGES, is_wanted=True)
        settings.STATICFILES_DIRS = [*([theme.static] if theme.static else []), settings.BASE_DIR / "static"]
        engines = copy.deepcopy(settings.TEMPLATES)
        engines[0]["DIRS"] = [*([theme.templates] if theme.templates else []), settings.BASE_DIR / "templates"]
        settings.TEMPLATES = engines
        finders.get_finder.cache_clear()
        return theme

    return write


def marks(page: str) -> str:
    """What stands in the place of logo and name, above the form to sign in."""
    found = re.search(r'class="bare-mark">(.*?)</div>', page, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.django_db
@pytest.mark.alike
def test_a_theme_is_on_every_kind_of_page(make: Make, settings: Any) -> None:
    make(WITH_ALL, **{"static/logo.svg": LOGO, "static/theme.css": ".card { margin: 0 }"})
    client = Client()
    sign_in = client.get("/login/").content.decode()
    name, logo = "Cloud &lt;&amp;&gt; Co", f'src="{settings.STATIC_URL}logo.svg"'
    assert f"<title>Sign in · {name}</title>" in sign_in
    assert f'<img class="logo" {logo} alt=""><span>{name}</span>' in marks(sign_in)
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]*)"', sign_in)
    assert sheets[-2:] == [settings.STATIC_URL + "theme-colours.css", settings.STATIC_URL + "theme.css"]
    assert '<a href="mailto:help@example.org">help@example.org</a>.</p>' in sign_in
    assert '<a href="https://example.org/help" rel="nofollow">' in sign_in
    assert "<script>alert" not in sign_in
    assert "Ganeti Web Manager" not in sign_in

    client.force_login(make_admin())
    overview = client.get("/", headers={"Accept-Language": "el"}).content.decode()
    assert f'alt="">{name}</a>' in overview
    assert '<div class="own-text"><p>Πέμπτη</p></div>' in overview
    assert "Ganeti Web Manager" not in overview
    assert (
        '<div class="own-text"><p>Thursday</p></div>'
        in client.get("/", headers={"Accept-Language": "es"}).content.decode()
    )
    assert f"· {name}</title>" in client.get("/nothing/").content.decode()


def test_the_page_of_an_error_needs_no_database_for_it(make: Make) -> None:
    make(WITH_ALL, **{"static/logo.svg": LOGO})
    page = server_error(RequestFactory().get("/")).content.decode()
    assert "· Cloud &lt;&amp;&gt; Co</title>" in page
    assert "logo.svg" in marks(page)
    assert "theme-colours.css" in page


def test_an_outage_is_told_under_its_name(make: Make) -> None:
    make('name = "Cloud"')
    try:
        raise OSError(28, "No space left on device")
    except OSError:
        page = server_error(RequestFactory().get("/")).content.decode()
    assert "Cloud cannot save anything" in page


@pytest.mark.django_db
@pytest.mark.alike
def test_its_colours_are_a_style_sheet_that_may_be_kept(make: Make, settings: Any) -> None:
    make(WITH_ALL, **{"static/logo.svg": LOGO})
    answer = Client().get(settings.STATIC_URL + "theme-colours.css")
    assert answer.content.decode() == ":root {\n  --accent: light-dark(#8a1c5b, #ff99cc);\n}\n"
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer["Cache-Control"] and "no-store" not in answer["Cache-Control"]
    logo = Client().get(settings.STATIC_URL + "logo.svg")
    assert logo["Content-Type"] == "image/svg+xml"
    logo.close()


def test_a_colour_that_is_given_for_one_scheme_leaves_the_other_as_it_is(make: Make) -> None:
    assert make('[dark]\nnav-text = "#fff"').sheet == ":root {\n  --nav-text: light-dark(#c3cbd8, #ffffff);\n}\n"


def test_a_logo_that_says_the_name_stands_alone(make: Make) -> None:
    make('name = "Cloud"\nlogo = "logo.svg"\nlogo_says_name = true', **{"static/logo.svg": LOGO})
    page = server_error(RequestFactory().get("/")).content.decode()
    assert re.fullmatch(r'<img class="logo" src="[^"]*" alt="Cloud">', marks(page))


def test_it_is_in_mails_and_in_apps_of_second_factors(make: Make, settings: Any) -> None:
    settings.GWM_PUBLIC_URL = "https://gwm.example.org"
    assert name_site() == "https://gwm.example.org"
    assert Adapter().get_totp_issuer() == "Ganeti Web Manager"
    make('name = "Cloud"')
    assert name_site() == "Cloud (https://gwm.example.org)"
    assert Adapter().get_totp_issuer() == "Cloud"


def test_own_templates_and_files_come_before_ours(make: Make, settings: Any) -> None:
    foot = '{% extends "bare.html" %}{% block foot %}{% include "own/foot.html" %}{% endblock %}'
    make(
        "",
        **{
            "templates/bare.html": foot,
            "templates/own/foot.html": "Imprint",
            "static/img/favicon.svg": LOGO,
            "static/own/a.txt": "a",
        },
    )
    page = server_error(RequestFactory().get("/")).content.decode()
    assert '<footer class="bare-foot">Imprint</footer>' in page and "Something broke here" in page
    assert finders.find("img/favicon.svg") == str(settings.GWM_THEME.static / "img" / "favicon.svg")
    assert finders.find("css/base.css") == str(settings.BASE_DIR / "static" / "css" / "base.css")
    assert check_theme() == []


def test_a_text_is_said_in_the_language_of_the_page_or_else_in_that_of_the_service(make: Make) -> None:
    theme = make('overview_text = {el = "Γεια", es = "Hola"}\nsign_in_text = "All"')
    assert [theme.text("overview_text", language, "es") for language in LANGUAGES] == ["Hola", "Γεια", "Hola"]
    assert theme.text("overview_text", "en", "en") == "Γεια"
    assert theme.text("sign_in_text", "el", "en") == "All"


def test_without_a_theme_nothing_is_added(settings: Any, tmp_path: Path) -> None:
    assert settings.GWM_THEME == read_theme(tmp_path / "theme", LANGUAGES, is_wanted=False) == Theme()
    page = render_to_string("errors/error.html", {"layout": "bare.html", "title": "T", "code": 500})
    assert '<svg class="i" aria-hidden="true">' in marks(page)
    assert marks(page).endswith("</svg><span>Ganeti Web Manager</span>")
    assert "<title>T · Ganeti Web Manager</title>" in page
    assert "theme" not in page.partition("<body>")[0].replace("data-theme", "")
    assert "own-text" not in page


def test_no_template_names_the_product_where_a_theme_has_its_name(settings: Any) -> None:
    """But the page about it, which says what runs here and whose work it is."""
    named = [
        path.name
        for path in (settings.BASE_DIR / "templates").rglob("*.*")
        if "Ganeti Web Manager" in path.read_text(encoding="utf-8")
    ]
    assert named == ["about.html"]
