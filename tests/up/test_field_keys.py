"""RAPI passwords at rest: encrypted, with a key of their own, which can be rotated."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection
from django.forms import model_to_dict

from clusters.models import Cluster
from sealing.fields import EncryptedTextField, SecretUnreadable
from tests.factories import make_cluster

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F048")]
OLD, NEW = "old-" + "o" * 40, "new-" + "n" * 40


def stored(cluster: Cluster) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM clusters_cluster WHERE id = %s", [cluster.pk])
        return str(cursor.fetchone()[0])


@pytest.fixture
def cluster(settings) -> Cluster:
    settings.GWM_FIELD_KEYS = [OLD]
    made = make_cluster()
    made.password = "swordfish"
    made.save()
    return Cluster.objects.get(pk=made.pk)


def test_the_column_holds_a_token_and_the_attribute_the_text(cluster: Cluster) -> None:
    assert cluster.password == "swordfish"
    assert "swordfish" not in stored(cluster)
    assert stored(cluster).startswith("sealed1:")


def test_the_text_stays_out_of_everything_that_shows_rows(cluster: Cluster) -> None:
    shown = [
        repr(cluster),
        str(cluster.__dict__),
        str(list(Cluster.objects.values())),
        str(model_to_dict(cluster)),
        serializers.serialize("json", [cluster]),
        str(EncryptedTextField(blank=True).deconstruct()),
    ]
    assert [text for text in shown if "swordfish" in text] == []


def test_a_dump_can_be_loaded(cluster: Cluster) -> None:
    dump = serializers.serialize("json", [cluster])
    Cluster.objects.filter(pk=cluster.pk).update(password="another")
    for row in serializers.deserialize("json", dump):
        row.save()
    assert Cluster.objects.get(pk=cluster.pk).password == "swordfish"


def test_equal_texts_have_different_tokens_and_none_can_be_searched(cluster: Cluster) -> None:
    before = stored(cluster)
    cluster.password = "swordfish"
    cluster.save()
    assert stored(cluster) != before
    with pytest.raises(FieldError, match="cannot be searched"):
        Cluster.objects.filter(password="swordfish")


def test_a_row_whose_secret_did_not_change_needs_no_key(cluster: Cluster, settings) -> None:
    before = stored(cluster)
    settings.GWM_FIELD_KEYS = []
    row = Cluster.objects.get(pk=cluster.pk)
    row.description = "changed"
    row.save()
    assert stored(row) == before


def test_a_wrong_key_says_what_to_do(cluster: Cluster, settings) -> None:
    settings.GWM_FIELD_KEYS = [NEW]
    row = Cluster.objects.get(pk=cluster.pk)
    with pytest.raises(SecretUnreadable, match="Put the former key back into GWM_FIELD_KEYS") as caught:
        _ = row.password
    assert "swordfish" not in str(caught.value)


def test_an_empty_secret_stays_empty(cluster: Cluster) -> None:
    cluster.password = ""
    cluster.save()
    assert stored(cluster) == ""
    assert Cluster.objects.get(pk=cluster.pk).password == ""


def test_rotation_makes_the_old_key_superfluous(cluster: Cluster, settings) -> None:
    settings.GWM_FIELD_KEYS = [NEW, OLD]
    said = StringIO()
    call_command("rotate_field_keys", stdout=said)
    assert "1 encrypted anew" in said.getvalue()
    settings.GWM_FIELD_KEYS = [NEW]
    assert Cluster.objects.get(pk=cluster.pk).password == "swordfish"
    before = stored(cluster)
    call_command("rotate_field_keys", stdout=said)
    assert "0 encrypted anew" in said.getvalue()
    assert stored(cluster) == before


def test_rotation_names_what_it_cannot_read(cluster: Cluster, settings) -> None:
    settings.GWM_FIELD_KEYS = [NEW]
    with pytest.raises(CommandError, match=rf"clusters\.Cluster {cluster.pk}: .*another key"):
        call_command("rotate_field_keys", stdout=StringIO())
