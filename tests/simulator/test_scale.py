"""Ten thousand machines without strain."""

from __future__ import annotations

import resource
import time

import pytest

from simulator import Simulator
from simulator.instance_fields import BULK_FIELDS

pytestmark = [pytest.mark.feature("F299"), pytest.mark.filterwarnings("ignore:Unverified HTTPS request")]

MANY = 10_000
FINGERPRINT = ["uuid", "name", "serial_no", "mtime", "admin_state"]
LIVE = ["uuid", "status", "oper_ram", "oper_vcpus"]
CPU_SECONDS = 1.0  # of this process for one query with few fields, on any machine of today
CPU_SECONDS_FULL = 4.0  # for all configuration fields, 21 MB


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.long
def test_queries_over_ten_thousand(make_simulator, rapi) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    simulator: Simulator = make_simulator(nodes=10, instances=MANY)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 150  # MiB

    def query(what: str, fields: list[str], qfilter=None) -> tuple[list, float]:
        begin = cpu_seconds()
        answer = rapi.put(f"{simulator.url}/2/query/{what}", json={"fields": fields, "qfilter": qfilter})
        took = cpu_seconds() - begin
        return answer.json()["data"], took

    for fields in (FINGERPRINT, LIVE):
        rows, took = query("instance", fields)
        assert len(rows) == MANY
        assert took < CPU_SECONDS
    rows, took = query("instance", [name for name in BULK_FIELDS if name not in ("pnode", "snodes")])
    assert len(rows) == MANY
    assert took < CPU_SECONDS_FULL
    rows, took = query("node", ["name", "pinst_list", "sinst_list"])
    assert sum(len(row[1][1]) for row in rows) == MANY
    assert took < CPU_SECONDS
    rows, took = query("instance", ["name"], [">=", "mtime", int(time.time()) + 60])
    assert rows == []
    assert took < CPU_SECONDS
