"""Somebody who has never heard of Ganeti, on a real one: a KVM guest from its five fields to its end.

The lab is up before a page is opened: Chromium drops its connections whenever interfaces come or go.
"""

from functools import partial

import pytest

from tests.browser.conftest import run_product
from tests.browser.newcomer import Newcomer
from tests.browser.product import PASSWORD
from tests.up.running import eventually

pytestmark = pytest.mark.ganeti
NAME = "vm42.lab.test"


@pytest.fixture(scope="module")
def product(tmp_path_factory, ganeti):
    """With the lab's cluster, and Nora, who may create machines on it."""
    for product in run_product(tmp_path_factory.mktemp("journey"), "--no-demo"):
        product.add_cluster("real", ganeti)
        product.add_person("nora", PASSWORD)
        product.manage("sync_clusters", "real")  # the second update reads which OS there are
        eventually(partial(product.read, "Cluster.objects.get().operating_systems"), what="the list of OS")
        product.manage("grant", "nora", "create_vm", "--on=real", "--as=admin")
        yield product
        ganeti.remove_instances()


@pytest.mark.feature("F147", "F159", "F160", "F183", "F184", "F191", "F198", "F209", "F142")
def test_a_kvm_guest_is_created_used_resized_restarted_and_deleted(person, product, ganeti, watch):
    watch.allow(409, 410, "Failed when connecting", "Connection closed")
    nora = Newcomer(person(product, "nora", PASSWORD))
    nora.create(NAME, "gwm-keyboard", "1", "128 MiB", "128 MiB")
    assert ganeti.instance(NAME, "hypervisor", "status", "be/maxmem") == ["kvm", "running", "128"]
    nora.use_console()
    nora.resize("256 MiB", "256\N{NO-BREAK SPACE}MiB")
    assert ganeti.instance(NAME, "status", "be/maxmem", "be/vcpus") == ["running", "256", "1"]
    nora.restart()
    nora.delete(NAME)
    assert NAME not in ganeti.instance_names()
