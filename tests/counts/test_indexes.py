"""Indexes that help: none has all the rows that are there where only those that are missing are looked for."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.forms import model_to_dict

from clusters.models import Mirrored, Node
from tests.factories import make_cluster, make_vm
from tests.fixtures.migrating import migrate, migrate_all
from virtualmachines.filters import RECONCILE, TROUBLE
from virtualmachines.models import VirtualMachine

MIRRORED = [model for model in Mirrored.__subclasses__() if not model._meta.abstract]


def indexes_from(model: type[Mirrored]) -> list[str]:
    """The indexes of a table that begin with the time since when a row is missing."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return [name for name, each in found.items() if each["index"] and each["columns"][:1] == ["missing_since"]]


@pytest.mark.django_db
def test_of_mirrored_rows_an_index_has_those_alone_that_are_missing() -> None:
    assert len(MIRRORED) == 4
    for model in MIRRORED:
        [index] = [each for each in model._meta.indexes if each.fields[0] == "missing_since"]
        assert index.condition is not None
        assert indexes_from(model) == [index.name]


LOOKED_FOR: list[tuple[str, Callable[[], object], str]] = [
    (
        "in trouble",
        lambda: VirtualMachine.objects.filter(status__in=TROUBLE, missing_since=None).order_by("status")[:9],
        "vm_by_status",
    ),
    ("changed", lambda: VirtualMachine.objects.filter(RECONCILE["changed"]).order_by(), "vm_drifted"),
    ("missing", lambda: VirtualMachine.objects.filter(RECONCILE["missing"]).order_by(), "vm_missing"),
    (
        "the first that are missing",
        lambda: VirtualMachine.objects.filter(missing_since__isnull=False).order_by("missing_since")[:9],
        "vm_missing",
    ),
    # Whatever belongs to somebody, for roles that are narrowed to it: without the long rows.
    ("of an owner", lambda: VirtualMachine.objects.filter(owner=1).order_by().values("cluster", "pk"), "vm_of_owner"),
    (
        "of another by their tag",
        lambda: VirtualMachine.objects.filter(RECONCILE["owner-tag"]).order_by(),
        "vm_other_owner",
    ),
    ("nodes", lambda: Node.objects.filter(missing_since__isnull=False).order_by(), "node_missing"),
]


#: What PostgreSQL takes as well, as long as nobody owns anything.
SMALL = {"vm_of_owner": {"virtualmachines_virtualmachine_owner_id"}}


@pytest.mark.django_db
@pytest.mark.parametrize(("rows", "index"), [each[1:] for each in LOOKED_FOR], ids=[each[0] for each in LOOKED_FOR])
def test_what_is_odd_is_found_by_the_index_that_has_it(rows: Callable[[], object], index: str) -> None:
    alike = {index}
    if connection.vendor == "postgresql":
        cluster = make_cluster()
        kept = model_to_dict(make_vm(cluster), exclude=["id", "cluster", "name", "uuid"])
        VirtualMachine.objects.bulk_create(
            (
                VirtualMachine(cluster=cluster, name=f"vm{number}", uuid=f"uuid{number}", **kept)
                for number in range(2000)
            ),
            batch_size=1000,  # PostgreSQL takes 65,535 parameters
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE virtualmachines_virtualmachine")  # it plans by what it knows of a table
            cursor.execute("SET LOCAL enable_seqscan = off")
        alike |= SMALL.get(index, set())
    plan = rows().explain()  # type: ignore[attr-defined]
    assert any(each in plan for each in alike), plan


def test_machines_without_owner_are_counted_without_their_rows() -> None:
    """What is asked of them, and by whose cluster they are seen, stands in the index or is its condition."""
    [index] = [each for each in VirtualMachine._meta.indexes if each.name == "vm_unowned"]
    asked = {str(path).partition("__")[0] for path in _paths(RECONCILE["unowned"])}
    assert asked | {"id", "cluster"} <= {*index.fields, *(path.partition("__")[0] for path in _paths(index.condition))}


def _paths(condition: Any) -> list[str]:
    return [path for each in condition.children for path in (_paths(each) if isinstance(each, Q) else [each[0]])]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_the_way_back_has_the_index_again() -> None:
    try:
        migrate([("clusters", "0017_exports"), ("virtualmachines", "0017_drift_and_owner_tag")])
        assert all(len(indexes_from(model)) == 1 and "since" in indexes_from(model)[0] for model in MIRRORED)
    finally:
        migrate_all()
    assert indexes_from(VirtualMachine) == ["vm_missing"]
