"""Each process begins before the apps are loaded: nothing that it imports may need a model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gwm.processes

ROOT = Path(__file__).resolve().parents[2]
# Those that are run; what the web process imports later is not among them.
MODULES = sorted(
    path.stem for path in Path(gwm.processes.__path__[0]).glob("*.py") if '"__main__"' in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_a_process_is_there_before_the_apps_are(name: str, tmp_path: Path) -> None:
    assert "web" in MODULES
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "gwm.settings", "GWM_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", f"import gwm.processes.{name}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
