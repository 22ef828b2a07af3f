"""What a cluster can do. The only module that looks at release numbers.

RAPI's own feature list was never extended after 2.5, so the release number has to serve, but only here, and only
where /2/info does not show the thing itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapi.shapes.cluster import ClusterInfo

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")

#: Ganeti's own tables: hypervisors and disk templates that can do a thing
MIGRATABLE_HYPERVISORS = frozenset({"fake", "kvm", "xen-pvm", "xen-hvm"})
MIRRORED_INTERNALLY = frozenset({"drbd"})
MIRRORED_EXTERNALLY = frozenset({"blockdev", "diskless", "ext", "gluster", "rbd", "sharedfile"})
GROWABLE_TEMPLATES = frozenset({"drbd", "ext", "file", "gluster", "plain", "rbd", "sharedfile"})
MAX_DISKS = 16
MAX_NICS = 8


def parse_version(text: str) -> tuple[int, int, int]:
    """(3, 0, 2) from "3.0.2", "3.1.0~rc2", "2.16.2-1"; (0, 0, 0) when there is no number in it."""
    match = _VERSION.search(text)
    if match is None:
        return (0, 0, 0)
    return (int(match.group(1)), int(match.group(2)), int(match.group(3) or 0))


@dataclass(frozen=True)
class Features:
    """What may be sent to a cluster, and what it does by itself.

    ``checks_names_by_default``: name_check and ip_check are on unless told otherwise (to 3.0).
    ``hotplugs_by_default``: modify hot-plugs unless told otherwise (from 3.1).
    ``hotplug_if_possible``: the parameter of that name is known (2.10 to 3.0; Refused elsewhere).
    """

    version: tuple[int, int, int]
    networks: bool
    hotplug: bool
    hotplug_if_possible: bool
    hotplugs_by_default: bool
    checks_names_by_default: bool
    job_filters: bool
    rate_limit: bool
    attach_detach_disks: bool
    forthcoming_instances: bool
    network_rename: bool
    grow_without_reboot: bool
    os_bulk: bool
    delete_export: bool
    open_vswitch: bool
    vlan_aware_bridges: bool
    user_shutdown: bool
    secret_os_parameters: bool
    group_at_creation: bool

    @classmethod
    def of(cls, info: ClusterInfo) -> Features:
        """From /2/info."""
        version = parse_version(info.software_version)
        release = version[:2]
        return cls(
            version=version,
            networks=release >= (2, 7),
            hotplug=release >= (2, 10) and "kvm" in info.enabled_hypervisors,
            hotplug_if_possible=(2, 10) <= release <= (3, 0),
            hotplugs_by_default=release >= (3, 1),
            checks_names_by_default=release < (3, 1),
            job_filters=release >= (2, 13),
            rate_limit=release >= (2, 13),
            attach_detach_disks=release >= (2, 14),
            forthcoming_instances=release >= (2, 14),
            network_rename=release >= (3, 1),
            grow_without_reboot=release >= (3, 1),
            os_bulk=release >= (3, 2),
            delete_export=release >= (3, 2),
            open_vswitch=release >= (2, 9),
            vlan_aware_bridges=release >= (3, 0),
            user_shutdown=info.enabled_user_shutdown,
            secret_os_parameters=release >= (2, 12),
            group_at_creation=release >= (2, 13),
        )
