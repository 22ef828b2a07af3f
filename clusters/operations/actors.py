"""Who acts when a page is posted."""

from clusters.operations.base import Actor
from objectlog.models import Via
from permissions.models import User


def actor_on_web(user: User) -> Actor:
    """`user`, acting by a web page."""
    return Actor(user, Via.WEB)
