"""Before what can't be undone the password is asked for again; and what ends when an account is switched off."""

from datetime import timedelta

import pytest
import time_machine
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from gwm.live.reader import find_ended
from objectlog.models import Via
from operations.contract import Actor, Ask
from operations.pipeline import run
from operations.table import OPERATIONS
from people.factors import add_app, has_factor
from permissions.models import User
from permissions.sessions import find_sessions, is_signed_in, mark_of_key
from tests.factories import make_admin, make_user
from tests.people.openid import describe

pytestmark = pytest.mark.django_db
PASSWORD = "long enough 1"
ASKED = sorted(op.verb for op in OPERATIONS.values() if getattr(op, "asks_again", False))
ALSO_TYPED = {
    "disconnect": {"provider": "corp"},
    "edit": {"email": "mine@example.org"},
    "delete": {"typed_name": "alice"},
    "set-password": {"password": "another password 2"},
}


@pytest.fixture(autouse=True)
def people(settings):
    settings.GWM_OPENID_PROVIDERS = (describe("https://corp.example"),)
    cache.clear()
    root = make_admin("root")
    root.set_password(PASSWORD)
    root.save()
    alice = make_user("alice")
    alice.set_password(PASSWORD)
    alice.save()
    SocialAccount.objects.create(user=alice, provider="corp", uid="a")
    add_app(alice, "A" * 32, 0)
    yield
    cache.clear()


def state_of_alice():
    return [(each, has_factor(User(pk=each["id"]))) for each in User.objects.filter(username="alice").values()]


def enter():
    client = Client()
    assert client.post("/login/", {"login": "root", "password": PASSWORD}).status_code == 302
    return client


def test_what_is_asked_for_again():
    assert ASKED == ["delete", "disconnect", "edit", "promote", "reset-factors", "set-password"]


@pytest.mark.parametrize("verb", ASKED)
def test_a_session_that_was_found_open(verb):
    """Neither by the page nor by posting at once; after the password, and for a while, without being asked."""
    url, before = f"/person/alice/do/{verb}/", state_of_alice()
    with time_machine.travel(timezone.now(), tick=True) as clock:
        client = enter()
        assert client.get(url).status_code == 200, "who has just signed in has shown it"
        clock.shift(timedelta(minutes=16))
        for answer in (client.get(url), client.post(url, ALSO_TYPED.get(verb, {}))):
            assert answer.status_code == 302 and answer["Location"].startswith("/account/again/?next=")
        assert state_of_alice() == before
        assert client.get("/person/alice/do/sign-out/").status_code == 200
        page = client.get(client.get(url)["Location"])
        assert page.status_code == 200 and f'name="next" value="{url}"' in page.content.decode()
        wrong = client.post("/account/again/", {"password": "wrong", "next": url})
        assert wrong.status_code == 200 and "Wrong password" in wrong.content.decode()
        assert client.get(url).status_code == 302
        right = client.post("/account/again/", {"password": PASSWORD, "next": url})
        assert (right.status_code, right["Location"]) == (302, url)
        assert client.post(url, ALSO_TYPED.get(verb, {})).status_code == 302
    assert state_of_alice() != before


def test_it_leads_nowhere_else():
    client = enter()
    for there in ("https://evil.example/", "//evil.example", "javascript:alert(1)", ""):
        answer = client.post("/account/again/", {"password": PASSWORD, "next": there})
        assert answer.status_code == 302 and answer["Location"] == "/"


def test_guesses_are_counted():
    client = enter()
    answers = [client.post("/account/again/", {"password": "wrong"}).status_code for _each in range(12)]
    assert answers[0] == 200 and answers[-1] == 429
    assert client.post("/account/again/", {"password": PASSWORD}).status_code == 429


@pytest.mark.parametrize("verb", ["deactivate", "sign-out", "set-password", "delete"])
def test_sessions_end_for_pages_and_for_consoles(verb):
    """What consoles (every 3 s) and open pages (every 2 s) ask about a session finds that it has ended."""
    alice, root = User.objects.get(username="alice"), User.objects.get(username="root")
    client = Client()
    client.force_login(alice)
    key = client.session.session_key
    assert find_ended({key: alice.pk}) == set()
    operation = OPERATIONS[f"person.{verb}"]
    params = operation.params_type(**({"password": "another password 2"} if verb == "set-password" else {}))
    run(operation, Ask(Actor(root, Via.WEB), User.objects.get(pk=alice.pk), params))
    assert find_ended({key: alice.pk}) == {key}
    there = User.objects.filter(pk=alice.pk).first()
    session = find_sessions([mark_of_key(key)]).get(mark_of_key(key))
    assert there is None or session is None or not is_signed_in(session, there)
    assert client.get("/about/")["Location"].startswith("/login/")
