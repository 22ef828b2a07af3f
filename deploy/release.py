"""A release: one commit, and the packages it needs as wheels, so that the server needs nothing of the internet."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile

from packaging.markers import Marker

HERE = Path(__file__).resolve().parent.parent
# What wheels of Linux call the C library that Debian 12 and later have; pip wants each named.
_PLATFORMS = ("manylinux_2_36", "manylinux_2_34", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")


# A package, when it is wanted, and whether its hashes follow.
_NAMED = re.compile(r"([A-Za-z0-9][^ ;]*)(?: ; (.*?))?( \\)?")


class PackagesOf(StrEnum):
    """Which packages: those of every installation, or what LDAP takes beside them."""

    RELEASE = "requirements.txt"
    DIRECTORY = "requirements-ldap.txt"


# Without wheels; who installs them gets them of Debian.
_OF_DEBIAN = frozenset({"python-ldap"})


class ReleaseError(Exception):
    """It can't be made; the text says why."""


@dataclass(frozen=True)
class Release:
    """A commit of this repository."""

    commit: str
    root: Path = HERE

    @classmethod
    def of(cls, revision: str, root: Path = HERE) -> Release:
        """That of a revision. Raises ReleaseError."""
        return cls(_git(root, "rev-parse", "--verify", f"{revision}^{{commit}}"), root)

    @cached_property
    def name(self) -> str:
        """When the commit was made, and which it is: names stand in order of time, and the same one has one name."""
        stamp = _git(self.root, "show", "-s", "--format=%cd", "--date=format:%Y%m%d-%H%M%S", self.commit)
        return f"{stamp}-{self.commit[:12]}"

    def list_packages(self, which: PackagesOf = PackagesOf.RELEASE) -> str:
        """Their list, with their hashes."""
        text = _git(self.root, "show", f"{self.commit}:{which}")
        if which is PackagesOf.RELEASE:
            return text
        return packages_beside(text, names_in(self.list_packages()) | _OF_DEBIAN)

    def read(self, path: str) -> str:
        """A file of it."""
        return _git(self.root, "show", f"{self.commit}:{path}") + "\n"

    def pack(self) -> Path:
        """All its files, as a .tar.gz."""
        packed = self._kept / f"{self.name}.tar.gz"
        if not packed.exists():
            new = packed.with_suffix(".new")
            _git(self.root, "archive", "--format=tar.gz", f"--output={new}", self.commit)
            new.replace(packed)
        return packed

    def stamp_of_wheels(self, python: str, machine: str, which: PackagesOf = PackagesOf.RELEASE) -> str:
        """What the packages for a Python ("3.11.2") on a kind of machine ("x86_64") are told from others by."""
        return f"cp{python}-{machine}-{hashlib.sha256(self.list_packages(which).encode()).hexdigest()[:16]}"

    def pack_wheels(self, python: str, machine: str, which: PackagesOf = PackagesOf.RELEASE) -> Path:
        """The packages as wheels, as a .tar. Fetched once. Raises ReleaseError."""
        stamp = self.stamp_of_wheels(python, machine, which)
        packed, folder = self._kept / f"{stamp}.tar", self._kept / stamp
        if packed.exists():
            return packed
        folder.mkdir(exist_ok=True)
        with NamedTemporaryFile("w", suffix=".txt") as wanted:
            wanted.write(requirements_on(self.list_packages(which), python, machine))
            wanted.flush()
            options = [f"--platform={platform}_{machine}" for platform in _PLATFORMS]
            pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
            short = ".".join(python.split(".")[:2])
            told = ["--only-binary=:all:", "--implementation=cp", f"--python-version={short}", *options]
            _call(self.root, *pip, *told, "--require-hashes", "-r", wanted.name, "-d", str(folder))
        new = packed.with_suffix(".new")
        _call(self.root, "tar", "-C", str(folder), "-cf", str(new), ".")
        new.replace(packed)
        return packed

    @property
    def _kept(self) -> Path:
        kept = self.root / ".releases"
        kept.mkdir(parents=True, exist_ok=True)
        return kept


def requirements_on(text: str, python: str, machine: str) -> str:
    """The list without what a Linux with this Python leaves out: pip asks the Python that it runs on."""
    there = {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "sys_platform": "linux",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    kept, keeps = [], True
    for line in text.splitlines():
        named = _NAMED.fullmatch(line)
        if named is not None:
            keeps = named[2] is None or Marker(named[2]).evaluate(there)
        if keeps:
            kept.append(line if named is None else f"{named[1]}{named[3] or ''}")
    return "\n".join(kept) + "\n"


def names_in(text: str) -> frozenset[str]:
    """What the packages of a list are called."""
    named = (_NAMED.fullmatch(line) for line in text.splitlines())
    return frozenset(found[1].partition("==")[0] for found in named if found is not None)


def packages_beside(text: str, known: frozenset[str]) -> str:
    """The list without some packages."""
    kept, keeps = [], True
    for line in text.splitlines():
        named = _NAMED.fullmatch(line)
        if named is not None:
            keeps = named[1].partition("==")[0] not in known
        if keeps:
            kept.append(line)
    return "\n".join(kept) + "\n"


def is_changed(root: Path = HERE) -> bool:
    """Whether something here was not committed, and so is in no release."""
    return bool(_git(root, "status", "--porcelain", "--untracked-files=no"))


def _git(root: Path, *words: str) -> str:
    return _call(root, "git", *words)


def _call(root: Path, *words: str) -> str:
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{' '.join(words[:4])} … failed: {done.stderr.strip()[-2000:]}")
    return done.stdout.strip()
