"""Tags of a cluster itself: set by who has the right that says so, and shown on its page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster
from clusters.operations.tagging import tags_of
from objectlog.models import Entry, Event, Outcome, Via
from objectlog.reading import read_event
from operations.contract import Actor, Ask, Invalid
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.services import grant
from tests.factories import make_user
from tests.operations.conftest import Scene
from tests.updates.conftest import update
from updates.follower import follow_cluster

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("F094")]


@pytest.fixture
def tagger(scene: Scene) -> Actor:
    """Somebody who may set tags of the cluster, and nothing else there."""
    user = make_user("tagger")
    grant(["tags"], user, scene.cluster)
    scene.simulator.cluster.tags = ["old"]
    update(scene.cluster)
    return Actor(user, Via.WEB)


def begin(scene: Scene, actor: Actor, verb: str, tags: Any) -> Entry:
    operation, cluster = OPERATIONS[f"cluster.{verb}"], Cluster.objects.get(pk=scene.cluster.pk)
    return run(operation, Ask(actor, cluster, params_from(operation, actor, cluster, {"tags": tags})))


def finish(scene: Scene, entry: Entry) -> Entry:
    scene.simulator.run_jobs()
    follow_cluster(scene.cluster)
    update(scene.cluster)
    entry.refresh_from_db()
    return entry


def test_they_come_and_go_on_the_page_too(scene: Scene, tagger: Actor, client: Client) -> None:
    assert finish(scene, begin(scene, tagger, "add-tags", "web, prod old")).outcome == Outcome.SUCCEEDED
    assert sorted(scene.simulator.cluster.tags) == ["old", "prod", "web"]
    assert finish(scene, begin(scene, tagger, "remove-tags", ["web", "never"])).outcome == Outcome.SUCCEEDED
    assert tags_of(Cluster.objects.get(pk=scene.cluster.pk)) == {"old", "prod"}
    event = Event.objects.filter(verb="cluster.remove-tags", is_overtaken=False).get()
    assert read_event(event).sentence.startswith("Removed tags of lab")
    client.force_login(tagger.user)
    page = client.get(reverse("cluster", args=["lab"])).content.decode()
    assert ">prod</span>" in page and reverse("cluster-do", args=["lab", "add-tags"]) in page


def test_nothing_is_sent_for_those_that_nobody_may_set_or_that_change_nothing(scene: Scene, tagger: Actor) -> None:
    before = scene.submissions()
    for verb, tags, words in (
        ("add-tags", "htools:iextags:web", "administrators of the cluster"),
        ("add-tags", "gwm:owner:7", "kept by this program"),
        ("add-tags", "ü", "is not a tag"),
        ("add-tags", "old", "has them already"),
        ("remove-tags", "new", "none of them"),
    ):
        with pytest.raises(Invalid, match=words):
            begin(scene, tagger, verb, tags)
    assert scene.submissions() == before
