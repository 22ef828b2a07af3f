"""What a test committed is gone afterwards, whatever it was, and all that the migrations left is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from objectlog.models import Via
from objectlog.services import Target, begin
from operations.triggers import install_triggers, remove_triggers
from permissions.services import grant
from tests.factories import make_admin, make_cluster, make_job, make_node, make_user, make_vm
from tests.fixtures.undoing import remember_database
from virtualmachines.models import MachineCount, VirtualMachine

pytestmark = pytest.mark.django_db(transaction=True)


def write_much() -> None:
    cluster = make_cluster("lab")
    vm = make_vm(cluster, "web1.example.org", primary_node=make_node(cluster), tags=["web"])
    make_job(cluster, ("instance", vm.name))
    grant(["power"], make_user(), vm)
    target = Target("vm", vm.pk, vm.name, cluster.slug)
    begin(actor_id=None, actor_name="x", persona_name="", via=Via.WEB, verb="vm.reboot", target=target, params={})


def write_without_triggers() -> None:
    remove_triggers(connection)
    write_much()
    install_triggers(connection)


def remove_permissions() -> None:
    make_admin()
    Permission.objects.filter(codename__startswith="view").delete()


def rows_of_all_tables() -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608
            found[table] = cursor.fetchone()[0]
    return found


@pytest.mark.parametrize("write", [write_much, write_without_triggers, remove_permissions])
def test_what_was_committed_is_gone_and_what_the_migrations_made_is_there(write: Callable[[], None]) -> None:
    undo, before = remember_database(), rows_of_all_tables()
    permissions = set(Permission.objects.values_list("codename", "content_type__model"))
    write()
    assert rows_of_all_tables() != before
    undo()
    assert rows_of_all_tables() == before
    assert set(Permission.objects.values_list("codename", "content_type__model")) == permissions
    write_much()
    assert VirtualMachine.objects.count() == 1 and MachineCount.objects.exists(), "triggers work"
    undo()
    assert rows_of_all_tables() == before
