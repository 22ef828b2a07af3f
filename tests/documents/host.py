"""A host that is a folder: what documents do as root of a server, with its files below the folder."""

from __future__ import annotations

import fnmatch
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from fabric import Connection
from fabric.main import make_program

from tests.documents.reading import ROOT
from tests.servers import find_program
from tools.lab.prerequisites import PACKAGES as OF_LAB

UNITS = ROOT / "deploy" / "systemd"
_CODE = "/opt/ganeti-web-manager"
_FOLDERS = ("/etc/systemd/system", "/usr/local/sbin", "/var/lib/ganeti-web-manager", "/var/www/html", _CODE)
_PATHS = re.compile(r"(?<![\w./@-])(/[\w./*@-]+)")


class Connecting(Exception):
    """To whom."""


def connect(words: list[str]) -> str:
    """Which server a task of fab would sign in to; it ends there."""

    def say(connection: Connection) -> None:
        raise Connecting(f"{connection.user}@{connection.host}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "open", say)
        patch.setenv("GWM_BACKUP_PASSPHRASE", "a passphrase of documents")
        try:
            make_program().run(["fab", "--search-root", str(ROOT), *words], exit=False)
        except Connecting as connecting:
            return str(connecting)
    raise AssertionError(f"fab {' '.join(words)} connects to nobody")


class Host:
    """Runs the commands of a server's administrator there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in _FOLDERS:
            self.at(name).mkdir(parents=True)
        self.at("/etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        self.at("/etc/group").write_text("root:x:0:\n")
        (folder / "theme").mkdir()
        # what a checkout has
        shutil.copytree(ROOT / "deploy", self.at(_CODE) / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "run", self.at(_CODE))
        self.at(_CODE).joinpath("current").symlink_to(".")

    def at(self, path: str) -> Path:
        """Where a path of the host is."""
        return self.folder / path.lstrip("/")

    def run(self, words: list[str], text: str) -> str:
        """One command. Raises AssertionError when it could not end well there, or nobody knows how it is tried."""
        runners = {
            "apt": self._install_packages,
            "apt-get": self._install_packages,
            ".venv/bin/pip": self._install_wheels,
            "systemctl": self._begin_units,
            "certbot": self._have_certificate,
            "git": self._clone,
            "useradd": self._add_user,
            "scp": self._carry_over,
            "ssh": self._sign_in,
        }
        if words[0] in runners:
            return runners[words[0]](words)
        assert words[0] in ("cp", "install", "chmod", "printf"), f"nobody knows how to try {words[0]}"
        return self._sh(text)

    def _sh(self, text: str) -> str:
        there = _PATHS.sub(lambda found: f"{self.folder}{found[1]}", text)
        done = subprocess.run(
            ["sh", "-euc", there], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _install_packages(self, words: list[str]) -> str:
        """By their names: these are installed where all tests run."""
        installed = set(re.findall(r"[\w.+-]+", (ROOT / ".ci/run").read_text("utf-8").partition("\n)\n")[0]))
        asked = [word for word in words[1:] if not word.startswith("-")]
        assert asked[0] == "install" and set(asked[1:]) <= installed | set(OF_LAB.split()), asked
        return ""

    def _install_wheels(self, words: list[str]) -> str:
        """The list is there with its hashes; `./run test` installs it in this way."""
        assert words[1:4] == ["install", "--require-hashes", "-r"] and "--hash=" in (ROOT / words[4]).read_text("utf-8")
        assert f'install "$here/{words[4]}"' in (ROOT / "run").read_text("utf-8"), words[4]
        return ""

    def _begin_units(self, words: list[str]) -> str:
        """They are among ours; what is to begin at boot is there by now, and says with what it begins."""
        names = [path.name for path in UNITS.iterdir()]
        if words[1:] == ["daemon-reload"]:
            return ""
        for word in (word for word in words[2:] if not word.startswith("-")):
            unit = re.sub(r"@.+", "@", word) if "." not in word else word
            found = fnmatch.filter(names, unit if "." in unit else f"{unit}.service")
            assert found, f"{word} is none of {names}"
            if words[1] == "enable":
                there = self.at("/etc/systemd/system") / found[0]
                assert there.is_file(), f"{found[0]} was not put there before"
                assert "[Install]" in there.read_text("utf-8"), f"{found[0]} can't be enabled"
        assert words[1] in ("enable", "start", "stop", "restart"), words
        return ""

    def _have_certificate(self, words: list[str]) -> str:
        """The hook was put there before, and the site shows what is written into this folder."""
        hook = self.at(words[words.index("--deploy-hook") + 1])
        assert hook.read_bytes() == (ROOT / "deploy/acme/install-certificate").read_bytes()
        assert hook.stat().st_mode & 0o777 == 0o755
        shown = words[words.index("-w") + 1]
        for site in ("nginx/ganeti-web-manager", "apache/ganeti-web-manager.conf"):
            assert shown in (ROOT / "deploy" / site).read_text("utf-8"), site
        return ""

    def _clone(self, words: list[str]) -> str:
        """What is cloned is in the folder by then."""
        assert words[1] == "clone" and words[2] in ("URL", "…/ganeti-web-manager"), words
        assert not words[3:] or self.at(words[3]).is_dir() or words[3:5] == ["&&", "cd"], words
        return ""

    def _add_user(self, words: list[str]) -> str:
        """With files of users of its own."""
        program = find_program("useradd")
        assert program is not None
        there = [*words[1:]]
        there.remove("--create-home")  # it is in the folder
        done = subprocess.run(
            [program, "--prefix", str(self.folder), *there], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _carry_over(self, words: list[str]) -> str:
        there = words[3].partition(":")[2]
        return self._sh(shlex.join(["cp", "-r", *words[2:3], there]))

    def _sign_in(self, words: list[str]) -> str:
        assert words[1].startswith("root@") and len(words) == 3, words
        return self.run(shlex.split(words[2]), words[2])
