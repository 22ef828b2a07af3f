"""Tokens of scripts: made, found again, and where they count."""

import hashlib
import secrets
from datetime import timedelta

from django.db.models import Model, Q
from django.utils import timezone

from permissions.models import Token
from permissions.policy import access_of

_BEGINNING = "gwm_"
LEAST = 32
# When a token was last used is written no more often.
_USE_NOTED = timedelta(minutes=1)


def make_secret() -> str:
    """Something nobody guesses: 256 random bits."""
    return f"{_BEGINNING}{secrets.token_urlsafe(32)}"


def digest_of(secret: str) -> str:
    """What is kept of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_token(secret: str) -> Token | None:
    """The token of which this is the secret, if it counts now: not ended, its person's account switched on."""
    found = Token.objects.select_related("person").filter(digest=digest_of(secret), person__is_active=True).first()
    return None if found is None or found.has_ended else found


def note_use(token: Token) -> None:
    """Keep when it was used last, to the minute."""
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_NOTED)
    Token.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def covers(token: Token, target: Model | None) -> bool:
    """Whether it counts on `target` (None: everything): on what it is for, and on what belongs to that."""
    if not token.scope_kind:
        return True
    if target is None:
        return False
    access = access_of(type(target))
    parent: Model | None = getattr(target, access.parent) if access.parent else None
    return any(
        each is not None and access_of(type(each)).kind == token.scope_kind and each.pk == token.scope_pk
        for each in (target, parent)
    )
