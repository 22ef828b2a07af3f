"""Who acts when a page is posted."""

from objectlog.models import Via
from operations.contract import Actor
from permissions.models import Persona, User


def actor_on_web(user: User, persona: Persona | None = None) -> Actor:
    """`user`, acting by a web page, for themselves or as a persona (the pipeline asks whether they may)."""
    return Actor(user, Via.WEB, persona)
