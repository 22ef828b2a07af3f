"""What a child of the supervisor does when it is loaded."""

import gc
import os

import pytest

from gwm.processes.ready import READY_FD, tell_ready


def test_it_says_so_once_and_leaves_what_is_loaded_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setenv(READY_FD, str(writing))
    try:
        tell_ready()
        assert os.read(reading, 100) == b"ready\n"
        assert gc.get_freeze_count() > 1000
        tell_ready()
        assert os.read(reading, 100) == b"", "the pipe is closed, and nothing more was said"
    finally:
        os.close(reading)
        gc.unfreeze()
