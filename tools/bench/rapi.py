"""What RAPI itself takes, asked by hand: the yardstick for the update cycle.

The cheapest queries that carry all that is compared are:

* the cluster, for what instances inherit from it;
* node groups and networks;
* nodes with the instances on them: placement this way costs a hundredth of asking each instance for its ``pnode``;
  with free memory and disk in the same query, which make Ganeti ask every node;
* uuid, name, serial number and mtime of every instance, with its live state in the same query: Ganeti asks every node
  once for all live fields together;
* jobs above the last one known.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tools.bench.rows import Row
from tools.bench.section import Order, run_section
from tools.bench.timing import median_times_s

STAMPS = ["uuid", "name", "serial_no", "mtime", "admin_state"]
LIVE = ["status", "oper_ram", "oper_vcpus"]
NODE = ["uuid", "name", "serial_no", "mtime", "role", "offline", "drained", "group.uuid", "pinst_list", "sinst_list"]
FIGURES = ["mtotal", "mfree", "mnode", "dtotal", "dfree", "ctotal", "cnodes", "csockets", "bootid"]
GROUP = ["uuid", "name", "serial_no", "mtime", "alloc_policy", "tags"]
NETWORK = ["uuid", "name", "serial_no", "mtime", "free_count", "reserved_count"]
JOB = ["id", "status", "summary", "ops", "opstatus", "received_ts", "start_ts", "end_ts"]


class Rapi:
    """One request at a time over a connection of its own; RAPI closes it after every answer anyway."""

    def __init__(self, order: Order) -> None:
        self._host, self._port = order.host, order.port
        # The lab's own certificate on a lab's own network: this measures time and sends a password all may know.
        self._context = ssl._create_unverified_context()  # noqa: S323
        token = base64.b64encode(f"{order.username}:{order.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The answer's body, unread; RuntimeError for anything but 200."""
        connection = http.client.HTTPSConnection(self._host, self._port, context=self._context, timeout=180)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, self._headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content

    def query(self, what: str, fields: list[str], condition: Any = None) -> bytes:
        return self.ask("PUT", f"/2/query/{what}", {"fields": fields, "qfilter": condition})


def list_cheapest(rapi: Rapi) -> dict[str, Callable[[], bytes]]:
    """The cheapest queries that carry all that is compared, to be asked one after the other."""
    last = max((job["id"] for job in json.loads(rapi.ask("GET", "/2/jobs"))), default=0)
    return {
        "info": partial(rapi.ask, "GET", "/2/info"),
        "groups": partial(rapi.query, "group", GROUP),
        "networks": partial(rapi.query, "network", NETWORK),
        "nodes": partial(rapi.query, "node", NODE + FIGURES),
        "instances": partial(rapi.query, "instance", STAMPS + LIVE),
        "jobs": partial(rapi.query, "job", JOB, [">", "id", int(last)]),
    }


def measure(order: Order) -> Iterator[Row]:
    """Times of single calls, then of all that one cycle needs."""
    rapi = Rapi(order)
    cheapest = list_cheapest(rapi)

    def all_of_them() -> None:
        for ask in cheapest.values():
            ask()

    bulk = partial(rapi.ask, "GET", "/2/instances?bulk=1")
    apart = {
        "places": partial(rapi.query, "node", NODE),
        "stamps": partial(rapi.query, "instance", STAMPS),
        "live": partial(rapi.query, "instance", ["uuid", *LIVE]),
        "nodes_bulk": partial(rapi.ask, "GET", "/2/nodes?bulk=1"),
    }
    names = {
        "info": "RAPI: cluster (/2/info)",
        "groups": "RAPI: node groups",
        "networks": "RAPI: networks",
        "nodes": "RAPI: nodes with the instances on them and their own figures, one query",
        "instances": "RAPI: stamps and live state of all instances, one query",
        "jobs": "RAPI: jobs above the last one known",
        "places": "RAPI: nodes with the instances on them alone",
        "stamps": "RAPI: stamps of all instances alone",
        "live": "RAPI: live state of all instances alone",
        "nodes_bulk": "RAPI: /2/nodes?bulk=1",
    }
    took = median_times_s({"bulk": bulk, "cheapest": all_of_them, **cheapest, **apart}, runs=order.runs)
    size = order.size
    yield Row("rapi.bulk", "RAPI: /2/instances?bulk=1", size, took["bulk"])
    yield Row("rapi.bulk_bytes", "RAPI: bytes of it", size, len(bulk()), "")
    for key, what in names.items():
        yield Row(f"rapi.{key}", what, size, took[key])
    yield Row("rapi.cheapest", "RAPI: the cheapest queries that carry all that is compared", size, took["cheapest"])
    yield Row("rapi.cheapest_bytes", "RAPI: bytes of them", size, sum(len(ask()) for ask in cheapest.values()), "")
    yield Row("rapi.cheapest_to_bulk", "RAPI: those to /2/instances?bulk=1", size, took["cheapest"] / took["bulk"], "x")


if __name__ == "__main__":
    run_section(measure)
