"""Lines can be read side by side: `tools/lines.py`, which also is a gate before a commit."""

import pytest

from tools import lines


@pytest.mark.program("git", "git")
@pytest.mark.parametrize("kind", lines.KINDS)
def test_lines_can_be_read_side_by_side(kind: str) -> None:
    names = lines.list_names(kind)
    assert names
    assert lines.find_long(names) == []


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.html", f"short\n{'x' * 121}\n", ["a.html:2"]),
        ("a.html", "x" * 120, []),
        ("a.md", f"| {'x' * 121} |\n```\n{'x' * 121}\n```\n", []),
        ("a.md", f"```\n```\n{'x' * 121}", ["a.md:3"]),
    ],
)
def test_what_is_too_long_is_found(tmp_path, name, text, found):
    (tmp_path / name).write_text(text, "utf-8")
    assert lines.find_long([name], tmp_path) == found
