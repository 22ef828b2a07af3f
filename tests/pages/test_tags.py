"""Colours of tags: by the name alone, the same on every page and in every process."""

import subprocess
import sys

import pytest
from django.test import Client
from django.urls import reverse

from tests.architecture.test_stylesheets import sheets
from tests.lifecycle.conftest import Scene, mine, scene
from ui.tags import LOOKS, look_of_tag
from virtualmachines.models import VirtualMachine

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
