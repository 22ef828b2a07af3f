"""What never stands in a bundle: secrets of the settings and passwords of clusters, however somebody wrote them."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings

from clusters.models import Cluster
from gwm.config import Config
from gwm.env import SETTINGS
from gwm.logs import WithoutSecrets
from sealing.fields import SecretUnreadable

_HIDDEN = "[hidden]"
# What is shorter stands in ordinary words, and would be known by the holes in them.
_SHORTEST = 6
# Keys, links that sign somebody in, cookies: long, and of letters and figures both. Ids of operations are none.
_TOKEN = re.compile(
    r"(?<![\w/.-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-)[\w-]{32,}(?![\w.-])"
)


class Hiding:
    """Takes them out of texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {each for each in secrets if len(each) >= _SHORTEST}
        self._known = WithoutSecrets(spelling for each in known for spelling in list_spellings(each))

    def clean(self, text: str) -> str:
        """The text without them, and without what looks like one."""
        return _TOKEN.sub(_HIDDEN, self._known.clean(text))


def list_spellings(secret: str) -> set[str]:
    """As it is, in a URL, in JSON, in Python, in a page."""
    return {
        *(secret, quote(secret), quote(secret, safe=""), html.escape(secret)),
        *(json.dumps(secret)[1:-1], repr(secret)[1:-1]),
    }


def list_secrets() -> Iterator[str]:
    """Those of the settings: what the log hides, and passwords within addresses."""
    filters: Any = settings.LOGGING["filters"]
    yield from filters["without_secrets"]["secrets"]
    config = Config(os.environ)
    yield from config.secret_values()
    for setting in SETTINGS:
        with suppress(ValueError):  # it is no address
            password = urlsplit(config.raw(setting.name)).password or ""
            yield from (password, unquote(password))


def list_passwords() -> Iterator[str]:
    """Those of clusters. One that no key opens is not known to anybody. Raises DatabaseError."""
    for row in Cluster.objects.only("password", "vnc_password"):
        for name in ("password", "vnc_password"):
            with suppress(SecretUnreadable):
                yield str(getattr(row, name))
