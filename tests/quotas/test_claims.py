"""Quotas as rows: whose limits count, what is used, what is claimed and given back."""

from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from permissions.services import make_team, persona_of
from quotas.amounts import UNLIMITED, Amounts, Limits
from quotas.models import Claim
from quotas.selectors import claimed_by, limits_of, room_of
from quotas.services import (
    Exceeded,
    claim,
    give_back,
    judge_room,
    remove_quota,
    set_default,
    set_quota,
    take_from_claim,
)
from tests.factories import make_cluster, make_user, make_vm
from virtualmachines.usage import usage_of

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F113", "F114", "F116")]
NOTHING = Amounts()


def test_own_quota_replaces_the_default_as_a_whole() -> None:
    here, there = make_cluster(), make_cluster()
    alice, team = persona_of(make_user("alice")), persona_of(make_team("web"))
    assert limits_of(alice, here) == UNLIMITED
    set_default(here, Limits(memory_mib=1024, machines=3))
    assert limits_of(alice, here) == limits_of(team, here) == Limits(memory_mib=1024, machines=3)
    set_quota(alice, here, Limits(vcpus=0))
    assert limits_of(alice, here) == Limits(vcpus=0)
    assert limits_of(team, here) == Limits(memory_mib=1024, machines=3)
    assert limits_of(alice, there) == limits_of(None, here) == UNLIMITED
    assert remove_quota(alice, here) and not remove_quota(alice, here)
    assert limits_of(alice, here) == Limits(memory_mib=1024, machines=3)


def test_a_claim_counts_until_it_is_given_back() -> None:
    cluster, alice, entry = make_cluster(), persona_of(make_user("alice")), uuid4()
    set_quota(alice, cluster, Limits(memory_mib=4096))
    with transaction.atomic():
        claim(alice, cluster, Amounts(memory_mib=3000), entry, lambda: Amounts(memory_mib=1000))
    assert claimed_by(alice, cluster) == Amounts(memory_mib=3000)
    assert room_of(alice, cluster, Amounts(memory_mib=1000)) == Limits(memory_mib=96)
    with pytest.raises(Exceeded) as refused, transaction.atomic():
        claim(alice, cluster, Amounts(memory_mib=97, disk_mib=10), uuid4(), lambda: Amounts(memory_mib=1000))
    assert refused.value.over == {"memory_mib": 1}
    said = str(refused.value).replace("\xa0", " ")
    assert said == f"This exceeds the quota of alice on {cluster}: memory by 1 MiB (limit 4.0 GiB)."
    assert claimed_by(persona_of(make_team("web")), cluster) == claimed_by(alice, make_cluster()) == NOTHING
    assert give_back(entry) == 1 and give_back(entry) == 0
    assert claimed_by(alice, cluster) == NOTHING


def test_what_belongs_to_nobody_has_no_limit_and_claims_nothing() -> None:
    cluster = make_cluster()
    set_default(cluster, Limits(0, 0, 0, 0))
    judge_room(None, cluster, Amounts(1, 1, 1, 1), Amounts)
    with transaction.atomic():
        assert claim(None, cluster, Amounts(1, 1, 1, 1), uuid4(), Amounts) is None
    assert not Claim.objects.exists()


def test_what_one_operation_gives_back_is_its_own() -> None:
    """And of what its machine shows by now it keeps the rest, whatever others have claimed."""
    cluster, alice = make_cluster(), persona_of(make_user("alice"))
    one, other = uuid4(), uuid4()
    with transaction.atomic():
        for entry in (one, other):
            claim(alice, cluster, Amounts(4000, 40, 4, 1), entry, Amounts)
    take_from_claim(one, Amounts(1000, 40, 4, 1))
    assert claimed_by(alice, cluster) == Amounts(3000, 0, 0, 0) + Amounts(4000, 40, 4, 1)
    take_from_claim(one, Amounts(5000, 0, 0, 0))
    assert list(Claim.objects.values_list("entry", flat=True)) == [other], "nothing is left of it"
    assert give_back(one) == 0 and claimed_by(alice, cluster) == Amounts(4000, 40, 4, 1)
    assert give_back(other) == 1 and claimed_by(alice, cluster) == NOTHING


def test_a_refusal_says_by_how_much_of_each_and_what_the_limit_is() -> None:
    cluster, team = make_cluster("lab"), persona_of(make_team("web"))
    set_quota(team, cluster, Limits(4096, 10 * 1024, 4, 2))
    with pytest.raises(Exceeded) as refused, transaction.atomic():
        claim(team, cluster, Amounts(2048, 5 * 1024, 3, 1), uuid4(), lambda: Amounts(4096, 8 * 1024, 2, 2))
    said = str(refused.value).replace("\xa0", " ")
    assert said == (
        "This exceeds the quota of web on lab: memory by 2.0 GiB (limit 4.0 GiB), disk by 3.0 GiB (limit 10.0 GiB), "
        "vCPUs by 1 (limit 4), machines by 1 (limit 2)."
    )


def test_what_belongs_to_nobody_claims_nothing() -> None:
    cluster = make_cluster()
    set_default(cluster, Limits(machines=0))
    assert claim(None, cluster, Amounts(machines=1), uuid4(), lambda: NOTHING) is None
    assert not Claim.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_claim_outside_of_a_transaction_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        claim(persona_of(make_user()), make_cluster(), NOTHING, uuid4(), lambda: NOTHING)


def test_usage_counts_what_runs_or_is_to_run_and_every_disk() -> None:
    cluster, alice = make_cluster(), persona_of(make_user("alice"))
    size = {"memory_mib": 1000, "disk_mib": 10, "vcpus": 2, "owner": alice}
    make_vm(cluster, **size)
    make_vm(cluster, **size, admin_state="up", status="ERROR_down")
    stopped = make_vm(cluster, **size, admin_state="down", status="ADMIN_down")
    make_vm(cluster, **size, admin_state="down", status="ERROR_up")
    make_vm(cluster, **size, missing_since=timezone.now())
    make_vm(make_cluster(), **size)
    make_vm(cluster, **{**size, "owner": persona_of(make_team("web"))})
    make_vm(cluster, **{**size, "uuid": "", "status": "", "admin_state": "", "owner": alice})
    assert usage_of(alice, cluster) == Amounts(4000, 50, 8, 5)
    assert usage_of(alice, cluster, without=stopped) == Amounts(4000, 40, 8, 4)
    assert usage_of(persona_of(make_user("bob")), cluster) == NOTHING
