"""A process of its own that calls a hostile server: ``python -m tests.rapi.victim FINGERPRINT``.

Reads lines of JSON ({"port", "changes", "limits"}), answers each with what became of the call and how
much memory it took at most.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from rapi import RapiClient, Trust
from rapi.errors import RapiError

MAX_ANSWER_BYTES = 8 * 1024 * 1024
MAX_MEMORY_BYTES = 3 * 1024**3


def peak_mib() -> int:
    """The most memory this process had since the last time."""
    found = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(found.split()[1]) // 1024


def call(fingerprint: str, port: int, *, changes: bool, limits: dict[str, Any]) -> dict[str, Any]:
    """One call, and what it ended in."""
    outcome: dict[str, Any] = {"kind": "an answer", "may_have_run": None}
    with RapiClient(
        [("127.0.0.1", port)],
        trust=Trust.pinned(fingerprint),
        connect_timeout_s=5.0,
        **{"max_answer_bytes": MAX_ANSWER_BYTES, **limits},
    ) as client:
        try:
            client.startup_instance("web", reason="gwm:1") if changes else client.get_info()
        except RapiError as error:
            outcome = {"kind": error.kind, "may_have_run": error.may_have_run, "words": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever else comes is what the test looks for
            outcome["kind"] = repr(error)
    return {**outcome, "calls": client.calls}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    for line in sys.stdin:
        asked = json.loads(line)
        before = peak_mib()
        result = call(sys.argv[1], asked["port"], changes=asked["changes"], limits=asked["limits"])
        sys.stdout.write(json.dumps({**result, "growth": peak_mib() - before}) + "\n")
        sys.stdout.flush()
