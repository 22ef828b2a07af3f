"""Colours of tags: by the name alone, the same on every page and in every process."""

import subprocess
import sys
from dataclasses import replace

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from objectlog.changes import Change, as_rows
from tests.architecture.test_stylesheets import sheets
from tests.creating.conftest import SPEC
from tests.lifecycle.conftest import Scene, mine, scene
from tests.updates.conftest import update
from ui.tags import LOOKS, look_of_tag
from ui.templatetags.units import DASH
from virtualmachines.filters import MACHINES
from virtualmachines.models import VirtualMachine
from virtualmachines.rules import Facts, judge_creation
from virtualmachines.spec.copying import as_settings, as_template

__all__ = ["mine", "scene"]


def test_a_name_has_one_colour_and_names_share_them_out() -> None:
    names = [f"team-{number}" for number in range(400)]
    looks = [look_of_tag(name) for name in names]
    assert min(looks.count(look) for look in LOOKS) > 20
    assert set(LOOKS) <= set(sheets().classes)
    say = "from ui.tags import look_of_tag; print(*[look_of_tag(f'team-{n}') for n in range(400)])"
    other = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, check=True)
    assert other.stdout.split() == looks


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tag", ["web", 'a"><i>', "é" * 60])
def test_it_is_the_same_in_list_page_and_filter(mine: Scene, client: Client, tag: str) -> None:
    VirtualMachine.objects.filter(pk=mine.vm.pk).update(tags=[tag])
    client.force_login(mine.alice.user)
    look = look_of_tag(tag)
    for url in (reverse("vms"), reverse("vm", args=[mine.cluster.slug, mine.vm.address])):
        assert f'class="chip is-tag {look}"' in client.get(url).content.decode()
    filtered = client.get(reverse("vms"), {"tag": tag}).content.decode()
    assert f'class="token is-tag {look}"' in filtered
    assert '"><i>' not in filtered


@pytest.mark.django_db(transaction=True)
def test_what_this_program_notes_in_ganeti_is_shown_to_nobody(mine: Scene) -> None:
    """Neither beside a machine nor by its words, and no right can hang on it."""
    mine.simulator.outside.modify(mine.vm.name, tags=["gwm:owner:alice", "web"])
    update(mine.cluster)
    vm = VirtualMachine.objects.get(pk=mine.vm.pk)
    assert vm.tags == ["web"] and list(vm.tag_rows.values_list("tag", flat=True)) == ["web"]
    assert not VirtualMachine.objects.filter(MACHINES.word("gwm:owner")).exists()


def test_nobody_creates_a_machine_with_tags_that_are_not_theirs() -> None:
    """By hand, or with the settings of another."""
    tagged = replace(SPEC, tags=frozenset({"gwm:owner:7", "web"}))
    assert "kept by this program" in judge_creation(tagged, Facts(), is_admin=True, may_export=True)["tags"]
    assert as_settings(tagged).tags == as_template(tagged).tags == {"web"}
    tools = replace(SPEC, tags=frozenset({"htools:iextags:web"}))
    assert "administrators" in judge_creation(tools, Facts(), is_admin=False, may_export=True)["tags"]
    assert "tags" not in judge_creation(tools, Facts(), is_admin=True, may_export=True)


def test_a_plan_shows_tags_before_and_after_in_their_colours() -> None:
    changes = [
        Change("tags", "tags", "db, web", "web").as_data(),
        Change("tags", "tags", DASH, "<b>").as_data(),
        Change("tags", "tags", [], ["web"]).as_data(),
        Change("name", "name", "a, b", "c").as_data(),
    ]
    page = render_to_string("parts/_changes.html", {"changes": as_rows(changes)})
    look = look_of_tag("web")
    assert page.count(f'<span class="chip is-tag {look}">web</span>') == 3
    assert f'<span class="chip is-tag {look_of_tag("<b>")}">&lt;b&gt;</span>' in page
    assert f"<del>{DASH}</del>" in page and "<del>a, b</del>" in page
