"""Two simulated clusters: one that tells the truth, and one with a record for every field that can lie."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from clusters.models import Cluster
from simulator import Simulator
from simulator.cluster import Cluster as SimulatedCluster
from simulator.model import Group, Network
from simulator.population import populate
from tests.hostile.values import FIELDS
from tests.updates.conftest import track, update

__all__ = ["track"]

CONTROL = "control.example.org"


@dataclass
class Liar:
    """A cluster on which record number i is there for field number i of its kind."""

    simulator: Simulator
    row: Cluster
    names: dict[str, list[Any]]

    def lie(self, value: Any) -> None:
        """Have each field of each kind say this, each in a record of its own."""
        for kind, fields in FIELDS.items():
            for field, which in zip(fields, self.names[kind], strict=True):
                self.simulator.alterations.alter(kind, field, value, which=which)


def populated() -> tuple[SimulatedCluster, dict[str, list[Any]]]:
    cluster = SimulatedCluster()
    populate(cluster, nodes=len(FIELDS["node"]) + 1, instances=len(FIELDS["instance"]))
    group = next(iter(cluster.groups.values()))
    for number in range(len(FIELDS["group"])):
        cluster.groups[f"group{number}"] = Group(f"group{number}", mtime=group.mtime)
    for number in range(len(FIELDS["network"])):
        name = f"network{number}"
        cluster.networks[name] = Network(
            name, f"192.0.{number}.0/24", groups={group.uuid: {"mode": "bridged", "link": "br0"}}
        )
    names = {
        "instance": [instance.name for instance in cluster.sorted_instances()],
        # the master is left alone
        "node": [node.name for node in cluster.sorted_nodes() if node.name != cluster.master],
        "group": [f"group{number}" for number in range(len(FIELDS["group"]))],
        "network": [f"network{number}" for number in range(len(FIELDS["network"]))],
    }
    return cluster, names


@pytest.fixture
def liar(make_simulator: Callable[..., Simulator], track: Callable[..., Cluster]) -> Liar:
    cluster, names = populated()
    simulator = make_simulator(cluster=cluster)
    machines = names["instance"][: len(FIELDS["job"])]
    jobs = [simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=name) for name in machines]
    names["job"] = [job.id for job in jobs]
    simulator.outside.add(CONTROL)
    row = track(simulator, "liar")
    assert update(row).outcome == "updated"
    return Liar(simulator, row, names)


@pytest.fixture
def honest(make_simulator: Callable[..., Simulator], track: Callable[..., Cluster]) -> Cluster:
    row = track(make_simulator(instances=2), "honest")
    assert update(row).outcome == "updated"
    return row
