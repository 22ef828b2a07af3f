"""Started as a program of its own: makes a node's namespaces and root file system, then becomes its first process.

``python3 -I node_root.py MARK NODE JSON`` where MARK tells whose process this is (it stays visible in ``ps``) and JSON
holds ``root`` (an empty directory of this machine to mount on), ``shared`` (a directory that all nodes share) and
``files`` (path → [mode, text]) to write into the node's root.

The root is a tmpfs: this machine's /usr read-only, a copy of its /etc, and nothing else of it. An overlay on / would do
too, but its lower side changes under it on a living machine, it would show the nodes everything that lies on this
machine's disk, and it can't be had inside every container.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

TOP_DIRECTORIES = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kvm", "net/tun", "vhost-net")
# Writing here would reach the whole machine, not the node: Ganeti's powercycle does.
MASKED = ("proc/sysrq-trigger", "proc/sys/kernel/sysrq")
PORTS_FOR_ALL = "proc/sys/net/ipv4/ip_unprivileged_port_start"
INIT = "/run/lab/init.py"


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", "-n", *arguments], check=True)


def _bind_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    _mount("--bind", str(source), str(target))


def _lay_out_system(root: Path) -> None:
    (root / "usr").mkdir()
    _mount("--rbind", "/usr", str(root / "usr"))
    # Rights can't be given to files here: else every start of a machine first tries to start ganeti-metad, in vain.
    if (setcap := root / "usr/sbin/setcap").exists():
        _mount("--bind", "/usr/bin/true", str(setcap))
    _mount("-o", "remount,bind,ro", str(root / "usr"))
    for name in TOP_DIRECTORIES:
        here = Path("/", name)
        if here.is_symlink():
            (root / name).symlink_to(here.readlink())
        elif here.is_dir():
            (root / name).mkdir()
            _mount("--rbind", str(here), str(root / name))
    subprocess.run(["cp", "-a", "/etc", str(root / "etc")], check=True)
    for name in ("hosts", "hostname", "resolv.conf"):
        (root / "etc" / name).unlink(missing_ok=True)
    # Nodes trust each other's certificate alone, but every call between them would read all of these first.
    if (certificates := root / "etc/ssl/certs").is_dir():
        shutil.rmtree(certificates)


def _lay_out_devices(root: Path) -> None:
    dev = root / "dev"
    dev.mkdir()
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(dev))
    for name in DEVICES:
        if Path("/dev", name).exists():
            _bind_file(Path("/dev", name), dev / name)
    tun = dev / "net/tun"
    if not tun.exists():  # guests' network cards; the kernel loads the driver when the device is opened
        tun.parent.mkdir(exist_ok=True)
        os.mknod(tun, stat.S_IFCHR | 0o666, os.makedev(10, 200))
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts", str(dev / "pts"))
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(dev / "shm"))
    for name, target in (
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ):
        (dev / name).symlink_to(target)


def _lay_out_kernel(root: Path) -> None:
    for name in ("proc", "sys"):
        (root / name).mkdir()
        _mount("-t", "proc" if name == "proc" else "sysfs", name, str(root / name))
    (root / PORTS_FOR_ALL).write_text("0")  # what the right to a low port would be for
    for name in MASKED:
        if (root / name).exists():
            _mount("--bind", "/dev/null", str(root / name))


def _lay_out_state(root: Path, shared: str) -> None:
    (root / "run").mkdir()
    for name in ("run/lock", "run/sshd", "run/lab", "root", "home", "mnt", "opt", "var/lib/ganeti", "var/log/ganeti"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in (
        "var/cache",
        "var/spool",
        "srv/ganeti/file",
        "srv/ganeti/shared",
        "srv/ganeti/os",
        "srv/ganeti/export",
    ):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).mkdir()
        (root / name).chmod(0o1777)
    (root / "run/lock").chmod(0o1777)
    (root / "root").chmod(0o700)
    (root / "var/run").symlink_to("/run")
    (root / "var/lock").symlink_to("/run/lock")
    _mount("--bind", shared, str(root / "srv/ganeti/shared"))


def build_root(root: Path, shared: str, files: dict[str, tuple[int, str]]) -> None:
    """Mount and fill the root of a node. Runs inside the node's own mount and PID namespaces."""
    _mount("--make-rprivate", "/")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(root))
    _lay_out_system(root)
    _lay_out_devices(root)
    _lay_out_kernel(root)
    _lay_out_state(root, shared)
    for name, (mode, text) in files.items():
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="latin-1")
        target.chmod(mode)


def enter_root(root: Path) -> None:
    """Make ``root`` the root of this namespace and let go of the machine's."""
    os.chdir(root)
    if subprocess.run(["pivot_root", ".", "."], check=False).returncode == 0:
        subprocess.run(["umount", "-n", "-l", "."], check=True)  # the old root lies on top of the new one
    os.chroot(".")
    os.chdir("/")


def main(arguments: list[str]) -> None:
    """Become the first process of a node; the process that called this ends at once."""
    mark, node, text = arguments
    order = json.loads(text)
    os.setsid()
    flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        sys.exit(f"This machine does not give out namespaces: {os.strerror(ctypes.get_errno())}")
    if os.fork():
        return
    build_root(Path(order["root"]), order["shared"], order["files"])
    subprocess.run(["hostname", node], check=True)
    enter_root(Path(order["root"]))
    os.execv(  # noqa: S606 - no shell wanted
        "/usr/bin/setpriv",
        ["setpriv", "--bounding-set", "-sys_boot", "--", "/usr/bin/python3", "-I", INIT, mark, node],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
