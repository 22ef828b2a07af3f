"""Commands of the product as processes."""

from __future__ import annotations

import subprocess
import sys

from tests.operations.installation import ROOT

PATIENCE_S = 180.0


def start(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "manage.py", *words]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )


def manage(environment: dict[str, str], *words: str) -> str:
    with start(environment, *words) as process:
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    return said
