"""A creation that a quota is in the way of: refused whatever it is made from, and what can be done about it then."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from operations.models import Batch
from quotas.amounts import Limits
from quotas.services import set_default
from tests.creating.conftest import NEW, Maker
from tests.creating.test_page import TYPED, URL
from tests.factories import make_admin, make_cluster, make_template
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("F119", "F121", "F146")]


@pytest.fixture
def root(maker: Maker) -> Client:
    """Where nobody may have a machine."""
    set_default(maker.cluster, Limits(machines=0))
    client = Client()
    client.force_login(make_admin())
    return client


def post(client: Client, **more: str) -> tuple[int, str]:
    answer: Any = client.post(URL, {**TYPED, **more})
    return answer.status_code, answer.content.decode()


def test_an_administrator_ticks_and_it_is_created(maker: Maker, root: Client) -> None:
    status, page = post(root)
    assert status == 422 and 'name="over_quota"' in page and "/requests/quota/" not in page.partition("<main")[2]
    assert post(root, over_quota="1")[0] == 302
    assert VirtualMachine.objects.filter(name=NEW).exists()


def test_the_tick_goes_with_a_plan_of_several(maker: Maker, root: Client) -> None:
    assert post(root, name="web{1..3}.example.org")[0] == 422
    assert post(root, name="web{1..3}.example.org", over_quota="1")[0] == 302
    assert Batch.objects.get().over_quota


def test_a_plan_offers_the_tick_only_where_there_are_limits(maker: Maker) -> None:
    client = Client()
    client.force_login(make_admin())
    assert post(client, name="web{1..3}.example.org")[0] == 302
    elsewhere, here = make_cluster("elsewhere"), maker.cluster
    cases = ((elsewhere, Limits(machines=9), False), (here, Limits(), False), (here, Limits(machines=9), True))
    for where, limits, is_offered in cases:
        set_default(where, limits)
        page = client.get(reverse("batch", args=[Batch.objects.get().uuid])).content.decode()
        assert "Create 3 machines" in page and ('name="over_quota"' in page) is is_offered


@pytest.mark.feature("F120", "G034")
@pytest.mark.parametrize("has_template", [True, False])
def test_others_are_led_to_ask_for_more(maker: Maker, root: Client, has_template: bool) -> None:
    """The predecessor judged no machine that was made from a template."""
    client = Client()
    client.force_login(maker.alice.user)
    make_template("small", maker.cluster, owner=None)
    there = "/requests/quota/?cluster=lab"
    for more in ({}, {"over_quota": "1"}):
        status, page = post(client, **more, **({"template": "lab/small"} if has_template else {}))
        assert status == 422 and there in page and 'name="over_quota"' not in page
    assert there in client.get("/usage/").content.decode()
    assert not VirtualMachine.objects.filter(name=NEW).exists()
