"""What state a lab is in, for people to read, and bringing back one that was left broken."""

from __future__ import annotations

from pathlib import Path

from tools.lab.cluster import Lab
from tools.lab.errors import LabError
from tools.lab.plan import RAPI_PORT
from tools.lab.system import run_program, wait_until

_BEFORE_RESTART_S = 5.0
_AFTER_RESTART_S = 30.0
_DAEMON_UTIL = "/usr/lib/ganeti/daemon-util"
#: RAPI's accept queue is the first number behind LISTEN; a T among the states of processes is a stopped one
_LOOK_INSIDE = f"""
ip -brief address
ss --tcp --listening --numeric 'sport = :{RAPI_PORT}' | tail -n +2
ps -eo pid,ppid,stat,pcpu,wchan:24,args | grep -E 'ganeti|qemu' | grep -v grep | cut -c-150
"""


def describe_state(lab: Lab) -> str:
    """Links, neighbours, daemons with their states, RAPI's accept queue, and how busy this machine is."""
    plan = lab.plan
    here = [
        f"load {Path('/proc/loadavg').read_text().strip()}; "
        + next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable")),
        _look(["df", "-h", str(lab.directory)]),
        *(
            _look(["ip", "-oneline", "link", "show", "dev", name])
            for name in (plan.bridge, *map(plan.link, plan.node_names))
        ),
        _look(["ip", "neigh", "show", "dev", plan.bridge]),
    ]
    nodes = [f"-- {node}, master is {lab.master}\n{_look_inside(lab, node)}" for node in plan.node_names]
    return "\n".join([f"-- lab {lab.name} at {plan.endpoint}, seen from this machine", *here, *nodes])


def _look(command: list[str]) -> str:
    try:
        return run_program(command).strip()
    except LabError as error:
        return str(error)


def _look_inside(lab: Lab, node: str) -> str:
    try:
        return lab.run(node, "sh", "-c", _LOOK_INSIDE).strip()
    except LabError as error:
        return str(error)


def bring_back(lab: Lab) -> None:
    """Put cables in, let stopped processes go on, and start the master's daemons anew if it takes that."""
    plan = lab.plan
    for node in plan.node_names:
        run_program(["ip", "link", "set", plan.link(node), "master", plan.bridge, "up"])
        lab.run(node, "sh", "-c", "kill -CONT -1")
    try:
        wait_until(lab.answers, what="RAPI to answer", timeout_s=_BEFORE_RESTART_S)
    except LabError:
        # a daemon is not started where the number of one that was killed is left
        anew = f"{_DAEMON_UTIL} stop-all; rm -f /run/ganeti/ganeti-*.pid; {_DAEMON_UTIL} start-all"
        lab.run(lab.master, "sh", "-c", anew)
        wait_until(lab.answers, what="RAPI to answer after its daemons were started anew", timeout_s=_AFTER_RESTART_S)
