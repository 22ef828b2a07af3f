"""A new password by a link that is mailed."""

import re
from datetime import timedelta
from email import message_from_bytes

import pytest
import time_machine
from aiosmtpd.controller import Controller
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from gwm.celery import TIMETABLE
from objectlog.models import Event
from people.mailing import claim, link_for_password, send_due_letters
from people.models import Letter
from people.tasks import send_letters
from permissions.models import User
from tests.factories import deaf_port, make_user
from tools.throwaway import free_port

pytestmark = pytest.mark.django_db
OLD, NEW = "long enough 1", "another password 2"
SITE = "https://gwm.example.org"


@pytest.fixture(autouse=True)
def nothing_counted(settings):
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://localhost", SITE
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice(db):
    return make_person("alice", "alice@example.org")


def make_person(name, email, password=OLD, **fields):
    user = make_user(name)
    user.email = email
    user.set_password(password)
    for field, value in fields.items():
        setattr(user, field, value)
    user.save()
    return user


def ask(email="alice@example.org", client=None, **headers):
    return (client or Client()).post("/password/forgotten/", {"email": email}, **headers)


def link_in(body):
    return re.search(rf"{SITE}(/password/new/\S+)", body)[1]


def use(link, password=NEW, again=None):
    """Open the link as a browser does, and set a password."""
    client = Client()
    page = client.get(link, follow=True)
    return client.post(page.request["PATH_INFO"], {"password1": password, "password2": again or password})


@pytest.mark.feature("F002")
def test_from_asking_to_signing_in_with_the_new_password(alice, settings):
    here = Client()
    here.force_login(alice)
    assert "Forgot your password?" in Client().get("/login/").content.decode()
    assert ask(REMOTE_ADDR="192.0.2.7")["Location"] == "/password/forgotten/sent/"
    assert mail.outbox == [], "the page does not send it: that would tell by its time who has an account"
    assert (send_due_letters(), Letter.objects.count()) == (1, 0)
    (letter,) = mail.outbox
    assert (letter.to, letter.from_email) == (["alice@example.org"], settings.DEFAULT_FROM_EMAIL)
    assert '"alice"' in letter.body
    link = link_in(letter.body)
    answer = use(link)
    assert answer["Location"] == "/login/"
    assert here.get("/")["Location"] == "/login/?next=/", "other sessions end"
    assert Client().post("/login/", {"login": "alice", "password": OLD}).status_code == 200
    assert Client().post("/login/", {"login": "alice", "password": NEW}).status_code == 302
    told = Event.objects.filter(verb__in=["person.send-reset", "person.reset-password"]).order_by("pk")
    assert [(event.target_name, event.actor_name) for event in told] == [("alice", ""), ("alice", "alice")]
    assert "192.0.2.7" in told[0].said
    assert "no longer works" in Client().get(link, follow=True).content.decode(), "once"


def test_one_answer_to_whoever_has_an_account_and_who_has_none(alice):
    make_person("bob", "bob@example.org", is_active=False)
    elsewhere = make_person("carol", "carol@example.org")
    elsewhere.set_unusable_password()
    elsewhere.save()
    names = ("alice", "nobody", "bob", "carol")
    answers = []
    for name in names:
        sent = ask(f"{name}@example.org")
        answers.append((sent.status_code, sent["Location"], sent.content, sorted(sent.cookies)))
    assert len(set(map(str, answers))) == 1
    assert Letter.objects.count() == len(names), "the same work for each"
    send_due_letters()
    assert [letter.to for letter in mail.outbox] == [["alice@example.org"]]
    assert not Letter.objects.exists()


def test_the_mail_goes_to_the_address_of_the_account(alice):
    ask("ALICE@Example.org")
    send_due_letters()
    assert mail.outbox[0].to == ["alice@example.org"]


def test_the_link_names_the_configured_host_whatever_was_asked(alice, settings):
    settings.ALLOWED_HOSTS = ["*"]
    ask(headers={"host": "evil.example", "x-forwarded-host": "evil.example"})
    send_due_letters()
    assert "evil" not in mail.outbox[0].body


@pytest.mark.parametrize("change", ["used", "old", "password", "email", "off", "cut", "other"])
def test_a_link_that_is_no_good(alice, change):
    bob = make_person("bob", "bob@example.org")
    path = link_for_password(alice).removeprefix(SITE)
    later = timedelta(0)
    if change == "used":
        use(path)
    elif change == "old":
        later = timedelta(days=4)
    elif change == "password":
        alice.set_password("changed meanwhile")
    elif change == "email":
        alice.email = "new@example.org"
    elif change == "off":
        alice.is_active = False
    elif change == "cut":
        path = path[:-2] + "/"
    else:
        theirs = link_for_password(bob).removeprefix(SITE)
        path = "/".join([*theirs.split("/")[:4], *path.split("/")[4:]])
    if change in ("password", "email", "off"):
        alice.save()
    before = dict(User.objects.values_list("username", "password"))
    with time_machine.travel(timezone.now() + later, tick=False):
        page = Client().get(path, follow=True)
    assert page.status_code == 404
    assert "This link no longer works" in page.content.decode()
    assert "password1" not in page.content.decode()
    Client().post(path.rpartition("/")[0].rpartition("/")[0] + "/set-password/", {"password1": NEW, "password2": NEW})
    assert dict(User.objects.values_list("username", "password")) == before


def test_the_link_is_not_told_to_other_pages(alice):
    client = Client()
    answer = client.get(link_for_password(alice).removeprefix(SITE))
    assert answer["Location"].endswith("/set-password/"), "the page has another URL than the mail"


@pytest.mark.parametrize(("given", "says"), [(("short", None), "too short"), ((NEW, "differs 12"), "same password")])
def test_what_is_wrong_with_a_new_password(alice, given, says):
    answer = use(link_for_password(alice).removeprefix(SITE), *given)
    assert says in answer.content.decode()
    assert User.objects.get().check_password(OLD)


def test_nobody_is_flooded_with_mail(alice):
    assert [ask().status_code for _ in range(5)] == [302] * 3 + [429] * 2
    assert ask("ALICE@example.org").status_code == 429
    assert ask("other@example.org").status_code == 302
    assert Letter.objects.count() == 4


def test_strangers_leave_no_session_behind(alice):
    client = Client()
    ask(client=client)
    client.get("/password/new/1/nothing/")
    assert "gwm_session" not in client.cookies


def test_a_service_without_mail_says_so(alice, settings):
    settings.GWM_MAIL_URL = ""
    assert "Forgot your password?" not in Client().get("/login/").content.decode()
    assert "sends no mail" in ask().content.decode()
    assert not Letter.objects.exists()


class Mailbox:
    """What an SMTP server was handed; it refuses as long as it is told to."""

    def __init__(self):
        self.is_closed, self.letters = True, []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if self.is_closed:
            return "451 Try again later"
        self.letters.append(message_from_bytes(envelope.content))
        return "250 OK"


def test_by_a_real_mail_server_that_refuses_at_first(alice, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask()
        assert send_due_letters() == 0, "nobody listens"
        server.start()
        try:
            assert send_due_letters() == 0, "not due yet"
            clock.shift(31)
            assert send_due_letters() == 0, "refused"
            mailbox.is_closed = False
            clock.shift(61)
            send_letters()
        finally:
            server.stop()
    (letter,) = mailbox.letters
    assert (letter["To"], letter["Auto-Submitted"]) == ("alice@example.org", "auto-generated")
    assert not Letter.objects.exists()
    body = letter.get_payload(decode=True).decode()
    assert use(link_in(body)).status_code == 302


def test_two_workers_that_have_read_the_same_letter(alice):
    ask()
    here, there = Letter.objects.get(), Letter.objects.get()
    assert [claim(here), claim(there)] == [True, False]


def test_what_can_never_be_sent_is_given_up(alice, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", deaf_port()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask()
        for tries in range(1, 9):
            assert Letter.objects.count() == 1, tries
            send_due_letters()
            clock.shift(30 * 2**tries)
    assert not Letter.objects.exists()
    assert not Event.objects.filter(verb="person.send-reset").exists()


def test_the_timetable_sends():
    assert TIMETABLE["letters"]["task"] == send_letters.name
