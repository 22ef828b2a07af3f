"""Second factors of a person: an authenticator app, passkeys, recovery codes. allauth keeps them in its table.

What is secret of them is sealed with the keys of GWM_FIELD_KEYS. A code of the app is good for one use: which one was
used last stands in the row, and not in a cache that may forget it.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_noop

from permissions.models import User
from sealing.fields import Sealed, is_sealed_with_first_key, seal

APP, PASSKEY, CODES = Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN, Authenticator.Type.RECOVERY_CODES
STEP_S = 30
_DRIFT = 1  # steps that a clock may be fast or slow
_LAST = "last_step"
# What of a row is sealed.
_SECRETS = ("secret", "seed")


class Adapter(DefaultMFAAdapter):
    """allauth, with secrets sealed and with our names in authenticators."""

    def encrypt(self, text: str) -> str:
        """Sealed with the first key."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """SecretUnreadable if no key fits."""
        return Sealed(encrypted_text, gettext_noop("second factor")).reveal()

    def get_totp_label(self, user: Any) -> str:
        """Whose code it is, and where."""
        return f"{user.username}@{_host()}"

    def get_totp_issuer(self) -> str:
        """What the app calls us."""
        name: str = settings.GWM_THEME.name
        return name

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """A passkey belongs to the host under which it was made."""
        return {"id": _host(), "name": settings.GWM_THEME.name}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """By the user name: people with several accounts choose by it."""
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"name": user.username, "display_name": user.get_full_name() or user.username}


@dataclass(frozen=True)
class Factors:
    """What somebody has."""

    app: Authenticator | None
    passkeys: Sequence[Authenticator]
    codes: Authenticator | None

    @property
    def is_any(self) -> bool:
        """Recovery codes alone are none."""
        return bool(self.app or self.passkeys)

    @property
    def codes_left(self) -> int:
        """How many recovery codes were not used."""
        return count_codes(self.codes) if self.codes else 0


def list_factors(person: User) -> Factors:
    """One query."""
    rows = list(Authenticator.objects.filter(user=person).order_by("created_at", "pk"))
    single = {row.type: row for row in rows}
    return Factors(single.get(APP), [row for row in rows if row.type == PASSKEY], single.get(CODES))


def find_own(person: User, number: int) -> Authenticator | None:
    """The app or the passkey of somebody with this key."""
    found: Authenticator | None = Authenticator.objects.filter(user=person, pk=number).exclude(type=CODES).first()
    return found


def has_factor(person: User) -> bool:
    """Whether somebody can't sign in with the password alone."""
    return bool(Authenticator.objects.filter(user=person, type__in=[APP, PASSKEY]).exists())


def count_codes(codes: Authenticator) -> int:
    """Recovery codes that were not used; told without a key."""
    return int(settings.MFA_RECOVERY_CODE_COUNT) - int(codes.data["used_mask"]).bit_count()


def find_step(secret: str, code: str, after: int = 0) -> int | None:
    """The step of time, after another one, of which an app with this secret shows this code; None: of none."""
    now, typed = int(time.time()) // STEP_S, "".join(code.split())
    for step in range(max(now - _DRIFT, after + 1), now + _DRIFT + 1):
        if constant_time_compare(typed, format_hotp_value(hotp_value(secret, step))):
            return step
    return None


def use_code(person: User, code: str) -> Authenticator | None:
    """The factor of somebody that a code was of, which is used up now; None if it is wrong or was used."""
    with transaction.atomic():
        rows = Authenticator.objects.select_for_update().filter(user=person, type__in=[APP, CODES])
        return next((row for row in sorted(rows, key=lambda row: row.type == CODES) if _use(row, code)), None)


def _use(row: Authenticator, code: str) -> bool:
    if row.type == CODES:
        return bool(row.wrap().validate_code(code))
    step = find_step(Adapter().decrypt(row.data["secret"]), code, row.data.get(_LAST, 0))
    if step is not None:
        row.data[_LAST] = step
        row.save(update_fields=["data"])
    return step is not None


def add_app(person: User, secret: str, step: int) -> Authenticator:
    """An app that shows the codes of this secret, in place of one that was there; that of `step` was used."""
    with transaction.atomic():
        Authenticator.objects.filter(user=person, type=APP).delete()
        data = {"secret": Adapter().encrypt(secret), _LAST: step}
        return Authenticator.objects.create(user=person, type=APP, data=data)


def make_codes(person: User) -> Sequence[str]:
    """New recovery codes in place of those that were there."""
    with transaction.atomic():
        Authenticator.objects.filter(user=person, type=CODES).delete()
        codes: Sequence[str] = RecoveryCodes.activate(person).generate_codes()
        return codes


def remove(row: Authenticator) -> None:
    """Take a factor away; with the last one the recovery codes go too."""
    with transaction.atomic():
        row.delete()
        if not has_factor(row.user):
            Authenticator.objects.filter(user=row.user).delete()


def remove_all(person: User) -> int:
    """Take away all that somebody has; how many factors it were."""
    rows = Authenticator.objects.filter(user=person)
    found = rows.exclude(type=CODES).count()
    rows.delete()
    return int(found)


def list_sealed() -> Iterable[int]:
    """The rows that have something sealed."""
    return list(Authenticator.objects.filter(type__in=[APP, CODES]).values_list("pk", flat=True))


def rotate(pk: int) -> bool:
    """Seal what is secret of a row with the first key; False when there was nothing to do."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(pk=pk).first()
        old = {name: row.data[name] for name in _SECRETS if name in row.data} if row else {}
        stale = {name: token for name, token in old.items() if not is_sealed_with_first_key(token)}
        new = {name: seal(Adapter().decrypt(token)) for name, token in stale.items()}
        if row and new:
            row.data |= new
            row.save(update_fields=["data"])
        return bool(new)


def _host() -> str:
    return str(context.request.get_host().partition(":")[0])
