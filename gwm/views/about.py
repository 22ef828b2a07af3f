"""What this is."""

import platform

import django
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gwm import VERSION


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Version, licence and what it is made of."""
    context = {"version": VERSION, "python": platform.python_version(), "django": django.get_version()}
    return render(request, "gwm/about.html", context)
