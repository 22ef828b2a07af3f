"""Ganeti's states of a machine in words, shapes and colours (source: src/Ganeti/Types.hs, InstanceStatus)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """`look` is one of run, off, err, busy, warn: it gives shape and colour; `word` is what one reads."""

    look: str
    word: str
    explanation: str = ""


STATES: dict[str, State] = {
    "running": State("run", "running"),
    "ADMIN_down": State("off", "stopped"),
    "ADMIN_offline": State("off", "offline", "Set offline: it holds neither memory nor CPU of its node."),
    "USER_down": State("off", "stopped from inside", "The guest shut itself down."),
    "ERROR_up": State("warn", "should be stopped", "It runs although it was stopped in Ganeti."),
    "ERROR_down": State("err", "crashed", "It should run, but does not."),
    "ERROR_wrongnode": State("err", "on the wrong node", "It runs on another node than its primary node."),
    "ERROR_nodedown": State("err", "node down", "Its primary node did not answer."),
    "ERROR_nodeoffline": State("warn", "node offline", "Its primary node is set offline."),
}
UNKNOWN = State("off", "unknown", "Its state has not been read yet.")
MISSING = State("warn", "missing", "Ganeti does not list it any more. What is kept here is its last known state.")


def state_of(status: str, *, is_missing: bool = False, doing: str = "") -> State:
    """The state to show: what is being done to the machine comes before what Ganeti last said of it."""
    if doing:
        return State("busy", doing)
    if is_missing:
        return MISSING
    return STATES.get(status, UNKNOWN)
