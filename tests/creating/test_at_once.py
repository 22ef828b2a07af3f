"""Two people want a machine of one name, or the last of a quota, at the same moment: one gets it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection

from objectlog.models import Entry
from permissions.services import grant, persona_of
from quotas.amounts import Limits
from quotas.services import set_quota
from tests.creating.conftest import NEW, SPEC, Maker
from tests.operations.test_race import PATIENCE_S, Starter, count_held_up, journal_held, wait_for
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("F151", "G004")]


def at_once(*operations: Callable[[], Entry]) -> list[str]:
    """What became of them, when all began while nobody could write into the journal."""
    starters = [Starter(operation) for operation in operations]
    with journal_held():
        for starter in starters:
            starter.start()
        assert all(starter.began.wait(PATIENCE_S) for starter in starters)
        if connection.vendor == "postgresql":
            wait_for(lambda: count_held_up() == len(starters))
    for starter in starters:
        starter.join(PATIENCE_S)
    return sorted(starter.ended for starter in starters)


def test_one_name(maker: Maker) -> None:
    assert at_once(maker.create, maker.create) == ["refused", "submitted"]
    assert len(maker.rows(NEW)) == 1 and maker.simulator.count("POST", "/2/instances") == 1


def test_the_last_of_a_quota(maker: Maker) -> None:
    grant(["create_vm"], maker.alice.user, maker.cluster)
    owner = persona_of(maker.alice.user)
    set_quota(owner, maker.cluster, Limits(machines=1))
    other = replace(SPEC, name="new2.example.org")
    assert at_once(maker.create, lambda: maker.create(other)) == ["refused", "submitted"]
    assert VirtualMachine.objects.filter(owner=owner).count() == 1
