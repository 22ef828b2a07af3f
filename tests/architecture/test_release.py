"""What is said of the release in several files agrees, and the hooks before a commit are the gates."""

import re
import subprocess
import sys
import tomllib

from gwm import VERSION
from tests.up.running import ROOT
from tools.check import list_quick_gates

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_code_project_and_changelog_name_one_release() -> None:
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", CHANGELOG, re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert all(day for _, day in headings[1:])
    assert headings[1][0] == VERSION == PROJECT["version"]


def test_changes_stand_under_the_headings_of_keep_a_changelog() -> None:
    kinds = set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE))
    assert kinds and kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_command_tells_the_release() -> None:
    told = subprocess.run(
        [sys.executable, "manage.py", "version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith(f"Ganeti Web Manager {VERSION}, Django ")


def test_the_licence_is_the_one_that_is_named() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert PROJECT["license"] == "GPL-2.0-or-later"
    assert "GNU GENERAL PUBLIC LICENSE\n                       Version 2, June 1991" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_hooks_are_the_gates_that_look_at_the_sources() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert re.findall(r"^ +- repo: (.+)$", text, re.MULTILINE) == ["local"]
    names = re.findall(r"^ +name: \"?(.+?)\"?$", text, re.MULTILINE)
    words = re.findall(r"^ +entry: \./run test quick --only (\w+)$", text, re.MULTILINE)
    titles = [gate.title for gate in list_quick_gates()]
    assert names == titles
    assert [[title for title in titles if word.lower() in title.lower()] for word in words] == [
        [each] for each in titles
    ]
