"""Feeds of SSH keys for scripts, which show a token in the head of their request; a browser's session is not asked."""

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from people.key_feeds import list_keys_for
from people.operations.tokens import may_read_keys
from people.tokens import covers, find_token, note_use
from permissions.kinds import KINDS

_BEARER = re.compile(r"Bearer +([!-~]{1,200})", re.IGNORECASE)


@require_safe
def key_feed(request: HttpRequest, slug: str = "", name: str = "") -> HttpResponse:
    """A line for each key, as a file of authorized keys has them; `?format=json`: pairs of key and user name."""
    shown = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    token = find_token(shown[1]) if shown else None
    if token is None:
        answer = _say(401, _("Show a token that counts: Authorization: Bearer …"))
        answer["WWW-Authenticate"] = 'Bearer realm="keys"'
        return answer
    target: Any = None
    try:
        if name:
            target = KINDS["vm"].find(token.person, slug=slug, name=name)
        elif slug:
            target = KINDS["cluster"].find(token.person, slug=slug)
    except Http404 as error:
        return _say(404, str(error) or _("There is no such object that the token may see."))
    if not covers(token, target):
        return _say(403, _("The token does not count here: it is for the keys of %s.") % token.scope_name)
    verdict = may_read_keys(token.person, target)
    if not verdict:
        return _say(403, verdict.reason)
    note_use(token)
    keys = list_keys_for(target)
    if request.GET.get("format") == "json":
        return JsonResponse([[f"{key.kind} {key.body}", key.person.username] for key in keys], safe=False)
    lines = (" ".join(filter(None, [key.kind, key.body, key.person.username, key.comment])) for key in keys)
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")


def _say(status: int, words: str) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")
