"""From what a real Ganeti said to our shapes; and from what no Ganeti says to an error, never to a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapi.errors import Garbled, JobLost
from rapi.query import FieldState, QueryResult
from rapi.shapes import (
    GROUP_FIELDS,
    INSTANCE_CONFIG_FIELDS,
    INSTANCE_FINGERPRINT_FIELDS,
    INSTANCE_LIVE_FIELDS,
    INSTANCE_STATUSES,
    JOB_FIELDS,
    NETWORK_FIELDS,
    NODE_CONFIG_FIELDS,
    NODE_LIVE_FIELDS,
    ClusterInfo,
    FilterRule,
    GroupInfo,
    InstanceFingerprint,
    InstanceInfo,
    InstanceLive,
    JobInfo,
    LockInfo,
    NetworkInfo,
    NodeInfo,
    NodeLive,
    Placement,
    place_instances,
    read_job_error,
    split_summary,
)
from rapi.shapes.job import without_secrets


def load(recorded: Path, name: str) -> Any:
    return json.loads((recorded / f"{name}.json").read_text())


def query(recorded: Path, name: str, fields: tuple[str, ...]) -> QueryResult:
    return QueryResult.parse(load(recorded, f"query_{name}"), fields)


# --- as recorded -----------------------------------------------------------------------------------------------------


def test_the_cluster(recorded: Path) -> None:
    info = ClusterInfo.parse(load(recorded, "info"))
    assert (info.name, info.master, info.software_version) == ("rapi.lab.test", "n1-rapi.lab.test", "3.0.2")
    assert info.architecture == ("64bits", "x86_64")
    assert info.enabled_disk_templates == ("file", "sharedfile", "diskless")
    assert (info.beparams["maxmem"], info.nicparams["mode"]) == (128, "bridged")
    assert set(info.hvparams) == {"kvm", "fake", "lxc", "chroot", "xen-pvm", "xen-hvm"}
    assert info.raw["uid_pool"] == []


@pytest.mark.feature("F070", "F131", "F132", "F133", "F134", "F135")
def test_an_instance_with_all_it_has(recorded: Path) -> None:
    placement = place_instances(
        NodeInfo.parse(each) for each in query(recorded, "node_config", NODE_CONFIG_FIELDS).records()
    )
    infos = {
        each["name"]: InstanceInfo.parse(each, placement[each["name"]])
        for each in query(recorded, "instance_config", INSTANCE_CONFIG_FIELDS).records()
    }
    web = infos["web.lab.test"]
    assert (web.primary_node, web.secondary_nodes) == ("n2-rapi.lab.test", ())
    assert (web.hypervisor, web.os, web.disk_template, web.admin_state) == ("kvm", "noop", "sharedfile", "up")
    assert (web.vcpus, web.memory_min_mib, web.memory_max_mib, web.disk_total_mib) == (2, 32, 64, 48)
    assert [(each.index, each.name, each.size_mib) for each in web.disks] == [(0, "root", 16), (1, None, 32)]
    lan, wan = web.nics
    assert (lan.network_name, lan.ip, lan.mode, lan.link) == ("lan", "192.0.2.2", "bridged", "br0")
    assert (wan.network_uuid, wan.ip, wan.name, wan.vlan) == (None, None, "wan", None)
    assert web.network_port is not None
    assert web.network_port >= 11000
    assert web.tags == ("role:web",)
    assert web.custom_beparams == {"minmem": 32, "maxmem": 64, "vcpus": 2}
    assert web.hvparams["kvm_flag"] == "disabled"
    assert infos["idle.lab.test"].disks == ()


def test_bulk_records_and_queries_give_the_same(recorded: Path) -> None:
    queried = {each["uuid"]: each for each in query(recorded, "instance_config", INSTANCE_CONFIG_FIELDS).records()}
    for each in load(recorded, "instances_bulk"):
        bulk = InstanceInfo.parse(each)
        info = InstanceInfo.parse(queried[bulk.uuid], Placement(bulk.primary_node, bulk.secondary_nodes))
        for field in ("name", "disks", "nics", "vcpus", "memory_max_mib", "tags", "os", "network_port", "mtime"):
            assert getattr(bulk, field) == getattr(info, field), field
        live = InstanceLive.parse(each)
        assert live.status in INSTANCE_STATUSES
    for each in load(recorded, "nodes_bulk"):
        assert NodeInfo.parse(each).name == NodeLive.parse(each).name
    for each in load(recorded, "groups_bulk"):
        (queried_group,) = query(recorded, "group", GROUP_FIELDS).records()
        assert GroupInfo.parse(each).ipolicy == GroupInfo.parse(queried_group).ipolicy


def test_live_states(recorded: Path) -> None:
    by_name = {
        each.name: each for each in InstanceLive.parse_query(query(recorded, "instance_live", INSTANCE_LIVE_FIELDS))
    }
    web, idle = by_name["web.lab.test"], by_name["idle.lab.test"]
    assert (web.status, web.memory_mib, web.vcpus) == ("running", 64, 2)
    assert (idle.status, idle.memory_mib, idle.vcpus, idle.node_answers) == ("ADMIN_down", None, None, True)
    prints = InstanceFingerprint.parse_query(query(recorded, "instance_fingerprint", INSTANCE_FINGERPRINT_FIELDS))
    assert {each.name for each in prints} == set(by_name)


def test_an_offline_node_is_told_from_one_that_has_nothing_to_say(recorded: Path) -> None:
    result = query(recorded, "node_live_offline", NODE_LIVE_FIELDS)
    first, second = NodeLive.parse_query(result)
    assert (first.answers, first.offline, first.spindles_total) == (True, False, None)
    assert (second.answers, second.offline, second.memory_total_mib) == (False, True, None)
    assert result.state(1, "mtotal") == FieldState.OFFLINE
    assert result.state(0, "mtotal") == FieldState.NORMAL
    assert result.state(0, "sptotal") == FieldState.NO_DATA
    lives = InstanceLive.parse_query(query(recorded, "instance_live_offline", INSTANCE_LIVE_FIELDS))
    assert {(each.status, each.node_answers) for each in lives} == {("ERROR_nodeoffline", False)}


def test_networks(recorded: Path) -> None:
    (network,) = (NetworkInfo.parse(each) for each in query(recorded, "network", NETWORK_FIELDS).records())
    assert (network.name, network.cidr, network.gateway, network.cidr6) == ("lan", "192.0.2.0/28", "192.0.2.1", "")
    assert network.external_reservations == ()  # not asked for: it costs Ganeti most of all
    assert network.links[0].vlan == ""
    (full,) = (NetworkInfo.parse(each) for each in load(recorded, "networks_bulk"))
    assert full.external_reservations == ("192.0.2.0", "192.0.2.1", "192.0.2.15")
    assert full.address_map == network.address_map is not None
    assert full.raw["map"] == "XXX.........."  # ten of the twelve that are free
    assert full.address_map.count("X") == full.reserved_count == 4
    assert full.instance_names == ("web.lab.test",)


@pytest.mark.feature("F069", "F076")
def test_jobs(recorded: Path) -> None:
    jobs = {each["id"]: JobInfo.parse(each) for each in query(recorded, "job", JOB_FIELDS).records()}
    failed = next(each for each in jobs.values() if each.summary == ("INSTANCE_STARTUP(nobody.lab.test)",))
    assert failed.error is not None
    assert (failed.error.message, failed.error.code) == ("Instance 'nobody.lab.test' not known", "unknown_entity")
    assert failed.opcodes[0].params["instance_name"] == "nobody.lab.test"
    evacuation = next(each for each in jobs.values() if each.opcodes[0].name == "NODE_EVACUATE")
    (child,) = evacuation.child_jobs
    assert jobs[child].parent_job == evacuation.id
    assert evacuation.parent_job is None
    assert evacuation.reasons == jobs[child].reasons == ("gwm:rec",)
    created = next(each for each in jobs.values() if each.summary == ("INSTANCE_CREATE(web.lab.test)",))
    assert created.log[0].serial == 1
    assert [each.serial for each in created.log] == sorted(each.serial for each in created.log)
    assert created.received_at < created.started_at < created.ended_at  # type: ignore[operator]
    assert "osparams_secret" not in created.opcodes[0].params
    assert "hidden-value" not in repr(created)
    reinstalled = next(each for each in jobs.values() if len(each.opcodes) == 2)
    assert reinstalled.error is not None
    assert reinstalled.error.message == "Instance 'idle.lab.test' has no disks"
    for each in load(recorded, "jobs_bulk"):
        bulk = JobInfo.parse(each)
        assert bulk.log == ()
        assert bulk.summary == jobs[bulk.id].summary
        if bulk.status == "error":
            assert bulk.error is None  # the reason wasn't asked for, which is no statement about it


def job_with(results: list[Any], statuses: list[str] | None = None) -> JobInfo:
    """A job of as many opcodes as results."""
    count = len(results)
    record = {
        "id": 1,
        "status": "success",
        "ops": [{"OP_ID": "OP_TEST_DELAY"}] * count,
        "opstatus": statuses or ["success"] * count,
        "opresult": results,
        "summary": ["TEST_DELAY"] * count,
    }
    return JobInfo.parse(record)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        (True, True),
        (["node1.lab.test"], ["node1.lab.test"]),
        ({"jobs": [[True, 17], [False, "no room"]]}, {"jobs": [[True, 17], [False, "no room"]]}),
        ([["beparams/maxmem", 256]], [["beparams/maxmem", 256]]),
        ("a\x00b\ud800", "ab"),
        ({"handshake": "x", "x509_key_name": "y", "destination": "z"}, {"destination": "z"}),
    ],
)
def test_what_a_job_gave_is_clean_and_holds_no_secret(given: Any, kept: Any) -> None:
    (opcode,) = job_with([given]).opcodes
    assert opcode.result == kept or (isinstance(kept, str) and "\x00" not in opcode.result)


def test_what_a_job_gave_is_bounded_however_much_it_is() -> None:
    (long,) = job_with([{"disks": ["x" * 50] * 10_000}]).opcodes
    assert isinstance(long.result, str) and len(long.result) <= 20_000
    many = job_with([["y" * 30_000]] * 200)
    assert len(json.dumps([opcode.result for opcode in many.opcodes])) < 120_000
    children = job_with([{"jobs": [[True, number] for number in range(1, 5000)]}])
    assert children.child_jobs == tuple(range(1, 5000)), "they are followed though their list is too long to keep"


def test_what_failed_gave_nothing() -> None:
    assert [each.result for each in job_with([["OpExecError", ["no"]], 1], ["error", "error"]).opcodes] == [None, None]


def test_a_job_that_ganeti_forgot_is_lost(recorded: Path) -> None:
    with pytest.raises(JobLost):
        JobInfo.parse(load(recorded, "job_unknown"))


@pytest.mark.parametrize(
    ("result", "message", "code"),
    [
        (["OpPrereqError", ["Instance 'x' not known", "unknown_entity"]], "Instance 'x' not known", "unknown_entity"),
        (["OpPrereqError", ["no code here\n"]], "no code here", None),
        (["OpExecError", ["one", "two"]], "one two", None),
        (["TagError", ["Tag contains invalid characters"]], "Tag contains invalid characters", None),
        (["JobLost", []], "JobLost", None),
        ("Job canceled by request", "Job canceled by request", None),
    ],
)
def test_why_a_job_failed_in_words(result: Any, message: str, code: str | None) -> None:
    error = read_job_error(result)
    assert error is not None
    assert (error.message, error.code) == (message, code)


def test_the_first_error_of_its_own_is_the_jobs() -> None:
    record = {
        "id": 1,
        "status": "error",
        "summary": ["A", "B"],
        "opstatus": ["error", "error"],
        "opresult": [["OpExecError", ["Preceding opcode failed"]], ["OpExecError", ["the disk is full"]]],
    }
    error = JobInfo.parse(record).error
    assert error is not None
    assert error.message == "the disk is full"


def test_summaries_are_split() -> None:
    assert split_summary("INSTANCE_STARTUP(web.example.org)") == ("INSTANCE_STARTUP", "web.example.org")
    assert split_summary("CLUSTER_VERIFY") == ("CLUSTER_VERIFY", "")
    assert split_summary("something else") == ("something else", "")


def test_secrets_are_taken_out_at_any_depth() -> None:
    value = {"a": [{"osparams_secret": {"k": "v"}, "b": 1}], "osparams_private": {"p": "q"}, "vnc_password": "x"}
    assert without_secrets(value) == {"a": [{"b": 1}]}


def test_locks() -> None:
    lock = LockInfo.parse(
        {"name": "instance/web", "mode": "exclusive", "owner": ["12", 13, '["14", 7]'], "pending": [["shared", [15]]]}
    )
    assert lock.owner_job_ids == (12, 13, 14)
    assert [(each.mode, each.job_ids) for each in lock.pending] == [("shared", (15,))]


def test_rules_of_the_queue() -> None:
    rule = FilterRule.parse({"uuid": "u", "priority": 1, "action": ["RATE_LIMIT", 4], "reason_trail": [["a", "b", 1]]})
    assert (rule.action, rule.rate_limit, rule.reasons) == ("RATE_LIMIT", 4, ("b",))
    assert FilterRule.parse({"uuid": "u", "action": "PAUSE"}).action == "PAUSE"


# --- other releases --------------------------------------------------------------------------------------------------


@pytest.mark.feature("F063")
def test_older_and_newer_records_are_read(recorded: Path) -> None:
    """2.16 lacks custom_osparams in bulk records, 3.2 may bring anything; neither is an error."""
    (record,) = (each for each in load(recorded, "instances_bulk") if each["name"] == "web.lab.test")
    older = {key: each for key, each in record.items() if key not in ("custom_osparams", "disk.names", "nic.names")}
    newer = {**record, "something.new": {"x": 1}, "nic.vlans": [None, 12]}
    assert InstanceInfo.parse(older).disks[0].name is None
    assert InstanceInfo.parse(newer).nics[1].vlan == "12"
    with_vlan = {**record, "custom_nicparams": [{"vlan": ".7"}, {}]}
    assert InstanceInfo.parse(with_vlan).nics[0].vlan == ".7"
    with_memory = {**record, "beparams": {"memory": 128, "vcpus": 1}}
    assert InstanceInfo.parse(with_memory).memory_max_mib == InstanceInfo.parse(with_memory).memory_min_mib == 128


@pytest.mark.parametrize("key", ["uuid", "name", "admin_state"])
@pytest.mark.parametrize("value", [None, "", 1, "absent"])
def test_an_instance_without_what_must_be_there_is_garbled(recorded: Path, key: str, value: Any) -> None:
    record = dict(load(recorded, "instances_bulk")[0])
    if value == "absent":
        del record[key]
    else:
        record[key] = value
    with pytest.raises(Garbled, match=key):
        InstanceInfo.parse(record)


# --- nonsense --------------------------------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
_PARSERS: dict[Any, tuple[str, ...]] = {
    ClusterInfo.parse: ("uuid", "name", "master", "software_version", "hvparams", "beparams", "architecture", "tags"),
    GroupInfo.parse: GROUP_FIELDS,
    NodeInfo.parse: NODE_CONFIG_FIELDS,
    NodeLive.parse: NODE_LIVE_FIELDS,
    NetworkInfo.parse: (*NETWORK_FIELDS, "inst_list", "external_reservations"),
    InstanceInfo.parse: (*INSTANCE_CONFIG_FIELDS, "pnode", "snodes"),
    InstanceLive.parse: INSTANCE_LIVE_FIELDS,
    JobInfo.parse: JOB_FIELDS,
    LockInfo.parse: ("name", "mode", "owner", "pending"),
    FilterRule.parse: ("uuid", "priority", "watermark", "action", "predicates", "reason_trail"),
}
IDENTITY = {"uuid": "u", "name": "n", "admin_state": "up", "status": "running", "master": "m", "software_version": "3"}


@pytest.mark.long
@pytest.mark.parametrize("parse", list(_PARSERS), ids=lambda each: each.__self__.__name__)
@settings(deadline=None)
@given(data=st.data())
def test_anything_is_read_or_garbled(parse: Any, data: st.DataObject) -> None:
    """No value of any field, in any combination, makes a parser fail otherwise."""
    record = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(_PARSERS[parse], ANYTHING)))
    if data.draw(st.booleans()):
        record |= {key: each for key, each in IDENTITY.items() if key in _PARSERS[parse]}
        record |= {"id": 1} if "id" in _PARSERS[parse] else {}
    try:
        shape = parse(record)
    except (Garbled, JobLost):
        return
    assert repr(shape)


def _is_a_record(value: Any) -> bool:
    """Whether it bears a field that may be all that must be there."""
    return isinstance(value, dict) and bool(value.keys() & {*IDENTITY, "id"})


@settings(deadline=None)
@given(value=ANYTHING.filter(lambda value: not _is_a_record(value)))
def test_anything_else_is_garbled(value: Any) -> None:
    for parse in _PARSERS:
        with pytest.raises((Garbled, JobLost)):
            parse(value)
    with pytest.raises(Garbled):
        QueryResult.parse(value, ("name",))


@settings(deadline=None)
@given(rows=ANYTHING, kind=st.sampled_from(["text", "unknown"]))
def test_rows_of_a_query_are_read_or_garbled(rows: Any, kind: str) -> None:
    value = {"fields": [{"name": "name", "kind": kind}, {"name": "uuid", "kind": "text"}], "data": rows}
    try:
        result = QueryResult.parse(value, ("name", "uuid"))
    except Garbled:
        return
    assert all(len(row) == 2 for row in result.rows)
    assert [tuple(each.values()) for each in result.records()] == result.rows


def test_a_query_that_answers_other_fields_is_garbled() -> None:
    with pytest.raises(Garbled):
        QueryResult.parse({"fields": [{"name": "uuid", "kind": "text"}], "data": []}, ("name",))


def test_a_machine_that_is_only_reserved_is_told_from_one_that_is_stopped() -> None:
    record = {"uuid": "u", "name": "n", "status": "ADMIN_down", "oper_ram": None, "oper_vcpus": None}
    assert InstanceLive.parse({**record, "forthcoming": True}).status == "forthcoming"
    assert InstanceLive.parse({**record, "forthcoming": False}).status == "ADMIN_down"
    assert InstanceLive.parse({**record, "forthcoming": None}).status == "ADMIN_down", "before 2.14"


def test_a_large_answer() -> None:
    """6,000 rows of six fields, a tenth of them without figures."""
    row = [[0, "u"], [0, "n"], [0, "running"], [0, 1], [0, 2], [0, False]]
    stopped = [[0, "u"], [0, "n"], [0, "ADMIN_down"], [3, None], [3, None], [0, False]]
    names = INSTANCE_LIVE_FIELDS
    value = {"fields": [{"name": each, "kind": "text"} for each in names], "data": [row] * 5400 + [stopped] * 600}
    result = QueryResult.parse(value, names)
    assert len(result) == 6000
    assert len(result.odd_states) == 600
    assert result.rows[-1] == ("u", "n", "ADMIN_down", None, None, False)
    assert len(InstanceLive.parse_query(result)) == 6000
