"""`fab dev deploy`: what `./run` does before it starts, in place, for those who are used to it.

A selector (`dev`) says where, the verb says what. Needs nothing but Fabric to begin with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from invoke import Context, Exit, task

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Place:
    """Where to deploy to."""

    name: str
    directory: Path


_chosen: list[Place] = []


@task
def dev(c: Context) -> None:
    """Choose this very directory."""
    _chosen.append(Place("development", HERE))


@task
def deploy(c: Context) -> None:
    """Make the virtual environment, install packages, generate secrets, bring the database up to date."""
    if not _chosen:
        raise Exit("Say where first: fab dev deploy")
    for place in _chosen:
        with c.cd(str(place.directory)):
            c.run(f"{quote(str(place.directory / 'run'))} manage prepare")
        print(f"The {place.name} installation in {place.directory} is ready: ./run starts it, ./run test tests it.")
