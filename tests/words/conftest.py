"""What the tests of words share."""

from __future__ import annotations

import shutil

import polib
import pytest

from tools.catalogues import extract


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> tuple[polib.POFile, str]:
    """The sentences of the source, and what makemessages said meanwhile."""
    assert shutil.which("xgettext"), "Install gettext (the package of this name)."
    return extract(tmp_path_factory.mktemp("source"))
