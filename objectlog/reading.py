"""Events as people read them, in their language; from the sealed text alone."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from objectlog.changes import as_rows, tell
from objectlog.messages import read
from objectlog.models import Event, Via
from objectlog.words import say

# Django's own way to these makes the words of all anew for each event.
_VIAS = dict(Via.choices)


@dataclass(frozen=True)
class Told:
    """What a page says of an event. `changes` are label, before and after."""

    sentence: str
    words: str
    changes: list[tuple[str, str, str]]
    via: str
    job_ids: list[int]
    target_uuid: str
    data: dict[str, Any]


def read_event(event: Event) -> Told:
    """What happened: sentence with its changes, Ganeti's words, before and after. Whoever altered it hides no other."""
    try:
        return _read_text(json.loads(event.text))
    except (ValueError, TypeError, KeyError, AttributeError):
        sentence = gettext("This event can't be read: somebody has altered it.")
        return Told(sentence, "", [], "", [], "", {})


def _read_text(text: dict[str, Any]) -> Told:
    changes = text["changes"]
    sentence = ": ".join(filter(None, [read(text["sentence"]), tell(changes)]))
    via = str(_VIAS.get(text["via"], text["via"]))
    return Told(sentence, say(text["words"]), as_rows(changes), via, text["job_ids"], text["target_uuid"], text)
