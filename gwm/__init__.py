"""The site: settings, frame, processes, and the pages that draw on every app."""

#: the release, as pyproject.toml and CHANGELOG.md say it (tests/architecture/test_release.py)
VERSION = "1.0.0a1"
