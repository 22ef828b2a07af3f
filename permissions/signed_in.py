"""From a request to the person who makes it."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from permissions.models import User


def find_person(request: HttpRequest) -> User | None:
    """The person who is signed in, if anybody is; also where the request never came as far as to know."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


def person_of(request: HttpRequest) -> User:
    """The person who is signed in. PermissionDenied for a page that was left open to strangers by mistake."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied(_("Sign in first."))
