"""The owner tag on a real Ganeti: a machine is made with it, every spelling of ours is taken, and one is kept."""

from __future__ import annotations

import pytest

from objectlog.models import Outcome, Via
from operations.contract import Actor, Ask
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.services import make_team
from tests.factories import make_admin, make_user
from tests.ganeti.test_creating import Real, real
from tests.ganeti.test_lifecycle import do
from tests.ganeti.test_sync import machine
from tests.updates.conftest import update

__all__ = ["real"]
pytestmark = [pytest.mark.ganeti, pytest.mark.django_db(transaction=True), pytest.mark.feature("F091")]
OWNERS = {"bob+home@example.org": "gwm:owner:bob+2Bhome@example.org", "@Büro 3": "gwm:owner:@B+C3+BCro+203", "": ""}


def test_ganeti_keeps_the_tag_of_the_owner(real: Real) -> None:
    make_user("bob+home@example.org")
    make_team("Büro 3")
    root, spec = Actor(make_admin(), Via.WEB), real.spec(hypervisor="fake")

    def told() -> list[str]:
        return real.ganeti.gnt("instance", "list-tags", spec.name).split()

    assert real.create(spec).outcome == Outcome.SUCCEEDED
    assert told() == ["gwm:owner:alice"]
    for owner, tag in OWNERS.items():
        operation, vm = OPERATIONS["vm.set-owner"], machine(real.cluster, spec.name)
        run(operation, Ask(root, vm, params_from(operation, root, vm, {"owner": owner})))
        assert do(root, real.cluster, spec.name, "write-owner-tag").outcome == Outcome.SUCCEEDED
        update(real.cluster)
        assert machine(real.cluster, spec.name).owner_tag == owner
        assert told() == ([tag] if tag else [])
