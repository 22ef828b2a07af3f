"""What an open page asks: its frame anew, how old things are, and, where no signal gets through, what changed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gwm.context import frame_of
from gwm.live.note import BadNote, Note
from gwm.live.reader import touched_since
from gwm.selectors import list_ages
from permissions.sessions import mark_of
from permissions.signed_in import person_of

MOST_ASKED = 200


@never_cache
@require_safe
def dock(request: HttpRequest) -> HttpResponse:
    """The frame of the page at `path`, by itself: navigation and job dock."""
    path = request.GET.get("path", "/")[:500]
    frame_of(request, person_of(request)).path = path
    return render(request, "_frame.html", {"current_path": path})


@never_cache
@require_safe
def ages(request: HttpRequest) -> JsonResponse:
    """When the clusters `of` (keys, separated by commas) were read: complete, live, either; those one may know of."""
    asked = [int(key) for key in request.GET.get("of", "").split(",") if key.isdecimal() and len(key) < 10]
    found = list_ages(person_of(request), asked[:MOST_ASKED])
    return JsonResponse(
        {str(pk): {name: when.isoformat() for name, when in each.items()} for pk, each in found.items()}
    )


@never_cache
@require_safe
def changed(request: HttpRequest) -> JsonResponse:
    """The parts that changed since the note in the header X-Live-Note was written; 403 for somebody else's note."""
    try:
        note = Note.open(request.headers.get("X-Live-Note", ""))
    except BadNote:
        return JsonResponse({"error": _("This note is not ours.")}, status=403)
    if note.person != person_of(request).pk or note.session != mark_of(request):
        return JsonResponse({"error": _("This note belongs to another session.")}, status=403)
    topics = {topic for shown in note.parts().values() for topic in shown}
    return JsonResponse({"parts": note.touched_by(touched_since(topics, note.at))})
