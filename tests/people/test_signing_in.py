"""Signing in with a brake on guessing, and changing one's own password."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib.auth import hashers
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils.crypto import pbkdf2

from objectlog.models import Event
from people.limits import BY_ACCOUNT, BY_ACCOUNT_THERE, BY_ADDRESS
from people.signing_in import Adapter
from permissions.models import User
from tests.factories import make_user
from vncproxy.settings import networks

pytestmark = pytest.mark.django_db
PASSWORD = "long enough 1"
WRONG = "Wrong user name or password"


@pytest.fixture(autouse=True)
def nothing_counted():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice(db):
    user = make_user("alice")
    user.set_password(PASSWORD)
    user.save()
    return user


def attempt(name="alice", password=PASSWORD, *, address="192.0.2.1", client=None, **given):
    """The answer to one attempt from an address."""
    return (client or Client()).post("/login/", {"login": name, "password": password, **given}, REMOTE_ADDR=address)


def test_one_answer_to_a_wrong_name_a_wrong_password_and_an_account_that_is_off(alice):
    off = make_user("bob")
    off.set_password(PASSWORD)
    off.is_active = False
    off.save()
    answers = {
        re.sub(r'(value|content)="[^"]*"', "", attempt(name, password, address=address).content.decode())
        for name, password, address in (
            ("alice", "wrong", "192.0.2.1"),
            ("nobody", PASSWORD, "192.0.2.2"),
            ("bob", PASSWORD, "192.0.2.3"),
            ("bob", "wrong", "192.0.2.4"),
            ("ALICE", PASSWORD, "192.0.2.5"),
        )
    }
    (answer,) = answers
    assert WRONG in answer


@pytest.mark.alike
def test_a_wrong_name_takes_as_long_as_a_wrong_password(alice, settings, monkeypatch):
    """Measured in rounds of hashing, as time is what everything else takes as well."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    alice.set_password(PASSWORD)
    alice.save()
    rounds = []

    def count(password, salt, iterations, **others):
        rounds.append(iterations)
        return pbkdf2(password, salt, iterations, **others)

    monkeypatch.setattr(hashers, "pbkdf2", count)
    took = {}
    for name in ("alice", "nobody"):
        attempt(name, "wrong", address=f"192.0.2.{len(took)}")
        took[name] = sum(rounds)
        rounds.clear()
    assert took["alice"] == took["nobody"] > 0


@pytest.mark.feature("F001")
def test_38_guesses_are_stopped_after_a_few(alice):
    answers = [attempt(password=f"guess {number}").status_code for number in range(38)]
    assert answers == [200] * BY_ACCOUNT_THERE.amount + [429] * (38 - BY_ACCOUNT_THERE.amount)
    answer = attempt()
    assert answer.status_code == 429, "the right password, too: else the guesses would tell it"
    assert answer["Retry-After"] == "300"
    assert "Wait 5 minutes, then try again." in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_guessing_many_names_from_one_address_is_stopped(alice):
    answers = [attempt(f"name{number}", "password").status_code for number in range(BY_ADDRESS.amount + 3)]
    assert answers == [200] * BY_ADDRESS.amount + [429] * 3
    assert attempt(address="192.0.2.2").status_code == 302, "others are not concerned"


def test_the_address_that_counts_is_the_one_before_trusted_proxies(alice, settings):
    settings.GWM_BEHIND_PROXY = True
    settings.GWM_TRUSTED_PROXIES = networks("GWM_TRUSTED_PROXIES", "192.0.2.9")

    def through(proxy, client, name="alice", password=PASSWORD):
        return attempt(name, password, address=proxy, client=Client(headers={"x-forwarded-for": client})).status_code

    for number in range(BY_ADDRESS.amount):
        assert through("192.0.2.9", "203.0.113.1", f"name{number}", "wrong") == 200
    assert through("192.0.2.9", "203.0.113.1") == 429
    assert through("192.0.2.9", "198.51.100.7, 203.0.113.1") == 429, "what a client writes in front counts for nothing"
    assert through("192.0.2.9", "203.0.113.2") == 302, "others behind the same proxy are not concerned"
    for number in range(BY_ADDRESS.amount):
        assert through("198.51.100.1", f"203.0.113.{number + 10}", f"name{number}", "wrong") == 200
    assert through("198.51.100.1", "203.0.113.99") == 429, "who is no proxy of ours has one address, whatever it says"


def test_one_ipv6_network_is_one_address(alice):
    answers = [
        attempt(f"name{n}", "x", address=f"2001:db8::{n + 1:x}").status_code for n in range(BY_ADDRESS.amount + 1)
    ]
    assert answers[-1] == 429
    assert attempt(address="2001:db8:0:1::1").status_code == 302


@pytest.mark.parametrize("name", ["ALICE", " alice ", "\uff41lice"])
def test_other_spellings_of_a_name_are_counted_as_one(alice, name):
    for _ in range(BY_ACCOUNT_THERE.amount):
        attempt(password="wrong")
    assert attempt(name).status_code == 429


def test_a_lockout_here_is_none_elsewhere_and_ends(alice):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        for _ in range(BY_ACCOUNT_THERE.amount + 1):
            attempt(password="wrong")
        assert attempt().status_code == 429
        assert attempt(address="198.51.100.7").status_code == 302
        clock.shift(BY_ACCOUNT_THERE.within_s + 1)
        assert attempt().status_code == 302


def test_nobody_is_locked_out_for_good_by_what_others_do(alice):
    mine = Client()
    assert attempt(client=mine, address="198.51.100.7").status_code == 302
    mine.post("/logout/")
    for number in range(BY_ACCOUNT.amount):
        assert attempt(password="wrong", address=f"192.0.2.{number}").status_code == 200
    assert attempt(address="203.0.113.1").status_code == 429, "guessed from everywhere"
    assert attempt(client=mine, address="203.0.113.2").status_code == 302, "but this browser is known"
    mine.post("/logout/")
    for number in range(BY_ADDRESS.amount):
        attempt(f"name{number}", "wrong", address="203.0.113.9")
    assert attempt(address="203.0.113.9").status_code == 429
    assert attempt(client=mine, address="203.0.113.9").status_code == 302, "also beside somebody who guesses"


def test_a_known_browser_is_known_for_its_own_account_only_and_counted_as_well(alice):
    mallory = make_user("mallory")
    mallory.set_password(PASSWORD)
    mallory.save()
    browser = Client()
    assert attempt("mallory", client=browser).status_code == 302
    browser.post("/logout/")
    for number in range(BY_ACCOUNT.amount):
        attempt(password="wrong", address=f"192.0.2.{number}")
    assert attempt(client=browser, address="203.0.113.1").status_code == 429
    codes = [
        attempt("mallory", "wrong", client=browser, address=f"203.0.113.{number}").status_code for number in range(2, 9)
    ]
    assert codes == [200] * BY_ACCOUNT_THERE.amount + [429] * 2


def test_signing_in_does_not_wipe_out_what_was_counted(alice):
    for _ in range(BY_ACCOUNT_THERE.amount - 1):
        assert attempt(password="wrong").status_code == 200
        assert attempt().status_code == 302
    assert attempt(password="wrong").status_code == 200
    assert attempt().status_code == 429


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_counted_each(alice):
    def guess(number):
        try:
            return attempt(password=f"guess {number}").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(guess, range(12)))
    assert answers.count(200) <= BY_ACCOUNT_THERE.amount
    assert answers.count(429) >= 12 - BY_ACCOUNT_THERE.amount


def test_names_that_are_guessed_do_not_wipe_out_the_counters(alice):
    """Django's own limit of 300 entries would."""
    for _ in range(BY_ACCOUNT_THERE.amount):
        attempt(password="wrong")
    for number in range(400):
        cache.set(f"name-{number}", number, 300)
    assert attempt().status_code == 429


@pytest.mark.parametrize("backend", ["django.core.cache.backends.dummy.DummyCache"])
def test_nobody_is_let_in_while_nothing_can_be_counted(alice, settings, backend):
    settings.CACHES = {"default": {"BACKEND": backend}}
    answer = attempt()
    assert answer.status_code == 503
    assert "Signing in is not possible now" in answer.content.decode()


def test_nor_is_a_password_changed_then(client, alice, settings):
    client.force_login(alice)
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert change(client).status_code == 503
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.feature("F001")
def test_next_survives_and_leads_nowhere_else(alice):
    page = Client().get("/login/", {"next": "/vms/?q=web"})
    assert 'name="next" value="/vms/?q=web"' in page.content.decode()
    wrong = attempt(password="wrong", next="/vms/?q=web")
    assert 'name="next" value="/vms/?q=web"' in wrong.content.decode()
    assert attempt(next="/vms/?q=web")["Location"] == "/vms/?q=web"
    for number, elsewhere in enumerate(
        [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "http:///evil.example",
            "\t//evil.example",
        ]
    ):
        assert attempt(next=elsewhere, address=f"192.0.2.{number}")["Location"] == "/"
        assert "evil" not in Client().get("/login/", {"next": elsewhere}).content.decode()


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(alice):
    """The one for forms is read by our scripts, and is of no use without the session's."""
    client = Client()
    attempt(client=client)
    flags = {name: (bool(one["httponly"]), one["samesite"]) for name, one in client.cookies.items() if one.value}
    assert flags.pop("gwm_csrf") == (False, "Lax")
    assert set(flags) == {"gwm_session", "gwm_known_browser"}
    assert set(flags.values()) == {(True, "Lax")}


def test_no_page_may_be_framed_nor_run_what_is_not_a_file_of_ours(client, alice):
    headers = client.get("/login/").headers
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert headers["X-Frame-Options"] == "DENY" and headers["X-Content-Type-Options"] == "nosniff"


def test_who_is_signed_in_goes_on(client, alice):
    client.force_login(alice)
    assert client.get("/login/", {"next": "/vms/"})["Location"] == "/vms/"


def test_the_session_is_a_new_one(client, alice):
    client.get("/login/")
    client.session.save()
    before = client.session.session_key
    assert attempt(client=client).status_code == 302
    assert client.session.session_key != before


def test_nobody_comes_in_who_was_deactivated_since_the_password_was_right(alice):
    request = Client().get("/login/").wsgi_request
    alice.is_active = False
    with pytest.raises(ImmediateHttpResponse):
        Adapter(request).login(request, alice)
    assert not request.session.keys()


def test_only_the_urls_that_are_needed_exist():
    names = {pattern.name for pattern in get_resolver().url_patterns if hasattr(pattern, "name")}
    assert not [name for name in names if name and name.startswith("account_")]
    for name in ("account_signup", "account_email", "account_reset_password", "account_inactive"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


@pytest.mark.parametrize("headers", [{"X-Requested-With": "XMLHttpRequest"}, {"Accept": "application/json"}])
def test_no_answers_but_pages(alice, headers):
    answer = Client().post("/login/", {"login": "alice", "password": "wrong"}, headers=headers)
    assert answer["Content-Type"].startswith("text/html")


def change(client, old=PASSWORD, new="another password 2", again=None):
    return client.post("/account/password/", {"oldpassword": old, "password1": new, "password2": again or new})


def test_changing_the_password_ends_all_other_sessions(client, alice):
    elsewhere = Client()
    for each in (client, elsewhere):
        attempt(client=each)
        assert each.get("/").status_code == 200
    assert change(client)["Location"] == "/"
    assert "You are signed out everywhere else" in client.get("/").content.decode()
    assert elsewhere.get("/")["Location"] == "/login/?next=/"
    assert attempt(address="192.0.2.9").status_code == 200
    assert attempt(password="another password 2", address="192.0.2.9").status_code == 302
    event = Event.objects.get(verb="person.change-password")
    assert (event.actor, event.target_name, event.outcome) == (alice, "alice", "done")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"old": "wrong"}, "Wrong password"),
        ({"new": "short"}, "too short"),
        ({"new": "password"}, "too common"),
        ({"new": "alice"}, "too similar"),
        ({"again": "something else"}, "same password"),
    ],
)
def test_what_is_wrong_with_a_new_password(client, alice, given, says):
    attempt(client=client)
    answer = change(client, **given)
    assert (answer.status_code, says in answer.content.decode()) == (200, True)
    assert User.objects.get().check_password(PASSWORD)
    assert not Event.objects.filter(verb="person.change-password").exists()


def test_the_old_password_cannot_be_guessed_in_a_session_left_open(client, alice):
    attempt(client=client)
    assert [change(client, old=f"guess {number}").status_code for number in range(7)] == [200] * 5 + [429] * 2
    assert change(client).status_code == 429


def test_a_password_that_is_kept_elsewhere_is_not_changed_here(client):
    client.force_login(make_user("ldap"))
    assert client.get("/account/password/").status_code == 403
    assert "Change password" not in client.get("/").content.decode()
