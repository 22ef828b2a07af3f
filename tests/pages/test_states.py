"""The state of a cluster in a word."""

import pytest
from django.utils import timezone

from clusters.models import Cluster
from clusters.states import state_of_cluster

NOW = timezone.now()


@pytest.mark.feature("F027", "G002")
@pytest.mark.parametrize(
    ("given", "kind", "word"),
    [
        ({"synced_at": NOW}, "ok", "healthy"),
        ({}, "busy", "first update under way"),
        ({"last_error": "x"}, "bad", "never reached"),
        ({"synced_at": NOW, "last_error": "x", "last_error_kind": "garbled"}, "warn", "update failed"),
        ({"synced_at": NOW, "last_error": "x", "last_error_kind": "bad credentials"}, "warn", "credentials refused"),
        ({"synced_at": NOW, "last_error": "x", "unreachable_since": NOW}, "bad", "not reachable"),
        ({"last_error": "x", "last_error_kind": "untrusted", "unreachable_since": NOW}, "bad", "not trusted"),
    ],
)
def test_the_word_says_what_is_wrong(given, kind, word):
    assert state_of_cluster(Cluster(**given)) == (kind, word)
