"""The browser of the tests."""

from __future__ import annotations

import shutil

#: of the same engine; the shell draws without a window and takes half of the time of the whole browser
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
LACKING = "Chromium is not installed (Debian: apt install chromium-headless-shell)."


def find_browser() -> str | None:
    """Where the first of the programs is that this machine has."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
