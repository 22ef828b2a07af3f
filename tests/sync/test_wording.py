"""What jobs are called: a title names what the job is about, or does without, but never shows a gap or a uuid."""

import re

import pytest

from clusters.sync.wording import _TITLES, title_of
from rapi.shapes.job import JobInfo, Opcode

GROUP = "6f6a1f02-2f57-4b0a-8a62-2a7a4d2b1a55"
UNKNOWN = "00000000-2f57-4b0a-8a62-2a7a4d2b1a55"

_GAP = re.compile(r"[?{}]|None|[0-9a-f]{8}-|  |\s$| (of|on|to|from|off|of group|to group|off node)$")


def job(name: str, summary: str = "", /, **params: object) -> JobInfo:
    """A job of one step."""
    step = Opcode(name, "queued", summary or name, params, (), None, None, None, (), None)
    return JobInfo(7, "queued", (step,), (step.summary,), None, None, None, None)


@pytest.mark.parametrize("params", [{}, {"name": None, "instances": []}, {"group_name": UNKNOWN, "node_name": UNKNOWN}])
def test_no_title_has_a_gap_or_a_uuid(params):
    titles = [
        title_of(job(name, f"{name}({UNKNOWN})" if params else "", **params), {GROUP: "default"})
        for name in [*_TITLES, "SOMETHING_NEW"]
    ]
    assert [title for title in titles if _GAP.search(title)] == []


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (job("INSTANCE_STARTUP", instance_name="web1"), "Start web1"),
        (job("INSTANCE_STARTUP", instance_name="web1", dry_run=True), "Check: Start web1"),
        (job("INSTANCE_STARTUP", instance_name="web1", dry_run=False), "Start web1"),
        (job("INSTANCE_STARTUP", "INSTANCE_STARTUP(web1)"), "Start web1"),
        (job("CLUSTER_VERIFY_GROUP", group_name=GROUP), "Verify node group default"),
        (job("CLUSTER_VERIFY_GROUP", f"CLUSTER_VERIFY_GROUP({GROUP})"), "Verify node group default"),
        (job("CLUSTER_VERIFY_GROUP", group_name=UNKNOWN), "Verify node group"),
        (job("INSTANCE_QUERY_DATA"), "Inspect all machines"),
        (job("INSTANCE_QUERY_DATA", instances=["a"]), "Inspect a"),
        (job("INSTANCE_QUERY_DATA", instances=["a", "b", "c"]), "Inspect a and 2 more"),
        (job("TAGS_SET", kind="cluster", name=None), "Set tags on the cluster"),
        (job("TAGS_SET", kind="instance", name="web1"), "Set tags on web1"),
        (job("TAGS_DEL", kind="node"), "Remove tags from a node"),
        (job("OOB_COMMAND", node_names=["n1", "n2"]), "Out-of-band command on n1 and 1 more"),
        (job("NODE_REMOVE"), "Remove node"),
    ],
)
def test_titles(given, title):
    assert title_of(given, {GROUP: "default"}) == title
