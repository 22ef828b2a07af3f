"""Servers to deploy to: where their packages come from. That they boot is tried by tests/deploy."""

import pytest

from tools.server import mirror_in


@pytest.mark.parametrize(
    ("sources", "mirror"),
    [
        ("", "http://deb.debian.org/debian"),
        ("# deb http://old/debian bookworm main\n", "http://deb.debian.org/debian"),
        ("deb http://mirror.example/debian-security bookworm-security main\n", "http://deb.debian.org/debian"),
        (
            "deb http://mirror.example/debian-security bookworm-security main\n"
            "deb http://mirror.example/debian bookworm main\n",
            "http://mirror.example/debian",
        ),
        (
            "deb [arch=amd64 trusted=yes] https://mirror.example/debian/ bookworm main\n",
            "https://mirror.example/debian/",
        ),
        ("Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n", "http://mirror.example/debian"),
    ],
)
def test_a_server_has_its_packages_from_where_this_machine_has_them(sources: str, mirror: str) -> None:
    assert mirror_in(sources) == mirror
