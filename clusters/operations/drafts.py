"""What a person said about a cluster and is not saved yet, kept between two pages: sealed, for a short time."""

import json
import time
from dataclasses import asdict, replace
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


def with_kept(wanted: ClusterSettings, draft: ClusterSettings | None) -> ClusterSettings:
    """`wanted` with the passwords that were typed before, as far as they would go to where they were meant to go."""
    if draft is None:
        return wanted
    password, vnc_password = wanted.password, wanted.vnc_password
    if wanted.username and password is None:
        password = password_of(draft, host=wanted.host, port=wanted.port, username=wanted.username) or None
    if vnc_password is None and (draft.host, draft.port) == (wanted.host, wanted.port):
        vnc_password = draft.vnc_password or None
    return replace(wanted, password=password, vnc_password=vnc_password)
