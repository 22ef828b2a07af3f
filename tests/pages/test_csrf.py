"""No change without a token that only our own pages have."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from objectlog.models import Entry
from tests.factories import make_admin, make_cluster

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F296")]


@pytest.fixture
def client() -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_admin())
    return client


def test_a_form_of_another_site_does_nothing(client: Client) -> None:
    make_cluster("lab")
    url = reverse("cluster-do", kwargs={"slug": "lab", "verb": "refresh"})
    assert client.post(url).status_code == 403
    assert client.post(url, {"csrfmiddlewaretoken": "x" * 64}).status_code == 403
    assert not Entry.objects.exists()


@pytest.mark.parametrize("way", ["field", "header"])
def test_our_own_forms_and_scripts_do(client: Client, way: str) -> None:
    make_cluster("lab")
    url = reverse("cluster-do", kwargs={"slug": "lab", "verb": "refresh"})
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(url).content.decode())
    assert found is not None
    if way == "field":
        response = client.post(url, {"csrfmiddlewaretoken": found[1]})
    else:
        response = client.post(url, headers={"X-CSRFToken": found[1]})
    assert response.status_code == 302
    assert Entry.objects.get().verb == "cluster.refresh"


def test_a_form_of_a_megabyte_is_not_read(client: Client) -> None:
    """The smaller one is read, and has no token."""
    answers = [client.post("/login/", {"login": "x" * size}).status_code for size in (900_000, 1_100_000)]
    assert answers == [403, 400]


def test_looking_changes_nothing(client: Client) -> None:
    cluster = make_cluster("lab")
    url = reverse("cluster-do", kwargs={"slug": "lab", "verb": "refresh"})
    assert client.get(url).status_code == 200
    assert not Entry.objects.exists()
    cluster.refresh_from_db()
    assert cluster.schedule.sync_wanted_at is None
