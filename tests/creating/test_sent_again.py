"""A form of a new machine that is sent twice, or goes on after its cluster went away: one machine, and the truth."""

import pytest
from django.test import Client

from objectlog.models import Entry, Outcome
from tests.creating.conftest import NEW, Maker
from tests.creating.test_page import TYPED, URL, text_of

pytestmark = pytest.mark.django_db


def sign_in(maker: Maker) -> Client:
    client = Client()
    client.force_login(maker.alice.user)
    return client


def test_one_form_in_two_browsers_makes_one_machine(maker: Maker) -> None:
    here, there = sign_in(maker), sign_in(maker)
    assert here.post(URL, TYPED).status_code == 302
    again = there.post(URL, {**TYPED, "notes": "typed for long"})
    assert again.status_code == 422 and f'<a href="/clusters/lab/vms/{NEW}/"' in text_of(again)
    assert "There is a machine called" in text_of(again) and "typed for long" in text_of(again)
    assert maker.simulator.count("POST", "/2/instances") == 1 and len(maker.rows()) == 1


def test_a_cluster_that_drops_the_call_leaves_one_machine_or_none_and_says_so(maker: Maker) -> None:
    alice = sign_in(maker)
    assert alice.get(URL).status_code == 200
    maker.simulator.faults.add("drop", method="POST", path="/2/instances")
    answer = alice.post(URL, TYPED, follow=True)
    assert Entry.objects.get().outcome == Outcome.UNKNOWN and "no answer" in text_of(answer)
    assert alice.post(URL, TYPED).status_code == 422, "it holds its name until it is known"
    assert maker.simulator.count("POST", "/2/instances") <= 1 and len(maker.rows()) == 1
