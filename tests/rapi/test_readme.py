"""What the README of the client shows works as it stands there."""

import re
from pathlib import Path

import pytest

from simulator import Simulator

README = Path(__file__).resolve().parents[2] / "rapi" / "README.md"


def test_the_example_runs(simulator: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    simulator.outside.stop("vm1.example.org")
    [example] = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    example = example.replace('Endpoint("ganeti.example.org")', f"Endpoint({simulator.host!r}, {simulator.port})")
    example = example.replace('"ganeti.example.org", 5080', f"{simulator.host!r}, {simulator.port}")
    told = {"gwm": simulator.username, "…": simulator.password, "web1.example.org": "vm1.example.org"}
    for shown, real in told.items():
        example = example.replace(f'"{shown}"', repr(real))
    exec(compile(example, str(README), "exec"), {})  # noqa: S102
    name, status = capsys.readouterr().out.split()
    assert name == simulator.cluster.name
    assert status in ("queued", "waiting", "running", "success")
