"""The command line of the lab."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

from tools.endings import end_in_order
from tools.lab.cluster import Description, Lab, known_labs, remove_abandoned_labs
from tools.lab.errors import LabError
from tools.lab.growth import grow
from tools.lab.guests import add_guest, vnc_address
from tools.lab.plan import DOMAIN
from tools.lab.prerequisites import missing_prerequisites


def _print_description(description: Description) -> None:
    print(f"cluster      {description.name}")
    print(f"RAPI         {description.endpoint}")
    print(f"users        {description.username} / {description.password} (read and write)")
    print(f"             {description.viewer_username} / {description.viewer_password} (read)")
    print(f"fingerprint  {description.fingerprint}")
    print(f"nodes        {' '.join(description.nodes)}")


def _up(options: argparse.Namespace) -> int:
    began = time.monotonic()
    end_in_order()
    remove_abandoned_labs()
    description = Lab(options.name).up(node_count=options.nodes, number=options.number)
    if options.json:
        print(json.dumps(description.as_dict(), indent=1))
    else:
        _print_description(description)
        print(f"up in {time.monotonic() - began:.0f} s")
    return 0


def _down(options: argparse.Namespace) -> int:
    for lab in [Lab(options.name)] if options.name else known_labs():
        lab.down()
    return 0


def _find_node(place: str) -> tuple[Lab, str]:
    """``LAB/NODE``, ``LAB`` (its master), or ``NODE`` where a single lab is up."""
    lab_name, slash, node = place.partition("/")
    if slash:
        return Lab(lab_name), node
    if "." not in place and Lab(place).is_known:
        return Lab(place), Lab(place).master
    labs = known_labs()
    if len(labs) != 1:
        names = ", ".join(lab.name for lab in labs) or "none"
        raise LabError(f"Which lab's {place}? Say LAB/{place} (labs: {names}).")
    return labs[0], place


def _exec(options: argparse.Namespace) -> int:
    lab, node = _find_node(options.node)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise LabError("Which command?")
    return lab.run_attached(node, command)


def _grow(options: argparse.Namespace) -> int:
    grow(Lab(options.name), options.count)
    return 0


def _guest(options: argparse.Namespace) -> int:
    lab = Lab(options.name)
    guest = add_guest(lab, options.guest)
    host, port = vnc_address(lab, guest)
    print(f"{guest} runs; VNC at {host}:{port}")
    return 0


def _status(options: argparse.Namespace) -> int:
    labs = [Lab(options.name)] if options.name else known_labs()
    ready = [lab for lab in labs if lab.is_ready]
    if options.json:
        print(json.dumps({lab.name: lab.describe().as_dict() for lab in ready}, indent=1))
        return 0
    for problem in missing_prerequisites():
        print(problem)
    for lab in labs:
        if lab in ready:
            _print_description(lab.describe())
        else:
            print(f"{lab.name}: {'half up: bring it up or down' if lab.directory.exists() else 'not there'}")
    if not labs:
        print("No lab is up.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/lab", description="A real Ganeti on this machine (root, Debian 12). See docs/lab.md."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="bring a lab up; one that is up stays as it is")
    up.add_argument("name", metavar="NAME")
    up.add_argument("--nodes", type=int, default=2, help="how many nodes (2)")
    up.add_argument("--number", type=int, help="N of its addresses 10.198.N.0/24 (the next free one)")
    up.add_argument("--json", action="store_true", help="print what it is like as JSON")
    up.set_defaults(do=_up)

    down = commands.add_parser("down", help="end a lab, or all of them, and remove every trace")
    down.add_argument("name", metavar="NAME", nargs="?")
    down.set_defaults(do=_down)

    execute = commands.add_parser("exec", help="run a command on a node")
    execute.add_argument("node", metavar="NODE", help="node1, LAB/node1, or LAB for its master")
    execute.add_argument("command", metavar="CMD", nargs=argparse.REMAINDER)
    execute.set_defaults(do=_exec)

    more = commands.add_parser("grow", help="make a lab hold COUNT cheap running instances; 0 removes them")
    more.add_argument("name", metavar="NAME")
    more.add_argument("count", metavar="COUNT", type=int)
    more.set_defaults(do=_grow)

    guest = commands.add_parser("guest", help="create and start the KVM guest that answers the keyboard")
    guest.add_argument("name", metavar="NAME")
    guest.add_argument("guest", metavar="GUEST", nargs="?", default="keyboard", help=f"its name (keyboard.{DOMAIN})")
    guest.set_defaults(do=_guest)

    status = commands.add_parser("status", help="say what is up, and what this machine lacks for it")
    status.add_argument("name", metavar="NAME", nargs="?")
    status.add_argument("--json", action="store_true")
    status.set_defaults(do=_status)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; 1 and a message for what people can mend."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.do(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return status
