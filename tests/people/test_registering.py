"""Registration: off unless it is set, and then by a link that is mailed."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail, signing
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from gwm.config import Config
from objectlog.models import Event
from people import registering
from people.mailing import send_due_letters
from people.models import Letter
from people.registering import Registration, Unregistered, is_welcome, make_link_token, register
from permissions.models import User
from tests.factories import make_user

pytestmark = pytest.mark.django_db
SITE = "https://gwm.example.org"
GOOD = {"username": "ann", "first_name": "Ann", "last_name": "A", "password1": "long enough 1"}


@pytest.fixture(autouse=True)
def open_to_all(settings):
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://localhost", SITE
    settings.GWM_REGISTRATION, settings.GWM_REGISTRATION_DOMAINS = True, []
    cache.clear()
    yield
    cache.clear()


def ask(address, **headers):
    return Client().post("/register/", {"email": address}, **headers)


def mailed_link(address="ann@example.org"):
    ask(address)
    send_due_letters()
    return re.search(rf"{SITE}(/register/\S+)", mail.outbox[-1].body)[1]


def make(link, **changed):
    form = {**GOOD, **changed}
    return Client().post(link, {"password2": form["password1"], **form})


@pytest.mark.feature("F004")
def test_from_asking_to_signing_in():
    assert "Register" in Client().get("/login/").content.decode()
    assert ask("ann@example.org")["Location"] == "/register/sent/"
    assert not User.objects.exists() and mail.outbox == []
    link = mailed_link()
    assert "ann@example.org" in Client().get(link).content.decode()
    assert not User.objects.exists(), "whatever opens links does not mean it"
    assert make(link)["Location"] == "/login/"
    ann = User.objects.get()
    assert (ann.username, ann.email, ann.is_active, ann.is_superuser, ann.is_staff) == (
        "ann", "ann@example.org", True, False, False,
    )  # fmt: skip
    client = Client()
    assert client.post("/login/", {"login": "ann", "password": GOOD["password1"]}).status_code == 302
    assert "You have no access to any machine yet" in client.get("/vms/").content.decode()
    event = Event.objects.get(verb="person.register")
    assert event.actor_name == "ann" and "ann@example.org" in event.said and GOOD["password1"] not in event.said
    assert make(link, username="again").status_code == 404, "once"


@pytest.mark.feature("F005")
@pytest.mark.parametrize("method", ["get", "post"])
def test_when_it_is_off_no_way_leads_in(settings, method):
    link = mailed_link()
    settings.GWM_REGISTRATION = False
    for path in ("/register/", "/register/sent/", link):
        if path != "/register/sent/" or method == "get":
            answer = getattr(Client(), method)(path, {"email": "bob@example.org", **GOOD, "password2": "long enough 1"})
            status, says = (404, "no longer works") if path == link else (403, "Registration is closed")
            assert answer.status_code == status and says in answer.content.decode(), path
    assert "Register" not in Client().get("/login/").content.decode()
    assert not User.objects.exists() and not Letter.objects.exists()


def test_it_is_off_by_default(tmp_path):
    assert Config({"GWM_DATA_DIR": str(tmp_path)}).flag("GWM_REGISTRATION") is False


def test_one_answer_to_whoever_has_an_account_and_who_has_none():
    alice = make_user("alice")
    alice.email = "Alice@example.org"
    alice.save()
    off = make_user("off")
    off.email, off.is_active = "off@example.org", False
    off.save()
    answers = {
        str((sent.status_code, sent["Location"], sent.content, sorted(sent.cookies)))
        for sent in (ask(f"{name}@example.org") for name in ("alice", "off", "new"))
    }
    assert len(answers) == 1 and Letter.objects.count() == 3
    send_due_letters()
    told = {letter.to[0]: letter.body for letter in mail.outbox}
    assert set(told) == {"Alice@example.org", "new@example.org"}, "who was shut out does not come back by it"
    assert "/register/" not in told["Alice@example.org"] and '"alice"' in told["Alice@example.org"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"username": "ALICE"}, "can&#x27;t be used"),
        ({"username": ".."}, "can&#x27;t be used"),
        ({"username": "\u0430lice"}, "can&#x27;t be used"),
        ({"username": "a b"}, "valid username"),
        ({"password1": "short"}, "too short"),
        ({"password1": "password12345"}, "too common"),
        ({"password1": "ann@example.org"}, "too similar"),
        ({"password2": "differs 12"}, "same password"),
    ],
)
def test_what_is_wrong_with_it(changed, says):
    make_user("alice")
    answer = make(mailed_link(), **changed)
    assert answer.status_code == 422 and says in answer.content.decode()
    assert User.objects.count() == 1


@pytest.mark.parametrize("change", ["old", "cut", "taken", "domain", "made up"])
def test_a_link_that_is_no_good(settings, change):
    link, later = mailed_link(), timedelta(0)
    if change == "old":
        later = timedelta(days=8)
    elif change == "cut":
        link = link[:-3] + "/"
    elif change == "taken":
        make_user("bob")
        User.objects.update(email="ANN@example.org")
    elif change == "domain":
        settings.GWM_REGISTRATION_DOMAINS = ["example.com"]
    else:
        link = f"/register/{make_link_token('ann@example.org').rpartition(':')[0]}:x/"
    before = User.objects.count()
    with time_machine.travel(timezone.now() + later, tick=False):
        answer = make(link)
    assert answer.status_code == 404 and "This link no longer works" in answer.content.decode()
    assert User.objects.count() == before


def test_only_domains_that_may(settings):
    settings.GWM_REGISTRATION_DOMAINS = ["example.org", "@Example.net"]
    assert is_welcome("a@EXAMPLE.org") and is_welcome("a@example.net")
    for address in ("a@evil-example.org", "a@example.org.evil.example", "a@sub.example.org", "a@b@evil.example"):
        assert not is_welcome(address)
    assert ask("a@evil.example").status_code == 422 and not Letter.objects.exists()


def test_nobody_is_flooded():
    codes = [ask("ann@example.org").status_code for _ in range(5)]
    assert codes == [302] * 3 + [429] * 2
    assert ask("ANN@example.org").status_code == 429 and Letter.objects.count() == 3
    link = mailed_link("bob@example.org")
    assert [make(link, password1="short").status_code for _ in range(21)][-1] == 429


def test_two_links_of_one_address_at_the_same_moment_make_one_account(monkeypatch):
    """Both were found good before either account was there."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = make_link_token("ann@example.org")
        clock.shift(5)
        second = make_link_token("Ann@example.org")
        assert first != second
        monkeypatch.setattr(registering, "read_link_token", lambda token: signing.loads(token, salt=registering._SALT))
        register(first, Registration("ann", "long enough 1"), "192.0.2.1")
        with pytest.raises(Unregistered):
            register(second, Registration("ann2", "long enough 1"), "192.0.2.1")
    assert [person.username for person in User.objects.all()] == ["ann"]
