"""Looking at the pages as somebody else sees them: for administrators, and for looking alone.

The session says as whom. Whoever looks is asked anew with each request whether they still may; nothing can be changed
meanwhile, whatever is posted, and no console opens, for that takes a ticket, which is posted for. A file is for looking
alone, too, and holds what the other's would; no banner stands over it later, so its name says whose view it is.
"""

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from permissions.models import User
from permissions.policy import can

_CHOSEN, _VIEWER = "viewing_as", "_viewed_by"
_FILE = re.compile(r'attachment; filename="(?P<stem>[^".]+)(?P<ending>\.[^"]+)"')
_SAFE = ("GET", "HEAD", "OPTIONS")
# What may be posted all the same, by the names of URLs.
_WAYS_OUT = ("view-as-stop", "logout")


def viewer_of(request: HttpRequest) -> User | None:
    """Who looks at the page as somebody else sees it; None if nobody does."""
    found: User | None = getattr(request, _VIEWER, None)
    return found


def view_as(request: HttpRequest, person: User | None) -> None:
    """Look as `person` sees it from the next page on; None: as oneself again."""
    request.session.pop(_CHOSEN, None)
    if person is not None:
        request.session[_CHOSEN] = person.pk


def record_viewing(viewer: User, person: User, *, begins: bool) -> None:
    """Write down that it began, or that it was ended."""
    note(
        actor_id=viewer.pk,
        actor_name=viewer.username,
        via=Via.WEB,
        verb="person.view-as" if begins else "person.stop-viewing",
        outcome=Outcome.DONE,
        target=Target("person", person.pk, person.username),
    )


class ViewAs:
    """Has pages made for whom an administrator looks as, and refuses everything else. Stands behind authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """See the class."""
        chosen = request.session.get(_CHOSEN)
        if isinstance(chosen, int):
            _change_eyes(request, chosen)
        response = self._get_response(request)
        if viewer_of(request) is not None:
            _name_file(response, str(request.user))
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """PermissionDenied for what would change something."""
        if viewer_of(request) is None or request.method in _SAFE:
            return
        match = request.resolver_match
        if match is None or match.url_name not in _WAYS_OUT:
            raise PermissionDenied(_("You look at this as %s sees it: nothing can be changed.") % request.user)


def _name_file(response: HttpResponseBase, person: str) -> None:
    """Have the name of a file say as whom it was seen."""
    named = _FILE.fullmatch(response.headers.get("Content-Disposition", ""))
    if named:
        name = f"{named['stem']}-as-seen-by-{person}{named['ending']}"
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""


def _change_eyes(request: HttpRequest, chosen: int) -> None:
    """Let the request be made by whom an administrator chose."""
    viewer = request.user
    if not isinstance(viewer, User):
        return
    person = User.objects.filter(pk=chosen).first()
    if person is not None and person.is_active and can(viewer, "view_as_anybody"):
        setattr(request, _VIEWER, viewer)
        request.user = person
        return
    view_as(request, None)  # it has ended by itself, and does not begin again by itself
    if person is not None:
        record_viewing(viewer, person, begins=False)
