"""What the RAPI client says, translated: it knows no Django, and leaves its sentences with their values apart."""

from typing import Any

from objectlog.words import gettext, joined
from rapi.errors import RapiError, Refused
from rapi.words import Words


def said(value: Any) -> str:
    """A sentence of the client's, or an error made of one, with all that is in it; Ganeti's own words as they are."""
    if isinstance(value, Exception) and value.args:
        value = value.args[0]
    if not isinstance(value, Words):
        return str(value)
    text = gettext(value.text)
    return text % {name: said(each) for name, each in value.values.items()} if value.values else text


def say(error: RapiError) -> str:
    """What went wrong, and where."""
    return joined(": ", [error.where, said(error.message)])


def words_of(error: RapiError) -> str:
    """Ganeti's own words where it refused, ours where it could not be asked."""
    return said(error.text) if isinstance(error, Refused) else say(error)
