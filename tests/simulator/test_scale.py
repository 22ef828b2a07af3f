"""Ten thousand machines without strain."""

from __future__ import annotations

import resource
import time

import pytest

from simulator import Simulator
from simulator.instance_fields import BULK_FIELDS

pytestmark = [pytest.mark.feature("F299"), pytest.mark.filterwarnings("ignore:Unverified HTTPS request")]

MANY, FEWER = 10_000, 2_500
FINGERPRINT = ["uuid", "name", "serial_no", "mtime", "admin_state"]
LIVE = ["uuid", "status", "oper_ram", "oper_vcpus"]
#: In CPU time of four times as many machines: what looks at each once takes four times as much, at each pair sixteen
MOST_GROWTH = 8


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.long
def test_queries_over_ten_thousand(make_simulator, rapi) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    many: Simulator = make_simulator(nodes=10, instances=MANY)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 150  # MiB
    fewer: Simulator = make_simulator(nodes=10, instances=FEWER)

    def query(what: str, fields: list[str], qfilter=None) -> list:
        """The rows of the many; measured in turn with the fewer, each three times, as other things run beside."""
        took, data = {many: [], fewer: []}, {}
        for simulator in (fewer, many) * 3:
            begin = cpu_seconds()
            answer = rapi.put(f"{simulator.url}/2/query/{what}", json={"fields": fields, "qfilter": qfilter})
            took[simulator].append(cpu_seconds() - begin)
            data[simulator] = answer.json()["data"]
        assert min(took[many]) < MOST_GROWTH * min(took[fewer])
        return data[many]

    for fields in (FINGERPRINT, LIVE):
        assert len(query("instance", fields)) == MANY
    assert len(query("instance", [name for name in BULK_FIELDS if name not in ("pnode", "snodes")])) == MANY
    rows = query("node", ["name", "pinst_list", "sinst_list"])
    assert sum(len(row[1][1]) for row in rows) == MANY
    assert query("instance", ["name"], [">=", "mtime", int(time.time()) + 60]) == []
