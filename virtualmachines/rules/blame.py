"""Which field Ganeti's words are about, so that they can stand there: the path of a field of the spec, or nothing."""

import re

_ABOUT: tuple[tuple[str, str], ...] = (
    (
        r"already in the cluster|does not resolve|Invalid hostname|Hostname .* is not a valid|differs from the name",
        "name",
    ),
    (r"serial console speed", "hvparams.serial_speed"),
    (r"[Mm]achine version", "hvparams.machine_version"),
    (r"[Ss]ecurity domain", "hvparams.security_domain"),
    (r"^SPICE|SPICE and VNC", "hvparams.spice_bind"),
    (r"IP of instance|IP \S+ of instance|ip_check", "options.ip_check"),
    (r"memory-size|[Nn]ot enough memory|FailMem", "beparams.maxmem"),
    (r"cpu-count|FailCPU|vcpu-ratio", "beparams.vcpus"),
    (r"disk-size|disk-count|disk space|volume group|FailDisk|Missing disk size|Invalid disk", "disks"),
    (r"nic-count|MAC address|IP address|NIC/\d|Network '|bridge|[Ll]ink '", "nics"),
    (r"secondary node|mirror node|\bsnode", "placement.secondary"),
    (r"primary node|pnode|drained|offline node", "placement.primary"),
    (r"[Dd]isk template", "disk_template"),
    (r"iallocator|Can't compute nodes|No valid allocation", "placement.allocator"),
    (r"Directory for OS|guest OS|Guest OS|OS (name|variant|API)|OS '|os_type", "os"),
    (r"OS Parameters|osparams", "osparams"),
    (r"hypervisor '|[Hh]ypervisor .* not (enabled|known)", "hypervisor"),
    (r"[Ee]xport|src_node|src_path", "source.node"),
)
_PARAMETER = re.compile(
    r"[Pp]arameter '(?P<name>\w+)'|(?P<named>\w+): invalid|'(?P<key>[a-z0-9_]+)' .*hypervisor parameter"
)


def blame(words: str) -> str:
    """The field that is named first among what Ganeti complains of; empty if none is known."""
    found = _PARAMETER.search(words)
    if found is not None:
        return f"hvparams.{found['name'] or found['named'] or found['key']}"
    return next((field for pattern, field in _ABOUT if re.search(pattern, words)), "")
