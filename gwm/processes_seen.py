"""What the signs of life of processes say, for the page "Health" and for `manage.py health`."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from gwm import VERSION
from gwm.signs import GONE, HUNG, OTHER_VERSION, WELL, Seen, judge, read_signs
from ui.moments import tell

_KINDS = {"web": gettext_noop("web process"), "worker": gettext_noop("worker"), "beat": gettext_noop("beat")}


@dataclass(frozen=True)
class Part:
    """A part of the service. `kind` is ok, warn or bad; `remedy` says what to do when it is not ok; `key` is what
    programs know it by."""

    name: str
    kind: str
    word: str
    detail: str = ""
    remedy: str = ""
    key: str = ""


def examine_processes() -> Part:
    """Which of them is gone, hangs, or is of another release."""
    states = judge(read_signs())
    troubled = {each: state for each, state in states.items() if state != WELL}
    number = len(states)
    word = ngettext("%d process", "%d processes", number) % number
    if not troubled:
        return Part(_("Processes"), "ok", word)
    found = set(troubled.values())
    remedies = {
        GONE: _(
            "Start it, or restart it if it is there and silent: manage.py up does, or the units gwm-web@, gwm-worker "
            "and gwm-beat. What is gone for good is forgotten after a day."
        ),
        HUNG: _("Restart what does no work; its log says what it did last."),
        OTHER_VERSION: _("Restart what runs another release: the upgrade did not."),
    }
    return Part(
        _("Processes"),
        "bad" if found & {GONE, HUNG} else "warn",
        ngettext("%d not well", "%d not well", len(troubled)) % len(troubled),
        "; ".join(_describe(each, state) for each, state in list(troubled.items())[:10]),
        " ".join(words for state, words in remedies.items() if state in found),
    )


def _describe(seen: Seen, state: str) -> str:
    values = {
        "what": _(_KINDS.get(seen.kind, seen.kind)),
        "host": seen.host,
        "pid": seen.pid,
        "version": seen.version,
        "own": VERSION,
    }
    if state == GONE:
        return _("%(what)s on %(host)s (%(pid)d): no sign of life since %(when)s") % {
            **values,
            "when": tell(seen.seen_at),
        }
    if state == HUNG:
        return _("%(what)s on %(host)s (%(pid)d): has done no work since %(when)s") % {
            **values,
            "when": tell(seen.worked_at),
        }
    return _("%(what)s on %(host)s (%(pid)d): runs release %(version)s, and this is %(own)s") % values
