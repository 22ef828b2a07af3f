"""Ganeti's states of a machine in words, shapes and colours (source: src/Ganeti/Types.hs, InstanceStatus)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class State:
    """`look` is one of run, off, err, busy, warn: it gives shape and colour; `word` is what one reads."""

    look: str
    word: str | Promise
    explanation: str | Promise = ""


STATES: dict[str, State] = {
    "running": State("run", _("running")),
    "ADMIN_down": State("off", _("stopped")),
    "ADMIN_offline": State("off", _("offline"), _("Set offline: it holds neither memory nor CPU of its node.")),
    "forthcoming": State("off", _("reserved"), _("Only reserved in Ganeti (forthcoming): it was never created.")),
    "USER_down": State("off", _("stopped from inside"), _("The guest shut itself down.")),
    "ERROR_up": State("warn", _("should be stopped"), _("It runs although it was stopped in Ganeti.")),
    "ERROR_down": State("err", _("crashed"), _("It should run, but does not.")),
    "ERROR_wrongnode": State("err", _("on the wrong node"), _("It runs on another node than its primary node.")),
    "ERROR_nodedown": State("err", _("node down"), _("Its primary node did not answer.")),
    "ERROR_nodeoffline": State("warn", _("node offline"), _("Its primary node is set offline.")),
}
UNKNOWN = State("off", _("unknown"), _("Its state has not been read yet."))
MISSING = State("warn", _("missing"), _("Ganeti does not list it any more. What is kept here is its last known state."))
NEVER_MADE = State("err", _("not created"), _("Its creation failed. Its page says why, and how to try again."))


def state_of(status: str, *, is_missing: bool = False, doing: str = "", was_never_made: bool = False) -> State:
    """The state to show: what is being done to the machine comes before what Ganeti last said of it."""
    if doing:
        return State("busy", doing)
    if was_never_made:
        return NEVER_MADE
    if is_missing:
        return MISSING
    return STATES.get(status, UNKNOWN)
