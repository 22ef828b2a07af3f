"""From Ganeti's record of an instance to the columns of a machine."""

from clusters.sync.rows import Values
from rapi.shapes.instance import Disk, InstanceInfo, InstanceLive, Nic
from virtualmachines.tags import of_people, owner_told_by

# Which only the job follower asks for: kept in the record, they would make every row differ with the next update.
_PLACE = ("pnode", "snodes")


def values_of_config(record: InstanceInfo) -> Values:
    """The columns that hold configuration; its place is not among them."""
    nics = [_values_of_nic(nic) for nic in record.nics]
    tags = sorted(of_people(record.tags))
    found = [record.name, record.os, *tags]
    found += [str(nic[key]) for nic in nics for key in ("ip", "mac") if nic[key]]
    return {
        "name": record.name,
        "serial_no": record.serial_no,
        "mtime": record.mtime or 0,
        "ctime": record.ctime,
        "admin_state": record.admin_state,
        "hypervisor": record.hypervisor,
        "os": record.os,
        "vcpus": record.vcpus or 0,
        "memory_mib": record.memory_max_mib or 0,
        "memory_min_mib": record.memory_min_mib or 0,
        "disk_mib": record.disk_total_mib,
        "disk_template": record.disk_template,
        "network_port": record.network_port,
        "disks": [_values_of_disk(disk) for disk in record.disks],
        "nics": nics,
        "tags": tags,
        "owner_tag": owner_told_by(record.tags),
        "search_text": " ".join(found).lower(),
        "raw": {key: value for key, value in record.raw.items() if key not in _PLACE},
    }


def _values_of_disk(disk: Disk) -> Values:
    return {"uuid": disk.uuid, "name": disk.name, "size_mib": disk.size_mib, "spindles": disk.spindles}


def _values_of_nic(nic: Nic) -> Values:
    return {
        "uuid": nic.uuid,
        "name": nic.name,
        "mac": nic.mac,
        "ip": nic.ip,
        "mode": nic.mode,
        "link": nic.link,
        "vlan": nic.vlan,
        "network_uuid": nic.network_uuid,
        "network": nic.network_name,
    }


def values_of_live(live: InstanceLive) -> Values:
    """The columns that hold live state."""
    return {"status": live.status, "memory_used_mib": live.memory_mib, "vcpus_used": live.vcpus}
