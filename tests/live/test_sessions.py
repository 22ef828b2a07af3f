"""An open page stops hearing news when its session has ended, in whatever way."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from twisted.internet.task import Clock

from gwm.live.reader import find_ended
from gwm.processes.live import LiveService
from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from permissions.models import User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def key(alice: User) -> str:
    """Of a session of hers."""
    client = Client()
    client.force_login(alice)
    return str(client.session.session_key)


def run_out(alice: User) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def sign_out(alice: User) -> None:
    Session.objects.all().delete()


def change_password(alice: User) -> None:
    alice.set_password("another one 1")
    alice.save()


def switch_off(alice: User) -> None:
    User.objects.update(is_active=False)


def remove(alice: User) -> None:
    alice.delete()


def test_a_session_that_goes_on_has_not_ended(alice: User, key: str) -> None:
    bob = make_user("bob")
    assert find_ended({key: alice.pk}) == set()
    assert find_ended({key: bob.pk, "nobody's": alice.pk}) == {key, "nobody's"}


def test_what_is_done_to_somebody_has_their_sessions_looked_at_with_the_same_look(alice: User, key: str) -> None:
    service, bob = LiveService(Clock()), make_user("bob")
    service.read({key: alice.pk}, {})
    change_password(alice)
    assert service.read({key: alice.pk}, {})[2] == set(), "nobody said so: it waits for its round"
    for who, ended in ((bob, set()), (alice, {key})):
        target = Target("person", who.pk, who.username)
        note(actor_id=None, actor_name="", via=Via.CLI, verb="person.sign-out", outcome=Outcome.DONE, target=target)
        assert service.read({key: alice.pk}, {})[2] == ended


@pytest.mark.parametrize("ends", [run_out, sign_out, change_password, switch_off, remove])
def test_every_end_of_a_session_is_found(alice: User, key: str, ends: Any) -> None:
    pk = alice.pk
    ends(alice)
    assert find_ended({key: pk}) == {key}
