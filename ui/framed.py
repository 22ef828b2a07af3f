"""What a page has read anyway, handed to the frame around it, which would read it once more."""

from typing import Any

from django.http import HttpRequest

_KEPT = "_framed"


def hand_to_frame(request: HttpRequest, **parts: Any) -> None:
    """Parts of the frame (`gwm.context.Frame`), by their names."""
    setattr(request, _KEPT, {**handed(request), **parts})


def handed(request: HttpRequest) -> dict[str, Any]:
    """Those of this request."""
    found: dict[str, Any] = getattr(request, _KEPT, {})
    return found
