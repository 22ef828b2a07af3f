"""Record the answers in `recorded/` anew: ``python -m tests.rapi.record HOST USER PASSWORD FINGERPRINT``.

HOST is the cluster of a fresh lab of two nodes (see tools/lab); what is made on it here stays there. Afterwards look at
the difference before committing it: a change of form is news about Ganeti.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rapi import RapiClient, Trust
from rapi.resources.lifecycle import InstanceSpec
from rapi.shapes import (
    GROUP_FIELDS,
    INSTANCE_CONFIG_FIELDS,
    INSTANCE_FINGERPRINT_FIELDS,
    INSTANCE_LIVE_FIELDS,
    JOB_FIELDS,
    NETWORK_FIELDS,
    NODE_CONFIG_FIELDS,
    NODE_LIVE_FIELDS,
)

FOLDER = Path(__file__).parent / "recorded"
REASON = "gwm:rec"
BULK = ("instances", "nodes", "groups", "networks", "jobs")
QUERIES = {
    "group": ("group", GROUP_FIELDS),
    "instance_config": ("instance", INSTANCE_CONFIG_FIELDS),
    "instance_fingerprint": ("instance", INSTANCE_FINGERPRINT_FIELDS),
    "instance_live": ("instance", INSTANCE_LIVE_FIELDS),
    "job": ("job", JOB_FIELDS),
    "network": ("network", NETWORK_FIELDS),
    "node_config": ("node", NODE_CONFIG_FIELDS),
    "node_live": ("node", NODE_LIVE_FIELDS),
}


def wait_for(rapi: RapiClient, job_id: int) -> None:
    """Until it has ended, well or not."""
    while not rapi.get_job(job_id).is_final:
        rapi.wait_for_job_change(job_id, previous_values=["running"])


def furnish(rapi: RapiClient) -> None:
    """A network, two machines, and jobs that ended well, badly and with children."""
    first, second = sorted(rapi.list_node_names())
    here: dict[str, Any] = {"os": "noop", "pnode": first}
    web = InstanceSpec(
        name="web.lab.test",
        disk_template="sharedfile",
        disks=[{"size": 16, "name": "root"}, {"size": 32}],
        nics=[{"network": "lan", "ip": "pool"}, {"mode": "bridged", "link": "br0", "name": "wan"}],
        hypervisor="kvm",
        beparams={"minmem": 32, "maxmem": 64, "vcpus": 2},
        tags=["role:web"],
        file_driver="loop",
        osparams_secret={"key": "hidden-value"},
        **here,
    )
    cheap: dict[str, Any] = {"disk_template": "diskless", "disks": [], "nics": [{}], "hypervisor": "fake"}
    idle = InstanceSpec(name="idle.lab.test", beparams={"memory": 16, "vcpus": 1}, start=False, **cheap, **here)
    huge = InstanceSpec(name="huge.lab.test", beparams={"memory": 30000}, iallocator="hail", os="noop", **cheap)
    wait_for(rapi, rapi.add_network("lan", "192.0.2.0/28", gateway="192.0.2.1", reason=REASON))
    wait_for(rapi, rapi.connect_network("lan", "default", mode="bridged", link="br0", reason=REASON))
    for spec in (web, idle, huge):
        wait_for(rapi, rapi.create_instance(spec, reason=REASON))
    wait_for(rapi, rapi.startup_instance("nobody.lab.test", reason=REASON))
    wait_for(rapi, rapi.migrate_instance(web.name, target_node=second, reason=REASON))
    wait_for(rapi, rapi.reboot_instance(web.name, reason=REASON))
    wait_for(rapi, rapi.reinstall_instance(idle.name, start=False, reason=REASON))
    wait_for(rapi, rapi.evacuate_node(first, mode="primary-only", iallocator="hail", reason=REASON))


def save(name: str, value: Any) -> None:
    """Write one answer."""
    (FOLDER / f"{name}.json").write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def record(rapi: RapiClient) -> None:
    """Every answer that the tests read, as it comes."""
    furnish(rapi)
    save("info", rapi._get("/2/info"))
    save("job_unknown", rapi._get("/2/jobs/999999"))
    for kind in BULK:
        save(f"{kind}_bulk", rapi._get(f"/2/{kind}", [("bulk", "1")]))
    for name, (resource, fields) in QUERIES.items():
        save(f"query_{name}", rapi._ask("PUT", f"/2/query/{resource}", {"fields": list(fields)}))
    second = sorted(rapi.list_node_names())[1]
    wait_for(rapi, rapi.modify_node(second, offline=True, force=True, reason=REASON))
    for name in ("instance_live", "node_live"):
        resource, fields = QUERIES[name]
        save(f"query_{name}_offline", rapi._ask("PUT", f"/2/query/{resource}", {"fields": list(fields)}))
    wait_for(rapi, rapi.modify_node(second, offline=False, force=True, reason=REASON))


if __name__ == "__main__":
    host, username, password, fingerprint = sys.argv[1:]
    with RapiClient([(host, 5080)], username=username, password=password, trust=Trust.pinned(fingerprint)) as client:
        record(client)
