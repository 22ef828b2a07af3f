"""Who acts when a page is asked for or posted."""

from django.http import HttpRequest

from objectlog.models import Via
from operations.contract import Actor
from permissions.acting import acting_as
from permissions.signed_in import person_of


def actor_of(request: HttpRequest) -> Actor:
    """The person by a web page, for themselves or as the persona they chose (the pipeline asks whether they may).

    A page that was refused for a quota offers administrators a tick, by which it goes beyond it.
    """
    return Actor(person_of(request), Via.WEB, acting_as(request), over_quota="over_quota" in request.POST)
