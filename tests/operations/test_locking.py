"""What SQLite and PostgreSQL do and MariaDB refuses: what Django says of a database decides how it is asked."""

import pytest
from django.db import NotSupportedError, connection
from django.test.utils import CaptureQueriesContext

from clusters.models import Cluster
from operations.locking import lock_rows
from tests.factories import make_cluster
from ui.paging import Pages

pytestmark = pytest.mark.django_db


@pytest.mark.feature("F293")
@pytest.mark.parametrize("can", [True, False])
def test_rows_are_locked_as_narrowly_as_the_database_can(monkeypatch: pytest.MonkeyPatch, can: bool) -> None:
    for feature in ("has_select_for_no_key_update", "has_select_for_update_of"):
        monkeypatch.setattr(connection.features, feature, can)
    query = lock_rows(Cluster.objects.all(), keeps_keys=True, alone=True).query
    assert query.select_for_update
    assert (query.select_for_no_key_update, query.select_for_update_of) == (can, ("self",) if can else ())


@pytest.mark.feature("F293")
@pytest.mark.parametrize("can", [True, False])
def test_a_page_whose_keys_come_first_needs_no_limit_within_a_condition(
    monkeypatch: pytest.MonkeyPatch, can: bool
) -> None:
    monkeypatch.setattr(connection.features, "allow_sliced_subqueries_with_in", can)
    found = [make_cluster(f"c{number}") for number in range(5)]
    if can and connection.vendor == "mysql":  # what is avoided there: MariaDB refuses it
        with pytest.raises(NotSupportedError):
            list(Pages(Cluster.objects.order_by("slug"), 2, 5, keys_first=True).page(2).object_list)
        return
    with CaptureQueriesContext(connection) as asked:
        page = Pages(Cluster.objects.order_by("slug"), 2, 5, keys_first=True).page(2)
        assert list(page.object_list) == found[2:4]
    assert any("IN (SELECT" in each["sql"] and "LIMIT" in each["sql"] for each in asked) is can
