"""What this is."""

import platform
from importlib.metadata import PackageNotFoundError, version

import django
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


def _version() -> str:
    try:
        return version("ganeti-web-manager")
    except PackageNotFoundError:
        return "from the source tree"


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Version, licence and what it is made of."""
    context = {"version": _version(), "python": platform.python_version(), "django": django.get_version()}
    return render(request, "gwm/about.html", context)
