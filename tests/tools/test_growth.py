"""What ``grow`` does to a cluster's configuration, without a cluster."""

from __future__ import annotations

import copy
from typing import Any

from tools.lab.growth import change_configuration, load_name


def configuration() -> dict[str, Any]:
    kept = {"name": "kept.lab.test", "primary_node": "u1", "disks": ["d1"]}
    return {
        "serial_no": 7,
        "cluster": {"serial_no": 3, "mtime": 1.0},
        "nodes": {"u2": {"name": "node2.lab.test"}, "u1": {"name": "node1.lab.test"}},
        "instances": {"i1": kept},
        "disks": {"d1": {}},
    }


def test_growing_goes_round_over_the_nodes_and_keeps_what_is_there() -> None:
    conf = configuration()
    placed = change_configuration(conf, 3, 2.0)
    assert placed == {
        load_name(0): "node1.lab.test",
        load_name(1): "node2.lab.test",
        load_name(2): "node1.lab.test",
    }
    assert conf["instances"]["i1"]["name"] == "kept.lab.test"
    assert len({nic["mac"] for i in conf["instances"].values() for nic in i.get("nics", [])}) == 3
    before = copy.deepcopy(conf["instances"])
    change_configuration(conf, 5, 3.0)
    assert {key: conf["instances"][key] for key in before} == before
    assert conf["serial_no"] == 9


def test_shrinking_takes_the_disks_along() -> None:
    conf = configuration()
    change_configuration(conf, 4, 2.0)
    assert change_configuration(conf, 0, 3.0) == {}
    assert (conf["instances"], conf["disks"]) == (configuration()["instances"], {"d1": {}})
