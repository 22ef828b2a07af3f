"""Passkeys: each answer is for one question, of one person, on pages of this service, and is good once."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from objectlog.models import Event
from people.limits import BY_ADDRESS
from people.passkeys import COOKIE, add_passkey
from permissions.models import User
from tests.factories import make_user
from tests.people.passkeys import FLAG, Passkey

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G028")]
PASSWORD = "long enough 1"


class Browser(Client):
    """Over https."""

    def generic(self, *args, **kwargs):
        return super().generic(*args, **kwargs | {"secure": True})

    def asked(self, url="/login/passkey/options/"):
        return self.get(url).json()


@pytest.fixture(autouse=True)
def nothing_counted():
    cache.clear()
    yield
    cache.clear()


def enroll(name="alice", passkey=None):
    """Somebody who adds a passkey on the page for it."""
    person = User.objects.filter(username=name).first() or make_user(name)
    person.set_password(PASSWORD)
    person.save()
    passkey, browser = passkey or Passkey(), Browser()
    browser.post("/login/", {"login": name, "password": PASSWORD})
    made = passkey.make(browser.asked("/account/factors/passkeys/options/"))
    answer = browser.post("/account/factors/passkeys/add/", {"name": "key", "credential": made})
    assert answer.status_code == 302, answer.content.decode()
    return passkey


def half_way(name="alice"):
    browser = Browser()
    assert browser.post("/login/", {"login": name, "password": PASSWORD})["Location"] == "/login/code/"
    return browser


def show(browser, answer):
    return browser.post("/login/passkey/", {"credential": answer})


def who_is(browser):
    pk = browser.session.get("_auth_user_id")
    return User.objects.get(pk=pk).username if pk else None


@pytest.mark.parametrize(("count", "forgets"), [(0, False), (7, False), (7, True)])
def test_an_answer_that_is_played_again_lets_nobody_in(count, forgets):
    """With the very cookie of the question; one that counts, even when the cache has forgotten."""
    passkey = enroll(passkey=Passkey(count))
    browser = Browser()
    answer = passkey.show(browser.asked())
    question = browser.cookies[COOKIE].value
    assert show(browser, answer)["Location"] == "/" and who_is(browser) == "alice"
    if forgets:
        cache.clear()
    thief = Browser()
    thief.cookies[COOKIE] = question
    assert "refused" in show(thief, answer)["Location"] and who_is(thief) is None
    assert Event.objects.filter(verb="person.sign-in", outcome="failed").count() == 1


def test_a_second_factor_is_not_shown_twice_either():
    passkey = enroll()
    browser = half_way()
    answer = passkey.show(browser.asked())
    question = browser.cookies[COOKIE].value
    assert browser.post("/login/code/", {"credential": answer})["Location"] == "/"
    thief = half_way()
    thief.cookies[COOKIE] = question
    assert thief.post("/login/code/", {"credential": answer}).status_code == 422 and who_is(thief) is None


def test_a_question_is_for_one_browser_one_person_and_one_purpose():
    alice, bob = enroll(), enroll("bob")
    stranger = Browser()
    answer = alice.show(stranger.asked())
    assert who_is(Browser()) is None and "refused" in show(Browser(), answer)["Location"], "without its cookie"
    # asked of a stranger, answered as a second factor
    stranger, second = Browser(), half_way()
    answer = alice.show(stranger.asked())
    second.cookies[COOKIE] = stranger.cookies[COOKIE].value
    assert second.post("/login/code/", {"credential": answer}).status_code == 422
    # asked as a second factor, answered by a stranger
    second, stranger = half_way(), Browser()
    answer = alice.show(second.asked())
    stranger.cookies[COOKIE] = second.cookies[COOKIE].value
    assert "refused" in show(stranger, answer)["Location"] and who_is(stranger) is None
    # asked of alice, answered by bob, under whichever name
    for handle in (bob.handle, alice.handle):
        second, bob.handle = half_way(), handle
        assert second.post("/login/code/", {"credential": bob.show(second.asked())}).status_code == 422
        assert who_is(second) is None
    stranger = Browser()
    assert "refused" in show(stranger, bob.show(stranger.asked()))["Location"] and who_is(stranger) is None


ELSEWHERE = [
    "https://evil.example",
    "https://app.testserver",
    "https://testserver:8443",
    "http://testserver",
    "https://testserver.evil.example",
]


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_only_pages_of_this_service_may_ask(origin):
    passkey = enroll()
    browser = Browser()
    assert "refused" in show(browser, passkey.show(browser.asked(), origin))["Location"]
    assert who_is(browser) is None
    browser = half_way()
    assert browser.post("/login/code/", {"credential": passkey.show(browser.asked(), origin)}).status_code == 422
    assert who_is(browser) is None


def test_the_host_that_a_request_names_is_not_believed():
    assert Browser().get("/login/passkey/options/", headers={"host": "evil.example"}).status_code == 400


def test_there_is_an_end_to_how_many_somebody_has():
    alice, browser = make_user("alice"), Browser()
    alice.set_password(PASSWORD)
    alice.save()
    browser.post("/login/", {"login": "alice", "password": PASSWORD})
    made = Passkey().make(browser.asked("/account/factors/passkeys/options/"))
    for number in range(20):
        add_passkey(alice, str(number), {})
    answer = browser.post("/account/factors/passkeys/add/", {"name": "one more", "credential": made})
    assert answer.status_code == 422 and "Remove one first" in answer.content.decode()
    assert Authenticator.objects.count() == 20


def test_answers_of_strangers_that_are_refused_are_counted():
    browser = Browser()
    answers = [show(browser, "{}").status_code for _each in range(BY_ADDRESS.amount + 1)]
    assert answers == [302] * BY_ADDRESS.amount + [429]


def test_one_that_counts_back_was_copied():
    passkey = enroll(passkey=Passkey(7))
    copied = passkey.count
    first, second = Browser(), Browser()
    assert show(first, passkey.show(first.asked()))["Location"] == "/"
    passkey.count = copied
    assert "refused" in show(second, passkey.show(second.asked()))["Location"] and who_is(second) is None
    assert show(second, passkey.show(second.asked()))["Location"] == "/", "the true one goes on"


def test_alone_it_must_know_its_owner():
    passkey = enroll(passkey=Passkey(knows_owner=False))
    browser = Browser()
    assert "refused" in show(browser, passkey.show(browser.asked()))["Location"]
    browser = half_way()
    assert browser.post("/login/code/", {"credential": passkey.show(browser.asked())})["Location"] == "/"
    passkey.flags = FLAG(0)  # nobody touched it
    browser = half_way()
    assert browser.post("/login/code/", {"credential": passkey.show(browser.asked())}).status_code == 422


@pytest.mark.parametrize("odd", ["\0", "\ud800"])
def test_what_no_database_takes_is_no_passkey(odd):
    enroll()
    browser = Browser()
    browser.force_login(make_user("bob"))
    made = json.loads(Passkey().make(browser.asked("/account/factors/passkeys/options/"))) | {"more": odd}
    answer = browser.post("/account/factors/passkeys/add/", {"name": "key", "credential": json.dumps(made)})
    assert answer.status_code == 422 and Authenticator.objects.filter(type="webauthn").count() == 1
