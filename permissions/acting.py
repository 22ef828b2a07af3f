"""As whom a request acts: the person themselves, or a persona they chose in the header.

The choice is kept in the session, and asked again each time it counts; a page of who acts for themselves pays nothing.
"""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from permissions.models import Persona, User
from permissions.selectors import find_acted_as
from permissions.signed_in import person_of
from permissions.viewing import viewer_of

_CHOSEN, _READ = "acting_as", "_acting_as"
_SAFE = ("GET", "HEAD", "OPTIONS")


def acting_as(request: HttpRequest) -> Persona | None:
    """The persona as which the person acts; None: themselves.

    One for which they may no longer act is forgotten. What would have been done for it is not done for another:
    PermissionDenied.
    """
    if not hasattr(request, _READ):
        setattr(request, _READ, _read(request))
    persona: Persona | None = getattr(request, _READ)
    return persona


def _read(request: HttpRequest) -> Persona | None:
    if viewer_of(request) is not None:
        return None  # what was chosen is the viewer's
    chosen = request.session.get(_CHOSEN)
    if not isinstance(chosen, int):
        return None
    persona = find_acted_as(person_of(request), chosen)
    if persona is None:
        del request.session[_CHOSEN]
        if request.method not in _SAFE:
            raise PermissionDenied(_("You may no longer act for whom you chose. From now on you act for yourself."))
    return persona


def act_as(request: HttpRequest, persona: Persona | None) -> None:
    """Act as `persona` from now on in this session; None, or one's own: for oneself."""
    _choose(request, person_of(request), persona)
    setattr(request, _READ, None)


def act_as_at_first(request: HttpRequest, person: User) -> None:
    """For who signs in: act as the persona that they have chosen to begin with, if they still may act for it."""
    if person.default_persona_id is not None:
        _choose(request, person, find_acted_as(person, person.default_persona_id))


def _choose(request: HttpRequest, person: User, persona: Persona | None) -> None:
    request.session.pop(_CHOSEN, None)
    if persona is not None and persona.user_id != person.pk:
        request.session[_CHOSEN] = persona.pk
