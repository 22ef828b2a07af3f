"""Thousands of cheap running instances, made by editing the cluster's configuration while nobody reads it.

They are of the hypervisor ``fake``, whose running instances are small files in /run/ganeti/fake-hypervisor; their disks
are entries of the configuration alone.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

from tools.lab import nodes
from tools.lab.cluster import FILE_DIR, Lab
from tools.lab.errors import LabError
from tools.lab.plan import DOMAIN
from tools.lab.system import wait_until

CONFIGURATION = "/var/lib/ganeti/config.data"
FAKE_HYPERVISOR = "/run/ganeti/fake-hypervisor"
PREFIX = "load"
MEMORY_MB = 16
DISK_MB = 1024
_READERS = ("wconfd", "luxid")


def load_name(index: int) -> str:
    """Name of the n-th cheap instance, from 0."""
    return f"{PREFIX}{index:05d}.{DOMAIN}"


def _is_load(name: str) -> bool:
    return name.startswith(PREFIX) and name.endswith(f".{DOMAIN}") and name[len(PREFIX) :].partition(".")[0].isdigit()


def _add(conf: dict[str, Any], index: int, node: str, now: float) -> None:
    name = load_name(index)
    disk, instance = str(uuid.uuid4()), str(uuid.uuid4())
    stamps = {"ctime": now, "mtime": now, "serial_no": 1}
    conf["disks"][disk] = {
        **stamps,
        "uuid": disk,
        "dev_type": "file",
        "logical_id": ["loop", f"{FILE_DIR}/{name}/disk0"],
        "nodes": [node],
        "iv_name": "disk/0",
        "size": DISK_MB,
        "mode": "rw",
        "children": [],
        "params": {},
    }
    mac = ":".join(f"{byte:02x}" for byte in (0xAA, 0x01, *index.to_bytes(4, "big")))
    conf["instances"][instance] = {
        **stamps,
        "uuid": instance,
        "name": name,
        "primary_node": node,
        "os": "noop",
        "hypervisor": "fake",
        "hvparams": {},
        "beparams": {"minmem": MEMORY_MB, "maxmem": MEMORY_MB, "vcpus": 1},
        "osparams": {},
        "osparams_private": {},
        "admin_state": "up",
        "admin_state_source": "admin",
        "disks": [disk],
        "disks_active": True,
        "tags": [],
        "nics": [{"mac": mac, "nicparams": {}, "uuid": str(uuid.uuid4())}],
    }


def change_configuration(conf: dict[str, Any], count: int, now: float) -> dict[str, str]:
    """Make the configuration hold exactly ``count`` cheap instances; name → node name of all of them.

    Those that stay keep their uuid and their place; new ones go round over the nodes.
    """
    wanted = {load_name(i): i for i in range(count)}
    for key, instance in list(conf["instances"].items()):
        if not _is_load(instance["name"]):
            continue
        if instance["name"] in wanted:
            del wanted[instance["name"]]
        else:
            for disk in instance["disks"]:
                del conf["disks"][disk]
            del conf["instances"][key]
    members = sorted(conf["nodes"], key=lambda key: str(conf["nodes"][key]["name"]))
    for index in wanted.values():
        _add(conf, index, members[index % len(members)], now)
    conf["serial_no"] += 1
    conf["cluster"]["serial_no"] += 1
    conf["cluster"]["mtime"] = now
    return {
        i["name"]: conf["nodes"][i["primary_node"]]["name"] for i in conf["instances"].values() if _is_load(i["name"])
    }


def _replace(path: Path, text: str) -> None:
    """Write a file anew with the owner and mode it had, all or nothing."""
    before = path.stat()
    new = path.with_suffix(".new")
    new.write_text(text)
    os.chown(new, before.st_uid, before.st_gid)
    new.chmod(before.st_mode & 0o777)
    new.rename(path)


def _tell_hypervisor(lab: Lab, node: str, names: set[str]) -> None:
    folder = nodes.file_of_node(lab.pid_of(node), FAKE_HYPERVISOR)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if _is_load(entry.name) and entry.name not in names:
            entry.unlink()
    for name in names:
        (folder / name).write_text(f"0\n{MEMORY_MB}\n1")  # domain id, memory in MiB, processors


def grow(lab: Lab, count: int) -> None:
    """Make the lab hold exactly ``count`` cheap running instances; 0 removes them all.

    RAPI answers nothing for the two or three seconds that this takes.
    """
    if not 0 <= count <= 100_000:
        raise LabError("The lab can hold between 0 and 100000 cheap instances.")
    master = lab.master
    pid = lab.pid_of(master)
    daemon_util = "/usr/lib/ganeti/daemon-util"
    for daemon in reversed(_READERS):
        lab.run(master, daemon_util, "stop", f"ganeti-{daemon}")
    try:
        wait_until(lambda: not _any_reader(lab, master), what="ganeti-wconfd and ganeti-luxid to end")
        path = nodes.file_of_node(pid, CONFIGURATION)
        conf = json.loads(path.read_text())
        placed = change_configuration(conf, count, time.time())
        _replace(path, json.dumps(conf))
        for node in lab.plan.node_names:
            _tell_hypervisor(lab, node, {name for name, place in placed.items() if place == node})
    finally:
        for daemon in _READERS:
            lab.run(master, daemon_util, "start", f"ganeti-{daemon}")
    wait_until(lambda: _answers(lab, master), what="luxid to answer again", timeout_s=30.0)


def _any_reader(lab: Lab, node: str) -> bool:
    listed = lab.run(node, "ps", "-eo", "args=")
    return any(f"/usr/sbin/ganeti-{daemon}" in listed for daemon in _READERS)


def _answers(lab: Lab, node: str) -> bool:
    try:
        lab.run(node, "gnt-cluster", "info")
    except LabError:
        return False
    return True
