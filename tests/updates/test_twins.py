"""One cluster is here once: added twice, its machines would count twice."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from clusters.models import Cluster
from tests.factories import make_admin
from tests.updates.conftest import update
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.feature("G046")


def test_a_cluster_that_is_here_already_is_not_updated_and_names_the_other(simulator, cluster, track):
    second = track(simulator, "second")
    report = update(second)
    assert (report.outcome, report.error_kind) == ("failed", "duplicate cluster")
    assert "alpha" in second.last_error and second.uuid == ""
    assert VirtualMachine.objects.count() == 3
    assert update(cluster).outcome == "updated"


def test_of_two_that_were_taken_by_an_earlier_release_the_later_stops(simulator, cluster, track):
    second = track(simulator, "second", uuid=cluster.uuid)
    assert update(second).error_kind == "duplicate cluster"
    assert update(cluster).outcome == "updated"
    cluster.delete()
    assert update(second).outcome == "updated"


def test_the_command_says_which_it_is(simulator, cluster, tmp_path):
    make_admin()
    password = tmp_path / "password"
    password.write_text(simulator.password)
    where = [f"--host={simulator.host}", f"--port={simulator.port}", f"--fingerprint={simulator.fingerprint}"]
    with pytest.raises(CommandError, match="here already, as “alpha”"):
        call_command("add_cluster", "second", *where, "--user=gwm", f"--password-file={password}")
    assert Cluster.objects.count() == 1


def test_the_page_says_which_it_is_and_has_no_way_on(simulator, cluster, client):
    client.force_login(make_admin())
    settings = {
        "step": "settings", "slug": "second", "host": simulator.host, "port": simulator.port, "username": "gwm",
        "password": simulator.password, "tls_trust": "pin", "tls_fingerprint": simulator.fingerprint,
    }  # fmt: skip
    answer = client.post(reverse("cluster-add"), settings)
    assert answer.status_code == 422
    assert "here already, as “alpha”" in answer.content.decode()
    client.post(reverse("cluster-add"), {"step": "add"})
    assert Cluster.objects.count() == 1
