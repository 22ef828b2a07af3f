"""Sentences that are said hundreds of times on a page: translated once in a language and then kept."""

from functools import lru_cache

from django.utils.translation import get_language, gettext


def said(message: str) -> str:
    """What `gettext` says of a message that was marked with `gettext_noop`."""
    return _said(get_language(), message)


@lru_cache(maxsize=512)
def _said(language: str | None, message: str) -> str:
    del language  # what is active
    return gettext(message)
