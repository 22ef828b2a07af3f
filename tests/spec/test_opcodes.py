"""Every request is one that Ganeti's own definitions of its opcodes take, as far as types go."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.machines import HYPERVISORS, TEMPLATES, backend, machines
from tests.spec.test_difference import DEFAULTS, edits
from virtualmachines.spec import DiskSpec, NicSpec, Options, Source, VMSpec, creation_of, difference, requests_for

# Ganeti's Python, not ours. Each line is an opcode and its parameters; each answer says what is wrong, or null.
_JUDGE = """
import json, sys
sys.path.insert(0, "/usr/share/ganeti/default")
from ganeti import errors, opcodes, serializer
for line in sys.stdin:
    name, parameters = json.loads(line)
    for secret in {"osparams_private", "osparams_secret"} & parameters.keys():  # as RAPI does
        parameters[secret] = serializer.PrivateDict(parameters[secret])
    try:
        opcodes.OP_MAPPING[name](**parameters).Validate(True)
        answer = None
    except (errors.GenericError, AttributeError, TypeError) as error:
        answer = str(error)
    print(json.dumps(answer), flush=True)
"""
_RENAMED = {"name": "instance_name", "os": "os_type"}
pytestmark = pytest.mark.program("gnt-instance", "ganeti")
Judge = Callable[[str, dict[str, Any]], str | None]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with subprocess.Popen(
        ["/usr/bin/python3", "-c", _JUDGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        questions, answers = process.stdin, process.stdout

        def ask(opcode: str, parameters: dict[str, Any]) -> str | None:
            questions.write(json.dumps([opcode, parameters]) + "\n")
            questions.flush()
            answer: str | None = json.loads(answers.readline())
            return answer

        yield ask
        questions.close()


def parameters_of(spec: VMSpec) -> dict[str, Any]:
    """As RAPI renames them."""
    return {_RENAMED.get(name, name): value for name, value in creation_of(spec, DEFAULTS).body().items()}


@settings(deadline=None)
@given(spec=machines(hypervisors=HYPERVISORS, templates=TEMPLATES), parameters=backend)
def test_creations(judge: Judge, spec: VMSpec, parameters: dict[str, Any]) -> None:
    assert judge("OP_INSTANCE_CREATE", parameters_of(replace(spec, beparams=parameters))) is None


def test_a_creation_with_everything(judge: Judge) -> None:
    switches = ("no_install", "name_check", "ip_check", "ignore_ipolicy", "opportunistic_locking", "force_variant",
                "identify_defaults", "forthcoming", "commit", "instance_communication")  # fmt: skip
    spec = VMSpec(
        "a.example.org", "noop", "kvm", "ext",
        disks=(DiskSpec(16, "n", "ro", 2, "v", "m", "userspace", "a", "p", {"tier": "fast"}),),
        nics=(NicSpec("auto", "192.0.2.1", "routed", "t", "10", name="n"), NicSpec(ip="pool", network="lan")),
        osparams={"a": "b"}, osparams_private={"c": "d"}, osparams_secret={"e": "f"}, tags=frozenset({"x"}),
        source=Source("node3", "/export", "gzip"),
        options=Options(file_driver="loop", file_storage_dir="sub", **dict.fromkeys(switches, True)),  # type: ignore[arg-type]
    )  # fmt: skip
    assert judge("OP_INSTANCE_CREATE", parameters_of(spec)) is None


@settings(deadline=None)
@given(spec=machines(), data=st.data())
def test_edits(judge: Judge, spec: VMSpec, data: st.DataObject) -> None:
    before = spec.trimmed(DEFAULTS)
    before = replace(
        before,
        disks=tuple(replace(disk, uuid=f"d{index}") for index, disk in enumerate(before.disks)),
        nics=tuple(replace(nic, uuid=f"n{index}") for index, nic in enumerate(before.nics)),
    )
    after = data.draw(edits(before))
    if before.os and not after.os:
        return
    requests = requests_for(difference(before, after, DEFAULTS))
    if requests.modify:
        wanted = {"instance_name": spec.name, **requests.modify.body()}
        assert judge("OP_INSTANCE_SET_PARAMS", wanted) is None
    for index, size in requests.grow:
        grown = {"instance_name": spec.name, "disk": index, "amount": size, "absolute": True}
        assert judge("OP_INSTANCE_GROW_DISK", grown) is None


@pytest.mark.parametrize(
    "wrong",
    [{"disks": "none"}, {"start": "yes"}, {"hypervisor": "vmware"}, {"unheard_of": 1}, {"nics": [{"speed": 1}]}],
)
def test_what_is_wrong_is_seen(judge: Judge, wrong: dict[str, Any]) -> None:
    assert judge("OP_INSTANCE_CREATE", parameters_of(VMSpec("a.example.org")) | wrong)
