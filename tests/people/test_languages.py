"""In which language and by which clock somebody reads the pages, and as whom they begin."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext

from objectlog.models import Event
from people.mailing import invite, send_due_letters
from permissions.models import BUILT_IN_ROLES, Role, Team, User
from permissions.services import make_team, persona_of, remove_member
from tests.factories import make_admin, make_user
from ui.date_formats import is_date_format
from ui.moments import begin_of, tell
from ui.said import in_figures
from ui.templatetags.units import mib

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F009")]
PASSWORD = "long enough 1"
SUMMER, WINTER = datetime(2026, 7, 1, 22, 30, tzinfo=UTC), datetime(2026, 12, 1, 22, 30, tzinfo=UTC)


@pytest.fixture
def alice() -> User:
    alice = make_user("alice", email="alice@example.org")
    alice.set_password(PASSWORD)
    alice.save()
    return alice


@pytest.fixture
def page(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


def language(client: Client, url: str = "/account/", **headers: str) -> str:
    answer = client.get(url, headers=headers)
    [lang] = re.findall(r'<html lang="([^"]+)"', answer.content.decode())
    assert answer.headers["Content-Language"] == lang and "Accept-Language" in answer.headers["Vary"]
    return lang


def choose(client: Client, **fields: str) -> int:
    return client.post("/account/", fields).status_code


def test_the_browser_says_the_language_until_one_is_chosen(page: Client, alice: User) -> None:
    for asked, found in [("es", "es"), ("es-MX,en;q=0.5", "es"), ("el-GR", "el"), ("de,el;q=0.3", "el"), ("de", "en")]:
        assert language(page, accept_language=asked) == found
        assert language(Client(), "/login/", accept_language=asked) == found
        assert language(page, "/nothing/", accept_language=asked) == found, "an error, too"
    assert choose(page, language="el") == 302
    assert language(page, accept_language="es") == "el"
    assert choose(page, language="") == 302
    assert language(page, accept_language="es") == "es"
    assert choose(page, language="de") == 422
    User.objects.filter(pk=alice.pk).update(language="xx")
    assert language(page, accept_language="es") == "es", "one of another release"
    assert translation.get_language() == "en", "nothing of it is left behind"


def test_the_service_says_it_for_browsers_that_do_not(page: Client, settings: object) -> None:
    settings.LANGUAGE_CODE = "es"  # type: ignore[attr-defined]
    assert language(page) == "es"
    assert language(page, accept_language="el") == "el"


def test_who_looks_as_somebody_else_reads_their_own_language(client: Client, alice: User) -> None:
    User.objects.update(language="es")
    root = make_admin()
    User.objects.filter(pk=root.pk).update(language="el", time_zone="Asia/Tokyo")
    client.force_login(root)
    client.post("/view-as/", {"who": "alice"})
    answer = client.get("/").content.decode()
    assert '<html lang="el"' in answer and 'data-time-zone="Asia/Tokyo"' in answer and 'id="viewed-by"' in answer


@pytest.mark.parametrize(
    ("zone", "summer", "winter"),
    [
        ("Europe/Athens", "2026-07-02 01:30 EEST", "2026-12-02 00:30 EET"),
        ("America/New_York", "2026-07-01 18:30 EDT", "2026-12-01 17:30 EST"),
        ("UTC", "2026-07-01 22:30 UTC", "2026-12-01 22:30 UTC"),
    ],
)
def test_times_are_told_by_the_chosen_clock(page: Client, alice: User, zone: str, summer: str, winter: str) -> None:
    assert choose(page, time_zone=zone) == 302
    assert f'data-time-zone="{zone}"' in page.get("/account/").content.decode()
    with timezone.override(zone):
        assert (tell(SUMMER), tell(WINTER)) == (summer, winter)
        assert begin_of(date(2026, 7, 2)).astimezone(timezone.get_current_timezone()).hour == 0


def test_the_browser_says_the_zone_until_one_is_chosen(client: Client) -> None:
    client.force_login(make_admin())
    for url, form in [("/view-as/", {"who": "root"}), ("/view-as/stop/", {})]:
        client.post(url, form)
    Event.objects.update(at=SUMMER)
    for said, day in [("Asia/Tokyo", "2 July"), ("Mars/Olympus", "1 July"), ("../etc/passwd", "1 July")]:
        client.cookies["zone"] = said
        page = client.get("/journal/").content.decode()
        assert f", {day} 2026" in page and "data-time-zone" not in page
    client.cookies["zone"] = "Asia/Tokyo"
    assert choose(client, time_zone="UTC") == 302
    assert ", 1 July 2026" in client.get("/journal/").content.decode()


def test_days_of_the_journal_are_those_of_the_chosen_clock(client: Client) -> None:
    root = make_admin()
    client.force_login(root)
    for url, form in [("/view-as/", {"who": "root"}), ("/view-as/stop/", {})]:
        assert client.post(url, form).status_code == 302
    Event.objects.update(at=SUMMER)
    for zone, day in [("UTC", "Wednesday, 1 July 2026"), ("Asia/Tokyo", "Thursday, 2 July 2026")]:
        assert choose(client, time_zone=zone) == 302
        assert day in client.get("/journal/").content.decode()
    assert choose(client, time_zone="UTC", language="es") == 302
    assert "1 de julio de 2026" in client.get("/journal/").content.decode()
    assert choose(client, time_zone="Mars/Olympus") == 422
    User.objects.update(time_zone="Mars/Olympus")
    assert client.get("/journal/").status_code == 200, "this machine knows it no more"


def test_numbers_are_written_as_the_language_has_them() -> None:
    with translation.override("en"):
        assert (in_figures(12345.5, 1), in_figures(1247), mib(4096)) == ("12,345.5", "1,247", "4.0\u00a0GiB")
    with translation.override("el"):
        assert (in_figures(12345.5, 1), in_figures(1247), mib(4096)) == ("12.345,5", "1.247", "4,0\u00a0GiB")
    with translation.override(None):
        assert in_figures(12345.5, 1) == "12,345.5"


@pytest.mark.alike
@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        *((text, True) for text in ("Y-m-d", "d/m/Y", "j.n.y", "m/d/Y", "j. n. Y")),
        *((text, False) for text in ("", "Y", "Y-m", "Y-m-m", "d/M/Y", "D/m/Y", "<m>-d-Y", "Y-m-d-H", "%Y-%m-%d")),
    ],
)
def test_formats_of_days(text: str, is_one: bool) -> None:
    assert is_date_format(text) == is_one


@pytest.mark.alike
def test_days_are_written_as_the_setting_says(settings: object) -> None:
    settings.GWM_DATE_FORMAT = "d/m/Y"  # type: ignore[attr-defined]
    assert tell(SUMMER) == "01/07/2026 22:30 UTC"


def test_files_are_the_same_in_every_language(client: Client) -> None:
    client.force_login(make_admin())
    client.post("/view-as/", {"who": "root"})
    client.post("/view-as/stop/")
    for form in ("csv", "json", "jsonl"):
        files = {
            client.get(f"/journal/?format={form}", headers={"accept-language": each}).content for each in ("en", "es")
        }
        assert len(files) == 1


def test_a_mail_is_in_the_language_of_who_gets_it(alice: User, settings: object) -> None:
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://localhost", "https://gwm.example.org"  # type: ignore[attr-defined]
    for chosen in ("en", "es"):
        User.objects.update(language=chosen)
        invite(alice)
        with translation.override("el"):
            assert send_due_letters() == 1
    english, spanish = mail.outbox
    assert english.subject == "Your account on gwm.example.org"
    assert spanish.subject == "Su cuenta en gwm.example.org"
    assert "Elija su contraseña" in spanish.body


@pytest.fixture
def team(alice: User) -> Team:
    return make_team("web-team", [alice])


def sign_in() -> Client:
    client = Client()
    assert client.post("/login/", {"login": "alice", "password": PASSWORD}).status_code == 302
    return client


def test_one_begins_as_whom_one_chose(page: Client, alice: User, team: Team) -> None:
    assert 'name="persona"' in page.get("/account/").content.decode()
    assert choose(page, persona="@web-team") == 302
    assert "acting_as" not in page.session, "from the next time on"
    assert sign_in().session["acting_as"] == persona_of(team).pk
    assert 'value="@web-team"' in page.get("/account/").content.decode()
    remove_member(team, alice)
    assert "acting_as" not in sign_in().session, "asked again"
    assert 'name="persona"' not in page.get("/account/").content.decode()


@pytest.mark.parametrize("name", ["@others", "@nothing", "root", "@web-team "])
def test_one_begins_as_whom_one_may_act_for(page: Client, alice: User, team: Team, name: str) -> None:
    make_admin()
    make_team("others")
    assert choose(page, persona=name) == (302 if name.strip() == "@web-team" else 422)
    assert choose(page, persona="") == choose(page, persona="alice") == 302
    assert User.objects.get(pk=alice.pk).default_persona is None


def test_signing_out_ends_looking_as_somebody_else(client: Client, alice: User) -> None:
    client.force_login(make_admin())
    client.post("/view-as/", {"who": "alice"})
    assert client.post("/logout/").status_code == 302
    said = [(event.actor_name, event.said) for event in Event.objects.order_by("pk")]
    assert said == [("root", "Began to view pages as alice"), ("root", "Ended viewing pages as alice")]
    client.force_login(alice)
    client.post("/logout/")
    assert Event.objects.count() == 2


@pytest.mark.alike
@pytest.mark.parametrize("language", ["el", "es"])
def test_pages_are_translated(client: Client, language: str, settings: object) -> None:
    settings.GWM_MAIL_URL = "smtp://localhost"  # type: ignore[attr-defined]
    root = make_admin()
    root.set_password(PASSWORD)  # Who has none is not asked for it.
    root.language = language
    root.save()
    client.force_login(root)
    client.post("/view-as/", {"who": "root"})
    client.post("/view-as/stop/")
    Event.objects.update(at=WINTER)
    journal = client.get("/journal/?all=1").content.decode()
    refused = client.post("/account/email/", {}).content.decode()
    with translation.override(language):
        in_journal = [
            f"<title>{gettext('Journal')} ",
            gettext("Virtual machines"),
            gettext("Began to view pages as %(object)s") % {"object": "root"},
            date_format(WINTER, gettext("l, j F Y")),
        ]
        errors = [gettext("Enter an email address."), gettext("Enter your current password.")]
    assert [words for words in in_journal if words not in journal] == []
    assert [words for words in errors if words not in refused] == []
    english = ["<title>Journal", "Virtual machines", "Began to view", "1 December 2026", "Enter "]
    assert [words for words in english if words in journal + refused] == []


def test_a_built_in_role_is_described_in_the_language_of_who_reads_until_somebody_describes_it_anew() -> None:
    assert dict(Role.objects.values_list("name", "description")) == BUILT_IN_ROLES
    with translation.override("es"):
        assert Role.objects.get(name="helpdesk").described.startswith("Arranca y detiene")
        assert Role(name="helpdesk", description="Ours").described == "Ours"
        assert Role(name="night shift", description=BUILT_IN_ROLES["helpdesk"]).described.startswith("Starts and stops")
        assert Role(name="night shift").described == ""
