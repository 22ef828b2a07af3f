"""Statements that Django writes once do what those do that it writes each time."""

from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model, Q
from django.utils import timezone

from clusters.models import Cluster, Schedule
from objectlog.statements import Update
from operations.models import BatchLane
from operations.rows import lock_row, read_row
from tests.operations.conftest import Scene
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G050")]


def test_an_update_takes_other_values_each_time_and_finds_only_its_rows() -> None:
    one, two = (BatchLane.objects.create(name=name) for name in ("one", "two"))
    when = timezone.now()
    take = Update(BatchLane, "lease_holder", "hung_at", where=("pk", "lease_holder"), only=lambda: Q(queued_at=None))
    assert take.run("me", when, one.pk, "") == 1
    assert take.run("you", None, one.pk, "") == 0, "somebody has it"
    assert take.run("you", None, two.pk, "") == 1
    BatchLane.objects.filter(pk=one.pk).update(queued_at=when)
    assert take.run("you", None, one.pk, "me") == 0, "it is not one of those"
    assert list(BatchLane.objects.order_by("pk").values_list("lease_holder", "hung_at")) == [
        ("me", when),
        ("you", None),
    ]
    with pytest.raises(ValueError, match="shorter"):
        take.run("you", None, one.pk)


@pytest.mark.parametrize("model", [VirtualMachine, Cluster])
def test_a_row_is_read_as_django_reads_it(scene: Scene, model: type[Model]) -> None:
    """Each of its fields: times, numbers, JSON, what is sealed."""

    def values_of(row: Any) -> dict[str, Any]:
        return {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}

    row = model._base_manager.first()
    assert row is not None
    with transaction.atomic():
        for found in (read_row(model, row.pk), lock_row(model, row.pk)):
            assert type(found) is model and values_of(found) == values_of(row) and not found.get_deferred_fields()
        assert read_row(model, 0) is None and lock_row(model, 0) is None


def test_what_is_added_is_added_each_time(scene: Scene) -> None:
    rows = Schedule.objects.order_by("pk")
    pk = rows.values_list("pk", flat=True)[0]
    count = Update(Schedule, "failures", where=("pk",), added=("operation_calls", "operation_seconds"))
    for failures, calls, seconds in ((7, 2, 0.5), (8, 0, 0.0), (9, 3, 1.25)):
        assert count.run(failures, calls, seconds, pk) == 1
    assert rows.values_list("failures", "operation_calls", "operation_seconds")[0] == (9, 5, 1.75)
