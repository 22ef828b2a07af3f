"""PUT, POST and DELETE: each makes opcodes of a request and queues them as one job."""

from typing import Any

from simulator.errors import HttpError
from simulator.model import FilterRule, new_uuid
from simulator.opcodes import checked, fill, reasons
from simulator.request import Request, World


def submit(world: World, request: Request, ops: list[dict[str, Any]], with_reason: bool = True) -> int:
    if world.queue.drained:
        raise HttpError(500, "Queue drained")
    for op in ops:
        op["reason"] = reasons(request.text("reason"), request.resource) if with_reason else []
    return world.queue.submit(ops)


def writer(
    opcode: str,
    target: str | None = None,
    *,
    query: dict[str, str] | None = None,
    rename: dict[str, str] | None = None,
    static: dict[str, Any] | None = None,
    ignores_body: bool = False,
    dry_run: bool = True,
) -> Any:
    """Make a handler: ``target`` is the parameter that the path gives, ``query`` maps arguments to parameters."""

    def write(world: World, request: Request) -> int:
        fixed: dict[str, Any] = dict(static or {})
        if target:
            fixed[target] = request.items[0]
        for argument, parameter in (query or {}).items():
            fixed[parameter] = request.flag(argument)
        if dry_run:
            fixed["dry_run"] = request.flag("dry-run")
        body = request.content
        if ignores_body:
            body = {"depends": body["depends"]} if isinstance(body, dict) and "depends" in body else {}
        return submit(world, request, [fill(opcode, body, fixed, rename)])

    return write


def with_body(handler: Any, text: str) -> Any:
    """A handler in which Ganeti stumbles over a missing body."""

    def write(world: World, request: Request) -> int:
        if request.content is None:
            raise HttpError(500, text)
        result: int = handler(world, request)
        return result

    return write


def create_instance(world: World, request: Request) -> int:
    body = request.content
    if not isinstance(body, dict):
        raise HttpError(400, f"Body contents: Type is '{type(body).__name__}', but 'dict' is expected")
    version = body.get("__version__", 0)
    if version == 0:
        raise HttpError(400, "Instance creation request version 0 is no longer supported")
    if version != 1:
        raise HttpError(400, f"Unsupported request data version {version}")
    params = {name: value for name, value in body.items() if name != "__version__"}
    static = {"dry_run": request.flag("dry-run")}
    return submit(world, request, [fill("INSTANCE_CREATE", params, static, {"os": "os_type", "name": "instance_name"})])


def create_many(world: World, request: Request) -> int:
    body = request.content
    if not isinstance(body, dict) or "instances" not in body:
        raise HttpError(400, "Request is missing required 'instances' field in body")
    aliases = {"os": "os_type", "name": "instance_name"}
    children = [fill("INSTANCE_CREATE", each, {}, aliases) for each in body["instances"]]
    given = body | {"instances": children}
    return submit(world, request, [fill("INSTANCE_MULTI_ALLOC", given, {"dry_run": request.flag("dry-run")})])


def reboot_instance(world: World, request: Request) -> int:
    static = {
        "instance_name": request.items[0],
        "reboot_type": request.text("type") or "hard",
        "ignore_secondaries": request.flag("ignore_secondaries"),
        "dry_run": request.flag("dry-run"),
    }
    return submit(world, request, [fill("INSTANCE_REBOOT", request.content, static)])


def reinstall_instance(world: World, request: Request) -> int:
    body = request.content
    if body:
        if request.query:
            raise HttpError(400, "Can't combine query and body parameters")
    elif request.query:
        body = {"os": request.text("os"), "start": not request.number("nostartup")}
    else:
        body = {}
    if not isinstance(body, dict):
        raise HttpError(400, "Invalid body contents, not a dictionary")
    start = body.get("start", True)
    if not isinstance(start, bool):
        raise HttpError(400, f"'start' parameter: Type is '{type(start).__name__}', but 'bool' is expected")
    name = {"instance_name": request.items[0]}
    given = {"os_type": body.get("os"), "osparams": body.get("osparams")}
    reinstall = name | {parameter: value for parameter, value in given.items() if value is not None}
    ops = [checked("INSTANCE_SHUTDOWN", dict(name)), checked("INSTANCE_REINSTALL", reinstall)]
    if start:
        ops.append(checked("INSTANCE_STARTUP", name | {"force": False}))
    return submit(world, request, ops, with_reason=False)


def grow_disk(world: World, request: Request) -> int:
    static = {"instance_name": request.items[0], "disk": int(request.items[1])}
    return submit(world, request, [fill("INSTANCE_GROW_DISK", request.content, static)])


def set_node_role(world: World, request: Request) -> int:
    role = request.content
    if not isinstance(role, str):
        raise HttpError(400, f"Body contents: Type is '{type(role).__name__}', but 'str' is expected")
    flags: dict[str, dict[str, bool]] = {
        "regular": {"master_candidate": False, "offline": False, "drained": False},
        "master-candidate": {"master_candidate": True},
        "drained": {"drained": True},
        "offline": {"offline": True},
    }
    if role not in flags:
        raise HttpError(400, f"Can't set '{role}' role")
    static = {
        "node_name": request.items[0],
        "force": request.flag("force"),
        "auto_promote": request.flag("auto-promote"),
    }
    return submit(world, request, [fill("NODE_SET_PARAMS", {}, static | flags[role])])


def migrate_node(world: World, request: Request) -> int:
    body = request.content
    legacy = {name for name in request.query if name != "reason"}
    if legacy:
        body = {"mode": request.text("mode") or ("live" if request.number("live") else "non-live")}
    return submit(world, request, [fill("NODE_MIGRATE", body, {"node_name": request.items[0]})])


def modify_cluster(world: World, request: Request) -> int:
    if request.content is None:
        raise HttpError(500, "'NoneType' object is not iterable")
    if isinstance(request.content, dict) and "compression_tools" in request.content:
        raise HttpError(403, "The parameter compression_tools cannot be set via RAPI")
    return submit(world, request, [fill("CLUSTER_SET_PARAMS", request.content)])


def change_tags(opcode: str, kind: str) -> Any:
    def change(world: World, request: Request) -> int:
        params: dict[str, Any] = {
            "kind": kind,
            "tags": request.query.get("tag", []),
            "dry_run": request.flag("dry-run"),
        }
        if request.items:
            params["name"] = request.items[0]
        return submit(world, request, [fill(opcode, {}, params)])

    return change


def cancel_job(world: World, request: Request) -> list[Any]:
    return list(world.queue.cancel(int(request.items[0])))


# filter rules change at once, without a job

RULE_DEFAULTS: dict[str, Any] = {"priority": 0, "predicates": [], "action": "CONTINUE", "reason": []}


def put_rule(world: World, request: Request) -> str:
    body = request.content if request.content is not None else {}
    for name in body:
        if name not in RULE_DEFAULTS:
            raise HttpError(400, f"Invalid body parameters: unknown parameter '{name}'")
    given = RULE_DEFAULTS | body
    if not isinstance(given["priority"], int) or given["priority"] < 0:
        raise HttpError(400, "'priority' parameter must be a non-negative number")
    uuid = request.items[0] if request.items else new_uuid()
    reason = given["reason"] or [["luxid", "", 0]]
    world.cluster.filters[uuid] = FilterRule(
        uuid, world.queue.last_id, given["priority"], given["predicates"], given["action"], reason
    )
    return uuid


def delete_rule(world: World, request: Request) -> None:
    if world.cluster.filters.pop(request.items[0], None) is None:
        raise HttpError(500, f"Filter rule with UUID {request.items[0]} does not exist")


def prepare_export(world: World, request: Request) -> int:
    static = {"instance_name": request.items[0], "mode": request.text("mode")}
    return submit(world, request, [fill("BACKUP_PREPARE", {}, static)])


def instance_info(world: World, request: Request) -> int:
    static = {"instances": [request.items[0]], "static": request.flag("static")}
    return submit(world, request, [fill("INSTANCE_QUERY_DATA", {}, static)])


def node_storage(world: World, request: Request) -> int:
    fields = request.text("output_fields")
    if not fields:
        raise HttpError(400, "Missing the required 'output_fields' parameter")
    static: dict[str, Any] = {"nodes": [request.items[0]], "output_fields": fields.split(",")}
    storage_type = request.text("storage_type")
    if storage_type:
        static["storage_type"] = storage_type
    return submit(world, request, [fill("NODE_QUERY_STORAGE", {}, static)])
