"""What is made for a persona that its page only shows: of another, chosen in another tab meanwhile, nothing is made."""

from objectlog.words import gettext as _
from operations.contract import Actor, Invalid
from permissions.selectors import name_of_persona


def version_of_actor(actor: Actor) -> str:
    """What tells one as whom somebody acts from another; for an `OpenedField`."""
    return str(actor.persona.pk if actor.persona is not None else 0)


def look_whether_same_persona(actor: Actor, opened: str) -> None:
    """Invalid if the page said that it is for another; who says nothing (`opened` is empty) means whom they act as."""
    if opened and opened != version_of_actor(actor):
        for_whom = name_of_persona(actor.persona) if actor.persona is not None else actor.user.username
        raise Invalid({"": _("You act for %s by now. Nothing was done: look once more, and send it again.") % for_whom})
