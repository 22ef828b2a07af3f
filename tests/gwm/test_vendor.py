"""Vendored files are what they were when they were reviewed, and each brings its licence."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTS = [ROOT / "static/vendor/vendor.json", ROOT / "tests/browser/vendor/vendor.json"]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_vendored_files_are_as_listed(path):
    packages = json.loads(path.read_text())
    for package in packages:
        assert {"name", "version", "licence", "source", "files"} <= package.keys()
        assert any("LICENSE" in name or "LICENCE" in name for name in package["files"]), package["name"]
        for name, digest in package["files"].items():
            assert hashlib.sha256((path.parent / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("path", LISTS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_every_vendored_file_is_listed(path):
    listed = {name for package in json.loads(path.read_text()) for name in package["files"]}
    present = {str(file.relative_to(path.parent)) for file in path.parent.rglob("*") if file.is_file() and file != path}
    assert present == listed
