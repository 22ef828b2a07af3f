"""What a person said about a cluster that is not added yet, kept between two pages: sealed, for a short time."""

import json
import time
from dataclasses import asdict
from typing import Any

from clusters.operations.wanted import ClusterSettings
from sealing.fields import Sealed, SecretUnreadable, seal

LIFETIME_S = 900.0


def seal_draft(wanted: ClusterSettings) -> str:
    """As an encrypted text, which may lie in a session; good for a quarter of an hour."""
    return seal(json.dumps({"until": time.time() + LIFETIME_S, "wanted": asdict(wanted)}))


def open_draft(token: Any) -> ClusterSettings | None:
    """What was sealed; None if it is too old, or nothing, or not ours."""
    if not isinstance(token, str) or not token:
        return None
    try:
        found = json.loads(Sealed(token, "draft of a cluster").reveal())
    except (SecretUnreadable, ValueError):
        return None
    return ClusterSettings(**found["wanted"]) if found["until"] > time.time() else None


def password_of(draft: ClusterSettings | None, *, host: str, port: int, username: str) -> str:
    """The password that was typed before, if it was for the same address and user; a password goes nowhere else."""
    if draft is None or (draft.host, draft.port, draft.username) != (host, port, username):
        return ""
    return draft.password or ""
