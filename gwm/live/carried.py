"""The note that a page carries, so that it can be kept true."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gwm.live.pages import note_for
from permissions.signed_in import find_person
from permissions.viewing import viewer_of


def live_note(shown: Mapping[str, Any]) -> SafeString:
    """What the page shows, sealed; nothing for strangers. `shown`: all that its template was given.

    With it goes where the page's row is found whatever it is called (`data-row`), and where it is called as it is now.
    """
    request: Any = shown.get("request")
    person = find_person(request) if request is not None else None
    if person is None or viewer_of(request) is not None:  # the session is the viewer's, and the note is not theirs
        return SafeString()
    row, here = _places(request, shown)
    text = note_for(request, person, shown).seal()
    return format_html('<meta name="live-note" content="{}" data-row="{}" data-here="{}">', text, row, here)


def _places(request: HttpRequest, shown: Mapping[str, Any]) -> tuple[str, str]:
    match = request.resolver_match
    if match is None or "name" not in match.kwargs or not match.url_name:
        return "", ""
    subject = shown.get("node" if match.url_name.startswith("node") else "vm")
    if subject is None or not subject.uuid:
        return "", ""
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    where = {**match.kwargs, "slug": subject.cluster.slug}
    row, here = (
        reverse(match.url_name, kwargs={**where, "name": name}) + query for name in (subject.uuid, subject.address)
    )
    return row, here
