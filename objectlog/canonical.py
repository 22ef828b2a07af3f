"""The canonical text of an event, and its seal."""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

VERSION = 1
# Columns of an event that repeat what its text says.
REPEATED = (
    *("actor_name", "persona_name", "verb", "outcome", "target_kind", "target_pk", "target_name"),
    *("cluster_pk", "cluster_name", "entry_uuid", "said"),
)


def write_text(fields: Mapping[str, Any]) -> str:
    """One text for one event: JSON with sorted keys and no spaces."""
    return json.dumps({**fields, "version": VERSION}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_time(moment: datetime) -> str:
    """A moment as the text says it, the same on every database."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def list_keys() -> list[bytes]:
    """The keys of the journal: the first seals, all verify."""
    keys = [key.encode() for key in settings.GWM_JOURNAL_KEYS]
    if not keys:
        raise ImproperlyConfigured(
            "GWM_JOURNAL_KEYS is not set: the key that seals the journal. `manage.py up` generates it at the first "
            "start into <data>/secrets.env; set GWM_DATA_DIR to that directory or GWM_JOURNAL_KEYS to the key."
        )
    return keys


def make_seal(key: bytes, *parts: str) -> str:
    """The seal of some texts in a row: HMAC-SHA-256, in hexadecimal digits."""
    return hmac.digest(key, "\n".join(parts).encode(), "sha256").hex()


def is_sealed_by(keys: list[bytes], seal: str, *parts: str) -> bool:
    """Whether one of the keys made this seal of these texts."""
    return any(make_seal(key, *parts) == seal for key in keys)
