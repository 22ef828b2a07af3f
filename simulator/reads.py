"""GET: everything that tells something and changes nothing."""

import json
from typing import Any

from simulator.errors import HttpError
from simulator.infrastructure_fields import (
    EXPORTS,
    FILTER_BULK_FIELDS,
    FILTERS,
    GROUP_BULK_FIELDS,
    GROUPS,
    NETWORK_BULK_FIELDS,
    NETWORKS,
    NODE_BULK_FIELDS,
    NODES,
)
from simulator.instance_fields import BULK_FIELDS as INSTANCE_BULK_FIELDS
from simulator.instance_fields import INSTANCES
from simulator.job_fields import BULK_FIELDS as JOB_BULK_FIELDS
from simulator.job_fields import JOBS, LOCKS, SINGLE_FIELDS, JobView, Unknown
from simulator.query import Resource
from simulator.request import Request, World

FEATURES = ["node-migrate-reqv1", "node-evac-res1", "instance-reinstall-reqv1", "instance-create-reqv1"]
RESOURCES: dict[str, Resource] = {
    each.name: each for each in (INSTANCES, NODES, GROUPS, NETWORKS, FILTERS, EXPORTS, JOBS, LOCKS)
}
UNSUPPORTED = {"os": "QROs", "cluster": "QRCluster", "extstorage": "QRExtstorage"}
ROLES = {"M": "master", "C": "master-candidate", "R": "regular", "D": "drained", "O": "offline"}


def nothing(world: World, request: Request) -> None:
    return None


def version(world: World, request: Request) -> int:
    return 2


def features(world: World, request: Request) -> list[str]:
    return FEATURES


def info(world: World, request: Request) -> dict[str, Any]:
    cluster = world.cluster
    settings = cluster.settings
    return settings | {
        "name": cluster.name,
        "master": cluster.master,
        "uuid": cluster.uuid,
        "ctime": cluster.ctime,
        "mtime": cluster.mtime,
        "tags": sorted(cluster.tags),
        "vg_name": settings["volume_group_name"],
        "drbd_helper": settings["drbd_usermode_helper"],
    }


def operating_systems(world: World, request: Request) -> list[str]:
    """Ganeti runs a job for it and waits; the list is what matters here."""
    hidden = {*world.cluster.settings["hidden_os"], *world.cluster.settings["blacklisted_os"]}
    return [name for name in world.cluster.operating_systems if name.split("+")[0] not in hidden]


# lists and single objects


def listing(resource: Resource, bulk_fields: list[str], path: str, key: str, world: Any, request: Request) -> Any:
    if request.flag("bulk"):
        return resource.records(world, bulk_fields)
    names = [record[resource.key] for record in resource.records(world, [resource.key])]
    return [{key: name, "uri": f"{path}/{name}"} for name in sorted(names)]


def single(resource: Resource, fields: list[str], world: World, request: Request) -> dict[str, Any]:
    request.without_locking()
    view = resource.view(world.cluster)
    row = resource.find(view, request.items[0]) if resource.find else None
    if row is None:
        raise HttpError(404)
    return resource.records(world.cluster, fields, [row])[0]


def with_memory(record: dict[str, Any]) -> dict[str, Any]:
    """RAPI still adds the parameter that maxmem replaced."""
    return record | {"beparams": record["beparams"] | {"memory": record["beparams"]["maxmem"]}}


def instances(world: World, request: Request) -> Any:
    request.without_locking()
    result = listing(INSTANCES, INSTANCE_BULK_FIELDS, "/2/instances", "id", world.cluster, request)
    return [with_memory(record) for record in result] if request.flag("bulk") else result


def instance(world: World, request: Request) -> Any:
    return with_memory(single(INSTANCES, INSTANCE_BULK_FIELDS, world, request))


def nodes(world: World, request: Request) -> Any:
    return listing(NODES, NODE_BULK_FIELDS, "/2/nodes", "id", world.cluster, request)


def node(world: World, request: Request) -> Any:
    record = single(NODES, NODE_BULK_FIELDS, world, request)
    return record | {"secondary_ip": record["sip"]}


def node_role(world: World, request: Request) -> str:
    view = NODES.view(world.cluster)
    found = NODES.find(view, request.items[0]) if NODES.find else None
    if found is None:
        raise HttpError(500, "list index out of range")
    return ROLES[NODES.fields["role"].get(view, found)]


def groups(world: World, request: Request) -> Any:
    return listing(GROUPS, GROUP_BULK_FIELDS, "/2/groups", "name", world.cluster, request)


def group(world: World, request: Request) -> Any:
    return single(GROUPS, GROUP_BULK_FIELDS, world, request)


def networks(world: World, request: Request) -> Any:
    return listing(NETWORKS, NETWORK_BULK_FIELDS, "/2/networks", "name", world.cluster, request)


def network(world: World, request: Request) -> Any:
    return single(NETWORKS, NETWORK_BULK_FIELDS, world, request)


def filters(world: World, request: Request) -> Any:
    return listing(FILTERS, FILTER_BULK_FIELDS, "/2/filters", "uuid", world.cluster, request)


def filter_rule(world: World, request: Request) -> Any:
    rule = world.cluster.filters.get(request.items[0])
    if rule is None:
        raise HttpError(404)
    return FILTERS.records(world.cluster, FILTER_BULK_FIELDS, [rule])[0]


# jobs


def jobs(world: World, request: Request) -> Any:
    if request.flag("bulk"):
        return JOBS.records(world, JOB_BULK_FIELDS)
    return [{"id": record["id"], "uri": f"/2/jobs/{record['id']}"} for record in JOBS.records(world, ["id"])]


def job(world: World, request: Request) -> Any:
    """A job by its number, archived or not; an unknown one is all null, and 200."""
    number = int(request.items[0])
    row = world.queue.jobs.get(number) or Unknown(number)
    return JOBS.records(world, SINGLE_FIELDS, [row])[0]


WAIT_SECONDS = 10.0


def wait_for_job(world: World, request: Request) -> Any:
    """Answer when something differs from what the caller knows, at the latest after ten seconds."""
    if request.content is None:
        raise HttpError(500, "'NoneType' object is not subscriptable")
    if "fields" not in request.content:
        raise HttpError(400, "Required parameter 'fields' is missing")
    names = request.content["fields"]
    if not isinstance(names, list):
        raise HttpError(400, "The 'fields' parameter should be a list")
    known, serial = request.content.get("previous_job_info"), request.content.get("previous_log_serial")
    found = world.queue.jobs.get(int(request.items[0]))
    if found is None:
        raise HttpError(500, "Can't load job file")

    def state() -> tuple[list[Any], list[Any]]:
        record = JOBS.records(world, names, [found])[0]
        entries = [entry for log in found.logs for entry in log if serial is None or entry[0] > serial]
        return [record[name] for name in names], entries

    def news() -> bool:
        current, entries = state()
        return current != known or bool(entries) or found.finished

    world.queue.changed.wait_for(news, WAIT_SECONDS)
    current, entries = state()
    return json.loads(json.dumps({"job_info": current, "log_entries": entries}))


# queries


def resource_named(name: str, request: list[Any], what: str) -> Resource:
    if name in RESOURCES:
        return RESOURCES[name]
    if name in UNSUPPORTED:
        raise HttpError(500, f"{what} 'ItemTypeOpCode {UNSUPPORTED[name]}' not supported")
    text = f"Can't parse value '{name}' as neitherQueryTypeLuxi nor QueryTypeOp"
    raise HttpError(502, f"Failed to parse request: Cannot convert value '{json.dumps(request)}', error: {text}")


def fields_argument(request: Request) -> list[str]:
    text = request.text("fields")
    if not text:
        raise HttpError(400, "Missing 'fields' query argument")
    return [name.strip() for name in text.split(",")]


def answer_query(world: World, name: str, fields: Any, qfilter: Any) -> dict[str, Any]:
    asked = [name, fields, qfilter]
    resource = resource_named(name, asked, "Query")
    if not isinstance(fields, list) or not all(isinstance(each, str) for each in fields):
        shown = json.dumps(asked)
        raise HttpError(502, f"Failed to parse request: Cannot convert value '{shown}', error: Unable to read list")
    subject = world if resource.view is JobView else world.cluster
    return resource.query(subject, fields, qfilter)


def query(world: World, request: Request) -> dict[str, Any]:
    return answer_query(world, request.items[0], fields_argument(request), None)


def query_with_body(world: World, request: Request) -> dict[str, Any]:
    body = request.content
    if not isinstance(body, dict):
        raise HttpError(400, f"Body contents: Type is '{type(body).__name__}', but 'dict' is expected")
    fields = body["fields"] if "fields" in body else fields_argument(request)
    qfilter = body.get("qfilter")
    return answer_query(world, request.items[0], fields, body.get("filter") if qfilter is None else qfilter)


def query_fields(world: World, request: Request) -> dict[str, Any]:
    name = request.items[0]
    names = fields_argument(request) if request.query.get("fields") else None
    return resource_named(name, [name, names], "QueryFields").describe(names)


# tags and consoles


def cluster_tags(world: World, request: Request) -> list[str]:
    return sorted(world.cluster.tags)


def tags_of(resource: Resource) -> Any:
    def tags(world: World, request: Request) -> list[str]:
        view = resource.view(world.cluster)
        row = resource.find(view, request.items[0]) if resource.find else None
        if row is None:
            kind = resource.name.capitalize()
            raise HttpError(500, f"('{kind} name {request.items[0]} not found', 'unknown_entity')")
        return sorted(row.tags)

    return tags


def console(world: World, request: Request) -> Any:
    """VNC consoles end in 500, as on every release since 2.11."""
    view = INSTANCES.view(world.cluster)
    found = INSTANCES.find(view, request.items[0]) if INSTANCES.find else None
    if found is None:
        raise HttpError(500, "list index out of range")
    record = INSTANCES.records(world.cluster, ["console", "oper_state"], [found])[0]
    if not record["oper_state"]:
        raise HttpError(503, "Instance console unavailable")
    if record["console"] is None:
        raise HttpError(500)
    return record["console"]
