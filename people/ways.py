"""The other services that may say who somebody is: providers of OpenID Connect, and the directory."""

from django.conf import settings

from people.directory.described import Directory
from people.openid.providers import Provider

Way = Provider | Directory


def list_ways() -> list[Way]:
    """All that there are here."""
    directory = [settings.GWM_DIRECTORY] if settings.GWM_DIRECTORY is not None else []
    return [*settings.GWM_OPENID_PROVIDERS, *directory]


def find_way(key: str) -> Way | None:
    """The one with this key, if there is one."""
    return next((each for each in list_ways() if each.key == key), None)
