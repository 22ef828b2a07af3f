"""Whatever comes over the wire: each call ends in time, within its memory, and in an error that tells the truth."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rapi.errors import TimedOut
from rapi.parsing import MAX_PARSED_BYTES, parsed_bytes
from tests.fixtures.databases import some_in_fast
from tests.rapi.edge import Edge, Identity, raw
from tests.rapi.hostile import FAULTS, MIB

pytestmark = pytest.mark.feature("G046")

#: above what the process has at rest, with answers of 8 MiB at most
MAX_GROWTH_MIB = 300
#: The time-out where one is to end the call, and where nothing but what is sent may: how busy the machine is decides
#: neither. A call that would not end is waited for in vain.
SOON_S, NEVER_S = 0.7, 600.0
PATIENCE_S = 120

Call = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def call(identity: Identity) -> Iterator[Call]:
    """Have another process call a server; its memory is what is measured."""
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-m", "tests.rapi.victim", identity.fingerprint]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdin is not None and victim.stdout is not None

        def ask(edge: Edge, changes: bool, **limits: Any) -> dict[str, Any]:
            asked = {"port": edge.port, "changes": changes, "limits": limits}
            print(json.dumps(asked), file=victim.stdin, flush=True)
            ready, _, _ = select.select([victim.stdout], [], [], PATIENCE_S)
            assert ready, "the call does not end"
            line = victim.stdout.readline() if victim.stdout else ""
            assert line, "the process died"
            found: dict[str, Any] = json.loads(line)
            return found

        yield ask
        victim.kill()


@pytest.mark.parametrize("changes", [False, True], ids=["read", "change"])
@pytest.mark.parametrize("name", some_in_fast(FAULTS, 12))
def test_every_fault_ends_in_time_and_memory_and_in_the_right_words(
    edge: Edge, call: Call, name: str, changes: bool
) -> None:
    fault = FAULTS[name]
    edge.usual = fault.behaviour
    found = call(edge, changes, read_timeout_s=SOON_S if TimedOut in fault.kinds else NEVER_S)
    assert found["kind"] in {each.kind for each in fault.kinds}, found
    assert found["may_have_run"] is changes
    assert found["growth"] < MAX_GROWTH_MIB
    # a read that was cut is sent once more, a change never is
    assert len(edge.requests) == (2 if found["kind"] == "unreachable" and not changes else 1)


THAT_UNFOLD = (b'{"":0},', b"[],", b"{},", b"1,", b'{"a":[{}]},', b"1e9,")


@pytest.mark.long
@pytest.mark.parametrize("piece", THAT_UNFOLD)
def test_an_answer_that_would_unfold_beyond_all_measure_is_not_parsed(edge: Edge, call: Call, piece: bytes) -> None:
    edge.usual = raw(b"[" + piece * (40 * MIB // len(piece)) + b"0]")
    found = call(edge, False, max_answer_bytes=64 * MIB, read_timeout_s=NEVER_S)
    assert found["kind"] == "garbled", found
    assert "memory" in found["words"]
    assert found["growth"] < MAX_GROWTH_MIB


@pytest.mark.long
@pytest.mark.parametrize("piece", [b"[],", b"{},", b'{"":0},', b"1,", b'"\\ud83d\\ude00ab",', b'{"a":[{}]},', b"1e9,"])
def test_what_is_just_not_too_much_stays_within_the_memory_it_was_counted_as(
    edge: Edge, call: Call, piece: bytes
) -> None:
    raw_body = largest_that_passes(piece)
    edge.usual = raw(raw_body)
    found = call(edge, False, max_answer_bytes=64 * MIB, read_timeout_s=NEVER_S)
    assert found["words"] == "A cluster is not an object.", found  # so it was parsed
    assert found["growth"] < MAX_PARSED_BYTES // MIB + 64 + 200


def largest_that_passes(piece: bytes) -> bytes:
    """As many of these as the client takes, to within some thousand."""
    fits, fails = 0, 60 * MIB // len(piece)
    while fails - fits > 10_000:
        count = (fits + fails) // 2
        if parsed_bytes(b"[" + piece * count + b"0]") > MAX_PARSED_BYTES:
            fails = count
        else:
            fits = count
    return b"[" + piece * fits + b"0]"
