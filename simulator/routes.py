"""Which path and method leads where, and who may."""

import re
from dataclasses import dataclass
from typing import Any

from simulator import reads, writes
from simulator.infrastructure_fields import GROUPS, NETWORKS, NODES
from simulator.instance_fields import INSTANCES
from simulator.writes import change_tags, writer

NAME = r"([\w._-]+)"
NUMBER = r"(\d+)"
NONE, READ, WRITE = frozenset[str](), frozenset({"read", "write"}), frozenset({"write"})
ACCESS_BY_METHOD = {"GET": NONE, "PUT": WRITE, "POST": WRITE, "DELETE": WRITE}


@dataclass(frozen=True, slots=True)
class Route:
    pattern: re.Pattern[str]
    resource: str  # the name of Ganeti's handler, which ends up in the reason trail
    handlers: dict[str, Any]
    access: dict[str, frozenset[str]]  # where it differs from what the method gives

    def access_to(self, method: str) -> frozenset[str]:
        return self.access.get(method, ACCESS_BY_METHOD[method])


def route(path: str, resource: str, access: dict[str, frozenset[str]] | None = None, **handlers: Any) -> Route:
    pattern = path.replace("NAME", NAME).replace("NUMBER", NUMBER)
    return Route(re.compile(pattern), resource, handlers, access or {})


def tag_route(prefix: str, resource: str, kind: str, get: Any) -> Route:
    set_tags, delete_tags = change_tags("TAGS_SET", kind), change_tags("TAGS_DEL", kind)
    return route(f"{prefix}/tags", resource, GET=get, PUT=set_tags, DELETE=delete_tags)


INSTANCE_NAME, NODE_NAME, GROUP_NAME, NETWORK_NAME = "instance_name", "node_name", "group_name", "network_name"
PARAMETER_ALIASES = {"custom_beparams": "beparams", "custom_hvparams": "hvparams"}
GROUP_ALIASES = {"custom_ndparams": "ndparams", "custom_ipolicy": "ipolicy", "custom_diskparams": "diskparams"}
COPY_OF_NONE = "'NoneType' object has no attribute 'copy'"


def instance_write(opcode: str, **options: Any) -> Any:
    return writer(opcode, INSTANCE_NAME, **({"dry_run": False} | options))


ROUTES = [
    route("/", "root", GET=reads.nothing),
    route("/2", "2", GET=reads.nothing),
    route("/version", "version", GET=reads.version),
    route("/2/info", "info", GET=reads.info),
    route("/2/features", "features", GET=reads.features),
    route("/2/os", "os", GET=reads.operating_systems),
    route("/2/modify", "cluster_modify", PUT=writes.modify_cluster),
    route("/2/redistribute-config", "redist_config", PUT=writer("CLUSTER_REDIST_CONF", dry_run=False)),
    tag_route("/2", "tags", "cluster", reads.cluster_tags),
    route("/2/query/NAME", "query", {"GET": READ, "PUT": READ}, GET=reads.query, PUT=reads.query_with_body),
    route("/2/query/NAME/fields", "query_fields", GET=reads.query_fields),
    route("/2/jobs", "jobs", GET=reads.jobs),
    route("/2/jobs/NUMBER", "jobs_id", GET=reads.job, DELETE=writes.cancel_job),
    route("/2/jobs/NUMBER/wait", "jobs_id_wait", {"GET": WRITE}, GET=reads.wait_for_job),
    route("/2/filters", "filters", GET=reads.filters, POST=writes.put_rule),
    route("/2/filters/NAME", "filters_uuid", GET=reads.filter_rule, PUT=writes.put_rule, DELETE=writes.delete_rule),
    route("/2/nodes", "nodes", GET=reads.nodes),
    route("/2/nodes/NAME", "nodes_name", GET=reads.node),
    route("/2/nodes/NAME/role", "nodes_name_role", GET=reads.node_role, PUT=writes.set_node_role),
    route("/2/nodes/NAME/evacuate", "nodes_name_evacuate", POST=writer("NODE_EVACUATE", NODE_NAME)),
    route("/2/nodes/NAME/migrate", "nodes_name_migrate", POST=writes.migrate_node),
    route("/2/nodes/NAME/modify", "nodes_name_modify", POST=writer("NODE_SET_PARAMS", NODE_NAME, dry_run=False)),
    route(
        "/2/nodes/NAME/powercycle",
        "nodes_name_powercycle",
        POST=writer("NODE_POWERCYCLE", NODE_NAME, query={"force": "force"}, dry_run=False),
    ),
    route("/2/nodes/NAME/storage", "nodes_name_storage", {"GET": WRITE}, GET=writes.node_storage),
    tag_route("/2/nodes/NAME", "nodes_name_tags", "node", reads.tags_of(NODES)),
    route("/2/groups", "groups", GET=reads.groups, POST=writer("GROUP_ADD", rename={"name": GROUP_NAME})),
    route(
        "/2/groups/NAME", "groups_name", GET=reads.group, DELETE=writer("GROUP_REMOVE", GROUP_NAME, ignores_body=True)
    ),
    route(
        "/2/groups/NAME/modify",
        "groups_name_modify",
        PUT=writer("GROUP_SET_PARAMS", GROUP_NAME, rename=GROUP_ALIASES, dry_run=False),
    ),
    route("/2/groups/NAME/rename", "groups_name_rename", PUT=writer("GROUP_RENAME", GROUP_NAME)),
    route(
        "/2/groups/NAME/assign-nodes",
        "groups_name_assign_nodes",
        PUT=writer("GROUP_ASSIGN_NODES", GROUP_NAME, query={"force": "force"}),
    ),
    tag_route("/2/groups/NAME", "groups_name_tags", "nodegroup", reads.tags_of(GROUPS)),
    route("/2/networks", "networks", GET=reads.networks, POST=writer("NETWORK_ADD", rename={"name": NETWORK_NAME})),
    route("/2/networks/NAME", "networks_name", GET=reads.network, DELETE=writer("NETWORK_REMOVE", NETWORK_NAME)),
    route("/2/networks/NAME/connect", "networks_name_connect", PUT=writer("NETWORK_CONNECT", NETWORK_NAME)),
    route("/2/networks/NAME/disconnect", "networks_name_disconnect", PUT=writer("NETWORK_DISCONNECT", NETWORK_NAME)),
    route(
        "/2/networks/NAME/modify",
        "networks_name_modify",
        PUT=writer("NETWORK_SET_PARAMS", NETWORK_NAME, dry_run=False),
    ),
    tag_route("/2/networks/NAME", "networks_name_tags", "network", reads.tags_of(NETWORKS)),
    route("/2/instances", "instances", GET=reads.instances, POST=writes.create_instance),
    route("/2/instances-multi-alloc", "instances_multi_alloc", POST=writes.create_many),
    route(
        "/2/instances/NAME",
        "instances_name",
        GET=reads.instance,
        DELETE=writer("INSTANCE_REMOVE", INSTANCE_NAME, static={"ignore_failures": False}),
    ),
    route("/2/instances/NAME/info", "instances_name_info", GET=writes.instance_info),
    route("/2/instances/NAME/console", "instances_name_console", {"GET": READ}, GET=reads.console),
    route(
        "/2/instances/NAME/startup",
        "instances_name_startup",
        PUT=writer(
            "INSTANCE_STARTUP",
            INSTANCE_NAME,
            query={"force": "force", "no_remember": "no_remember"},
            ignores_body=True,
        ),
    ),
    route(
        "/2/instances/NAME/shutdown",
        "instances_name_shutdown",
        PUT=writer("INSTANCE_SHUTDOWN", INSTANCE_NAME, query={"no_remember": "no_remember"}),
    ),
    route("/2/instances/NAME/reboot", "instances_name_reboot", POST=writes.reboot_instance),
    route("/2/instances/NAME/reinstall", "instances_name_reinstall", POST=writes.reinstall_instance),
    route(
        "/2/instances/NAME/activate-disks",
        "instances_name_activate_disks",
        PUT=instance_write("INSTANCE_ACTIVATE_DISKS", query={"ignore_size": "ignore_size"}, ignores_body=True),
    ),
    route(
        "/2/instances/NAME/deactivate-disks",
        "instances_name_deactivate_disks",
        PUT=instance_write("INSTANCE_DEACTIVATE_DISKS", query={"force": "force"}, ignores_body=True),
    ),
    route(
        "/2/instances/NAME/replace-disks",
        "instances_name_replace_disks",
        POST=instance_write("INSTANCE_REPLACE_DISKS"),
    ),
    route(
        "/2/instances/NAME/recreate-disks",
        "instances_name_recreate_disks",
        POST=instance_write("INSTANCE_RECREATE_DISKS"),
    ),
    route("/2/instances/NAME/prepare-export", "instances_name_prepare_export", PUT=writes.prepare_export),
    route(
        "/2/instances/NAME/export",
        "instances_name_export",
        PUT=instance_write("BACKUP_EXPORT", rename={"destination": "target_node"}),
    ),
    route("/2/instances/NAME/migrate", "instances_name_migrate", PUT=instance_write("INSTANCE_MIGRATE")),
    route("/2/instances/NAME/failover", "instances_name_failover", PUT=instance_write("INSTANCE_FAILOVER")),
    route("/2/instances/NAME/rename", "instances_name_rename", PUT=instance_write("INSTANCE_RENAME")),
    route(
        "/2/instances/NAME/modify",
        "instances_name_modify",
        PUT=writes.with_body(instance_write("INSTANCE_SET_PARAMS", rename=PARAMETER_ALIASES), COPY_OF_NONE),
    ),
    route("/2/instances/NAME/disk/NUMBER/grow", "instances_name_disk_grow", POST=writes.grow_disk),
    tag_route("/2/instances/NAME", "instances_name_tags", "instance", reads.tags_of(INSTANCES)),
]


def find_route(path: str) -> tuple[Route, tuple[str, ...]] | None:
    for each in ROUTES:
        match = each.pattern.fullmatch(path)
        if match:
            return each, match.groups()
    return None
