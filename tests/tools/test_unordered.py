"""On SQLite, what is read without an order comes the other way round: nothing may rely on how it was written."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection

pytestmark = pytest.mark.django_db


def test_rows_without_an_order_come_in_another_one_than_they_were_written_in() -> None:
    names = [f"team {number}" for number in range(3)]
    for name in names:
        Group.objects.create(name=name)
    found = list(Group.objects.order_by().values_list("name", flat=True))
    assert found == names[::-1] if connection.vendor == "sqlite" else sorted(found) == names
    assert list(Group.objects.order_by("name").values_list("name", flat=True)) == names
