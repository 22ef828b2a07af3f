"""`fab prod` as a person calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.server import Server


def clone(folder: Path, of: Path) -> Path:
    """A clone of a checkout, with its wheels."""
    subprocess.run(["git", "clone", "--quiet", str(of), str(folder)], check=True)
    (of / ".releases").mkdir(exist_ok=True)
    (folder / ".releases").symlink_to(of / ".releases")
    return folder


class Fab:
    """`fab prod` in a checkout, for a server."""

    def __init__(self, checkout: Path, server: Server) -> None:
        self.checkout, self.server = checkout, server

    def __call__(self, verb: str, *words: str, fails: bool = False, **where: str) -> str:
        """`where`: options that say who signs in where, in place of the usual ones."""
        done = subprocess.run(self._command(verb, *words, **where), capture_output=True, text=True, check=False)
        assert done.returncode == int(fails), done.stdout + done.stderr
        return done.stdout + done.stderr

    def begin(self, verb: str, *words: str) -> subprocess.Popen[str]:
        """One that goes on."""
        return subprocess.Popen(
            self._command(verb, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def _command(self, verb: str, *words: str, **where: str) -> list[str]:
        fab = [str(Path(sys.executable).with_name("fab")), "--search-root", str(self.checkout), "prod", verb]
        there = {"host": f"root@{self.server.address}", "key": str(self.server.key)}
        there |= {"known_hosts": str(self.server.known_hosts), **where}
        words = (*(f"--{name.replace('_', '-')}={value}" for name, value in there.items()), *words)
        return [*fab, *words]
