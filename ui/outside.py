"""Addresses of ours as they go out and come in: in mails, and as the page that somebody wants to go on to."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from django.utils.http import url_has_allowed_host_and_scheme


def address_of(url_name: str, *args: Any, **kwargs: Any) -> str:
    """The whole address of a page. Its host is the configured one, never one that a request named.

    The path below which the product lives is in GWM_PUBLIC_URL, and before what is reversed where Django knows it:
    in requests, but not on every thread of a worker.
    """
    there = reverse(url_name, args=args, kwargs=kwargs)
    return f"{settings.GWM_PUBLIC_URL}/{there.removeprefix(get_script_prefix())}"


def is_ours(request: HttpRequest, url: str) -> bool:
    """Whether a URL that somebody brings leads to a page of ours: on the host that was asked, and below the path below
    which the product lives, as another product may live beside it."""
    if not url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure()):
        return False
    # as a browser reads it, for which dots that are encoded are dots
    path = urlsplit(urljoin("http://host" + request.path, unquote(url))).path
    return path.startswith(get_script_prefix())
