"""For whom somebody may act: themselves, and teams they are in and may act for; asked again by the pipeline."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from objectlog.models import Entry, Via
from operations.contract import Actor, Ask, Forbidden, NoParams
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.models import User
from permissions.policy import may_act_for
from permissions.selectors import find_persona, list_personas
from permissions.services import grant, make_team, persona_of, revoke
from tests.factories import make_admin, make_cluster, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F110", "F111")]


def names(user: User) -> list[str]:
    found = list_personas(user)
    assert all(may_act_for(user, persona) for persona in found)
    return [persona.name for persona in found]


def test_a_team_needs_membership_and_the_right() -> None:
    alice = make_user("alice")
    web, db = make_team("web", [alice]), make_team("db")
    assert names(alice) == ["alice", "web"]
    grant(["act"], alice, db)
    assert names(alice) == ["alice", "web"]  # no member
    alice.groups.add(db)
    assert names(alice) == ["alice", "db", "web"]
    revoke(["act"], web, web)
    assert names(alice) == ["alice", "db"]
    grant(["admin"], alice, web)
    assert names(alice) == ["alice", "db", "web"]
    grant(["act"], db, db, until=timezone.now() - timedelta(seconds=1))
    grant(["act"], alice, db, until=timezone.now() - timedelta(seconds=1))
    assert names(alice) == ["alice", "web"]
    assert find_persona(alice, "@web") == find_persona(alice, "web") == persona_of(web)
    assert find_persona(alice, "alice") == persona_of(alice)
    assert find_persona(alice, "db") is find_persona(alice, "bob") is None


def test_superusers_act_for_all_teams_and_who_is_switched_off_for_nobody() -> None:
    root, alice = make_admin(), make_user("alice")
    team = make_team("web", [alice])
    assert names(root) == ["root", "web"]
    assert may_act_for(root, persona_of(alice))
    alice.is_active = False
    alice.save()
    for persona in (persona_of(alice), persona_of(team)):
        assert not may_act_for(alice, persona)
    assert not may_act_for(make_user("bob"), persona_of(alice))


def test_the_pipeline_and_the_command_line_ask() -> None:
    cluster, alice, bob = make_cluster("lab"), make_user("alice"), make_user("bob")
    team = make_team("web", [alice])
    grant(["tags"], alice, cluster)
    grant(["tags"], bob, cluster)
    refresh = OPERATIONS["cluster.refresh"]
    entry = run(refresh, Ask(Actor(alice, Via.API, persona_of(team)), cluster, NoParams()))
    assert entry.persona_name == "web"
    call_command("operate", "cluster.refresh", "lab", "--as", "alice", "--persona", "web")
    for persona in (persona_of(team), persona_of(alice)):
        with pytest.raises(Forbidden, match="You may not act for"):
            run(refresh, Ask(Actor(bob, Via.API, persona), cluster, NoParams()))
    with pytest.raises(CommandError):
        call_command("operate", "cluster.refresh", "lab", "--as", "bob", "--persona", "web")
    assert Entry.objects.count() == 2
