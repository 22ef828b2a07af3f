"""A SQLite database as the migrations make it: made once in a run of the tests, for all its processes, and copied."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.processes.commands import ROOT, environment_of

#: names the folder in which the processes of a run share it
SHARED = "GWM_TEST_MIGRATED"


def pytest_configure(config: pytest.Config) -> None:
    """Make room for it, in the first process of a run."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="gwm-migrated-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(SHARED)))


def copy_migrated(to: Path) -> None:
    """Copy it to this file. Who comes first makes it, and others wait."""
    folder = Path(os.environ[SHARED])
    made = folder / "gwm.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            command = [sys.executable, "manage.py", "migrate", "-v0"]
            with tempfile.TemporaryDirectory(dir=folder) as making:
                subprocess.run(command, cwd=ROOT, env=environment_of(Path(making)), check=True)
                (Path(making) / made.name).rename(made)
    shutil.copyfile(made, to)
