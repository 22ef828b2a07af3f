"""No to what a page was asked for; an attempt to do it stands in the journal, a look at the form does not."""

from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from operations.actors import actor_of
from operations.contract import AnyOperation, Ask
from operations.pipeline import note_denied


def refuse(request: HttpRequest, operation: AnyOperation, target: Any, reason: str, params: Any = None) -> NoReturn:
    """Answer 403, as the pipeline would have, had it been asked."""
    if request.method == "POST":
        note_denied(operation, Ask(actor_of(request), target, params), reason)
    raise PermissionDenied(reason)
