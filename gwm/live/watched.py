"""Which rows pages show, and what a change of them is called.

A topic is "kind:key": `vm:12` is everything about one machine, `vms:4` what lists show of the machines of cluster 4,
`machines:4` how many it has. A page names the topics it shows (gwm.live.pages); "vms:*" stands for all clusters.
Whatever is not left out here is a change, so that a new column is seen by being there.
"""

from __future__ import annotations

from dataclasses import dataclass

TABLE = "gwm_touched"


@dataclass(frozen=True)
class Topic:
    """A name made of columns, "vm:{id}", and the columns whose change counts: `only` these, or all but `without`."""

    name: str
    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def columns_of(self, columns: list[str]) -> list[str]:
        """Those of a table's columns whose change touches the topic."""
        return [name for name in columns if (name in self.only if self.only else name not in self.without)]


def _all(name: str, *without: str) -> Topic:
    return Topic(name, without=frozenset(without))


def _only(name: str, *columns: str) -> Topic:
    return Topic(name, only=frozenset(columns))


_BOOKS = ("changed_at", "search_text")
_STAMPS = ("synced_at", "live_at", "attempted_at", "next_sync_at")
_WORKINGS = (
    *("leased_until", "lease_holder", "sync_queued_at", "sync_wanted_at", "follow_leased_until", "follow_queued_at"),
    *("configs_read_at", "operating_systems_at", "exports_at", "live_failed_at", "host_tried_at"),
)
_SEALS = ("number", "previous", "seal", "is_overtaken")
# What a machine's or a node's own page shows and no list does.
_OWN = (*_BOOKS, "raw", "mtime", "serial_no", "notes", "memory_used_mib", "vcpus_used", "disks")
_ACCOUNT = ("username", "first_name", "last_name", "email", "is_active", "is_superuser", "is_staff", "last_login")

WATCHED: dict[str, tuple[Topic, ...]] = {
    "clusters_cluster": (_all("cluster:{id}", "defaults_digest", "last_job_id"),),
    "clusters_schedule": (_all("cluster:{cluster_id}", *_STAMPS, *_WORKINGS), _only("age:{cluster_id}", *_STAMPS)),
    "clusters_nodegroup": (_all("nodes:{cluster_id}", *_BOOKS, "raw", "mtime", "serial_no"),),
    "clusters_network": (_all("networks:{cluster_id}", *_BOOKS, "raw", "mtime", "serial_no"),),
    "clusters_node": (
        _all("node:{id}", *_BOOKS),
        _all("nodes:{cluster_id}", *_OWN),
        _only("hosts:{cluster_id}", "name", "role", "offline", "drained", "answers", "missing_since"),
    ),
    "virtualmachines_virtualmachine": (
        _all("vm:{id}", *_BOOKS),
        _all("vms:{cluster_id}", *_OWN),
        _only("machines:{cluster_id}", "missing_since"),
    ),
    "virtualmachines_machinetemplate": (_all("template:{id}"), _all("templates:{cluster_id}")),
    "clusters_job": (
        _all("job:{id}", "seen_at"),
        _all("jobs:{cluster_id}", "seen_at", "log", "opcodes"),
    ),
    "clusters_jobtarget": (_all("of:{kind}:{target_pk}"),),
    "objectlog_event": (
        _all("journal:{target_kind}:{target_pk}", *_SEALS),
        _all("journaled:{cluster_pk}", *_SEALS),
    ),
    "operations_batch": (_all("batch:{id}"), _all("batches:{actor_id}")),
    "operations_batchitem": (_all("batch:{batch_id}", "attempts", "try_at"),),
    "quotas_claim": (_all("quotas:{cluster_id}"),),
    "quotas_defaultquota": (_all("quotas:{cluster_id}"),),
    "quotas_quota": (_all("quotas:{cluster_id}"),),
    "quotas_request": (_all("asked:{id}"),),
    "permissions_user": (
        _only("rights:{id}", "is_active", "is_superuser", "is_staff"),
        _only("people:{id}", "username", "first_name", "last_name"),
        _only("account:{id}", *_ACCOUNT),
    ),
    "mfa_authenticator": (_all("account:{user_id}", "last_used_at", "data"),),
    "permissions_user_groups": (_all("rights:{user_id}"),),
    "permissions_rolegrant": (_all("rights:{user_id}"), _all("rights:groups")),
    "permissions_role": (_all("rights:groups"),),
    "permissions_roleverb": (_all("rights:groups"),),
    "permissions_teamusergrant": (_all("rights:{user_id}"),),
    "permissions_teamgroupgrant": (_all("rights:groups"),),
    "auth_group": (_all("people:group"),),
    "clusters_clusterusergrant": (_all("rights:{user_id}"),),
    "clusters_clustergroupgrant": (_all("rights:groups"),),
    "virtualmachines_vmusergrant": (_all("rights:{user_id}"),),
    "virtualmachines_vmgroupgrant": (_all("rights:groups"),),
    "virtualmachines_templateusergrant": (_all("rights:{user_id}"),),
    "virtualmachines_templategroupgrant": (_all("rights:groups"),),
}
# Tables of ours that no page shows a row of by itself; tests hold that every table is in one of the two.
UNWATCHED = frozenset(
    {
        "gwm_process",
        "objectlog_chainend",
        "objectlog_entry",
        "objectlog_eventtext",
        "operations_batchlane",
        "people_letter",
        "quotas_usageday",
        "permissions_claimedmembership",
        "permissions_persona",
        "permissions_user_user_permissions",
        "permissions_sshkey",
        "permissions_token",
        "virtualmachines_countcheck",
        "virtualmachines_machinecount",
        "virtualmachines_machinetag",
        "virtualmachines_machinetext",
        "clusters_exportlist",
        "clusters_formerslug",
        "clusters_formername",
        TABLE,
    }
)
