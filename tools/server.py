"""A Debian 12 that boots beside this one, in namespaces of its own, to deploy to: a server as bare as it comes.

Its root is made once (`BASE`); each server writes into a layer of its own above that. It reaches nothing but this
machine, and Debian's packages that a deployment installs lie in its package cache.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("systemd-container", "debootstrap", "openssh-client", "iproute2")
_BARE = "systemd,systemd-sysv,dbus,openssh-server,ca-certificates,iproute2"
_CACHED = "python3 python3-venv python3-ldap nginx-light openssl postgresql redis-server sudo"
_MADE_OF = hashlib.sha256(f"{_BARE} {_CACHED}".encode()).hexdigest()[:8]
BASE = Path(f"/var/tmp/gwm-bare-debian-12-{_MADE_OF}")  # noqa: S108 (kept between runs, and of root alone)
_SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d/debian.sources"))
_PATIENCE_S = 120.0
#: begins a program in the control groups that are named
_JOIN = 'for group in $1; do echo $$ > "$group/cgroup.procs"; done; shift; exec "$@"'


class ServerError(Exception):
    """It could not be made or did not boot; the text says why."""


def missing_for_servers() -> str:
    """What keeps this machine from having such servers; empty: nothing."""
    if os.geteuid() != 0:
        return "It takes root."
    lacking = [name for name in ("systemd-nspawn", "debootstrap", "ssh-keygen") if shutil.which(name) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed (Debian: apt install {' '.join(PACKAGES)})."
    return "" if Path("/etc/debian_version").is_file() else "This is no Debian."


@dataclass(frozen=True)
class Server:
    """One that has booted. `key` signs root in, and `known_hosts` has its own key."""

    address: str
    name: str
    key: Path
    known_hosts: Path

    def run(self, command: str, said: str = "") -> str:
        """What a shell command prints there, which hears what is said. Raises ServerError when it fails."""
        done = self._ssh(command, said)
        if done.returncode:
            raise ServerError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def answers(self) -> bool:
        """Whether one can sign in."""
        return self._ssh("true").returncode == 0

    @contextmanager
    def led_to(self, port: int) -> Iterator[None]:
        """Whoever connects to a port of its own loopback speaks to the same one of this machine. Raises ServerError."""
        leads = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", f"127.0.0.1:{port}:127.0.0.1:{port}"]
        process = subprocess.Popen(self._words(*leads), stdin=subprocess.DEVNULL)
        try:
            until = time.monotonic() + _PATIENCE_S
            while not self.run(f"ss -Hltn sport = :{port}"):
                if process.poll() is not None or time.monotonic() > until:
                    raise ServerError(f"{self.name} can't be led to port {port}.")
                time.sleep(0.2)
            yield
        finally:
            process.terminate()
            process.wait()

    def _ssh(self, command: str, said: str = "") -> subprocess.CompletedProcess[str]:
        words = [*self._words(), command]
        return subprocess.run(words, input=said, capture_output=True, text=True, check=False)

    def _words(self, *more: str) -> list[str]:
        options = ["-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
        return ["ssh", "-i", str(self.key), *options, *more, f"root@{self.address}"]


def mirror_in(sources: str) -> str:
    """Where files of apt have Debian itself from, and not what mends its security."""
    found = re.search(r"^(?:URIs:|deb(?: \[.*?\])?) *(http\S+?/debian/?)(?:\s|$)", sources, re.MULTILINE)
    return found[1] if found else "http://deb.debian.org/debian"


def make_base() -> Path:
    """The root that servers stand on: made once, from Debian's packages. Raises ServerError."""
    if (BASE / "complete").exists():
        return BASE / "root"
    shutil.rmtree(BASE, ignore_errors=True)
    BASE.mkdir(mode=0o700)
    root = BASE / "root"
    # Whatever this machine has Debian's packages from has those of the server too, if it is as old a Debian.
    sources = [path for path in _SOURCES if path.is_file() and "bookworm" in path.read_text()]
    mirror = mirror_in("\n".join(path.read_text() for path in sources))
    _call("debootstrap", "--variant=minbase", f"--include={_BARE}", "bookworm", str(root), mirror)
    if sources:
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
    for path in sources:
        shutil.copy(path, root / path.relative_to("/"))
    install = f"apt-get install -y -qq --no-install-recommends --download-only {_CACHED}"
    _call("chroot", str(root), "sh", "-c", f"apt-get update -qq && {install}")
    (BASE / "complete").touch()
    return root


@contextmanager
def booted_server(name: str = "gwm1.example.org", network: int = 77) -> Iterator[Server]:
    """A server that has booted, taken away again in the end. Raises ServerError."""
    base = make_base()
    short = name.partition(".")[0]
    with tempfile.TemporaryDirectory(prefix="gwm-server-", dir="/var/tmp") as made:
        folder = Path(made)
        root = folder / "root"
        for each in ("root", "upper", "work"):
            (folder / each).mkdir()
        layers = f"lowerdir={base},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        _call("mount", "-t", "overlay", "overlay", "-o", layers, str(root))
        try:
            server = _prepare(folder, name, f"10.99.{network}")
            with (folder / "console.log").open("wb") as console:
                options = ["--register=no", "--keep-unit", "--boot", "--network-veth", "--console=read-only"]
                nspawn = ["systemd-nspawn", "--quiet", "-D", str(root), "-M", short, *options]
                groups = _make_groups(short)
                words = ["sh", "-c", _JOIN, "sh", " ".join(map(str, groups)), *nspawn]
                process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
                try:
                    _wait(server, short, f"10.99.{network}.1/30", process, folder / "console.log")
                    yield server
                finally:
                    _end(process)
                    _remove_groups(groups)
        finally:
            _call("umount", "--lazy", str(root))


def _make_groups(short: str) -> list[Path]:
    """Control groups for one server alone: two in one group would take each other's processes for their own, and end
    none of a unit of which only some are left. Where none can be made, one server at a time is well all the same."""
    made = list[Path]()
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, names, path = line.split(":", 2)
        for root in {"name=systemd": ("systemd",), "": ("unified", ".")}.get(names, ()):
            above = Path("/sys/fs/cgroup", root, path.lstrip("/"))
            if (above / "cgroup.procs").exists():
                with suppress(OSError):
                    (above / f"gwm-server-{short}").mkdir(exist_ok=True)
                    made.append(above / f"gwm-server-{short}")
    return made


def _remove_groups(groups: list[Path]) -> None:
    for group in groups:
        with suppress(OSError):  # something is ending there yet; who comes next with the name takes it over
            for each in sorted(group.rglob("*/"), key=lambda path: len(path.parts), reverse=True):
                each.rmdir()
            group.rmdir()


def _prepare(folder: Path, name: str, network: str) -> Server:
    root = folder / "root"
    for key in ("key", "host"):
        _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key))
    for old in (root / "etc/ssh").glob("ssh_host_*"):
        old.unlink()
    shutil.copy(folder / "host", root / "etc/ssh/ssh_host_ed25519_key")
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    shutil.copy(folder / "key.pub", root / "root/.ssh/authorized_keys")
    (root / "etc/hostname").write_text(f"{name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name} {name.partition('.')[0]}\n")
    (root / "etc/machine-id").write_text("")
    at = f"[Match]\nName=host0\n[Network]\nAddress={network}.2/30\n"
    at += f"[Route]\nDestination=10.99.0.0/16\nGateway={network}.1\n"  # other servers beside it
    (root / "etc/systemd/network/10-host0.network").write_text(at)
    _call("chroot", str(root), "systemctl", "--quiet", "enable", "systemd-networkd", "ssh")
    address = f"{network}.2"
    kind, key = (folder / "host.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"{address} {kind} {key}\n")
    return Server(address, name, folder / "key", folder / "known_hosts")


def _wait(server: Server, short: str, own: str, process: subprocess.Popen[bytes], console: Path) -> None:
    """Until one can sign in."""
    interface, until = f"ve-{short}", time.monotonic() + _PATIENCE_S
    is_up = False
    while time.monotonic() < until and process.poll() is None:
        if not is_up and Path(f"/sys/class/net/{interface}").exists():
            _call("ip", "address", "add", own, "dev", interface)
            _call("ip", "link", "set", interface, "up")
            Path(f"/proc/sys/net/ipv4/conf/{interface}/forwarding").write_text("1")  # to other servers
            is_up = True
        if is_up and server.answers():
            return
        time.sleep(0.3)
    raise ServerError(f"{server.name} did not boot: {console.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)  # has it shut down
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _call(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"{' '.join(words[:3])} … failed: {(done.stderr or done.stdout)[-2000:]}")


if __name__ == "__main__":
    with booted_server() as there:
        print(f"ssh -i {there.key} -o UserKnownHostsFile={there.known_hosts} root@{there.address}   (ends with Ctrl-C)")
        with suppress(KeyboardInterrupt):
            signal.pause()
