"""What people see and change of their own account: names, email address, rows on a page, sessions."""

import re
import time
from contextlib import nullcontext

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.test import Client

from objectlog.models import Entry, Event
from operations.contract import Actor, Ask, Forbidden, Refusal
from operations.pipeline import run
from operations.table import OPERATIONS
from people.confirming import make_confirmation
from people.factors import STEP_S, add_app
from people.mailing import send_due_letters
from people.models import Letter
from people.operations.accounts import AccountParams
from people.operations.mailed import EmailParams
from people.sessions import browser_of
from permissions.models import User
from permissions.selectors import choice_of
from permissions.services import keep_choice
from tests.factories import make_admin, make_user
from ui.tables import Choice

pytestmark = pytest.mark.django_db
PASSWORD, SITE = "long enough 1", "https://gwm.example.org"
SECRET = "A" * 32
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def nothing_counted(settings):
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://localhost", SITE
    cache.clear()
    yield
    cache.clear()


def make_person(name, **fields):
    person = make_user(name, **fields)
    person.set_password(PASSWORD)
    person.save()
    return person


def enter(name, agent=FIREFOX):
    client = Client(HTTP_USER_AGENT=agent)
    assert client.post("/login/", {"login": name, "password": PASSWORD}).status_code == 302
    return client


def is_in(client):
    return client.get("/about/").status_code == 200


@pytest.fixture
def alice():
    return make_person("alice", email="old@example.org")


@pytest.mark.feature("F003")
def test_names_and_rows_on_a_page(alice):
    client = enter("alice")
    keep_choice(alice, "nodes", Choice(("cpus",), 25))
    client.post("/account/", {"first_name": "Alice", "last_name": "Liddell", "per_page": "100"})
    alice.refresh_from_db()
    assert alice.get_full_name() == "Alice Liddell"
    assert (choice_of(alice, "machines").per_page, choice_of(alice, "nodes").per_page) == (100, 25)
    assert choice_of(alice, "nodes").columns == ("cpus",)
    assert 'value="100" selected' in client.get("/account/").content.decode()
    entry = Entry.objects.get(verb="person.edit")
    assert [change["after"] for change in entry.changes] == ["Alice", "Liddell"]
    client.post("/account/", {"first_name": "Alice", "last_name": "Liddell", "per_page": ""})
    alice.refresh_from_db()
    assert choice_of(alice, "machines").per_page is None
    assert Entry.objects.count() == 1, "what is as it was is no change"
    assert client.post("/account/", {"first_name": "x" * 151, "per_page": "7"}).status_code == 422


def test_a_name_does_not_turn_the_text_around_it(alice):
    enter("alice").post("/account/", {"first_name": "\u202eecilA", "last_name": "\u2066L"})
    alice.refresh_from_db()
    assert (alice.first_name, alice.last_name) == ("\ufffdecilA", "\ufffdL")


@pytest.mark.parametrize("field", ["email", "is_superuser", "username", "is_active"])
def test_a_field_that_is_not_on_the_page(alice, field):
    before = User.objects.values().get(pk=alice.pk)
    enter("alice").post("/account/", {"first_name": "", "last_name": "", field: "x@example.org"})
    after = User.objects.values().get(pk=alice.pk)
    assert {name for name in before if before[name] != after[name]} <= {"last_login", "list_choices"}


@pytest.mark.parametrize("verb", sorted(op.verb for op in OPERATIONS.values() if op.kind == "person"))
def test_what_people_may_do_to_their_own_account(alice, verb):
    """Names, an address that is shown to be theirs, and a provider they are known at. Nothing else, by whatever way."""
    operation = OPERATIONS[f"person.{verb}"]
    given = {"edit": AccountParams(first_name="Alice")}.get(verb, operation.params_type())
    refused = None if verb == "edit" else Refusal if verb in ("use-email", "disconnect") else Forbidden
    if operation.is_on_site:
        return
    with pytest.raises(refused) if refused else nullcontext():
        run(operation, Ask(Actor(alice, "web"), alice, given))
    with pytest.raises(Forbidden):
        run(OPERATIONS["person.edit"], Ask(Actor(alice, "web"), alice, AccountParams(email="new@example.org")))
    with pytest.raises(Forbidden):
        run(operation, Ask(Actor(alice, "web"), make_user("bob"), given))


def ask(client, email="new@example.org", password=PASSWORD):
    return client.post("/account/email/", {"email": email, "password": password})


def link_of(person, email="new@example.org"):
    return f"/account/email/{make_confirmation(person, email)}/"


@pytest.mark.feature("F003")
def test_an_address_counts_when_the_link_that_was_sent_there_is_opened(alice):
    client = enter("alice")
    assert ask(client).status_code == 302
    alice.refresh_from_db()
    assert alice.email == "old@example.org"
    send_due_letters()
    (sent,) = mail.outbox
    assert sent.to == ["new@example.org"]
    link = re.search(rf"{SITE}(/account/email/\S+)", sent.body)[1]
    assert client.get(link).status_code == 200
    alice.refresh_from_db()
    assert alice.email == "old@example.org", "whatever opens links does not mean it"
    assert client.post(link).status_code == 302
    alice.refresh_from_db()
    assert alice.email == "new@example.org"
    assert client.post(link).status_code == 404, "once"
    send_due_letters()
    assert mail.outbox[1].to == ["old@example.org"] and SITE in mail.outbox[1].body
    assert [(change["before"], change["after"]) for change in Entry.objects.get().changes] == [
        ("old@example.org", "new@example.org")
    ]
    assert link.split("/")[-2] not in f"{[*Entry.objects.values(), *Event.objects.values()]}"


def test_whose_session_it_is_does_not_suffice(alice):
    client = enter("alice")
    assert ask(client, password="wrong").status_code == 422
    assert not Letter.objects.exists()
    for _each in range(10):
        answer = ask(client, password="wrong")
    assert answer.status_code == 429, "guesses are counted"
    assert ask(client).status_code == 429


def test_who_has_no_password_here_shows_otherwise_who_they_are(alice):
    alice.set_unusable_password()
    alice.save()
    add_app(alice, SECRET, 0)
    client = Client()
    client.force_login(alice)
    for answer in (client.get("/account/email/"), ask(client)):
        assert answer["Location"] == "/account/again/?next=%2Faccount%2Femail%2F"
    assert not Letter.objects.exists()
    code = format_hotp_value(hotp_value(SECRET, int(time.time()) // STEP_S))
    client.post("/account/again/", {"code": code, "next": "/account/email/"})
    assert "password" not in client.get("/account/email/").context["form"].fields
    assert client.post("/account/email/", {"email": "new@example.org"}).status_code == 302
    assert Letter.objects.get().address == "new@example.org"


@pytest.mark.parametrize("email", ["old@example.org", "nowhere", "", "a@b\0.org"])
def test_an_address_that_is_none(alice, email):
    assert ask(enter("alice"), email).status_code in (400, 422)
    assert not Letter.objects.exists()


def test_a_link_means_one_person_and_one_address(alice, settings):
    bob, client = make_person("bob", email="bob@example.org"), enter("alice")
    link = link_of(alice)
    for bad in (link_of(bob), link[:-2] + "/", link.replace(":", ":x", 1), "/account/email/x/"):
        assert client.post(bad).status_code == 404
    assert Client().post(link)["Location"].startswith("/login/?next=")
    User.objects.filter(pk=alice.pk).update(email="meanwhile@example.org")
    assert client.post(link).status_code == 404
    alice.refresh_from_db()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert client.post(link_of(alice)).status_code == 404
    assert enter("bob").post(link).status_code == 404
    with pytest.raises(Refusal):
        token = make_confirmation(bob, "x@example.org")
        run(OPERATIONS["person.use-email"], Ask(Actor(alice, "cli"), alice, EmailParams(token)))


def test_without_mail_an_address_is_for_administrators(alice, settings):
    settings.GWM_MAIL_URL = ""
    client = enter("alice")
    assert "sends no mail" in client.get("/account/email/").content.decode()
    assert ask(client).status_code == 409 and not Letter.objects.exists()
    assert "/account/email/" not in client.get("/account/").content.decode()


def buttons(page):
    return re.findall(r'action="(/account/sessions/\d+/end/)"', page.content.decode())


def test_sessions_are_listed_and_ended_one_by_one(alice):
    here, there = enter("alice"), enter("alice", "curl/8.0")
    make_person("bob")
    bob = enter("bob")
    page = here.get("/account/")
    assert [each.browser for each in page.context["sessions"]] == ["Firefox on Linux", "curl"]
    (end,) = buttons(page)
    assert here.session.session_key not in page.content.decode()
    assert bob.post(end).status_code == 404 and is_in(there), "of others none"
    assert here.post(end).status_code == 302
    assert (is_in(here), is_in(there), is_in(bob)) == (True, False, True)
    assert buttons(here.get("/account/")) == [] and here.post(end).status_code == 404
    assert Event.objects.filter(verb="person.end-session").count() == 1


def test_all_other_sessions_end_at_once(alice):
    here, others = enter("alice"), [enter("alice"), enter("alice")]
    assert here.post("/account/sessions/others/end/").status_code == 302
    assert (is_in(here), *map(is_in, others)) == (True, False, False)


@pytest.mark.parametrize("verb", ["sign-out", "deactivate"])
def test_a_session_that_an_administrator_ended_is_listed_no_more(alice, verb):
    here = enter("alice")
    root = make_admin("root")
    run(OPERATIONS[f"person.{verb}"], Ask(Actor(root, "web"), alice, OPERATIONS[f"person.{verb}"].params_type()))
    assert not is_in(here)
    client = Client()
    client.force_login(root)
    assert list(client.get("/person/alice/").context["sessions"]) == []


@pytest.mark.alike
@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18.0 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("<script>alert(1)</script>", "<script>alert(1)<"),
        ("", "unknown browser"),
        ("x" * 5000, "x" * 40),
    ],
)
def test_what_a_browser_is_called(agent, told):
    assert browser_of(agent) == told


@pytest.mark.feature("F010")
def test_somebody_is_invited_and_chooses_a_password():
    make_admin("root")
    root = Client()
    root.force_login(User.objects.get(username="root"))
    page = root.post("/people/add/", {"username": "carol", "email": "carol@example.org", "how": "invite"})
    assert "data-copy" not in page.content.decode()
    send_due_letters()
    root.post("/person/carol/do/invite/")
    send_due_letters()
    assert [sent.to for sent in mail.outbox] == [["carol@example.org"]] * 2
    first, second = (re.search(rf"{SITE}(/password/new/\S+)", sent.body)[1] for sent in mail.outbox)
    carol = Client()
    there = carol.get(second)
    while there.status_code == 302:
        second = there["Location"]
        there = carol.get(second)
    assert carol.post(second, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    assert is_in(enter("carol"))
    assert Client().get(first, follow=True).status_code == 404, "one of them works, once"


@pytest.mark.parametrize(
    ("given", "url"), [({"email": ""}, SITE), ({"email": "carol@example.org"}, ""), ({"email": "nowhere"}, SITE)]
)
def test_who_cannot_be_invited(given, url, settings):
    settings.GWM_MAIL_URL = url and "smtp://localhost"
    root = Client()
    root.force_login(make_admin("root"))
    answer = root.post("/people/add/", {"username": "carol", "how": "invite", **given})
    assert answer.status_code == 422 and answer.context["form"].errors.keys() == {"email"}
    assert not Letter.objects.exists() and not User.objects.filter(username="carol").exists()


def test_an_invitation_to_an_account_that_changed_meanwhile_is_not_sent():
    root = Client()
    root.force_login(make_admin("root"))
    for name, change in {"off": {"is_active": False}, "moved": {"email": "other@example.org"}}.items():
        root.post("/people/add/", {"username": name, "email": f"{name}@example.org", "how": "invite"})
        User.objects.filter(username=name).update(**change)
    root.post("/people/add/", {"username": "gone", "email": "gone@example.org", "how": "invite"})
    User.objects.get(username="gone").delete()
    send_due_letters()
    assert mail.outbox == [] and not Letter.objects.exists()
