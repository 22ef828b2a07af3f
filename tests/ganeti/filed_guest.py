"""A KVM guest that has a file system: once it has booted it reads a file there, and writes it to its serial console.

Its OS does what instance-debootstrap does: it lays out the files of the guest, lets the hooks see to them, and makes a
file system of them. The boot sector finds the file as LILO finds a kernel: its block is written into it.
"""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path

from tests.ganeti.cluster import GanetiCluster
from tools.lab.keyboard_guest import SETTLED, Address, Item, Label, Near, assemble
from tools.lab.nodes import file_of_node

OS_NAME = "gwm-filed"
HOME = f"/etc/ganeti/{OS_NAME}"
HOOKS = f"{HOME}/hooks"
_FOLDER = f"/srv/ganeti/os/{OS_NAME}"
READ_TO = b"\x00\x7e"  # right behind the boot sector
_PACKET = b"\x10\x00" + b"\x02\x00" + READ_TO + b"\x00\x00"  # two sectors, to there; by the number that comes after it
_PROGRAM: tuple[Item, ...] = (
    *SETTLED,
    Address(b"\xbe", "packet"),  # mov si, packet
    b"\xb4\x42",  # mov ah, 0x42       read sectors of the disk it was booted from, which dl says
    b"\xcd\x13",  # int 0x13
    Label("again"),
    b"\xbe" + READ_TO,  # mov si, 0x7e00
    Label("next"),
    b"\xac",  # lodsb
    b"\x84\xc0",  # test al, al        the end of the file?
    Near(b"\x74", "pause"),  # jz pause
    b"\x50",  # push ax
    b"\xba\xfd\x03",  # mov dx, 0x3fd      the serial line's status
    Label("wait"),
    b"\xec",  # in al, dx
    b"\xa8\x20",  # test al, 0x20      may the next one come?
    Near(b"\x74", "wait"),  # jz wait
    b"\x58",  # pop ax
    b"\xba\xf8\x03",  # mov dx, 0x3f8
    b"\xee",  # out dx, al
    b"\xb4\x0e",  # mov ah, 0x0e       and on the screen
    b"\xbb\x07\x00",  # mov bx, 7
    b"\xcd\x10",  # int 0x10
    Near(b"\xeb", "next"),  # jmp next
    Label("pause"),
    b"\xb9\x09\x00",  # mov cx, 9          half a second
    Label("tick"),
    b"\xf4",  # hlt
    Near(b"\xe2", "tick"),  # loop tick
    Near(b"\xeb", "again"),  # jmp again
    Label("packet"),
    _PACKET,
)
_SECTOR = assemble(_PROGRAM)
_NUMBER_AT = _SECTOR.index(_PACKET) + len(_PACKET)
_CREATE = f"""\
#!/bin/sh
set -e
TARGET=$(mktemp -d)
export TARGET
mkdir -m 700 "$TARGET/root"
run-parts --exit-on-error {HOOKS}
mke2fs -q -F -t ext2 -b 1024 -d "$TARGET" "$DISK_0_PATH"
block=$(debugfs -R "blocks /root/.ssh/authorized_keys" "$DISK_0_PATH" 2>/dev/null)
test -n "$block"
put() {{ dd of="$DISK_0_PATH" bs=1 conv=notrunc,fsync status=none "$@"; }}
put if="$(dirname "$0")/boot.bin"
python3 -c 'import sys; sys.stdout.buffer.write((2 * int(sys.argv[1])).to_bytes(8, "little"))' $block |
    put seek={_NUMBER_AT}
"""


def install(ganeti: GanetiCluster, files: dict[str, tuple[int, bytes]]) -> None:
    """Have the OS on every node, and these files: path → mode and what is in it."""
    definition = {
        "ganeti_api_version": (0o644, b"10\n"),
        "boot.bin": (0o644, _SECTOR),
        "create": (0o755, _CREATE.encode()),
        **dict.fromkeys(("rename", "import", "export"), (0o755, b"#!/bin/sh\nexit 0\n")),
    }
    own = {f"{_FOLDER}/{name}": file for name, file in definition.items()}
    for node in ganeti.nodes:
        for path, (mode, content) in (own | files).items():
            file = _file(ganeti, node, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(mode)


def uninstall(ganeti: GanetiCluster) -> None:
    """The OS, and what its hooks were."""
    for node in ganeti.nodes:
        for folder in (_FOLDER, HOME):
            shutil.rmtree(_file(ganeti, node, folder))


def read_console(ganeti: GanetiCluster, name: str, until: bytes, *, timeout_s: float = 60.0) -> bytes:
    """What the guest writes to its serial console, up to these bytes."""
    (node,) = ganeti.lab.rapi.fields(name, "pnode")
    line = _file(ganeti, node, f"/run/ganeti/kvm-hypervisor/ctrl/{name}.serial")
    said, ends_at = b"", time.monotonic() + timeout_s
    with socket.socket(socket.AF_UNIX) as console:
        console.settimeout(timeout_s)
        console.connect(str(line))
        while until not in said:
            assert time.monotonic() < ends_at, said[-200:]
            said += console.recv(4096)
    return said


def _file(ganeti: GanetiCluster, node: str, path: str) -> Path:
    return file_of_node(ganeti.lab.pid_of(node), path)
