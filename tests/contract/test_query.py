"""The query language: cells, filters, and what it stumbles over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.backends import Backend

pytestmark = pytest.mark.feature("F299")


def names(backend: Backend, qfilter: Any) -> list[str]:
    return [row[0][1] for row in backend.query("instance", ["name"], qfilter)]


def refused(backend: Backend, qfilter: Any, what: str = "instance") -> tuple[int, str]:
    answer = backend.ask("PUT", f"/2/query/{what}", {"fields": ["uuid"], "qfilter": qfilter})
    return answer.status_code, answer.json()["message"]


def test_cells_say_why_a_value_is_missing(backend: Backend, machine: str, stopped: str) -> None:
    fields = [
        "name",
        "oper_state",
        "oper_ram",
        "bogus",
        "network_port",
        "disk.size/0",
        "hv/acpi",
        "nic.mac/3",
        "console",
    ]
    (running,) = backend.query("instance", fields, ["=", "name", machine])
    assert [cell[0] for cell in running] == [0, 0, 0, 1, 3, 3, 3, 3, 0]
    (down,) = backend.query("instance", fields, ["=", "name", stopped])
    assert [cell[0] for cell in down] == [0, 0, 3, 1, 3, 3, 3, 3, 0]
    assert down[1] == [0, False]


def test_answer_describes_its_fields(backend: Backend) -> None:
    answer = backend.read("/2/query/instance?fields=name,oper_ram,bogus")
    assert set(answer) == {"data", "fields"}
    assert [(each["name"], each["kind"]) for each in answer["fields"]] == [
        ("name", "text"),
        ("oper_ram", "unit"),
        ("bogus", "unknown"),
    ]
    assert set(answer["fields"][0]) == {"name", "title", "kind", "doc"}


def test_rows_come_in_natural_order(backend: Backend) -> None:
    for number in (2, 10):
        backend.create(f"contract-order{number}.{backend.domain}", start=False)
    found = [name.partition(".")[0] for name in names(backend, None) if "order" in name]
    assert found == ["contract-order2", "contract-order10"]


def test_equality_of_names_looks_them_up(backend: Backend, machine: str) -> None:
    assert names(backend, ["=", "name", machine]) == [machine]
    assert names(backend, ["=", "name", machine.partition(".")[0]]) == [machine]
    expected = (500, "(&#x27;Instance name nope not found&#x27;, &#x27;unknown_entity&#x27;)")
    assert refused(backend, ["=", "name", "nope"]) == expected
    assert refused(backend, ["|", ["=", "name", machine], ["=", "name", "nope"]]) == expected


def test_equality_of_uuids_never_fails(backend: Backend, machine: str) -> None:
    uuid = backend.instance(machine)["uuid"]
    assert names(backend, ["|", ["=", "uuid", uuid], ["=", "uuid", "nope"]]) == [machine]


@pytest.mark.parametrize(
    ("qfilter", "matches"),
    [
        (["&"], True),
        (["|"], False),
        (["=~", "name", "^contract"], True),
        (["=~", "name", "^nothing"], False),
        (["=[]", "tags", "no-such-tag"], False),
        (["?", "disks_active"], True),
        (["!", ["?", "disks_active"]], False),
        (["=", "admin_state", "up"], True),
        (["==", "admin_state", "up"], True),
        (["!=", "status", "running"], False),
        (["&", ["=", "status", "running"], [">", "serial_no", 0]], True),
        (["|", ["=", "status", "nonsense"], ["<=", "be/maxmem", 32]], True),
        ([">=", "mtime", 5], True),
        (["<", "mtime", 5], False),
        ([">", "mtime", 5.0], True),
        (["<", "name", "zz"], True),
        (["=", "oper_ram", 32], True),
        # a value that is not there passes every comparison, and fails its negation
        (["=", "network_port", 11000], True),
        (["<", "network_port", 5], True),
        (["!=", "network_port", 11000], False),
        (["!", ["=", "network_port", 11000]], False),
        (["?", "hv/acpi"], True),
        (["=~", "nic.ip/0", "^x"], True),
        (["=", "disk.size/0", 5], True),
    ],
)
def test_operators(backend: Backend, machine: str, qfilter: list[Any], matches: bool) -> None:
    uuid = backend.instance(machine)["uuid"]
    assert (names(backend, ["&", ["=", "uuid", uuid], qfilter]) == [machine]) is matches


@pytest.mark.parametrize(
    ("qfilter", "code", "text"),
    [
        (["=", "bogus", "x"], 500, "Can&#x27;t find field named &#x27;bogus&#x27;"),
        (["=~", "tags", "^vm"], 500, "Invalid field value used in regexp matching, expecting string but got"),
        (["=", "serial_no", "x"], 500, "Invalid types in comparison, trying to compare"),
        (["?", "name"], 500, "in boolean context"),
        (["=[]", "nic.ips", "x"], 500, "error: Unable to read String"),
        (["bogus", "name", "x"], 502, "error: Unknown filter operand &#x27;bogus&#x27;"),
        (["=~", "name", "(("], 502, "Failed to parse request: Cannot convert value"),
        ([">=", "mtime", 5.5], 502, "expecting integral but got a fractional value: 11 % 2"),
        (["=", "disks_active", True], 502, "Cannot deserialise filter value, expecting string or integer, got true"),
        (["=", "oper_ram", None], 502, "Cannot deserialise filter value, expecting string or integer, got null"),
        ([], 502, "Cannot deserialise filter: expected array [string, args], got []"),
    ],
)
def test_filters_that_are_refused(backend: Backend, machine: str, qfilter: Any, code: int, text: str) -> None:
    found, message = refused(backend, qfilter)
    assert found == code
    assert text in message


def test_ways_to_ask(backend: Backend, machine: str) -> None:
    def ask(body: Any, arguments: str = "") -> tuple[int, Any]:
        answer = backend.ask("PUT", f"/2/query/instance{arguments}", body)
        return answer.status_code, answer.json()

    assert ask({}, "?fields=name")[0] == 200
    assert ask({"fields": ["name"], "unknown": 1})[0] == 200
    assert ask({"fields": ["name"], "filter": ["=", "name", "nope"]})[0] == 500
    assert ask({"fields": "name"})[0] == 502
    assert ask({"fields": []})[1]["fields"] == []
    missing = (400, "Missing &#x27;fields&#x27; query argument")
    code, answer = ask({})
    assert (code, answer["message"]) == missing
    for path in ("/2/query/instance", "/2/query/instance?fields="):
        got = backend.ask("GET", path)
        assert (got.status_code, got.json()["message"]) == missing
    code, answer = ask(None)
    assert (code, answer["message"]) == (
        400,
        "Body contents: Type is &#x27;NoneType&#x27;, but &#x27;dict&#x27; is expected",
    )


@pytest.mark.parametrize(
    ("resource", "code", "text"),
    [("os", 500, "not supported"), ("cluster", 500, "not supported"), ("nope", 502, "Failed to parse request")],
)
def test_resources_that_cannot_be_queried(backend: Backend, resource: str, code: int, text: str) -> None:
    for path in (f"/2/query/{resource}?fields=name", f"/2/query/{resource}/fields"):
        answer = backend.ask("GET", path)
        assert answer.status_code == code
        assert text in answer.json()["message"]


def test_nodes_and_groups(backend: Backend, machine: str) -> None:
    (row,) = backend.query(
        "node",
        ["name", "role", "master", "powered", "hv_state", "sptotal", "ndp/ssh_port"],
        ["=", "name", backend.nodes[0]],
    )
    assert row == [[0, backend.nodes[0]], [0, "M"], [0, True], [3, None], [3, None], [2, None], [0, 22]]
    (placed,) = backend.query("node", ["pinst_list"], ["=", "name", backend.instance(machine)["pnode"]])
    assert machine in placed[0][1]
    (group,) = backend.query("group", ["name", "pinst_list", "node_cnt"])
    assert group[0] == [0, "default"]
    assert machine in group[1][1]
    assert group[2] == [0, 2]


def test_empty_kinds(backend: Backend) -> None:
    assert backend.query("network", ["name"]) == []
    assert backend.query("filter", ["uuid"]) == []


def test_every_node_is_among_the_exports(backend: Backend) -> None:
    rows = backend.query("export", ["node", "export"])
    assert {node for (_state, node), _export in rows} == set(backend.nodes)
    alone = [node for (_state, node), export in rows if export == [2, None]]
    assert len(alone) == len(set(alone)), "it stands for a node without any"
