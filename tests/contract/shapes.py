"""What kind of value each field of Ganeti's objects has. ``None`` among the kinds means that null is allowed."""

from __future__ import annotations

from typing import Any

TEXT, INT, FLOAT, BOOL, LIST, DICT, NULL = str, int, float, bool, list, dict, type(None)

INSTANCE: dict[str, tuple[type, ...]] = {
    "name": (TEXT,), "admin_state": (TEXT,), "os": (TEXT,), "pnode": (TEXT,), "snodes": (LIST,),
    "disk_template": (TEXT,), "nic.ips": (LIST,), "nic.macs": (LIST,), "nic.modes": (LIST,), "nic.uuids": (LIST,),
    "nic.names": (LIST,), "nic.links": (LIST,), "nic.networks": (LIST,), "nic.networks.names": (LIST,),
    "nic.bridges": (LIST,), "network_port": (INT, NULL), "disk.sizes": (LIST,), "disk.spindles": (LIST,),
    "disk_usage": (INT,), "disk.uuids": (LIST,), "disk.names": (LIST,), "beparams": (DICT,), "hvparams": (DICT,),
    "oper_state": (BOOL, NULL), "oper_ram": (INT, NULL), "oper_vcpus": (INT, NULL), "status": (TEXT,),
    "custom_hvparams": (DICT,), "custom_beparams": (DICT,), "custom_nicparams": (LIST,), "ctime": (FLOAT,),
    "mtime": (FLOAT,), "uuid": (TEXT,), "serial_no": (INT,), "tags": (LIST,),
}  # fmt: skip
NODE: dict[str, tuple[type, ...]] = {
    "name": (TEXT,), "offline": (BOOL,), "master_candidate": (BOOL,), "drained": (BOOL,), "dtotal": (INT, NULL),
    "dfree": (INT, NULL), "sptotal": (INT, NULL), "spfree": (INT, NULL), "mtotal": (INT, NULL), "mnode": (INT, NULL),
    "mfree": (INT, NULL), "pinst_cnt": (INT,), "sinst_cnt": (INT,), "ctotal": (INT, NULL), "cnos": (INT, NULL),
    "cnodes": (INT, NULL), "csockets": (INT, NULL), "pip": (TEXT,), "sip": (TEXT,), "role": (TEXT,),
    "pinst_list": (LIST,), "sinst_list": (LIST,), "master_capable": (BOOL,), "vm_capable": (BOOL,),
    "ndparams": (DICT,), "group.uuid": (TEXT,), "ctime": (FLOAT,), "mtime": (FLOAT,), "uuid": (TEXT,),
    "serial_no": (INT,), "tags": (LIST,),
}  # fmt: skip
GROUP: dict[str, tuple[type, ...]] = {
    "alloc_policy": (TEXT,), "name": (TEXT,), "node_cnt": (INT,), "node_list": (LIST,), "ipolicy": (DICT,),
    "custom_ipolicy": (DICT,), "diskparams": (DICT,), "custom_diskparams": (DICT,), "ndparams": (DICT,),
    "custom_ndparams": (DICT,), "ctime": (FLOAT, INT), "mtime": (FLOAT,), "uuid": (TEXT,), "serial_no": (INT,),
    "tags": (LIST,),
}  # fmt: skip
NETWORK: dict[str, tuple[type, ...]] = {
    "name": (TEXT,), "network": (TEXT,), "gateway": (TEXT, NULL), "network6": (TEXT, NULL), "gateway6": (TEXT, NULL),
    "mac_prefix": (TEXT, NULL), "free_count": (INT,), "reserved_count": (INT,), "map": (TEXT,), "group_list": (LIST,),
    "inst_list": (LIST,), "external_reservations": (TEXT,), "ctime": (FLOAT,), "mtime": (FLOAT,), "uuid": (TEXT,),
    "serial_no": (INT,), "tags": (LIST,),
}  # fmt: skip
JOB: dict[str, tuple[type, ...]] = {
    "id": (INT,), "ops": (LIST,), "status": (TEXT,), "summary": (LIST,), "opstatus": (LIST,), "received_ts": (LIST,),
    "start_ts": (LIST, NULL), "end_ts": (LIST, NULL),
}  # fmt: skip
JOB_IN_FULL = JOB | {"oplog": (LIST,), "opresult": (LIST,)}
INFO: dict[str, tuple[type, ...]] = {
    "software_version": (TEXT,), "protocol_version": (INT,), "config_version": (INT,), "os_api_version": (INT,),
    "export_version": (INT,), "vcs_version": (TEXT,), "architecture": (LIST,), "name": (TEXT,), "master": (TEXT,),
    "default_hypervisor": (TEXT, NULL), "enabled_hypervisors": (LIST,), "hvparams": (DICT,), "os_hvp": (DICT,),
    "beparams": (DICT,), "osparams": (DICT,), "ipolicy": (DICT,), "nicparams": (DICT,), "ndparams": (DICT,),
    "diskparams": (DICT,), "candidate_pool_size": (INT,), "max_running_jobs": (INT,), "max_tracked_jobs": (INT,),
    "mac_prefix": (TEXT,), "master_netdev": (TEXT,), "master_netmask": (INT,), "use_external_mip_script": (BOOL,),
    "volume_group_name": (TEXT, NULL), "drbd_usermode_helper": (TEXT, NULL), "file_storage_dir": (TEXT,),
    "shared_file_storage_dir": (TEXT,), "gluster_storage_dir": (TEXT,), "maintain_node_health": (BOOL,),
    "ctime": (FLOAT,), "mtime": (FLOAT,), "uuid": (TEXT,), "tags": (LIST,), "uid_pool": (LIST,),
    "default_iallocator": (TEXT,), "default_iallocator_params": (DICT,), "reserved_lvs": (LIST,),
    "primary_ip_version": (INT,), "prealloc_wipe_disks": (BOOL,), "hidden_os": (LIST,), "blacklisted_os": (LIST,),
    "enabled_disk_templates": (LIST,), "install_image": (TEXT,), "instance_communication_network": (TEXT,),
    "zeroing_image": (TEXT,), "compression_tools": (LIST,), "enabled_user_shutdown": (BOOL,),
    "enabled_data_collectors": (DICT,), "data_collector_interval": (DICT,), "modify_ssh_setup": (BOOL,),
    "ssh_key_type": (TEXT,), "ssh_key_bits": (INT,), "vg_name": (TEXT, NULL), "drbd_helper": (TEXT, NULL),
}  # fmt: skip


def check_shape(found: dict[str, Any], shape: dict[str, tuple[type, ...]]) -> None:
    """Exactly these fields, in this order, each of its kind."""
    assert list(found) == list(shape)
    wrong = {name: found[name] for name, kinds in shape.items() if type(found[name]) not in kinds}
    assert not wrong
