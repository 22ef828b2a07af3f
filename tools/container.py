"""The image of deploy/container, built without an engine and without a registry, and what runs in it started.

buildah builds it in a chroot, from an image made of the bare Debian that tools/server.py keeps. Its parts are started
by systemd-nspawn, as the image and the compose files say (tools/compose.py), and as an engine would.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tools.compose import Service
from tools.server import make_base, missing_for_servers

ROOT = Path(__file__).resolve().parent.parent
IMAGE = "localhost/ganeti-web-manager"
_DEBIAN = "docker.io/library/debian:12"
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_PATIENCE_S = 300.0
_NUMBERS = count(1)


class ContainerError(Exception):
    """It could not be built; the text says why."""


def missing_for_containers() -> str:
    """What keeps this machine from it; empty: nothing."""
    if lacking := missing_for_servers():
        return lacking
    return "" if shutil.which("buildah") else "buildah not installed (Debian: apt install buildah)."


@dataclass(frozen=True)
class Image:
    """One that was built: its root, and what it says about how it is run."""

    root: Path
    user: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    health: tuple[str, ...]
    folder: str


@dataclass
class Running:
    """Something that was started in it."""

    process: subprocess.Popen[bytes]
    log: Path
    grace_s: float

    def text(self) -> str:
        """What it has said so far."""
        return self.log.read_text(errors="replace")

    def wait(self) -> int:
        """Its exit code, when it ends by itself."""
        return self.process.wait(_PATIENCE_S)

    def kill(self) -> None:
        """End all of it at once, as a power cut does."""
        self._signal(signal.SIGKILL)
        self.process.wait(_PATIENCE_S)

    def stop(self) -> int:
        """Ask it to end as an engine does, by TERM to its first process, which has its time for it; its exit code."""
        self._signal(signal.SIGTERM)
        try:
            return self.process.wait(self.grace_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def _signal(self, number: signal.Signals) -> None:
        """To its first process, with which all others end: not to what has started it, which would leave them."""
        outside = self.process.pid
        for child in Path(f"/proc/{outside}/task/{outside}/children").read_text().split():
            os.kill(int(child), number)


@dataclass
class Builder:
    """buildah with a storage of its own."""

    storage: Path

    def call(self, *words: str) -> str:
        """Its answer. Raises ContainerError."""
        # Layers over each other, as in tools/server.py: whole copies of each step take minutes to make and to undo.
        places = ["--storage-driver", "overlay", "--root", str(self.storage / "root")]
        places += ["--runroot", str(self.storage / "run")]
        done = subprocess.run(["buildah", *places, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ContainerError(f"buildah {words[0]} failed: {(done.stderr or done.stdout)[-3000:]}")
        return done.stdout.strip()


@contextmanager
def built_image() -> Iterator[Image]:
    """The image, from the files as they are in this checkout; taken away again in the end. Raises ContainerError."""
    base = make_base()
    with tempfile.TemporaryDirectory(prefix="gwm-container-", dir="/var/tmp") as made:
        builder = Builder(Path(made))
        blank = builder.call("from", "scratch")
        _copy(base, Path(builder.call("mount", blank)))
        builder.call("umount", blank)
        builder.call("commit", "--quiet", "--rm", blank, _DEBIAN)
        own = ["--volume", f"{_AUTHORITIES}:/run/authorities.pem:ro", "--build-arg", "PIP_CERT=/run/authorities.pem"]
        file = ROOT / "deploy" / "container" / "Containerfile"
        words = ["--isolation", "chroot", "--pull=never", "--format", "docker", "--file", str(file), "--tag", IMAGE]
        builder.call("bud", *words, *own, str(ROOT))
        container = builder.call("from", "--pull=never", IMAGE)
        about = json.loads(builder.call("inspect", "--type", "image", IMAGE))["Docker"]["config"]
        root = Path(builder.call("mount", container))
        try:
            yield Image(
                root,
                about["User"],
                tuple(about["Cmd"]),
                dict(each.split("=", 1) for each in about["Env"]),
                tuple(about["Healthcheck"]["Test"][1:]),
                about["WorkingDir"],
            )
        finally:
            builder.call("umount", container)


def _copy(base: Path, root: Path) -> None:
    """All but what lies in its cache for servers, which is more than all the rest. Raises ContainerError."""
    pack = ["tar", "-C", str(base), "--exclude=./var/cache/apt/*", "--create", "."]
    with subprocess.Popen(pack, stdout=subprocess.PIPE) as packed:
        unpack = ["tar", "-C", str(root), "--extract", "--preserve-permissions", "--same-owner"]
        done = subprocess.run(unpack, stdin=packed.stdout, capture_output=True, text=True, check=False)
    if done.returncode or packed.returncode:
        raise ContainerError(f"{base} could not be copied: {done.stderr[-2000:]}")


@contextmanager
def started(
    image: Image,
    service: Service,
    data: Path,
    command: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """A service of a compose file, or a command beside it, with `data` as its volume; ended in the end.

    `environment` is what is otherwise here than in a network of containers.
    """
    given = {**image.environment, **service.environment, **(environment or {})}
    number = next(_NUMBERS)
    words = [
        *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe", f"--user={image.user}"),
        *("--directory", str(image.root), f"--machine=gwm-{os.getpid()}-{number}", f"--chdir={image.folder}"),
        f"--hostname={service.hostname or service.name}",
        *(f"--bind={data}:{place}" for place in service.volumes),
        *service.confined_by,
        *(f"--setenv={key}={value}" for key, value in given.items()),
    ]
    log = data.with_name(f"{data.name}-{number}.log")
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*words, "--", *(command or service.command or image.command)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    running = Running(process, log, service.grace_s)
    try:
        yield running
    finally:
        if process.poll() is None:
            running.stop()
