"""No to what a page was asked for; an attempt to do it stands in the journal, a look at the form does not."""

from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from operations.actors import actor_of
from operations.contract import AnyOperation, Ask
from operations.pipeline import note_denied, note_denied_batch


def refuse(
    request: HttpRequest,
    operation: AnyOperation,
    target: Any,
    reason: str,
    params: Any = None,
    *,
    dry_run: bool = False,
) -> NoReturn:
    """Answer 403, as the pipeline would have, had it been asked."""
    if request.method == "POST":
        note_denied(operation, Ask(actor_of(request), target, params, dry_run=dry_run), reason)
    raise PermissionDenied(reason)


def refuse_batch(request: HttpRequest, batch: Any, reason: str) -> NoReturn:
    """The same for a batch."""
    note_denied_batch(actor_of(request), batch, reason)
    raise PermissionDenied(reason)
