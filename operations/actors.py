"""Who acts when a page is posted."""

from objectlog.models import Via
from operations.contract import Actor
from permissions.models import User


def actor_on_web(user: User) -> Actor:
    """`user`, acting by a web page."""
    return Actor(user, Via.WEB)
