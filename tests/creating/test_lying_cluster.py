"""A cluster that says nonsense of what machines have by default: what says nothing of it is taken for nothing said."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Schedule
from tests.creating.conftest import Maker
from tests.creating.test_page import LIVE, TYPED, URL
from tests.factories import make_admin
from tests.fixtures.databases import some_in_fast
from tests.updates.conftest import update
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F147", "F190")]


@pytest.mark.parametrize("lie", some_in_fast(["text", [1, "x"], 1.5], 3), ids=str)
def test_sizes_that_are_no_numbers_are_in_nobodys_way(maker: Maker, client: Client, lie: Any) -> None:
    client.force_login(make_admin())
    vm = VirtualMachine.objects.exclude(uuid="").order_by("name")[0]
    lies = dict.fromkeys(("maxmem", "minmem", "vcpus"), lie)
    maker.simulator.alterations.alter(
        "info", "beparams", {"default": {**maker.cluster.info["beparams"]["default"], **lies}}
    )
    maker.simulator.alterations.alter("instance", "custom_beparams", lies, which=vm.name)
    Schedule.objects.update(configs_read_at=None)
    assert update(maker.cluster).outcome == "updated"
    assert Cluster.objects.get().info["beparams"]["default"]["minmem"] == lie
    where = {"cluster": "lab", "like": f"lab/{vm.name}"}
    edit = f"/clusters/lab/vms/{vm.name}/edit/"
    for url in (URL, edit, edit.replace("edit", "parameters")):
        assert client.get(url, where).status_code == 200, url
    assert client.post(LIVE, {**TYPED, "cluster": "lab"}).status_code == 200
    form = client.get(edit).context
    typed = {each: form["form"][each].value() or "" for each in form["form"].fields} | {"opened": form["opened"]}
    assert client.post(edit, {**typed, "beparams.auto_balance": "no"}).status_code in (302, 422)
    assert client.post(URL, {**TYPED, "cluster": "lab"}).status_code == 302
