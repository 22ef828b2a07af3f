"""The page that answers instead of the one that was asked for."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url

from permissions.signed_in import find_person


def answer(
    request: HttpRequest, status: int, title: str, text: str, *, remedy: str = "", explained: str = ""
) -> HttpResponse:
    """The page; `explained` is the URL of one that says why.

    Without a person (or without a session at all) it has no frame and needs no database.
    """
    signed_in = find_person(request) is not None
    context = {
        "is_answer": True,
        "layout": "base.html" if signed_in else "bare.html",
        "code": status,
        "title": title,
        "text": text,
        "remedy": remedy,
        "explained": explained if signed_in else "",
        "home": resolve_url(settings.LOGIN_REDIRECT_URL),
    }
    return render(request, "errors/error.html", context, status=status)
