"""The state of a cluster in a word, the same on every page."""

import pytest
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster, Schedule
from clusters.states import NodeTally, state_of_cluster
from tests.factories import SCHEDULED, make_node

NOW = timezone.now()


def cluster_of(given):
    cluster = Cluster(**{name: value for name, value in given.items() if name not in SCHEDULED})
    cluster.schedule = Schedule(**{name: value for name, value in given.items() if name in SCHEDULED})
    return cluster


@pytest.mark.feature("F027", "G002")
@pytest.mark.parametrize(
    ("given", "kind", "word"),
    [
        ({"synced_at": NOW}, "ok", "healthy"),
        ({}, "busy", "first update in progress"),
        ({"last_error": "x"}, "bad", "never reached"),
        ({"synced_at": NOW, "last_error": "x", "last_error_kind": "garbled"}, "warn", "update failed"),
        ({"synced_at": NOW, "last_error": "x", "last_error_kind": "bad credentials"}, "warn", "credentials refused"),
        ({"synced_at": NOW, "last_error": "x", "last_error_kind": "not sendable"}, "warn", "request cannot be sent"),
        ({"synced_at": NOW, "last_error": "x", "unreachable_since": NOW}, "bad", "not reachable"),
        ({"last_error": "x", "last_error_kind": "untrusted", "unreachable_since": NOW}, "bad", "not trusted"),
    ],
)
def test_the_word_says_what_is_wrong(given, kind, word):
    assert state_of_cluster(cluster_of(given)) == (kind, word)


@pytest.mark.parametrize(
    ("given", "tally", "kind", "word"),
    [
        ({"synced_at": NOW}, NodeTally(5), "ok", "healthy"),
        ({"synced_at": NOW}, NodeTally(5, drained=1), "warn", "1 node drained"),
        ({"synced_at": NOW}, NodeTally(5, drained=1, unresponsive=2), "bad", "2 unresponsive nodes"),
        ({"synced_at": NOW, "last_error": "x"}, NodeTally(5, drained=1), "warn", "update failed"),
        ({"synced_at": NOW, "last_error": "x", "unreachable_since": NOW}, NodeTally(5, 1, 1), "bad", "not reachable"),
    ],
)
def test_nodes_count_as_long_as_the_cluster_itself_is_well(given, tally, kind, word):
    assert state_of_cluster(cluster_of(given), tally) == (kind, word)


@pytest.mark.parametrize(
    ("fields", "word"), [({"drained": True}, "1 node drained"), ({"answers": False}, "1 unresponsive node")]
)
def test_every_page_that_shows_the_cluster_says_the_same(site, sign_in, fields, word):
    make_node(site.prod, "node3.example.org", **fields)
    browser = sign_in(site.admin)
    of_cluster = [reverse(name, args=[site.prod.slug]) for name in ("cluster", "cluster-vms", "cluster-nodes")]
    for url in (reverse("overview"), reverse("clusters"), reverse("health"), *of_cluster):
        page = browser.get(url).content.decode()
        work = page[page.index("<main") :]
        assert f">{word}</span>" in work, url
        assert f'title="{word}"' in page, url  # in the navigation
